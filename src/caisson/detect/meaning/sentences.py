"""Sentences of a text, with where they stand.

>>> [span for span in sentences("One. Two!\\nThree")]
[(0, 4), (5, 9), (10, 15)]
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SENTENCE_CHARACTERS_MAX = 600
"""A longer one is cut here."""
_SENTENCE = re.compile(r"\S(?:[^\n.!?。！？]|[.!?](?![\s\"'”»)]|$))*[.!?。！？]*[\"'”»)]?")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each."""
    for found in _SENTENCE.finditer(text):
        start, end = found.span()
        while end - start > SENTENCE_CHARACTERS_MAX:
            yield start, start + SENTENCE_CHARACTERS_MAX
            start += SENTENCE_CHARACTERS_MAX
        end = start + len(text[start:end].rstrip())
        if start < end:
            yield start, end
