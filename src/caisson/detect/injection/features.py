"""What the classifier sees of a text: cues and pairs of cues, words and pairs of words, a vector.

Training and scoring share this file.

>>> tokens("Ignore rule 12!")
['ignore', 'rule', '1', '2', '!']
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from caisson.detect.injection.compact import PHRASES, compact_cues
from caisson.detect.injection.cues import ATTACK_CUES, CUE_NAMES, PIECES, cues, cues_of_attack
from caisson.detect.normal.normaliser import Normal

DISGUISE_CHARACTERS_MIN = 20
"""Shorter texts count as this long: a few odd characters are no disguise."""
ORDINARY_LAYERS = frozenset({"strings", "markdown"})
"""Layers that honest code and Markdown go through."""
_PAIR = np.uint32(0x9E3779B1)
"""Knuth's multiplier (1973, 6.4): it keeps pairs of neighbours apart that share a word."""
_TOKEN = re.compile(r"[^\W\d_]+|\d|[^\w\s]")
FEATURE_NAMES = (*CUE_NAMES, *(f"compact.{name}" for name in PHRASES))
"""A feature's number is its place here."""
_COMPACT = {name: len(CUE_NAMES) + number for number, name in enumerate(PHRASES)}
ATTACK_FEATURES = ATTACK_CUES | frozenset(_COMPACT.values())


def shown(text: str) -> list[int]:
    """Numbers of the features that a text shows, rising."""
    return _with_compact(cues(text), text)


def shown_of_attack(text: str, *, pieces: bool = True) -> list[int]:
    """The same, but none at all where none of them is of an attack. Most texts cost half as much so.

    Args:
        pieces: the text may hold some; a part of a text without pieces holds none.
    """
    found = _with_compact(cues_of_attack(text, pieces=pieces), text)
    return [] if ATTACK_FEATURES.isdisjoint(found) else found


def _with_compact(found: list[int], text: str) -> list[int]:
    return [*found, *(_COMPACT[name] for name in compact_cues(text))] if PIECES in found else found


def feature_pairs(found: Sequence[int]) -> list[int]:
    """Numbers of the pairs of those features."""
    return [first * len(FEATURE_NAMES) + second for first, second in combinations(found, 2)]


def tokens(text: str) -> list[str]:
    """Words, single digits and signs, in small letters."""
    return _TOKEN.findall(text.lower())


def word_keys(words: Sequence[str]) -> NDArray[np.uint32]:
    """A number for each token: its CRC-32. A table of numbers takes a tenth of the memory of one of strings, and one
    unknown term in 75,000 passes for a known one."""
    return np.fromiter([crc32(word.encode(errors="replace")) for word in words], np.uint32, len(words))


def pair_keys(keys: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A number for each pair of neighbours."""
    return keys[:-1] * _PAIR + keys[1:]


def terms(words: Sequence[str]) -> set[int]:
    """Numbers of tokens and pairs of neighbours, each once."""
    keys = word_keys(words)
    return {*keys.tolist(), *pair_keys(keys).tolist()}


def disguise(normal: Normal, characters: int) -> float:
    """Largest share of a text of so many characters that one layer of the normaliser rewrote, 0 to 1."""
    most = max((step.characters for step in normal.steps if step.layer not in ORDINARY_LAYERS), default=0)
    return min(1.0, most / max(characters, DISGUISE_CHARACTERS_MIN))
