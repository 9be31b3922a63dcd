"""WordPiece: text to token numbers of BERT's uncased vocabulary (Devlin et al. 2019), bounded and without dependencies.

A word is cut greedily into the longest pieces that the vocabulary holds; a word that cannot be cut, or is longer than
WORD_CHARACTERS_MAX, is left out: `[UNK]` says nothing about what was meant.

>>> WordPiece(["run", "##ning", "fast"]).tokens("Running FAST")
[0, 1, 2]
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

WORD_CHARACTERS_MAX = 64
"""Longer words are not language."""
WORDS_CACHED_MAX = 65_536
"""Words whose pieces are kept; then the cache starts anew."""
_WORD = re.compile(r"[^\W_\u3040-\u30ff\u3400-\u9fff]+|[^\s\w]|_|[\u3040-\u30ff\u3400-\u9fff]")
_MARK = re.compile("[\u0300-\u036f]")
"""Accents, once NFD has parted them from their letters."""


class WordPiece:
    """A vocabulary; a token's number is its place in it."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._numbers = {token: number for number, token in enumerate(vocabulary)}
        self._cache: dict[str, tuple[int, ...]] = {}

    def tokens(self, text: str) -> list[int]:
        """Token numbers in order; nothing for what the vocabulary does not know."""
        text = text.lower()
        if not text.isascii():
            text = _MARK.sub("", unicodedata.normalize("NFD", text))
        cache = self._cache
        found: list[int] = []
        for word in _WORD.findall(text):
            pieces = cache.get(word)
            if pieces is None:
                if len(cache) >= WORDS_CACHED_MAX:
                    cache.clear()
                pieces = cache[word] = self._pieces(word)
            found += pieces
        return found

    def _pieces(self, word: str) -> tuple[int, ...]:
        if len(word) > WORD_CHARACTERS_MAX:
            return ()
        found: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                number = self._numbers.get(prefix + word[start:end])
                if number is not None:
                    found.append(number)
                    start = end
                    break
            else:
                return ()
        return tuple(found)
