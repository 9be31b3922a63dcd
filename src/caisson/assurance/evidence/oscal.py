"""A report as OSCAL assessment results (NIST, OSCAL 1.1.3), made from the document alone.

- A check is an observation by test, a claim over all requests one by examination.
- A control is a finding. OSCAL knows `satisfied` and `not-satisfied`: what nobody has shown, and what a person decides,
  is not satisfied for another reason than failure, which `reason` and the property `verdict` say.
- Controls that do not apply are excluded from the assessment; they are no findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from caisson.assurance.verdict import Verdict

Json = dict[str, Any]
Line = Mapping[str, Any]

VERSION = "1.1.3"
NAMESPACE = "urn:caisson:report"
"""Of properties that OSCAL does not name."""
STATES = {
    Verdict.HOLDS.value: ("satisfied", "pass"),
    Verdict.BROKEN.value: ("not-satisfied", "fail"),
    Verdict.UNDETERMINED.value: ("not-satisfied", "other"),
    Verdict.MANUAL.value: ("not-satisfied", "other"),
}
"""Verdict to state and reason (OSCAL assessment results, finding target status)."""
EVIDENCE = "report.json"


def oscal(document: Line) -> Json:
    """The assessment results of a report. The same document gives the same values."""
    root = uuid5(NAMESPACE_URL, f"{NAMESPACE}:{document['system']['name']}:{document['began']}")
    checks = {one["check"]: one for one in _of(document, "checks")}
    claims = {one["id"]: one for one in _of(document, "claims")}
    observations = [
        *(_tested(root, one, document["began"]) for one in checks.values()),
        *(_examined(root, one, document["began"]) for one in claims.values()),
    ]
    lines = document["controls"]
    applying = [line for line in lines if line["verdict"] in STATES]
    selection: Json = {"include-controls": [{"control-id": line["id"]} for line in applying]}
    if aside := [{"control-id": line["id"]} for line in lines if line["verdict"] not in STATES]:
        selection["exclude-controls"] = aside
    result: Json = {
        "uuid": _id(root, "result"),
        "title": f"{document['system']['name']}: what holds",
        "description": f"Verdicts of caisson verify about {document['scope']}.",
        "start": document["began"],
        "props": [_prop("tier", str(document["system"]["tier"])), _prop("verdict", document["verdict"])],
        "reviewed-controls": {"control-selections": [selection]},
        "findings": [_finding(root, line) for line in applying],
    }
    if observations:
        result["observations"] = observations
    version = str(document["inputs"].get("caisson", "unknown"))
    return {
        "assessment-results": {
            "uuid": str(root),
            "metadata": {
                "title": f"Caisson's assessment of {document['system']['name']}",
                "last-modified": document["began"],
                "version": version,
                "oscal-version": VERSION,
            },
            "import-ap": {"href": f"#{_id(root, 'plan')}", "remarks": "The plan is the catalogue of caisson verify."},
            "results": [result],
            "back-matter": {"resources": [_plan(root, document)]},
        }
    }


def _of(document: Line, kind: str) -> Iterator[Line]:
    for line in document["controls"]:
        for part in line["evidence"]:
            yield from part[kind]


def _tested(root: UUID, one: Line, collected: str) -> Json:
    steps = len(one["transcript"]) + one["steps_omitted"]
    return {
        "uuid": _id(root, "check", one["check"]),
        "title": one["check"],
        "description": f"{one['claim']} {one['reason']}".strip(),
        "props": [_prop("verdict", one["verdict"]), _prop("on", one["on"])],
        "methods": ["TEST"],
        "types": ["control-objective"],
        "relevant-evidence": [{"href": EVIDENCE, "description": f"Transcript of {steps} steps, by {one['attacker']}."}],
        "collected": collected,
    }


def _examined(root: UUID, one: Line, collected: str) -> Json:
    return {
        "uuid": _id(root, "claim", one["id"]),
        "title": one["id"],
        "description": f"{one['says']} {one['reason']}".strip(),
        "props": [_prop("verdict", one["verdict"]), _prop("classes", str(one["classes"]))],
        "methods": ["EXAMINE"],
        "types": ["control-objective"],
        "relevant-evidence": [{"href": EVIDENCE, "description": "Decided on a request of every class."}],
        "collected": collected,
    }


def _finding(root: UUID, line: Line) -> Json:
    state, reason = STATES[line["verdict"]]
    named = [_id(root, "check", one["check"]) for part in line["evidence"] for one in part["checks"]]
    named += [_id(root, "claim", one["id"]) for part in line["evidence"] for one in part["claims"]]
    made: Json = {
        "uuid": _id(root, "control", line["id"]),
        "title": f"{line['id']} {line['title']}",
        "description": line["reason"],
        "props": [_prop("verdict", line["verdict"])],
        "target": {
            "type": "objective-id",
            "target-id": line["id"],
            "description": line["need"],
            "status": {"state": state, "reason": reason},
        },
    }
    if related := [{"observation-uuid": one} for one in dict.fromkeys(named)]:
        made["related-observations"] = related
    return made


def _plan(root: UUID, document: Line) -> Json:
    inputs = [_prop("input", f"{name} {value}") for name, value in document["inputs"].items()]
    return {
        "uuid": _id(root, "plan"),
        "title": "Caisson's catalogue of controls and checks",
        "description": "The controls of the reference pattern, what shows each, and what was looked at.",
        "props": inputs,
        "rlinks": [{"href": EVIDENCE, "media-type": "application/json"}],
    }


def _prop(name: str, value: str) -> Json:
    return {"name": name, "ns": NAMESPACE, "value": value}


def _id(root: UUID, *names: str) -> str:
    return str(uuid5(root, "/".join(names)))
