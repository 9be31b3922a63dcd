"""`caisson deploy`: show what would change on AWS, ask, and bring every stack to the system file, stage by stage.

Exit 0: done, nothing to do, or `--plan`; 1: refused or failed; 2: wrong call or system file; 3: stopped while
AWS works on a stack.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from caisson.cli.options import SYSTEM_FILE, SystemFile

if TYPE_CHECKING:
    from caisson.ports.stacks import Change

LOCK = "caisson.aws.lock"
UNDETERMINED = 3
PRICES_BYTES_MAX = 1_048_576


def deploy(
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Apply the plan that is shown without asking.")] = False,
    profile: Annotated[str, typer.Option(help="AWS profile; it takes a role in each account.")] = "default",
    role_name: Annotated[
        str, typer.Option(help="That role, with its path. Default: caisson/SYSTEM/caisson-SYSTEM-deployment.")
    ] = "",
    parameter: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE for what no stack puts out; may be repeated. Kept in the lock.")
    ] = None,
    lock: Annotated[
        Path | None, typer.Option(help="Lock file. Default: caisson.aws.lock beside the system file.")
    ] = None,
    prices: Annotated[Path | None, typer.Option(help="JSON file with prices: the plan shows money, too.")] = None,
    stack: Annotated[str, typer.Option(help="Only this stack; what it needs must be there.")] = "",
    endpoint: Annotated[
        str, typer.Option(help="A server on this machine instead of AWS: http://127.0.0.1:PORT.", metavar="URL")
    ] = "",
    system: SystemFile = SYSTEM_FILE,
    json_: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Show what the system's deployment would change on AWS, and apply it once you agree."""
    if not plan and not yes and not sys.stdin.isatty():
        _wrong("expected --yes, --plan or a terminal to ask at, found none of them; nothing was done.")
    if plan and yes:
        _wrong("expected --plan or --yes, found both.")
    given = _given(parameter or [])

    from caisson.cli.deploy_view import as_document, show
    from caisson.cli.terminal import line
    from caisson.deploy.apply import Interrupted
    from caisson.deploy.quantities import money, parse_prices, quantities
    from caisson.wiring.deployment import Asked, prepare

    def say(text: str) -> None:
        typer.echo(line(text), err=True)

    costs = parse_prices(_text(prices), name=str(prices)) if prices is not None else None
    prepared = prepare(
        Asked(
            system=system,
            lock=(lock or system.parent / LOCK).absolute(),
            profile=profile,
            role=role_name,
            given=given,
            stack=stack,
            endpoint=endpoint,
        ),
        say,
    )
    deployer = prepared.deployer
    try:
        plans = deployer.plan()
    except KeyboardInterrupt:
        say("stopped while planning: nothing was changed")
        raise typer.Exit(1) from None
    counted = quantities(stage.template for stage in prepared.all_stages)
    costing = money(counted, costs) if costs is not None else None
    if json_:
        typer.echo(json.dumps(as_document(prepared, plans, counted, costing), indent=2))
    else:
        show(prepared, plans, counted, costing)
    if plan:
        return
    changes = any(one.state != "same" for one in plans)
    if changes and not yes and not typer.confirm("Apply this?", err=True):
        say("nothing was changed")
        raise typer.Exit(1)

    def confirm(name: str, surprising: tuple[Change, ...]) -> bool:
        if yes:
            return False  # --yes agrees to what was shown, and this was not
        for change in surprising:
            say(f"{name}: AWS would {change.action} {change.resource} ({change.type})")
        return typer.confirm("The plan could not show this. Go on?", err=True)

    try:
        deployer.apply(plans, confirm)
    except Interrupted as stopped:
        say(str(stopped))
        raise typer.Exit(UNDETERMINED if stopped.under_way else 1) from None
    say("deployed" if changes else "nothing to do")


def _given(texts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name or not value or name in found:
            _wrong(f"--parameter: expected NAME=VALUE, each name once, found {text!r}.")
        found[name] = value
    return found


def _text(path: Path) -> str:
    from caisson.errors import DeploymentError

    try:
        with path.open("rb") as file:
            raw = file.read(PRICES_BYTES_MAX + 1)
        if len(raw) > PRICES_BYTES_MAX:
            raise DeploymentError(f"{path}: expected at most {PRICES_BYTES_MAX} bytes of prices, found more")
        return raw.decode()
    except OSError as error:
        raise DeploymentError(f"{path}: expected a file with prices, found: {error.strerror}") from error
    except UnicodeDecodeError:
        raise DeploymentError(f"{path}: expected UTF-8, found other bytes") from None


def _wrong(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
