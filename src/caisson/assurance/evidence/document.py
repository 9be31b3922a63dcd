"""What was found, as JSON values: a line a control, a line a check.

>>> line = check_line(outcome)  # doctest: +SKIP
>>> line["verdict"]  # doctest: +SKIP
'holds'
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from caisson.assurance.controls.judgement import Judged, JudgedPart
from caisson.assurance.evidence.claims import claim_line
from caisson.assurance.evidence.verification import Verification
from caisson.assurance.probes.check import Outcome, Step


def control_lines(found: Verification) -> Iterator[dict[str, Any]]:
    """All controls, in the catalogue's order, each with its parts and what was tried."""
    scope = "machine and AWS" if found.question.aws else "machine"
    for judged in found.judged:
        yield control_line(judged) | {"scope": scope}


def control_line(judged: Judged) -> dict[str, Any]:
    """One control."""
    control = judged.control
    return {
        "id": control.id,
        "title": control.title,
        "verdict": judged.verdict.value,
        "reason": judged.reason,
        "family": control.family,
        "tier": control.tier,
        "agentic": control.agentic,
        "zones": list(control.zones),
        "seed": list(control.seed),
        "need": control.need,
        "code": list(control.code),
        "evidence": [_part(part) for part in judged.parts],
    }


def _part(judged: JudgedPart) -> dict[str, Any]:
    return {
        "kind": judged.part.kind.value,
        "claim": judged.part.claim,
        "verdict": judged.verdict.value,
        "reason": judged.reason,
        "checks": [check_line(outcome) for outcome in judged.outcomes],
        "claims": [claim_line(proof) for proof in judged.proved],
    }


def check_line(outcome: Outcome) -> dict[str, Any]:
    """One check with its transcript."""
    check = outcome.check
    return {
        "check": check.name,
        "claim": check.claim,
        "attacker": check.attacker,
        "on": outcome.where,
        "verdict": outcome.verdict.value,
        "reason": outcome.reason,
        "seconds": round(outcome.seconds, 3),
        "transcript": [_step(step) for step in outcome.steps],
        "steps_omitted": outcome.omitted,
    }


def _step(step: Step) -> dict[str, str]:
    told = {"kind": step.kind, "did": step.did}
    if step.kind == "note":
        return told
    return told | {"expected": step.expected, "saw": step.saw, "verdict": step.verdict.value}
