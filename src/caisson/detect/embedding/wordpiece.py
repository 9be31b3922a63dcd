"""WordPiece: text to token numbers of BERT's uncased vocabulary (Devlin et al. 2019), bounded and without dependencies.

A word is cut greedily into the longest pieces that the vocabulary holds; a word that cannot be cut, or is longer than
WORD_CHARACTERS_MAX, is left out: `[UNK]` says nothing about what was meant.

>>> WordPiece("run\\n##ning\\nfast").tokens("Running FAST")
[0, 1, 2]
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from zlib import crc32

WORD_CHARACTERS_MAX = 64
"""Longer words are not language."""
WORDS_CACHED_MAX = 8_192
"""Words whose pieces are kept, about 2 MB; then the cache starts anew."""
INSIDE = "##"
"""Begins tokens that stand inside a word."""
BEGINNING = 2
"""Characters by which it is known how long a token can be: without it a word of junk asks for all its parts."""
SPARSE = 2
"""Places of the table for each token, at least; most that are asked for are no tokens, and then find an empty one."""
_WORD = re.compile(r"[^\W_\u3040-\u30ff\u3400-\u9fff]+|[^\s\w]|_|[\u3040-\u30ff\u3400-\u9fff]")
_LINE = re.compile(b"([^\n]*)\n")
_MARK = re.compile("[\u0300-\u036f]")
"""Accents, once NFD has parted them from their letters."""


class _Numbers:
    """The number of each token: a table of places by CRC-32, then a look at the token itself.

    BERT's 29,523 tokens take 0.9 MB so, and 3.6 MB as a dictionary of strings. Only words that are not cached ask.
    """

    def __init__(self, vocabulary: str) -> None:
        self._text = vocabulary.encode() + b"\n"
        self._ends = array("I", [0])  # no list of the tokens: its memory would not come back
        lines = self._text.count(b"\n")
        self._mask = (1 << (SPARSE * lines).bit_length()) - 1
        self._table = array("I", bytes(4 * (self._mask + 1)))
        """A token's number and one; 0 for none. Whoever finds a place taken goes to the next."""
        self.reach: dict[str, int] = {}
        """Beginning of a token, a prefix and at most BEGINNING characters: characters of the longest that begins so."""
        for number, line in enumerate(_LINE.finditer(self._text)):
            self._ends.append(line.end())
            token = line[1].decode()
            plain = token.removeprefix(INSIDE)
            beginning = token[: len(token) - len(plain) + BEGINNING]
            self.reach[beginning] = max(self.reach.get(beginning, 0), len(plain))
            place = crc32(line[1]) & self._mask
            while self._table[place]:
                place = (place + 1) & self._mask
            self._table[place] = number + 1

    def of(self, token: str) -> int | None:
        """None: not a token."""
        wanted = token.encode(errors="replace")
        place = crc32(wanted) & self._mask
        while number := self._table[place]:
            if self._text[self._ends[number - 1] : self._ends[number] - 1] == wanted:
                return number - 1
            place = (place + 1) & self._mask
        return None


class WordPiece:
    """A vocabulary, a token a line; a token's number is its place in it."""

    def __init__(self, vocabulary: str) -> None:
        self._numbers = _Numbers(vocabulary)
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
            prefix = INSIDE if start else ""
            longest = self._numbers.reach.get(prefix + word[start : start + BEGINNING], 1)
            for end in range(min(len(word), start + longest), start, -1):
                number = self._numbers.of(prefix + word[start:end])
                if number is not None:
                    found.append(number)
                    start = end
                    break
            else:
                return ()
        return tuple(found)
