"""Sign-in on this machine: a unix socket whose peers the kernel names (IAM-01, IAM-06).

- Who you are is your uid, as the kernel tells it (SO_PEERCRED, unix(7)); nothing you send. The file says which users a
  uid may be. `uid: owner` is whoever started the system; root may stand in for the owner, for nobody else.
- One JSON object a line in, one a line out. Lines, connections, requests a connection and idle time are bounded.
- A caller sees the sessions of users that it may be; the owner sees all.

    {"op": "new", "user": "alice", "agent": "claims", "task": "answer", "ttl_s": 900, "format": "sigv4"}
    {"op": "list"}          {"op": "balance", "session_id": "s-…"}
    {"op": "new", …, "dry": true}      decides only, opens nothing
    {"op": "roles"}                    whom the caller may be, and the roles there are
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import Any, Literal

import msgspec

from caisson.errors import CaissonError, Refusal, WireError
from caisson.policy import sessions as policy
from caisson.policy.sessions import Role
from caisson.ports.clock import Clock
from caisson.ports.configuration import Orders
from caisson.ports.credentials import Credentials, Principal
from caisson.ports.ledger import Balance, Ledger
from caisson.system.schema import System
from caisson.zones.z1_ingress.sessions import Sessions

LINE_BYTES_MAX = 16_384
REQUESTS_PER_CONNECTION_MAX = 100
CONNECTIONS_MAX = 32
IDLE_S = 10.0
SOCKET_MODE = 0o666
"""Any local user may ask; the kernel says who asks, the system file says who gets in."""

_PEER = struct.Struct("iII")
log = logging.getLogger("caisson.signin")


class _New(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="new"):
    user: str
    agent: str
    task: str
    ttl_s: float | None = None
    format: Literal["sigv4", "bearer"] = "sigv4"
    dry: bool = False


class _List(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="list"):
    pass


class _Balance(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="balance"):
    session_id: str


class _Roles(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="roles"):
    pass


_Asked = _New | _List | _Balance | _Roles
_decode = msgspec.json.Decoder(_Asked).decode
_encode = msgspec.json.Encoder().encode
Answer = dict[str, Any]


class SignIn:
    """Decides what a peer gets. No I/O but through its ports."""

    def __init__(
        self, *, sessions: Sessions, credentials: Credentials, ledger: Ledger, clock: Clock, owner_uid: int
    ) -> None:
        self._sessions = sessions
        self._credentials = credentials
        self._ledger = ledger
        self._clock = clock
        self._owner_uid = owner_uid

    def admits(self, peer_uid: int) -> bool:
        """Whether the uid can be any user; strangers are not listened to."""
        state = self._sessions.state()
        users = () if isinstance(state, Refusal) else state[0].identity.local.users.values()
        return peer_uid in (self._owner_uid, 0) or any(user.uid == peer_uid for user in users)

    async def answer(self, line: bytes, peer_uid: int) -> Answer:
        """The answer to one line of the process of `peer_uid`."""
        try:
            asked = _decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            return _refused(
                Refusal(error=WireError.VALIDATION, rule="signin.form", message=f"Not a sign-in request: {error}"[:300])
            )
        try:
            result = await self._act(asked, peer_uid)
        except CaissonError as error:
            log.error("sign-in: %s", error)
            result = Refusal(
                error=WireError.UNAVAILABLE, rule="signin.failed", message="Sign-in does not work now; retry later."
            )
        return _refused(result) if isinstance(result, Refusal) else {"ok": True, **result}

    async def _act(self, asked: _Asked, peer_uid: int) -> Answer | Refusal:
        state = self._sessions.state()
        if isinstance(state, Refusal):
            return state
        system, orders = state
        if isinstance(asked, _New):
            return await self._new(asked, system, peer_uid)
        if isinstance(asked, _Roles):
            return self._roles(system, peer_uid)
        now = self._clock.now()
        if isinstance(asked, _List):
            balances = await self._ledger.sessions(now=now, live_only=False)
            seen = [balance for balance in balances if self._may_see(system, balance.account.user, peer_uid)]
            return {"sessions": [_described(balance, system, orders, now) for balance in seen]}
        found = await self._ledger.balance(asked.session_id, now=now)
        if found is None or not self._may_see(system, found.account.user, peer_uid):
            return Refusal(
                error=WireError.NOT_FOUND,
                rule="signin.session",
                message=f"No session {asked.session_id[:64]!r} that you may see; 'caisson session list' shows those.",
            )
        return {"session": _described(found, system, orders, now)}

    async def _new(self, asked: _New, system: System, peer_uid: int) -> Answer | Refusal:
        user = system.identity.local.users.get(asked.user)
        if user is None or not self._is(user.uid, peer_uid):
            return Refusal(
                error=WireError.ACCESS_DENIED,
                rule="signin.user",
                message=f"Uid {peer_uid} may not sign in as {asked.user[:64]!r}; identity.local.users in the system "
                "file says who may.",
            )
        role = Role(asked.agent, asked.task)
        if asked.dry:
            lifetime = policy.duration_s(system, asked.ttl_s)
            refusal = policy.may_open(system, user=asked.user, groups=user.groups, role=role)
            return refusal or (lifetime if isinstance(lifetime, Refusal) else {"lifetime_s": lifetime})
        opened = await self._sessions.open(
            user=asked.user,
            groups=user.groups,
            role=role,
            lifetime_s=asked.ttl_s,
            method="socket",
            note=f"uid {peer_uid}",
        )
        return opened if isinstance(opened, Refusal) else self._minted(opened, asked.format)

    def _roles(self, system: System, peer_uid: int) -> Answer:
        """In the file's order, so that the first of each can be a default."""
        users = [name for name, user in system.identity.local.users.items() if self._is(user.uid, peer_uid)]
        roles = [
            {"agent": name, "task": task, "model_id": system.models[agent.model].id}
            for name, agent in system.agents.items()
            for task in agent.tasks
        ]
        return {"users": users, "roles": roles}

    def _minted(self, principal: Principal, form: Literal["sigv4", "bearer"]) -> Answer:
        common: Answer = {"session_id": principal.session_id, "expiration": principal.expires}
        if form == "bearer":
            return common | {"bearer_token": self._credentials.mint_bearer(principal)}
        minted = self._credentials.mint(principal)
        return common | {
            "access_key_id": minted.access_key_id,
            "secret_access_key": minted.secret_access_key,
            "session_token": minted.session_token,
        }

    def _is(self, uid: int | Literal["owner"], peer_uid: int) -> bool:
        return peer_uid in (self._owner_uid, 0) if uid == "owner" else peer_uid == uid

    def _may_see(self, system: System, user: str, peer_uid: int) -> bool:
        if peer_uid in (self._owner_uid, 0):
            return True
        local = system.identity.local.users.get(user)
        return local is not None and self._is(local.uid, peer_uid)


async def serve_signin(bound: socket.socket, signin: SignIn) -> asyncio.Server:
    """Answer those who connect to a unix socket, which others may accept from as well. Close the server to stop."""
    open_connections = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_connections
        if open_connections >= CONNECTIONS_MAX:
            writer.close()
            return
        open_connections += 1
        try:
            await _converse(reader, writer, signin)
        except (TimeoutError, OSError, ValueError):
            pass  # idle too long, gone, or a line over the bound: nothing to answer
        finally:
            open_connections -= 1
            writer.close()

    return await asyncio.start_unix_server(connected, sock=bound, limit=LINE_BYTES_MAX)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, signin: SignIn) -> None:
    uid = peer_uid(writer.get_extra_info("socket"))
    if not signin.admits(uid):
        return
    for _ in range(REQUESTS_PER_CONNECTION_MAX):
        async with asyncio.timeout(IDLE_S):
            line = await reader.readline()
        if not line:
            return
        writer.write(_encode(await signin.answer(line, uid)) + b"\n")
        async with asyncio.timeout(IDLE_S):
            await writer.drain()


def peer_uid(connection: socket.socket) -> int:
    """The uid of the process that connected, as the kernel recorded it then."""
    _, uid, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(uid)


def _described(balance: Balance, system: System, orders: Orders, now: float) -> Answer:
    account = balance.account
    return {
        "session_id": account.session_id,
        "state": _state(balance, orders, now),
        "user": account.user,
        "agent": account.agent,
        "task": account.task,
        "role": policy.role_arn(system.name, Role(account.agent, account.task)),
        "opened": account.opened,
        "expires": account.expires,
        "tokens_used": balance.tokens_used,
        "tokens_reserved": balance.tokens_reserved,
        "tokens_max": account.tokens_max,
        "actions_used": balance.actions_used,
        "actions_max": account.actions_max,
        "cost_usd": None if balance.cost_unknown_requests else balance.cost_micro_usd / 1_000_000,
    }


def _state(balance: Balance, orders: Orders, now: float) -> str:
    account = balance.account
    if account.session_id in orders.revoked_sessions or account.opened < orders.revoked_users.get(account.user, 0.0):
        return "revoked"
    if balance.closed:
        return "ended"
    return "expired" if now >= account.expires else "live"


def _refused(refusal: Refusal) -> Answer:
    return {"ok": False, "error": {"code": refusal.error.code, "message": refusal.message}}
