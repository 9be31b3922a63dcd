"""A text that is held for a rule without a span: the same passes however it is cut, and nothing unjudged."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.detect.finding import Finding
from caisson.detect.gate import WINDOW_CHARACTERS, WINDOW_CHARACTERS_MAX, Gate
from caisson.detect.scanner import BLOCK, FLAG

MARK = "XYZ"
SENTENCES = st.lists(st.sampled_from(["Hail fell. ", "It rained! ", "a\n", "word " * 60, "x" * 300, "Yes.", MARK]))


def judge(text: str, passed: int) -> Finding | None:
    at = text.find(MARK)
    return None if at < 0 else Finding(start=at, end=at + 3, rule="leakage.x", type="X", score=1.0, version="1")


def through(text: str, cuts: list[int], *, windows: bool, layer: int = BLOCK) -> tuple[str, Gate]:
    gate = Gate(judge, layer=layer, windows=windows)
    ends = [0, *sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    passed = [piece for start, end in pairwise(ends) for piece in gate.take(text[start:end], final=False)]
    return "".join([*passed, *gate.take("", final=True)]), gate


@settings(deadline=None)
@given(SENTENCES, st.lists(st.integers(0, 3_000)), st.booleans())
def test_cuts_change_nothing(sentences: list[str], cuts: list[int], windows: bool) -> None:
    text = "".join(sentences)
    passed, gate = through(text, cuts, windows=windows)
    at_once, other = through(text, [], windows=windows)
    assert passed == at_once
    assert gate.blocked == other.blocked == (MARK in text)
    assert text.startswith(passed)
    assert MARK not in passed
    if MARK not in text:
        assert passed == text


@settings(deadline=None)
@given(SENTENCES, st.lists(st.integers(0, 3_000)))
def test_a_flag_holds_nothing_and_is_found_all_the_same(sentences: list[str], cuts: list[int]) -> None:
    text = "".join(sentences)
    gate = Gate(judge, layer=FLAG, windows=True)
    ends = [0, *sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    for start, end in pairwise(ends):
        assert "".join(gate.take(text[start:end], final=False)) == text[start:end]
    gate.take("", final=True)
    assert [hit.ends for hit in gate.hits] == ([False] if MARK in text else [])


def test_whole_texts_pass_at_their_end_alone() -> None:
    gate = Gate(judge, layer=BLOCK, windows=False)
    assert gate.take("One. " * 1_000, final=False) == []
    assert "".join(gate.take("Two.", final=True)) == "One. " * 1_000 + "Two."


@pytest.mark.parametrize(("text", "end"), [("a. " * 200, WINDOW_CHARACTERS + 2), ("x" * 2_000, WINDOW_CHARACTERS_MAX)])
def test_a_window_ends_with_a_sentence_or_at_the_cap(text: str, end: int) -> None:
    gate = Gate(judge, layer=BLOCK, windows=True)
    assert gate.take(text[: end - 1], final=False) == []
    assert gate.take(text[end - 1 : end], final=False) == [text[:end]]


def test_what_begins_before_a_window_ends_the_text_where_the_window_begins() -> None:
    first = "y" * (WINDOW_CHARACTERS_MAX - 1) + "X"
    passed, gate = through(first + "YZ", [], windows=True)
    assert passed == first
    assert gate.blocked
