"""One form of a text: its characters, and for each the span of the original that it came from.

A layer finds edits in the text of a form; rewriting gives the next form. Spans are composed on the way, so a finding in
any form names characters of the original.

>>> form = Form("a%20b").rewritten([Edit(start=1, end=4, text=" ")])
>>> form.text, form.original(1, 2)
('a b', (1, 4))
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """Characters to replace."""

    start: int
    end: int
    text: str
    """What they mean; may be empty."""
    spans: Sequence[tuple[int, int]] | None = None
    """For each character of `text` where it came from; None when from all of the edit."""


class Form:
    """Immutable."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, text: str, starts: array[int] | None = None, ends: array[int] | None = None) -> None:
        self.text = text
        self._starts = starts
        self._ends = ends

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of the original that holds all of the characters `start` to `end`, which are some."""
        if self._starts is None or self._ends is None:
            return start, end
        return min(self._starts[start:end]), max(self._ends[start:end])

    def rewritten(self, edits: Iterable[Edit]) -> Form:
        """The next form. Edits are in order and do not overlap."""
        pieces: list[str] = []
        starts, ends = array("q"), array("q")
        at = 0
        for edit in edits:
            self._keep(at, edit.start, pieces, starts, ends)
            pieces.append(edit.text)
            if edit.spans is not None:
                for span in edit.spans:
                    first, last = self.original(*span)
                    starts.append(first)
                    ends.append(last)
            elif edit.text:
                first, last = self.original(edit.start, edit.end)
                starts.extend([first] * len(edit.text))
                ends.extend([last] * len(edit.text))
            at = edit.end
        self._keep(at, len(self.text), pieces, starts, ends)
        return Form("".join(pieces), starts, ends)

    def _keep(self, first: int, last: int, pieces: list[str], starts: array[int], ends: array[int]) -> None:
        pieces.append(self.text[first:last])
        if self._starts is None or self._ends is None:
            starts.extend(range(first, last))
            ends.extend(range(first + 1, last + 1))
        else:
            starts.extend(self._starts[first:last])
            ends.extend(self._ends[first:last])
