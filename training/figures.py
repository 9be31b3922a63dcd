"""Held-out figures of the injection classifier as a page of Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from corpus import Row

NAMES = {0.95: "low", 0.75: "medium", 0.45: "high"}
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
    rows: list[Row], grouped: Sequence[float], family: Sequence[float], points: dict[str, list[tuple[float, float]]]
) -> str:
    """The page."""
    thresholds = [(NAMES[confidence], logit) for logit, confidence in points["user"] if confidence in NAMES][::-1]
    data = [(NAMES[confidence], logit) for logit, confidence in points["data"] if confidence in NAMES][::-1]
    lines = [
        "# Injection classifier: held-out figures",
        "",
        "Written by `training/injection.py`. Shares with 95 % Wilson intervals. *Grouped*: five folds over groups of",
        "near-duplicates, templates and payloads. *Source left out*: no row of the same source, its translations or",
        "encodings was trained on, attacks and innocents alike; thresholds are those of the grouped folds throughout.",
        "",
        "Neither is clean. Cues, the rule for mentions, our own training texts, weights and settings were all chosen",
        "by somebody who read samples, misses and false positives of every source, in about ten rounds on them;",
        "thresholds were set on the grouped logits that are shown. Our own texts are trained on when a source is left",
        "out; without them it collapses (docs/detection-injection.md). The sealed half is the only clean test.",
        "",
    ]
    for title, logits in (("Grouped", grouped), ("Source left out", family)):
        lines += [f"## {title}", "", "### Targets, mode `user`", ""]
        lines += _table(rows, logits, thresholds, _TARGETS)
        lines += ["", "### Recall by kind of attack", ""]
        lines += _table(rows, logits, thresholds, _kinds(rows, attack=True))
        lines += ["", "### Innocent rows flagged, by kind", ""]
        lines += _table(rows, logits, thresholds, _kinds(rows, attack=False))
        lines += ["", "### Recall of overt rows by source", ""]
        lines += _table(rows, logits, thresholds, _families(rows))
        lines += ["", "### Documents and tool results, mode `data`", ""]
        lines += _table(rows, logits, data, _DATA)
        lines += ["", "### Curve: overt rows found where so many innocent rows are flagged", ""]
        lines += curve(rows, logits)
        lines.append("")
    return "\n".join(lines)


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


def _table(
    rows: list[Row], logits: Sequence[float], thresholds: list[tuple[str, float]], tests: list[tuple[str, Test]]
) -> list[str]:
    lines = [
        "| | rows | " + " | ".join(f"strength {name}" for name, _ in thresholds) + " |",
        "|---|--:|" + "--:|" * len(thresholds),
    ]
    for title, test in tests:
        mine = [logit for row, logit in zip(rows, logits, strict=True) if test(row)]
        cells = [wilson(sum(logit >= bound for logit in mine), len(mine)) for _, bound in thresholds]
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
