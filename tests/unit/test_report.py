"""A report: whole as it is written, refused after any change, and no verdict better than its evidence."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from trestle.common.err import TrestleError
from trestle.oscal.assessment_results import AssessmentResults

from caisson.assurance.controls import CATALOGUE
from caisson.assurance.controls.judgement import Question, judge
from caisson.assurance.evidence.page import page
from caisson.assurance.evidence.report import DOCUMENT, FILES, OSCAL, PAGE, PURPOSE, SIGNATURE, check, document, write
from caisson.assurance.evidence.verification import Plan, Verification
from caisson.assurance.iam.context import Context, Values
from caisson.assurance.iam.decision import Decision
from caisson.assurance.iam.decision import Outcome as Outcomes
from caisson.assurance.iam.principals import identity
from caisson.assurance.iam.request import Request
from caisson.assurance.probes import CHECKS, Outcome
from caisson.assurance.probes.check import Step
from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.search import Counterexample, Proof
from caisson.assurance.verdict import Verdict
from caisson.errors import StartError
from configuration_world import MemoryKey
from lax_system import system

KEY, OTHER = MemoryKey("ours"), MemoryKey("theirs")
HOSTILE = "<script>alert(1)</script> & \"quotes\" 'too'"
QUESTION = Question(tier=2, tools=False, aws=False)


def outcome(name: str, verdict: Verdict) -> Outcome:
    steps = (
        Step(kind="witness", did="an honest one", expected="200", saw="200", verdict=Verdict.HOLDS),
        Step(kind="attack", did=HOSTILE, expected="refused", saw=HOSTILE, verdict=verdict),
        Step(kind="note", did=HOSTILE, expected="", saw="", verdict=Verdict.NOT_APPLICABLE),
    )
    return Outcome(check=CHECKS[name], verdict=verdict, reason=HOSTILE, steps=steps, omitted=2, seconds=1.5)


def claimed(verdict: Verdict) -> Proof:
    """A claim of a deployment, with the request that is against it where it is broken."""
    asking = identity("arn:aws:iam::222222222222:role/app")
    assert asking is not None
    claim = Claim(id="guardrail.pinned.runtime", controls=("NET-02", "SEC-04"), says=HOSTILE, accounts=(), actions=())
    example = Counterexample(
        request=Request(
            principal=asking, action="bedrock:InvokeModel", resource=HOSTILE, resource_account=asking.account,
            context=Context({"aws:sourcevpce": Values((HOSTILE,), single=True)}),
        ),
        decision=Decision(outcome=Outcomes.ALLOW, statements=(), reason="allowed"),
    )  # fmt: skip
    broken = verdict is Verdict.BROKEN
    return Proof(claim=claim, verdict=verdict, reason=HOSTILE, counterexample=example if broken else None, decided=3)


def deployed(verdict: Verdict) -> Verification:
    """About a deployment, too."""
    question = Question(tier=4, tools=True, aws=True)
    outcomes = {name: outcome(name, Verdict.HOLDS) for name in CHECKS}
    proof = claimed(verdict)
    judged = tuple(
        judge(control, question, outcomes, [proof] if control.id in proof.claim.controls else [])
        for control in CATALOGUE.values()
    )
    return replace(verification(), question=question, judged=judged, outcomes=outcomes)


def verification(broken: str = "guardrails.leaks") -> Verification:
    outcomes = {name: outcome(name, Verdict.BROKEN if name == broken else Verdict.HOLDS) for name in CHECKS}
    return Verification(
        system=system(), question=QUESTION, plan=Plan(system_file=Path("caisson.yaml"), data=Path(".caisson")),
        judged=tuple(judge(control, QUESTION, outcomes) for control in CATALOGUE.values()), outcomes=outcomes,
        began=1_800_000_000.0, seconds=60.0, inputs={"caisson": "0.1.0", "system file": "ab" * 32},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(verification(), tmp_path / "report", KEY)
    return tmp_path / "report"


def signed_again(folder: Path, change: Callable[[dict[str, Any]], None], key: MemoryKey = KEY) -> None:
    """What whoever holds a key could make of it: a document and its signature, the page left."""
    found = json.loads((folder / DOCUMENT).read_bytes())
    change(found)
    content = json.dumps(found).encode()
    (folder / DOCUMENT).write_bytes(content)
    signature = {"key_id": key.key_id, "public_key": base64.b64encode(key.public_bytes).decode(),
                 "signature": base64.b64encode(key.sign(PURPOSE + content)).decode()}  # fmt: skip
    (folder / SIGNATURE).write_text(json.dumps(signature))


def line(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["controls"] if one["id"] == name)


def test_a_report_is_whole(folder: Path) -> None:
    found = check(folder, trusted=KEY.public_bytes)
    assert found.problems == ()
    assert (found.system, found.verdict, found.began) == ("tiny", "broken", "2027-01-15T08:00:00Z")
    assert check(folder, trusted=None).key_id == KEY.key_id


@pytest.mark.parametrize("verdict", [Verdict.HOLDS, Verdict.BROKEN, Verdict.UNDETERMINED])
def test_a_report_about_a_deployment_is_whole(tmp_path: Path, verdict: Verdict) -> None:
    """Its claims are part of the evidence that is judged again."""
    write(deployed(verdict), tmp_path, KEY)
    assert check(tmp_path, trusted=None).problems == ()
    found = json.loads((tmp_path / DOCUMENT).read_bytes())
    told = [one for part in line(found, "NET-02")["evidence"] for one in part["claims"]]
    assert {one["verdict"] for one in told} == {verdict.value}
    assert line(found, "NET-02")["verdict"] == ("broken" if verdict is Verdict.BROKEN else "undetermined")
    assert ("bedrock:InvokeModel" in (tmp_path / PAGE).read_text()) is (verdict is Verdict.BROKEN)


def a_better_claim(found: dict[str, Any]) -> None:
    for name in ("NET-02", "SEC-04"):
        for part in line(found, name)["evidence"]:
            part["claims"] = [one | {"verdict": "holds"} for one in part["claims"]]


def a_claim_left_out(found: dict[str, Any]) -> None:
    for name in ("NET-02", "SEC-04"):
        for part in line(found, name)["evidence"]:
            part["claims"] = []


def a_claim_in_two_ways(found: dict[str, Any]) -> None:
    for part in line(found, "NET-02")["evidence"]:
        part["claims"] = [one | {"verdict": "holds"} for one in part["claims"]]


@pytest.mark.parametrize("change", [a_better_claim, a_claim_left_out, a_claim_in_two_ways])
def test_a_verdict_must_be_what_its_claims_give(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    write(deployed(Verdict.BROKEN), tmp_path, KEY)
    signed_again(tmp_path, change)
    assert any("NET-02: says broken" in problem for problem in check(tmp_path, trusted=None).problems)


class TestOscal:
    @pytest.mark.parametrize("made", [verification, lambda: deployed(Verdict.BROKEN)])
    def test_by_the_models_of_compliance_trestle(self, tmp_path: Path, made: Callable[[], Verification]) -> None:
        write(made(), tmp_path, KEY)
        read = AssessmentResults.oscal_read(tmp_path / OSCAL)
        assert read is not None
        (result,) = read.results
        document_ = json.loads((tmp_path / DOCUMENT).read_bytes())
        applying = [one for one in document_["controls"] if one["verdict"] != "not_applicable"]
        assert [one.target.target_id for one in result.findings] == [one["id"] for one in applying]
        states = {one.target.target_id: one.target.status for one in result.findings}
        for one in applying:
            status = states[one["id"]]
            assert (status.state.value == "satisfied") is (one["verdict"] == "holds")
            assert (status.reason == "fail") is (one["verdict"] == "broken")
        known = {one.uuid for one in result.observations}
        named = {each.observation_uuid for one in result.findings for each in one.related_observations or ()}
        assert named == known

    def test_the_models_refuse_what_is_none(self, tmp_path: Path) -> None:
        write(verification(), tmp_path, KEY)
        found = json.loads((tmp_path / OSCAL).read_bytes())
        found["assessment-results"]["results"][0]["findings"][0]["target"]["status"]["state"] = "perhaps"
        (tmp_path / OSCAL).write_text(json.dumps(found))
        with pytest.raises(TrestleError):
            AssessmentResults.oscal_read(tmp_path / OSCAL)


@pytest.mark.parametrize(
    ("name", "said", "instead"),
    [(OSCAL, b'"satisfied"', b'"not-satisfied"'), (PAGE, b"does not hold", b"may not hold")],
)
def test_another_story_under_a_good_signature(folder: Path, name: str, said: bytes, instead: bytes) -> None:
    """Whoever holds the key cannot say another thing beside the document than in it."""
    before = (folder / name).read_bytes()
    assert said in before
    after = before.replace(said, instead)
    (folder / name).write_bytes(after)
    signed_again(folder, lambda found: found["files"].update({name: sha256(after).hexdigest()}))
    (problem,) = check(folder, trusted=None).problems
    assert problem.startswith(f"{name} does not say what this document says")


def test_every_byte_of_the_signature_counts(folder: Path) -> None:
    """Its lowest bit, which base64 does not read everywhere."""
    content = (folder / SIGNATURE).read_bytes()
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 1
        (folder / SIGNATURE).write_bytes(changed)
        assert check(folder, trusted=None).problems, at


@pytest.mark.parametrize("name", FILES)
def test_a_file_by_another_name(folder: Path, name: str) -> None:
    (folder / name).rename(folder / f"{name}.old")
    with pytest.raises(StartError, match=name):
        check(folder, trusted=None)


def test_the_same_evidence_gives_the_same_report(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write(deployed(Verdict.BROKEN), tmp_path / name, KEY)
    for name in FILES:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


@pytest.mark.parametrize("name", [DOCUMENT, PAGE, OSCAL])
def test_a_changed_byte(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    at = content.index(b"an honest one" if name != OSCAL else b"satisfied")
    content[at] ^= 1
    (folder / name).write_bytes(content)
    assert check(folder, trusted=None).problems


def test_another_key(folder: Path) -> None:
    signed_again(folder, lambda _found: None, OTHER)
    assert "another key" in check(folder, trusted=KEY.public_bytes).problems[0]
    assert check(folder, trusted=None).key_id == OTHER.key_id


def test_a_signature_made_for_something_else(folder: Path) -> None:
    content = (folder / DOCUMENT).read_bytes()
    found = json.loads((folder / SIGNATURE).read_bytes())
    found["signature"] = base64.b64encode(KEY.sign(content)).decode()
    (folder / SIGNATURE).write_text(json.dumps(found))
    assert check(folder, trusted=KEY.public_bytes).problems == (f"{DOCUMENT} is not what was signed",)


def better(found: dict[str, Any]) -> None:
    line(found, "DAT-06")["verdict"] = "holds"
    found["verdict"], found["counts"]["holds"] = "undetermined", found["counts"]["holds"] + 1
    del found["counts"]["broken"]


def without_evidence(found: dict[str, Any]) -> None:
    for part in line(found, "IAM-01")["evidence"]:
        part["checks"] = []


def without_witness(found: dict[str, Any]) -> None:
    for one in found["controls"]:
        for part in one["evidence"]:
            for tried in part["checks"]:
                tried["transcript"] = [step for step in tried["transcript"] if step["kind"] != "witness"]


def two_stories(found: dict[str, Any]) -> None:
    """The same check told twice, in two ways."""
    line(found, "SEC-02")["evidence"][0]["checks"][0]["verdict"] = "broken"


def one_less(found: dict[str, Any]) -> None:
    found["controls"].pop()


def another_count(found: dict[str, Any]) -> None:
    found["counts"]["holds"] += 1


def of_tomorrow(found: dict[str, Any]) -> None:
    found["format"] = 2


@pytest.mark.parametrize(
    "change", [better, without_evidence, without_witness, two_stories, one_less, another_count, of_tomorrow]
)
def test_a_good_signature_does_not_make_a_verdict_good(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    signed_again(folder, change)
    assert check(folder, trusted=KEY.public_bytes).problems


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 1}', b"\xff"])
def test_what_is_no_report(folder: Path, content: bytes) -> None:
    (folder / DOCUMENT).write_bytes(content)
    assert check(folder, trusted=None).problems
    (folder / SIGNATURE).write_bytes(content)
    assert check(folder, trusted=None).problems


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"report\.json"):
        check(tmp_path, trusted=None)


def test_a_report_is_never_written_over(folder: Path) -> None:
    with pytest.raises(StartError, match="another folder"):
        write(verification(), folder, KEY)


class Elements(HTMLParser):
    """Tags, identifiers and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(folder: Path) -> None:
    html = (folder / PAGE).read_text()
    found = Elements()
    found.feed(html)
    assert found.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
    assert all(address.startswith("#") for address in found.addresses)
    assert {address[1:] for address in found.addresses} <= set(found.ids)
    assert set(CATALOGUE) <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    assert "<script>" not in html and "url(" not in html
    assert "default-src &#x27;none&#x27;" in html or "default-src 'none'" in html


def test_the_page_is_made_from_the_document_alone(folder: Path) -> None:
    found = json.loads((folder / DOCUMENT).read_bytes())
    assert sha256(page(found).encode()).hexdigest() == found["files"][PAGE]


def test_the_document_says_what_was_looked_at() -> None:
    found = document(verification())
    assert found["inputs"] == {"caisson": "0.1.0", "system file": "ab" * 32}
    assert found["scope"] == "this machine"
    assert sum(found["counts"].values()) == len(found["controls"]) == 80


def test_a_report_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == SIGNATURE:
            raise OSError(28, "No space left on device")
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StartError, match="No space left"):
        write(verification(), tmp_path, KEY)
    assert list(tmp_path.iterdir()) == []
