"""`caisson session`: sign in on this machine, list sessions, revoke one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from caisson.cli.running import ask, endpoint_of, exchange, fail, warn_unfinished

if TYPE_CHECKING:
    from caisson.cli.aws_profile import Endpoint

REVOCATION_KEPT_S = 3_600.0
"""How long an order is kept for a session whose end is not known: the longest that one lives."""

NOT_REACHED = 3
"""Exit status when the order is in force and a zone may not know it yet."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Sign in; list and revoke sessions."
)
Data = Annotated[Path, typer.Option("--data", help="Data folder of the running system.")]
System = Annotated[
    Path | None, typer.Option("--system", help="Refuse unless the data folder runs the system of this file.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON Lines instead of text.")]
Format = Literal["profile", "json", "env", "process", "bearer"]
DATA = Path(".caisson")
STATES = {"live": "green", "revoked": "red", "expired": "dim", "ended": "dim"}


@app.command()
def new(
    user: Annotated[str, typer.Option(help="User of identity.local.users in the system file.")],
    agent: Annotated[str, typer.Option(help="Agent of the system file.")],
    task: Annotated[str, typer.Option(help="Task of the agent.")],
    ttl: Annotated[str | None, typer.Option(help="How long, such as 15m or 1h. Default: as long as allowed.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="What to print.")] = "profile",
    renew: Annotated[
        bool, typer.Option("--renew/--no-renew", help="Whether a program may renew it (--format process).")
    ] = True,
    system: System = None,
    data: Data = DATA,
) -> None:
    """Sign in, and print how a program uses the session."""
    import json

    from caisson.cli import aws_profile

    endpoint = endpoint_of(data, system)
    asked: dict[str, Any] = {"op": "new", "user": user, "agent": agent, "task": task}
    if ttl is not None:
        asked["ttl_s"] = _seconds(ttl)
    if format_ == "profile":
        decided = ask(data, asked | {"dry": True})
        _write_profile(endpoint, data, asked, renewable=decided["lifetime_s"] > aws_profile.RENEWED_BEFORE_S)
        return
    answer = ask(data, asked | {"format": "bearer" if format_ == "bearer" else "sigv4"})
    if format_ == "bearer":
        typer.echo(answer["bearer_token"])
        typer.echo(f"Session {answer['session_id']}, until {aws_profile.iso(answer['expiration'])}.", err=True)
    elif format_ == "env":
        typer.echo(aws_profile.exports(answer, endpoint))
    elif format_ == "process":
        typer.echo(json.dumps(aws_profile.process_json(answer, renewable=renew)))
    else:
        typer.echo(json.dumps(aws_profile.json_credentials(answer, endpoint), indent=2))


def _write_profile(endpoint: Endpoint, data: Path, asked: dict[str, Any], *, renewable: bool) -> None:
    import shlex

    from caisson.cli import aws_profile
    from caisson.policy.sessions import Role, role_arn

    process = [*_command(), "session", "new", "--data", str(data.absolute()), "--format", "process"]
    for name in ("user", "agent", "task"):
        process += [f"--{name}", asked[name]]
    process += ["--ttl", f"{asked['ttl_s']:g}s"] if "ttl_s" in asked else []
    process += [] if renewable else ["--no-renew"]
    conflict = aws_profile.has_static_default(os.environ)
    role = role_arn(endpoint.system, Role(asked["agent"], asked["task"])) if conflict else None
    path = data.absolute() / "client/config"
    try:
        aws_profile.write(path, aws_profile.profile_file(endpoint, process, role_arn=role))
    except OSError as error:
        fail(f"{path}: cannot be written ({error.strerror}); use --format env.")
    typer.echo(f"export AWS_CONFIG_FILE={shlex.quote(str(path))}")
    typer.echo(f"Profile {aws_profile.PROFILE!r} is in {path}; the line above selects it.", err=True)
    if not renewable:
        typer.echo("SDKs renew at every call what ends within 15 minutes, so a program keeps this session.", err=True)
    in_the_way = aws_profile.overriding(os.environ, endpoint)
    for name, effect in in_the_way:
        typer.echo(f"Warning: {name} is set in this shell; it beats the profile and {effect}.", err=True)
    if in_the_way:
        typer.echo(f"Before you run your program: unset {' '.join(name for name, _ in in_the_way)}", err=True)


def _command() -> list[str]:
    """This program, by absolute paths."""
    script = Path(sys.executable).with_name("caisson")
    return [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-m", "caisson.cli.main"]


@app.command("list")
def list_(json_: AsJson = False, system: System = None, data: Data = DATA) -> None:
    """Sessions that you may see, newest first."""
    import json

    endpoint_of(data, system)
    sessions = ask(data, {"op": "list"})["sessions"]
    if json_:
        for session in sessions:
            typer.echo(json.dumps(session))
        return
    if not sessions:
        typer.echo("No sessions. 'caisson session new' opens one.")
        return
    from rich.table import Table

    from caisson.cli.terminal import cell, console, short

    screen = console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("session", "state", "user", "agent/task", "ends (UTC)"):
        table.add_column(title, no_wrap=True)
    for title in ("tokens", "calls", "USD"):
        table.add_column(title, justify="right", no_wrap=True)
    for session in sessions:
        table.add_row(
            cell(short(session["session_id"], screen.width)),
            cell(session["state"], STATES.get(session["state"], "")),
            cell(session["user"]),
            cell(f"{session['agent']}/{session['task']}"),
            cell(_minute(session["expires"])),
            cell(f"{session['tokens_used']:,}/{_thousands(session['tokens_max'])}"),
            cell(f"{session['actions_used']:,}/{session['actions_max']:,}"),
            cell("unknown" if session["cost_usd"] is None else f"{session['cost_usd']:.4f}"),
        )
    screen.print(table)


def _minute(seconds: float) -> str:
    """The time, with its day unless that is today."""
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%H:%M" if moment.date() == datetime.now(UTC).date() else "%Y-%m-%d %H:%M")


def _thousands(count: int) -> str:
    return f"{count // 1000}k" if count >= 1000 and count % 1000 == 0 else f"{count:,}"


@app.command()
def revoke(
    session_id: Annotated[str, typer.Argument(help="Session id, or its beginning as 'session list' shows it.")],
    reason: Annotated[str, typer.Option(help="Goes to the log.")] = "revoked by its operator",
    json_: AsJson = False,
    system: System = None,
    data: Data = DATA,
) -> None:
    """End a session and all that it handed on."""
    import json
    import time

    from caisson.zones.z5_control.client import ControlClient

    endpoint_of(data, system)
    session_id = _meant(data, session_id)
    known = exchange(data, {"op": "balance", "session_id": session_id})
    # A narrowed session has no account of its own, so one that is not known here may exist all the same.
    until = known["session"]["expires"] if known.get("ok") else time.time() + REVOCATION_KEPT_S
    client = ControlClient(data / "sockets/control.sock")
    done = client.call("revoke_session", session=session_id, until=until, reason=reason)
    told = {"session_id": session_id, "revoked": True, "reached": done["reached"]}
    typer.echo(json.dumps(told) if json_ else f"Revoked {session_id}.")
    if warn_unfinished(done):
        raise typer.Exit(NOT_REACHED)


def _meant(data: Path, beginning: str) -> str:
    """The session that is meant. What no listed session begins with is taken as it is: a narrowed one is not listed."""
    from caisson.cli.terminal import begun_by

    listed = [str(session["session_id"]) for session in ask(data, {"op": "list"})["sessions"]]
    found = begun_by(beginning, listed)
    if len(found) > 1:
        fail(f"{beginning!r} begins {len(found)} sessions; give more of the id. 'session list --json' has it whole.", 2)
    return found[0] if found else beginning


def _seconds(text: str) -> float:
    """Seconds in `15m`, `1h`, `900s` or `900`."""
    import re

    found = re.fullmatch(r"(\d{1,6})([smh]?)", text)
    if found is None:
        fail(f"Expected a time such as 15m, 1h or 900s for --ttl, found {text!r}.", 2)
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3_600}[found[2]]
