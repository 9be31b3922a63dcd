"""`caisson bench detect`: how well the detectors do on a labelled corpus, and how fast.

Exit 0 when the corpus was scored, 2 when it cannot be. Times are of the processor, the best of a few runs of each row.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from time import process_time_ns
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from caisson.detect.detectors import Detector

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False,
    help="Measure this installation.",
)  # fmt: skip


class Kind(StrEnum):
    """What a corpus is labelled for."""

    injection = "injection"
    pii = "pii"
    secrets = "secrets"
    benign = "benign"


ROUNDS = 3
"""Runs of each row; the fastest counts, because other processes only ever add time."""


@app.callback()
def _group() -> None:
    """Keeps `detect` a subcommand while it is the only one."""


@app.command()
def detect(
    kind: Annotated[Kind, typer.Option("--kind", help="What the corpus is labelled for.")],
    corpus: Annotated[Path, typer.Option("--corpus", help="Rows as .jsonl or .jsonl.gz.")],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=20, help="Runs of each row for the times.")] = ROUNDS,
) -> None:
    """Score the detectors on a labelled corpus."""
    from caisson.errors import OperatorError

    try:
        measured = measure(kind, corpus, rounds)
    except OperatorError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if json_:
        typer.echo(json.dumps(measured, ensure_ascii=False))
    else:
        _show(measured)


def measure(kind: Kind, corpus: Path, rounds: int = ROUNDS) -> dict[str, Any]:
    """What `--json` prints.

    Raises:
        OperatorError: a row has not the form of its corpus; file and line are named.
    """
    from caisson.cli.corpus import rows
    from caisson.detect.scoring.tally import Tallies
    from caisson.errors import OperatorError

    pick, score = _of(kind)
    tallies, times_us, characters, count = Tallies(), [], 0, 0
    for number, row in rows(corpus):
        text = row["text"]
        detector = pick(row)
        findings, spent_us = _timed(detector, text, rounds)
        try:
            score(row, findings, tallies)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"a row without {error}" if isinstance(error, KeyError) else str(error)
            raise OperatorError(f"{corpus}:{number}: expected a row of the {kind.value} corpus, found {what}") from None
        times_us.append(spent_us)
        characters += len(text.encode(errors="replace"))
        count += 1
    if not count:
        raise OperatorError(f"{corpus}: expected at least one row, found none")
    times_us.sort()
    return {
        "kind": kind.value, "rows": count, **tallies.figures(),
        "latency_us": {"p50": _percentile(times_us, 50), "p99": _percentile(times_us, 99)},
        "throughput_mb_s": round(characters / max(sum(times_us), 1e-3), 3),
    }  # fmt: skip


def _of(kind: Kind) -> tuple[Callable[[dict[str, Any]], Detector], Callable[..., None]]:
    """Which detector reads a row, and how its findings are counted."""
    from caisson.detect.detectors import detector
    from caisson.detect.scoring import attacks, personal, secrets

    if kind is Kind.secrets:
        return lambda _: detector("secrets"), secrets.score
    if kind is Kind.pii:
        return lambda _: detector("pii"), personal.score
    return lambda row: detector("injection", data=attacks.is_data(row)), attacks.score


def _timed(detector: Detector, text: str, rounds: int) -> tuple[Any, float]:
    best, findings = float("inf"), None
    for _ in range(rounds):
        began = process_time_ns()
        findings = detector(text)
        best = min(best, process_time_ns() - began)
    return findings, best / 1e3


def _percentile(ordered: list[float], percent: int) -> float:
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 1)


def _show(measured: dict[str, Any]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from caisson.cli.terminal import cell, console

    table = Table(box=SIMPLE, pad_edge=False)
    for name in ("", "n", "recall", "precision", "false positives", "F1", "F2", "95 %"):
        table.add_column(name, justify="left" if not name else "right")
    for name, row in {**measured["by"], "overall": measured["overall"]}.items():
        interval = " to ".join(f"{bound:.3f}" for bound in row["ci"] or ())
        figures = (row[key] for key in ("recall", "precision", "fpr", "f1", "f2"))
        table.add_row(cell(name), str(row["n"]), *("" if f is None else f"{f:.3f}" for f in figures), interval)
    page = console()
    page.print(table)
    page.print(
        f"{measured['rows']:,} rows; {measured['latency_us']['p50']:,} µs a row at the median, "
        f"{measured['latency_us']['p99']:,} at p99; {measured['throughput_mb_s']} MB/s"
    )
