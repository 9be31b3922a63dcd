"""Zones, listeners and what the one entry point refuses (NET-01, NET-07)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from caisson.adapters.embedded.layout import PROCESSES
from caisson.assurance.confined import DONE
from caisson.assurance.probes.check import Check, Lacking, Transcript
from caisson.assurance.probes.target import Session, Target
from caisson.assurance.probes.wire import Answer

CHILD_SECONDS_MAX = 60.0
REFUSED = ("EACCES", "EPERM", "EAFNOSUPPORT", "EXDEV", "ENOENT")
"""Errors that isolation gives. ENOENT: what may not be seen is not there."""
SLOW_SECONDS_MAX = 60.0
"""Until the gateway gives up a client that sends nothing more; its own bounds are 10 s and 30 s."""
HEADER_BYTES = 64 << 10
_LISTENING = "0A"


def zones(target: Target, seen: Transcript) -> None:
    """From within each zone's confinement, every other zone's folders, files and channels."""
    data = target.folder()
    for zone in PROCESSES:
        child = subprocess.run(
            [sys.executable, "-m", "caisson.assurance.confined", str(data), zone.label],
            capture_output=True, text=True, timeout=CHILD_SECONDS_MAX, check=False,
        )  # fmt: skip
        if child.returncode != 0:
            raise Lacking(f"a process could not be confined as {zone.label}: {child.stderr.strip()[-200:]}")
        found = json.loads(child.stdout)
        seen.note(f"{zone.label}: Landlock ABI {found['landlock_abi']}, user {found['uid']}")
        for tried in found["tried"]:
            told = f"{zone.label}: {tried['what']}"
            if tried["refuse"] is None:
                seen.note(f"{told}: {tried['saw']}")
            elif tried["refuse"]:
                seen.attack(told, "refused", tried["saw"], _held(tried["saw"]))
            else:
                seen.witness(told, DONE, tried["saw"], tried["saw"] == DONE)


def _held(saw: str) -> bool | None:
    if saw == DONE:
        return False
    return True if saw in REFUSED else None


def processes(target: Target, seen: Transcript) -> None:
    """What the kernel says of the running zones: their system calls' filter, and that they can gain no rights."""
    found = target.processes()
    status = {name: _status(pid) for name, pid in found.items()}
    seen.witness("zones that run", "each a process", ", ".join(sorted(found)), len(set(found.values())) == len(found))
    users = {name: lines["Uid"].split()[0] for name, lines in status.items()}
    apart = len(set(users.values())) == len(users) > 1
    seen.note(f"users: {', '.join(f'{name} {uid}' for name, uid in users.items())}")
    for name, lines in status.items():
        if name == "upstream":
            continue  # it resolves the owner's AWS profile and is the owner's on purpose (docs/limits.md)
        filtered = lines.get("Seccomp") == "2" and lines.get("NoNewPrivs") == "1"
        saw = f"Seccomp {lines.get('Seccomp')}, NoNewPrivs {lines.get('NoNewPrivs')}, user {users[name]}"
        seen.attack(f"{name} unconfined", "confined, or a user of its own", saw, filtered or apart)
        capabilities = int(lines.get("CapEff", "0"), 16)
        seen.attack(f"{name} with capabilities", "none", f"CapEff {capabilities:x}", capabilities == 0)


def _status(pid: int) -> dict[str, str]:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError as error:
        raise Lacking(f"process {pid} cannot be looked at: {error.strerror}") from None
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def listeners(target: Target, seen: Transcript) -> None:
    """Every socket on which a process of the system listens."""
    port = target.endpoint().port
    found = target.processes()
    listening: dict[int, set[str]] = {}
    for name, pid in _with_children(found).items():
        for at in _listening(pid):
            listening.setdefault(at, set()).add(name)
    seen.witness("the gateway's port", f"{port}", ", ".join(map(str, sorted(listening))) or "none", port in listening)
    for at, names in sorted(listening.items()):
        told = f"TCP port {at} of {', '.join(sorted(names))}"
        seen.attack(told, f"nothing but the gateway on {port}", str(at), at == port)


def _with_children(processes: dict[str, int]) -> dict[str, int]:
    """Zones and the processes that they started."""
    found = dict(processes)
    for name, pid in processes.items():
        try:
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
        except OSError:
            continue
        found |= {f"{name}'s child {child}": int(child) for child in text.split()}
    return found


def _listening(pid: int) -> set[int]:
    """TCP ports on which a process listens (proc_pid_net(5))."""
    owned = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 - names alone
            with suppress(FileNotFoundError):  # closed meanwhile
                owned.add(os.readlink(f"/proc/{pid}/fd/{name}"))  # noqa: PTH115 - not a path
        tables = [Path(f"/proc/{pid}/net/{name}").read_text(encoding="utf-8") for name in ("tcp", "tcp6")]
    except OSError as error:
        raise Lacking(f"sockets of process {pid} cannot be looked at: {error.strerror}") from None
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return {
        int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _LISTENING and f"socket:[{row[9]}]" in owned
    }


def entry(target: Target, seen: Transcript) -> None:
    """Requests that are too large, too slow, of the wrong type or form."""
    session = target.session()
    wire = target.endpoint()
    route = next(found for found in target.routes(session) if found.name == "Converse")
    cheapest = next(found for found in target.routes(session) if not found.answers)
    body = cheapest.request("Hello") or b""
    answer = target.ask(session, cheapest.target, body)
    seen.witness("a request as it should be", "200", answer.said, answer.status == 200)
    limit = target.system.limits.body_bytes_max
    large = body + b" " * (limit + 1 - len(body))
    answer = target.ask(session, cheapest.target, large)
    seen.attack(f"a body of {limit + 1} bytes", "413", answer.said, _is(answer, 413, 0))
    claimed = target.headers(session, cheapest.target, body)
    head = "".join(f"{name}: {value}\r\n" for name, value in {**claimed, "content-length": str(1 << 40)}.items())
    answer = wire.raw(f"POST {cheapest.target} HTTP/1.1\r\n{head}\r\n".encode())
    seen.attack("a body that claims to be a terabyte", "413", answer.said, _is(answer, 413, 0))
    forms: tuple[tuple[str, object], ...] = (
        ("an unknown field", {**json.loads(route.request("Hello") or b"{}"), "unknownField": 1}),
        ("a field of a wrong type", {"messages": "Hello"}),
        ("an unknown role", {"messages": [{"role": "root", "content": [{"text": "Hello"}]}]}),
        ("an unknown block", {"messages": [{"role": "user", "content": [{"shell": {"command": "id"}}]}]}),
        ("no messages", {}),
        ("nested deeper than any request", _nested()),
    )
    for what, value in forms:
        answer = target.ask(session, route.target, json.dumps(value).encode())
        seen.attack(what, "400", answer.said, _is(answer, 400, 422))
    for what, raw in (("a body that is no JSON", b"{"), ("a body that is not UTF-8", b'{"messages": "\xff"}')):
        answer = target.ask(session, route.target, raw)
        seen.attack(what, "400", answer.said, _is(answer, 400))
    twice = b'{"messages":[{"role":"user","content":[{"text":"Hello"}]}],"messages":[]}'
    answer = target.ask(session, route.target, twice)
    seen.attack("a key twice", "400", answer.said, _is(answer, 400))
    _odd(target, seen, session, cheapest.target, body)
    _slow(target, seen, session, cheapest.target, body)


def _odd(target: Target, seen: Transcript, session: Session, path: str, body: bytes) -> None:
    """Requests whose very form could mean two things."""
    wire = target.endpoint()
    signed = target.headers(session, path, body)
    for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"):
        answer = wire.ask(method, path, body, target.headers(session, path, body, method=method))
        seen.attack(f"{method} on a route for POST", "405", answer.said, _is(answer, 405, 400, 404, 0))
    heavy = {**signed, "x-padding": "a" * HEADER_BYTES}
    answer = wire.ask("POST", path, body, heavy)
    seen.attack(f"{HEADER_BYTES} bytes of headers", "refused", answer.said, _is(answer, 400, 413, 431, 0))
    many = {**signed, **{f"x-padding-{number}": "a" for number in range(400)}}
    answer = wire.ask("POST", path, body, many)
    seen.attack("400 headers", "refused", answer.said, _is(answer, 400, 413, 431, 0))
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    smuggled = f"POST {path} HTTP/1.1\r\n{head}content-length: {len(body)}\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = wire.raw(smuggled.encode() + body)
    seen.attack("a length and a chunked body at once", "refused", answer.said, _is(answer, 400, 403, 411, 501, 0))
    answer = wire.raw(f"POST {path} HTTP/1.1\r\n{head}content-length: 5\r\ncontent-length: 6\r\n\r\n".encode() + body)
    seen.attack("two lengths", "refused", answer.said, _is(answer, 400, 403, 0))


def _slow(target: Target, seen: Transcript, session: Session, path: str, body: bytes) -> None:
    """Clients that begin and do not go on: all at once, so that their time passes once."""
    wire = target.endpoint()
    signed = target.headers(session, path, body)
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    parts = {
        "half a head": f"POST {path} HTTP/1.1\r\n{head[: len(head) // 2]}".encode(),
        "a head and half a body": f"POST {path} HTTP/1.1\r\n{head}content-length: {len(body) * 2}\r\n\r\n".encode()
        + body,
    }
    began = time.monotonic()
    held = {}
    for what, data in parts.items():
        plain = socket.create_connection((wire.host, wire.port), 10)
        connection = wire.context().wrap_socket(plain, server_hostname=wire.host)
        connection.sendall(data)
        held[what] = connection
    target.waiting("slow clients are given up after half a minute")
    try:
        for what, connection in held.items():
            left = max(0.1, SLOW_SECONDS_MAX - (time.monotonic() - began))
            connection.settimeout(left)
            try:
                while connection.recv(65_536):
                    pass
                ended, saw = True, f"let go after {time.monotonic() - began:.0f} s"
            except TimeoutError:
                ended, saw = False, f"still held after {time.monotonic() - began:.0f} s"
            except OSError:
                ended, saw = True, f"let go after {time.monotonic() - began:.0f} s"
            seen.attack(f"a client that sends {what} and waits", f"let go in {SLOW_SECONDS_MAX:.0f} s", saw, ended)
    finally:
        for connection in held.values():
            connection.close()


def _is(answer: Answer, *statuses: int) -> bool | None:
    """Refused as it must be; served is wrong; anything else decides nothing."""
    if answer.status in statuses:
        return True
    return False if 200 <= answer.status < 300 else None


def _nested() -> dict[str, object]:
    deep: object = "Hello"
    for _ in range(400):
        deep = [deep]
    return {"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "additionalModelRequestFields": {"a": deep}}


CHECKS = (
    Check(
        name="network.zones", on="system", attacker="a zone that was taken over", run=zones,
        claim="A zone's process opens its own files and what the channel table gives it, and nothing else.",
    ),
    Check(
        name="network.processes", on="system", attacker="a zone that was taken over", run=processes,
        claim="Every running zone is confined and has no capability.",
    ),
    Check(
        name="network.listeners", on="system", attacker="outsider", run=listeners,
        claim="Nothing of the system listens but the gateway.",
    ),
    Check(
        name="network.entry", on="system", attacker="outsider and signed-in user", run=entry,
        claim="The entry point refuses what is too large, too slow, or of another form.",
    ),
)  # fmt: skip
