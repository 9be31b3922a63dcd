"""What `up` prepares before any zone starts: keys, the local authority, private settings (NET-01, DAT-05).

Each zone's private keys lie in its own folder. `up` knows them only while it makes them.
"""

from __future__ import annotations

import base64
from pathlib import Path

from msgspec.structs import replace

from caisson.adapters.embedded.authority import ensure_authority
from caisson.adapters.embedded.keys import FileKeys
from caisson.adapters.embedded.layout import Layout
from caisson.channels.table import SUPERVISOR, Zone
from caisson.ports.clock import Clock
from caisson.wiring.settings import FILE, Settings, Upstream, store, worker_name
from caisson.zones.z6_logging.service import CHECKPOINT_KEY, PSEUDONYM_SECRET, STORE_SECRET

OPERATORS = ("author", "approver")
HANDOVER = "handover.json"
ONLINE_ROLES = ("orders", "snapshot", "timestamp")
_SIGNING = {
    Zone.RUNTIME: ("events",),
    Zone.CONTROL: ("events", *ONLINE_ROLES),
    Zone.LOGGING: ("findings", CHECKPOINT_KEY),
}
_SEALING = {Zone.RUNTIME: (), Zone.CONTROL: ("findings",), Zone.LOGGING: ("events",)}
_SECRETS = {Zone.RUNTIME: ("pseudonyms",), Zone.CONTROL: (), Zone.LOGGING: (PSEUDONYM_SECRET, STORE_SECRET)}


def make_keys(where: Layout) -> dict[str, dict[str, str]]:
    """Make what is missing; returns every zone's public keys, base64.

    Raises:
        StartError: a key folder cannot be used.
    """
    publics: dict[str, dict[str, str]] = {}
    for zone, names in _SIGNING.items():
        keys = FileKeys.create(where.zone(zone, "keys"), signing=names, sealing=_SEALING[zone], secrets=_SECRETS[zone])
        found = {name: keys.signing(name).public_bytes for name in names}
        found |= {name: keys.sealing(name).public_bytes for name in _SEALING[zone]}
        publics[zone.label] = {name: base64.b64encode(public).decode() for name, public in found.items()}
    supervisor = supervisor_keys(where)
    publics[SUPERVISOR] = {"events": base64.b64encode(supervisor.signing("events").public_bytes).decode()}
    return publics


def supervisor_keys(where: Layout) -> FileKeys:
    """The supervisor's own, for its events."""
    return FileKeys.create(where.data / "zones" / "supervisor" / "keys", signing=("events",))


def operator_keys(where: Layout) -> FileKeys:
    """The keys that sign configuration. Made once; the approver's belongs elsewhere from tier 3 (docs/limits.md)."""
    folder = where.zone(Zone.CONTROL, "operators")
    made = any(folder.glob("*.key"))
    return FileKeys(folder) if made else FileKeys.create(folder, signing=OPERATORS)


def write_settings(
    where: Layout,
    *,
    system: str,
    region: str,
    owner_uid: int,
    publics: dict[str, dict[str, str]],
    port: int,
    upstream: Upstream,
    otlp: str,
    workers: int,
) -> dict[str, Path]:
    """A private settings file a process, by its name; the upstream's key goes to the gateway alone (SEC-07)."""
    paths = {}
    for left in where.zone(Zone.RUNTIME, "state").glob(FILE.replace(".", "-*.")):
        left.unlink()  # of a start with more workers
    for zone in (Zone.CONTROL, Zone.LOGGING, Zone.RUNTIME):
        settings = Settings(
            data=str(where.data),
            system=system,
            region=region,
            owner_uid=owner_uid,
            first_uid=where.users.first,
            publics=publics,
            port=port if zone is Zone.RUNTIME else 0,
            upstream=upstream if zone is Zone.RUNTIME else None,
            otlp=otlp if zone is Zone.RUNTIME else "",
            workers=workers if zone is Zone.RUNTIME else 1,
        )
        for worker in range(settings.workers):
            name = worker_name(worker) if zone is Zone.RUNTIME else zone.label
            paths[name] = where.zone(zone, "state") / (FILE.replace(".", f"-{worker}.") if worker else FILE)
            store(paths[name], replace(settings, worker=worker))
    return paths


def certificates(where: Layout, clock: Clock) -> Path:
    """The gateway's certificate; returns the CA bundle for clients."""
    return ensure_authority(where.authority, where.zone(Zone.RUNTIME, "keys"), clock=clock).bundle
