"""What the control zone does with a request and with time passing. No sockets here, and no loop.

- Orders are renewed when a third of their life is over, so that two renewals may fail before requests stop; and at
  once when the clock was set.
- What contains (revoke, stop) takes effect first and is recorded then. What changes or loosens waits until all before
  it is recorded.
- A configuration changes only with a reason, an author named by the kernel, and as many signatures as the tier wants;
  the author's key is here, the second operator signs elsewhere.
- A rollback is a new version with old content. Handing the same file over again does not undo it.

>>> await control.answer(b'{"op": "status"}', uid=1000)  # doctest: +SKIP
{'ok': True, 'result': {...}}
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from caisson.channels.messages import Message
from caisson.errors import CaissonError, ConfigurationError, DeveloperError, OperatorError
from caisson.ports.clock import Clock
from caisson.ports.configuration import Change, Configuration, ConfigurationPublisher, Orders, Published, Staged
from caisson.ports.keys import SigningKey
from caisson.system.schema import System
from caisson.zones.z5_control import events
from caisson.zones.z5_control import orders as decide
from caisson.zones.z5_control import requests as ask
from caisson.zones.z5_control.difference import affected_agents, content, differences
from caisson.zones.z5_control.findings import Findings
from caisson.zones.z5_control.handover import Handover, canonical, digest
from caisson.zones.z5_control.record import Recorder

ORDERS_RENEWED_AT = 2 / 3
"""Orders are renewed when this share of their life is left."""
RENEW_CONFIGURATION_BEFORE_S = 180 * 86_400
"""Half of what a configuration is signed for."""
FOUND_AT_START = "in force at a start and not recorded before: the control process ended too early"

Answer = dict[str, Any]
log = logging.getLogger("caisson.control")


class Control:
    """See the module. One task calls it at a time."""

    def __init__(
        self,
        *,
        publisher: ConfigurationPublisher,
        recorder: Recorder,
        findings: Findings,
        clock: Clock,
        author: SigningKey,
        approver: SigningKey | None,
    ) -> None:
        self._publisher = publisher
        self._recorder = recorder
        self._findings = findings
        self._clock = clock
        self._author = author
        self._approver = approver

    async def begin(self, handover: Handover) -> None:
        """Put what was handed over in force, unless it was before; record what a crash left out; renew orders.

        Raises:
            ConfigurationError: nothing is in force and the first version lacks signatures, or it cannot be published.
            SystemFileError: the bundle holds no system of this version.
        """
        now, handed, current = self._clock.now(), digest(handover.bundle), self._publisher.current()
        change = Change(author=handover.author, reason=handover.reason, origin="start", at=now)
        if current is None:
            await self._found(handover.bundle, change)
        else:
            await self._record_missed(*current)
            if handed not in (self._recorder.marks.handed, digest(current[0].bundle)):
                await self._settle(self._publish(handover.bundle, change, [self._author]))
        await self._recorder.note([], handed=handed)
        await self._renew_configuration()
        await self._renew_orders()
        await self._publisher.distributed()

    async def tick(self) -> None:
        """Once a second or so: renew, keep anchors, record what could not be recorded yet.

        What an operator can repair is logged and tried again at the next tick.
        """
        renew = (self._renew_configuration, self._renew_orders_when_due)
        for act in (*renew, self._publisher.distributed, self._take_findings):
            try:
                await act()
            except DeveloperError:
                raise
            except OperatorError as error:
                log.error("%s", error)
        await self._recorder.flush()

    async def answer(self, line: bytes, uid: int) -> Answer:
        """The answer to one request of a peer that may ask."""
        try:
            return {"ok": True, "result": await self._act(ask.decode(line), f"uid:{uid}")}
        except DeveloperError:
            raise
        except CaissonError as error:
            return {"ok": False, "error": str(error)}

    async def _act(self, request: ask.AnyRequest, author: str) -> Answer:
        match request:
            case ask.Status():
                return self._status()
            case ask.Versions():
                return {"versions": [_described(version) for version in self._publisher.versions()]}
            case ask.Staged():
                return {"staged": _staged(self._publisher.staged())}
            case ask.RevokeSession() | ask.RevokeUser() | ask.Stop():
                return await self._order(request, author)
        self._require_recorded()
        match request:
            case ask.Resume():
                return await self._order(request, author)
            case ask.Sign():
                return await self._sign(request)
            case ask.Publish() | ask.Rollback():
                return await self._change_configuration(request, author)

    async def _order(self, request: ask.RevokeSession | ask.RevokeUser | ask.Stop | ask.Resume, author: str) -> Answer:
        if self._recorder.full:
            raise ConfigurationError("too many events wait to be recorded; repair the logging zone first")
        reason = decide.checked_reason(request.reason)
        now, held = self._clock.now(), self._in_force()[1]
        about: list[Message] = []
        match request:
            case ask.RevokeSession():
                wanted = decide.revoke_session(held, request.session, until=request.until, now=now)
                about.append(events.revoked(at=now, session=request.session, user=request.user, reason=reason))
                what = f"session {request.session} revoked"
            case ask.RevokeUser():
                wanted = decide.revoke_user(held, request.user, since=request.since, now=now)
                about.append(events.revoked(at=now, user=request.user, reason=reason))
                what = f"user {request.user} revoked"
            case ask.Stop():
                wanted, what = decide.stop(held, reason), "stopped"
            case ask.Resume():
                wanted, what = decide.resume(held), "resumed"
        issued = self._publisher.issue(decide.forgotten(wanted, now=now))
        about.append(events.orders_published(issued, at=now, author=author, reason=reason, changes=(what,)))
        recorded = await self._recorder.note(about, orders=issued.number)
        reached = await self._reached()
        return {"orders": issued.number, "expires": issued.expires, "recorded": recorded, "reached": reached}

    async def _renew_orders_when_due(self) -> None:
        configuration, held = self._in_force()
        validity = System.from_bundle(configuration.bundle["system"]).orders_expiry_s
        left = held.expires - self._clock.now()
        if not validity * ORDERS_RENEWED_AT < left <= validity:
            await self._renew_orders()

    async def _renew_orders(self) -> None:
        held, now = self._in_force()[1], self._clock.now()
        issued = self._publisher.issue(decide.forgotten(held, now=now))
        if issued.number != held.number:
            about = events.orders_published(issued, at=now, author=events.ZONE, reason="revocations that are over")
            await self._recorder.note([about], orders=issued.number)

    async def _renew_configuration(self) -> None:
        configuration, now = self._in_force()[0], self._clock.now()
        if configuration.expires - now < RENEW_CONFIGURATION_BEFORE_S and self._publisher.staged() is None:
            change = Change(author=events.ZONE, reason="it would expire", origin="renewal", at=now)
            await self._settle(self._publish(configuration.bundle, change, [self._author]))

    async def _found(self, bundle: dict[str, Any], change: Change) -> None:
        signers = [self._author] if self._approver is None else [self._author, self._approver]
        done = self._publish(bundle, change, signers)
        if isinstance(done, Staged):
            raise ConfigurationError(
                f"expected {done.missing} more signature for the first configuration; put the approver's key beside the"
                " author's for the first start, and take it away after it"
            )
        about = events.version_published(done, at=change.at)
        await self._recorder.note([about], configuration=done.version, orders=self._in_force()[1].number)

    async def _change_configuration(self, request: ask.Publish | ask.Rollback, author: str) -> Answer:
        current = self._in_force()[0]
        change = Change(author=author, reason=request.reason, origin="publish", at=self._clock.now())
        if isinstance(request, ask.Publish):
            bundle = canonical(request.bundle)
        else:
            bundle = self._publisher.bundle(request.version)
            change = replace(change, origin="rollback", restores=request.version)
        if content(bundle) == content(current.bundle):
            raise ConfigurationError(f"nothing differs from version {current.version}, which is in force")
        return await self._settle(self._publish(bundle, change, [self._author]))

    async def _sign(self, request: ask.Sign) -> Answer:
        try:
            signatures = [bytes.fromhex(signature) for signature in request.signatures]
        except ValueError as error:
            raise ConfigurationError("expected signatures in hex digits") from error
        return await self._settle(self._publisher.sign(request.key_id, signatures))

    def _publish(self, bundle: dict[str, Any], change: Change, signers: Sequence[SigningKey]) -> Published | Staged:
        bundle = canonical(bundle)
        system, current = _system(bundle), self._publisher.current()
        if current is not None:
            before = current[0].bundle
            affected = affected_agents(before, bundle)
            change = replace(change, differences=differences(before, bundle), affected_agents=affected)
        return self._publisher.publish(
            {"format": bundle.get("format"), **content(bundle)},
            change,
            signatures=system.configuration_signatures,
            orders_validity_s=system.orders_expiry_s,
            signers=signers,
        )

    async def _settle(self, done: Published | Staged) -> Answer:
        if isinstance(done, Staged):
            return {"staged": _staged(done)}
        about = events.version_published(done, at=self._clock.now())
        recorded = await self._recorder.note([about], configuration=done.version)
        return {"version": _described(done), "recorded": recorded, "reached": await self._reached()}

    async def _reached(self) -> bool:
        """Whether every zone can read what is in force; else the next tick goes on."""
        try:
            await self._publisher.distributed()
        except ConfigurationError as error:
            log.error("%s", error)
            return False
        return True

    async def _record_missed(self, configuration: Configuration, orders: Orders) -> None:
        marks, now = self._recorder.marks, self._clock.now()
        versions = [version for version in self._publisher.versions() if version.version > marks.configuration]
        about: list[Message] = [events.version_published(version, at=now) for version in versions]
        if orders.number > max(marks.orders, 1):  # the first orders say nothing
            about += [events.revoked(at=now, session=name, reason=FOUND_AT_START) for name in orders.revoked_sessions]
            about += [events.revoked(at=now, user=name, reason=FOUND_AT_START) for name in orders.revoked_users]
            about.append(events.orders_published(orders, at=now, author=events.ZONE, reason=FOUND_AT_START))
        await self._recorder.note(about, configuration=configuration.version, orders=orders.number)

    async def _take_findings(self) -> None:
        if await self._recorder.note(self._findings.take_new()):
            self._findings.done()

    def _in_force(self) -> tuple[Configuration, Orders]:
        current = self._publisher.current()
        if current is None:
            raise ConfigurationError("missing: no configuration is in force yet")
        return current

    def _require_recorded(self) -> None:
        if self._recorder.pending:
            raise ConfigurationError(
                f"{self._recorder.pending} events of earlier changes are not recorded yet;"
                " repair the logging zone first"
            )

    def _status(self) -> Answer:
        configuration, orders = self._in_force()
        return {
            "system": configuration.bundle["system"]["name"],
            "configuration": {
                "version": configuration.version,
                "sha256": configuration.sha256,
                "expires": configuration.expires,
                "author": configuration.bundle["author"],
                "reason": configuration.bundle["reason"],
            },
            "in_force": digest(configuration.bundle),
            "handed_over_is_in_force": self._recorder.marks.handed == digest(configuration.bundle),
            "orders": {
                "number": orders.number,
                "expires": orders.expires,
                "stopped": orders.stopped,
                "revoked_sessions": len(orders.revoked_sessions),
                "revoked_users": len(orders.revoked_users),
            },
            "staged": _staged(self._publisher.staged()),
            "anchored_size": self._findings.anchored_size,
            "events_not_recorded": self._recorder.pending,
        }


def _system(bundle: dict[str, Any]) -> System:
    system = bundle.get("system")
    if not isinstance(system, dict):
        raise ConfigurationError("expected a bundle with a resolved system under 'system', found none")
    return System.from_bundle(system)


def _described(version: Published) -> Answer:
    described: Answer = msgspec.to_builtins(version)
    return described


def _staged(staged: Staged | None) -> Answer | None:
    if staged is None:
        return None
    described: Answer = msgspec.to_builtins(replace(staged, payloads=()))
    return {**described, "payloads": [base64.b64encode(payload).decode() for payload in staged.payloads]}
