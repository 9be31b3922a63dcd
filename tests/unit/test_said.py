"""What the record keeps of an answer: every string by itself, tool input decoded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.detect.redaction import Redactor
from caisson.zones.z2_runtime.said import Said

KEY = "AKIAQ3EGRZPLCANARY77"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def use(value: Any) -> dict[str, Any]:
    return {"toolUse": {"toolUseId": "t1", "name": "look", "input": value}}


def whole(*blocks: dict[str, Any]) -> str:
    output: list[str] = []
    said = Said(output)
    for block in blocks:
        said.whole(block)
    return "".join(output)


def streamed(text: str, size: int, *, ends: bool = True) -> str:
    """A tool use whose input comes in pieces."""
    output: list[str] = []
    said = Said(output)
    assert said.start({"toolUseId": "t1", "name": "look"}) == ["t1", "look"]  # what is kept is counted
    for at in range(0, len(text), size):
        assert said.delta(0, {"toolUse": {"input": text[at : at + size]}}) == [text[at : at + size]]
    if ends:
        said.end()
    return "".join(output)


@pytest.mark.parametrize("value", [{"at": KEY}, {KEY: 1}, {"at": f"line\n{KEY}"}, {"at": ["é" + KEY]}])
def test_the_log_finds_a_credential_in_tool_input(value: Any) -> None:
    for text in (whole(use(value)), whole({"text": "Good"}, use(value)), streamed(json.dumps(value), 3)):
        assert KEY in text
        assert KEY not in Redactor().redact(text, bytes(32))[0]


@given(value=st.dictionaries(st.text(max_size=8), VALUES, max_size=3), size=st.integers(1, 9))
def test_streamed_and_whole_are_the_same(value: dict[str, Any], size: int) -> None:
    assert streamed(json.dumps(value), size) == whole(use(value))


def test_text_in_pieces_is_one_and_blocks_are_apart() -> None:
    output: list[str] = []
    said = Said(output)
    for index, delta in (
        (0, {"reasoningContent": {"text": "so "}}), (0, {"reasoningContent": {"text": "so"}}),
        (0, {"reasoningContent": {"signature": "c2"}}), (0, {"reasoningContent": {"signature": "ln"}}),
        (1, {"text": "Good "}), (1, {"text": "day"}), (2, {"text": KEY}),
    ):  # fmt: skip
        said.delta(index, delta)
    assert "".join(output) == f"so so\nc2ln\nGood day\n{KEY}"


def test_input_that_breaks_off_is_kept_as_it_came() -> None:
    output: list[str] = []
    said = Said(output)
    said.delta(0, {"toolUse": {"input": '{"at": "sk'}})
    said.end()
    said.end()
    assert "".join(output) == '{"at": "sk'
