"""Makes the table of `caisson.detect.checks.words`: how usual each pair of letters is in words and names of programs.

    python -m training.letter_pairs

Counts pairs in the words of Python's own standard library (PSF licence): code, comments and documentation. The table is
a digit a pair, 0 (never) to 9, on a logarithmic scale; it hardly changes with the version of Python.
"""

from __future__ import annotations

import re
import sysconfig
from collections import Counter
from math import log2
from pathlib import Path

LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[A-Z]?[a-z]{2,}")
_SKIPPED = {"site-packages", "test", "idlelib", "encodings", "__pycache__"}
COUNTED_ONCE_MAX = 50
"""A word counts at most so often: `self` says nothing about language."""


def pairs() -> Counter[str]:
    """Pairs of letters of the standard library's words; `^` begins a word."""
    words: Counter[str] = Counter()
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        if not _SKIPPED.intersection(path.relative_to(root).parts):
            words.update(word.lower() for word in _WORD.findall(path.read_text(errors="ignore")))
    counted: Counter[str] = Counter()
    for word, count in words.items():
        for pair in zip("^" + word, word, strict=False):
            counted["".join(pair)] += min(count, COUNTED_ONCE_MAX)
    return counted


def digit(count: int, total: int) -> int:
    """log2 of a letter's share after another, 0 to 9: 9 is a quarter and more, every step is a factor of two."""
    return max(0, min(9, 11 + round(log2((count + 0.2) / (total + 5.2)))))


def main() -> None:
    counted = pairs()
    for first in "^" + LETTERS:
        total = sum(counted[first + second] for second in LETTERS)
        print("".join(str(digit(counted[first + second], total)) for second in LETTERS))


if __name__ == "__main__":
    main()
