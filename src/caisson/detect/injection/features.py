"""What the classifier sees of a text: cues, words and pairs of words, a vector. Training and scoring share this file.

>>> tokens("Ignore rule 12!")
['ignore', 'rule', '1', '2', '!']
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from caisson.detect.injection.compact import PHRASES, compact_cues
from caisson.detect.injection.cues import ATTACK_CUES, CUE_NAMES, PIECES, cues
from caisson.detect.normal.normaliser import Normal

DISGUISE_CHARACTERS_MIN = 20
"""Shorter texts count as this long: a few odd characters are no disguise."""
ORDINARY_LAYERS = frozenset({"strings", "markdown"})
"""Layers that honest code and Markdown go through."""
_TOKEN = re.compile(r"[^\W\d_]+|\d|[^\w\s]")
FEATURE_NAMES = (*CUE_NAMES, *(f"compact.{name}" for name in PHRASES))
"""A feature's number is its place here."""
_COMPACT = {name: len(CUE_NAMES) + number for number, name in enumerate(PHRASES)}
ATTACK_FEATURES = ATTACK_CUES | frozenset(_COMPACT.values())


def shown(text: str) -> list[int]:
    """Numbers of the features that a text shows."""
    found = cues(text)
    if PIECES in found:
        found += [_COMPACT[name] for name in compact_cues(text)]
    return found


def tokens(text: str) -> list[str]:
    """Words, single digits and signs, in small letters."""
    return _TOKEN.findall(text.lower())


def terms(words: list[str]) -> Iterable[str]:
    """Tokens and pairs of neighbours, each once."""
    return {*words, *map(" ".join, pairwise(words))}


def disguise(normal: Normal, characters: int) -> float:
    """Largest share of a text of so many characters that one layer of the normaliser rewrote, 0 to 1."""
    most = max((step.characters for step in normal.steps if step.layer not in ORDINARY_LAYERS), default=0)
    return min(1.0, most / max(characters, DISGUISE_CHARACTERS_MIN))
