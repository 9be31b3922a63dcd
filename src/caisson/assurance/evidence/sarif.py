"""Claims about templates as SARIF 2.1.0 (OASIS), which code hosts show beside the code.

What holds is no result. What is broken is an error at the statement that lets the request through, or at what the claim
is about; what nobody knows is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from caisson import __version__
from caisson.assurance.proofs.search import Proof
from caisson.assurance.verdict import Verdict

Json = dict[str, Any]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Verdict.BROKEN: "error", Verdict.UNDETERMINED: "warning"}
_PLACE = re.compile(r"(?P<file>[^:]+)(?::(?P<line>[0-9]+))?: (?P<pointer>/.*)")


def sarif(proofs: Sequence[Proof]) -> Json:
    """A log with one run."""
    shown = [proof for proof in proofs if proof.verdict in LEVELS]
    rules = {kind_of(proof): proof for proof in reversed(shown)}
    names = sorted(rules)
    driver = {
        "name": "caisson prove",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(name, rules[name]) for name in names],
    }
    results = [_result(proof, names.index(kind_of(proof))) for proof in shown]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def kind_of(proof: Proof) -> str:
    """The claim without what it is about: `guardrail.pinned`."""
    return proof.claim.id.partition(": ")[0]


def places(proof: Proof) -> tuple[str, ...]:
    """Where it stands, `file:line: /pointer`: the statements that let the request through, else what it is about."""
    decision = proof.counterexample.decision if proof.counterexample is not None else None
    through = [one.pointer for one in decision.statements] if decision is not None else []
    return tuple(dict.fromkeys(one for one in through if one)) or ((proof.claim.place,) if proof.claim.place else ())


def _rule(name: str, proof: Proof) -> Json:
    return {
        "id": name,
        "shortDescription": {"text": proof.claim.says},
        "properties": {"tags": ["security", *proof.claim.controls]},
    }


def _result(proof: Proof, number: int) -> Json:
    found = places(proof)
    about = f"{proof.claim.about}: " if proof.claim.about else ""
    steps = f" ({' → '.join(proof.way)})" if proof.way else ""
    return {
        "ruleId": kind_of(proof),
        "ruleIndex": number,
        "level": LEVELS[proof.verdict],
        "message": {"text": f"{about}{proof.reason}{steps}"},
        "partialFingerprints": {"caissonProve/v1": sha256("\0".join((proof.claim.id, *found)).encode()).hexdigest()},
        "locations": list(_locations(found)),
    }


def _locations(found: Sequence[str]) -> Iterator[Json]:
    for text in found:
        logical = {"logicalLocations": [{"fullyQualifiedName": text}]}
        match = _PLACE.fullmatch(text)
        if match is None:
            yield logical
            continue
        physical = {
            "artifactLocation": {"uri": quote(match["file"])},
            "region": {"startLine": int(match["line"] or 1)},
        }
        yield {"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": match["pointer"]}]}
