"""`caisson verify`: what holds, what is broken, and what nobody has shown. Exit 0 holds, 1 broken, 3 undetermined."""

from __future__ import annotations

from typing import Annotated

import typer

from caisson.cli.options import (
    DATA_FOLDER,
    SYSTEM_FILE,
    DataFolder,
    MachineOnly,
    Rehearsal,
    Rehearse,
    SystemFile,
    plan_of,
)


def verify(
    system: SystemFile = SYSTEM_FILE,
    data: DataFolder = DATA_FOLDER,
    machine_only: MachineOnly = False,
    rehearse: Rehearse = False,
    rehearsal: Rehearsal = True,
    json_: Annotated[bool, typer.Option("--json", help="A line of JSON a control, with its evidence.")] = False,
) -> None:
    """Give every control its verdict, with evidence."""
    import json

    from caisson.assurance.evidence.document import control_lines
    from caisson.assurance.evidence.verification import verify as verified
    from caisson.assurance.verdict import exit_code
    from caisson.cli.verify_view import progress, show

    plan = plan_of(system, data, machine_only=machine_only, rehearse=rehearse, rehearsal=rehearsal)
    with progress("verifying") as (advance, waiting):
        found = verified(plan, progress=advance, waiting=waiting)
    if json_:
        for line in control_lines(found):
            typer.echo(json.dumps(line, ensure_ascii=False))
    else:
        show(found)
    raise typer.Exit(exit_code(judged.verdict for judged in found.judged))
