"""Signed configuration and orders, attacked (IAM-03, IAM-08, NET-06).

Metadata is forged on a copy of the repository, for a copy of what the gateway trusts, under a clock that is held:
nothing of the running system is touched but a session of the probes' own, which is revoked.
"""

from __future__ import annotations

import base64
import tempfile
import time
from pathlib import Path
from typing import Any

from caisson.adapters.embedded.keys import FileKeys
from caisson.assurance.probes import canaries
from caisson.assurance.probes.check import Check, Lacking, Transcript
from caisson.assurance.probes.repository import attacks, copied
from caisson.assurance.probes.target import Target
from caisson.errors import ConfigurationError
from caisson.policy.sessions import standing
from caisson.ports.archive import Query
from caisson.ports.configuration import Configuration, Orders

RECORDED_SECONDS_MAX = 15.0
CONTROL_PATHS = (
    "/control", "/admin", "/console", "/status", "/api/v1/orders", "/configuration", "/metadata/timestamp.json",
    "/configuration/metadata/root.json", "/sessions", "/revoke", "/approvals", "/publish", "/rollback", "/debug",
    "/logs", "/zones/control/keys", "/../zones/control/keys", "/%2e%2e/zones/control/keys",
)  # fmt: skip
OPERATORS = ("author", "approver")
OPERATIONS = ("status", "versions", "revoke_session", "stop", "resume", "publish", "rollback", "sign")
"""What the control zone's own socket answers."""


def metadata(target: Target, seen: Transcript) -> None:
    """What a zone takes of a repository that somebody tampered with."""
    with tempfile.TemporaryDirectory(prefix="caisson-probe-") as name:
        folder = Path(name)
        session = target.session(fresh=True)
        older = copied(target, folder / "older")
        target.revoke(session)
        current = copied(target, folder / "current")
        now = target.clock()
        taken = current.read(now)
        seen.witness("the repository as it is", "configuration and orders", _told(taken), not isinstance(taken, str))
        if isinstance(taken, str):
            return
        revoked = session.session_id in taken[1].revoked_sessions
        seen.witness("a session of the probes' own, revoked", "in the orders", _yes(revoked), revoked)
        attacker = FileKeys(target.zone("runtime") / "keys").signing("events")
        tried = [(found, new) for found in attacks(attacker, older) for new in (False, True) if not new or found.to_new]
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


def orders(target: Target, seen: Transcript) -> None:
    """Nobody renews the orders; their time passes."""
    with tempfile.TemporaryDirectory(prefix="caisson-probe-") as name:
        now = target.clock()
        taken = copied(target, Path(name) / "now").read(now)
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
    if target.system.configuration_signatures > 1:
        staged = control.call("publish", bundle=bundle, reason=text)
        now = control.call("status")["configuration"]["version"]
        told = f"version {now}, {'staged' if staged.get('staged') else 'not staged'}"
        seen.attack("a change that one operator signed, of two", f"version {before} stays", told, now == before)
    version = publish(target, bundle, text)
    entry = _recorded(target, version)
    told = "none" if entry is None else f"author {entry.get('author')}, approvers {entry.get('approvers')}"
    seen.witness(f"version {version} with a reason", "a record", told, entry is not None)
    if entry is not None:
        complete = all(entry.get(name) for name in ("author", "approvers", "changes", "affected_agents", "sha256"))
        same = entry.get("reason", "").startswith("probe")
        saw = f"reason {entry.get('reason')!r}, {len(entry.get('changes', ()))} changes"
        seen.attack("its record", "author, approvers, reason, changes, agents", saw, complete and same)


def approval(target: Target, seen: Transcript) -> None:
    """Whether whoever signs for the author can sign for the second operator too."""
    needed = target.system.configuration_signatures
    control = target.control()
    version = control.call("status")["configuration"]["version"]
    seen.witness("the control zone answers", "a version", f"version {version}", version >= 1)
    gateway = FileKeys(target.zone("runtime") / "keys").signing("events")
    try:
        control.call("sign", key_id=gateway.key_id, signatures=[gateway.sign(b"anything").hex()])
        saw, held = "it was taken", False
    except ConfigurationError as error:
        saw, held = str(error), True
    seen.attack("a signature of the gateway's key as an operator's", "refused", saw, held)
    if needed < 2:
        seen.note("the tier needs one signature")
        return
    if target.model is not None:
        raise Lacking("a rehearsal holds both operators' keys; where the second one lies is seen on the system alone")
    folder = target.zone("control") / "operators"
    try:
        here = [name for name in OPERATORS if (folder / f"{name}.signing.key").exists()]
    except PermissionError:
        raise Lacking(f"{folder} belongs to another user") from None
    told = f"{' and '.join(here) or 'none'} in {folder.name}"
    seen.attack("both operators' keys in one place", "at most one of them", told, len(here) < needed)


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
        taken = copied(target, Path(name) / "now").read(target.clock())
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
        name="configuration.approval", on="system", attacker="one of two operators, and the gateway", run=approval,
        claim="Nobody signs for more operators than they are.",
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
