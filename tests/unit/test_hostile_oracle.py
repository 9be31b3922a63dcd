"""The campaign's oracle reads every secret in every disguise; conversations come back from JSON as they were."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canaries import BLOCKING, CREDENTIALS, PERSONAL, SURROUNDED, TEXT, Earlier, Watch, plant
from disguises import DISGUISES, deep_readings, readings
from hostile_campaign import talk_of, texts
from hostile_conversations import ROUTES, Talk, request_body, smaller
from wire import Answer

KINDS = (*CREDENTIALS, *SURROUNDED, *PERSONAL, *BLOCKING, TEXT)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("disguise", DISGUISES)
def test_every_disguise_is_undone(kind: str, disguise: str) -> None:
    chance = random.Random(f"{kind} {disguise}")
    canary = plant(chance, kind)
    watch, text = Watch([canary]), f"So: {DISGUISES[disguise].put_on(chance, canary.written)} ok."
    known = (*readings(text), *(() if DISGUISES[disguise].claimed else deep_readings(text)))
    assert any(watch.read(reading) == {canary} for reading in known)


def test_nothing_is_read_where_nothing_is() -> None:
    chance = random.Random(1)
    watch = Watch([plant(chance, kind) for kind in KINDS])
    other = " ".join(plant(chance, kind).written for kind in KINDS)
    assert not any(watch.read(reading) for reading in (*readings(other), *deep_readings(other)))


def test_what_another_session_said_is_known() -> None:
    earlier, canary = Earlier(), plant(random.Random(1), TEXT)
    earlier.add([canary])
    assert Watch([], earlier).read(f"they said {canary.value[3:20]}") == {canary}
    assert Watch([], earlier).read(f"they said {canary.value[3:12]}") == set()


@given(number=st.integers(1, 10**8))
def test_a_conversation_is_its_json(number: int) -> None:
    talk = talk_of(1, number)
    again = Talk.from_json(json.loads(json.dumps(talk.to_json())))
    assert again == talk == talk_of(1, number)
    assert request_body(again) == request_body(talk)
    assert all(sum((len(one.said), len(one.planted))) <= len(talk.said) + len(talk.planted) for one in smaller(talk))


def test_all_routes_come_up() -> None:
    assert {talk_of(1, number).route for number in range(400)} == set(ROUTES)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"a": {"ghp_key": ["ghp_value"]}, "n": 4111}'),
        ("text/event-stream", b'data: {"a": "ghp_va"}\n\ndata: {"a": "lue", "ghp_key": 4111}\n\ndata: [DONE]\n\n'),
        ("application/json", json.dumps({"input": json.dumps({"ghp_key": "gh\u0070_value", "n": 4111})}).encode()),
    ],
)
def test_a_client_reads_keys_values_pieces_and_what_is_inside_strings(kind: str, body: bytes) -> None:
    answer = Answer(
        raw=b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n" + body,
        status=200,
        headers={"content-type": kind},
        body=body,
        closed=False,
    )
    read = list(texts(answer))
    assert any("ghp_value" in text for text in read)
    assert any("ghp_key" in text for text in read)
    assert any("4111" in text for text in read)
