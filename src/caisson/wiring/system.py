"""The whole system on one machine: what `caisson up` prepares, starts and reports.

Order of the start: logging zone (it reads what all others write, so it is the last to stop) and control zone (it signs
orders), then the gateway's workers. The gateway's port is bound at once and opens last, when everything behind it is
ready. All workers accept from the same socket, which outlives each of them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from caisson.adapters.embedded.channel import SealedWriter
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.isolation import Isolation, isolation, leave_with_parent, plan_users
from caisson.adapters.embedded.layout import Layout, claim, prepare, recorded_users
from caisson.adapters.embedded.metrics.shared import forget
from caisson.channels.messages import ProcessEvent
from caisson.channels.table import SUPERVISOR, Zone
from caisson.errors import ChannelError, StartError
from caisson.ports.clock import Clock
from caisson.supervision import Event, ProcessSpec, Supervisor, alone, serve
from caisson.supervision.listeners import bind_tcp, bind_unix
from caisson.supervision.spec import zone_environment
from caisson.supervision.state import replace
from caisson.system.schema import System
from caisson.wiring.interface import Interface, certificates
from caisson.wiring.provision import (
    HANDOVER,
    OPERATORS,
    make_keys,
    operator_keys,
    supervisor_keys,
    write_lending,
    write_settings,
)
from caisson.wiring.settings import (
    ARCHIVE_SOCKET,
    ARRIVALS_SOCKET,
    CONFIGURATION_SOCKET,
    EVENTS_SOCKET,
    GATEWAY,
    LEDGER_SOCKET,
    LOG_GROUPS_SOCKET,
    METRICS,
    PUBLICATION_SOCKET,
    UPSTREAM_SOCKET,
    ArchiveBuckets,
    ConfigurationBucket,
    EventQueue,
    LedgerTable,
    LogGroups,
    Upstream,
    worker_name,
)
from caisson.zones.z1_ingress.signin import SOCKET_MODE
from caisson.zones.z5_control.client import ControlClient
from caisson.zones.z5_control.handover import Handover, write_handover

PUBLICS = Path("zones/supervisor/state/publics.json")
OPTIONS = "options.json"
"""In the folder `run`: with what the system was started."""
DEFAULT_REGION = "eu-west-1"
EVENTS_KEYS = "events-keys"
"""Process that lends what events are sent and received with."""
ARCHIVE_KEYS = "archive-keys"
"""Process that lends what the archive is copied with."""
LOG_GROUPS_KEYS = "log-groups-keys"
"""Process that lends what is said in log groups with."""
CONFIGURATION_KEYS = "configuration-keys"
"""Process that lends what the configuration is put into a bucket and read there with."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line asks for."""

    system: System
    data: Path
    port: int
    upstream: Upstream
    ledger: LedgerTable | None = None
    """None: the budgets are in a file."""
    events: EventQueue | None = None
    """None: events stay on this machine."""
    configuration: ConfigurationBucket | None = None
    """None: configuration stays on this machine."""
    archive: ArchiveBuckets | None = None
    """None: the archive is on this machine alone."""
    log_groups: LogGroups | None = None
    """None: metrics are counted on this machine alone."""
    ingress: str = ""
    """Public name of what forwards requests; empty: clients call the gateway themselves."""
    otlp: str = ""
    """URL of an OpenTelemetry collector."""
    workers: int = 1
    """Gateway processes."""
    rotate: bool = False
    """Whether the zones' keys get successors."""
    interface: Interface = field(default_factory=Interface)

    @property
    def endpoint(self) -> str:
        """Where clients connect."""
        return f"https://{self.interface.name}:{self.port}"

    def options(self) -> dict[str, str]:
        """Options of the command line that a running system keeps, each as one would write it; no secret is in them."""
        answers, table, queue, bucket = self.upstream, self.ledger, self.events, self.configuration
        groups = self.log_groups
        return {
            "--port": str(self.port),
            "--upstream": answers.kind + (f"={answers.location}" if answers.location else ""),
            "--ledger": f"dynamodb={_place(table.name, table.endpoint)}" if table else "",
            "--ledger-profile": table.profile if table else "",
            "--ledger-role": table.role if table else "",
            "--events": f"sqs={queue.url}" if queue else "",
            "--events-profile": queue.profile if queue else "",
            "--configuration": f"s3={_place(bucket.name, bucket.endpoint)}" if bucket else "",
            "--configuration-profile": bucket.profile if bucket else "",
            "--archive": f"s3={_place(self.archive.name, self.archive.endpoint)}" if self.archive else "",
            "--archive-profile": self.archive.profile if self.archive else "",
            "--log-groups": f"cloudwatch={_place(groups.prefix, groups.endpoint)}" if groups else "",
            "--log-groups-profile": groups.profile if groups else "",
            "--ingress": self.ingress,
            "--otlp": self.otlp,
            "--workers": str(self.workers),
        }


@dataclass(frozen=True, kw_only=True)
class Started:
    """What runs, for the start table."""

    endpoint: str
    version: int
    """Configuration version in force."""
    staged: bool
    """The file differs from what is in force: it waits for another operator's signature, or was rolled back."""
    isolation: Isolation
    nominal_approval: bool
    """Two signatures are needed and both keys lie on this machine."""
    pids: dict[str, int]


def _place(name: str, endpoint: str) -> str:
    return f"{name}@{endpoint}" if endpoint else name


def region_of(system: System) -> str:
    """The Region that clients sign for."""
    return system.aws.region if system.aws is not None else DEFAULT_REGION


def run(asked: Asked, on_ready: Callable[[Started], None]) -> int:
    """Run until told to stop; the exit status.

    Raises:
        StartError: it cannot run here, or a zone did not start.
        ConfigurationError: the configuration lacks signatures, or the repository was altered.
    """
    asked.interface.require(asked.system)
    clock = SystemClock()
    data = asked.data.resolve()
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    with alone(claim(data, system=asked.system.name)):
        users = plan_users(data, recorded_users(data))
        where = prepare(data, system=asked.system.name, users=users)
        publics = make_keys(where, rotate=asked.rotate)
        bundle = certificates(where, asked.interface, clock)
        (where.data / PUBLICS).write_text(json.dumps(publics))
        nominal = _hand_over(where, asked.system, publics)
        settings = write_settings(
            where,
            system=asked.system.name,
            region=region_of(asked.system),
            owner_uid=os.geteuid(),
            publics=publics,
            host=asked.interface.address,
            port=asked.port,
            upstream=asked.upstream,
            ledger=asked.ledger,
            events=asked.events,
            configuration=asked.configuration,
            archive=asked.archive,
            log_groups=asked.log_groups,
            ingress=asked.ingress,
            otlp=asked.otlp,
            workers=asked.workers,
        )
        lending = _lending(where, asked)
        forget(where.zone(Zone.RUNTIME, "state") / METRICS)
        where.hand_over()
        listens = {
            "public": bind_tcp(asked.interface.address, asked.port),
            "signin": bind_unix(where.sockets / "gateway.sock", SOCKET_MODE),
        }
        replace(where.run / OPTIONS, asked.options())
        replace(
            where.run / "endpoint.json",
            {
                "host": asked.interface.name,
                "address": asked.interface.address,
                "port": asked.port,
                "region": region_of(asked.system),
                "ca_bundle": str(bundle),
                "system": asked.system.name,
            },
        )
        reporter = _Reporter(where, publics, clock)

        def spec(name: str, zone: Zone, module: str, after: tuple[str, ...], **more: Any) -> ProcessSpec:
            return ProcessSpec(
                name=name,
                argv=(sys.executable, "-m", "caisson.wiring", module, str(settings[name])),
                user=users.user(zone) if users.first is not None else None,
                waits=True,
                after=after,
                **more,
            )

        specs = [  # before the zones, as the owner: the profiles' files and programs are the owner's
            ProcessSpec(
                name=name,
                argv=(sys.executable, "-m", "caisson.wiring", "lending", str(told)),
                environment=zone_environment(HOME=str(Path.home())),
                waits=True,
                after=(),
            )
            for name, told in lending.items()
        ]
        lent = [(EVENTS_KEYS, asked.events), (ARCHIVE_KEYS, asked.archive), (LOG_GROUPS_KEYS, asked.log_groups)]
        before = tuple(name for name, wanted in lent if wanted is not None)
        specs.append(spec("logging", Zone.LOGGING, "logging", before))
        first = (CONFIGURATION_KEYS,) if asked.configuration is not None else ()
        specs.append(spec("control", Zone.CONTROL, "control", first))
        needs = tuple(each.name for each in specs)
        for worker in range(asked.workers):  # the first makes what all of them share
            after = (GATEWAY,) if worker else needs
            specs.append(spec(worker_name(worker), Zone.RUNTIME, GATEWAY, after, group=GATEWAY, listens=listens))

        def make() -> Supervisor:
            return Supervisor(specs, run=where.run, clock=clock, prepare=leave_with_parent, on_event=reporter.report)

        def ready(supervisor: Supervisor) -> None:
            zones = supervisor.state.zones
            status = ControlClient(where.sockets / "control.sock").call("status")
            on_ready(
                Started(
                    endpoint=asked.endpoint,
                    version=status["configuration"]["version"],
                    staged=not status["handed_over_is_in_force"],
                    isolation=isolation(users),
                    nominal_approval=nominal,
                    pids={name: zone.identity.pid for name, zone in zones.items() if zone.identity},
                )
            )

        try:
            return asyncio.run(serve(make=make, on_ready=ready, renews=GATEWAY))
        finally:
            for listener in listens.values():
                listener.close()
            reporter.close()


def _lending(where: Layout, asked: Asked) -> dict[str, Path]:
    """Settings of each process that resolves an AWS profile, by its name."""
    wanted = []
    if asked.upstream.profile:
        wanted.append(("upstream", asked.upstream.profile, "--upstream bedrock", [(UPSTREAM_SOCKET, Zone.RUNTIME)]))
    if asked.ledger is not None:
        wanted.append(("ledger-keys", asked.ledger.profile, "--ledger dynamodb", [(LEDGER_SOCKET, Zone.RUNTIME)]))
    if asked.events is not None:
        doors = [(EVENTS_SOCKET, Zone.RUNTIME), (ARRIVALS_SOCKET, Zone.LOGGING)]
        wanted.append((EVENTS_KEYS, asked.events.profile, "--events sqs", doors))
    if asked.configuration is not None:
        doors = [(PUBLICATION_SOCKET, Zone.CONTROL), (CONFIGURATION_SOCKET, Zone.RUNTIME)]
        wanted.append((CONFIGURATION_KEYS, asked.configuration.profile, "--configuration s3", doors))
    if asked.archive is not None:
        doors = [(ARCHIVE_SOCKET, Zone.LOGGING)]
        wanted.append((ARCHIVE_KEYS, asked.archive.profile, "--archive s3", doors))
    if asked.log_groups is not None:
        doors = [(LOG_GROUPS_SOCKET, Zone.LOGGING)]
        wanted.append((LOG_GROUPS_KEYS, asked.log_groups.profile, "--log-groups cloudwatch", doors))
    return {
        name: write_lending(
            where,
            name,
            region=region_of(asked.system),
            profile=profile,
            option=option,
            doors=doors,
            workers=asked.workers,
        )
        for name, profile, option, doors in wanted
    }


def bundle_of(system: System, publics: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What zones take from the signed configuration."""
    return {"format": 1, "system": system.to_bundle(), "keys": publics}


def _hand_over(where: Layout, system: System, publics: dict[str, dict[str, str]]) -> bool:
    """Leave the system for the control zone to sign; whether both operators' keys are needed and both lie here."""
    operators = operator_keys(where)
    write_handover(
        where.zone(Zone.CONTROL, "state") / HANDOVER,
        Handover(bundle=bundle_of(system, publics), author=f"uid:{os.getuid()}", reason="caisson up"),
    )
    held = 0
    for name in OPERATORS:
        with suppress(StartError):
            operators.signing(name)
            held += 1
    return system.configuration_signatures > 1 and held > 1


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
