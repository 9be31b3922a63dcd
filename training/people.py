"""Trains the recogniser of names and addresses: `python -m training.people --corpus FILE [--folds 5] [--out FILE]`.

- Text: `training/people_text.py` (seeded), and the labelled sentences of the development corpus where it is given.
- `--folds`: how well it does on sentences whose template it has not seen (grouped by template), and on each source of the
  corpus with the other left out. Nothing is written.
- `--out`: the file that ships, and its SHA-256. The same seed, corpus and versions give the same file.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caisson.detect.detectors import masked
from caisson.detect.finding import Finding
from caisson.detect.people.artefact import Weights, pack
from caisson.detect.people.find import Recogniser
from caisson.detect.people.words import BUCKETS, CLASSES, OFFSETS, buckets, class_of, features, listed, split
from caisson.detect.redaction import rule_sets
from caisson.detect.scoring import personal
from caisson.detect.scoring.tally import Tallies
from training.people_lists import lists
from training.people_text import Labelled, Writer

SEED = 20_260_101
SENTENCES = 24_000
EPOCHS = 4
COPIES = 3
"""How often a sentence of the corpus is seen beside the written ones."""
LABELS = ("O", "B-NAME", "I-NAME", "B-ADDRESS", "I-ADDRESS", "ORG", "LOC")
UNKNOWN_SHARE = 0.3
"""Part of the listed words that a sentence is read without, so that the lists are not all there is to go by."""
BIAS = 0.5
_EDGE = max(OFFSETS)
_LABEL_OF = {"NAME": "NAME", "TITLE": "NAME", "ADDRESS": "ADDRESS", "ORGANIZATION": "ORG", "LOCATION": "LOC", "GPE": "LOC"}


class Sentence:
    """A sentence as numbers: buckets of each word at each offset, classes, labels."""

    def __init__(self, drawn: Labelled, known: dict[str, frozenset[int]], draw: random.Random) -> None:
        placed = list(split(masked(rule_sets(), drawn.text)[1]))
        self.gold = _labels(placed, drawn.spans)
        rows: list[list[list[int]]] = []
        classes = []
        for word, _, _ in placed:
            lists_of = [] if draw.random() < UNKNOWN_SHARE else listed(word, known)
            found = features(word, lists_of)
            rows.append([buckets(offset, found) for offset in OFFSETS])
            classes.append(class_of(word, lists_of))
        self.classes = np.array([0] * _EDGE + classes + [0] * _EDGE)
        count = len(placed)
        flat: list[int] = []
        owner: list[int] = []
        for at in range(count):
            for number, offset in enumerate(OFFSETS):
                if 0 <= at + offset < count:
                    votes = rows[at + offset][number]
                    flat += votes
                    owner += [at] * len(votes)
        self.buckets, self.owner = np.array(flat, dtype=np.int32), np.array(owner, dtype=np.int32)


def _labels(placed: Sequence[tuple[str, int, int]], spans: Iterable[tuple[int, int, str]]) -> NDArray[np.int64]:
    labels = np.zeros(len(placed), dtype=np.int64)
    for start, end, label in spans:
        inside = [at for at, (_, a, b) in enumerate(placed) if a < end and b > start and (min(b, end) - max(a, start)) * 2 >= b - a]
        for order, at in enumerate(inside):
            name = label if label in ("ORG", "LOC") else f"{'I' if order else 'B'}-{label}"
            labels[at] = LABELS.index(name)
    return labels


class Learner:
    """An averaged structured perceptron."""

    def __init__(self, known: dict[str, frozenset[int]]) -> None:
        wide = len(LABELS)
        self._known = known
        self._words = np.zeros((BUCKETS, wide), dtype=np.float32)
        self._pairs = np.zeros((2, CLASSES, CLASSES, wide), dtype=np.float32)
        self._steps = np.zeros((wide, wide), dtype=np.float32)
        self._sums = [np.zeros_like(array) for array in (self._words, self._pairs, self._steps)]
        self._tick = 1

    def learn(self, sentences: Sequence[Labelled], seed: int, epochs: int = EPOCHS) -> Weights:
        draw = random.Random(seed)
        read = [one for one in (Sentence(drawn, self._known, draw) for drawn in sentences) if len(one.gold)]
        for _ in range(epochs):
            draw.shuffle(read)
            for sentence in read:
                self._one(sentence)
        words, pairs, steps = (
            array - total / self._tick
            for array, total in zip((self._words, self._pairs, self._steps), self._sums, strict=True)
        )
        unit = float(np.abs(words).max()) / 24
        return Weights(
            labels=LABELS, lists=self._known, words=words / unit, pairs=pairs / unit, transitions=steps / unit, bias=BIAS
        )

    def _one(self, sentence: Sentence) -> None:
        count, wide = len(sentence.gold), len(LABELS)
        scores = np.zeros((count, wide), dtype=np.float32)
        np.add.at(scores, sentence.owner, self._words[sentence.buckets])
        own = sentence.classes[_EDGE : _EDGE + count]
        left, right = sentence.classes[_EDGE - 1 : _EDGE - 1 + count], sentence.classes[_EDGE + 1 : _EDGE + 1 + count]
        scores += self._pairs[0, own, left] + self._pairs[1, own, right]
        path = _best(scores, self._steps)
        self._tick += 1
        wrong = np.flatnonzero(path != sentence.gold)
        if not len(wrong):
            return
        chosen = np.isin(sentence.owner, wrong)
        rows, owners = sentence.buckets[chosen], sentence.owner[chosen]
        for labels, sign in ((sentence.gold, 1.0), (path, -1.0)):
            for array, total, index in (
                (self._words, self._sums[0], (rows, labels[owners])),
                (self._pairs, self._sums[1], (0, own[wrong], left[wrong], labels[wrong])),
                (self._pairs, self._sums[1], (1, own[wrong], right[wrong], labels[wrong])),
                (self._steps, self._sums[2], (np.concatenate([[0], labels]), np.concatenate([labels, [0]]))),
            ):
                np.add.at(array, index, sign)
                np.add.at(total, index, sign * self._tick)


def _best(scores: NDArray[np.float32], steps: NDArray[np.float32]) -> NDArray[np.int64]:
    best = scores[0] + steps[0]
    back = np.zeros(scores.shape, dtype=np.int64)
    for at in range(1, len(scores)):
        ways = best[:, None] + steps
        back[at] = ways.argmax(axis=0)
        best = ways.max(axis=0) + scores[at]
    path = np.zeros(len(scores), dtype=np.int64)
    path[-1] = (best + steps[:, 0]).argmax()
    for at in range(len(scores) - 1, 0, -1):
        path[at - 1] = back[at, path[at]]
    return path


def corpus(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Sentences of the development corpus with the template that each was made of."""
    rows = [json.loads(line) for line in path.read_text().split("\n") if line]
    return [(_template(row), row) for row in rows if row["kind"] == "sentence"]


def nobody(path: Path) -> list[Labelled]:
    """Questions to a bank and to an assistant, which name no one."""
    rows = [json.loads(line) for line in path.read_text().split("\n") if line]
    return [Labelled(row["text"], ()) for row in rows if row["kind"] in ("customer_service", "assistant_query")]


def _template(row: dict[str, Any]) -> str:
    text = row["text"]
    for span in sorted(row["spans"], key=lambda span: -span["start"]):
        text = text[: span["start"]] + "{}" + text[span["end"] :]
    return re.sub(r"[\s{}>]+", " ", text.lower()).strip()


def _as_labelled(row: dict[str, Any]) -> Labelled:
    spans = [
        (span["start"], span["end"], _LABEL_OF[span["type"]])
        for span in sorted(row["spans"], key=lambda span: span["start"])
        if span["type"] in _LABEL_OF
    ]
    return Labelled(row["text"], tuple(_beside(row["text"], spans)))


def _beside(text: str, spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Places right beside an address belong to it, as in the written sentences."""
    from training.people_text import _joined

    return _joined(text, spans)


def evaluated(weights: Weights, rows: Iterable[dict[str, Any]], tallies: Tallies) -> None:
    """Count what the recogniser finds, names and addresses only."""
    recogniser = Recogniser(weights)
    for row in rows:
        spans = [span for span in row["spans"] if span["type"] in ("NAME", "ADDRESS") or not span["required"]]
        others = [{**span, "required": False} for span in row["spans"] if span not in spans]
        found: list[Finding] = recogniser.find(masked(rule_sets(), row["text"])[1])
        personal.score({**row, "spans": spans + others}, found, tallies)


def folds(rows: Sequence[tuple[str, dict[str, Any]]], written: Sequence[Labelled], count: int) -> None:
    known = lists(SEED)
    groups = sorted({template for template, _ in rows})
    random.Random(SEED).shuffle(groups)
    fold_of = {template: number % count for number, template in enumerate(groups)}
    tallies = Tallies()
    for fold in range(count):
        seen = [_as_labelled(row) for template, row in rows if fold_of[template] != fold]
        weights = Learner(known).learn([*written, *seen * COPIES], SEED + fold)
        evaluated(weights, (row for template, row in rows if fold_of[template] == fold), tallies)
        print(f"fold {fold}: {_figures(tallies)}", flush=True)
    for source in sorted({row["source"] for _, row in rows if row["spans"]}):
        tallies = Tallies()
        seen = [_as_labelled(row) for _, row in rows if row["source"] != source]
        evaluated(Learner(known).learn([*written, *seen * COPIES], SEED), (row for _, row in rows if row["source"] == source), tallies)
        print(f"without {source}: {_figures(tallies)}", flush=True)
    tallies = Tallies()
    evaluated(Learner(known).learn(written, SEED), (row for _, row in rows), tallies)
    print(f"written sentences only: {_figures(tallies)}", flush=True)


def _figures(tallies: Tallies) -> str:
    shown = []
    for name in ("NAME", "ADDRESS"):
        figures = tallies[name].figures()
        shown.append(f"{name} recall {figures['recall']} precision {figures['precision']} F1 {figures['f1']}")
    whole = tallies.overall.figures()
    return "; ".join([*shown, f"both F1 {whole['f1']}, nobody {whole['fpr']}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--nobody", type=Path, help="rows without people, of customers and of users of an assistant")
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sentences", type=int, default=SENTENCES)
    given = parser.parse_args()
    written = list(Writer(SEED).sentences(given.sentences))
    rows = corpus(given.corpus) if given.corpus else []
    if given.nobody:
        written += nobody(given.nobody)
    if given.folds:
        folds(rows, written, given.folds)
    if given.out:
        weights = Learner(lists(SEED)).learn([*written, *[_as_labelled(row) for _, row in rows] * COPIES], SEED)
        content = pack(weights)
        given.out.write_bytes(content)
        print(f"{given.out}: {len(content):,} bytes, SHA-256 {sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()


