"""A report that others can check: one page to read, one document for programs, signed.

    DIR/report.json        everything that was found, with input hashes, versions, dates and the page's SHA-256
    DIR/report.html        the same to read; made from the document alone
    DIR/oscal.json         the same as OSCAL assessment results; made from the document alone
    DIR/claims.sarif       what does not hold of the deployment, for code hosts; made from the document alone
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

from caisson import __version__
from caisson.adapters.embedded.keys import key_id
from caisson.adapters.embedded.keys import verify as verifies
from caisson.assurance.controls import CATALOGUE
from caisson.assurance.controls.judgement import TIERS, Question, judge
from caisson.assurance.evidence.document import control_lines
from caisson.assurance.evidence.oscal import oscal
from caisson.assurance.evidence.page import page
from caisson.assurance.evidence.sarif import sarif
from caisson.assurance.evidence.verification import Verification
from caisson.assurance.probes import CHECKS, Outcome
from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.search import Proof
from caisson.assurance.verdict import Verdict, exit_code
from caisson.errors import StartError
from caisson.ports.keys import SigningKey

FORMAT = 1
DOCUMENT, PAGE, OSCAL, SIGNATURE = "report.json", "report.html", "oscal.json", "signature.json"
CLAIMS = "claims.sarif"
MADE = (PAGE, OSCAL, CLAIMS)
"""Made from the document alone."""
FILES = (*MADE, DOCUMENT, SIGNATURE)
"""All of a report, as they are written."""
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
    """Write the files into a folder that has none of them: all, or none.

    Raises:
        StartError: it has, or cannot be written.
    """
    made = document(found)
    files = _files(made)
    made["files"] = {name: sha256(data).hexdigest() for name, data in files.items()}
    content = json.dumps(made, ensure_ascii=False, indent=1).encode()
    signature = _signed(key.public_bytes, key.sign(PURPOSE + content))
    try:
        out.mkdir(parents=True, exist_ok=True)
        if taken := [name for name in FILES if (out / name).exists()]:
            raise StartError(f"expected no report in {out}, found {taken[0]}; name another folder")
        with tempfile.TemporaryDirectory(dir=out, prefix=".report.") as beside:
            for name, data in {**files, DOCUMENT: content, SIGNATURE: signature}.items():
                Path(beside, name).write_bytes(data)
            for name in FILES:
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
    content, *made = (_read(folder / name, FILE_BYTES_MAX) for name in (DOCUMENT, *MADE))
    problems: list[str] = []
    public, signature = _signature(_read(folder / SIGNATURE, SIGNATURE_BYTES_MAX), problems)
    named = base64.b64encode(public).decode()
    if trusted is not None and public != trusted:
        problems.append(f"signed by another key: {key_id(public)} instead of {key_id(trusted)}")
    if not problems and not verifies(public, signature, PURPOSE + content):
        problems.append(f"{DOCUMENT} is not what was signed")
    try:
        found = json.loads(content)
        problems += _disagreements(found, dict(zip(MADE, made, strict=True)))
        system, began, verdict = found["system"]["name"], found["began"], found["verdict"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problems.append(f"{DOCUMENT} is no report of this format: {type(error).__name__} {error}")
        system = began = verdict = ""
    return Checked(
        problems=tuple(problems), public_key=named, key_id=key_id(public), system=str(system), began=str(began),
        verdict=str(verdict),
    )  # fmt: skip


def _files(made: Mapping[str, Any]) -> dict[str, bytes]:
    """What is made from a document alone, by name."""
    claims = {one["id"]: one for line in made["controls"] for part in line["evidence"] for one in part["claims"]}
    values = {OSCAL: oscal(made), CLAIMS: sarif(claims.values())}
    written = {name: json.dumps(one, ensure_ascii=False, indent=1).encode() for name, one in values.items()}
    return {PAGE: page(made).encode(), **written}


def _disagreements(found: Mapping[str, Any], files: Mapping[str, bytes]) -> list[str]:
    """What in a document is not what the rest of it gives."""
    if found["format"] != FORMAT:
        return [f"expected format {FORMAT}, found {found['format']!r}; use the version of Caisson that made it"]
    problems = []
    if set(found["files"]) != set(files):
        problems.append(f"expected the digests of {', '.join(files)}, found those of {', '.join(found['files'])}")
    for name, data in files.items():
        if found["files"].get(name) != sha256(data).hexdigest():
            problems.append(f"{name} is not of this document")
    made = {name: value for name, value in found.items() if name != "files"}
    for name, said in _files(made).items():
        if files[name] != said:
            maker = found["inputs"].get("caisson", "another")
            problems.append(
                f"{name} does not say what this document says, as version {__version__} of Caisson puts it; "
                f"the document was made by {maker}"
            )
    lines = {line["id"]: line for line in found["controls"]}
    if list(lines) != list(CATALOGUE) or len(found["controls"]) != len(CATALOGUE):
        problems.append(f"expected the {len(CATALOGUE)} controls, found {len(found['controls'])}")
        return problems
    question = Question(**found["question"])
    outcomes, proved = _outcomes(found["controls"]), _proved(found["controls"])
    for name, line in lines.items():
        judged = judge(CATALOGUE[name], question, outcomes, proved.get(name, ()))
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


def _proved(lines: list[dict[str, Any]]) -> dict[str, list[Proof]]:
    """Claims as the document has them, by control. One that is told in two ways is nothing that anybody knows."""
    told: dict[str, set[str]] = {}
    for line in lines:
        for part in line["evidence"]:
            for one in part["claims"]:
                told.setdefault(one["id"], set()).add(one["verdict"])
    found: dict[str, list[Proof]] = {}
    for line in lines:
        for one in (one for part in line["evidence"] for one in part["claims"]):
            verdict = Verdict(one["verdict"]) if len(told[one["id"]]) == 1 else Verdict.UNDETERMINED
            claim = Claim(id=one["id"], controls=(line["id"],), says=one["says"], accounts=(), actions=())
            found.setdefault(line["id"], []).append(Proof(claim=claim, verdict=verdict, reason=one["reason"]))
    return found


def _shown(one: Mapping[str, Any]) -> bool:
    """Whether a check that holds has the steps that it takes."""
    if one["verdict"] != Verdict.HOLDS.value:
        return True
    kinds = {(step["kind"], step.get("verdict")) for step in one["transcript"] if step["kind"] != "note"}
    return kinds == {("attack", "holds"), ("witness", "holds")}


def _signed(public: bytes, signature: bytes) -> bytes:
    """The file of a signature: one way to write it."""
    made = {
        "key_id": key_id(public),
        "public_key": base64.b64encode(public).decode(),
        "signature": base64.b64encode(signature).decode(),
    }
    return json.dumps(made).encode()


def _signature(data: bytes, problems: list[str]) -> tuple[bytes, bytes]:
    try:
        found = json.loads(data)
        public = base64.b64decode(found["public_key"], validate=True)
        signature = base64.b64decode(found["signature"], validate=True)
        if data != _signed(public, signature):
            problems.append(f"{SIGNATURE} is not as Caisson writes it")
        return public, signature
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
