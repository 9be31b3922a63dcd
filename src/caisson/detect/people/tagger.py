"""Words to labels: a linear chain over the votes of each word and its neighbours (Collins 2002, averaged perceptron).

Most words of most texts are far from being a name. The chain is solved only around those that are not: stretches of words
whose best label comes within `MARGIN` of `O`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from caisson.detect.people.artefact import Weights
from caisson.detect.people.words import OFFSETS, buckets, class_of, features, listed

REMEMBERED_MAX = 20_000
"""Words whose votes are kept; then all are forgotten."""
MARGIN = 4.0
"""Score that a word may lack and still be worth solving; neighbours can add about as much."""
AROUND = 2
"""Words on either side that are solved along."""
STRETCH_MAX = 2_000
"""Words solved at once; longer stretches are cut."""
_EDGE = max(OFFSETS)


class Tagger:
    """Labels words. Not for several threads at once: it remembers words."""

    def __init__(self, weights: Weights) -> None:
        self.labels = weights.labels
        self._weights = weights
        self._wide = len(weights.labels)
        self._forget()

    def tag(self, words: Sequence[str]) -> NDArray[np.int8]:
        """A label's number for each word. At most a few thousand words at a time, so that what is remembered stays small."""
        labels = np.zeros(len(words), dtype=np.int8)
        if not words:
            return labels
        if self._used > REMEMBERED_MAX:
            self._forget()
        scores = self._scores(words)
        near = scores[:, 1:].max(axis=1) > scores[:, 0] - MARGIN
        for start, end in _stretches(near):
            labels[start:end] = self._solve(scores[start:end])
        return labels

    def _forget(self) -> None:
        self._row_of: dict[str, int] = {}
        self._votes = np.zeros((1, len(OFFSETS), self._wide), dtype=np.float32)
        self._classes = np.zeros(1, dtype=np.int32)
        self._used = 1
        """Row 0 is the edge of the text: no votes."""

    def _scores(self, words: Sequence[str]) -> NDArray[np.float32]:
        rows = np.array([self._row(word) for word in words], dtype=np.int32)
        padded = np.pad(rows, _EDGE)
        count = len(words)
        scores = np.zeros((count, self._wide), dtype=np.float32)
        for number, offset in enumerate(OFFSETS):
            scores += self._votes[padded[_EDGE + offset : _EDGE + offset + count], number]
        classes = self._classes[padded]
        own = classes[_EDGE : _EDGE + count]
        scores += self._weights.pairs[0, own, classes[_EDGE - 1 : _EDGE - 1 + count]]
        scores += self._weights.pairs[1, own, classes[_EDGE + 1 : _EDGE + 1 + count]]
        scores[:, 0] += self._weights.bias
        return scores

    def _row(self, word: str) -> int:
        row = self._row_of.get(word)
        if row is None:
            row = self._learn(word)
        return row

    def _learn(self, word: str) -> int:
        known = listed(word, self._weights.lists)
        found = features(word, known)
        if self._used >= len(self._votes):
            more = max(256, len(self._votes))
            self._votes = np.concatenate([self._votes, np.zeros((more, *self._votes.shape[1:]), dtype=np.float32)])
            self._classes = np.concatenate([self._classes, np.zeros(more, dtype=np.int32)])
        for number, offset in enumerate(OFFSETS):
            self._votes[self._used, number] = self._weights.words[buckets(offset, found)].sum(axis=0)
        self._classes[self._used] = class_of(word, known)
        self._row_of[word] = self._used
        self._used += 1
        return self._used - 1

    def _solve(self, scores: NDArray[np.float32]) -> NDArray[np.int8]:
        """The best path (Viterbi 1967)."""
        transitions = self._weights.transitions
        best = scores[0] + transitions[0]
        back = np.zeros(scores.shape, dtype=np.int8)
        for at in range(1, len(scores)):
            ways = best[:, None] + transitions
            back[at] = ways.argmax(axis=0)
            best = ways.max(axis=0) + scores[at]
        path = np.zeros(len(scores), dtype=np.int8)
        path[-1] = (best + transitions[:, 0]).argmax()
        for at in range(len(scores) - 1, 0, -1):
            path[at - 1] = back[at, path[at]]
        return path


def _stretches(near: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where the words that are near, and those around them, begin and end."""
    places = np.flatnonzero(near)
    if not len(places):
        return []
    found: list[tuple[int, int]] = []
    start = last = int(places[0])
    for place in map(int, places[1:]):
        if place - last > 2 * AROUND or place - start > STRETCH_MAX:
            found.append((max(0, start - AROUND), min(len(near), last + AROUND + 1)))
            start = place
        last = place
    found.append((max(0, start - AROUND), min(len(near), last + AROUND + 1)))
    return found
