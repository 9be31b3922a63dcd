"""Reads a text from its beginning, cut anywhere, and says what it found and how far that is certain.

What is found depends on the text alone, not on how it was cut, for all that it rests on is bounded:
- a run of characters ends with a space or a line, or at RUN_CHARACTERS_MAX; nothing beyond changes its words;
- a stretch is labelled once QUIET_WORDS words after it are known not to be near a name, or at STRETCH_WORDS_MAX;
- a finding ends with the first word that does not go on with it, or at FINDING_WORDS_MAX.

So a run, the words of a stretch and those of a finding are held back and no more; in prose it is half a dozen words.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from caisson.detect.finding import Finding
from caisson.detect.people.tagger import REACH, Tagger
from caisson.detect.people.words import RUN_CHARACTERS_MAX, runs, words

QUIET_WORDS = 3
"""Words after the last near one that end a stretch. With fewer, stretches differ from the whole text's best path."""
AROUND = 1
"""Words on either side of a stretch's near words that are solved along; stretches do not overlap."""
STRETCH_WORDS_MAX = 256
"""Words that are labelled together; a longer stretch is cut."""
FINDING_WORDS_MAX = 48
"""Longer findings are cut; no name and no address has so many words."""
NAME_WORDS_MAX = 8
"""What is longer, marks included, is no name; nor is what has digits. Words that are not written like names must be
known as such. An address has digits."""
LETTERS = frozenset({"Xx", "X", "XX", "x"})
"""Shapes of words of letters. A finding in scripts without capitals alone would be a guess: none was learned from."""
DIGITS = frozenset({"d", "d4", "d5", "xd"})
"""Shapes of words with digits."""
SCORE = 0.6
"""The chain says what is most likely, not how likely; a finding without a form is never certain."""
_JOINING_MAX = 2
"""Marks in a row that may stand within an address."""
_TRIMMED = " \t\r\n,;:>-–(\"'"


class Reader:
    """One text on its way."""

    __slots__ = ("_before", "_dropped", "_labels", "_read", "_runs", "_starts", "_tagger", "_taken", "_text")

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger
        self._text = ""
        """The text from `_dropped` on, which is where the first run begins."""
        self._dropped = 0
        self._read = 0
        """Offset in the whole text of what is in no run yet."""
        self._before: list[str] = []
        """The last REACH words before the first run; fewer at the beginning."""
        self._runs: list[str] = []
        self._starts: list[int] = []
        """Where the runs begin, in the whole text."""
        self._labels: list[int] = []
        """Of the first words in the runs, as far as they are certain."""
        self._taken = 0
        """So many of these words were looked at for findings."""

    def take(self, text: str, *, final: bool) -> tuple[list[Finding], int]:
        """Take the next piece.

        Returns:
            Findings that became certain, in order, none over another; and an offset up to which all are known. Offsets
            are of the whole text.
        """
        self._text += text
        if self._gather(final=final) or final:
            numbers, counts = self._tagger.read([*self._before, *self._runs])
            counts = counts[len(self._before) :]
            self._label(numbers, final=final)
            found = list(self._findings(numbers[len(self._before) :], counts, final=final))
            self._drop(counts)
            return found, self._dropped
        return [], self._dropped

    def _gather(self, *, final: bool) -> bool:
        """Add the runs that no further character changes; whether there are any."""
        rest = self._text[self._read - self._dropped :]
        end = len(rest)
        if not final:
            end = max(rest.rfind(" "), rest.rfind("\n")) + 1
            end += (len(rest) - end) // RUN_CHARACTERS_MAX * RUN_CHARACTERS_MAX
        if not end:
            return False
        found, starts = runs(rest[:end])
        self._runs += found
        self._starts += [start + self._read for start in starts] if self._read else starts
        self._read += end
        return True

    def _label(self, numbers: NDArray[np.int32], *, final: bool) -> None:
        """Label the words of which it is certain to which stretch they belong, if to any."""
        skipped = len(self._before) + len(self._labels)
        count = len(numbers) - skipped
        known = count if final else count - REACH
        if known <= 0:
            return
        tagger = self._tagger
        scores = tagger.scores(numbers)[skipped:]
        sure = known if final else max(0, known - AROUND)
        """Words that no stretch to come reaches."""
        solved: list[tuple[int, int]] = []
        start = 0
        for begin, last, cut in _stretches(tagger.near(scores[:known])):
            start = max(start, begin - AROUND)
            if not (cut is not None or final or known > last + QUIET_WORDS):
                sure = start
                break
            end = min(count, last + AROUND + 1) if cut is None else cut
            solved.append((start, end))
            start = end
            sure = max(sure, end)
        labels = [0] * sure
        solved = tagger.hopeful(scores, solved) if solved else solved
        if solved:
            kinds, never = tagger.kinds, tagger.never
            for (start, _), path in zip(solved, tagger.solve(scores, solved), strict=True):
                for place, label in enumerate(path, start):
                    if label and kinds[label] and not never[int(numbers[skipped + place])]:
                        labels[place] = label
        self._labels += labels

    def _findings(self, numbers: NDArray[np.int32], counts: Sequence[int], *, final: bool) -> Iterator[Finding]:
        """Look at the labelled words, as far as no finding can go on with them."""
        labels, at = self._labels, self._taken
        self._taken = len(labels)
        if not any(labels):
            return
        ends = list(accumulate(counts))
        for place in [place for place, label in enumerate(labels) if label]:
            if place < at:
                continue
            kind = self._tagger.kinds[labels[place]]
            last, certain = self._last(numbers, place, kind)
            if not (certain or final):
                self._taken = place
                break
            if self._plausible(numbers[place : last + 1].tolist(), kind):
                yield from self._finding(self._place(ends, place)[0], self._place(ends, last)[1], kind)
            at = last + 1

    def _last(self, numbers: NDArray[np.int32], first: int, kind: str) -> tuple[int, bool]:
        """The last word of the finding that begins at `first`, and whether that is certain."""
        tagger, labels, last = self._tagger, self._labels, first
        for after in range(first + 1, min(len(labels), first + FINDING_WORDS_MAX)):
            label = labels[after]
            if tagger.kinds[label] == kind and (not tagger.begins[label] or (kind == "ADDRESS" and after == last + 1)):
                last = after
            elif not (kind == "ADDRESS" and after - last <= _JOINING_MAX and tagger.joining[int(numbers[after])]):
                return last, True
        return last, len(labels) >= first + FINDING_WORDS_MAX

    def _plausible(self, numbers: Sequence[int], kind: str) -> bool:
        """Whether the words have what every address has, or nothing that no name has."""
        shapes = [self._tagger.shapes[number] for number in numbers]
        scripts = {
            self._tagger.caseless[number] for number, form in zip(numbers, shapes, strict=True) if form in LETTERS
        }
        if scripts == {True}:
            return False
        digits = not DIGITS.isdisjoint(shapes)
        if kind == "ADDRESS":
            return digits
        return (
            not digits
            and len(numbers) <= NAME_WORDS_MAX
            and ("Xx" in shapes or any(self._tagger.named[number] for number in numbers))
        )

    def _place(self, ends: Sequence[int], place: int) -> tuple[int, int]:
        """Where a word is in the whole text."""
        run = bisect_right(ends, place)
        word = words(self._runs[run])[place - (ends[run - 1] if run else 0)]
        return self._starts[run] + word.start, self._starts[run] + word.end

    def _finding(self, start: int, end: int, kind: str) -> Iterator[Finding]:
        value = self._text[start - self._dropped : end - self._dropped]
        start += len(value) - len(value.lstrip(_TRIMMED))
        value = value.strip(_TRIMMED)
        if any(map(str.isalnum, value)):
            yield Finding(
                start=start,
                end=start + len(value),
                rule=f"people.{kind}",
                type=kind,
                score=SCORE,
                version=self._tagger.version,
                normal=normal(value),
            )

    def _drop(self, counts: Sequence[int]) -> None:
        """Forget the runs before the first word that is still needed."""
        first, kept = len(self._runs), sum(counts) - self._taken
        while kept > 0:
            first -= 1
            kept -= counts[first]
        before: list[str] = []
        for run in reversed(self._runs[:first]):
            if len(before) >= REACH:
                break
            before[:0] = [word.text for word in words(run)]
        self._before = [*self._before, *before][-REACH:]
        gone = self._taken + kept
        self._taken = -kept
        self._labels = self._labels[gone:]
        dropped = self._starts[first] if first < len(self._runs) else self._read
        self._text, self._dropped = self._text[dropped - self._dropped :], dropped
        del self._runs[:first], self._starts[:first]


def normal(value: str) -> str:
    """What all spellings of a name share, for its pseudonym."""
    return " ".join(value.split()).casefold()


def _stretches(near: Sequence[int]) -> Iterator[tuple[int, int, int | None]]:
    """First near word, last near word, and where the stretch is cut if it goes on."""
    at = 0
    while at < len(near):
        begin = last = near[at]
        at += 1
        while at < len(near) and near[at] - last <= QUIET_WORDS and near[at] - begin < STRETCH_WORDS_MAX:
            last = near[at]
            at += 1
        goes_on = at < len(near) and near[at] - last <= QUIET_WORDS
        yield begin, last, near[at] if goes_on else None
