"""The whole system on one machine: what `caisson up` prepares, starts and reports.

Order of the start: control zone (it signs orders), logging zone (it reads what the others write), gateway. The
gateway's port opens last, when everything behind it is ready.
"""

from __future__ import annotations

import asyncio
import base64
import getpass
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from caisson.adapters.embedded.channel import SealedWriter
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.configuration import OnlineKeys, TufConfigurationPublisher, establish_trust
from caisson.adapters.embedded.isolation import Isolation, isolation, leave_with_parent, plan_users
from caisson.adapters.embedded.keys import FileKeys
from caisson.adapters.embedded.layout import Layout, claim, prepare, recorded_users
from caisson.channels.messages import ProcessEvent
from caisson.channels.table import SUPERVISOR, Zone
from caisson.errors import ChannelError, ConfigurationError, StartError
from caisson.ports.clock import Clock
from caisson.ports.configuration import Change, Staged
from caisson.ports.keys import SigningKey
from caisson.supervision import Event, ProcessSpec, Supervisor, alone, serve
from caisson.supervision.state import replace
from caisson.system.schema import System
from caisson.wiring.provision import (
    ONLINE_ROLES,
    OPERATORS,
    certificates,
    make_keys,
    operator_keys,
    supervisor_keys,
    write_settings,
)
from caisson.wiring.settings import Upstream

DEFAULT_REGION = "eu-west-1"
PROCESSES = {"control": Zone.CONTROL, "logging": Zone.LOGGING, "gateway": Zone.RUNTIME}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line asks for."""

    system: System
    data: Path
    port: int
    upstream: Upstream


@dataclass(frozen=True, kw_only=True)
class Started:
    """What runs, for the start table."""

    endpoint: str
    version: int
    """Configuration version in force."""
    isolation: Isolation
    nominal_approval: bool
    """Two signatures are needed and both keys lie on this machine."""
    pids: dict[str, int]


def region_of(system: System) -> str:
    """The Region that clients sign for."""
    return system.aws.region if system.aws is not None else DEFAULT_REGION


def run(asked: Asked, on_ready: Callable[[Started], None]) -> int:
    """Run until told to stop; the exit status.

    Raises:
        StartError: it cannot run here, or a zone did not start.
        ConfigurationError: the configuration lacks signatures, or the repository was altered.
    """
    clock = SystemClock()
    data = asked.data.resolve()
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    with alone(claim(data, system=asked.system.name)):
        users = plan_users(data, recorded_users(data))
        where = prepare(data, system=asked.system.name, users=users)
        publics = make_keys(where)
        bundle = certificates(where, clock)
        version, nominal = _configure(where, asked.system, publics, clock)
        settings = write_settings(
            where,
            system=asked.system.name,
            region=region_of(asked.system),
            owner_uid=os.geteuid(),
            publics=publics,
            port=asked.port,
            upstream=asked.upstream,
        )
        where.hand_over()
        replace(
            where.run / "endpoint.json",
            {
                "host": "localhost",
                "port": asked.port,
                "region": region_of(asked.system),
                "ca_bundle": str(bundle),
                "system": asked.system.name,
            },
        )
        reporter = _Reporter(where, publics, clock)
        specs = [
            ProcessSpec(
                name=name,
                argv=(sys.executable, "-m", "caisson.wiring", name, str(settings[zone])),
                user=users.user(zone) if users.first is not None else None,
            )
            for name, zone in PROCESSES.items()
        ]

        def make() -> Supervisor:
            return Supervisor(specs, run=where.run, clock=clock, prepare=leave_with_parent, on_event=reporter.report)

        def ready(supervisor: Supervisor) -> None:
            zones = supervisor.state.zones
            on_ready(
                Started(
                    endpoint=f"https://localhost:{asked.port}",
                    version=version,
                    isolation=isolation(users),
                    nominal_approval=nominal,
                    pids={name: zone.identity.pid for name, zone in zones.items() if zone.identity},
                )
            )

        try:
            return asyncio.run(serve(make=make, on_ready=ready))
        finally:
            reporter.close()


def bundle_of(system: System, publics: dict[str, dict[str, str]]) -> dict[str, object]:
    """What zones take from the signed configuration."""
    return {"format": 1, "system": system.to_bundle(), "keys": publics}


def _configure(where: Layout, system: System, publics: dict[str, dict[str, str]], clock: Clock) -> tuple[int, bool]:
    """Publish the system as the next version unless it is in force already; give each zone the repository's root."""
    operators = operator_keys(where)
    held = _held(operators)
    control = FileKeys(where.zone(Zone.CONTROL, "keys"))
    publisher = TufConfigurationPublisher(
        repository=where.configuration,
        state=where.zone(Zone.CONTROL, "state") / "publisher",
        online=OnlineKeys(**{role: control.signing(role) for role in ONLINE_ROLES}),
        operators={name: key.public_bytes for name, key in held.items()},
        clock=clock,
    )
    current, bundle = publisher.current(), bundle_of(system, publics)
    version = current[0].version if current else 0
    if current is None or any(current[0].bundle.get(key) != value for key, value in bundle.items()):
        change = Change(author=getpass.getuser(), reason="caisson up", origin="start", at=clock.now())
        result = publisher.publish(
            bundle,
            change,
            signatures=system.configuration_signatures,
            orders_validity_s=system.orders_expiry_s,
            signers=tuple(held.values()),
        )
        if isinstance(result, Staged):
            raise ConfigurationError(
                f"configuration version {result.version} needs {result.missing} more signature; bring the missing operator"
                f" key to {str(where.zone(Zone.CONTROL, 'operators'))!r} and start again"
            )
        version = result.version
    for zone in (Zone.RUNTIME,):
        establish_trust(where.configuration, where.zone(zone, "state") / "trust")
    return version, system.configuration_signatures > 1 and len(held) > 1


def _held(operators: FileKeys) -> dict[str, SigningKey]:
    """The operator keys that lie on this machine; one of them may have been given to a second person."""
    found = {}
    for name in OPERATORS:
        with suppress(StartError):
            found[name] = operators.signing(name)
    return found


_CHANGES: dict[str, Literal["started", "stopped", "restarted", "failed"]] = {
    "ready": "started",
    "failed": "failed",
    "restarting": "restarted",
    "stopped": "stopped",
}


class _Reporter:
    """The supervisor's own events (NET-08: who started, stopped or died)."""

    def __init__(self, where: Layout, publics: dict[str, dict[str, str]], clock: Clock) -> None:
        self._clock = clock
        self._writer = SealedWriter(
            channel="events",
            writer=f"{SUPERVISOR}-0",
            spool=where.spool("events"),
            state=where.supervisor_state,
            signing=supervisor_keys(where).signing("events"),
            reader_public=base64.b64decode(publics["logging"]["events"]),
            clock=clock,
        )

    def report(self, event: Event) -> None:
        """Write one; the system must not stop because its log is full."""
        change = _CHANGES.get(event.change)
        if change is None:
            return
        detail = {"detail": event.detail[:500]} if event.detail else {}
        detail |= {key: json.dumps(value) for key, value in event.info.items()}
        with suppress(ChannelError):
            self._writer.append(
                ProcessEvent(timestamp=self._clock.now(), zone=event.process, change=change, detail=detail)
            )

    def close(self) -> None:
        """Sign the last head."""
        with suppress(ChannelError):
            self._writer.close()
