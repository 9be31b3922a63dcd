"""The embedded guardrail: the rules of caisson.detect under the guardrails of a system file (NET-02, DAT-03, SEC-04).

    rulebook.py    a guardrail of the file as compiled rule sets
    passages.py    the stages that a text passes
    decisions.py   findings as decision records
    output.py      inspection of an answer while it streams

Nothing here does I/O, so it always answers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter

from caisson.adapters.embedded.guardrail.decisions import Decisions
from caisson.adapters.embedded.guardrail.output import EmbeddedOutputInspection
from caisson.adapters.embedded.guardrail.passages import Passages
from caisson.adapters.embedded.guardrail.rulebook import Rulebook
from caisson.detect.pseudonyms import Pseudonyms
from caisson.ports.guardrail import Guardrail, Inspection, InspectionContext, OutputInspection, Part
from caisson.system.guardrails import Guardrail as Declared
from caisson.system.schema import System

RULEBOOKS_KEPT_MAX = 32
"""Compiled guardrails that are kept: most reloads change none, and compiling takes a second."""

_kept: OrderedDict[str, Rulebook] = OrderedDict()


class EmbeddedGuardrail(Guardrail):
    """Evaluates the guardrails of one configuration version. Building it compiles those that are new."""

    def __init__(self, system: System, configuration_version: int) -> None:
        version = str(configuration_version)
        self._rulebooks = {
            name: replace(_rulebook(declared), name=name, version=version)
            for name, declared in system.guardrails.items()
        }

    async def inspect_input(self, parts: Sequence[Part], context: InspectionContext) -> Inspection:
        began = perf_counter()
        rulebook = self._rulebooks[context.guardrail]
        decisions = Decisions(rulebook, "input")
        passages = Passages(rulebook, decisions, Pseudonyms(context.pseudonym_key))
        restorable: dict[str, str] = {}
        texts = []
        for part in parts:
            rules = rulebook.input_rules(part.role)
            pipe = passages.of_input(rules, part.path, restorable if part.role == "user" else None)
            texts.append(pipe.take(part.text, final=True))
            decisions.characters += len(part.text)
        decisions.seconds = perf_counter() - began
        return Inspection(
            texts=tuple(texts),
            blocked=decisions.blocked,
            actions=decisions.actions,
            restorable=restorable,
            guarded_characters=decisions.characters,
            total_characters=sum(len(part.text) for part in parts),
        )

    def open_output(self, context: InspectionContext, restorable: Mapping[str, str]) -> OutputInspection:
        return EmbeddedOutputInspection(self._rulebooks[context.guardrail], context, restorable)

    def messages(self, guardrail: str) -> tuple[str, str]:
        rulebook = self._rulebooks[guardrail]
        return rulebook.blocked_input_message, rulebook.blocked_output_message


def _rulebook(declared: Declared) -> Rulebook:
    key = declared.model_dump_json()
    found = _kept.get(key)
    if found is None:
        found = _kept[key] = Rulebook.of("", declared, "")
        if len(_kept) > RULEBOOKS_KEPT_MAX:
            _kept.popitem(last=False)
    return found
