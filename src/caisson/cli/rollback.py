"""`caisson rollback`: go back to an earlier configuration, as a new version; without a version, list what there is.

From tier 3 a rollback, like any change, waits for a second operator: `caisson rollback --approve`, with that operator's
key folder. Exit 0: in force; 1: refused; 2: wrong call; 3: waits for a signature.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from caisson.cli.running import warn_unfinished

if TYPE_CHECKING:
    from caisson.zones.z5_control.client import ControlClient

WAITS = 3


def rollback(
    version: Annotated[int | None, typer.Argument(min=1, help="Version to go back to. Default: list them.")] = None,
    reason: Annotated[str, typer.Option(help="Why; goes to the log and is signed with the version.")] = "",
    approve: Annotated[bool, typer.Option("--approve", help="Sign what is staged as the second operator.")] = False,
    keys: Annotated[
        Path | None, typer.Option(help="Folder with the second operator's key. Default: the data folder's operators.")
    ] = None,
    operator: Annotated[str, typer.Option(help="Name of that key.")] = "approver",
    json_: Annotated[bool, typer.Option("--json", help="JSON instead of text; JSON Lines for the list.")] = False,
    system: Annotated[
        Path | None, typer.Option(help="Refuse unless the data folder runs the system of this file.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Data folder of the running system.")] = Path(".caisson"),
) -> None:
    """Go back to an earlier configuration, as a new version. Without a version, list those that are kept."""
    from caisson.zones.z5_control.client import ControlClient

    if version is not None and approve:
        _wrong("Expected a version or --approve, found both; approve what is staged first.")
    if version is not None and not reason.strip():
        _wrong("Expected --reason: why this version comes back. It goes to the log.")
    client = ControlClient(data / "sockets/control.sock")
    if system is not None:
        _same_system(client, system)
    if approve:
        _say(_approved(client, keys or data / "zones/control/operators", operator), json_)
    elif version is None:
        _list(client, json_)
    else:
        _say(client.call("rollback", version=version, reason=reason), json_)


def _approved(client: ControlClient, keys: Path, operator: str) -> dict[str, Any]:
    """The key signs here: the control process never holds it."""
    from caisson.adapters.embedded.keys import FileKeys
    from caisson.errors import ConfigurationError

    staged = client.call("staged")["staged"]
    if staged is None:
        raise ConfigurationError("nothing is staged that could be approved")
    key = FileKeys(keys).signing(operator)
    signatures = [key.sign(base64.b64decode(payload)).hex() for payload in staged["payloads"]]
    return client.call("sign", key_id=key.key_id, signatures=signatures)


def _say(result: dict[str, Any], as_json: bool) -> None:
    staged = result.get("staged")
    if as_json:
        typer.echo(json.dumps(result))
    elif staged is not None:
        typer.echo(
            f"Version {staged['version']} is staged and waits for {staged['missing']} more signature:"
            " caisson rollback --approve"
        )
    else:
        done = result["version"]
        typer.echo(f"Version {done['version']} is in force, signed by {', '.join(done['approvers'])}.")
        warn_unfinished(result)
    if staged is not None:
        raise typer.Exit(WAITS)


def _list(client: ControlClient, as_json: bool) -> None:
    versions = client.call("versions")["versions"]
    staged = client.call("staged")["staged"]
    if as_json:
        newest = versions[-1]["version"] if versions else 0
        for one in versions:
            typer.echo(json.dumps({**one, "state": "in force" if one["version"] == newest else "kept"}))
        if staged is not None:
            typer.echo(json.dumps({**staged, "state": "staged"}))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    for title in ("version", "state", "since", "author", "signed by", "reason", "changes"):
        table.add_column(title, justify="right" if title == "version" else "left", no_wrap=title != "reason")
    for one in [*versions, *([staged] if staged is not None else [])]:
        change = one["change"]
        state = "staged" if one is staged else "in force" if one is versions[-1] else ""
        origin = f"back to {change['restores']}" if change["restores"] else str(len(change["differences"]))
        cells = [str(one["version"]), state, _iso(change["at"]), change["author"], ", ".join(one["approvers"])]
        table.add_row(*(Text(cell) for cell in [*cells, change["reason"], origin]))  # text: nothing in it is markup
    Console().print(table if versions else "No versions.")


def _same_system(client: ControlClient, file: Path) -> None:
    from caisson.system.loader import load

    asked, running = load(file).name, client.call("status")["system"]
    if asked != running:
        _wrong(f"Expected the data folder of {asked!r}, found that of {running!r}; say which with --data.")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _wrong(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
