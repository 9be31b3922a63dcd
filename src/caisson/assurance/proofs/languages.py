"""Words for every way to fit or not to fit some patterns.

The patterns run side by side as automata, a bit a position; the words are found breadth first, so that each is the
shortest of its kind. Letters that no pattern mentions behave alike: one stands for all of them.

>>> from caisson.assurance.iam.pattern import parse
>>> words([parse(text, variables=False).pieces for text in ("a*", "*b")], letters="xyz")
['x', 'a', 'b', 'ab']
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from caisson.assurance.iam.pattern import Piece, Wild

STATES_MAX = 60_000
"""Combinations of positions that are visited before the answer is that nobody knows."""
LETTERS = "zqxkvjw0123456789yutsrponmlihgfedcba"
"""Of which the first that no pattern mentions stands for all others."""
Pieces = Sequence[Piece]


class TooMany(Exception):  # noqa: N818  (not a failure of ours: the question is too large)
    """The patterns combine in more ways than are looked at."""


@dataclass(frozen=True, slots=True)
class _Automaton:
    """A pattern: bit `i` of a state says that the first `i` tokens are behind us."""

    on: dict[str, int]
    """Letter → positions that it moves on from."""
    one: int
    """Positions that any letter moves on from."""
    many: int
    """Positions that any letter stays at, and that may be left for nothing."""
    last: int

    def closed(self, state: int) -> int:
        """With what is reached for nothing."""
        return state | ((state & self.many) << 1)

    def step(self, state: int, letter: str) -> int:
        moved = (state & (self.on.get(letter, 0) | self.one)) << 1
        return self.closed(moved | (state & self.many))


def words(
    patterns: Iterable[Pieces],
    *,
    letters: str = LETTERS,
    forbidden: str = "",
    folded: Iterable[Pieces] = (),
    empty: bool = False,
    path: bool = False,
) -> list[str]:
    """One word for each set of patterns that some word fits, and no other word fits exactly these.

    Args:
        patterns: without variables.
        letters: candidates for a letter that no pattern mentions.
        forbidden: letters that no word has.
        folded: further patterns, which fit whatever the case.
        empty: the empty word counts.
        path: words are paths: no slash at either end, none beside another.

    Raises:
        TooMany: see STATES_MAX.
    """
    different, whatever = (tuple(dict.fromkeys(map(tuple, each))) for each in (patterns, folded))
    return list(_words(different, whatever, letters, forbidden, empty, path))


@lru_cache(maxsize=1_024)
def _words(
    patterns: tuple[tuple[Piece, ...], ...], folded: tuple[tuple[Piece, ...], ...], letters: str, forbidden: str,
    empty: bool, path: bool,
) -> tuple[str, ...]:  # fmt: skip
    made = [_automaton(pieces, ignore_case=False) for pieces in patterns]
    made += [_automaton(pieces, ignore_case=True) for pieces in folded]
    mentioned = sorted({letter for automaton in made for letter in automaton.on} - set(forbidden))
    other = next((letter for letter in letters if letter not in mentioned and letter not in forbidden), None)
    alphabet = [*([other] if other else []), *mentioned]
    start = tuple(automaton.closed(1) for automaton in made)
    found: dict[tuple[bool, ...], str] = {}
    seen = {(start, True)}
    level: list[tuple[tuple[int, ...], bool, str]] = [(start, True, "")]
    while level:
        following = []
        for state, slash, word in level:
            if (word or empty) and not (path and slash):
                fits = tuple(bool(one >> automaton.last & 1) for one, automaton in zip(state, made, strict=True))
                found.setdefault(fits, word)
            for letter in alphabet:
                if path and slash and letter == "/":
                    continue
                moved = tuple(automaton.step(one, letter) for one, automaton in zip(state, made, strict=True))
                key = (moved, path and letter == "/")
                if key not in seen:
                    seen.add(key)
                    following.append((moved, letter == "/", word + letter))
        if len(seen) > STATES_MAX:
            raise TooMany(f"{len(made)} patterns combine in more than {STATES_MAX:,} ways")
        level = following
    return tuple(found.values())


def _automaton(pieces: Pieces, *, ignore_case: bool) -> _Automaton:
    on: dict[str, int] = {}
    one = many = at = 0
    before: Piece | None = None
    for piece in pieces:
        if isinstance(piece, str):
            for letter in piece:
                for written in {letter.lower(), letter.upper()} if ignore_case else {letter}:
                    on[written] = on.get(written, 0) | 1 << at
                at += 1
        elif piece is Wild.ONE:
            one |= 1 << at
            at += 1
        elif piece is Wild.MANY:
            if before is not Wild.MANY:
                many |= 1 << at
                at += 1
        else:
            raise TypeError("expected a pattern without variables, found one")
        before = piece
    return _Automaton(on, one, many, at)
