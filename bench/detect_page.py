"""docs/detection.md: what was measured, in one page."""

# ruff: noqa: E501  (prose of a page reads best a line a line)

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

STRENGTHS = {2: "low", 3: "medium", 4: "high"}
"""Column of the held-out tables to the strength of the guardrail."""
MEDIUM, HIGH = 3, 4


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What `bench.detect` has in hand."""

    ours: dict[str, Json]
    """By kind, as `caisson bench detect --json`."""
    peers: dict[str, Json | None]
    """By peer, likewise; None where it is not installed."""
    latency: dict[str, dict[int, float]]
    """Microseconds by what is read and by characters."""
    clean: dict[str, float]
    """Microseconds for 4,096 characters of one clean English sentence, again and again."""
    injection: str
    """docs/models/injection-figures.md."""
    people: str
    """docs/models/people-figures.md."""


@dataclass(frozen=True, kw_only=True)
class _Target:
    name: str
    wanted: str
    found: float
    shown: str
    reached: bool
    peer: str = ""


def page(measured: Measured) -> str:
    """The page."""
    lines = [
        "# Detection, measured",
        "",
        "Written by `make bench-detect`: the development half of the corpora, the same files for everybody, 95 % Wilson",
        "intervals in brackets. *Held out* is judged by a model that had not seen the row's group; what ships has seen all of",
        "this half, so `caisson bench detect` on it flatters what is trained. The other half is sealed and scored by others.",
        "",
        "| | target | Caisson | | a peer on the same file |",
        "|---|---|--:|---|---|",
        *(
            f"| {one.name} | {one.wanted} | {one.shown} | {'reached' if one.reached else '**missed**'} | {one.peer} |"
            for one in _targets(measured)
        ),
        "",
        *_REMARKS,
        "## Injection: the curve",
        "![overt attacks found against innocent rows flagged](detection-injection.svg)",
        "",
        "Held out, the model alone, every row as what a user says. Dashed: no row of the same source was trained on, neither",
        "attacks nor innocents. The points behind it and every other table: [models/injection-figures.md](models/injection-figures.md).",
        "",
        "## By type and source",
        *_secrets(measured),
        *_personal(measured),
        "## How long it takes",
        *_latency(measured.latency, measured.clean),
        *_END,
    ]
    return "\n".join(lines) + "\n"


def _targets(measured: Measured) -> Iterator[_Target]:
    secrets, detect_secrets = measured.ours["secrets"], measured.peers["detect-secrets"]
    provider, every = secrets["by"]["provider_token"], secrets["overall"]
    clean = secrets["by"]["negatives"]
    presidio = measured.peers["presidio"]
    yield _at_least("credentials, provider tokens, recall", 0.92, provider["recall"], provider["ci"],
                    _peer("detect-secrets", detect_secrets, "provider_token", "recall"))  # fmt: skip
    yield _at_least("credentials, all, recall", 0.80, every["recall"], every["ci_of"]["recall"],
                    _peer("detect-secrets", detect_secrets, "", "recall"))  # fmt: skip
    yield _at_most("global negatives flagged", 0.01, clean["fpr"], clean["ci"],
                   _peer("detect-secrets", detect_secrets, "negatives", "fpr"))  # fmt: skip
    personal = _row(_section(measured.people, "## Grouped by template"), "overall")
    yield _Target(name="personal data, required spans, F1, held out", wanted="≥ 0.88", found=float(personal[4]),
                  shown=personal[4], reached=float(personal[4]) >= 0.88,
                  peer=_peer("Presidio, patterns alone", presidio, "", "f1"))  # fmt: skip
    free = re.search(r"with a finding: (\d+) of (\d+), (\d\.\d+)–(\d\.\d+)", measured.people)
    if free is None:
        raise SystemExit("expected the rows free of personal data in people-figures.md, found none")
    share = int(free[1]) / int(free[2])
    yield _at_most("rows free of personal data with a finding, held out", 0.02, share, (free[3], free[4]),
                   _peer("Presidio, patterns alone", presidio, "free of personal data", "fpr"))  # fmt: skip
    judged = _section(_section(measured.injection, "## Grouped"), "### As")
    left_out = _section(_section(measured.injection, "## Source left out"), "### As")
    for name, row, bound, wanted, at in (
        (
            "injection, overt rows, recall, held out (hard innocent rows flagged ≤ 2 %)",
            "overt attacks, recall",
            "≥",
            0.80,
            HIGH,
        ),
        ("the same where ordinary prompts are kept", "overt attacks, recall", "≥", 0.80, MEDIUM),
        ("injection, obfuscated rows, recall, held out", "obfuscated, recall", "≥", 0.80, MEDIUM),
        ("hard innocent rows flagged, held out", "hard benign rows flagged", "≤", 0.02, HIGH),
        ("ordinary prompts flagged, held out", "ordinary prompts flagged", "≤", 0.003, MEDIUM),
    ):
        cells, without = _row(judged, row), _row(left_out, row)
        found = float(cells[at].split()[0])
        yield _Target(
            name=f"{name} (`{STRENGTHS[at]}`)", wanted=f"{bound} {wanted:.3g}", found=found,
            shown=f"{cells[at]}; source left out {without[at].split()[0]}",
            reached=found >= wanted if bound == "≥" else found <= wanted,
        )  # fmt: skip


def _at_least(name: str, wanted: float, found: float, interval: Any, peer: str) -> _Target:
    return _Target(
        name=name,
        wanted=f"≥ {wanted:.2f}",
        found=found,
        shown=_shown(found, interval),
        reached=found >= wanted,
        peer=peer,
    )


def _at_most(name: str, wanted: float, found: float, interval: Any, peer: str) -> _Target:
    return _Target(
        name=name,
        wanted=f"≤ {wanted:.0%}",
        found=found,
        shown=_shown(found, interval),
        reached=found <= wanted,
        peer=peer,
    )


def _shown(found: float, interval: Any) -> str:
    low, high = interval
    return f"{found:.4f} ({float(low):.3f}–{float(high):.3f})"


def _peer(name: str, figures: Json | None, row: str, figure: str) -> str:
    if figures is None:
        return f"{name}: not installed"
    found = (figures["by"].get(row) if row else figures["overall"]) or {}
    return f"{name} {found[figure]:.3f}" if found.get(figure) is not None else ""


def _section(text: str, heading: str) -> str:
    """What stands below a heading that begins so, up to the next one of its level."""
    level = heading.partition(" ")[0]
    return text.partition("\n" + heading)[2].partition(f"\n{level} ")[0]


def _row(section: str, name: str) -> list[str]:
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == name:
            return cells
    raise SystemExit(f"expected a row {name!r} in the held-out figures, found none")


def _secrets(measured: Measured) -> Iterator[str]:
    by, peer = measured.ours["secrets"]["by"], measured.peers["detect-secrets"]
    theirs = peer["by"] if peer else {}
    yield "| credentials | rows | recall | detect-secrets | flagged | detect-secrets |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name in sorted(by, key=lambda name: (":" in name, name)):
        own, other = by[name], theirs.get(name, {})
        yield (
            f"| {name} | {own['n']} | {_figure(own['recall'])} | {_figure(other.get('recall'))} "
            f"| {_figure(own['fpr'])} | {_figure(other.get('fpr'))} |"
        )
    yield ""
    yield "Caisson's recall here counts a row as found when half of the labelled span is; detect-secrets says a line, not always where."
    yield ""


def _personal(measured: Measured) -> Iterator[str]:
    by, peer = measured.ours["pii"]["by"], measured.peers["presidio"]
    theirs = peer["by"] if peer else {}
    yield "| personal data | spans | recall | precision | F1 | Presidio's patterns, F1 |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, own in sorted(by.items(), key=lambda item: -item[1]["n"]):
        if name.startswith("kind:") or own["recall"] is None or own["n"] < 3:
            continue
        yield (
            f"| {name} | {own['n']} | {_figure(own['recall'])} | {_figure(own['precision'])} | {_figure(own['f1'])} "
            f"| {_figure(theirs.get(name, {}).get('f1'))} |"
        )
    yield ""
    yield "As shipped: NAME, ADDRESS and AGE flatter, the held-out figures are above and in [models/people-figures.md](models/people-figures.md)."
    yield ""


def _latency(found: dict[str, dict[int, float]], clean: dict[str, float]) -> Iterator[str]:
    lengths = list(next(iter(found.values())))
    yield "Processor time for so many characters of ordinary prompts, one after the other: median of stretches, best of runs."
    yield ""
    yield "| µs | " + " | ".join(f"{length:,}" for length in lengths) + " | 4,096, clean |"
    yield "|---" + "|--:" * (len(lengths) + 1) + "|"
    for name, times in found.items():
        yield f"| {name} | " + " | ".join(f"{times[length]:,.0f}" for length in lengths) + f" | {clean[name]:,.0f} |"
    yield ""


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


_REMARKS = (
    "- **Injection is not clean of this half.** Its cues, texts and thresholds were chosen by somebody who had read every source;",
    "  sources left out are the better guess for texts that nobody here has seen ([how far to trust it](detection-injection.md)).",
    "- At `high` the overt target is reached with hard innocent rows far below 2 %, at the price of ordinary prompts (1 %); at `medium`",
    "  these are kept and overt attacks just miss. One model, one curve: a file picks its point by `prompt_attack`.",
    "- Presidio is run with its pattern recognisers and no language model, because nothing here downloads one: it does not look for",
    "  names and places, which are most spans. Its own notebook says 0.62 with spaCy's model.",
    "- Peers run with their defaults. detect-secrets is made for files of code, and judged on more than those.",
    "",
)  # fmt: skip
_END = (
    "The 4 KB aims are 100 µs for credentials, structured personal data, words and patterns, and 1 ms for names and injection",
    "together. Clean prose (last column) keeps them; the prompts here, which hold code, many languages and talk about prompts, do not.",
    "From 16 KB on the cost of a character stays about what it is: `tests/property` holds each part to bounded work.",
    "",
    "## What would move it",
    "- *Provider tokens*: what is missed is above all a vendor's bare hexadecimal or numeric key, which only its surroundings tell.",
    "- *Overt attacks*: texts from sources that nobody here has read, and a small encoder as a second stage near the thresholds.",
    "  Documents whose attack is an innocent sentence (BIPIA) need the task beside them.",
    "- *Names*: real prose to learn from. All that is here is synthetic.",
    "",
    "Rules and streaming: [detection-rules.md](detection-rules.md). Injection, topics, grounding: [detection-injection.md](detection-injection.md).",
    "Names and addresses: [detection-people.md](detection-people.md).",
)  # fmt: skip
