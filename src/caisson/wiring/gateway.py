"""A gateway worker: zones 1 and 2 (NET-01, NET-07).

Workers share the listening sockets, the ledger, the session keys and the compiled patterns. Each has a spool of its own
in the log, a TUF client of its own, and follows configuration and orders by itself.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings

from caisson.adapters.embedded.channel import SPOOL_BYTES_MAX, RefusalAggregator
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.compiled import CompiledPatterns
from caisson.adapters.embedded.configuration import (
    SteadyClock,
    TufConfigurationSource,
    establish_trust,
    share_trust,
)
from caisson.adapters.embedded.credentials import EmbeddedCredentials
from caisson.adapters.embedded.embedder.openai import OpenAIEmbedder
from caisson.adapters.embedded.embedder.static import StaticEmbedder
from caisson.adapters.embedded.extractor import EmbeddedExtractor
from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.adapters.embedded.isolation import restrict
from caisson.adapters.embedded.isolation.zones import zone_rules
from caisson.adapters.embedded.keyring import session_keys
from caisson.adapters.embedded.keys import FileKeys
from caisson.adapters.embedded.layout import Layout
from caisson.adapters.embedded.metrics import SharedMetrics
from caisson.adapters.embedded.metrics.opentelemetry import OpenTelemetryMetrics
from caisson.adapters.embedded.metrics.shared import LEAVE_EVERY_S
from caisson.adapters.embedded.model.offline import OfflineModel
from caisson.adapters.embedded.model.openai import OpenAIModel
from caisson.adapters.embedded.model.script import ScriptModel
from caisson.adapters.embedded.under_way import SharedCount
from caisson.channels.messages import ConfigurationEvent
from caisson.channels.table import Zone
from caisson.detect.prefilter import keep_in
from caisson.errors import ChannelError, ConfigurationError, StartError, SystemFileError
from caisson.policy.prices import Prices
from caisson.ports.clock import Clock
from caisson.ports.configuration import Configuration, ConfigurationSource, Orders
from caisson.ports.embedder import Embedder
from caisson.ports.guardrail import Guardrail
from caisson.ports.model import Model
from caisson.supervision.listeners import inherited
from caisson.supervision.readiness import announce_ready
from caisson.system.schema import System
from caisson.wiring.bedrock import Bedrock
from caisson.wiring.configuration import Repository
from caisson.wiring.configuration import ports as bucket_ports
from caisson.wiring.events import Departures, labels
from caisson.wiring.events import ports as queue_ports
from caisson.wiring.interface import require_identities
from caisson.wiring.ledger import Budgets
from caisson.wiring.ledger import ports as ledger_ports
from caisson.wiring.process import POLL_S, every, retire_on_signal, settle_memory, stop_on_signals
from caisson.wiring.settings import METRICS, UPSTREAM_SOCKET, Settings, Upstream, read, worker_name
from caisson.zones.z1_ingress.forwarded import Ingress
from caisson.zones.z1_ingress.gateway import Gateway
from caisson.zones.z1_ingress.identity import Identity
from caisson.zones.z1_ingress.server import SharedServer
from caisson.zones.z1_ingress.sessions import Sessions
from caisson.zones.z1_ingress.signin import SignIn, serve_signin
from caisson.zones.z1_ingress.sts import TokenService
from caisson.zones.z2_runtime.lost import SWEEP_EVERY_S, sweep
from caisson.zones.z2_runtime.pseudonyms import PseudonymKeys
from caisson.zones.z2_runtime.runtime import Runtime, Snapshot

HEADER_MILLISECONDS_MAX = 10_000
REFUSALS_TICK_S = 2.0
DRAIN_SECONDS_MAX = 30.0
TASKS_SECONDS_MAX = 10.0
"""For the background tasks to end. With the two others it is less than the supervisor's patience."""
LINGER_S = 2.0
"""How long a worker that retires keeps idle connections: who asks at least this often is told to use another one, and
never meets a connection that closes under its request."""
STRANGERS_BYTES_MAX = 16 << 20
"""Spool that refusals of callers without an identity may fill: their own, so that they cannot fill anybody else's.
All workers together."""
WORKER_SPOOL_BYTES_MIN = 64 << 20
"""Each worker's part of the spool's bound is at least this: one request's events must fit in any case."""
HTTPS_PORT = 443
LISTENING_SECONDS_MAX = 20.0
"""Below the supervisor's patience, so that the reason is said."""

log = logging.getLogger("caisson.gateway")


def run(settings_file: Path) -> int:
    """Serve until told to stop."""
    uvloop.run(_serve(read(settings_file)))
    return 0


def make_model(upstream: Upstream | None, clock: Clock) -> Model:
    """The model endpoint that `up --upstream` names."""
    if upstream is None or upstream.kind == "offline":
        return OfflineModel(clock)
    if upstream.kind == "script":
        return ScriptModel.load(Path(upstream.location), clock)
    return OpenAIModel(upstream.location, clock, api_key=upstream.api_key or None)


def make_embedder(upstream: Upstream | None) -> Embedder:
    """What answers embedding models beside `make_model`."""
    if upstream is None or upstream.kind in ("offline", "script"):
        return StaticEmbedder(upstream.kind if upstream else "offline")
    return OpenAIEmbedder(upstream.location, api_key=upstream.api_key or None)


async def _serve(settings: Settings) -> None:
    clock, where = SystemClock(), settings.layout()
    extractor = EmbeddedExtractor.start()  # before anything secret is read, and before this process confines itself
    state = where.zone(Zone.RUNTIME, "state")
    keys = FileKeys(where.zone(Zone.RUNTIME, "keys"))

    keep_in(CompiledPatterns(state / "compiled", keys.secret("pseudonyms")))
    worker, workers = settings.worker, settings.workers
    departures = await Departures.open(settings, where, clock, keys)
    own, others = labels(worker)
    events = departures.writer(own, max(SPOOL_BYTES_MAX // workers, WORKER_SPOOL_BYTES_MIN))
    strangers = departures.writer(others, STRANGERS_BYTES_MAX // workers)
    trust = state / (f"trust-{worker}" if worker else "trust")
    repository = await Repository.open(settings, where, clock)
    establish_trust(where.configuration, state / "trust")
    if worker:
        share_trust(state / "trust", trust)
    source = TufConfigurationSource(repository.folder, trust, clock)
    configuration, orders = source.refresh()
    system = System.from_bundle(configuration.bundle["system"])
    require_identities(system, settings.host)
    budgets = await Budgets.open(settings, where, clock, state / "ledger.db")
    ledger = budgets.ledger
    bedrock = await _bedrock(settings, where, clock, keys.secret("pseudonyms"))
    model = bedrock.model if bedrock is not None else make_model(settings.upstream, clock)
    embedder = bedrock.embedder if bedrock is not None else make_embedder(settings.upstream)
    credentials = EmbeddedCredentials(
        open_keys=session_keys(where.zone(Zone.RUNTIME, "keys")), system=settings.system, clock=clock
    )
    steady = SteadyClock(clock)  # what has expired stays expired, whatever happens to the machine's clock
    sessions = Sessions(ledger=ledger, events=events, clock=steady)
    identity = Identity(sessions=sessions, credentials=credentials, region=settings.region, clock=clock)
    refusals = RefusalAggregator(strangers, clock)
    metrics = SharedMetrics(state / METRICS, worker=worker, workers=workers)
    runtime = Runtime(
        snapshot=_snapshot(configuration, system, bedrock),
        model=model,
        ledger=ledger,
        events=events,
        clock=clock,
        metrics=metrics,
        prices=Prices.load(settings.region),
        pseudonyms=PseudonymKeys(keys.secret("pseudonyms")),
        extractor=extractor,
        embedder=embedder,
    )
    follower = Follower(
        source=source, runtime=runtime, identity=identity, clock=steady, address=settings.host, bedrock=bedrock
    )
    follower.apply(configuration, orders)
    gateway = Gateway(
        runtime=runtime,
        identity=identity,
        sts=TokenService(
            identity=identity,
            sessions=sessions,
            credentials=credentials,
            on_refusal=lambda refusal, request, request_id: refusals.record(
                error=refusal.error.code, rule=refusal.rule, source=request.client, request_id=request_id
            ),
        ),
        refusals=refusals,
        readiness=follower,
        in_all=SharedCount(state / "under-way", worker=worker, workers=workers),
        ingress=Ingress(settings.ingress) if settings.ingress else None,
    )
    signin = SignIn(
        sessions=sessions, credentials=credentials, ledger=ledger, clock=clock, owner_uid=settings.owner_uid
    )
    server = SharedServer(
        gateway,
        bound=inherited("public"),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS_MAX, max_buffer_size=65_536),
        websockets=False,
        log_access=False,
        ssl_cert=where.zone(Zone.RUNTIME, "keys") / "tls.pem",
        ssl_key=where.zone(Zone.RUNTIME, "keys") / "tls.key",
        ssl_protocol_min=SSLProtocols.tls12,
        backpressure=system.limits.concurrency_max * 2,
    )
    door = await serve_signin(inherited("signin"), signin)
    held = restrict(zone_rules(where, Zone.RUNTIME, connect_ports=_ports(settings, system)))
    repository.start()
    await departures.start()
    await budgets.check()
    if settings.otlp:  # it starts a thread, so it comes after the process has confined itself
        runtime.metrics = OpenTelemetryMetrics(
            settings.otlp, exposing=metrics, system=settings.system, process=worker_name(worker)
        )
    stop, retire = stop_on_signals(), retire_on_signal()
    tasks = [
        asyncio.create_task(server.serve()),
        asyncio.create_task(every(POLL_S, stop, follower.poll)),
        asyncio.create_task(every(REFUSALS_TICK_S, stop, refusals.tick)),
        asyncio.create_task(every(LEAVE_EVERY_S, stop, metrics.leave)),
    ]
    if worker == 0:  # one is enough, and two would record what was lost twice
        tasks.append(asyncio.create_task(every(SWEEP_EVERY_S, stop, lambda: sweep(runtime))))
    feeds = [feed for feed in (bedrock, budgets.feed, departures.feed, repository.feed) if feed is not None]
    leases = [asyncio.create_task(feed.follow()) for feed in feeds]
    watching = asyncio.create_task(extractor.watch())
    try:
        await _serving(server, tasks[0])
        settle_memory()
        announce_ready({"landlock_abi": held.landlock_abi, "missing": list(held.missing)})
        told = [asyncio.create_task(stop.wait()), asyncio.create_task(retire.wait())]
        done, _ = await asyncio.wait([*tasks, *leases, watching, *told], return_when=asyncio.FIRST_COMPLETED)
        for task in done.difference(told):
            task.result()  # a background task that ends early has failed: stop closed, and be restarted
        if not stop.is_set():
            door.close()
            server.stop_accepting()
            retiring = asyncio.create_task(gateway.retire(DRAIN_SECONDS_MAX))
            await asyncio.wait([told[0], retiring], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait(told[:1], timeout=LINGER_S)
            server.stop()  # idle connections close; what is under way goes on
    finally:
        door.close()
        left = await gateway.drain(DRAIN_SECONDS_MAX)
        if left:
            log.warning("%d requests did not finish within %g s", left, DRAIN_SECONDS_MAX)
        server.stop()
        stop.set()
        await asyncio.wait(tasks, timeout=TASKS_SECONDS_MAX)
        watching.cancel()
        await asyncio.wait([watching])
        await extractor.close()
        refusals.flush()
        runtime.metrics.close()
        for lease in leases:
            lease.cancel()
        if bedrock is not None:
            await bedrock.close()
        await model.close()
        await embedder.close()
        strangers.close()
        events.close()
        departures.close()
        repository.close()
        await budgets.stop()


async def _serving(server: SharedServer, serving: asyncio.Task[None]) -> None:
    """Return when the server accepts.

    Raises:
        ConfigurationError: it does not in time. That costs a whole start, so a busy machine is given longer.
    """
    ends = asyncio.get_running_loop().time() + LISTENING_SECONDS_MAX
    while asyncio.get_running_loop().time() < ends:
        if serving.done():
            serving.result()
        elif server.serves:
            return
        await asyncio.sleep(0.01)
    raise ConfigurationError(f"expected to accept connections within {LISTENING_SECONDS_MAX:g} s, found no server")


async def _bedrock(settings: Settings, where: Layout, clock: Clock, secret: bytes) -> Bedrock | None:
    upstream = settings.upstream
    if upstream is None or upstream.kind != "bedrock":
        return None
    return await Bedrock.connect(
        where.sockets / UPSTREAM_SOCKET,
        region=settings.region,
        override=upstream.location,
        clock=clock,
        pseudonym_secret=secret,
    )


def _snapshot(configuration: Configuration, system: System, bedrock: Bedrock | None) -> Snapshot:
    guardrail: Guardrail = EmbeddedGuardrail(system, configuration.version)
    if bedrock is not None:
        guardrail = bedrock.beside(guardrail, system)
    return Snapshot.of(version=configuration.version, system=system, guardrail=guardrail)


def _ports(settings: Settings, system: System) -> tuple[int, ...]:
    """The only TCP ports that this process may connect to: of upstream, ledger, queue, bucket, collector and issuer."""
    ports = ledger_ports(settings.ledger) | queue_ports(settings.events, settings.region)
    ports |= bucket_ports(settings.configuration, settings.region)
    upstream = settings.upstream
    urls = [upstream.location] if upstream and upstream.kind in ("openai", "bedrock") and upstream.location else []
    if upstream and upstream.kind == "bedrock" and not upstream.location:
        ports.add(HTTPS_PORT)
    if settings.otlp:
        urls.append(settings.otlp)
    if system.identity.issuer is not None:
        urls.append(system.identity.issuer.url)
    for url in urls:
        parts = urlsplit(url)
        ports.add(parts.port or (HTTPS_PORT if parts.scheme == "https" else 80))
    return tuple(sorted(ports))


class Follower:
    """Keeps the runtime on the newest valid configuration and orders; what is invalid is reported and not applied."""

    def __init__(
        self,
        *,
        source: ConfigurationSource,
        runtime: Runtime,
        identity: Identity,
        clock: Clock,
        address: str,
        bedrock: Bedrock | None = None,
    ) -> None:
        self._clock = clock
        self._address = address
        self._bedrock = bedrock
        self._source = source
        self._runtime = runtime
        self._identity = identity
        self._orders: Orders | None = None
        self._problem = ""

    def problems(self) -> list[str]:
        """Why requests are refused now; empty when they are not."""
        if self._orders is None or self._orders.expires <= self._clock.now():
            return ["the orders have expired: the control zone does not renew them"]
        return [f"stopped by order: {self._orders.stopped}"] if self._orders.stopped else []

    def poll(self) -> None:
        """Look, and apply what is new."""
        if not self._source.changed():
            return
        try:
            configuration, orders = self._source.refresh()
            self.apply(configuration, orders)
        except (ConfigurationError, StartError, SystemFileError) as error:
            if str(error) != self._problem:
                self._problem = str(error)
                self._report("refused", "configuration", self._runtime.snapshot.version, reason=str(error))
            return
        self._problem = ""

    def apply(self, configuration: Configuration, orders: Orders) -> None:
        """Put a verified pair in force."""
        system = self._runtime.snapshot.system
        if configuration.version != self._runtime.snapshot.version:
            system = System.from_bundle(configuration.bundle["system"])
            require_identities(system, self._address)  # a rollback may bring local users back
            self._runtime.snapshot = _snapshot(configuration, system, self._bedrock)
            self._report("applied", "configuration", configuration.version, sha256=configuration.sha256)
        if self._orders is None or orders.number != self._orders.number:
            self._report("applied", "orders", orders.number)
        self._orders = orders
        self._identity.set_state(system, orders)

    def _report(self, change: str, role: str, version: int, *, sha256: str = "", reason: str = "") -> None:
        try:
            self._runtime.events.append(
                ConfigurationEvent(
                    timestamp=self._runtime.clock.now(), zone="runtime", change=change, role=role,  # type: ignore[arg-type]
                    version=version, sha256=sha256, reason=reason,
                )
            )  # fmt: skip
        except ChannelError as error:
            log.error("cannot report that %s %d was %s: %s", role, version, change, error)
