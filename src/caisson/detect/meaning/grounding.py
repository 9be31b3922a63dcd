"""Whether an answer stands on its sources, and whether it answers the question.

- A sentence is supported by the passage of the sources that covers it best: half by the share of its content words that
  the passage holds, half by the cosine of the two. A number or name that no source holds halves the sentence's score.
- The answer's score is the mean of its sentences, weighted by their content words.
- Static vectors and shared words see what is said, not how: a negated or swapped claim passes. That is a known miss.

>>> source = "Claims above 500 euro need a receipt. They are paid within ten days."
>>> grounding("Claims are paid within ten days.", [source]).score > 0.8
True
>>> grounding("Our office in Rome closes at noon.", [source]).score < 0.4
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from caisson.detect.embedding.static import vector, vectors
from caisson.detect.meaning.sentences import sentences
from caisson.detect.normal.language import is_word

PASSAGE_SENTENCES = 3
"""Sentences of a source that together may support one of the answer's."""
PASSAGES_MAX, SENTENCES_MAX = 2_048, 256
UNSEEN_FACTOR = 0.5
"""What a number or name that no source holds leaves of a sentence's score."""
_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*")
_STEM = re.compile(r"(?:'s|ies|es|s|ed|ing|ly)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Support:
    """Of one sentence of the answer."""

    start: int
    end: int
    score: float
    """0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounding:
    """Of an answer."""

    score: float
    """0 to 1; 1 when the answer claims nothing."""
    sentences: tuple[Support, ...]


def grounding(answer: str, sources: Sequence[str]) -> Grounding:
    """How far the sources support an answer."""
    passages = list(_passages(sources))[:PASSAGES_MAX]
    held = [set(_content(passage)) for passage in passages]
    everything = set().union(*held) if held else set()
    lines = vectors(passages)
    rows: list[Support] = []
    weights: list[int] = []
    for start, end in list(sentences(answer))[:SENTENCES_MAX]:
        words = _content(answer[start:end])
        if not words:
            continue
        score = 0.0
        if passages:
            cosines = lines @ vector(answer[start:end])
            shares = np.array([sum(word in each for word in words) / len(words) for each in held])
            score = float(np.max(0.5 * shares + 0.5 * np.clip(cosines, 0, 1)))
        if _facts(answer[start:end]) - everything:
            score *= UNSEEN_FACTOR
        rows.append(Support(start=start, end=end, score=min(1.0, score)))
        weights.append(len(words))
    total = sum(weights)
    score = sum(row.score * weight for row, weight in zip(rows, weights, strict=True)) / total if total else 1.0
    return Grounding(score=score, sentences=tuple(rows))


def relevance(question: str, answer: str) -> float:
    """How far an answer speaks of what was asked: the better of shared words and cosine, 0 to 1."""
    asked, said = set(_content(question)), set(_content(answer))
    if not asked:
        return 1.0
    query = vector(question)
    spans = list(sentences(answer))[:SENTENCES_MAX]
    cosine = max((float(query @ vector(answer[start:end])) for start, end in [*spans, (0, len(answer))]), default=0.0)
    return min(1.0, max(0.0, cosine, len(asked & said) / len(asked)))


def _passages(sources: Iterable[str]) -> Iterable[str]:
    for source in sources:
        spans = list(sentences(source))
        for at in range(len(spans)):
            last = spans[min(at + PASSAGE_SENTENCES, len(spans)) - 1]
            yield source[spans[at][0] : last[1]]


def _content(text: str) -> list[str]:
    """Words that carry meaning, without their endings."""
    return [_stem(word) for word in _WORD.findall(text.lower()) if not is_word(word)]


def _facts(text: str) -> set[str]:
    """Numbers, and names: words with a capital that do not begin the sentence."""
    words = _WORD.findall(text)
    return {
        _stem(word.lower())
        for at, word in enumerate(words)
        if (word[0].isdigit() or (at and word[0].isupper())) and not is_word(word.lower())
    }


def _stem(word: str) -> str:
    return _STEM.sub("", word) if len(word) > 4 else word
