"""How verdicts look in a terminal: a summary by zone, then the families, each control on a line with why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from caisson.cli.terminal import cell, console

if TYPE_CHECKING:
    from rich.console import Console

    from caisson.assurance.controls.judgement import Judged
    from caisson.assurance.evidence.verification import Verification
    from caisson.assurance.probes.check import Check, Outcome

VERDICTS = ("holds", "broken", "undetermined", "manual", "not_applicable")
STYLES = {
    "holds": "green", "broken": "bold red", "undetermined": "yellow", "manual": "cyan", "not_applicable": "dim",
}  # fmt: skip
WORDS = {"not_applicable": "n/a"}
"""Words that are shorter on a screen than in JSON."""
ZONES = {1: "ingress", 2: "runtime", 3: "evaluation", 4: "ingestion", 5: "control", 6: "logging"}
STEPS_SHOWN = 10
WIDTH_MAX = 120
"""Sentences that are longer are hard to read."""


@contextmanager
def progress(what: str) -> Iterator[tuple[Callable[[int, int, str], None], Callable[[str], None]]]:
    """A bar on a terminal's standard error, nothing elsewhere: told how far it is, and when something waits."""
    screen = console(errors=True)
    columns = (
        TextColumn(what),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def advance(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name)

        def waiting(why: str) -> None:
            if why:
                bar.update(task, description=why)

        yield advance, waiting


def show(found: Verification) -> None:
    """Everything, and at the end what to do."""
    from caisson.assurance.controls import FAMILIES

    screen = _screen()
    system = found.system
    screen.print(cell(f"{system.name}, tier {system.tier}", "bold"))
    about = "this machine, and the deployment to AWS that the file describes" if found.question.aws else "this machine"
    ran = [outcome for outcome in found.outcomes.values() if outcome.steps]
    rehearsed = sum(outcome.where == "rehearsal" for outcome in ran)
    tried = f"{len(ran)} of {len(found.outcomes)} checks could be run, {rehearsed} on a rehearsal"
    screen.print(cell(f"about {about}; {tried}; {found.seconds:.0f} s", "dim"))
    screen.print()
    screen.print(_by_zone(found.judged))
    for prefix, (title, _) in FAMILIES.items():
        _family(screen, f"{prefix}  {title}", [judged for judged in found.judged if judged.control.family == prefix])
    screen.print()
    screen.print(_totals(Counter(judged.verdict.value for judged in found.judged)))
    screen.print(cell("caisson verify --json has every step; caisson probe --only CHECK tries one again", "dim"))


def _screen() -> Console:
    made = console()
    made.width = min(made.width, WIDTH_MAX)
    return made


def _by_zone(judged: Sequence[Judged]) -> Table:
    """How many controls of each verdict a zone takes part in."""
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("zone")
    for verdict in VERDICTS:
        table.add_column(_word(verdict), justify="right")
    for number, name in ZONES.items():
        counts = Counter(one.verdict.value for one in judged if number in one.control.zones)
        cells = [
            Text(str(counts[verdict] or "·"), style=STYLES[verdict] if counts[verdict] else "dim")
            for verdict in VERDICTS
        ]
        table.add_row(cell(f"{number} {name}"), *cells)
    return table


def _family(screen: Console, title: str, judged: Sequence[Judged]) -> None:
    screen.print()
    counts = Counter(one.verdict.value for one in judged)
    screen.print(Text.assemble((title, "bold"), "  ", _totals(counts)))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, min_width=len("undetermined"))
    table.add_column(ratio=1)
    aside: dict[str, list[str]] = {}
    for one in judged:
        if one.verdict.value == "not_applicable":
            aside.setdefault(one.reason, []).append(one.control.id)
            continue
        text = Text(one.control.title)
        text.append(f"\n{_plain(one.reason)}", style="dim" if one.verdict.value == "holds" else "")
        table.add_row(cell(one.control.id), cell(_word(one.verdict.value), STYLES[one.verdict.value]), text)
    if table.row_count:
        screen.print(table)
    for reason, ids in aside.items():
        screen.print(cell(f"n/a: {', '.join(ids)} ({reason})", "dim"))


def _totals(counts: Counter[str]) -> Text:
    parts = Text()
    for verdict in VERDICTS:
        if counts[verdict]:
            parts.append("  " if parts else "")
            parts.append(f"{counts[verdict]} {_word(verdict)}", style=STYLES[verdict])
    return parts


def _word(verdict: str) -> str:
    return WORDS.get(verdict, verdict)


def _plain(text: str) -> str:
    return cell(text).plain


def show_outcomes(outcomes: Iterable[Outcome]) -> None:
    """A line a check; what came through, or could not be tried, step by step."""
    screen = _screen()
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        verdict = outcome.verdict.value
        counts[verdict] += 1
        head = Text.assemble((f"{_word(verdict):<13}", STYLES[verdict]), (outcome.check.name, "bold"))
        screen.print(head)
        screen.print(Padding(cell(outcome.check.claim), (0, 0, 0, 13), expand=False))
        screen.print(Padding(cell(f"{outcome.check.attacker}: {outcome.reason}", "dim"), (0, 0, 0, 13), expand=False))
        wrong = [step for step in outcome.steps if step.verdict.value in ("broken", "undetermined")]
        for step in wrong[:STEPS_SHOWN]:
            told = f"- {step.did}: expected {step.expected}, saw {step.saw}"
            screen.print(Padding(cell(told, STYLES[step.verdict.value]), (0, 0, 0, 13), expand=False))
        if len(wrong) > STEPS_SHOWN:
            screen.print(
                Padding(cell(f"- and {len(wrong) - STEPS_SHOWN} more: --json has them"), (0, 0, 0, 13), expand=False)
            )
    screen.print()
    screen.print(_totals(counts))


def show_checks(checks: Sequence[Check], *, as_json: bool) -> None:
    """What could be run."""
    import json

    if as_json:
        for check in checks:
            described = {"check": check.name, "claim": check.claim, "attacker": check.attacker, "on": check.on}
            typer.echo(json.dumps(described))
        return
    screen = _screen()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("check", "on", "claim"):
        table.add_column(title, no_wrap=title != "claim")
    for check in checks:
        table.add_row(cell(check.name), cell(check.on), cell(check.claim))
    screen.print(table)
