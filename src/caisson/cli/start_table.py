"""What `caisson up` says when it is ready: what runs, what is loosened or broken, what is not built, what is next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from caisson.cli.terminal import cell, console, line

if TYPE_CHECKING:
    from caisson.system.schema import System
    from caisson.wiring.system import Asked, Started

TIERS = {1: "low", 2: "medium", 3: "high", 4: "critical"}
NOT_BUILT = "zones 3 and 4, retrieval, tools, approvals, console"


def as_document(system: System, started: Started) -> dict[str, Any]:
    """The same for programs."""
    return {
        "endpoint": started.endpoint,
        "configuration_version": started.version,
        "pids": started.pids,
        "loosened": [row.model_dump(mode="json") for row in system.loosened],
        "isolation": {"landlock": str(started.isolation.landlock), "users": str(started.isolation.users)},
        "broken": list(started.isolation.broken),
    }


def show_started(started: Started, data: Path, asked: Asked) -> None:
    """A line a fact; good news plain, warnings yellow, what does not hold red."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")

    def row(name: str, value: str, style: str = "") -> None:
        table.add_row(cell(name, style), cell(value, style))

    row("endpoint", started.endpoint, "bold green")
    system, upstream, ledger = asked.system, asked.upstream, asked.ledger
    as_whom = f"as profile {upstream.profile!r}" if upstream.profile else ""
    row("answers", " ".join(filter(None, (upstream.kind, upstream.location, as_whom))))
    if ledger is not None:
        with_role = "a role for each session" if ledger.role else "the profile's own credentials for all sessions"
        row("budgets", f"DynamoDB table {ledger.name} as profile {ledger.profile!r}, {with_role}")
    if asked.events is not None:
        row("events", f"the gateway's through {asked.events.url} as profile {asked.events.profile!r}")
    if asked.configuration is not None:
        bucket = asked.configuration
        row("configuration", f"reaches the gateway through bucket {bucket.name} as profile {bucket.profile!r}")
    if asked.archive is not None:
        row("log", f"copied into {asked.archive.name} as profile {asked.archive.profile!r}")
    if asked.log_groups is not None:
        row("metrics", f"counted in {asked.log_groups.prefix}/CLASS as profile {asked.log_groups.profile!r}")
    row("configuration", f"version {started.version}")
    row("processes", ", ".join(f"{name} {pid}" for name, pid in started.pids.items()))
    row("Landlock", str(started.isolation.landlock))
    row("own users", str(started.isolation.users))
    for control in started.isolation.broken:
        row("broken", f"{control}: neither Landlock nor own users keep the zones apart here", "red")
    if started.staged:
        row("configuration", "the file is not in force: it waits for a signature or was rolled back", "yellow")
    for found in system.loosened:
        row("loosened", f"{found.key}: {found.value} instead of {found.default}, because {found.because}", "yellow")
    if started.nominal_approval:
        row("approval", "both configuration keys lie here, so two signatures are one person's", "yellow")
    row("not built", NOT_BUILT)
    screen = console()
    screen.print(cell(f"{system.name}, tier {system.tier} ({TIERS[system.tier]})", "bold"))
    screen.print(table)
    commands = next_commands(system, data)
    if commands:
        screen.print("\nIn another shell:")
    for command in commands:
        screen.print(Text(f"  {line(command)}"), soft_wrap=True)  # whole, so that it can be copied
    screen.print(Text("\nReady. Ctrl-C stops it; what is under way finishes first.", style="dim"))


def next_commands(system: System, data: Path) -> list[str]:
    """How a local user goes on; nothing where there is none."""
    user = next(iter(system.identity.local.users), None)
    if user is None:
        return []
    agent = next(iter(system.agents))
    task = next(iter(system.agents[agent].tasks))
    where = [] if data == Path(".caisson") else ["--data", str(data)]
    sign_in = [_program(), "session", "new", "--user", user, "--agent", agent, "--task", task, *where]
    talk = [_program(), "chat", "--user", user, *where]
    return [f'eval "$({shlex.join(sign_in)})"', shlex.join(talk)]


def _program() -> str:
    """This program, as one types it here: `caisson` where the shell finds it."""
    script = Path(sys.executable).with_name("caisson")
    found = shutil.which("caisson")
    if found is not None and Path(found).resolve() == script.resolve():
        return "caisson"
    return os.path.relpath(script) if script.is_relative_to(Path.cwd()) else str(script)
