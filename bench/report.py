"""What a measurement says: ratios of medians with their range, and DESIGN.md's budgets held against them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.load import Run

BARE, TIER_2, TIER_3 = "bare TLS pass-through", "Caisson, tier 2, rules alone", "Caisson, tier 3, rules alone"
"""DESIGN.md's budgets are for inspection by rules; what the injection classifier adds is in rows of its own."""
THROUGHPUT_SHARE_MIN = {TIER_2: 0.50, TIER_3: 0.35}
ADDED_MS_MAX = {TIER_2: 0.7, TIER_3: 1.0}
"""Of p50 at one connection; at tier 3 beyond the measured cost of one fsync."""
PEER_FACTOR_MIN = {"LiteLLM proxy": 20.0, "Portkey": 2.0}
WORKER_MB_MAX = 150.0
START, END = "<!-- bench -->", "<!-- /bench -->"


@dataclass(kw_only=True)
class Measured:
    """One subject's runs, in the order of the rounds."""

    name: str
    version: str = ""
    one: list[Run] = field(default_factory=list)
    """One connection."""
    many: list[Run] = field(default_factory=list)
    """32 connections."""
    before_mb: float = 0.0
    after_mb: float = 0.0

    @property
    def per_second(self) -> float:
        return median(run.per_second for run in self.many)

    @property
    def p50_ms(self) -> float:
        return median(run.p50_ms for run in self.one)

    @property
    def worker_cpu_us(self) -> float:
        return median(run.worker_cpu_us for run in self.many)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A ratio of medians, and the least and greatest ratio of one round."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f})"


def throughput_ratio(one: Measured, other: Measured) -> Ratio:
    """How many times the requests of `other` that `one` answers."""
    rounds = [a.per_second / b.per_second for a, b in zip(one.many, other.many, strict=True)]
    return Ratio(value=one.per_second / other.per_second, low=min(rounds), high=max(rounds))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One budget."""

    budget: str
    found: str
    holds: bool


def verdicts(found: dict[str, Measured], fsync_ms: float) -> list[Verdict]:
    """Every budget that can be judged with what was measured."""
    bare, said = found[BARE], []
    for name, share in THROUGHPUT_SHARE_MIN.items():
        ratio = throughput_ratio(found[name], bare)
        said.append(
            _verdict(f"{name}: at least {share:.0%} of the pass-through's requests", str(ratio), ratio.value >= share)
        )
        added = found[name].p50_ms - bare.p50_ms
        limit = ADDED_MS_MAX[name] + (fsync_ms if name == TIER_3 else 0.0)
        said.append(_verdict(f"{name}: p50 at most {limit:.2f} ms over it", f"{added:.2f} ms", added <= limit))
        memory = found[name].after_mb
        said.append(_verdict(f"{name}: worker under {WORKER_MB_MAX:g} MB", f"{memory:.0f} MB", memory < WORKER_MB_MAX))
    for peer, factor in PEER_FACTOR_MIN.items():
        if peer in found:
            ratio = throughput_ratio(found[TIER_2], found[peer])
            said.append(_verdict(f"{TIER_2}: at least {factor:g} times {peer}", str(ratio), ratio.value >= factor))
    return said


def _verdict(budget: str, found: str, holds: bool) -> Verdict:
    return Verdict(budget=budget, found=found, holds=holds)


COLUMNS = ("", "p50, 1 connection", "p50 added", "requests/s, 32 connections", "of the pass-through",
           "worker CPU/request", "worker memory, before and after")  # fmt: skip

SHORT_COLUMNS = ("", "p50, 1 conn.", "added", "req/s, 32", "of pass-through", "CPU/req", "worker memory")


def rows(found: dict[str, Measured]) -> list[tuple[str, ...]]:
    """The table's cells."""
    bare, made = found[BARE], []
    for each in found.values():
        made.append((
            f"{each.name} {each.version}".strip(),
            f"{each.p50_ms:.2f} ms",
            "" if each is bare else f"{each.p50_ms - bare.p50_ms:+.2f} ms",
            f"{each.per_second:,.0f}",
            "" if each is bare else str(throughput_ratio(each, bare)),
            f"{each.worker_cpu_us:,.0f} µs",
            f"{each.before_mb:.0f} → {each.after_mb:.0f} MB",
        ))  # fmt: skip
    return made


def show(found: dict[str, Measured], judged: list[Verdict], about: dict[str, str]) -> None:
    """Print it."""
    console = Console(highlight=False)
    table = Table(box=SIMPLE_HEAD)
    for number, column in enumerate(SHORT_COLUMNS):
        table.add_column(column, justify="right" if number else "left")
    for cells in rows(found):
        table.add_row(*cells)
    console.print(table)
    console.print("; ".join(f"{key}: {value}" for key, value in about.items()), "\n")
    for verdict in judged:
        mark = "[green]holds[/green]" if verdict.holds else "[red]missed[/red]"
        console.print(f"{mark}  {verdict.budget}: {verdict.found}")


def markdown(found: dict[str, Measured], judged: list[Verdict], about: dict[str, str]) -> str:
    """The same as Markdown."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "|".join(["---", *["--:"] * (len(COLUMNS) - 1)]) + "|"]
    lines += ["| " + " | ".join(cells) + " |" for cells in rows(found)]
    lines += ["", "Medians of the rounds; ratios of medians, in brackets the least and greatest of one round.", ""]
    lines += [f"- {'holds' if v.holds else '**missed**'}: {v.budget}: {v.found}" for v in judged]
    lines += ["", "; ".join(f"{key}: {value}" for key, value in about.items()) + "."]
    return "\n".join(lines)


def insert(path: Path, text: str) -> None:
    """Put `text` between the markers of a file that has them."""
    if not path.exists():
        return
    head, start, rest = path.read_text().partition(START)
    _, end, tail = rest.partition(END)
    if start and end:
        path.write_text(f"{head}{START}\n{text}\n{END}{tail}")


def as_json(found: dict[str, Measured], judged: list[Verdict], about: dict[str, str]) -> dict[str, Any]:
    """Everything, runs included."""
    return {
        "about": about,
        "subjects": [asdict(each) for each in found.values()],
        "budgets": [asdict(v) for v in judged],
    }
