"""The log: complete, whole, and what happens when somebody changes it (LOG-01, LOG-07).

Changes are made to what a verifier reads, in memory: an attacker who holds the store's key could write just that.
"""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from caisson.adapters.embedded.keys import FileKeys
from caisson.assurance.probes import canaries
from caisson.assurance.probes.altered_log import FrozenLog, changes
from caisson.assurance.probes.check import Check, Lacking, Transcript
from caisson.assurance.probes.guardrails import BENIGN, stopped_by
from caisson.assurance.probes.target import Session, Target
from caisson.ports.archive import ArchiveReader, Query
from caisson.zones.z6_logging.anchors import read_anchors
from caisson.zones.z6_logging.checkpoints import parse_note
from caisson.zones.z6_logging.verify import Anchor, Report, verify

ENTRIES_MAX = 200_000
"""A log of more is verified once, and not ten times over."""
SETTLED_SECONDS_MAX = 20.0
KILLS = 3
BACK_SECONDS_MAX = 30.0
SENDERS = 3


def complete(target: Target, seen: Transcript) -> None:
    """Requests that end in every way; each must have one event of either kind."""
    session = target.session()
    route = next(found for found in target.routes(session) if found.name == "Converse")
    stream = next(found for found in target.routes(session) if found.name == "ConverseStream")
    asked: list[tuple[str, str]] = []

    def send(what: str, path: str, body: bytes) -> None:
        asked.append((what, target.ask(session, path, body).request_id))

    answer = target.ask(session, route.target, route.request(BENIGN) or b"")
    events = target.events(answer.request_id, 2)
    kinds = [event["kind"] for event in events]
    told = f"{answer.said}, {', '.join(kinds)}"
    passed = answer.status == 200 and len(kinds) == 2
    seen.witness("an ordinary request", "answered, a request and a response event", told, passed)
    send("a stream", stream.target, stream.request(BENIGN) or b"")
    asked.append(("a client that leaves in the middle of a stream", _left(target, session, stream.target)))
    with suppress(Lacking):
        found = next(stopped_by(target, session), None)
        if found is not None:
            send("one that the guardrail stops", route.target, route.request(found.text) or b"")
    send("one of a wrong form", route.target, b'{"messages": 1}')
    send("one for another model", f"/model/none-{canaries.word()}/converse", route.request("Hello") or b"")
    send("ApplyGuardrail", _guardrail(target, session), b'{"source":"INPUT","content":[{"text":{"text":"Hello"}}]}')
    for what, request_id in asked:
        if not request_id:
            seen.attack(what, "a request id", "none", None)
            continue
        found_events = target.events(request_id, 2)
        kinds = sorted(event["kind"] for event in found_events)
        held = kinds == ["model.request.v1", "model.response.v1"]
        seen.attack(what, "one request and one response event", ", ".join(kinds) or "none", held)


def _guardrail(target: Target, session: Session) -> str:
    return f"/guardrail/{target.system.agents[session.agent].guardrail}/version/DRAFT/apply"


def _left(target: Target, session: Session, path: str) -> str:
    """Begin a stream, read its head and leave; the request's id."""
    wire = target.endpoint()
    body = b'{"messages":[{"role":"user","content":[{"text":"Tell me a long story."}]}]}'
    headers = target.headers(session, path, body)
    connection = http.client.HTTPSConnection(wire.host, wire.port, timeout=30, context=wire.context())
    if target.model is not None:
        target.model.say("Once upon a time there was a harbour. " * 50)
        target.model.slow.set()
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.getheader("x-caisson-request-id") or ""
    finally:
        connection.close()
        if target.model is not None:
            target.model.slow.clear()


def killed(target: Target, seen: Transcript) -> None:
    """The gateway and the logging zone of a rehearsal are killed while requests run."""
    target.hostile().say("Good day.")
    session = target.session()
    route = next(found for found in target.routes(session) if found.name == "Converse")
    acknowledged: list[str] = []
    ended = threading.Event()

    def load() -> None:
        while not ended.is_set():
            try:
                body = route.request(BENIGN) or b""
                answer = target.endpoint().ask("POST", route.target, body, target.headers(session, route.target, body))
                if answer.status == 200:
                    acknowledged.append(answer.request_id)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)

    threads = [threading.Thread(target=load) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        for name in ("gateway", "logging", "gateway")[:KILLS]:
            before = len(acknowledged)
            _until(lambda before=before: len(acknowledged) >= before + 10)  # type: ignore[misc]
            os.kill(target.processes()[name], signal.SIGKILL)
            at = len(acknowledged)
            back = _until(lambda at=at: len(acknowledged) >= at + 10)  # type: ignore[misc]
            seen.witness(f"{name} killed; requests are answered again", "yes", "yes" if back else "no", back)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    missing = _without_both(target, set(acknowledged))
    told = f"{len(acknowledged)} acknowledged, {len(missing)} without both events"
    seen.attack(f"{KILLS} kills under load", "each acknowledged request has both events", told, not missing)
    report = _settled(target)
    told = "whole" if report.whole else f"{report.problems[0].kind} at {report.problems[0].where}"
    seen.attack("the log after the kills", "whole", told, report.whole)


def _until(done: Callable[[], bool]) -> bool:
    ends = time.monotonic() + BACK_SECONDS_MAX
    while not done():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


def _without_both(target: Target, wanted: set[str]) -> set[str]:
    """Request ids that lack an event, once the zone had time to take them."""
    ends = time.monotonic() + SETTLED_SECONDS_MAX
    while True:
        found: dict[str, set[str]] = {}
        for entry in target.archive().query(Query(limit=1_000_000, without_kinds=("head.v1", "key.v1"))):
            found.setdefault(str(entry.event.get("request_id", "")), set()).add(str(entry.event.get("kind")))
        missing = {one for one in wanted if not {"model.request.v1", "model.response.v1"} <= found.get(one, set())}
        if not missing or time.monotonic() > ends:
            return missing
        time.sleep(0.5)


def _settled(target: Target) -> Report:
    """The newest verdict, once what was killed has been taken up."""
    ends = time.monotonic() + SETTLED_SECONDS_MAX
    while True:
        report = _verified(target, target.archive())
        if report.whole or time.monotonic() > ends:
            return report
        time.sleep(0.5)


def whole(target: Target, seen: Transcript) -> None:
    """The log as it is: tree, signatures, chains, anchors and pairs."""
    archive = target.archive()
    report = _verified(target, archive)
    told = f"{report.entries} entries, {report.checkpoints} checkpoints, {report.anchors} anchors"
    seen.witness(
        "what was read",
        "entries under signed and anchored checkpoints",
        told,
        report.entries > 0 and report.checkpoints > 0 and report.anchors > 0,
    )
    found = ", ".join(sorted({problem.kind for problem in report.problems})) or "nothing"
    seen.attack("something edited, missing, moved, cut, repeated or forged", "nothing", found, report.whole)
    seen.note(f"{report.requests} requests, {report.responses} responses, {report.open_requests} open")


def _verified(target: Target, archive: ArchiveReader, keys: Sequence[bytes] | None = None) -> Report:
    return verify(archive, log_keys=keys or target.log_keys(), anchors=_anchors(target, archive), now=target.clock())


def _anchors(target: Target, archive: ArchiveReader) -> list[Anchor]:
    origin = parse_note(archive.last_checkpoint())[0].origin if archive.last_checkpoint() else ""
    path = target.zone("control") / "state" / "anchors.jsonl"
    try:
        return read_anchors(path, origin)
    except FileNotFoundError:
        return []
    except PermissionError:
        raise Lacking(f"the anchors belong to another user: {path} may not be read") from None


def tamper(target: Target, seen: Transcript) -> None:
    """Every kind of change, one at a time, to what the verifier reads."""
    archive = target.archive()
    if archive.size() > ENTRIES_MAX:
        raise Lacking(f"the log has {archive.size()} entries; changes are tried up to {ENTRIES_MAX}")
    frozen = FrozenLog(archive)
    honest = _verified(target, frozen)
    told = "whole" if honest.whole else f"{honest.problems[0].kind} at {honest.problems[0].where}"
    seen.witness("the log as it is", "whole", told, honest.whole)
    if not honest.whole or len(frozen.entries) < 4:
        return
    written = [number for number, entry in enumerate(frozen.entries) if entry.sequence >= 0]
    if not written:
        raise Lacking("no writer has written to the log yet")
    at = written[len(written) // 2]
    forger = FileKeys(target.zone("runtime") / "keys").signing("events")
    for what, changed in changes(frozen, at, forger):
        report = _verified(target, changed)
        kinds = sorted({problem.kind for problem in report.problems})
        seen.attack(what, "noticed", ", ".join(kinds) or "whole", not report.whole)


CHECKS = (
    Check(
        name="log.complete", on="rehearsal", attacker="nobody: requests end in every way", run=complete,
        claim="Each request leaves one request and one response event, however it ends.",
    ),
    Check(
        name="log.killed", on="rehearsal", attacker="a crash", run=killed,
        claim="What was acknowledged is recorded, whatever process was killed.",
    ),
    Check(
        name="log.whole", on="system", attacker="whoever could write the archive before", run=whole,
        claim="Nothing in the log was edited, removed, moved, cut off, repeated or forged.",
    ),
    Check(
        name="log.tamper", on="system", attacker="whoever holds the archive's key", run=tamper,
        claim="Every kind of change to the log is noticed.",
    ),
)  # fmt: skip
