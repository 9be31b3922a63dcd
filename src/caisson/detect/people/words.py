"""A text as words, and the features of each.

A feature belongs to one word and an offset: the same word votes for itself and for its neighbours, with other weights. So
a word's votes are computed once and remembered. Pairs of neighbouring classes add what two words say together.

>>> [word for word, _, _ in split("Ann O'Neil's, 12b")]
['Ann', "O'Neil", "'", 's', ',', '12b']
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from zlib import crc32

OFFSETS = (-2, -1, 0, 1, 2)
"""Where the word stands, seen from the word that it votes for."""
BUCKETS = 1 << 17
"""Rows of the table of weights; features share a row when their hashes do."""
LISTS = ("title", "street", "country", "first", "last", "city", "company")
"""Lists of known words, the more telling first."""
_SHAPES = ("Xx", "X", "XX", "x", "d", "d4", "d5", "xd", "\n", ",", ".", "#", "@", "p")
CLASSES = len(_SHAPES) * (len(LISTS) + 1)
MASKED = "[["
"""Stands for a pseudonym, and for a run of brackets where findings are only counted."""
WORD_CHARACTERS_MAX = 40
"""Longer runs are no words; only their beginning is looked at."""
_WORD = re.compile(r"\n|\[[A-Z][A-Z0-9_]{1,63}_[0-9a-f]{6}\]|\[{2,}|[^\W_]+(?:[-'’](?!s\b)[^\W_]+)*|[^\w\s]|_")


def split(text: str) -> Iterator[tuple[str, int, int]]:
    """Words, marks and line ends with their place; what was masked before is one word, whatever it was."""
    for found in _WORD.finditer(text):
        word = found.group()
        yield MASKED if word[0] == "[" and len(word) > 1 else word, found.start(), found.end()


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
    word = word[:WORD_CHARACTERS_MAX]
    lower, form = word.lower(), shape(word)
    found = [f"w={lower}", f"s={form}", *(f"l={name}" for name in known), *(f"l={name} {form}" for name in known)]
    if word[0].isalpha():
        found += [f"e1={lower[-1:]}", f"e2={lower[-2:]}", f"e3={lower[-3:]}", f"e4={lower[-4:]}", f"b2={lower[:2]}"]
        found += [f"b3={lower[:3]}", f"n={min(len(word), 12)}", f"e3={lower[-3:]} {form}"]
        found += ["ascii"] * word.isascii() + ["joined"] * ("-" in word or "'" in word)
    elif form == "xd":
        found.append("m=" + re.sub(r"\d+", "9", lower)[:6])
    return found


def buckets(offset: int, found: list[str]) -> list[int]:
    """Rows of the table for a word's features at an offset."""
    return [hashed(f"{offset}{feature}") % BUCKETS for feature in found]
