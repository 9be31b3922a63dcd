"""A system without defences, to show that probes see it: its door lets everybody in and hands everything on.

What a test puts in place of `door` decides what is answered; `closed_door` refuses everything.
"""

from __future__ import annotations

import json
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.credentials import EmbeddedCredentials
from caisson.adapters.embedded.keyring import session_keys
from caisson.adapters.embedded.keys import FileKeys
from caisson.assurance.probes.target import Session, Target
from caisson.assurance.probes.wire import Wire
from caisson.assurance.rehearsal.model import HostileModel
from caisson.ports.archive import ArchiveReader, Entry, Query, Unreadable
from caisson.ports.credentials import Principal
from caisson.system.loader import parse_system
from caisson.system.schema import System
from certificates import OwnAuthority
from system_files import TODAY, minimal, text_of

Door = Callable[["Lax", str, str, Mapping[str, str], bytes], tuple[int, bytes]]
"""Method, path, headers and body of a request; status and body of the answer."""
KEY = "upstream-canary-00000000"


def system() -> System:
    """With something to stop, something to replace and two users."""
    made = minimal(
        guardrails__main={
            "words": ["project-falcon"],
            "pii": {"EMAIL": "pseudonymise", "US_SOCIAL_SECURITY_NUMBER": "block"},
            "prompt_attack": "high",
        },
        identity__local__users__you={"uid": "owner", "groups": ["users"]},
    )
    found = parse_system(text_of(made).encode(), name="caisson.yaml", today=TODAY).system
    assert found is not None
    return found


class ListArchive(ArchiveReader):
    """Events in a list."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.events = events

    def size(self) -> int:
        return len(self.events)

    def query(self, query: Query) -> Iterator[Entry]:
        for index, event in enumerate(self.events):
            if query.request_id in ("", event.get("request_id")) and query.kind in ("", event.get("kind")):
                yield Entry(index=index, event=event, writer="w", incarnation="0", sequence=index, digest="")

    def scan(self) -> Iterator[Entry | Unreadable]:
        return self.query(Query())

    def leaves(self, start: int = 0) -> Iterator[bytes]:
        return iter(())

    def checkpoints(self) -> Iterator[str]:
        return iter(())

    def last_checkpoint(self) -> str:
        return ""


class Control:
    """A control zone that says yes and does nothing."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, op: str, **arguments: Any) -> dict[str, Any]:
        self.calls.append((op, arguments))
        if op == "status":
            return {"configuration": {"version": 1}}
        return {"version": {"version": 2}, "recorded": True}


@dataclass
class LaxTarget(Target):
    """The probes' view of it."""

    lax: Lax | None = None

    def exchange(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self.lax is not None
        return self.lax.signed_in(request)

    def control(self) -> Any:
        assert self.lax is not None
        return self.lax.control

    def archive(self) -> ArchiveReader:
        assert self.lax is not None
        return ListArchive(self.lax.events)

    def events(self, request_id: str, count: int) -> list[dict[str, Any]]:
        assert self.lax is not None
        return [event for event in self.lax.events if event.get("request_id") == request_id]

    def processes(self) -> dict[str, int]:
        assert self.lax is not None
        return self.lax.pids


@dataclass
class Lax:
    """One such system."""

    folder: Path
    door: Door
    model: HostileModel
    control: Control = field(default_factory=Control)
    events: list[dict[str, Any]] = field(default_factory=list)
    pids: dict[str, int] = field(default_factory=dict)
    answered: int = 0
    """Requests that anybody made."""

    def __post_init__(self) -> None:
        keys = self.folder / "zones" / "runtime" / "keys"
        keys.mkdir(parents=True, mode=0o700)
        FileKeys.create(keys, signing=("events",))
        self.credentials = EmbeddedCredentials(open_keys=session_keys(keys), system="tiny", clock=SystemClock())

    def signed_in(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """As the sign-in socket answers."""
        if request["op"] == "roles":
            return {"ok": True, "users": ["me", "you"], "roles": [{"agent": "helper", "task": "answer"}]}
        now = SystemClock().now()
        principal = Principal(
            session_id=f"s-{uuid.uuid4().hex}", chain=(), user=request["user"], groups=("users",), agent="helper",
            task="answer", issued=now, expires=now + 900, method="socket",
        )  # fmt: skip
        common = {"ok": True, "session_id": principal.session_id, "expiration": principal.expires}
        if request["format"] == "bearer":
            return common | {"bearer_token": self.credentials.mint_bearer(principal)}
        minted = self.credentials.mint(principal)
        names = ("access_key_id", "secret_access_key", "session_token")
        return common | {name: getattr(minted, name) for name in names}

    def record(self, request_id: str, said: str) -> None:
        """Events that say what they should not, as an unguarded system writes them."""
        for kind in ("model.request.v1", "model.response.v1"):
            event = {"kind": kind, "request_id": request_id, "input_text": said, "outcome": "answered"}
            self.events.append(event | {"guardrail_actions": []})


def open_door(lax: Lax, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """Everybody is let in; what they say goes to the model as it is, and comes back as it is."""
    if path == "/":
        fields = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        found = "".join(f"<{name}>{'A' * 20}</{name}>" for name in fields)
        return 200, f"<AssumeRoleResponse>{found}</AssumeRoleResponse>".encode()
    if not any(part in path for part in ("/converse", "/invoke", "/chat/completions")):
        return 200, b'{"inputTokens": 1, "action": "NONE"}'
    return 200, answer(ask_model(lax, texts(body)))


def closed_door(lax: Lax, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """Nobody is let in, who has a right to it neither."""
    return 403, b'{"message": "no"}'


def texts(body: bytes) -> str:
    """Every string of a request, and what its base64 hides."""
    import base64
    import binascii

    from caisson.assurance.probes.wire import strings

    try:
        found = [text for _, text in strings(json.loads(body))]
    except ValueError:
        return body.decode("latin-1")
    for text in list(found):
        try:
            found.append(base64.b64decode(text, validate=True).decode())
        except (binascii.Error, ValueError):
            continue
    return "\n".join(found)


def ask_model(lax: Lax, said: str) -> str:
    """What the model answers."""
    asked = json.dumps({"messages": [{"role": "user", "content": said}]}, ensure_ascii=False).encode()
    request = Request(lax.model.url, data=asked, headers={"authorization": f"Bearer {KEY}"})
    with urlopen(request, timeout=10) as answer:
        return str(json.loads(answer.read())["choices"][0]["message"]["content"])


def answer(said: str) -> bytes:
    """A Converse answer."""
    message = {"role": "assistant", "content": [{"text": said}]}
    return json.dumps({"output": {"message": message}, "stopReason": "end_turn"}).encode()


@contextmanager
def running(folder: Path, door: Door = open_door, **tls: Any) -> Iterator[LaxTarget]:
    """The system behind a door, over TLS."""
    with HostileModel() as model:
        lax = Lax(folder=folder, door=door, model=model)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = self.headers.get("content-length", "0").split(",")[0]
                body = self.rfile.read(min(int(length), 64 << 20)) if int(length) < 1 << 30 else b""
                lax.answered += 1
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, said = lax.door(lax, self.command, self.path, headers, body)
                request_id = uuid.uuid4().hex
                lax.record(request_id, texts(body))
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(said)))
                self.send_header("x-caisson-request-id", request_id)
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(said)
                self.close_connection = True

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self._serve
                raise AttributeError(name)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        chain, key = OwnAuthority(datetime.now(UTC)).issue(folder / "tls", "localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        for name, value in tls.items():
            if name == "ciphers":
                context.set_ciphers(value)
            else:
                setattr(context, name, value)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        url = f"https://localhost:{server.server_address[1]}"
        try:
            yield LaxTarget(
                system=system(), wire=Wire(url, ca_file=str(chain)), data=folder, model=model, upstream_key=KEY, lax=lax
            )
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


__all__ = ["KEY", "Lax", "LaxTarget", "ListArchive", "Session", "answer", "ask_model", "closed_door", "open_door",
           "running", "system", "texts"]  # fmt: skip
