"""Options that several commands take, said once: what they mean and how `--help` puts it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from caisson.assurance.evidence.verification import Plan
    from caisson.wiring.settings import ArchiveBuckets


class Format(StrEnum):
    """How findings are printed."""

    text = "text"
    json = "json"
    sarif = "sarif"


SystemFile = Annotated[Path, typer.Option("--system", help="The system file.")]
DataFolder = Annotated[Path, typer.Option("--data", help="Data folder of the system.")]
MachineOnly = Annotated[
    bool, typer.Option("--machine-only", help="Leave the file's deployment to AWS out of the question.")
]
Rehearse = Annotated[
    bool, typer.Option("--rehearse", help="Touch nothing that runs: try everything on a system of its own.")
]
Rehearsal = Annotated[
    bool, typer.Option("--rehearsal/--no-rehearsal", help="Whether the system may be started a second time.")
]
SYSTEM_FILE, DATA_FOLDER = Path("caisson.yaml"), Path(".caisson")


def plan_of(system: Path, data: Path, *, rehearse: bool, rehearsal: bool, machine_only: bool = False) -> Plan:
    """What `verify`, `report` and `probe` are asked to try. Raises BadParameter for options that exclude each other."""
    from caisson.assurance.evidence.verification import Plan

    if rehearse and not rehearsal:
        raise typer.BadParameter("--rehearse starts a rehearsal, --no-rehearsal forbids one; give one of them")
    return Plan(system_file=system, data=data, machine_only=machine_only, rehearse=rehearse, rehearsals=rehearsal)


def archive_buckets(text: str, profile: str) -> ArchiveBuckets:
    """The buckets that `--archive` names. Ends the command when it names none."""
    from caisson.errors import StartError
    from caisson.wiring.followers import buckets_of
    from caisson.wiring.settings import ArchiveBuckets
    from caisson.wiring.system import DEFAULT_REGION

    kind, _, location = text.partition("=")
    name, _, endpoint = location.partition("@")
    if kind != "s3":
        typer.echo(f"--archive: expected s3=BUCKET, found {text!r}.", err=True)
        raise typer.Exit(2)
    try:
        buckets_of(name, DEFAULT_REGION, endpoint)
    except StartError as error:
        typer.echo(f"--archive s3: {error}", err=True)
        raise typer.Exit(2) from None
    return ArchiveBuckets(name=name, profile=profile, endpoint=endpoint)
