"""The embedded guardrail: the rules of caisson.detect under the guardrails of a system file (NET-02, DAT-03, SEC-04).

    rulebook.py    a guardrail of the file as compiled rule sets
    passages.py    the stages that a text passes
    decisions.py   findings as decision records
    output.py      inspection of an answer while it streams
    evaluator.py   the port

Nothing here does I/O, so it always answers.
"""

from caisson.adapters.embedded.guardrail.evaluator import EmbeddedGuardrail

__all__ = ["EmbeddedGuardrail"]
