"""Signed configuration and orders, attacked (IAM-03, IAM-08, NET-06).

Metadata is forged on a copy of the repository, for a copy of what the gateway trusts, under a clock that is held:
nothing of the running system is touched but a session of the probes' own, which is revoked.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp

from caisson.adapters.embedded.configuration import TufConfigurationSource
from caisson.adapters.embedded.configuration.signing import RoleSigner
from caisson.adapters.embedded.keys import FileKeys
from caisson.assurance.probes import canaries
from caisson.assurance.probes.check import Check, Lacking, Transcript
from caisson.assurance.probes.held import HeldClock
from caisson.assurance.probes.target import Target
from caisson.errors import ConfigurationError
from caisson.policy.sessions import standing
from caisson.ports.archive import Query
from caisson.ports.configuration import Configuration, Orders
from caisson.ports.keys import SigningKey

COPY_BYTES_MAX = 256 << 20
COPIES_MAX = 5
"""A copy may be torn by a renewal of orders; then another is taken."""
RECORDED_SECONDS_MAX = 15.0
CONTROL_PATHS = (
    "/control", "/admin", "/console", "/status", "/api/v1/orders", "/configuration", "/metadata/timestamp.json",
    "/configuration/metadata/root.json", "/sessions", "/revoke", "/approvals", "/publish", "/rollback", "/debug",
    "/logs", "/zones/control/keys", "/../zones/control/keys", "/%2e%2e/zones/control/keys",
)  # fmt: skip
OPERATIONS = ("status", "versions", "revoke_session", "stop", "resume", "publish", "rollback", "sign")
"""What the control zone's own socket answers."""


@dataclass(frozen=True, kw_only=True)
class _Copy:
    """A repository and what a zone trusts, copied at one moment."""

    repository: Path
    trust: Path

    def source(self, at: float) -> TufConfigurationSource:
        return TufConfigurationSource(self.repository, self.trust, HeldClock(at))

    def read(self, at: float) -> tuple[Configuration, Orders] | str:
        """The pair that a zone would take, or the word with which it refuses."""
        try:
            return self.source(at).refresh()
        except ConfigurationError as error:
            return str(error).partition(":")[0]

    def beside(self, name: str) -> _Copy:
        """The same once more, to be damaged."""
        folder = self.repository.parent.with_name(name)
        shutil.copytree(self.repository.parent, folder)
        return _Copy(repository=folder / "configuration", trust=folder / "trust")

    def forget(self) -> None:
        """Leave the zone the root that it was given, as at its first start."""
        for path in self.trust.iterdir():
            if path.is_dir():
                shutil.rmtree(path)

    def newest(self, role: str) -> Path:
        """The newest metadata file of a role."""
        if role == "timestamp":
            return self.repository / "metadata" / "timestamp.json"
        return max(self.repository.glob(f"metadata/*.{role}.json"), key=lambda path: int(path.name.partition(".")[0]))


def metadata(target: Target, seen: Transcript) -> None:
    """What a zone takes of a repository that somebody tampered with."""
    with tempfile.TemporaryDirectory(prefix="caisson-probe-") as name:
        folder = Path(name)
        session = target.session(fresh=True)
        older = _copied(target, folder / "older")
        target.revoke(session)
        current = _copied(target, folder / "current")
        now = target.clock()
        taken = current.read(now)
        seen.witness("the repository as it is", "configuration and orders", _told(taken), not isinstance(taken, str))
        if isinstance(taken, str):
            return
        revoked = session.session_id in taken[1].revoked_sessions
        seen.witness("a session of the probes' own, revoked", "in the orders", _yes(revoked), revoked)
        attacker = FileKeys(target.zone("runtime") / "keys").signing("events")
        tried = [
            (found, new) for found in _attacks(attacker, older) for new in (False, True) if not new or found.to_new
        ]
        for number, (attack, new) in enumerate(tried):
            damaged = current.beside(f"copy-{number}")
            attack.change(damaged)
            if new:
                damaged.forget()
            found = damaged.read(now)
            who = "a zone that starts" if new else "a zone that runs"
            same = found == taken  # what was valid before stays in force
            saw = "what was in force before stays" if same else _told(found)
            seen.attack(f"{attack.what}, for {who}", "refused", saw, same or isinstance(found, str))
        frozen = now + target.system.orders_expiry_s + 5.0
        late = current.beside("late").read(frozen)
        seen.attack("the repository withheld until its orders have expired", "refused", _told(late), late == "frozen")


@dataclass(frozen=True, kw_only=True)
class _Attack:
    """Something done to a repository."""

    what: str
    change: Callable[[_Copy], None]
    to_new: bool = True
    """Whether a zone that has seen nothing before can tell."""


def _attacks(attacker: SigningKey, older: _Copy) -> list[_Attack]:
    """Each with what an attacker would want of it."""

    def forged(role: str) -> Callable[[_Copy], None]:
        def change(copy: _Copy) -> None:
            path = copy.newest(role)
            made: Metadata[Any] = Metadata.from_file(str(path))
            made.signed.version += 1
            made.sign(RoleSigner(attacker))
            number = "" if role == "timestamp" else f"{made.signed.version}."
            made.to_file(str(path.with_name(f"{number}{role}.json")))
            if number:
                made.to_file(str(path))

        return change

    def unsigned(role: str) -> Callable[[_Copy], None]:
        def change(copy: _Copy) -> None:
            path = copy.newest(role)
            made: Metadata[Any] = Metadata.from_file(str(path))
            made.signatures.clear()
            made.to_file(str(path))

        return change

    def weaker(copy: _Copy) -> None:
        targets: Metadata[Targets] = Metadata.from_file(str(copy.newest("targets")))
        for info in targets.signed.targets.values():
            digest = info.hashes["sha256"]
            for path in copy.repository.glob(f"targets/{digest}.*"):
                path.write_bytes(path.read_bytes().replace(b'"high"', b'"none"').replace(b'"block"', b'"flag"') + b" ")

    def pardoned(copy: _Copy) -> None:
        orders: Metadata[Targets] = Metadata.from_file(str(copy.newest("orders")))
        for info in orders.signed.targets.values():
            for path in copy.repository.glob(f"targets/{info.hashes['sha256']}.*"):
                path.write_bytes(b'{"number":1,"revoked_sessions":{},"revoked_users":{},"stopped":""}')

    def rolled_back(copy: _Copy) -> None:
        shutil.rmtree(copy.repository)
        shutil.copytree(older.repository, copy.repository)

    def mixed(copy: _Copy) -> None:
        shutil.copy(older.newest("snapshot"), copy.newest("snapshot"))

    def stale(copy: _Copy) -> None:
        shutil.copy(older.newest("orders"), copy.newest("orders"))

    found = [
        _Attack(what=f"{role} signed by the gateway's own key", change=forged(role))
        for role in ("timestamp", "snapshot", "orders")
    ]
    found += [
        _Attack(what=f"{role} without signatures", change=unsigned(role))
        for role in ("timestamp", "snapshot", "orders", "targets")
    ]
    found += [
        _Attack(what="a weaker guardrail in the configuration", change=weaker),
        _Attack(what="the revocation taken out of the orders", change=pardoned),
        _Attack(
            what="the revocation taken out, and every role signed by the gateway's own key",
            change=lambda copy: _signed_through(copy, attacker),
        ),
        _Attack(what="the repository of before the revocation", change=rolled_back, to_new=False),
        _Attack(what="today's timestamp over the snapshot of before the revocation", change=mixed),
        _Attack(what="today's snapshot over the orders of before the revocation", change=stale),
        _Attack(what="the timestamp taken away", change=lambda copy: copy.newest("timestamp").unlink()),
        _Attack(what="a root of the attacker's", change=lambda copy: _own_root(copy, attacker)),
    ]
    return found


def _signed_through(copy: _Copy, attacker: SigningKey) -> None:
    """The revocation taken out of the orders, and every role above them made to agree and signed by the attacker."""
    orders: Metadata[Targets] = Metadata.from_file(str(copy.newest("orders")))
    ((path, info),) = orders.signed.targets.items()
    (content,) = copy.repository.glob(f"targets/{info.hashes['sha256']}.*")
    pardon = json.dumps({**json.loads(content.read_bytes()), "revoked_sessions": {}}).encode()
    made = TargetFile.from_data(path, pardon, ["sha256"])
    content.with_name(f"{made.hashes['sha256']}.{content.name.partition('.')[2]}").write_bytes(pardon)
    orders.signed.targets[path] = made
    snapshot: Metadata[Snapshot] = Metadata.from_file(str(copy.newest("snapshot")))
    timestamp: Metadata[Timestamp] = Metadata.from_file(str(copy.newest("timestamp")))
    orders.signed.version += 1
    snapshot.signed.version += 1
    timestamp.signed.version += 1
    snapshot.signed.meta["orders.json"] = MetaFile(orders.signed.version)
    timestamp.signed.snapshot_meta = MetaFile(snapshot.signed.version)
    folder = copy.repository / "metadata"
    for role, name in (
        (orders, f"{orders.signed.version}.orders.json"),
        (snapshot, f"{snapshot.signed.version}.snapshot.json"),
        (timestamp, "timestamp.json"),
    ):
        role.sign(RoleSigner(attacker))
        role.to_file(str(folder / name))


def _own_root(copy: _Copy, attacker: SigningKey) -> None:
    path = copy.newest("root")
    made: Metadata[Any] = Metadata.from_file(str(path))
    made.signed.version += 1
    made.sign(RoleSigner(attacker))
    made.to_file(str(path.with_name(f"{made.signed.version}.root.json")))


def orders(target: Target, seen: Transcript) -> None:
    """Nobody renews the orders; their time passes."""
    with tempfile.TemporaryDirectory(prefix="caisson-probe-") as name:
        now = target.clock()
        taken = _copied(target, Path(name) / "now").read(now)
        if isinstance(taken, str):
            raise Lacking(f"the repository cannot be read: {taken}")
        held = taken[1]
        running = standing(held, now=now)
        seen.witness("orders as they are", "requests may run", running.rule if running else "they run", running is None)
        lasting = held.expires - now
        most = target.system.orders_expiry_s
        seen.attack("how long orders in force last", f"at most {most} s", f"{lasting:.0f} s", lasting <= most + 1)
        for after in (0.0, 1.0, 86_400.0):
            found = standing(held, now=held.expires + after)
            told = found.rule if found else "requests run"
            seen.attack(f"{after:.0f} s after the orders expired", "no request runs", told, found is not None)


def reason(target: Target, seen: Transcript) -> None:
    """Changes without a reason; then one with, and its record."""
    target.hostile()  # a rehearsal: its configuration may change
    control = target.control()
    bundle = in_force(target)
    word = canaries.word()
    for name in bundle["system"]["guardrails"]:
        bundle["system"]["guardrails"][name].setdefault("words", []).append(word)
    before = control.call("status")["configuration"]["version"]
    tries: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("a configuration", "publish", {"bundle": bundle}),
        ("a rollback", "rollback", {"version": before}),
        ("a stop", "stop", {}),
        ("a revocation", "revoke_session", {"session": "s-none", "until": target.clock() + 60}),
    )
    for what, op, arguments in tries:
        for said in ("", "   "):
            try:
                control.call(op, reason=said, **arguments)
                saw, held = "it was done", False
            except ConfigurationError as error:
                saw, held = str(error), True
            seen.attack(f"{what} with {said!r} as reason", "refused", saw, held)
    after = control.call("status")["configuration"]["version"]
    seen.attack("what is in force after these", f"version {before}", f"version {after}", before == after)
    text = f"probe {word}"
    version = publish(target, bundle, text)
    entry = _recorded(target, version)
    told = "none" if entry is None else f"author {entry.get('author')}, approvers {entry.get('approvers')}"
    seen.witness(f"version {version} with a reason", "a record", told, entry is not None)
    if entry is not None:
        complete = all(entry.get(name) for name in ("author", "approvers", "changes", "affected_agents", "sha256"))
        same = entry.get("reason", "").startswith("probe")
        saw = f"reason {entry.get('reason')!r}, {len(entry.get('changes', ()))} changes"
        seen.attack("its record", "author, approvers, reason, changes, agents", saw, complete and same)


def routes(target: Target, seen: Transcript) -> None:
    """Control operations asked of the gateway, as anybody and as a signed-in user."""
    session = target.session()
    wire = target.endpoint()
    cheapest = next(found for found in target.routes(session) if not found.answers)
    answer = target.ask(session, cheapest.target, cheapest.request("Hello") or b"")
    seen.witness("a route of the data plane", "200", answer.said, answer.status == 200)
    paths = (*CONTROL_PATHS, *(f"/{operation}" for operation in OPERATIONS), *(f"/v1/{op}" for op in OPERATIONS))
    for path in paths:
        for method in ("GET", "POST"):
            body = b'{"op":"status"}' if method == "POST" else b""
            for who, headers in (
                ("nobody", {"content-type": "application/json"}),
                (session.user, target.headers(session, path, body, method=method)),
            ):
                answer = wire.ask(method, path, body, headers)
                served = 200 <= answer.status < 300
                seen.attack(f"{method} {path} as {who}", "no such operation", answer.said, not served)


def in_force(target: Target) -> dict[str, Any]:
    """The bundle that the system runs under, without who signed it."""
    with tempfile.TemporaryDirectory(prefix="caisson-probe-") as name:
        taken = _copied(target, Path(name) / "now").read(target.clock())
        if isinstance(taken, str):
            raise Lacking(f"the repository cannot be read: {taken}")
        return {key: value for key, value in taken[0].bundle.items() if key not in ("author", "reason")}


def publish(target: Target, bundle: dict[str, Any], why: str) -> int:
    """Put a bundle in force, with both operators' signatures where two are needed; its version."""
    return _approved(target, target.control().call("publish", bundle=bundle, reason=why))


def roll_back(target: Target, version: int, why: str) -> int:
    """Put an earlier version's content in force; the new version."""
    return _approved(target, target.control().call("rollback", version=version, reason=why))


def _approved(target: Target, done: dict[str, Any]) -> int:
    staged = done.get("staged")
    if staged is not None:
        key = FileKeys(target.zone("control") / "operators").signing("approver")
        signatures = [key.sign(base64.b64decode(payload)).hex() for payload in staged["payloads"]]
        done = target.control().call("sign", key_id=key.key_id, signatures=signatures)
    if "version" not in done:
        raise Lacking("the change waits for another signature")
    return int(done["version"]["version"])


def _recorded(target: Target, version: int) -> dict[str, Any] | None:
    archive, ends = target.archive(), time.monotonic() + RECORDED_SECONDS_MAX
    while time.monotonic() < ends:
        for entry in archive.query(Query(kind="configuration.v1", limit=100)):
            if entry.event.get("role") == "configuration" and entry.event.get("version") == version:
                return entry.event
        time.sleep(0.1)
    return None


def _copied(target: Target, folder: Path) -> _Copy:
    """Repository and the gateway's trust, of one moment: read until they fit."""
    source, trust = target.folder() / "configuration", target.zone("runtime") / "state" / "trust"
    for _ in range(COPIES_MAX):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
            if size > COPY_BYTES_MAX:
                raise Lacking(f"the repository has {size} bytes; expected at most {COPY_BYTES_MAX}")
            shutil.copytree(source, folder / "configuration")
            shutil.copytree(trust, folder / "trust", ignore=shutil.ignore_patterns("lock", "clock.json"))
        except PermissionError:
            raise Lacking(f"{trust} belongs to another user") from None
        except (FileNotFoundError, shutil.Error):
            continue  # a renewal replaced a file meanwhile
        made = _Copy(repository=folder / "configuration", trust=folder / "trust")
        if not isinstance(made.read(target.clock()), str):
            return made
        time.sleep(0.2)
    return _Copy(repository=folder / "configuration", trust=folder / "trust")


def _told(found: tuple[Configuration, Orders] | str) -> str:
    return found if isinstance(found, str) else f"version {found[0].version}, orders {found[1].number} taken"


def _yes(found: bool) -> str:
    return "there" if found else "not there"


CHECKS = (
    Check(
        name="configuration.metadata", on="system", attacker="whoever can write the repository, the gateway too",
        run=metadata, claim="Forged, unsigned, stale, frozen and rolled back metadata is refused.",
    ),
    Check(
        name="configuration.orders", on="system", attacker="whoever stops the control zone", run=orders,
        claim="Orders that nobody renews stop requests in time.",
    ),
    Check(
        name="configuration.reason", on="rehearsal", attacker="an operator", run=reason,
        claim="No change is made without a reason, and each has a record.",
    ),
    Check(
        name="control.routes", on="system", attacker="outsider and signed-in user", run=routes,
        claim="No control route answers on the gateway.",
    ),
)  # fmt: skip
