"""Sign-in over the unix socket: the kernel says who asks, the file says who gets in (IAM-01, IAM-06)."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caisson.ports.credentials import Principal, SessionCredentials
from caisson.supervision.listeners import bind_unix
from caisson.zones.z1_ingress import signin
from caisson.zones.z1_ingress.signin import SOCKET_MODE, serve_signin
from identity_world import ROLE, World, signed

OWNER, BOB, ROOT, STRANGER = 1000, 4242, 0, 7
NEW = {"op": "new", "user": "alice", "agent": "claims", "task": "answer"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, owner_uid=OWNER)


async def ask(world: World, uid: int, **request: Any) -> dict[str, Any]:
    return await world.signin.answer(json.dumps(request).encode(), uid)


async def error(world: World, uid: int, **request: Any) -> str:
    answer = await ask(world, uid, **request)
    assert answer["ok"] is False, answer
    return str(answer["error"]["code"])


async def test_new_gives_credentials_that_work(world: World) -> None:
    answer = await ask(world, OWNER, **NEW, ttl_s=900)
    verified = world.credentials.verify_session_token(answer["session_token"], world.clock.now())
    assert isinstance(verified, SessionCredentials)
    assert verified.secret_access_key == answer["secret_access_key"]
    assert verified.expiration == answer["expiration"] == world.clock.now() + 900
    principal = await world.identity.authenticate(signed(world, verified), service="bedrock")
    assert isinstance(principal, Principal)
    assert (principal.user, principal.method, principal.session_id) == ("alice", "socket", answer["session_id"])


async def test_roles_are_told_to_those_who_may_sign_in(world: World) -> None:
    as_owner, as_bob = await ask(world, OWNER, op="roles"), await ask(world, BOB, op="roles")
    assert (as_owner["users"][0], as_bob["users"]) == ("alice", ["bob"])
    assert "bob" not in as_owner["users"]
    assert as_owner["roles"] == as_bob["roles"]
    assert {"agent": "claims", "task": "answer"}.items() <= as_owner["roles"][0].items()
    assert as_owner["roles"][0]["model_id"]
    assert (await ask(world, STRANGER, op="roles"))["users"] == []


async def test_new_gives_a_bearer_token_and_nothing_else(world: World) -> None:
    answer = await ask(world, OWNER, **NEW, format="bearer")
    assert isinstance(world.credentials.verify_bearer(answer["bearer_token"], world.clock.now()), Principal)
    assert "secret_access_key" not in answer


@pytest.mark.parametrize(
    ("uid", "user", "admitted"),
    [
        (OWNER, "alice", True), (ROOT, "alice", True), (STRANGER, "alice", False), (BOB, "alice", False),
        (BOB, "bob", True), (OWNER, "bob", False), (ROOT, "bob", False), (OWNER, "nobody", False), (OWNER, "", False),
    ],
)  # fmt: skip
async def test_who_may_be_whom(world: World, uid: int, user: str, admitted: bool) -> None:
    answer = await ask(world, uid, **NEW | {"user": user})
    assert answer["ok"] is admitted
    assert len(world.events.sessions) == admitted


async def test_a_dry_run_decides_and_opens_nothing(world: World) -> None:
    assert (await ask(world, OWNER, **NEW, dry=True))["lifetime_s"] == 1800
    assert await error(world, OWNER, **NEW | {"task": "other"}, dry=True) == "AccessDeniedException"
    assert await error(world, OWNER, **NEW, ttl_s=60, dry=True) == "ValidationException"
    assert world.events.messages == []
    assert await world.ledger.sessions(now=world.clock.now(), live_only=False) == ()


async def test_refusals_say_why(world: World) -> None:
    assert await error(world, OWNER, **NEW | {"agent": "other"}) == "AccessDeniedException"
    assert await error(world, OWNER, **NEW, ttl_s=60) == "ValidationException"
    world.govern(stopped="incident")
    assert await error(world, OWNER, **NEW) == "ServiceUnavailableException"


async def test_what_cannot_be_recorded_does_not_happen(world: World) -> None:
    world.events.broken = True
    assert await error(world, OWNER, **NEW) == "ServiceUnavailableException"


async def test_callers_see_their_own_sessions_and_the_owner_all(world: World) -> None:
    hers = (await ask(world, OWNER, **NEW))["session_id"]
    his = (await ask(world, BOB, **NEW | {"user": "bob"}))["session_id"]

    async def seen(uid: int) -> set[str]:
        return {session["session_id"] for session in (await ask(world, uid, op="list"))["sessions"]}

    assert await seen(OWNER) == await seen(ROOT) == {hers, his}
    assert await seen(BOB) == {his}
    assert await seen(STRANGER) == set()
    assert (await ask(world, BOB, op="balance", session_id=his))["session"]["role"] == ROLE
    assert await error(world, BOB, op="balance", session_id=hers) == "ResourceNotFoundException"
    assert await error(world, OWNER, op="balance", session_id="s-none") == "ResourceNotFoundException"


async def test_the_state_of_a_session(world: World) -> None:
    session_id = (await ask(world, OWNER, **NEW))["session_id"]

    async def state() -> str:
        return str((await ask(world, OWNER, op="balance", session_id=session_id))["session"]["state"])

    assert await state() == "live"
    world.govern(revoked_sessions={session_id: 0.0})
    assert await state() == "revoked"
    world.govern(revoked_users={"alice": world.clock.time + 1})
    assert await state() == "revoked"
    world.govern()
    world.clock.time += 1800
    assert await state() == "expired"
    await world.ledger.end(session_id, "budget")
    assert await state() == "ended"


keys = st.sampled_from(["op", "user", "agent", "task", "ttl_s", "x"])
leaves = st.none() | st.text() | st.integers()
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(keys, inner))


@given(st.one_of(st.binary(max_size=200), values.map(lambda value: json.dumps(value).encode())))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_line_gets_a_clear_answer(world: World, line: bytes) -> None:
    answer = await world.signin.answer(line, OWNER)
    assert answer["ok"] or answer["error"]["message"]


@pytest.mark.parametrize("extra", [{"uid": 0}, {"groups": ["x"]}, {"format": "root"}, {"ttl_s": "1h"}], ids=str)
async def test_unknown_fields_and_values_are_refused(world: World, extra: dict[str, Any]) -> None:
    answer = await world.signin.answer(json.dumps(NEW | extra).encode(), OWNER)
    assert answer["error"]["code"] == "ValidationException"


class TestSocket:
    """The listener: who the kernel says we are, and bounds."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        return World(tmp_path, owner_uid=os.getuid())

    async def test_the_kernel_names_the_peer(self, world: World, tmp_path: Path) -> None:
        server = await serve_signin(bind_unix(tmp_path / "s", SOCKET_MODE), world.signin)
        async with server:
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            for _ in range(2):
                writer.write(json.dumps(NEW).encode() + b"\n")
                assert json.loads(await reader.readline())["ok"] is True
            writer.close()
        assert f"uid {os.getuid()}" in world.events.sessions[0].reason

    async def test_strangers_are_not_listened_to(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(signin, "peer_uid", lambda connection: STRANGER)
        async with await serve_signin(bind_unix(tmp_path / "s", SOCKET_MODE), world.signin):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            assert await reader.read() == b""  # nothing was said yet, and nothing will be heard
            writer.close()

    async def test_a_line_over_the_bound_ends_the_connection(self, world: World, tmp_path: Path) -> None:
        async with await serve_signin(bind_unix(tmp_path / "s", SOCKET_MODE), world.signin):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            writer.write(b"x" * (signin.LINE_BYTES_MAX * 3))
            assert await reader.read() == b""
            writer.close()

    async def test_connections_are_bounded(self, world: World, tmp_path: Path) -> None:
        async with await serve_signin(bind_unix(tmp_path / "s", SOCKET_MODE), world.signin):
            held = [await asyncio.open_unix_connection(tmp_path / "s") for _ in range(signin.CONNECTIONS_MAX)]
            for reader, writer in held:
                writer.write(b'{"op": "list"}\n')
                assert b'"ok":true' in await reader.readline()
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            assert await reader.read() == b""
            for _, writer in held:
                writer.close()

    async def test_requests_of_a_connection_are_bounded(self, world: World, tmp_path: Path) -> None:
        async with await serve_signin(bind_unix(tmp_path / "s", SOCKET_MODE), world.signin):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            writer.write(b'{"op": "list"}\n' * (signin.REQUESTS_PER_CONNECTION_MAX + 5))
            answers = (await reader.read()).splitlines()
            assert len(answers) == signin.REQUESTS_PER_CONNECTION_MAX
            writer.close()

    async def test_silence_ends_the_connection(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(signin, "IDLE_S", 0.05)
        async with await serve_signin(bind_unix(tmp_path / "s", SOCKET_MODE), world.signin):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            assert await reader.read() == b""
            writer.close()

    async def test_an_old_socket_file_is_replaced(self, world: World, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "s"))
        async with await serve_signin(bind_unix(tmp_path / "s", SOCKET_MODE), world.signin):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
            writer.write(b'{"op": "list"}\n')
            assert b'"ok":true' in await reader.readline()
            writer.close()
