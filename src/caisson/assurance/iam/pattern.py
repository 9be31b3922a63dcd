"""Text with wildcards and policy variables, as a value; and whether concrete text fits it.

A pattern is a sequence of pieces: literal text, `?` (one character), `*` (any number of characters), and variables
such as `${aws:username}` or `${aws:userid, 'anonymous'}`. `${*}`, `${?}` and `${$}` are the literal characters.
Policies of version 2008-10-17 or without version have no variables: their text is literal (IAM user guide,
reference_policies_variables).

>>> [str(piece) for piece in parse("home/${aws:username}/*", variables=True).pieces]
['home/', '${aws:username}', '/', '*']
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Wild(Enum):
    """A wildcard."""

    ONE = "?"
    MANY = "*"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Variable:
    """A placeholder for the value of a condition key."""

    text: str
    """As written, with `${` and `}`."""
    key: str | None
    """The condition key; None when what stands between the braces is no variable."""
    default: str | None = None
    """What stands in for a key that is not in the request."""

    def __str__(self) -> str:
        return self.text


Piece = str | Wild | Variable
Solid = str | Wild
"""A piece whose variables have been replaced."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text as a policy writes it."""

    text: str
    """As written."""
    pieces: tuple[Piece, ...]
    """Taken apart; no empty text, no two texts side by side."""

    def __str__(self) -> str:
        return self.text


_SPECIAL = re.compile(r"\$\{[^}]*\}?|[*?]")
_INSIDE = re.compile(r"\$\{([^,'{}$*?]*[^,'{}$*?\s])(?:, '([^']*)')?\}")
_LITERAL = {"${*}": "*", "${?}": "?", "${$}": "$"}


def parse(text: str, *, variables: bool, wildcards: bool = True) -> Pattern:
    """Read a pattern. Without `wildcards` (StringEquals), `*` and `?` are ordinary characters."""
    pieces: list[Piece] = []
    at = 0
    for found in _SPECIAL.finditer(text):
        special = found.group()
        if special in "*?":
            piece: Piece | None = Wild(special) if wildcards else None
        else:
            piece = _variable(special) if variables else None
        if piece is None and len(special) > 1 and wildcards:  # "${*}" as literal text has a wildcard in it
            pieces.append(text[at : found.start()])
            pieces += [Wild(character) if character in "*?" else character for character in special]
        else:
            pieces += [text[at : found.start()], special if piece is None else piece]
        at = found.end()
    pieces.append(text[at:])
    return Pattern(text, tuple(joined(pieces)))


def _variable(text: str) -> Piece:
    if text in _LITERAL:
        return _LITERAL[text]
    inside = _INSIDE.fullmatch(text)
    return Variable(text, inside[1].strip(), inside[2]) if inside else Variable(text, None)


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """The same pieces with neighbouring literals as one, none of them empty."""
    made: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and made and isinstance(made[-1], str):
            made[-1] += piece
        elif piece != "":
            made.append(piece)
    return made


def solid(pieces: Iterable[Piece]) -> tuple[Solid, ...]:
    """The pieces that are no variables."""
    return tuple([piece for piece in pieces if not isinstance(piece, Variable)])


def fits(pieces: Sequence[Solid], text: str) -> bool:
    """Whether the whole of `text` fits. Text alone, and text before a star, are nearly all that policies hold."""
    if not pieces:
        return not text
    first, count = pieces[0], len(pieces)
    if isinstance(first, str):
        if not text.startswith(first):
            return False
        if count == 1:
            return len(text) == len(first)
        if count == 2 and pieces[1] is Wild.MANY:
            return True
    elif count == 1 and first is Wild.MANY:
        return True
    return len(text) in reached(pieces, text)


Barred = Mapping[int, frozenset[int]]
"""Places in a text that a wildcard must not match, by the wildcard's index in the pattern."""


def reached(pieces: Sequence[Solid], text: str, barred: Barred = MappingProxyType({})) -> set[int]:
    """Where in `text` a match of all pieces can end.

    All reachable places are carried along, so that the time is at most the product of both lengths, whatever the
    pattern.
    """
    places, length = {0}, len(text)
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            places = {place + len(piece) for place in places if text.startswith(piece, place)}
        elif piece is Wild.ONE:
            bars = barred.get(index, frozenset())
            places = {place + 1 for place in places if place < length and place not in bars}
        elif index not in barred:
            places = set(range(min(places), length + 1))
        else:
            places = _onward(places, sorted(barred[index]), length)
        if not places:
            break
    return places


def _onward(places: set[int], bars: Sequence[int], length: int) -> set[int]:
    """From each place as far as the next bar lets."""
    onward: set[int] = set()
    for place in places:
        after = bisect_left(bars, place)
        onward.update(range(place, (bars[after] if after < len(bars) else length) + 1))
    return onward
