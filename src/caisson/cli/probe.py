"""`caisson probe`: attack a system as an outsider and as its insiders. Exit 0 nothing came through, 1 something did, 3
something could not be tried."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caisson.cli.options import DATA_FOLDER, SYSTEM_FILE, DataFolder, Rehearsal, Rehearse, SystemFile, plan_of

if TYPE_CHECKING:
    from caisson.assurance.probes import Check
    from caisson.assurance.probes.target import Target
    from caisson.system.schema import System


HTTPS_PORT = 443


def probe(
    endpoint: Annotated[str, typer.Option("--endpoint", help="URL; default: what runs in the data folder.")] = "",
    only: Annotated[
        list[str] | None, typer.Option("--only", help="A check, or its family: identity, log.tamper. May be repeated.")
    ] = None,
    system: SystemFile = SYSTEM_FILE,
    data: DataFolder = DATA_FOLDER,
    ca_bundle: Annotated[
        Path | None, typer.Option("--ca-bundle", help="Certificates to trust; default: the data folder's.")
    ] = None,
    session: Annotated[
        list[Path] | None,
        typer.Option("--session", help="Credentials from 'session new --format json'; a second is another user's."),
    ] = None,
    region: Annotated[str, typer.Option("--region", help="Region to sign for, without a data folder.")] = "eu-west-1",
    rehearse: Rehearse = False,
    rehearsal: Rehearsal = True,
    list_: Annotated[bool, typer.Option("--list", help="Show the checks and run none.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="A line of JSON a check, with its transcript.")] = False,
) -> None:
    """Attack a system, and show what came through."""
    import json

    from caisson.assurance.evidence.document import check_line
    from caisson.assurance.evidence.verification import run_checks, running
    from caisson.assurance.probes.target import NO_ENDPOINT
    from caisson.assurance.verdict import exit_code
    from caisson.cli.verify_view import progress, show_checks, show_outcomes
    from caisson.system.loader import load

    checks = _chosen(only or [], elsewhere=not endpoint)
    if list_:
        show_checks(checks, as_json=json_)
        return
    if endpoint and rehearse:
        raise typer.BadParameter("--endpoint names a running system, --rehearse starts another; give one of them")
    plan = plan_of(system, data, rehearse=rehearse, rehearsal=rehearsal and not endpoint)
    loaded = load(system)
    with progress("attacking") as (advance, waiting):
        if endpoint:
            live, why = _named(loaded, endpoint, data, ca_bundle, session or [], region), ""
            live.waiting = waiting
        elif rehearse:
            live, why = None, ""
        else:
            live, why = running(loaded, data, waiting=waiting)
        outcomes = run_checks(checks, plan, live, why or NO_ENDPOINT, progress=advance, waiting=waiting)
    if json_:
        for outcome in outcomes.values():
            typer.echo(json.dumps(check_line(outcome), ensure_ascii=False))
    else:
        show_outcomes(outcomes.values())
    raise typer.Exit(exit_code(outcome.verdict for outcome in outcomes.values()))


def _chosen(only: list[str], *, elsewhere: bool) -> list[Check]:
    """Checks that were named, or all; without `elsewhere`, those of a running system and those named in full."""
    from caisson.assurance.probes import CHECKS

    unknown = [name for name in only if not any(_means(name, check) for check in CHECKS)]
    if unknown:
        raise typer.BadParameter(f"there is no check {unknown[0]!r}; 'caisson probe --list' shows them")
    named = [check for name, check in CHECKS.items() if not only or any(_means(asked, name) for asked in only)]
    return [check for check in named if elsewhere or check.on == "system" or check.name in only]


def _means(asked: str, name: str) -> bool:
    return asked == name or name.startswith(f"{asked}.")


def _named(
    system: System, endpoint: str, data: Path, ca_bundle: Path | None, sessions: list[Path], region: str
) -> Target:
    """The endpoint that was named; the data folder counts when it is that endpoint's."""
    import json
    from urllib.parse import urlsplit

    from caisson.assurance.probes.target import Target, given_session
    from caisson.assurance.probes.wire import Wire

    parts = urlsplit(endpoint)
    try:
        port = parts.port or HTTPS_PORT
    except ValueError:
        port = 0
    if parts.scheme != "https" or not parts.hostname or not port:
        raise typer.BadParameter(f"expected an https URL, found {endpoint!r}")
    target = Target(system=system, region=region)
    try:
        found = json.loads((data / "run" / "endpoint.json").read_bytes())
        if (found["host"], found["port"]) == (parts.hostname, port):
            target.data, target.region = data.resolve(), found["region"]
            ca_bundle = ca_bundle or Path(found["ca_bundle"])
    except (OSError, ValueError, KeyError, TypeError):
        target.data = None  # another machine's, or none
    target.wire = Wire(endpoint, ca_file=None if ca_bundle is None else str(ca_bundle))
    for path in sessions:
        try:
            target.given.append(given_session(json.loads(path.read_bytes())))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise typer.BadParameter(f"{path}: expected what 'session new --format json' prints ({error})") from None
    return target
