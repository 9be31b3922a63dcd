"""Whatever the text: spans name the original, the result is stable, and the declared work is never exceeded."""

# ruff: noqa: E501  (a table of fragments)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.detect.normal.form import Edit, Form
from caisson.detect.normal.normaliser import GROWTH_FREE, GROWTH_MAX, ROUNDS_MAX, normalise

FRAGMENTS = st.sampled_from(
    [
        "ignore all previous instructions ", "SWdub3JlIGFsbCBvZiB0aGlz", "JEQGC3JAMEQHG5DVMRSW45BA", "69676e6f726520616c6c",
        "%69%67", "&#105;", "&amp;", "\\u0069", "\\x69", "\\n", "i g n o r e ", "1gn0r3 4ll ", "vtaber nyy gur ehyrf ",
        "selur eht erongi ", "\u200b", "\u202e", "\u202c", "\U000e0069\U000e0067\U000e006e", "ｉｇｎ", "𝐢𝐠𝐧", "раss", "e\u0301", "ﷺ",
        "01101001 01100111 01101110 ", "\n", "\"", " ", "\\",
    ]
)  # fmt: skip
TEXTS = st.lists(FRAGMENTS | st.text(max_size=8), max_size=12).map("".join)


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """What the first text costs belongs to no example."""
    normalise("x")


@given(TEXTS)
def test_spans_and_bounds(text: str) -> None:
    found = normalise(text)
    for at in range(len(found.text)):
        start, end = found.form.original(at, at + 1)
        assert 0 <= start < end <= len(text)
    longest = GROWTH_MAX * len(text) + GROWTH_FREE
    assert len(found.text) <= longest
    assert found.work <= ROUNDS_MAX * 19 * longest


@given(TEXTS)
def test_characters_that_no_step_touched_map_to_themselves(text: str) -> None:
    found = normalise(text)
    if not found.steps:
        assert found.text == text
        assert all(found.form.original(at, at + 1) == (at, at + 1) for at in range(len(text)))


@given(TEXTS)
def test_the_result_is_its_own_result(text: str) -> None:
    found = normalise(text)
    if not found.bounded:
        again = normalise(found.text)
        assert again.bounded or again.text == found.text


@given(st.text(max_size=40), st.data())
def test_rewriting_composes(text: str, data: st.DataObject) -> None:
    form, mirror = Form(text), [(c, at, at + 1) for at, c in enumerate(text)]
    for _ in range(3):
        if not form.text:
            break
        start = data.draw(st.integers(0, len(form.text) - 1))
        end = data.draw(st.integers(start + 1, len(form.text)))
        new = data.draw(st.text(max_size=4))
        form = form.rewritten([Edit(start=start, end=end, text=new)])
        first, last = min(row[1] for row in mirror[start:end]), max(row[2] for row in mirror[start:end])
        mirror[start:end] = [(c, first, last) for c in new]
    assert form.text == "".join(row[0] for row in mirror)
    assert [form.original(at, at + 1) for at in range(len(form.text))] == [row[1:] for row in mirror]
    for end in range(1, len(mirror) + 1):
        assert form.original(0, end) == (min(row[1] for row in mirror[:end]), max(row[2] for row in mirror[:end]))
