"""When a text passes without stages, when it needs them, and what reloading compiles."""

from __future__ import annotations

from typing import Any

import pytest

from caisson.detect.course import Course, Flow
from caisson.detect.finding import Finding
from caisson.detect.invisible import InvisibleRuns
from caisson.detect.prefilter import prefilter
from caisson.detect.rule import CONTEXT_CHARACTERS, NUMBER, TOKEN, Found, Rule
from caisson.detect.scanner import CONTEXT_KEPT, RuleSet
from caisson.detect.stream import Passage

KEY = Rule(id="credentials.key", type="KEY", pattern="KEY-[0-9]{4}", alphabet=TOKEN)
EMAIL = Rule(id="pii.EMAIL", type="EMAIL", pattern=r"\b[a-z]{1,9}@[a-z]{1,9}\b", alphabet=TOKEN)
NUMBERS = Rule(id="pii.N", type="N", pattern=r"\b[0-9]{3}\b", alphabet=NUMBER, check=lambda found: None)
TEXT = "The roof was damaged by hail in the night. " * 20


def course(*rules: Rule) -> Course:
    return Course(*(RuleSet((), (rule,), ()) for rule in rules))


def mask(finding: Finding, _text: str) -> str:
    return f"<{finding.type}>"


def flow(compiled: Course) -> Flow:
    return Flow(compiled, [mask] * len(compiled.sets), invisible=InvisibleRuns())


def streamed(through: Flow, text: str) -> str:
    pieces = [through.take(text[at : at + 20], final=False) for at in range(0, len(text), 20)]
    return "".join(pieces)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stages were given."""
    given: list[str] = []
    take, take_last = Passage.take, Passage.take_last

    def noted(self: Passage, text: str, *, final: bool) -> str:
        given.append(text)
        return take(self, text, final=final)

    def noted_last(self: Passage, text: str, hits: Any) -> str:
        given.append(text)
        return take_last(self, text, hits)

    monkeypatch.setattr(Passage, "take", noted)
    monkeypatch.setattr(Passage, "take_last", noted_last)
    return given


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("o", "ö"), ""])
def test_nothing_found_needs_no_stage(asked: list[str], text: str) -> None:
    compiled = course(KEY, EMAIL, NUMBERS)
    assert flow(compiled).take(text, final=True) == text
    through = flow(compiled)
    assert streamed(through, text) + through.take("", final=True) == text
    assert asked == []


def test_a_refused_candidate_needs_no_stage_in_a_stream(asked: list[str]) -> None:
    text = f"{TEXT} call 555 now {TEXT}"
    through = flow(course(KEY, EMAIL, NUMBERS))
    assert streamed(through, text) + through.take("", final=True) == text
    assert asked == []


def test_only_sets_that_may_find_something_are_asked(asked: list[str]) -> None:
    text = TEXT + "a@b"
    assert flow(course(KEY, EMAIL, NUMBERS)).take(text, final=True) == TEXT + "<EMAIL>"
    assert asked == [text]


def test_what_one_set_changed_is_read_anew(asked: list[str]) -> None:
    after = Rule(id="pii.AFTER", type="AFTER", pattern="<KEY>")
    assert flow(course(KEY, EMAIL, after)).take("a KEY-1234 b", final=True) == "a <AFTER> b"
    assert asked == ["a KEY-1234 b", "a <KEY> b"]


def test_a_finding_of_the_last_set_is_waited_for_without_stages(asked: list[str]) -> None:
    """Its rule lets text leave from the middle of a match, since any character may stand in one."""
    words = Rule(id="words.w", type="WORD", pattern="some of many words")
    through = flow(course(KEY, words))
    passed = "".join(through.take(one, final=False) for one in f"{TEXT} some of many words {TEXT}")
    assert passed + through.take("", final=True) == f"{TEXT} <WORD> {TEXT}" and asked == []


@pytest.mark.parametrize(("finding", "masked", "stages"), [("KEY-1234", "<KEY>", True), ("a@b", "<EMAIL>", False)])
def test_stages_are_left_when_their_finding_is_out_of_sight(
    asked: list[str], finding: str, masked: str, stages: bool
) -> None:
    """What the last set finds concerns no other, and needs none."""
    through = flow(course(KEY, EMAIL))
    passed = streamed(through, f"{TEXT} {finding} {TEXT}")
    count = len(asked)
    assert (count > 0) == stages and count < 2 * (CONTEXT_KEPT // 20 + 4)
    passed += streamed(through, TEXT)
    assert len(asked) == count
    passed += streamed(through, f" {finding} ") + through.take(TEXT, final=True)
    assert passed == f"{TEXT} {masked} {TEXT}{TEXT} {masked} {TEXT}"
    first, second = through.hits
    assert second.finding.start - first.finding.start == len(f"{finding} {TEXT}{TEXT} ")
    assert second.at - first.at == len(f"{masked} {TEXT}{TEXT} ")


def near_a_key(found: Found) -> float | None:
    return 1.0 if "KEY" in found.before else None


NEAR = Rule(id="pii.Q", type="Q", pattern="q[0-9]", alphabet=TOKEN, check=near_a_key)


def same_streamed(compiled: Course, text: str) -> list[str]:
    """Types of what is found, whole and character by character."""
    whole, cut = flow(compiled), flow(compiled)
    passed = "".join(cut.take(one, final=False) for one in text) + cut.take("", final=True)
    assert passed == whole.take(text, final=True) and cut.hits == whole.hits
    return [hit.finding.type for hit in cut.hits]


@pytest.mark.parametrize("gap", range(1, CONTEXT_CHARACTERS, 7))
def test_every_set_looks_back_at_its_own_text(gap: int) -> None:
    """Stages are not left while what one replaced can still be looked back at."""
    compiled = Course(RuleSet((), (KEY, NEAR), ()), RuleSet((), (EMAIL,), ()))
    found = same_streamed(compiled, f"{TEXT}KEY-1234{'and '.rjust(gap)}q4 ")
    assert found == (["KEY", "Q"] if gap + len("KEY-1234") <= CONTEXT_CHARACTERS else ["KEY"])


@pytest.mark.parametrize("shift", range(12))
def test_stages_are_not_left_inside_a_mask(shift: int) -> None:
    """What else the last set has to say of the masked text is still to come."""
    runs = Rule(id="patterns.r", type="R", pattern="x{3,5}")
    pairs = Rule(id="patterns.p", type="P", pattern="xx")
    first = Rule(id="pii.F", type="F", pattern="a@b")
    compiled = Course(RuleSet((), (first,), ()), RuleSet((), (runs,), (pairs,)))
    found = same_streamed(compiled, "a@b " + "-" * (100 + shift) + "xxxxx " * 20)
    assert found.count("R") == 20 and found.count("P") == 40


def test_what_was_removed_can_be_looked_back_at() -> None:
    compiled = Course(RuleSet((), (KEY, NEAR), ()), RuleSet((), (EMAIL,), ()))
    through = Flow(compiled, [lambda finding, _: "" if finding.type == "KEY" else "<Q>", mask])
    assert "".join(through.take(one, final=False) for one in "KEY-1234 and q4 ") == " and <Q> "


def test_a_run_of_invisible_characters_is_told_without_stages(asked: list[str]) -> None:
    through = flow(course(KEY))
    assert through.take("a" + "\u200b" * 100 + "b", final=True) == "a"
    assert through.blocked and [hit.finding.rule for hit in through.hits] == ["injection.invisible-run"]
    assert through.take("more", final=False) == "" and asked == []


def test_the_sign_is_what_is_looked_for() -> None:
    signed = Rule(id="pii.S", type="S", pattern="[a-z]{1,9}@x", sign="q@x")
    assert flow(course(signed)).take("b@x", final=True) == "b@x"
    assert flow(course(signed)).take("b@x q@x", final=True) == "<S> <S>"


def test_a_new_word_compiles_no_other_rule() -> None:
    def compiled(word: str) -> Course:
        declared = Rule(id=f"words.{word}", type="WORD", pattern=word)
        return Course(RuleSet((), (KEY,), ()), RuleSet((declared,), (EMAIL,), ()))

    compiled("one")
    before = prefilter.cache_info().misses
    compiled("two")
    assert prefilter.cache_info().misses == before + 1
