"""Event stream frames, read by botocore's own parser."""

from __future__ import annotations

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from caisson.zones.z2_runtime.eventstream import FRAME_BYTES_MAX, encoded_headers, event_frame, frame

names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
headers = st.dictionaries(names, st.text(max_size=200), max_size=8)
payloads = st.binary(max_size=2000)


@given(st.lists(st.tuples(headers, payloads), max_size=5), st.integers(1, 64))
def test_any_frames_in_any_cutting_come_back(messages: list[tuple[dict[str, str], bytes]], size: int) -> None:
    data = b"".join(frame(encoded_headers(given_), payload) for given_, payload in messages)
    buffer = EventStreamBuffer()
    found = []
    for start in range(0, len(data), size):
        buffer.add_data(data[start : start + size])
        found += [(message.headers, message.payload) for message in buffer]
    assert found == messages


@given(payloads, st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_is_noticed(payload: bytes, place: int, change: int) -> None:
    data = bytearray(event_frame("chunk", payload))
    data[place % len(data)] ^= change
    buffer = EventStreamBuffer()
    try:
        buffer.add_data(bytes(data))
        read = [message.payload for message in buffer]
    except Exception:
        return
    assert not read  # a length that now asks for more bytes


def test_an_event_has_the_headers_that_sdks_want() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(event_frame("metadata", b"{}"))
    assert next(buffer).headers == {
        ":event-type": "metadata",
        ":content-type": "application/json",
        ":message-type": "event",
    }


def test_a_frame_larger_than_readers_accept_is_not_written() -> None:
    with pytest.raises(ValueError, match="at most"):
        frame(b"", b"x" * FRAME_BYTES_MAX)
