"""Verdicts: one each, never better than the evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.assurance.controls import CATALOGUE
from caisson.assurance.controls.control import probe
from caisson.assurance.controls.judgement import Question, judge, outside, wanted
from caisson.assurance.probes import CHECKS, Outcome
from caisson.assurance.probes.check import Check, Lacking, Transcript, run
from caisson.assurance.probes.target import Target
from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.search import Proof
from caisson.assurance.verdict import Verdict, combined, exit_code
from caisson.system.loader import parse_system
from system_files import TODAY, minimal, text_of

HOLDS, BROKEN, UNDETERMINED = Verdict.HOLDS, Verdict.BROKEN, Verdict.UNDETERMINED
TRIED = st.sampled_from([HOLDS, BROKEN, UNDETERMINED])
QUESTIONS = st.builds(Question, tier=st.sampled_from([1, 2, 3, 4]), tools=st.booleans(), aws=st.booleans())
MACHINE = Question(tier=4, tools=True, aws=False)


def outcome(name: str, verdict: Verdict) -> Outcome:
    return Outcome(check=CHECKS[name], verdict=verdict, reason="a reason")


@given(st.lists(st.sampled_from(list(Verdict))))
def test_combining(verdicts: list[Verdict]) -> None:
    found = combined(verdicts)
    assert (found is BROKEN) == (BROKEN in verdicts)
    if found is HOLDS:
        assert HOLDS in verdicts
        assert not set(verdicts) & {BROKEN, UNDETERMINED}


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1))
def test_exit_codes(verdicts: list[Verdict]) -> None:
    code = exit_code(verdicts)
    assert code == (1 if BROKEN in verdicts else 3 if UNDETERMINED in verdicts else 0)
    assert code == exit_code([*verdicts, Verdict.MANUAL])


def test_nothing_at_all_is_undetermined() -> None:
    assert combined([]) is UNDETERMINED
    assert exit_code([]) == 3


@given(st.data(), QUESTIONS)
def test_every_control_gets_one_verdict_no_better_than_its_checks(data: st.DataObject, question: Question) -> None:
    outcomes = {name: outcome(name, data.draw(TRIED)) for name in CHECKS if data.draw(st.booleans())}
    for control in CATALOGUE.values():
        judged = judge(control, question, outcomes)
        assert judged.reason
        named = {name for part in control.shown for name in part.checks}
        if outside(control, question):
            assert judged.verdict is Verdict.NOT_APPLICABLE
            continue
        assert judged.verdict is not Verdict.NOT_APPLICABLE
        seen = {outcomes[name].verdict for name in named if name in outcomes}
        assert (judged.verdict is BROKEN) == (BROKEN in seen)
        if judged.verdict is HOLDS:
            assert named and named <= set(outcomes) and seen == {HOLDS}
            assert not any(part.missing for part in control.shown)
            assert not question.aws


@pytest.mark.parametrize("control", CATALOGUE.values(), ids=list(CATALOGUE))
def test_without_evidence_nothing_holds(control) -> None:
    assert judge(control, MACHINE, {}).verdict in (UNDETERMINED, Verdict.MANUAL)


def test_a_proof_counts_where_the_file_describes_a_deployment() -> None:
    outcomes = {name: outcome(name, HOLDS) for name in CHECKS}
    control = CATALOGUE["IAM-01"]
    assert judge(control, MACHINE, outcomes).verdict is HOLDS
    for name in ("IAM-01", "SESS-01"):  # one for which the catalogue asks for a proof, and one for which it does not
        with_aws = judge(CATALOGUE[name], replace(MACHINE, aws=True), outcomes)
        assert with_aws.verdict is UNDETERMINED
        assert "no claim about the deployment's policies" in with_aws.reason
        assert judge(CATALOGUE[name], MACHINE, outcomes).verdict is HOLDS


def test_what_is_missing_beside_a_check_keeps_a_part_open() -> None:
    name = "identity.unsigned"
    control = replace(CATALOGUE["IAM-01"], shown=(probe("a claim", name, missing="the other half"),))
    assert judge(control, MACHINE, {name: outcome(name, HOLDS)}).verdict is UNDETERMINED
    assert judge(control, MACHINE, {name: outcome(name, BROKEN)}).verdict is BROKEN


def test_what_does_not_apply_says_why() -> None:
    low = Question(tier=1, tools=False, aws=False)
    assert "needed from tier 2" in judge(CATALOGUE["IAM-03"], low, {}).reason
    assert "tools" in judge(CATALOGUE["SAND-01"], low, {}).reason
    assert judge(CATALOGUE["IR-06"], replace(low, tier=2), {}).verdict is Verdict.MANUAL


def test_only_what_applies_is_tried() -> None:
    few = set(wanted(Question(tier=1, tools=False, aws=False)))
    all_ = set(wanted(MACHINE))
    assert "budget.overshoot" in all_ - few  # agentic, tier 2
    assert "identity.unsigned" in few < all_ == set(CHECKS)


def test_the_question_of_a_file() -> None:
    def asked(**changes: object) -> Question:
        system = parse_system(text_of(minimal(**changes)).encode(), name="caisson.yaml", today=TODAY).system
        assert system is not None
        return Question.about(system)

    assert asked() == Question(tier=2, tools=False, aws=False)
    client_tools = {"clock": {"description": "The time.", "schema_sha256": "0" * 64}}
    assert asked(agents__helper__client_tools=client_tools).tools


# A check's transcript


def check_of(act) -> Check:
    return Check(name="test.one", claim="It holds.", attacker="nobody", on="parts", run=act)


def ran(*steps: tuple[str, bool | None]) -> Verdict:
    def act(_target: Target, seen: Transcript) -> None:
        for kind, held in steps:
            if kind == "attack":
                seen.attack("did", "expected", "saw", held)
            else:
                seen.witness("did", "expected", "saw", bool(held))

    return run(check_of(act), None).verdict  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        ((), UNDETERMINED),
        ((("attack", True),), UNDETERMINED),  # a system that refuses everything
        ((("witness", True),), UNDETERMINED),  # nothing was tried
        ((("witness", True), ("attack", True)), HOLDS),
        ((("witness", False), ("attack", True)), UNDETERMINED),
        ((("witness", True), ("attack", True), ("attack", None)), UNDETERMINED),
        ((("witness", True), ("attack", True), ("attack", False)), BROKEN),
        ((("witness", False), ("attack", False)), BROKEN),
    ],
)
def test_what_a_transcript_shows(steps: tuple[tuple[str, bool | None], ...], verdict: Verdict) -> None:
    assert ran(*steps) is verdict


@pytest.mark.parametrize("error", [Lacking("no folder"), OSError("gone"), ValueError("a bug")])
@pytest.mark.parametrize("before", [True, False])
def test_a_check_that_ends_early(error: Exception, before: bool) -> None:
    """It shows nothing, except what had come through by then."""

    def act(_target: Target, seen: Transcript) -> None:
        seen.witness("did", "expected", "saw", True)
        seen.attack("did", "expected", "saw", before)
        raise error

    found = run(check_of(act), None)  # type: ignore[arg-type]
    assert found.verdict is (UNDETERMINED if before else BROKEN)
    assert found.reason


def test_a_long_transcript_keeps_what_is_wrong() -> None:
    def act(_target: Target, seen: Transcript) -> None:
        seen.witness("did", "expected", "saw", True)
        for _ in range(1_000):
            seen.attack("did", "expected", "saw", True)
        seen.attack("the last", "expected", "saw", False)

    found = run(check_of(act), None)  # type: ignore[arg-type]
    assert found.verdict is BROKEN
    assert found.steps[-1].did == "the last"
    assert found.omitted == 1_000 - 399


def _proved(verdict: Verdict, control: str) -> Proof:
    claim = Claim(id="guardrail.pinned", controls=(control,), says="…", accounts=(), actions=())
    return Proof(claim=claim, verdict=verdict, reason="a request is allowed")


@pytest.mark.parametrize("name", ["IAM-01", "SESS-01"])
def test_proofs_break_a_control_and_alone_never_hold_one(name: str) -> None:
    control = CATALOGUE[name]
    outcomes = {check: outcome(check, HOLDS) for part in control.shown for check in part.checks}
    aws = replace(MACHINE, aws=True)
    broken = judge(control, aws, outcomes, [_proved(HOLDS, name), _proved(BROKEN, name)])
    assert broken.verdict is BROKEN and "a request is allowed" in broken.reason
    proved = judge(control, aws, outcomes, [_proved(HOLDS, name)])
    assert proved.verdict is UNDETERMINED and "guardrail.pinned" in proved.reason
    unable = judge(control, aws, outcomes, [], "nothing could be proved: no CDK")
    assert unable.verdict is UNDETERMINED and "no CDK" in unable.reason
