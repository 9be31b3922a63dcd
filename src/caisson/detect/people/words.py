"""A text as words, and the features of each.

A feature belongs to one word: the same word votes for itself and for its neighbours, with other weights. So a word's
votes are computed once and remembered. Pairs of neighbouring classes add what two words say together.

>>> [word.text for word in split("Ann O'Neil's, 12b")]
['Ann', "O'Neil", "'", 's', ',', '12b']
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple
from zlib import crc32

OFFSETS = (-2, -1, 0, 1, 2)
"""Where the word stands, seen from the word that it votes for."""
ROWS = 1 << 15
"""Rows of the table of weights; features share a row when their hashes do."""
LISTS = ("title", "street", "country", "first", "last", "city", "company")
"""Lists of known words, the more telling first."""
_SHAPES = ("Xx", "X", "XX", "x", "d", "d4", "d5", "xd", "\n", ",", ".", "#", "@", "p")
CLASSES = len(_SHAPES) * (len(LISTS) + 1) + 1
EDGE_CLASS = CLASSES - 1
"""Of what is beyond the text."""
MASKED = "[["
"""Stands for a pseudonym, and for a run of brackets where findings are only counted."""
RUN_CHARACTERS_MAX = 128
"""Longer runs without a space are cut; no word and no pseudonym is so long."""
FEATURE_CHARACTERS_MAX = 40
"""Only the beginning of a word is looked at."""
_WORD = re.compile(r"\n|\[[A-Z][A-Z0-9_]{1,63}_[0-9a-f]{6}\]|\[{2,}|[^\W_]+(?:[-'’](?!s\b)[^\W_]+)*|[^\w\s]|_")


class Word(NamedTuple):
    """A word, a mark or a line's end, and its place."""

    text: str
    """As written; MASKED for what was masked before, whatever it was."""
    start: int
    end: int


def split(text: str) -> list[Word]:
    """The words of a whole text."""
    return [
        Word(word, start + at, end + at) for run, at in zip(*runs(text), strict=True) for word, start, end in words(run)
    ]


def words(run: str) -> list[Word]:
    """The words of a run without space."""
    return [Word(_plain(found.group()), *found.span()) for found in _WORD.finditer(run)]


def runs(text: str) -> tuple[list[str], list[int]]:
    """The runs between spaces, each line's end as one of its own, and where they begin. Long ones are cut.

    What follows a space or a line's end does not change what comes before it.
    """
    found = text.replace("\n", " \n ").split(" ")
    starts, at = list[int](), 0
    for run in found:
        if run == "\n":
            starts.append(at - 1)  # the spaces beside it are not in the text
        else:
            starts.append(at)
            at += len(run) + 1
    if max(map(len, found)) > RUN_CHARACTERS_MAX:
        return _cut(found, starts)
    return found, starts


def _cut(found: list[str], starts: list[int]) -> tuple[list[str], list[int]]:
    pieces = [
        (run[at : at + RUN_CHARACTERS_MAX], start + at)
        for run, start in zip(found, starts, strict=True)
        for at in range(0, max(1, len(run)), RUN_CHARACTERS_MAX)
    ]
    return [run for run, _ in pieces], [start for _, start in pieces]


def _plain(word: str) -> str:
    return MASKED if word[0] == "[" and len(word) > 1 else word


def shape(word: str) -> str:
    """How a word is written: one of the shapes."""
    if word == "\n":
        return "\n"
    if not word[0].isalnum():
        return word if word in ",.#@" else "p"
    if word.isdigit():
        return "d" if len(word) < 4 else "d4" if len(word) == 4 else "d5"
    if any(map(str.isdigit, word)):
        return "xd"
    if word[0].isupper():
        return "X" if len(word) == 1 else "XX" if word.isupper() else "Xx"
    return "x"


def caseless(word: str) -> bool:
    """Whether it is written in letters without capitals, such as Chinese, Arabic or Hindi."""
    return not word.isascii() and any(char.isalpha() and char.lower() == char.upper() for char in word)


def hashed(text: str) -> int:
    """32 bits of a text, the same everywhere."""
    return crc32(text.encode(errors="replace"))


def listed(word: str, lists: Mapping[str, Collection[int]]) -> list[str]:
    """Lists that know the word."""
    code = hashed(word.lower())
    return [name for name in LISTS if code in lists[name]]


def class_of(word: str, known: list[str]) -> int:
    """Shape and the most telling list as one number under CLASSES."""
    return _SHAPES.index(shape(word)) * (len(LISTS) + 1) + (LISTS.index(known[0]) + 1 if known else 0)


def features(word: str, known: list[str]) -> list[str]:
    """What is known of a word, as text."""
    word = word[:FEATURE_CHARACTERS_MAX]
    lower, form = word.lower(), shape(word)
    found = [f"w={lower}", f"s={form}", *(f"l={name}" for name in known), *(f"l={name} {form}" for name in known)]
    if word[0].isalpha():
        found += [f"e1={lower[-1:]}", f"e2={lower[-2:]}", f"e3={lower[-3:]}", f"e4={lower[-4:]}", f"b2={lower[:2]}"]
        found += [f"b3={lower[:3]}", f"n={min(len(word), 12)}", f"e3={lower[-3:]} {form}"]
        found += ["ascii"] * word.isascii() + ["joined"] * ("-" in word or "'" in word)
    elif form == "xd":
        found.append("m=" + re.sub(r"\d+", "9", lower)[:6])
    return found


def rows(found: list[str]) -> list[int]:
    """Rows of the table for a word's features."""
    return [hashed(feature) % ROWS for feature in found]
