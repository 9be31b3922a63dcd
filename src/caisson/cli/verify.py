"""`caisson verify`: what holds, what is broken, and what nobody has shown. Exit 0 holds, 1 broken, 3 undetermined."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify(
    system: Annotated[Path, typer.Option("--system", help="The system file.")] = Path("caisson.yaml"),
    data: Annotated[Path, typer.Option("--data", help="Data folder of the system.")] = Path(".caisson"),
    machine_only: Annotated[
        bool, typer.Option("--machine-only", help="Leave the file's deployment to AWS out of the question.")
    ] = False,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Touch nothing that runs: try everything on a system of its own.")
    ] = False,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal/--no-rehearsal", help="Whether the system may be started a second time.")
    ] = True,
    json_: Annotated[bool, typer.Option("--json", help="A line of JSON a control, with its evidence.")] = False,
) -> None:
    """Give every control its verdict, with evidence."""
    import json

    from caisson.assurance.evidence.document import control_lines
    from caisson.assurance.evidence.verification import Plan
    from caisson.assurance.evidence.verification import verify as verified
    from caisson.assurance.verdict import exit_code
    from caisson.cli.verify_view import progress, show

    if rehearse and not rehearsal:
        raise typer.BadParameter("--rehearse starts a rehearsal, --no-rehearsal forbids one; give one of them")
    plan = Plan(system_file=system, data=data, machine_only=machine_only, rehearse=rehearse, rehearsals=rehearsal)
    with progress("verifying") as (advance, waiting):
        found = verified(plan, progress=advance, waiting=waiting)
    if json_:
        for line in control_lines(found):
            typer.echo(json.dumps(line, ensure_ascii=False))
    else:
        show(found)
    raise typer.Exit(exit_code(judged.verdict for judged in found.judged))
