"""`caisson down`: ask the running system to finish what is under way, and wait for it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Annotated

import typer

from caisson.errors import StartError
from caisson.supervision.identity import send, wait_ended
from caisson.supervision.service import running
from caisson.supervision.state import read_state

HURRY_SECONDS_MAX = 20.0
"""After its time is up the supervisor kills what is left, which takes no consent; then it is killed itself."""


def down(
    data: Annotated[Path, typer.Option(help="The system's data folder.")] = Path(".caisson"),
    timeout: Annotated[float, typer.Option(min=0.0, help="Seconds that what is under way may take.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Stop the system. What is under way finishes first; what does not within the time is killed, and the exit is 1."""
    data = data.resolve()
    if not (data / "layout.json").is_file():
        typer.echo(f"Expected a data folder of Caisson, found none at {str(data)!r}; say which with --data.", err=True)
        raise typer.Exit(2)
    pidfd = running(data / "run")
    if pidfd is None:
        _say(as_json, f"Nothing runs in {data}.", stopped=False, unfinished=())
        return
    try:
        drained = _stop(pidfd, timeout)
    except PermissionError as error:
        raise StartError("expected a system of this user, found another's; stop it as who started it") from error
    finally:
        os.close(pidfd)
    state = read_state(data / "run")
    zones = {} if state is None else state.zones
    unfinished = tuple(name for name, zone in zones.items() if zone.unfinished)
    if drained and not unfinished:
        _say(as_json, "Stopped; everything under way finished.", stopped=True, unfinished=())
        return
    what = ", ".join(f"{name} did not finish: it {zones[name].last_exit}" for name in unfinished)
    _say(as_json, f"Stopped, but {what or 'it had to be killed'}.", stopped=True, unfinished=unfinished)
    raise typer.Exit(1)


def _stop(pidfd: int, seconds: float) -> bool:
    """Whether it ended by itself in time."""
    send(pidfd, SIGTERM)
    if wait_ended(pidfd, seconds):
        return True
    send(pidfd, SIGTERM)  # a second time means: now
    if not wait_ended(pidfd, HURRY_SECONDS_MAX):
        send(pidfd, SIGKILL)
        wait_ended(pidfd, HURRY_SECONDS_MAX)
    return False


def _say(as_json: bool, text: str, *, stopped: bool, unfinished: tuple[str, ...]) -> None:
    typer.echo(json.dumps({"stopped": stopped, "unfinished": unfinished, "message": text}) if as_json else text)
