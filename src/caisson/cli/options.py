"""Options that several commands take, said once: what they mean and how `--help` puts it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from caisson.assurance.evidence.verification import Plan


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
