"""Denied topics: a definition and examples, compared with a text sentence by sentence.

The score is the best cosine of a sentence, or of the whole text, with an example or the definition, set against how
alike the examples are among themselves: what is as near to an example as they are to each other scores 1.

>>> topic = Topic.of("investment-advice", "Advice on which shares or funds to buy", ["Should I buy tech stocks now?"])
>>> topic.score("Which stocks should I buy?") > topic.score("How tall is the Eiffel tower?")
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from caisson.detect.embedding.static import Vector, vector, vectors
from caisson.detect.finding import Finding
from caisson.detect.meaning.sentences import sentences

THRESHOLD = 0.6
"""Cosine from which a topic is named; docs/detection-injection.md has the curve."""
SENTENCES_MAX = 512
TYPE, VERSION = "DENIED_TOPIC", "1"


@dataclass(frozen=True, kw_only=True, eq=False)
class Topic:
    """A compiled topic."""

    name: str
    anchors: Vector = field(repr=False)
    """Vectors of the definition and the examples, one a row."""

    @classmethod
    def of(cls, name: str, definition: str, examples: Sequence[str] = ()) -> Topic:
        """Compile."""
        return cls(name=name, anchors=vectors([definition, *examples]))

    def score(self, text: str) -> float:
        """Best cosine of the text or one of its sentences, 0 to 1."""
        return max((score for _, _, score in self._scored(text)), default=0.0)

    def findings(self, text: str, threshold: float = THRESHOLD) -> tuple[Finding, ...]:
        """Sentences on the topic; the whole text when only all of it is."""
        found = [row for row in self._scored(text) if row[2] >= threshold]
        parts = [row for row in found if row[:2] != (0, len(text))] or found
        return tuple(
            Finding(start=start, end=end, rule=f"topics.{self.name}", type=TYPE, score=score, version=VERSION)
            for start, end, score in parts
        )

    def _scored(self, text: str) -> list[tuple[int, int, float]]:
        spans = list(sentences(text))[:SENTENCES_MAX]
        if spans != [(0, len(text))] and text:
            spans.append((0, len(text)))
        rows = []
        for start, end in spans:
            cosine = float(np.max(self.anchors @ vector(text[start:end])))
            rows.append((start, end, min(1.0, max(0.0, cosine))))
        return rows
