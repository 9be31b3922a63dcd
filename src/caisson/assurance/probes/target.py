"""The system that is tried: where it listens, who one may be there, and what of it can be looked at.

Everything but the system file may be missing; a check that needs it then ends with the reason (`Lacking`). Sessions
are the probes' own, asked of the sign-in socket like any local user's, and revoked at the end.
"""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caisson.adapters.embedded.archive import EmbeddedArchiveReader
from caisson.adapters.embedded.keys import FileKeys
from caisson.assurance.probes.check import Lacking
from caisson.assurance.probes.routes import Route, routes
from caisson.assurance.probes.wire import Answer, Wire
from caisson.errors import ConfigurationError
from caisson.ports.archive import ArchiveReader, Query
from caisson.protocol.sigv4 import Keys, signed_headers
from caisson.supervision import read_state
from caisson.zones.z5_control.client import ControlClient
from caisson.zones.z6_logging.service import CHECKPOINT_KEY, STORE_SECRET

if TYPE_CHECKING:
    from caisson.assurance.rehearsal.model import HostileModel
    from caisson.system.schema import System

SOCKET_SECONDS = 10.0
ANSWER_BYTES_MAX = 8 << 20
LOG_SECONDS_MAX = 15.0
"""Until an event is archived; it takes 50 ms on a machine that has time."""
THROTTLED_SECONDS_MAX = 150.0
"""Waited in all, per request, for a rate that is counted by the minute."""
ORDERS_SECONDS_MAX = 10.0
"""Until a revocation has reached the gateway; it takes 0.1 s."""
NO_DATA = "it needs the data folder of the system (--data)"
NO_ENDPOINT = "nothing runs there; start the system with 'caisson up'"


@dataclass(frozen=True, kw_only=True)
class Session:
    """One of ours."""

    session_id: str
    user: str
    agent: str
    task: str
    expires: float
    keys: Keys
    bearer: str = field(default="", repr=False)


def given_session(found: Mapping[str, Any]) -> Session:
    """A session as `caisson session new --format json` prints it. Whose it is stands in its token.

    Raises:
        ValueError, KeyError: it is something else.
    """
    keys = Keys(
        access_key_id=found["AccessKeyId"], secret_access_key=found["SecretAccessKey"],
        session_token=found["SessionToken"],
    )  # fmt: skip
    part = keys.session_token.split(".")[1] if keys.session_token.count(".") == 2 else ""
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return Session(
        session_id=claims["sid"], user=claims["sub"], agent=claims["agent"], task=claims["task"], expires=claims["exp"],
        keys=keys,
    )  # fmt: skip


@dataclass
class Target:
    """See the module."""

    system: System
    wire: Wire | None = None
    region: str = "eu-west-1"
    data: Path | None = None
    """Data folder that this user may read."""
    model: HostileModel | None = None
    """What answers, where it is ours to tell it what to say."""
    upstream_key: str = field(default="", repr=False)
    """The credential that the gateway shows to the model, where it is ours: a canary."""
    given: list[Session] = field(default_factory=list)
    """Credentials that were handed in, where no sign-in socket can be asked: a session a user."""
    waiting: Callable[[str], None] = lambda _why: None
    """Told when a probe waits."""
    clock: Callable[[], float] = time.time
    _sessions: dict[tuple[str, str, str, bool], Session] = field(default_factory=dict)
    _opened: list[str] = field(default_factory=list)

    # Where

    def endpoint(self) -> Wire:
        """The gateway."""
        if self.wire is None:
            raise Lacking(NO_ENDPOINT)
        return self.wire

    def folder(self) -> Path:
        """The data folder."""
        if self.data is None:
            raise Lacking(NO_DATA)
        return self.data

    def hostile(self) -> HostileModel:
        """The model of a rehearsal."""
        if self.model is None:
            raise Lacking("it needs a rehearsal, whose model says what the probe wants")
        return self.model

    def zone(self, label: str) -> Path:
        """A zone's own folder."""
        return self.folder() / "zones" / label

    def processes(self) -> dict[str, int]:
        """Process ids of the running zones by name."""
        state = read_state(self.folder() / "run")
        found = {} if state is None else state.zones
        running = {name: zone.identity.pid for name, zone in found.items() if zone.identity is not None}
        if not running:
            raise Lacking(NO_ENDPOINT)
        return running

    # Who

    def roles(self) -> tuple[list[str], list[dict[str, str]]]:
        """Local users that this process may be, and the roles there are."""
        if self.given:
            return [session.user for session in self.given], [
                {"agent": one.agent, "task": one.task} for one in self.given
            ]
        found = self.exchange({"op": "roles"})
        if not found.get("users"):
            raise Lacking("this user may be none of the system's local users, so it has no insider's credentials")
        return found["users"], found["roles"]

    def session(self, *, user: int = 0, role: int = 0, fresh: bool = False) -> Session:
        """Credentials of the n-th local user for the n-th role; `fresh` opens a session of its own."""
        if self.given:
            if fresh:
                raise Lacking("it needs to open sessions of its own, so it needs the data folder (--data)")
            if user >= len(self.given) or role:
                raise Lacking("it needs a session of a second user or role (--session)")
            return self.given[user]
        users, found = self.roles()
        if user >= len(users):
            raise Lacking("it needs two local users that this process may be; the system file has one")
        if role >= len(found):
            raise Lacking("it needs two agents or tasks; the system file has one")
        name, chosen = users[user], found[role]
        return self._session(name, chosen["agent"], chosen["task"], fresh=fresh)

    def _session(self, user: str, agent: str, task: str, *, fresh: bool) -> Session:
        key = (user, agent, task, False)
        known = self._sessions.get(key)
        if known is not None and not fresh:
            return known
        made = self.exchange({"op": "new", "user": user, "agent": agent, "task": task, "format": "sigv4"})
        self._opened.append(str(made["session_id"]))
        session = Session(
            session_id=made["session_id"], user=user, agent=agent, task=task, expires=made["expiration"],
            keys=Keys(
                access_key_id=made["access_key_id"], secret_access_key=made["secret_access_key"],
                session_token=made["session_token"],
            ),
        )  # fmt: skip
        if not fresh:
            self._sessions[key] = session
        return session

    def bearer(self, session: Session) -> Session:
        """A session of the same role with a bearer token."""
        if self.given:
            raise Lacking("it needs a bearer token, so it needs the data folder (--data)")
        key = (session.user, session.agent, session.task, True)
        if key not in self._sessions:
            asked = {"op": "new", "user": session.user, "agent": session.agent, "task": session.task}
            made = self.exchange({**asked, "format": "bearer"})
            self._opened.append(str(made["session_id"]))
            self._sessions[key] = Session(
                session_id=made["session_id"], user=session.user, agent=session.agent, task=session.task,
                expires=made["expiration"], keys=Keys(access_key_id="", secret_access_key=""),
                bearer=made["bearer_token"],
            )  # fmt: skip
        return self._sessions[key]

    def exchange(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One question to the sign-in socket.

        Raises:
            Lacking: it does not answer, or refuses.
        """
        path = self.folder() / "sockets" / "gateway.sock"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(SOCKET_SECONDS)
                connection.connect(str(path))
                connection.sendall(json.dumps(request).encode() + b"\n")
                with connection.makefile("rb") as answers:
                    answer = json.loads(answers.readline(ANSWER_BYTES_MAX) or b"{}")
        except (OSError, ValueError) as error:
            raise Lacking(f"the sign-in socket does not answer ({error}); {NO_ENDPOINT}") from None
        if not isinstance(answer, dict) or not answer.get("ok"):
            said = answer.get("error", {}).get("message", "") if isinstance(answer, dict) else ""
            raise Lacking(f"the sign-in socket refused: {said}")
        return answer

    def control(self) -> ControlClient:
        """The control zone, as the operator asks it."""
        return ControlClient(self.folder() / "sockets" / "control.sock")

    def revoke(self, session: Session) -> None:
        """As `caisson session revoke`."""
        self.control().call(
            "revoke_session", session=session.session_id, until=session.expires, reason="a probe's own session"
        )

    def finish(self) -> None:
        """End every session that probes opened."""
        for session_id in self._opened:
            with suppress(ConfigurationError):
                self.control().call(
                    "revoke_session", session=session_id, until=self.clock() + 3_600.0, reason="probes are done"
                )
        self._opened.clear()

    # Asking

    def headers(
        self, session: Session, target: str, body: bytes, *, now: float | None = None, service: str = "bedrock",
        region: str = "", more: Mapping[str, str] | None = None, method: str = "POST",
    ) -> dict[str, str]:  # fmt: skip
        """Headers that sign a request, or carry its bearer token."""
        wire = self.endpoint()
        base = {"host": wire.netloc, "content-type": "application/json", **(more or {})}
        if session.bearer:
            return {**base, "authorization": f"Bearer {session.bearer}"}
        path, _, query = target.partition("?")
        made = signed_headers(
            method, path.encode(), {name.encode(): value.encode() for name, value in base.items()}, body, session.keys,
            region=region or self.region, service=service, now=self.clock() if now is None else now,
            query=query.encode(),
        )  # fmt: skip
        return {name.decode(): value.decode() for name, value in made.items()}

    def ask(self, session: Session, target: str, body: bytes, *, service: str = "bedrock", **more: Any) -> Answer:
        """An honest request; waits and asks again while the system's own rates hold it back."""
        ends = time.monotonic() + THROTTLED_SECONDS_MAX
        while True:
            answer = self.endpoint().ask(
                "POST", target, body, self.headers(session, target, body, service=service, **more)
            )
            if answer.status != 429 or time.monotonic() > ends:
                return answer
            pause = min(30.0, max(1.0, float(answer.headers.get("retry-after", "1") or 1)))
            self.waiting(f"the system's rate limit asks to wait {pause:.0f} s")
            time.sleep(pause)

    def routes(self, session: Session) -> tuple[Route, ...]:
        """What reaches the model of a session's agent."""
        return routes(self.model_id(session))

    def model_id(self, session: Session) -> str:
        """The model that a session's agent is pinned to."""
        return str(self.system.models[self.system.agents[session.agent].model].id)

    def send(self, route: Route, session: Session, body: bytes) -> Answer:
        """A request on a route, with the credentials that the route takes."""
        return self.ask(self.bearer(session) if route.bearer else session, route.target, body)

    # Looking

    def archive(self) -> ArchiveReader:
        """The log."""
        zone = self.zone("logging")
        try:
            if not zone.is_dir():
                raise Lacking(f"{self.folder()} holds no log")
            return EmbeddedArchiveReader(zone / "archive", zone / "tree", FileKeys(zone / "keys").secret(STORE_SECRET))
        except PermissionError:
            raise Lacking(f"the log belongs to another user: {zone} may not be read") from None

    def log_keys(self) -> list[bytes]:
        """Public keys that may have signed the log's checkpoints."""
        return [FileKeys(self.zone("logging") / "keys").signing(CHECKPOINT_KEY).public_bytes]

    def public_keys(self) -> dict[str, dict[str, bytes]]:
        """What the supervisor remembers of the zones' public keys."""
        path = self.zone("supervisor") / "state" / "publics.json"
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):
            raise Lacking(f"{path} cannot be read") from None
        return {zone: {name: base64.b64decode(key) for name, key in keys.items()} for zone, keys in found.items()}

    def events(self, request_id: str, count: int) -> list[dict[str, Any]]:
        """Events of a request, waited for until there are so many or it is in vain."""
        archive, wanted = self.archive(), Query(request_id=request_id, limit=100)
        ends = time.monotonic() + LOG_SECONDS_MAX
        while True:
            found = [entry.event for entry in archive.query(wanted)]
            if len(found) >= count or time.monotonic() > ends:
                return found
            time.sleep(0.05)

    def until_refused(self, asked: Callable[[], Answer]) -> Answer:
        """The answer once orders have reached the gateway: the first that is not 200, or the last."""
        ends = time.monotonic() + ORDERS_SECONDS_MAX
        while True:
            answer = asked()
            if answer.status != 200 or time.monotonic() > ends:
                return answer
            time.sleep(0.2)
