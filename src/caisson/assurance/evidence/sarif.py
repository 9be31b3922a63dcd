"""Claims about templates as SARIF 2.1.0 (OASIS), which code hosts show beside the code.

What holds is no result. What is broken is an error at the statement that lets the request through, or at what the claim
is about; what nobody knows is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from caisson import __version__
from caisson.assurance.verdict import Verdict

Json = dict[str, Any]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Verdict.BROKEN.value: "error", Verdict.UNDETERMINED.value: "warning"}
_PLACE = re.compile(r"(?P<file>[^:]+)(?::(?P<line>[0-9]+))?: (?P<pointer>/.*)")


def sarif(lines: Iterable[Json]) -> Json:
    """A log with one run, of claims as `claims.claim_line` has them."""
    shown = [line for line in lines if line["verdict"] in LEVELS]
    rules = {kind_of(line): line for line in reversed(shown)}
    names = sorted(rules)
    driver = {
        "name": "caisson prove",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(name, rules[name]) for name in names],
    }
    results = [_result(line, names.index(kind_of(line))) for line in shown]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def kind_of(line: Json) -> str:
    """The claim without what it is about: `guardrail.pinned`."""
    return str(line["id"]).partition(": ")[0]


def _rule(name: str, line: Json) -> Json:
    return {
        "id": name,
        "shortDescription": {"text": line["says"]},
        "help": {"text": f"{line['says']} Controls: {', '.join(line['controls']) or 'none'}."},
        "properties": {"tags": ["security", *line["controls"]]},
    }


def _result(line: Json, number: int) -> Json:
    found = line["through"] or ([line["place"]] if line["place"] else [])
    about = f"{line['about']}: " if line["about"] else ""
    steps = f" ({' → '.join(line['way'])})" if line["way"] else ""
    return {
        "ruleId": kind_of(line),
        "ruleIndex": number,
        "level": LEVELS[line["verdict"]],
        "message": {"text": f"{about}{line['reason']}{steps}"},
        "partialFingerprints": {"caissonProve/v1": sha256("\0".join((line["id"], *found)).encode()).hexdigest()},
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
