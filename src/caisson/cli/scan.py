"""`caisson scan`: credentials in files and in the history of a repository (SEC-04).

Exit 0 when nothing new was found, 1 when something was, 2 for a wrong call, 3 when nothing was found but something
could not be read. A secret itself is never printed: only where it stands, which rule found it, and its first
characters where it is long enough to spare them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caisson.cli.options import Format

if TYPE_CHECKING:
    from caisson.cli.scanning.findings import Located
    from caisson.cli.scanning.sources import Skipped, Source


EXAMPLES_MAX = 3
"""Skipped files that are named for each reason."""


def scan(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files and folders.")],
    history: Annotated[bool, typer.Option("--history", help="Also what the repository's history added.")] = False,
    format_: Annotated[Format, typer.Option("--format", help="json is JSON Lines; sarif is 2.1.0.")] = Format.text,
    json_: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Findings that are known, with reasons.")] = None,
    update_baseline: Annotated[bool, typer.Option("--update-baseline", help="Write what is found into it.")] = False,
) -> None:
    """Find credentials in files; exit 1 when there are any that the baseline does not know."""
    from caisson.cli.scanning.baseline import Baseline
    from caisson.cli.scanning.findings import Examiner
    from caisson.cli.scanning.history import added
    from caisson.cli.scanning.sources import files
    from caisson.errors import OperatorError

    if update_baseline and baseline is None:
        typer.echo("expected --baseline FILE beside --update-baseline, found none", err=True)
        raise typer.Exit(2)
    skipped: list[Skipped] = []
    try:
        known = Baseline.read(baseline) if baseline is not None else Baseline()

        def sources() -> Iterator[Source]:
            for path in paths:
                yield from files(path, skipped, without=baseline)
                if history:
                    yield from added(path, skipped)

        examiner = Examiner()
        examined: set[str] = set()
        found: list[Located] = []
        for source in _with_progress(sources()):
            examined.add(source.name)
            found += examiner.examine(source)
        new = [one for one in found if one.fingerprint not in known.reasons]
        if update_baseline and baseline is not None:
            known = known.updated(found, examined)
            known.write(baseline)
            typer.echo(f"{baseline}: {len(known.reasons)} findings known; say why in each `because`", err=True)
            new = []
    except OperatorError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if not update_baseline:
        _print(new, Format.json if json_ else format_)
    _notes(new, found, skipped, examiner.files)
    if new:
        raise typer.Exit(1)
    if any(one.undetermined for one in skipped):
        raise typer.Exit(3)


def _with_progress(sources: Iterator[Source]) -> Iterator[Source]:
    """The sources, counted on a terminal while they are read."""
    if not sys.stderr.isatty():
        yield from sources
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from caisson.cli.terminal import console, line

    columns = SpinnerColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=console(errors=True), transient=True) as shown:
        task = shown.add_task("reading")
        for number, source in enumerate(sources, 1):
            shown.update(task, description=f"{number:,} read: {line(source.name)[-60:]}")
            yield source


def _print(found: list[Located], format_: Format) -> None:
    from caisson.cli.terminal import line

    if format_ is Format.sarif:
        from caisson.cli.scanning.sarif import sarif

        typer.echo(json.dumps(sarif(found), ensure_ascii=False, indent=2))
    elif format_ is Format.json:
        for one in found:
            typer.echo(json.dumps(one.as_json(), ensure_ascii=False))
    else:
        for one in found:
            typer.echo(line(f"{one.place}: {one.rule} {one.shown} ({one.fingerprint})"))


def _notes(new: list[Located], found: list[Located], skipped: list[Skipped], files: int) -> None:
    """What was read and what was not, on standard error."""
    from caisson.cli.terminal import line

    known = len(found) - len(new)
    typer.echo(f"{files:,} read, {len(new)} found" + (f", {known} more in the baseline" if known else ""), err=True)
    for reason in dict.fromkeys(one.reason for one in skipped):
        names = [one.name for one in skipped if one.reason == reason]
        more = f" and {len(names) - EXAMPLES_MAX:,} more" if len(names) > EXAMPLES_MAX else ""
        typer.echo(line(f"not read, {reason}: {', '.join(names[:EXAMPLES_MAX])}{more}"), err=True)
