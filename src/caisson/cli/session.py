"""`caisson session`: sign in on this machine, list sessions, revoke one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from caisson.cli.aws_profile import Endpoint

ANSWER_BYTES_MAX = 8_388_608
"""A thousand sessions listed are under 1 MB."""
TIMEOUT_S = 10.0
REVOCATION_KEPT_S = 3_600.0
"""How long an order is kept for a session whose end is not known: the longest that one lives."""

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

    endpoint = _endpoint(data, system)
    asked: dict[str, Any] = {"op": "new", "user": user, "agent": agent, "task": task}
    if ttl is not None:
        asked["ttl_s"] = _seconds(ttl)
    if format_ == "profile":
        decided = _ask(data, asked | {"dry": True})
        _write_profile(endpoint, data, asked, renewable=decided["lifetime_s"] > aws_profile.RENEWED_BEFORE_S)
        return
    answer = _ask(data, asked | {"format": "bearer" if format_ == "bearer" else "sigv4"})
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
        _fail(f"{path}: cannot be written ({error.strerror}); use --format env.")
    typer.echo(f"export AWS_CONFIG_FILE={shlex.quote(str(path))}")
    typer.echo(f"Profile {aws_profile.PROFILE!r} is in {path}; the line above selects it.", err=True)
    if not renewable:
        typer.echo("SDKs renew at every call what ends within 15 minutes, so a program keeps this session.", err=True)
    for name in aws_profile.OVERRIDING:
        if os.environ.get(name) not in (None, "", aws_profile.PROFILE):
            typer.echo(f"{name} is set and beats every configuration file; unset it.", err=True)


def _command() -> list[str]:
    """This program, by absolute paths."""
    script = Path(sys.executable).with_name("caisson")
    return [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-m", "caisson.cli.main"]


@app.command("list")
def list_(json_: AsJson = False, system: System = None, data: Data = DATA) -> None:
    """Sessions that you may see, newest first."""
    import json

    _endpoint(data, system)
    sessions = _ask(data, {"op": "list"})["sessions"]
    if json_:
        for session in sessions:
            typer.echo(json.dumps(session))
        return
    from rich.console import Console
    from rich.table import Table

    from caisson.cli.aws_profile import iso

    table = Table(box=None, header_style="bold")
    for title in ("session", "state", "user", "agent/task", "expires", "tokens", "actions", "cost USD"):
        table.add_column(title, justify="right" if title in ("tokens", "actions", "cost USD") else "left", no_wrap=True)
    for session in sessions:
        table.add_row(
            session["session_id"],
            session["state"],
            session["user"],
            f"{session['agent']}/{session['task']}",
            iso(session["expires"]),
            f"{session['tokens_used']}/{session['tokens_max']}",
            f"{session['actions_used']}/{session['actions_max']}",
            "unknown" if session["cost_usd"] is None else f"{session['cost_usd']:.4f}",
        )
    Console().print(table if sessions else "No sessions.")


@app.command()
def revoke(
    session_id: Annotated[str, typer.Argument(help="Session id, as 'session list' shows it.")],
    reason: Annotated[str, typer.Option(help="Goes to the log.")] = "revoked by its operator",
    json_: AsJson = False,
    system: System = None,
    data: Data = DATA,
) -> None:
    """End a session, and every session that it handed on, within a second."""
    import json
    import time

    from caisson.zones.z5_control.client import ControlClient

    _endpoint(data, system)
    known = _exchange(data, {"op": "balance", "session_id": session_id})
    # A narrowed session has no account of its own, so one that is not known here may exist all the same.
    until = known["session"]["expires"] if known.get("ok") else time.time() + REVOCATION_KEPT_S
    ControlClient(data / "sockets/control.sock").call("revoke_session", session=session_id, until=until, reason=reason)
    typer.echo(json.dumps({"session_id": session_id, "revoked": True}) if json_ else f"Revoked {session_id}.")


def _endpoint(data: Path, system: Path | None) -> Endpoint:
    """Where the system of the data folder listens."""
    import json

    from caisson.cli.aws_profile import Endpoint

    try:
        found = json.loads((data / "run/endpoint.json").read_text(encoding="utf-8"))
        endpoint = Endpoint(**{name: found[name] for name in Endpoint.__dataclass_fields__})
    except FileNotFoundError:
        _fail(f"Nothing runs in {data}; start a system with 'caisson up', or name its folder with --data.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        _fail(f"{data / 'run/endpoint.json'}: cannot be read ({error}); stop the system and start it again.")
    if system is not None:
        from caisson.system.loader import load

        name = load(system).name
        if name != endpoint.system:
            _fail(f"Expected the system {name!r} of {system} in {data}, found {endpoint.system!r}; name its --data.", 2)
    return endpoint


def _ask(data: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The gateway's answer, or its refusal as the end of this command."""
    answer = _exchange(data, request)
    if not answer.get("ok"):
        _fail(str(answer.get("error", {}).get("message", "The gateway gave no answer; see its log.")))
    return answer


def _exchange(data: Path, request: dict[str, Any]) -> dict[str, Any]:
    import json
    import socket

    path = data / "sockets/gateway.sock"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline(ANSWER_BYTES_MAX) or b"{}")
    except (OSError, ValueError) as error:
        _fail(f"The gateway does not answer at {path} ({error}); is 'caisson up' running, and may you use its socket?")
    return answer if isinstance(answer, dict) else {}


def _seconds(text: str) -> float:
    """Seconds in `15m`, `1h`, `900s` or `900`."""
    import re

    found = re.fullmatch(r"(\d{1,6})([smh]?)", text)
    if found is None:
        _fail(f"Expected a time such as 15m, 1h or 900s for --ttl, found {text!r}.", 2)
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3_600}[found[2]]


def _fail(message: str, code: int = 1) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
