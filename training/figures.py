"""Held-out figures of the injection classifier as a page of Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from caisson.detect.injection.scoring import PEOPLE, Mode
from caisson.detect.rules.injection import LEAST, STRICTER, Strength
from corpus import Row

STRENGTHS: tuple[Strength, ...] = ("low", "medium", "high")
Points = dict[str, list[tuple[float, float]]]
_Z = 1.959964
CATCH_PHRASE = "pwned"


def wilson(hits: int, count: int) -> str:
    """A share with its 95 % interval (Wilson 1927)."""
    if not count:
        return "–"
    share = hits / count
    centre = share + _Z * _Z / (2 * count)
    spread = _Z * math.sqrt(share * (1 - share) / count + _Z * _Z / (4 * count * count))
    scale = 1 + _Z * _Z / count
    low, high = max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
    return f"{share:.3f} ({low:.3f}–{high:.3f})"


def figures(
    rows: list[Row], grouped: Sequence[float], family: Sequence[float], points: Points, patterns: Sequence[float]
) -> str:
    """The page.

    Args:
        grouped: logit of each row by a model that saw nothing of its group.
        family: the same for its source.
        points: for each mode the logits at which the confidences begin.
        patterns: confidence of each row's surest pattern; 0 for none.
    """
    lines = [
        "# Injection classifier: held-out figures",
        "",
        "Written by `training/injection.py`. Shares with 95 % Wilson intervals. *Grouped*: five folds over groups of",
        "near-duplicates, templates and payloads. *Source left out*: no row of the same source, its translations or",
        "encodings was trained on, attacks and innocents alike; thresholds are those of the grouped folds throughout.",
        "What patterns find by themselves counts as found.",
        "",
        "Neither is clean. Cues, patterns, the rule for mentions, our own training texts, weights and settings were",
        "chosen by somebody who read samples, misses and false positives of every source, in over a dozen rounds;",
        "thresholds were set on the grouped logits that are shown. Our own texts are trained on when a source is left",
        "out; without them it collapses (docs/detection-injection.md). The sealed half is the only clean test.",
        "",
    ]
    for title, logits in (("Grouped", grouped), ("Source left out", family)):
        judged = Judged(rows=rows, logits=logits, points=points, patterns=patterns)
        lines += [f"## {title}", "", "### As `caisson bench detect` judges: documents and tool results as data", ""]
        lines += _table(judged, _TARGETS, None)
        lines += ["", "### Targets, every row as what a user says", ""]
        lines += _table(judged, _TARGETS, "user")
        lines += ["", "### Recall by kind of attack", ""]
        lines += _table(judged, _kinds(rows, attack=True), None)
        lines += ["", "### Innocent rows flagged, by kind", ""]
        lines += _table(judged, _kinds(rows, attack=False), None)
        lines += ["", "### Recall of overt rows by source", ""]
        lines += _table(judged, _families(rows), None)
        lines += ["", "### Documents and tool results", ""]
        lines += _table(judged, _DATA, "data")
        lines += [
            "",
            "### Curve: overt rows found where so many innocent rows are flagged (the model alone, mode `user`)",
            "",
        ]
        lines += curve(rows, logits)
        lines.append("")
    return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Rows and what is known of each."""

    rows: list[Row]
    logits: Sequence[float]
    points: Points
    patterns: Sequence[float]

    def flagged(self, number: int, strength: Strength, mode: Mode | None) -> bool:
        """Whether a filter acts on a row; None: the mode that a row of its kind has."""
        mode = mode or ("data" if self.rows[number].data else "user")
        least = LEAST[STRICTER[strength] if mode == "data" else strength]
        bound = next(logit for logit, confidence in self.points[mode] if confidence == least)
        pattern = self.patterns[number]
        return self.logits[number] >= bound or (pattern if mode == "data" else PEOPLE.get(pattern, 0.0)) >= least


Test = Callable[[Row], bool]
_TARGETS: list[tuple[str, Test]] = [
    ("overt attacks, recall", lambda row: row.overt),
    ("overt attacks without the catch-phrase, recall", lambda row: row.overt and CATCH_PHRASE not in row.plain.lower()),
    ("all attacks, recall", lambda row: row.attack),
    ("obfuscated, recall", lambda row: row.kind == "obfuscated"),
    ("hard benign rows flagged", lambda row: row.kind == "benign_hard_negative"),
    ("ordinary prompts flagged", lambda row: row.ordinary),
]
_DATA: list[tuple[str, Test]] = [
    ("indirect injection, recall", lambda row: row.kind == "indirect_injection"),
    ("indirect injection, overt, recall", lambda row: row.kind == "indirect_injection" and row.overt),
    ("documents flagged", lambda row: row.kind == "benign_document"),
    ("tool results flagged", lambda row: row.kind == "benign_tool_output"),
]


def _kinds(rows: list[Row], *, attack: bool) -> list[tuple[str, Test]]:
    names = sorted({row.kind for row in rows if row.attack == attack})
    return [(name, lambda row, name=name: row.kind == name and row.attack == attack) for name in names]  # type: ignore[misc]


def _families(rows: list[Row]) -> list[tuple[str, Test]]:
    names = sorted({row.family for row in rows if row.overt})
    return [
        *((name, lambda row, name=name: row.overt and not row.derived and row.family == name) for name in names),  # type: ignore[misc]
        ("encodings of them", lambda row: row.overt and row.derived),
    ]


def _table(judged: Judged, tests: list[tuple[str, Test]], mode: Mode | None) -> list[str]:
    lines = [
        "| | rows | " + " | ".join(f"strength {name}" for name in STRENGTHS) + " |",
        "|---|--:|" + "--:|" * len(STRENGTHS),
    ]
    for title, test in tests:
        mine = [number for number, row in enumerate(judged.rows) if test(row)]
        cells = [
            wilson(sum(judged.flagged(number, strength, mode) for number in mine), len(mine)) for strength in STRENGTHS
        ]
        lines.append(f"| {title} | {len(mine)} | " + " | ".join(cells) + " |")
    return lines


def curve(rows: list[Row], logits: Sequence[float]) -> list[str]:
    """Recall against innocent rows flagged, as lines of a table. Its thresholds are those of the rows themselves."""
    pairs = list(zip(rows, logits, strict=True))
    overt = [logit for row, logit in pairs if row.overt]
    obfuscated = [logit for row, logit in pairs if row.kind == "obfuscated"]
    lines = ["| innocent rows | share flagged | overt, recall | obfuscated, recall |", "|---|--:|--:|--:|"]
    for title, test in (_TARGETS[4], _TARGETS[5]):
        innocent = sorted((logit for row, logit in pairs if test(row)), reverse=True)
        for share in (0.001, 0.003, 0.005, 0.01, 0.02, 0.05):
            bound = innocent[int(share * len(innocent))] + 1e-9
            cells = [f"{sum(logit >= bound for logit in each) / len(each):.3f}" for each in (overt, obfuscated)]
            lines.append(f"| {title.removesuffix(' flagged')} | {share:.1%} | " + " | ".join(cells) + " |")
    return lines
