"""When a text passes without stages, when it needs them, and what reloading compiles."""

from __future__ import annotations

from typing import Any

import pytest

from caisson.detect.course import Course, Flow
from caisson.detect.finding import Finding
from caisson.detect.invisible import InvisibleRuns
from caisson.detect.prefilter import prefilter
from caisson.detect.rule import NUMBER, TOKEN, Rule
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


def test_what_was_removed_can_be_looked_back_at() -> None:
    near = Rule(
        id="pii.Q",
        type="Q",
        pattern="q[0-9]",
        alphabet=TOKEN,
        check=lambda found: 1.0 if "KEY" in found.before else None,
    )
    compiled = Course(RuleSet((), (KEY, near), ()), RuleSet((), (EMAIL,), ()))
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
