"""What others may know of a running system: `run/state.json` and who the supervisor is.

- The file is replaced whole, so a reader never sees half of it.
- One supervisor for a data folder: a lock that the kernel takes back when its holder ends.

>>> read_state(Path(".caisson/run")).phase  # doctest: +SKIP
'ready'
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from caisson.errors import StartError
from caisson.supervision.identity import ProcessIdentity

FORMAT = 1
STATE_BYTES_MAX = 65_536
Phase = Literal["starting", "ready", "stopping", "stopped", "failed"]
ZonePhase = Literal["waiting", "starting", "ready", "restarting", "retiring", "stopped"]
RenewalPhase = Literal["under way", "done", "failed"]


@dataclass(frozen=True, kw_only=True)
class ZoneState:
    """One process."""

    phase: ZonePhase = "waiting"
    identity: ProcessIdentity | None = None
    """The current run, or the last one."""
    ready_at: float | None = None
    """Unix time in seconds."""
    restarts: int = 0
    last_exit: str = ""
    """How the run before ended, in words."""
    unfinished: bool = False
    """It was told to stop and did not end in time by itself, and well."""


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """The last time that the processes of a group were renewed one after the other."""

    number: int = 0
    """Counts up; 0: none since the start."""
    phase: RenewalPhase = "done"
    detail: str = ""
    """Why it failed."""


@dataclass(frozen=True, kw_only=True)
class State:
    """The whole system."""

    phase: Phase
    supervisor: ProcessIdentity
    since: float
    """Unix time of the phase."""
    zones: dict[str, ZoneState] = field(default_factory=dict)
    renewal: Renewal | None = None
    """None: a supervisor of an earlier version wrote it, which knows no renewal."""


def write_state(run: Path, state: State) -> None:
    """Replace `state.json`.

    Raises:
        OSError: the folder cannot be written.
    """
    zones = {
        name: {
            "phase": zone.phase,
            "pid": None if zone.identity is None else zone.identity.pid,
            "identity": None if zone.identity is None else zone.identity.to_dict(),
            "ready_at": zone.ready_at,
            "restarts": zone.restarts,
            "last_exit": zone.last_exit,
            "unfinished": zone.unfinished,
        }
        for name, zone in state.zones.items()
    }
    document = {
        "format": FORMAT,
        "phase": state.phase,
        "since": state.since,
        "pid": state.supervisor.pid,
        "supervisor": state.supervisor.to_dict(),
        "zones": zones,
        "renewal": None if state.renewal is None else asdict(state.renewal),
    }
    replace(run / "state.json", document)


def read_state(run: Path) -> State | None:
    """What `state.json` says; None when there is none or it is not one of ours."""
    document = read_json(run / "state.json")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return None
    supervisor = ProcessIdentity.parse(document.get("supervisor"))
    if supervisor is None:
        return None
    try:
        return State(
            phase=document["phase"],
            since=float(document["since"]),
            supervisor=supervisor,
            zones={str(name): _zone(zone) for name, zone in document["zones"].items()},
            renewal=_renewal(document.get("renewal")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _renewal(document: dict[str, Any] | None) -> Renewal | None:
    if document is None:
        return None
    return Renewal(number=int(document["number"]), phase=document["phase"], detail=str(document["detail"]))


def _zone(document: dict[str, Any]) -> ZoneState:
    return ZoneState(
        phase=document["phase"],
        identity=ProcessIdentity.parse(document["identity"]),
        ready_at=document["ready_at"],
        restarts=int(document["restarts"]),
        last_exit=str(document["last_exit"]),
        unfinished=bool(document["unfinished"]),
    )


def lock(run: Path) -> int:
    """Be the only supervisor of this data folder, for as long as the descriptor is open.

    Raises:
        StartError: another one runs.
    """
    path = run / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        state = read_state(run)
        who = "" if state is None else f" (process {state.supervisor.pid})"
        raise StartError(
            f"expected nothing to run in {str(run.parent)!r}, found a running system{who}; "
            "stop it with `caisson down` or choose another folder with --data"
        ) from None
    return descriptor


def write_supervisor(run: Path, identity: ProcessIdentity) -> None:
    """Say whom `caisson down` has to ask."""
    replace(run / "supervisor.pid", identity.to_dict())


def read_supervisor(run: Path) -> ProcessIdentity | None:
    """Who said last that it supervises this folder; it may be gone."""
    return ProcessIdentity.parse(read_json(run / "supervisor.pid"))


def replace(path: Path, document: object) -> None:
    """A JSON file that everybody may read, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(json.dumps(document) + "\n")
    unfinished.replace(path)


def read_json(path: Path) -> object:
    """The document in the file; None when there is none."""
    try:
        with path.open("rb") as file:
            return json.loads(file.read(STATE_BYTES_MAX))
    except (OSError, ValueError):
        return None
