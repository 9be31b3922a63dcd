"""Malformed input gives a clear 4xx; never a 500, a hang, a bug in the log, or a buffer that grows."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import caisson.zones.z1_ingress.body as ingress
from caisson.errors import CallerError, WireError
from caisson.zones.z2_runtime.deadlines import Deadlines
from fuzzing import Request, Sender, complaint, requests
from fuzzing_identity import Access
from fuzzing_upstream import Broken
from hostile_campaign import system
from hostile_upstream import Upstream
from running_system import Running, memory_bytes, start
from wire import Answer, Connection, ask, path, plain, signed

CASES = 3_000
WARM_UP = 500
KINDS = {
    "valid", "body", "bytes", "deep", "path", "encoded path", "method", "headers", "metadata", "authorization", "token",
    "signature", "models", "sts", "chunked", "framing",
}  # fmt: skip
GROWTH_BYTES_MAX = 24 << 20
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ("messages", "role", "content", "text", "system", "toolUse", "input", "source", "max_tokens", "x")
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def log(running: Running) -> str:
    return (running.data / "run/gateway.log").read_text()


@pytest.fixture(scope="module")
def broken() -> Broken:
    return Broken(1)


@pytest.fixture(scope="module")
def beside_broken(broken: Broken, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A system whose model's server breaks every rule."""
    folder = tmp_path_factory.mktemp("broken")
    with Upstream(broken.answer) as upstream:
        made = start(folder, "--upstream", f"openai={upstream.url}", system=system(folder))
        yield made
        assert made.stop() == 0, made.log.read_text()


def test_thousands_of_malformed_requests(beside_broken: Running, broken: Broken) -> None:
    running = beside_broken
    pids = running.pids()
    sender, seen, wrong = Sender(lambda: Connection.to(running)), Counter[tuple[str, int]](), []
    cases = requests(random.Random(20_261_124), Access.at(running.data))
    before = 0
    for number in range(CASES):
        request = next(cases)
        status, problem = sender.send(request)
        seen[request.kind, status] += 1
        if problem:
            wrong.append((request.kind, problem, request.data[:400]))
        if number == WARM_UP:
            before = memory_bytes(pids["gateway"])
    sender.close()
    assert wrong == []
    assert {kind for kind, status in seen if 400 <= status < 500} == KINDS
    assert seen["valid", 200] and seen["valid", 424] and seen["chunked", 200] and seen["encoded path", 200]
    assert broken.answers > CASES / 10
    assert running.pids() == pids
    assert memory_bytes(pids["gateway"]) - before < GROWTH_BYTES_MAX
    assert "bug of ours" not in log(running)


@pytest.mark.parametrize(
    ("forged", "status", "headers", "found"),
    [
        (False, 500, {}, "status 500"), (False, 503, {}, "status 503"),
        (False, 503, {"x-caisson-upstream": "openai"}, ""),
        (True, 200, {}, "forged"), (True, 403, {}, ""), (False, 200, {}, ""), (False, 400, {}, ""),
    ],
)  # fmt: skip
def test_the_oracle_says_what_is_wrong(forged: bool, status: int, headers: dict[str, str], found: str) -> None:
    known = {"x-amzn-requestid": "0" * 8 + "-0000" * 3 + "-" + "0" * 12, "x-amzn-errortype": "X"}
    answer = Answer(raw=b"", status=status, headers={**known, **headers}, body=b'{"message": "no"}', closed=False)
    said = complaint(Request(kind="x", data=b"", forged=forged), answer)
    assert found in said
    assert bool(found) == bool(said)


def test_frames_that_are_cut_are_seen() -> None:
    known = {"x-amzn-requestid": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}
    for kind, body in (("text/event-stream", b"data: {\n\n"), ("application/vnd.amazon.eventstream", b"\0" * 40)):
        answer = Answer(raw=b"", status=200, headers={**known, "content-type": kind}, body=body, closed=False)
        assert "frames" in complaint(Request(kind="x", data=b""), answer)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON, action=st.sampled_from(("converse", "invoke", "count-tokens", "converse-stream")))
def test_any_json(busy: Running, value: Any, action: str) -> None:
    import json

    body = json.dumps(value).encode()
    request = Request(kind="json", data=signed(busy.session(), "POST", path(action), body))
    answer = ask(busy, request.data)
    assert complaint(request, answer) == ""


def test_a_body_over_the_limit_is_refused_before_it_is_sent(busy: Running) -> None:
    head = plain("POST", path(), b"", {"host": "localhost", "authorization": "Bearer x", "content-length": "99999999"})
    answer = ask(busy, head)
    assert answer.status == 413
    assert answer.headers["x-amzn-errortype"] == "RequestEntityTooLargeException"
    assert answer.closed


def test_a_chunked_body_over_the_limit_is_not_read_whole(busy: Running) -> None:
    connection = Connection.to(busy)
    lines = {"host": "localhost", "authorization": "Bearer x", "transfer-encoding": "chunked"}
    connection.send(plain("POST", path(), b"", lines))
    chunk, sent = b"10000\r\n" + b"x" * 0x10000 + b"\r\n", 0
    try:
        while sent < 64 << 20:
            connection.send(chunk)
            sent += 0x10000
    except OSError:
        pass
    assert 10_485_760 <= sent < 40 << 20  # what socket buffers hold comes on top of the limit


def test_half_a_body_and_a_client_that_leaves(busy: Running) -> None:
    for _ in range(20):
        connection = Connection.to(busy)
        lines = {"host": "localhost", "authorization": "Bearer x", "content-length": "1000"}
        connection.send(plain("POST", path(), b"{", lines))
        connection.close()
    assert ask(busy, plain("GET", "/healthz", b"", {"host": "localhost"})).status == 200


async def test_a_slow_body_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingress, "BODY_SECONDS_MAX", 0.01)

    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    with pytest.raises(CallerError) as refused:
        await ingress.read_body((), never, 1_000, Deadlines())
    assert refused.value.refusal.error is WireError.MODEL_TIMEOUT
    assert refused.value.refusal.rule == "http.slow-body"


def test_a_caller_without_credentials_is_refused_before_its_body(busy: Running) -> None:
    head = plain("POST", path(), b"", {"host": "localhost", "content-length": "1000000"})
    answer = ask(busy, head)
    assert answer.status == 403
    assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
