"""Which rules of several sets may match a text, by as few passes over it as reloading allows.

Rules that a system file declares have a database of their own, so that a new word does not compile the built-in rules
anew; so have the rules that only some texts are read by.

>>> from caisson.detect.rule import Rule
>>> from caisson.detect.view import views
>>> entry = Entry(Rule(id="words.falcon", type="WORD", pattern="falcon"), 0, 0, 0)
>>> [[found.rule.id for found, _ in hits] for hits in Screen([[], [entry]]).hits(views("a falcon")).values()]
[['words.falcon']]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from caisson.detect.matches import Entry
from caisson.detect.prefilter import prefilter
from caisson.detect.view import View

Hits = Mapping[int, Sequence[tuple[Entry, View]]]
"""Number of a set to its rules that may match, and the views in which they may."""
_SHARED = {"pseudonyms": "credentials", "words": "declared", "patterns": "declared"}
"""Kinds of rules that share a database. A pass costs 4 KB of text about 1 µs; credentials and personal data together
would take twice as long to compile."""


class Screen:
    """Prefilters over all rules of the sets."""

    def __init__(self, sets: Sequence[Sequence[Entry]]) -> None:
        groups: dict[str, list[tuple[int, Entry]]] = {}
        for place, entries in enumerate(sets):
            for entry in entries:
                kind = entry.rule.id.partition(".")[0]
                groups.setdefault(_SHARED.get(kind, kind), []).append((place, entry))
        self._groups = tuple(
            (prefilter(tuple(entry.rule.sign or entry.rule.pattern for _, entry in group)).hits, group)
            for group in groups.values()
        )

    def hits(self, seen: Sequence[View]) -> Hits:
        """By set, in order of the views. What is not named here has no match; what is may have one."""
        found: dict[int, list[tuple[Entry, View]]] = {}
        for view in seen:
            for screened, group in self._groups:
                for number in screened(view.data):
                    place, entry = group[number]
                    found.setdefault(place, []).append((entry, view))
        return found
