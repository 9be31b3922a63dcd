"""Words to labels: a linear chain over the votes of each word and its neighbours (Collins 2002, averaged perceptron).

Most words of most texts are far from being a name. The chain is solved only in stretches with a word that might begin
one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from caisson.detect.people.weights import Weights
from caisson.detect.people.words import (
    EDGE_CLASS,
    MASKED,
    OFFSETS,
    caseless,
    class_of,
    features,
    listed,
    rows,
    shape,
    words,
)

WORDS_MAX, RUNS_MAX = 30_000, 60_000
"""Words, and runs of characters, that are remembered, some 15 MB; then all are forgotten."""
REACH = max(OFFSETS)
"""Words on either side that decide a word's scores."""
Scores = NDArray[np.int16]
"""[word, label]."""
_NEVER = frozenset({MASKED, '"', "{", "}", "[", "]", "<", "=", "|", "\\"})
"""What is in no name and no address: pseudonyms, and what parts the values of records."""
NAMES = frozenset({"first", "last", "title"})
"""Lists of words that names are made of."""
_JOINING = frozenset("\n,.>-/#")
"""Marks that may stand within an address."""


class Tagger:
    """Scores and labels words. Not for several threads at once: it remembers words."""

    def __init__(self, weights: Weights) -> None:
        self.version = weights.version
        labels = weights.labels
        self.kinds = [label.partition("-")[2] for label in labels]
        """By label: `NAME`, `ADDRESS` or nothing."""
        self.begins = [label.startswith("B-") for label in labels]
        """By label: a finding may begin here."""
        self._weights = weights
        self._wide = len(labels)
        self._transitions = weights.transitions.astype(np.int32)
        self._gains = [
            _gains(self._transitions, self.kinds, self.begins, kind) for kind in sorted({*self.kinds} - {""})
        ]
        self._forget()

    def read(self, runs: Sequence[str]) -> tuple[NDArray[np.int32], list[int]]:
        """The numbers of the words in some runs of characters without space, and how many words each has.

        They hold until the next call.
        """
        if self._used > WORDS_MAX or len(self._words_of) > RUNS_MAX:
            self._forget()
        words_of = self._words_of
        try:
            found = [words_of[run] for run in runs]
        except KeyError:
            self._learn(dict.fromkeys(run for run in runs if run not in words_of))
            found = [words_of[run] for run in runs]
        return np.fromiter(chain.from_iterable(found), np.int32), list(map(len, found))

    def scores(self, numbers: NDArray[np.int32]) -> Scores:
        """Scores of each word from itself and the words around it; beyond the ends there is nothing."""
        count = len(numbers)
        padded = np.zeros(count + 2 * REACH, np.int32)
        padded[REACH : REACH + count] = numbers
        votes = self._votes.take(padded, axis=0)
        scores = votes[:count, 0] + votes[1 : count + 1, 1]
        for number in range(2, len(OFFSETS)):
            scores += votes[number : count + number, number]
        classes = self._classes[padded[REACH - 1 : REACH + count + 1]]
        pairs = self._weights.pairs
        scores += pairs[0, classes[1:-1], classes[:-2]]
        scores += pairs[1, classes[1:-1], classes[2:]]
        scores[:, 0] += self._weights.bias
        return scores

    def near(self, scores: Scores) -> list[int]:
        """Numbers of the words that may be in a finding."""
        best = np.ascontiguousarray(scores[:, 1:].T).max(axis=0)
        found: list[int] = np.flatnonzero(best > scores[:, 0] - self._weights.margin).tolist()
        return found

    def hopeful(self, scores: Scores, stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """The stretches in which a run of one kind between words that are `O` could be better than `O` throughout."""
        columns = np.ascontiguousarray(scores.T).astype(np.int32)
        spans = np.array(stretches, np.int64)
        any_kind = np.zeros(len(stretches), np.bool_)
        for labels, step, ends in self._gains:
            gain = np.maximum(columns[labels].max(axis=0) - columns[0] + step, 0)
            sums = np.concatenate(([0], np.cumsum(gain)))
            any_kind |= sums[spans[:, 1]] - sums[spans[:, 0]] + ends > 0
        return [stretch for stretch, hope in zip(stretches, any_kind.tolist(), strict=True) if hope]

    def solve(self, scores: Scores, stretches: Sequence[tuple[int, int]]) -> list[list[int]]:
        """The best path through each stretch, as from its first word to its end alone (Viterbi 1967): labels.

        All go side by side, the longest first.
        """
        order = sorted(range(len(stretches)), key=lambda each: stretches[each][0] - stretches[each][1])
        lengths = [stretches[each][1] - stretches[each][0] for each in order]
        starts = np.array([stretches[each][0] for each in order], np.int64)
        ending = self._transitions[:, 0]
        best = scores[starts] + self._transitions[0]
        last: list[int] = []
        """Of the stretches that have ended, the shortest first."""
        back: list[list[list[int]]] = []
        active, step = len(order), 1
        while active:
            going = active
            while going and lengths[going - 1] == step:
                going -= 1
            if going < active:
                last += reversed((best[going:active] + ending).argmax(axis=1).tolist())
                best, starts = best[:going], starts[:going]
            if going:
                ways = best[:, :, None] + self._transitions
                back.append(ways.argmax(axis=1).tolist())
                best = ways.max(axis=1) + scores[starts + step]
            active, step = going, step + 1
        paths: list[list[int]] = [[]] * len(order)
        for place, (each, length, label) in enumerate(zip(order, lengths, reversed(last), strict=True)):
            path = [label]
            for ways_back in reversed(back[: length - 1]):
                path.append(ways_back[place][path[-1]])
            paths[each] = path[::-1]
        return paths

    def _forget(self) -> None:
        self._words_of: dict[str, list[int]] = {}
        """Runs of characters and the numbers of their words."""
        self._number_of: dict[str, int] = {}
        self._used = 1
        """Number 0 is beyond the text: no votes."""
        self._votes = np.zeros((256, len(OFFSETS), self._wide), np.int16)
        self._classes = np.full(256, EDGE_CLASS, np.int32)
        self.never = [False]
        """By number: the word is in no finding."""
        self.shapes = [""]
        """By number: how the word is written."""
        self.named = [False]
        """By number: a list of names or titles knows the word."""
        self.caseless = [False]
        """By number: the word is written in letters without capitals."""
        self.joining = [False]
        """By number: the word may stand within an address though it is none."""

    def _learn(self, runs: Iterable[str]) -> None:
        """Split new runs, and compute what new words vote for."""
        table, starts, classes = list[int](), list[int](), list[int]()
        number_of, used = self._number_of, self._used
        for run in runs:
            numbers = []
            for word in words(run):
                number = number_of.get(word.text)
                if number is None:
                    number = number_of[word.text] = used + len(starts)
                    known = listed(word.text, self._weights.lists)
                    starts.append(len(table))
                    table += rows(features(word.text, known))
                    classes.append(class_of(word.text, known))
                    self.never.append(word.text in _NEVER)
                    self.caseless.append(caseless(word.text))
                    self.shapes.append(shape(word.text))
                    self.named.append(not NAMES.isdisjoint(known))
                    self.joining.append(word.text in _JOINING)
                numbers.append(number)
            self._words_of[run] = numbers
        if not starts:
            return
        self._used = end = used + len(starts)
        if end > len(self._classes):
            more = max(end, 2 * len(self._classes)) - len(self._classes)
            self._votes = np.pad(self._votes, ((0, more), (0, 0), (0, 0)))
            self._classes = np.pad(self._classes, (0, more))
        self._votes[used:end] = np.add.reduceat(self._weights.words[table], starts, axis=0, dtype=np.int16)
        self._classes[used:end] = classes


def _gains(
    transitions: NDArray[np.int32], kinds: Sequence[str], begins: Sequence[bool], kind: str
) -> tuple[list[int], int, int]:
    """What a run of labels of a kind, between words that are `O`, can gain by transitions over `O` throughout.

    Returns:
        The kind's labels; the most that a word gains within the run; the most that beginning and end gain beyond that.
    """
    labels = [number for number, each in enumerate(kinds) if each == kind]
    first = [number for number in labels if begins[number]]
    plain = transitions[0, 0]
    step = int((transitions[np.ix_(labels, labels)] - plain).max())
    entry = int((transitions[0, first] - plain).max())
    leaving = int((transitions[labels, 0] - plain).max())
    return labels, step, entry - step + leaving
