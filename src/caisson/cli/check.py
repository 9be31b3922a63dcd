"""`caisson check`: is the system file sound, and what does it resolve to? Exit 0 when it is, 2 when not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caisson.cli.options import SYSTEM_FILE, SystemFile

if TYPE_CHECKING:
    from rich.console import RenderableType

    from caisson.system.carriers import Carrier
    from caisson.system.document import Problem
    from caisson.system.loader import Reading
    from caisson.system.schema import Guardrail, System

TIER_NAMES = {1: "low", 2: "medium", 3: "high", 4: "critical"}
CARRIERS: tuple[Carrier, ...] = ("up", "synth")
ENTRIES_SHOWN_MAX = 8
"""Words, types and keys that one cell of the table lists."""


def check(
    system: SystemFile = SYSTEM_FILE,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    tool_schema: Annotated[
        Path | None,
        typer.Option(help="Print what client_tools pins for a tool's JSON Schema, or for a toolConfig, in this file."),
    ] = None,
) -> None:
    """Check a system file and show what it resolves to."""
    if tool_schema is not None:
        from caisson.cli.tool_schema import show

        show(tool_schema, json_=json_)
        return
    from caisson.errors import SystemFileError
    from caisson.system.loader import read

    try:
        reading = read(system)
    except SystemFileError as error:
        if json_:
            typer.echo(_json({"file": str(system), "ok": False, "problems": [{"message": str(error)}]}))
        else:
            typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if json_:
        typer.echo(_json(_described(reading)))
    else:
        _show(reading)
    if reading.system is None:
        raise typer.Exit(2)


def _json(value: dict[str, Any]) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _described(reading: Reading) -> dict[str, Any]:
    """The outcome as JSON values."""
    from caisson.deploy.acceptance import weakened

    return {
        "file": reading.name,
        "ok": reading.system is not None,
        "problems": [_located(problem) for problem in reading.problems],
        "warnings": [_located(problem) for problem in reading.warnings],
        "not_built": {carrier: [_located(found) for found in reading.unbuilt(carrier)] for carrier in CARRIERS},
        "weakened": list(weakened(reading.system)) if reading.system else [],
        "system": reading.system.to_bundle() if reading.system else None,
    }


def _located(problem: Problem) -> dict[str, Any]:
    from caisson.system.carriers import dotted

    return {
        "line": problem.position.line,
        "column": problem.position.column,
        "key": dotted(problem.path),
        "message": problem.message,
    }


def _show(reading: Reading) -> None:
    from rich.console import Console

    trouble = Console(stderr=True, highlight=False, soft_wrap=True)
    for problem in reading.problems:
        trouble.print(problem.line_in(reading.name), markup=False)
    for warning in reading.warnings:
        trouble.print(f"warning: {warning.line_in(reading.name)}", markup=False)
    if reading.system is None:
        count = len(reading.problems)
        trouble.print(
            f"{reading.name}: {count} {'problem' if count == 1 else 'problems'}", style="bold red", markup=False
        )
        return
    console = Console(highlight=False)
    console.print(_table(reading, reading.system))


def _table(reading: Reading, system: System) -> RenderableType:
    """What the file resolves to, a line a fact."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    from caisson.deploy.acceptance import weakened
    from caisson.system.carriers import dotted

    table = Table(box=SIMPLE, show_header=False, pad_edge=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")

    def row(name: str, value: str, style: str = "") -> None:
        table.add_row(Text(name), Text(value, style=style))

    row("system", f"{system.name}, tier {system.tier} ({TIER_NAMES[system.tier]})", "bold")
    row("sign-in", _sign_in(system))
    row("groups", _some(system.identity.groups) or "none")
    for alias, model in system.models.items():
        row(f"model {alias}", f"{model.id}, answers up to {model.output_tokens_max:,} tokens")
    for name, guardrail in system.guardrails.items():
        row(f"guardrail {name}", _inspects(guardrail))
    for name, agent in system.agents.items():
        row(f"agent {name}", f"model {agent.model}, guardrail {agent.guardrail}, tasks {_some(agent.tasks)}")
    row("session", _session(system))
    row("limits", _limits(system))
    row("durability", _durability(system))
    for found in system.loosened:
        row("loosened", f"{found.key}: {found.value} instead of {found.default}, because {found.because}", "yellow")
    for sentence in weakened(system):
        row("weakened", sentence, "yellow")
    for carrier in CARRIERS:
        refused = reading.unbuilt(carrier)
        if refused:
            row(f"{carrier} refuses", _refused(refused), "red" if carrier == "up" else "dim")
        else:
            waiting = _some([dotted(found.path) for found in reading.waiting(carrier)])
            row(
                carrier,
                f"takes every key; without effect yet: {waiting}" if waiting else "runs every key that concerns it",
                "green",
            )
    return table


def _sign_in(system: System) -> str:
    ways = [f"tokens of {system.identity.issuer.url}"] if system.identity.issuer else []
    if system.identity.local.users:
        ways.append(f"local users {_some(system.identity.local.users)}")
    return "; ".join(ways)


def _inspects(guardrail: Guardrail) -> str:
    parts = [f"prompt attack {guardrail.prompt_attack}", f"credentials {guardrail.credentials}"]
    for action in ("block", "pseudonymise", "flag"):
        names = [name for name, chosen in guardrail.pii.items() if chosen == action]
        names += [pattern.name for pattern in guardrail.patterns if pattern.action == action]
        if names:
            parts.append(f"{action} {_some(names)}")
    if guardrail.words:
        parts.append(f"{len(guardrail.words)} {'word' if len(guardrail.words) == 1 else 'words'} refused")
    if guardrail.mode == "detect":
        parts.insert(0, f"only detects until {guardrail.until}")
    return "; ".join(parts)


def _session(system: System) -> str:
    from caisson.system.values import format_duration

    session = system.sessions
    return f"{format_duration(session.duration_s)}, {session.tokens:,} tokens, {session.actions:,} actions"


def _limits(system: System) -> str:
    from caisson.system.values import format_duration

    limits = system.limits
    return (
        f"{limits.requests_per_user} a user, {limits.requests_total} in all, {limits.concurrency_max} at once, "
        f"{format_duration(limits.request_timeout_s)} and {limits.body_bytes_max:,} bytes a request"
    )


def _durability(system: System) -> str:
    events = "on stable storage before the last byte leaves" if system.fsync else "handed to the operating system"
    signatures = system.configuration_signatures
    return (
        f"events {events}; {signatures} {'signature' if signatures == 1 else 'signatures'} a configuration; "
        f"orders expire after {system.orders_expiry_s} s"
    )


def _refused(problems: tuple[Problem, ...]) -> str:
    from caisson.system.carriers import dotted

    return _some([f"{dotted(found.path)} (line {found.position.line})" for found in problems])


def _some(names: Any) -> str:
    listed = list(names)
    more = f" and {len(listed) - ENTRIES_SHOWN_MAX} more" if len(listed) > ENTRIES_SHOWN_MAX else ""
    return ", ".join(listed[:ENTRIES_SHOWN_MAX]) + more
