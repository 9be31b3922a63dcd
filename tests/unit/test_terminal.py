"""Text on its way to a terminal: harmless, whole, wrapped alike for every way of cutting it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.cli.terminal import WordWrap, begun_by, cell, console, line, plain, short

HARMFUL = "\x00\x07\x08\x1b\x7f\x9b\u200b\u200e\u2028\u202e\u2066\ufeff\ud800\U000e0041"


@pytest.mark.parametrize("character", HARMFUL, ids=[f"U+{ord(one):04X}" for one in HARMFUL])
def test_what_moves_the_cursor_or_hides_is_replaced(character: str) -> None:
    assert plain(f"a{character}b") == "a\ufffdb"
    assert line(f"a{character}\n\tb") == "a\ufffd b"


def test_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    console().print(cell("[red]no[/red] :boom: [link=https://example.net]x[/link]"))
    assert capsys.readouterr().out.strip() == "[red]no[/red] :boom: [link=https://example.net]x[/link]"


def test_a_pipe_is_as_wide_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == 240
    monkeypatch.setenv("COLUMNS", "90")
    assert console().width == 90


def test_identifiers_are_shortened_where_there_is_no_room() -> None:
    assert short("s-b8a8448b577ce5a2", 80) == "s-b8a8448b"
    assert short("21537e73-8951-4b7a", 80) == "21537e73"
    assert short("21537e73-8951-4b7a", 140) == "21537e73-8951-4b7a"
    assert short("", 80) == ""


def test_the_beginning_of_an_identifier_stands_for_it() -> None:
    known = ["s-00000001aa", "s-00000001ab", "s-00000001", "s-00000002", "s-00000001aa"]
    assert begun_by("s-00000001a", known) == ["s-00000001aa", "s-00000001ab"]
    assert begun_by("s-00000001", known) == ["s-00000001"]
    assert begun_by("s-00000002", known) == ["s-00000002"]
    assert begun_by("s-0", known) == []
    assert begun_by("s-00000009", known) == []


TEXTS = st.text(st.sampled_from("ab \n漢é\t\x1b"), max_size=60)


def wrapped(pieces: list[str], width: int) -> str:
    wrap = WordWrap(width)
    return "".join([*(wrap.feed(piece) for piece in pieces), wrap.flush()])


@given(TEXTS, st.lists(st.integers(0, 60)), st.integers(4, 20))
def test_every_way_of_cutting_wraps_alike(text: str, cuts: list[int], width: int) -> None:
    ends = [0, *sorted(cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(ends)] if text else []
    assert wrapped(pieces, width) == wrapped([text], width)


@given(TEXTS, st.integers(4, 20))
def test_nothing_is_lost(text: str, width: int) -> None:
    assert wrapped([text], width).replace("\n", "") == plain(text).replace("\n", "")
    assert wrapped([text], 0) == plain(text)


@given(st.lists(st.text(st.sampled_from("abc"), min_size=1, max_size=9), max_size=20))
def test_words_that_fit_are_not_cut(words: list[str]) -> None:
    shown = wrapped([" ".join(words)], 10)
    assert shown.split() == words
    assert all(len(row.rstrip()) <= 10 for row in shown.split("\n"))
