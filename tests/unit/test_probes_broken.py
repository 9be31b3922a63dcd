"""Every probe says `broken` where its defence is switched off, and never `holds` where nothing can be shown."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from caisson.adapters.embedded.credentials import EmbeddedCredentials
from caisson.adapters.embedded.isolation import Enforced, UserPlan
from caisson.adapters.embedded.layout import prepare
from caisson.assurance import confined
from caisson.assurance.probes import CHECKS, configuration, incident, log, network, run, sessions
from caisson.assurance.probes.check import Outcome
from caisson.assurance.verdict import Verdict
from caisson.detect import models
from caisson.errors import Refusal
from caisson.ports.ledger import Account, Ledger, Reservation
from lax_system import KEY, Lax, LaxTarget, answer, ask_model, closed_door, open_door, running, texts

BY_THE_OPEN_DOOR = (
    "identity.unsigned", "identity.tampered", "identity.window", "identity.audience", "sessions.revoked",
    "sessions.other", "sessions.scope", "control.routes", "guardrails.routes", "guardrails.paths", "guardrails.matrix",
    "guardrails.attacks", "guardrails.leaks", "data.personal", "data.redacted", "credentials.traffic", "network.entry",
)  # fmt: skip
"""What a door that lets everything through breaks."""
OTHERWISE = (
    "sessions.expired", "sessions.crossing", "sessions.overshoot", "configuration.metadata", "configuration.orders",
    "configuration.reason", "network.zones", "network.processes", "network.listeners", "guardrails.decisions",
    "data.tls", "data.at_rest", "credentials.upstream", "supply.weights", "incident.rollback", "incident.stop",
    "log.complete", "log.killed", "log.whole", "log.tamper",
)  # fmt: skip
"""What is broken in its own way, below and in test_probes_log.py."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here becomes right by waiting."""
    monkeypatch.setattr("caisson.assurance.probes.target.ORDERS_SECONDS_MAX", 0.0)
    monkeypatch.setattr("caisson.assurance.probes.network.SLOW_SECONDS_MAX", 0.5)
    monkeypatch.setattr("caisson.assurance.probes.configuration.RECORDED_SECONDS_MAX", 0.5)
    monkeypatch.setattr("caisson.assurance.probes.incident.EFFECT_SECONDS_MAX", 0.3)


def tried(name: str, target: LaxTarget) -> Outcome:
    return run(CHECKS[name], target)


def came_through(outcome: Outcome) -> list[str]:
    return [step.did for step in outcome.steps if step.verdict is Verdict.BROKEN]


def test_every_check_is_shown_to_break() -> None:
    assert sorted((*BY_THE_OPEN_DOOR, *OTHERWISE)) == sorted(CHECKS)


@pytest.mark.parametrize("name", BY_THE_OPEN_DOOR)
def test_an_open_door(name: str, tmp_path: Path) -> None:
    with running(tmp_path / "data") as target:
        outcome = tried(name, target)
    assert outcome.verdict is Verdict.BROKEN, outcome.reason
    assert came_through(outcome)


ELSEWHERE = ("sessions.expired", "data.tls")
"""They ask the verifier of tokens and the TLS stack, not what is behind the door."""


@pytest.mark.parametrize(
    "name", [name for name, check in CHECKS.items() if check.on != "parts" and name not in ELSEWHERE]
)
def test_a_closed_door_shows_nothing(name: str, tmp_path: Path) -> None:
    """Who refuses everything has shown no defence, only that nothing works."""
    with running(tmp_path / "data", closed_door) as target:
        outcome = tried(name, target)
    assert outcome.verdict is not Verdict.HOLDS, outcome.reason


@contextmanager
def behind(folder: Path, door: Any, **tls: Any) -> Iterator[LaxTarget]:
    with running(folder / "data", door, **tls) as target:
        yield target


def test_tokens_that_never_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = EmbeddedCredentials.verify_session_token

    def never(self: EmbeddedCredentials, token: str, now: float) -> Any:
        return original(self, token, 0.0) if now == 0.0 else original(self, token, min(now, started))

    with behind(tmp_path, open_door) as target:
        started = target.clock()
        assert tried("sessions.expired", target).verdict is Verdict.HOLDS
        monkeypatch.setattr(EmbeddedCredentials, "verify_session_token", never)
        assert tried("sessions.expired", target).verdict is Verdict.BROKEN


class Restoring:
    """Pseudonyms that are restored for everybody, whoever said the value."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def __call__(self, lax: Lax, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        said = re.sub(r"probe-[0-9a-f]+@example\.com", self._tag, texts(body))
        answered = ask_model(lax, said)
        for tag, value in self.values.items():
            answered = answered.replace(tag, value)
        return 200, answer(answered)

    def _tag(self, found: re.Match[str]) -> str:
        tag = f"[EMAIL_{len(self.values):06x}]"
        self.values[tag] = found[0]
        return tag


def test_pseudonyms_that_cross_sessions(tmp_path: Path) -> None:
    with behind(tmp_path, Restoring()) as target:
        outcome = tried("sessions.crossing", target)
    assert outcome.verdict is Verdict.BROKEN, outcome.reason
    assert any("another user" in did for did in came_through(outcome))


class CarelessLedger(Ledger):
    """It looks, and then spends: others spend in between."""

    spent: dict[str, int] = {}  # noqa: RUF012

    def __init__(self, path: Path) -> None:
        pass

    async def open(self, account: Account) -> None:
        self.spent[account.session_id] = 0

    async def reserve(self, **asked: Any) -> Reservation | Refusal:
        self.spent[asked["session_id"]] += asked["tokens"]
        return Reservation(
            reservation_id=asked["reservation_id"], session_id=asked["session_id"], tokens=asked["tokens"],
            deadline=asked["deadline"],
        )  # fmt: skip

    async def settle(self, reservation_id: str, *, tokens: int, cost_micro_usd: int | None) -> None: ...
    async def lapsed(self, *, before: float) -> tuple[Reservation, ...]:
        return ()

    async def forget(self, reservations: Any) -> None: ...
    async def balance(self, session_id: str, *, now: float) -> None:
        return None

    async def ended(self, session_id: str) -> str:
        return ""

    async def sessions(self, *, now: float, live_only: bool) -> tuple[()]:
        return ()

    async def end(self, session_id: str, reason: str) -> None: ...
    def close(self) -> None: ...


def test_a_ledger_that_overshoots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with behind(tmp_path, open_door) as target:
        assert tried("sessions.overshoot", target).verdict is Verdict.HOLDS
        monkeypatch.setattr(sessions, "EmbeddedLedger", CarelessLedger)
        outcome = tried("sessions.overshoot", target)
    assert outcome.verdict is Verdict.BROKEN
    assert {"tokens reserved at once", "requests in one window"} <= set(came_through(outcome))


def test_orders_that_stop_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from caisson.ports.configuration import Configuration, Orders

    with behind(tmp_path, open_door) as target:
        now = target.clock()
        pair = (
            Configuration(version=1, sha256="", bundle={}, expires=now + 1e6), Orders(number=1, expires=now + 100)
        )  # fmt: skip

        class Copy:
            def read(self, at: float) -> Any:
                return pair

        monkeypatch.setattr(configuration, "_copied", lambda *_: Copy())
        assert tried("configuration.orders", target).verdict is Verdict.HOLDS
        with monkeypatch.context() as context:
            context.setattr(configuration, "standing", lambda *_, **__: None)
            assert tried("configuration.orders", target).verdict is Verdict.BROKEN
        pair = (pair[0], Orders(number=1, expires=now + 86_400))
        outcome = tried("configuration.orders", target)
    assert came_through(outcome) == ["how long orders in force last"]


def test_changes_without_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with behind(tmp_path, open_door) as target:
        monkeypatch.setattr(configuration, "in_force", lambda _target: {"system": {"guardrails": {"main": {}}}})
        outcome = tried("configuration.reason", target)
    assert outcome.verdict is Verdict.BROKEN
    assert any("a stop with ''" in did for did in came_through(outcome))


def test_a_rollback_without_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []

    def door(lax: Lax, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if path.startswith("/guardrail") and any(word.encode() in body for word in words):
            return 200, b'{"action": "GUARDRAIL_INTERVENED"}'
        return open_door(lax, method, path, headers, body)

    def publish(_target: Any, bundle: dict[str, Any], _why: str) -> int:
        words.extend(bundle["system"]["guardrails"]["main"]["words"])
        return 2

    monkeypatch.setattr(incident, "in_force", lambda _target: {"system": {"guardrails": {"main": {}}}})
    monkeypatch.setattr(incident, "publish", publish)
    monkeypatch.setattr(incident, "roll_back", lambda *_: 3)
    with behind(tmp_path, door) as target:
        outcome = tried("incident.rollback", target)
        assert came_through(outcome) == ["the word after the rollback"]
        monkeypatch.setattr(incident, "roll_back", lambda *_: words.clear())
        assert tried("incident.rollback", target).verdict is Verdict.HOLDS


def test_a_stop_without_effect(tmp_path: Path) -> None:
    with behind(tmp_path, open_door) as target:
        outcome = tried("incident.stop", target)
    assert came_through(outcome) == ["requests after the stop"]


def in_this_process(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
    """The program that confines itself, here and unconfined."""
    import io
    from contextlib import redirect_stdout

    out = io.StringIO()
    with redirect_stdout(out):
        status = confined.main(command[3:])
    return subprocess.CompletedProcess(command, status, out.getvalue(), "")


def test_zones_that_are_not_confined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "prepared"
    prepare(data, system="tiny", users=UserPlan(first=None, reason="a test"))
    (data / "zones" / "logging" / "keys" / "store.secret.key").write_bytes(b"secret")
    (data / "configuration" / "metadata").mkdir()
    (data / "configuration" / "metadata" / "timestamp.json").write_text("{}")
    with running(tmp_path / "data") as target:
        target.data = data
        monkeypatch.setattr(confined, "restrict", lambda _rules: Enforced(landlock_abi=0, filtered=False, missing=()))
        monkeypatch.setattr(network.subprocess, "run", in_this_process)
        outcome = tried("network.zones", target)
        assert "runtime: read logging/keys/store.secret.key" in came_through(outcome)
        monkeypatch.undo()
        assert tried("network.zones", target).verdict is Verdict.HOLDS
    assert not list(data.rglob(confined.PROBE_NAME))


def test_processes_that_are_not_confined(tmp_path: Path) -> None:
    with running(tmp_path / "data") as target:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        try:
            assert target.lax is not None
            target.lax.pids = {"gateway": child.pid}
            outcome = tried("network.processes", target)
        finally:
            child.kill()
            child.wait()
    assert "gateway unconfined" in came_through(outcome)


def test_another_listener(tmp_path: Path) -> None:
    with running(tmp_path / "data") as target, socket.socket() as other:
        assert target.lax is not None
        target.lax.pids = {"gateway": os.getpid()}
        other.bind(("127.0.0.1", 0))
        other.listen()
        outcome = tried("network.listeners", target)
    assert any(f"TCP port {other_port(outcome, target)}" in did for did in came_through(outcome))


def other_port(outcome: Outcome, target: LaxTarget) -> int:
    """A listening port of this process that is not the gateway's."""
    ports = {int(step.saw) for step in outcome.steps if step.kind == "attack"}
    return next(iter(ports - {target.endpoint().port}))


def test_records_that_say_something_else(tmp_path: Path) -> None:
    """The wire shows that nothing was stopped; the record says that it was."""
    with running(tmp_path / "data") as target:
        assert target.lax is not None

        def record(request_id: str, said: str) -> None:
            blocked = "water damage" not in said
            action = {"stage": "input", "guardrail_version": "1", "decision": "blocked" if blocked else "pass",
                      "rule": "words.x" if blocked else ""}  # fmt: skip
            for kind in ("model.request.v1", "model.response.v1"):
                outcome = "blocked" if blocked else "answered"
                event = {"kind": kind, "request_id": request_id, "guardrail_actions": [action], "outcome": outcome}
                target.lax.events.append(event)  # type: ignore[union-attr]

        target.lax.record = record  # type: ignore[method-assign]
        outcome = tried("guardrails.decisions", target)
    assert outcome.verdict is Verdict.BROKEN
    assert all("a declared word" in did or "a " in did or "US_" in did for did in came_through(outcome))


def test_old_tls(tmp_path: Path) -> None:
    old = {"minimum_version": ssl.TLSVersion.TLSv1, "ciphers": "ALL:eNULL:@SECLEVEL=0"}
    with running(tmp_path / "data", open_door, **old) as target:
        outcome = tried("data.tls", target)
    assert "a handshake with TLS 1.1 alone" in came_through(outcome)


def test_plaintext_on_disk(tmp_path: Path) -> None:
    def door(lax: Lax, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        with (lax.folder / "debug.log").open("ab") as out:
            out.write(body)
        return open_door(lax, method, path, headers, body)

    with running(tmp_path / "data", door) as target:
        outcome = tried("data.at_rest", target)
    assert outcome.verdict is Verdict.BROKEN
    assert all("debug.log" in step.saw for step in outcome.steps if step.verdict is Verdict.BROKEN)


def test_an_upstream_key_that_is_told(tmp_path: Path) -> None:
    def door(lax: Lax, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        status, said = open_door(lax, method, path, headers, body)
        return status, said.replace(b"end_turn", KEY.encode())

    with running(tmp_path / "data", door) as target:
        (tmp_path / "data" / "zones" / "runtime" / "settings.json").write_text(json.dumps({"api_key": KEY}))
        outcome = tried("credentials.upstream", target)
        assert any("Converse" in did for did in came_through(outcome))
        (tmp_path / "data" / "client").mkdir()
        (tmp_path / "data" / "client" / "config").write_text(KEY)
        assert "files of others that hold it" in came_through(tried("credentials.upstream", target))


def test_weights_that_load_altered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def load(name: str, folder: Path) -> bytes:
        return (folder / name).read_bytes() if (folder / name).exists() else b""

    with running(tmp_path / "data") as target:
        assert tried("supply.weights", target).verdict is Verdict.HOLDS
        monkeypatch.setattr(models, "load", load)
        assert tried("supply.weights", target).verdict is Verdict.BROKEN


def test_a_log_that_forgets(tmp_path: Path) -> None:
    """An event is written for what was answered, none for what was refused."""
    with running(tmp_path / "data") as target:
        assert target.lax is not None
        original = target.lax.record
        target.lax.record = lambda request_id, said: original(request_id, said) if "water" in said else None  # type: ignore[method-assign]
        outcome = tried("log.complete", target)
    assert "one of a wrong form" in came_through(outcome)


def test_kills_that_lose_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was acknowledged is in no log."""
    monkeypatch.setattr(log, "SETTLED_SECONDS_MAX", 0.1)
    monkeypatch.setattr(log, "_settled", lambda _target: log.verify(EmptyLog(), log_keys=[], now=0.0))
    with running(tmp_path / "data") as target:
        assert target.lax is not None
        children = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) for _ in range(2)]
        target.lax.pids = dict(zip(("gateway", "logging"), (child.pid for child in children), strict=True))
        target.lax.record = lambda request_id, said: None  # type: ignore[method-assign]
        outcome = tried("log.killed", target)
        assert [child.wait() for child in children] == [-9, -9]
    assert came_through(outcome) == ["3 kills under load"]


class EmptyLog(log._Frozen):
    """Nothing was ever written."""

    def __init__(self) -> None:
        self.notes, self.entries, self.hashes = [], [], []


def test_metadata_that_anybody_may_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tuf.api.metadata import Root, Targets

    from caisson.ports.configuration import Orders
    from configuration_world import World

    data = tmp_path / "data"
    with running(data) as target:
        world = World(tmp_path / "world")
        world.clock.wall = target.clock()
        publisher = world.publisher()
        world.publish(publisher)
        world.source().refresh()
        shutil.copytree(world.repository, data / "configuration")
        shutil.copytree(world.folder / "runtime", data / "zones" / "runtime" / "state" / "trust")

        def revoke(self: LaxTarget, session: Any) -> None:
            revoked = {session.session_id: session.expires}
            publisher.issue(Orders(number=1, revoked_sessions=revoked))
            shutil.rmtree(data / "configuration")
            shutil.copytree(world.repository, data / "configuration")

        monkeypatch.setattr(LaxTarget, "revoke", revoke)
        honest = tried("configuration.metadata", target)
        assert honest.verdict is Verdict.HOLDS, honest.reason
        monkeypatch.setattr(Root, "verify_delegate", lambda *_: None)
        monkeypatch.setattr(Targets, "verify_delegate", lambda *_: None)
        outcome = tried("configuration.metadata", target)
    assert any("every role signed by the gateway" in did for did in came_through(outcome)), outcome.reason
