"""An averaged structured perceptron for the recogniser of names and addresses (Collins 2002)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from caisson.detect.detectors import masked
from caisson.detect.people.weights import Weights
from caisson.detect.people.words import (
    CLASSES,
    EDGE_CLASS,
    OFFSETS,
    ROWS,
    Word,
    class_of,
    features,
    listed,
    rows,
    split,
)
from caisson.detect.redaction import rule_sets
from people_text import Labelled

VERSION = "1"
EPOCHS = 4
LABELS = ("O", "B-NAME", "I-NAME", "B-ADDRESS", "I-ADDRESS", "ORG", "LOC")
"""Organisations and places are told apart from people and addresses, and then left alone."""
UNKNOWN_SHARE = 0.3
"""Part of the listed words that a sentence is read without, so that the lists are not all there is to go by."""
MASKED_SHARE = 0.7
"""Part of the sentences in which what rules find is masked, as where a guardrail asks for other types too."""
WEIGHT_MAX = 127
"""The largest weight of a word's feature, as a whole number."""
BIAS, MARGIN = 3, 60
"""What `O` gets on top, and what another label may lack to it and still be solved for; in the same units."""


class Sentence:
    """A sentence as numbers: rows of the table with the word that each belongs to, classes, labels."""

    def __init__(self, drawn: Labelled, known: Mapping[str, frozenset[int]], draw: random.Random) -> None:
        text = masked(rule_sets(), drawn.text)[1] if draw.random() < MASKED_SHARE else drawn.text
        placed = split(text)
        self.gold = _labels(placed, drawn.spans)
        table: list[int] = []
        starts, classes = [], []
        for word, _, _ in placed:
            lists_of = [] if draw.random() < UNKNOWN_SHARE else listed(word, known)
            starts.append(len(table))
            table += rows(features(word, lists_of))
            classes.append(class_of(word, lists_of))
        self.table, self.starts = np.array(table, dtype=np.int32), np.array(starts, dtype=np.int32)
        self.owner = np.repeat(np.arange(len(placed)), np.diff([*starts, len(table)]))
        self.classes = np.array([EDGE_CLASS, *classes, EDGE_CLASS])


def _labels(placed: Sequence[Word], spans: Iterable[tuple[int, int, str]]) -> NDArray[np.int64]:
    labels = np.zeros(len(placed), dtype=np.int64)
    for start, end, label in spans:
        inside = [
            at
            for at, (_, a, b) in enumerate(placed)
            if a < end and b > start and (min(b, end) - max(a, start)) * 2 >= b - a
        ]
        for order, at in enumerate(inside):
            name = label if label in ("ORG", "LOC") else f"{'I' if order else 'B'}-{label}"
            labels[at] = LABELS.index(name)
    return labels


class Learner:
    """An averaged structured perceptron."""

    def __init__(self, known: Mapping[str, frozenset[int]]) -> None:
        wide = len(LABELS)
        self._known = known
        self._words = np.zeros((ROWS, len(OFFSETS), wide), dtype=np.float32)
        self._pairs = np.zeros((2, CLASSES, CLASSES, wide), dtype=np.float32)
        self._steps = np.zeros((wide, wide), dtype=np.float32)
        self._sums = [np.zeros(array.shape, np.float64) for array in (self._words, self._pairs, self._steps)]
        self._tick = 1

    def learn(self, sentences: Sequence[Sentence], seed: int) -> Weights:
        """Read all sentences EPOCHS times, and average over every state on the way."""
        draw = random.Random(seed)
        order = [sentence for sentence in sentences if len(sentence.gold)]
        for _ in range(EPOCHS):
            draw.shuffle(order)
            for sentence in order:
                self._one(sentence)
        words, pairs, steps = (
            array - total / self._tick
            for array, total in zip((self._words, self._pairs, self._steps), self._sums, strict=True)
        )
        scale = WEIGHT_MAX / float(np.abs(words).max())
        return Weights(
            version=VERSION,
            labels=LABELS,
            lists=self._known,
            words=np.round(words * scale).astype(np.int8),
            pairs=np.round(pairs * scale).astype(np.int16),
            transitions=np.round(steps * scale).astype(np.int16),
            bias=BIAS,
            margin=MARGIN,
        )

    def _one(self, sentence: Sentence) -> None:
        count, wide = len(sentence.gold), len(LABELS)
        reach = max(OFFSETS)
        votes = np.add.reduceat(self._words[sentence.table], sentence.starts, axis=0)
        padded = np.zeros((count + 2 * reach, len(OFFSETS), wide), dtype=np.float32)
        padded[reach : reach + count] = votes
        scores = sum(padded[reach + offset : reach + offset + count, number] for number, offset in enumerate(OFFSETS))
        own, left, right = sentence.classes[1:-1], sentence.classes[:-2], sentence.classes[2:]
        scores = scores + self._pairs[0, own, left] + self._pairs[1, own, right]
        path = _best(scores, self._steps)
        self._tick += 1
        wrong = np.flatnonzero(path != sentence.gold)
        if not len(wrong):
            return
        changes = []
        for labels, sign in ((sentence.gold, 1.0), (path, -1.0)):
            for number, offset in enumerate(OFFSETS):
                voter = sentence.owner - offset
                chosen = np.isin(voter, wrong)
                changes.append((0, (sentence.table[chosen], number, labels[voter[chosen]]), sign))
            changes.append((1, (0, own[wrong], left[wrong], labels[wrong]), sign))
            changes.append((1, (1, own[wrong], right[wrong], labels[wrong]), sign))
            changes.append((2, (np.concatenate([[0], labels]), np.concatenate([labels, [0]])), sign))
        for place, index, sign in changes:
            np.add.at((self._words, self._pairs, self._steps)[place], index, sign)
            np.add.at(self._sums[place], index, sign * self._tick)


def _best(scores: NDArray[np.float32], steps: NDArray[np.float32]) -> NDArray[np.int64]:
    """The best path. Where `O` leads everywhere by more than transitions can make up for, it is `O` throughout."""
    if (scores[:, 0] - scores[:, 1:].max(axis=1)).min() > 2 * (steps.max() - steps[0, 0]):
        return np.zeros(len(scores), dtype=np.int64)
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
