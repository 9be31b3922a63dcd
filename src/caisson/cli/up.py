"""`caisson up`: run the system on this machine until it is told to stop."""

from __future__ import annotations

import configparser
import importlib.util
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer

from caisson.errors import StartError

if TYPE_CHECKING:
    from caisson.system.schema import System
    from caisson.wiring.settings import Upstream
    from caisson.wiring.system import Started

PROFILES = Path("~/.config/caisson/credentials")
"""INI file of upstream credentials: a section a profile, with `api_key`."""
DETACHED_SECONDS_MAX = 120.0


def up(
    system: Annotated[Path, typer.Option(help="The system file.")] = Path("caisson.yaml"),
    data: Annotated[Path, typer.Option(help="Folder for keys, state and the archive.")] = Path(".caisson"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the gateway, on loopback.")] = 8443,
    console_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the console.")] = None,
    upstream: Annotated[
        str, typer.Option(help="What answers: offline, script=FILE, openai=URL or bedrock.", metavar="UPSTREAM")
    ] = "offline",
    upstream_profile: Annotated[
        str | None, typer.Option(help=f"Profile in {PROFILES} that holds the upstream's api_key.")
    ] = None,
    otlp: Annotated[
        str | None, typer.Option(help="Send metrics to this OpenTelemetry collector (OTLP over HTTP).", metavar="URL")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return to the shell once it is ready.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what started as JSON.")] = False,
) -> None:
    """Run the system on this machine until it is told to stop."""
    from caisson.system.loader import load

    if console_port is not None:
        _wrong("--console-port: the console is not built yet; leave the option out.")
    loaded = load(system, carrier="up")
    answers = _upstream(upstream, upstream_profile)

    from caisson.adapters.embedded.layout import claim
    from caisson.supervision import running
    from caisson.wiring.system import Asked, publish, run

    asked = Asked(system=loaded, data=data, port=port, upstream=answers, otlp=_collector(otlp))
    found = running(data.resolve() / "run")
    if found is not None:
        os.close(found)
        _say_published(publish(asked), as_json=as_json)
        return

    def show(started: Started) -> None:
        _print(loaded, started, data, as_json=as_json)

    if not detach:
        raise typer.Exit(run(asked, show))
    from caisson.supervision import Announcement, detached
    from caisson.supervision.detach import Say

    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    log = claim(data, system=loaded.name) / "up.log"

    def main(say: Say) -> int:
        return run(asked, lambda started: say(Announcement(info={"version": started.version})))

    said = detached(
        main,
        log=log,
        seconds=DETACHED_SECONDS_MAX,
    )
    if said.failure:
        raise StartError(said.failure)
    typer.echo(f"Running at https://localhost:{port}; `caisson down --data {data}` stops it.")


def _say_published(done: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(done))
    elif "unchanged" in done:
        typer.echo(f"It runs already, with this file in force as configuration version {done['unchanged']}.")
    elif done.get("staged"):
        typer.echo(f"Version {done['staged']['version']} waits for {done['staged']['missing']} more signature.")
    else:
        typer.echo(f"It runs already; the file is in force now as configuration version {done['version']['version']}.")


def _wrong(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


def _upstream(text: str, profile: str | None) -> Upstream:
    from caisson.wiring.settings import Upstream

    kind, _, location = text.partition("=")
    if kind == "bedrock":
        _wrong("--upstream bedrock is not built yet; use offline, script=FILE or openai=URL.")
    if kind == "offline" and not location and profile is None:
        return Upstream(kind="offline")
    if kind == "script" and location and profile is None:
        if not Path(location).is_file():
            _wrong(f"--upstream script: expected a file, found none at {location!r}.")
        return Upstream(kind="script", location=str(Path(location).resolve()))
    if kind == "openai" and location:
        parts = urlsplit(location)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            _wrong(f"--upstream openai: expected an http(s) URL, found {location!r}.")
        return Upstream(kind="openai", location=location, api_key=_api_key(profile) if profile else "")
    _wrong(f"--upstream: expected offline, script=FILE or openai=URL, found {text!r}.")


def _collector(url: str | None) -> str:
    if url is None:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        _wrong(f"--otlp: expected an http(s) URL, found {url!r}.")
    if importlib.util.find_spec("opentelemetry") is None:
        _wrong("--otlp needs the extra 'otel': pip install 'caisson[otel]'.")
    return url


def _api_key(profile: str) -> str:
    path = PROFILES.expanduser()
    try:
        status = path.stat()
    except OSError:
        _wrong(f"--upstream-profile: expected {path}, found none; write a section [{profile}] with api_key into it.")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or status.st_uid != os.geteuid():
        _wrong(f"--upstream-profile: {path} is open to other users; run chmod 600 on it.")
    found = configparser.ConfigParser(interpolation=None)
    found.read(path)
    key = found.get(profile, "api_key", fallback="")
    if not key:
        _wrong(f"--upstream-profile: {path} has no api_key in a section [{profile}].")
    return key


def _print(system: System, started: Started, data: Path, *, as_json: bool) -> None:
    if as_json:
        document = {
            "endpoint": started.endpoint,
            "configuration_version": started.version,
            "pids": started.pids,
            "loosened": [row.model_dump(mode="json") for row in system.loosened],
            "isolation": {"landlock": str(started.isolation.landlock), "users": str(started.isolation.users)},
            "broken": list(started.isolation.broken),
        }
        typer.echo(json.dumps(document))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("system", f"{system.name}, tier {system.tier}, configuration version {started.version}")
    table.add_row("endpoint", f"[green]{started.endpoint}[/green]")
    table.add_row("processes", ", ".join(f"{name} {pid}" for name, pid in started.pids.items()))
    table.add_row("Landlock", str(started.isolation.landlock))
    table.add_row("own users", str(started.isolation.users))
    for control in started.isolation.broken:
        table.add_row("[red]broken[/red]", f"{control}: neither Landlock nor own users keep the zones apart here")
    if started.staged:
        table.add_row(
            "[yellow]configuration[/yellow]", "the file is not in force: it waits for a signature or was rolled back"
        )
    for row in system.loosened:
        table.add_row(
            "[yellow]loosened[/yellow]", f"{row.key}: {row.value} instead of {row.default}, because {row.because}"
        )
    if started.nominal_approval:
        table.add_row(
            "[yellow]approval[/yellow]", "both configuration keys lie here, so two signatures are one person's"
        )
    table.add_row("not built", "zones 3 and 4, retrieval, tools, approvals, console, the bedrock upstream")
    agent = next(iter(system.agents))
    task = next(iter(system.agents[agent].tasks))
    user = next(iter(system.identity.local.users), None) if system.identity.local else None
    if user:
        where = "" if data == Path(".caisson") else f" --data {data}"
        table.add_row("sign in", f"caisson session new --user {user} --agent {agent} --task {task}{where}")
    console = Console(highlight=False, soft_wrap=False)
    console.print(table)
    console.print("\nReady. Ctrl-C stops it; what is under way finishes first.", style="dim")
