"""A claim about policies or a network with its verdict, as JSON values."""

from __future__ import annotations

from typing import Any

from caisson.assurance.proofs.search import Counterexample, Proof


def claim_line(proof: Proof) -> dict[str, Any]:
    """One claim. The counterexample is a case of `caisson explain`'s `request`."""
    found = proof.counterexample
    return {
        "id": proof.claim.id,
        "about": proof.claim.about,
        "place": proof.claim.place,
        "controls": list(proof.claim.controls),
        "says": proof.claim.says,
        "verdict": proof.verdict.value,
        "reason": proof.reason,
        "classes": proof.passed + proof.decided,
        "counterexample": None if found is None else request_of(found),
        "through": [] if found is None else through(found),
        "way": list(proof.way),
    }


def request_of(found: Counterexample) -> dict[str, Any]:
    """The request that is allowed."""
    request = found.request
    return {
        "principal": request.principal.text,
        "action": request.action,
        "resource": request.resource,
        "resource_account": request.resource_account,
        "context": {
            key: values.all[0] if values.single else list(values.all) for key, values in request.context.values.items()
        },
    }


def through(found: Counterexample) -> list[str]:
    """Where the statements stand that let the request through, each once."""
    return list(dict.fromkeys(one.pointer for one in found.decision.statements if one.pointer))
