"""The event stream decoder against botocore's buffer and our own encoder: valid, cut anywhere, changed anywhere."""

from __future__ import annotations

import struct
from typing import Any
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.protocol.eventstream import EventStreamDecoder, FrameError
from caisson.zones.z2_runtime.eventstream import encoded_headers, frame

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda name: len(name.encode()) < 256
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
payloads = st.binary(max_size=2_000)


def _packed(kind: int, value: Any) -> bytes:
    if kind in (0, 1):
        return bytes([kind])
    if kind in (2, 3, 4, 5, 8):
        return bytes([kind]) + struct.pack({2: ">b", 3: ">h", 4: ">i", 5: ">q", 8: ">q"}[kind], value)
    if kind == 9:
        return bytes([kind]) + value
    raw = value.encode() if kind == 7 else value
    return bytes([kind]) + struct.pack(">H", len(raw)) + raw


headers = st.lists(
    st.tuples(
        names,
        st.one_of(
            st.just((0, True)),
            st.just((1, False)),
            st.tuples(st.just(2), st.integers(-(2**7), 2**7 - 1)),
            st.tuples(st.just(3), st.integers(-(2**15), 2**15 - 1)),
            st.tuples(st.just(4), st.integers(-(2**31), 2**31 - 1)),
            st.tuples(st.sampled_from([5, 8]), st.integers(-(2**63), 2**63 - 1)),
            st.tuples(st.just(6), st.binary(max_size=50)),
            st.tuples(st.just(7), texts),
            st.tuples(st.just(9), st.binary(min_size=16, max_size=16)),
        ),
    ),
    max_size=6,
    unique_by=lambda pair: pair[0],
)


def encoded(given_: list[tuple[str, tuple[int, Any]]]) -> bytes:
    return b"".join(
        bytes([len(name.encode())]) + name.encode() + _packed(kind, value) for name, (kind, value) in given_
    )


def ours(data: bytes, size: int, **bounds: int) -> list[tuple[dict[str, Any], bytes]]:
    decoder = EventStreamDecoder(**bounds)
    found = []
    for start in range(0, len(data), size):
        found += [(message.headers, message.payload) for message in decoder.feed(data[start : start + size])]
    decoder.finish()
    return found


def theirs(data: bytes) -> list[tuple[dict[str, Any], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [(message.headers, message.payload) for message in buffer]


@given(st.lists(st.tuples(headers, payloads), max_size=4), st.integers(1, 64))
def test_any_messages_in_any_cutting_are_botocores(
    messages: list[tuple[list[tuple[str, tuple[int, Any]]], bytes]], size: int
) -> None:
    data = b"".join(frame(encoded(given_), payload) for given_, payload in messages)
    found = ours(data, size)
    assert found == theirs(data)
    assert found == [({name: value for name, (_, value) in given_}, payload) for given_, payload in messages]


@given(headers, payloads, st.integers(0, 100_000), st.integers(1, 255), st.integers(1, 40))
@settings(max_examples=300)
def test_any_changed_byte_is_noticed(
    given_: list[tuple[str, tuple[int, Any]]], payload: bytes, place: int, change: int, size: int
) -> None:
    data = bytearray(frame(encoded(given_), payload))
    data[place % len(data)] ^= change
    with pytest.raises(FrameError):
        ours(bytes(data), size)


@given(st.binary(max_size=80), payloads)
@settings(max_examples=400)
def test_headers_that_are_nonsense_are_refused_wherever_botocore_refuses_them(raw: bytes, payload: bytes) -> None:
    data = frame(raw, payload)
    try:
        found = ours(data, len(data))
    except FrameError:
        return
    assert found == theirs(data)  # what we accept, botocore reads the same


@given(st.binary(max_size=200), st.integers(1, 20))
def test_no_bytes_raise_anything_else(data: bytes, size: int) -> None:
    try:
        ours(data, size)
    except FrameError:
        return
    assert not data


@given(st.integers(1, 200))
def test_a_stream_that_ends_inside_a_message_is_refused(cut: int) -> None:
    data = frame(encoded_headers({":event-type": "chunk"}), b"x" * 200)
    with pytest.raises(FrameError, match="end of the stream"):
        ours(data[:-cut], 7)


def prelude(total: int, header_bytes: int) -> bytes:
    head = struct.pack(">II", total, header_bytes)
    return head + struct.pack(">I", crc32(head))


@pytest.mark.parametrize(
    ("total", "header_bytes"), [(15, 0), (16, 1), (1_025, 0), (2**32 - 1, 0), (1_000, 101), (0, 0), (16, 2**32 - 1)]
)
def test_lengths_out_of_bounds_are_refused_at_the_prelude(total: int, header_bytes: int) -> None:
    decoder = EventStreamDecoder(frame_bytes_max=1_024, header_bytes_max=100)
    with pytest.raises(FrameError, match=r"at most|a message of"):
        list(decoder.feed(prelude(total, header_bytes)))


def test_a_length_is_not_believed_before_its_checksum() -> None:
    decoder = EventStreamDecoder()
    with pytest.raises(FrameError, match="prelude"):
        list(decoder.feed(prelude(1_000_000, 0)[:-1] + b"\0"))


def test_messages_at_the_bounds_are_accepted() -> None:
    raw = encoded_headers({"a": "b" * 95})
    data = frame(raw, b"x" * (1_024 - 16 - len(raw)))
    assert len(raw) == 100
    assert len(ours(data, 50, frame_bytes_max=1_024, header_bytes_max=100)) == 1


def test_nothing_follows_a_malformed_message_and_what_came_before_counts() -> None:
    good, decoder = frame(b"", b"ok"), EventStreamDecoder()
    messages = decoder.feed(good + b"\0" * 20)
    assert next(messages).payload == b"ok"
    with pytest.raises(FrameError):
        next(messages)
    with pytest.raises(FrameError, match="after a malformed"):
        list(decoder.feed(good))
    decoder.finish()


@pytest.mark.parametrize("twice", [{"a": "b"}])
def test_a_header_that_comes_twice_is_refused(twice: dict[str, str]) -> None:
    with pytest.raises(FrameError, match="once"):
        ours(frame(encoded_headers(twice) * 2, b""), 8)
