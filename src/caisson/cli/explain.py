"""`caisson explain`: what AWS decides for concrete requests, and which statements decide it.

Exit 0 when every case is decided, 3 when one is undetermined, 2 when a line is no case: its problems go to the error
output with file, line and JSON pointer, and the other lines are still answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from caisson.assurance.iam.cases import Case
    from caisson.assurance.iam.decision import Decision

STYLES = {"allow": "green", "deny_implicit": "red", "deny_explicit": "bold red", "undetermined": "yellow"}


def explain(
    file: Annotated[Path, typer.Argument(help="Cases, one JSON object a line.", metavar="FILE.jsonl")],
    json_: Annotated[bool, typer.Option("--json", help="JSON Lines, one answer a case.")] = False,
) -> None:
    """Decide concrete requests as AWS would, and name the statements that decide."""
    from caisson.assurance.iam.cases import Rejected, cases
    from caisson.assurance.iam.decision import Outcome, decide
    from caisson.cli.terminal import line

    undetermined = rejected = decided = 0
    try:
        for case in cases(_lines(file)):
            if isinstance(case, Rejected):
                rejected += 1
                for problem in case.problems:
                    typer.echo(line(f"{file}:{case.line}: {problem}"), err=True)
                continue
            decision = decide(case.request, case.policies)
            decided += 1
            undetermined += decision.outcome is Outcome.UNDETERMINED
            if json_:
                typer.echo(json.dumps(described(case, decision), ensure_ascii=False))
            else:
                _show(case, decision)
    except OSError as error:
        typer.echo(f"{file}: expected a file that can be read, found {error.strerror}", err=True)
        raise typer.Exit(2) from None
    if not decided and not rejected:
        typer.echo(f"{file}: expected at least one case, found none", err=True)
    if rejected or not decided:
        raise typer.Exit(2)
    if undetermined:
        raise typer.Exit(3)


def described(case: Case, decision: Decision) -> dict[str, Any]:
    """The answer as `--json` prints it. `at` is the JSON pointer to a statement in the case."""
    return {
        "id": case.id,
        "decision": decision.outcome.value,
        "statements": [
            {"at": statement.pointer, "sid": statement.sid, "effect": statement.effect.value}
            for statement in decision.statements
        ],
        "reason": decision.reason,
    }


def _lines(file: Path) -> Iterator[bytes]:
    """Lines of the file; of one that is too long, only so much as shows that it is."""
    from caisson.assurance.iam.cases import LINE_BYTES_MAX

    with file.open("rb") as opened:
        while found := opened.readline(LINE_BYTES_MAX + 1):
            yield found
            while len(found) > LINE_BYTES_MAX and not found.endswith(b"\n"):
                found = opened.readline(LINE_BYTES_MAX + 1)


def _show(case: Case, decision: Decision) -> None:
    from rich.text import Text

    from caisson.cli.terminal import cell, console

    page = console()
    outcome = decision.outcome.value
    page.print(Text.assemble(cell(case.id, "bold"), "  ", cell(outcome, STYLES[outcome])))
    page.print(Text.assemble("    ", cell(decision.reason)))
    for statement in decision.statements:
        sid = f" ({statement.sid})" if statement.sid else ""
        page.print(Text.assemble("    ", cell(f"{statement.effect.value} {statement.pointer}{sid}", "dim")))
