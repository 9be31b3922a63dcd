"""A report that others can check: one page to read, one document for programs, signed.

    DIR/report.json        everything that was found, with input hashes, versions, dates and the page's SHA-256
    DIR/report.html        the same to read; made from the document alone
    DIR/signature.json     Ed25519 over the exact bytes of report.json

- Whoever checks compares bytes first, then judges again: a verdict that its own evidence does not give is refused, also
  under a good signature.
- The key is of whoever started `up` (`zones/supervisor/keys`). A signature says who made the report and that nobody
  changed it; what it says was seen by that machine.

>>> check(Path("report"), trusted=None).problems  # doctest: +SKIP
()
"""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from caisson.adapters.embedded.keys import key_id
from caisson.adapters.embedded.keys import verify as verifies
from caisson.assurance.controls import CATALOGUE
from caisson.assurance.controls.judgement import TIERS, Question, judge
from caisson.assurance.evidence.document import control_lines
from caisson.assurance.evidence.page import page
from caisson.assurance.evidence.verification import Verification
from caisson.assurance.probes import CHECKS, Outcome
from caisson.assurance.verdict import Verdict, exit_code
from caisson.errors import StartError
from caisson.ports.keys import SigningKey

FORMAT = 1
DOCUMENT, PAGE, SIGNATURE = "report.json", "report.html", "signature.json"
FILE_BYTES_MAX = 64 << 20
SIGNATURE_BYTES_MAX = 4_096
PURPOSE = b"caisson report v1\n"
"""Signed before the document, so that this signature is worth nothing elsewhere."""


def document(found: Verification) -> dict[str, Any]:
    """Everything of a verification, as JSON values."""
    question = found.question
    verdicts = [judged.verdict for judged in found.judged]
    return {
        "format": FORMAT,
        "system": {"name": found.system.name, "tier": question.tier, "tier_name": TIERS[question.tier]},
        "question": {"tier": question.tier, "tools": question.tools, "aws": question.aws},
        "scope": "this machine and the deployment to AWS" if question.aws else "this machine",
        "began": _iso(found.began),
        "seconds": round(found.seconds, 1),
        "inputs": dict(found.inputs),
        "loosened": [row.model_dump(mode="json") for row in found.system.loosened],
        "verdict": {0: "holds", 1: "broken", 3: "undetermined"}[exit_code(verdicts)],
        "counts": dict(Counter(verdict.value for verdict in verdicts)),
        "controls": list(control_lines(found)),
    }


def write(found: Verification, out: Path, key: SigningKey) -> None:
    """Write the three files into a folder that has none of them: all, or none.

    Raises:
        StartError: it has, or cannot be written.
    """
    made = document(found)
    html = page(made).encode()
    made["files"] = {PAGE: sha256(html).hexdigest()}
    content = json.dumps(made, ensure_ascii=False, indent=1).encode()
    signature = {
        "key_id": key.key_id,
        "public_key": base64.b64encode(key.public_bytes).decode(),
        "signature": base64.b64encode(key.sign(PURPOSE + content)).decode(),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        if taken := [name for name in (PAGE, DOCUMENT, SIGNATURE) if (out / name).exists()]:
            raise StartError(f"expected no report in {out}, found {taken[0]}; name another folder")
        with tempfile.TemporaryDirectory(dir=out, prefix=".report.") as beside:
            for name, data in ((PAGE, html), (DOCUMENT, content), (SIGNATURE, json.dumps(signature).encode())):
                Path(beside, name).write_bytes(data)
            for name in (PAGE, DOCUMENT, SIGNATURE):
                Path(beside, name).rename(out / name)
    except OSError as error:
        raise StartError(f"expected to write a report to {out}, found {error.strerror}; name another folder") from None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What became of a report."""

    problems: tuple[str, ...]
    """Empty: it is what its key signed, and its verdicts are what its evidence gives."""
    public_key: str
    """Base64, as the report names it."""
    key_id: str
    system: str = ""
    began: str = ""
    verdict: str = ""


def check(folder: Path, *, trusted: bytes | None) -> Checked:
    """Whether a report is whole.

    Args:
        trusted: the raw public key that must have signed it; None: the key that it names.

    Raises:
        StartError: there is no report.
    """
    content, html = _read(folder / DOCUMENT, FILE_BYTES_MAX), _read(folder / PAGE, FILE_BYTES_MAX)
    problems: list[str] = []
    public, signature = _signature(_read(folder / SIGNATURE, SIGNATURE_BYTES_MAX), problems)
    named = base64.b64encode(public).decode()
    if trusted is not None and public != trusted:
        problems.append(f"signed by another key: {key_id(public)} instead of {key_id(trusted)}")
    if not problems and not verifies(public, signature, PURPOSE + content):
        problems.append(f"{DOCUMENT} is not what was signed")
    try:
        found = json.loads(content)
        problems += _disagreements(found, html)
        system, began, verdict = found["system"]["name"], found["began"], found["verdict"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problems.append(f"{DOCUMENT} is no report of this format: {type(error).__name__} {error}")
        system = began = verdict = ""
    return Checked(
        problems=tuple(problems), public_key=named, key_id=key_id(public), system=str(system), began=str(began),
        verdict=str(verdict),
    )  # fmt: skip


def _disagreements(found: Mapping[str, Any], html: bytes) -> list[str]:
    """What in a document is not what the rest of it gives."""
    if found["format"] != FORMAT:
        return [f"expected format {FORMAT}, found {found['format']!r}; use the version of Caisson that made it"]
    problems = []
    if found["files"] != {PAGE: sha256(html).hexdigest()}:
        problems.append(f"{PAGE} is not the page of this document")
    lines = {line["id"]: line for line in found["controls"]}
    if list(lines) != list(CATALOGUE) or len(found["controls"]) != len(CATALOGUE):
        problems.append(f"expected the {len(CATALOGUE)} controls, found {len(found['controls'])}")
        return problems
    question = Question(**found["question"])
    outcomes = _outcomes(found["controls"])
    for name, line in lines.items():
        judged = judge(CATALOGUE[name], question, outcomes)
        if judged.verdict.value != line["verdict"]:
            problems.append(f"{name}: says {line['verdict']}, its evidence gives {judged.verdict.value}")
    verdicts = [Verdict(line["verdict"]) for line in found["controls"]]
    if found["verdict"] != {0: "holds", 1: "broken", 3: "undetermined"}[exit_code(verdicts)]:
        problems.append("the verdict over all is not what the controls give")
    if found["counts"] != dict(Counter(verdict.value for verdict in verdicts)):
        problems.append("the counts are not those of the controls")
    return problems


def _outcomes(lines: list[dict[str, Any]]) -> dict[str, Outcome]:
    """Checks as the document has them. One that is told twice in two ways is left out, so nothing holds by it."""
    told: dict[str, set[str]] = {}
    for line in lines:
        for part in line["evidence"]:
            for one in part["checks"]:
                verdict = one["verdict"] if _shown(one) else Verdict.UNDETERMINED.value
                told.setdefault(one["check"], set()).add(verdict)
    return {
        name: Outcome(check=CHECKS[name], verdict=Verdict(next(iter(verdicts))), reason="as the report says")
        for name, verdicts in told.items()
        if name in CHECKS and len(verdicts) == 1
    }


def _shown(one: Mapping[str, Any]) -> bool:
    """Whether a check that holds has the steps that it takes."""
    if one["verdict"] != Verdict.HOLDS.value:
        return True
    kinds = {(step["kind"], step.get("verdict")) for step in one["transcript"] if step["kind"] != "note"}
    return kinds == {("attack", "holds"), ("witness", "holds")}


def _signature(data: bytes, problems: list[str]) -> tuple[bytes, bytes]:
    try:
        found = json.loads(data)
        public = base64.b64decode(found["public_key"], validate=True)
        return public, base64.b64decode(found["signature"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        problems.append(f"{SIGNATURE} holds no signature")
        return b"", b""


def _read(path: Path, bytes_max: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise StartError(f"expected a report's file {path}, found {error.strerror}") from None
    if len(data) > bytes_max:
        raise StartError(f"expected at most {bytes_max} bytes in {path}, found more")
    return data


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
