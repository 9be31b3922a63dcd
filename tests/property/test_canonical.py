"""Our canonical JSON against an independent implementation of RFC 8785."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from caisson.policy.canonical import INTEGER_MAX, canonical

FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(min_value=1.7e9, max_value=1.9e9),  # times
    st.floats(min_value=0, max_value=1e-3),
    st.builds(lambda digits, exponent: digits * 10.0**exponent, st.integers(1, 10**17), st.integers(-30, 8)),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | FLOATS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from("abc"), inner),
    max_leaves=30,
)


@settings(max_examples=400)
@given(VALUES)
@example(-0.0)
@example(1.0)
@example(float(2**53))
@example(9007199254740993.5)
@example(1e16)
@example(1e21)
@example(1e-4)
@example(0.00009999999999999999)
@example(1e-7)
@example(5e-324)
@example({"\U00010000": 1, "\ue000": 2})
@example("".join(map(chr, range(0x80))) + "\u2028\u2029\ufeff\U0001f600")
@example(["a", ("b", 1.0)])
def test_the_bytes_are_those_of_an_independent_implementation(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


class Level(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        [float("-inf")],
        2**53,
        {"a": -(2**53)},
        {"a": 2**70},
        {1: "a"},
        {"a": {2: 3}},
        {"a": {"b": {1, 2}}},
        b"bytes",
        object(),
        "\ud800",
        {"\udfff": 1},
        {"a": ["\ud800"]},
    ],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused_with_the_same_error(value: Any) -> None:
    with pytest.raises(Exception) as expected:
        rfc8785.dumps(value)
    with pytest.raises(type(expected.value)):
        canonical(value)


def test_subclasses_of_json_types_are_written_like_the_independent_implementation_does() -> None:
    class Name(str):
        __slots__ = ()

    for value in (Name("x"), [Level.ONE], {"a": Name("y")}, {Name("k"): 1.0}):
        assert canonical(value) == rfc8785.dumps(value)
