"""Static sentence vectors: the mean of token vectors distilled from all-MiniLM-L6-v2 (docs/models/embedding.md).

English above all; other languages only where their words are in the vocabulary. A vector has DIMENSIONS components and
length one, or is zero when nothing of the text is known. What all texts have in common is taken out of it (Arora et al.
2017), which is what makes cosines tell topics apart.

>>> a, b, c = vectors(["How do I pay my bill?", "Paying an invoice", "The cat sleeps"])
>>> float(a @ b) > float(a @ c)
True
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from caisson.detect.embedding.wordpiece import WordPiece
from caisson.detect.models import load

Vector = NDArray[np.float32]
DIMENSIONS = 128
LEAST_NORM = 1e-6
"""Shorter sums are rounding."""
TOKENS_MAX = 16_384
"""Tokens that are read of one text."""


class StaticEmbedding:
    """A vocabulary and its vectors, as bytes with a scale each."""

    def __init__(self, vocabulary: str, rows: NDArray[np.int8], scales: Vector, common: Vector) -> None:
        self._pieces = WordPiece(vocabulary)
        self._rows = rows
        self._scales = scales
        self._common = common

    def total(self, text: str) -> Vector:
        """The sum of its tokens' vectors; sums of parts add up."""
        tokens = self._pieces.tokens(text)[:TOKENS_MAX]
        if not tokens:
            return np.zeros(self._rows.shape[1], np.float32)
        numbers = np.array(tokens)
        total: Vector = self._scales[numbers] @ self._rows[numbers].astype(np.float32)
        return total

    def plain(self, text: str) -> Vector:
        """The vector of a text, with what all have in common."""
        return _unit(self.total(text))

    def vector(self, text: str) -> Vector:
        """The vector of a text."""
        total = self.total(text)
        return _unit(total - (total @ self._common) * self._common)


def _unit(total: Vector) -> Vector:
    norm = np.sqrt(total @ total)
    return total / norm if norm > LEAST_NORM else np.zeros_like(total)


@cache
def shipped() -> StaticEmbedding:
    """The embedding that comes with this version."""
    model = load("embedding.bin")
    scales, common = (model.arrays[name].astype(np.float32) for name in ("scales", "common"))
    return StaticEmbedding(model.texts["vocabulary"], model.arrays["rows"], scales, common)


def vector(text: str) -> Vector:
    """The vector of a text."""
    return shipped().vector(text)


def vectors(texts: Sequence[str]) -> Vector:
    """The vectors of some texts, one a row."""
    return np.stack([vector(text) for text in texts]) if texts else np.zeros((0, DIMENSIONS), np.float32)
