"""A long text in blocks cut at white space; two neighbours are a window, in which a few words of attack do not drown.

>>> blocks("one two")
[(0, 7)]
>>> [end - start for start, end in blocks("word " * 100)]
[200, 300]
"""

from __future__ import annotations

BLOCK_CHARACTERS = 200
"""A block ends at the first white space after so many."""
BLOCK_CHARACTERS_MAX = 400
"""A block without white space ends here."""


def blocks(text: str) -> list[tuple[int, int]]:
    """Start and end of each; together they are the text."""
    cuts = [0]
    length = len(text)
    while length - cuts[-1] > BLOCK_CHARACTERS_MAX:
        least = cuts[-1] + BLOCK_CHARACTERS
        most = cuts[-1] + BLOCK_CHARACTERS_MAX
        spaces = [at for at in (text.find(" ", least - 1, most), text.find("\n", least - 1, most)) if at >= 0]
        cuts.append(min(spaces) + 1 if spaces else most)
    return [(start, end) for start, end in zip(cuts, [*cuts[1:], length], strict=True)]


def windows(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Numbers of the blocks of each window: first, and one past the last."""
    return [(at, at + 2) for at in range(len(spans) - 1)] or [(0, len(spans))]
