"""Trains the recogniser of names and addresses, measures it, and writes it into the package with its figures.

    python training/people.py --corpora DIR            # measure, train, write people.bin and the figures
    python training/people.py --corpora DIR --measure  # figures only

Reproducible: one seed, whole-number weights. What is trained on: sentences written from our own templates
(people_text.py), the labelled sentences of `pii.jsonl`, and pieces of `benign_prompts.jsonl` that name nobody. Each row
is judged by a model that saw no sentence of its template, nor a sentence of ours that echoes one.
"""

# ruff: noqa: E501  (tables)

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from artefacts import store
from caisson.detect.detectors import masked
from caisson.detect.people.find import Recogniser
from caisson.detect.people.weights import FILE, Weights
from caisson.detect.people.words import hashed, shape, split
from caisson.detect.redaction import rule_sets
from caisson.detect.scoring import personal
from caisson.detect.scoring.tally import Tallies
from people_learner import Learner, Sentence
from people_lists import lists
from people_text import Labelled, Writer, joined

SEED, FOLDS = 20_260_101, 3
SENTENCES = 30_000
COPIES = 3
"""How often a sentence of the corpus is seen beside the written ones."""
NOBODY_KINDS = ("customer_service", "assistant_query")
"""Prompts that name no one. The bank's are left out of training when figures are made: they are what is judged."""
ECHO = 0.45
"""Share of a template's word triples that another holds when it echoes it."""
_LABEL_OF = {
    "NAME": "NAME", "TITLE": "NAME", "ADDRESS": "ADDRESS", "ORGANIZATION": "ORG", "LOCATION": "LOC", "GPE": "LOC",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Example:
    """A sentence to learn from."""

    sentence: Sentence
    templates: tuple[str, ...]
    """What it was made of, in the form of `template_of`; our own sentences may be made of two."""
    source: str
    """Of the corpus; empty for our own sentences."""
    copies: int
    prompt: str = ""
    """Id of the prompt that it is a piece of."""


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a corpus."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def template_of(row: dict[str, Any]) -> str:
    """A row's text without what it is filled with."""
    text = row["text"]
    for span in sorted(row["spans"], key=lambda span: -span["start"]):
        text = text[: span["start"]] + "{}" + text[span["end"] :]
    return plain(text)


def plain(template: str) -> str:
    """A template without its slots' names and marks."""
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"\{[a-z]*\}", " ", template.lower())))


def echoes(template: str, others: Iterable[str]) -> bool:
    """Whether one of the others holds most of what this template says."""
    own = _triples(template)
    return any(len(own & _triples(other)) > ECHO * len(own) for other in others if own)


def _triples(template: str) -> frozenset[tuple[str, ...]]:
    words = template.split()
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset({tuple(words)} - {()})


def labelled(row: dict[str, Any]) -> Labelled:
    """A row of the corpus as the written sentences are."""
    spans = [
        (span["start"], span["end"], _LABEL_OF[span["type"]])
        for span in sorted(row["spans"], key=lambda span: span["start"])
        if span["type"] in _LABEL_OF
    ]
    return Labelled(row["text"], tuple(joined(row["text"], spans)), ())


def examples(personal_rows: Sequence[dict[str, Any]], benign: Sequence[dict[str, Any]]) -> list[Example]:
    """All that there is to learn from."""
    known, draw = lists(SEED), random.Random(SEED)

    def made(drawn: Labelled, templates: Iterable[str], source: str, copies: int, prompt: str = "") -> Example:
        sentence = Sentence(drawn, known, draw)
        return Example(sentence=sentence, templates=tuple(templates), source=source, copies=copies, prompt=prompt)

    found = [made(drawn, map(plain, drawn.templates), "", 1) for drawn in Writer(SEED).sentences(SENTENCES)]
    found += [made(Labelled(text, (), ()), (), row["source"], 1, row["id"]) for text, row in unnamed(benign)]
    found += [
        made(labelled(row), (template_of(row),), row["source"], COPIES) for row in personal_rows if is_sentence(row)
    ]
    return found


def unnamed(benign: Iterable[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Pieces of prompts that name no one, as far as lists of names tell, and the prompts."""
    known = lists(SEED)
    names = known["first"] | known["last"]
    for row in benign:
        for piece in re.findall(r"(?s).{1,300}(?:\s|\Z)", row["text"]):
            words = {word for word, _, _ in split(piece) if shape(word) in ("Xx", "XX", "X")}
            if row["kind"] in NOBODY_KINDS or not any(hashed(word.lower()) in names for word in words):
                yield piece, row


def is_sentence(row: dict[str, Any]) -> bool:
    """Whether the row is prose, and not a bare value of one type."""
    return bool(row["kind"] == "sentence" and row["neg_for"] != personal.ALL)


def learned(chosen: Iterable[Example]) -> Weights:
    """The weights of some examples."""
    sentences = [example.sentence for example in chosen for _ in range(example.copies)]
    return Learner(lists(SEED)).learn(sentences, SEED)


def judge(weights: Weights, rows: Iterable[dict[str, Any]], whole: Tallies) -> None:
    """Count what the rules and the recogniser find, as `caisson bench detect --kind pii` does."""
    recogniser = Recogniser(weights)
    for row in rows:
        found, left = masked(rule_sets(), row["text"])
        personal.score(row, [*found, *recogniser.find(left)], whole)


def grouped(every: Sequence[Example], rows: Sequence[dict[str, Any]]) -> Tallies:
    """Each row judged by a model that saw no sentence of its template or an echo of it, and none of the bank."""
    templates = sorted({template_of(row) for row in rows if is_sentence(row)})
    random.Random(SEED).shuffle(templates)
    fold_of = {template: number % FOLDS for number, template in enumerate(templates)}
    tallies = Tallies()
    for fold in range(FOLDS):
        out = {template for template, number in fold_of.items() if number == fold}
        weights = learned(without(every, out, lambda source: "banking" in source))
        judge(weights, (row for row in rows if fold_of.get(template_of(row), 0) == fold), tallies)
        print(f"fold {fold}: {_line(tallies)}", flush=True)
    return tallies


def source_left_out(every: Sequence[Example], rows: Sequence[dict[str, Any]]) -> dict[str, Tallies]:
    """Each source of sentences judged by a model that saw nothing of it, nor of templates that it shares."""
    found = {}
    for source in sorted({row["source"] for row in rows if is_sentence(row) and row["spans"]}):
        mine = [row for row in rows if row["source"] == source]
        weights = learned(without(every, set(map(template_of, mine)), lambda other, source=source: other == source))
        judge(weights, mine, found.setdefault(source, Tallies()))
        print(f"without {source}: {_line(found[source])}", flush=True)
    return found


def prompts_left_out(every: Sequence[Example], benign: Sequence[dict[str, Any]]) -> str:
    """How many prompts have a finding, of the half that was not trained on. Some do name people."""
    half = [row for row in benign if crc32(row["id"].encode()) % 2]
    out = {row["id"] for row in half}
    recogniser = Recogniser(learned(example for example in every if example.prompt not in out))
    lines = [
        "## Prompts that were not trained on",
        "",
        "| kind | prompts | with a finding, some of them right |",
        "|---|--:|--:|",
    ]
    for kind in sorted({row["kind"] for row in half}):
        texts = [row["text"] for row in half if row["kind"] == kind]
        flagged = sum(bool(recogniser.find(text)) for text in texts)
        lines.append(f"| {kind} | {len(texts)} | {flagged} ({flagged / len(texts):.3f}) |")
    return "\n".join([*lines, ""])


def without(every: Sequence[Example], templates: set[str], source: Callable[[str], bool]) -> list[Example]:
    """The examples but those of some templates, their echoes, and some sources."""
    echoing = {
        template
        for template in {template for example in every if not example.source for template in example.templates}
        if echoes(template, templates)
    }
    out = templates | echoing
    return [
        example
        for example in every
        if out.isdisjoint(example.templates) and not (example.source and source(example.source))
    ]


def page(measured: dict[str, Tallies]) -> str:
    """The figures as Markdown."""
    lines = [
        "# Recogniser of names and addresses: held-out figures", "",
        "Written by `training/people.py`. Rules and recogniser together, scored as `caisson bench detect --kind pii` scores",
        "them: a span that must be found counts when a finding of its type covers half of it; 95 % Wilson intervals.", "",
    ]  # fmt: skip
    for title, tallies in measured.items():
        lines += [f"## {title}", "", "| | spans | recall | precision | F1 |", "|---|--:|--:|--:|--:|"]
        for name in ("overall", "NAME", "ADDRESS", "AGE", "type-free"):
            tally = tallies.overall if name == "overall" else tallies[name]
            figures = tally.figures()
            if figures["recall"] is None:
                continue
            low, high = figures["ci_of"]["recall"]
            lines.append(
                f"| {name} | {tally.found + tally.missed} | {figures['recall']:.3f} ({low:.3f}–{high:.3f}) |"
                f" {figures['precision']:.3f} | {figures['f1']:.3f} |"
            )
        free = tallies["free of personal data"]
        if free.n:
            low, high = free.figures()["ci_of"]["fpr"]
            lines.append(
                f"\nRows free of personal data with a finding: {free.flagged} of {free.n}, {low:.3f}–{high:.3f}."
            )
        lines.append("")
    return "\n".join(lines)


def _line(tallies: Tallies) -> str:
    shown = [
        f"{name} R {figures['recall']} P {figures['precision']} F1 {figures['f1']}"
        for name in ("NAME", "ADDRESS")
        for figures in (tallies[name].figures(),)
    ]
    whole = tallies.overall.figures()
    return "; ".join([*shown, f"all F1 {whole['f1']}, nobody {tallies['free of personal data'].fpr}"])


def main() -> None:
    """See the module."""
    if os.environ.get("PYTHONHASHSEED") != "0":  # Faker draws some cities from a set, whose order this decides
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--measure", action="store_true", help="figures only")
    parser.add_argument("--figures", type=Path, default=Path("docs/models/people-figures.md"))
    given = parser.parse_args()
    rows, benign = read(given.corpora / "pii.jsonl"), read(given.corpora / "benign_prompts.jsonl")
    every = examples(rows, benign)
    if not given.measure:
        store(FILE, learned(every).model())
    measured = {"Grouped by template": grouped(every, rows)}
    for source, tallies in source_left_out(every, rows).items():
        measured[f"Without {source}, and without the templates that it shares"] = tallies
    given.figures.write_text(page(measured) + "\n" + prompts_left_out(every, benign), "utf-8")


if __name__ == "__main__":
    main()
