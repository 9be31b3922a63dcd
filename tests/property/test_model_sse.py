"""Server-sent events: for every way of cutting the bytes, the same events."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.adapters.embedded.model.sse import EVENT_BYTES_MAX, EventReader

LINES = (b"data: a", b"data:b", b"data", b"data: ", b": comment", b"event: x", b"xdata: c", b"", b"")
lines = st.tuples(st.sampled_from(LINES), st.sampled_from([b"\n", b"\r\n", b"\r"])).map(b"".join)


def expected(data: bytes) -> list[bytes]:
    """The specification, on the whole."""
    events: list[bytes] = []
    held: list[bytes] = []
    for line in re.split(rb"\r\n|\n|\r", data)[:-1]:
        if line == b"":
            events += [b"\n".join(held)] if held else []
            held = []
        elif found := re.fullmatch(rb"data(?:: ?(.*))?", line):
            held.append(found[1] or b"")
    return events


@given(st.lists(lines, max_size=20).map(b"".join), st.lists(st.integers(1, 200), max_size=10))
def test_any_cutting_gives_the_same_events(data: bytes, cuts: list[int]) -> None:
    data += b"x"
    offsets = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    reader = EventReader()
    found = [event for start, end in pairwise(offsets) for event in reader.feed(data[start:end])]
    assert found == expected(data)
    reader = EventReader()
    assert [event for byte in data for event in reader.feed(bytes((byte,)))] == expected(data)


def test_a_line_and_an_event_are_bounded() -> None:
    with pytest.raises(ValueError, match="line"):
        EventReader().feed(b"data: " + b"x" * EVENT_BYTES_MAX)
    reader = EventReader()
    with pytest.raises(ValueError, match="event"):
        for _ in range(20):
            reader.feed(b"data: " + b"x" * 100_000 + b"\n")
