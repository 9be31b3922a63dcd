"""One Hyperscan pass over a text tells which patterns may match; RE2 then says where (decision 0003).

The prefilter may report more than RE2 finds, never less. Where the two dialects could differ in that direction, and
where Hyperscan cannot compile a pattern, the pattern counts as a hit in every text and RE2 alone decides.

>>> Prefilter([r"CLM-[0-9]{8}", r"[a-z]+@"]).hits(b"see CLM-12345678")
[0]
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from threading import Lock
from typing import Protocol

import hyperscan

from caisson.detect.built import BUILT

CACHED_MAX = 64
"""Compiled databases kept; about 1 MB each."""
_FLAGS = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY
_SAME_ESCAPES = frozenset("dDwWbBstnrfx")
"""Letters after a backslash that Hyperscan takes as widely as RE2, or more so. Its `\\s` has one character more, so its
`\\S` has one less; its Unicode classes come from another version of Unicode."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NOT_SPACE = re.compile(r"\[\^(?:\\.|[^\]\\])*\\s", re.DOTALL)
_REPEAT = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d+),(\d+)\}", re.DOTALL)
_REPEAT_KEPT_MAX = 8
"""Repeats up to this many times are given to Hyperscan as they are. Wider ones are given without an upper bound, which
it compiles two hundred times faster; RE2 applies the bound."""
_CLASSES = re.compile(r"\\.|\[(?!\^)\]?(?:\\.|[^\]\\])*\]|\[\^\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_WORD_TOO = r"\x{17f}\x{212a}"
"""The long s and the Kelvin sign, which RE2's `\\w` matches where case does not matter (they fold to s and k)."""
_POSIX = re.compile(r"\[:\^?[a-z]+:\]")
_FLAG_GROUP = re.compile(r"\(\?([a-zA-Z-]+)[:)]")


class Kept(Protocol):
    """Where compiled databases outlive a process: compiling takes most of a zone's start.

    A database is machine code's next of kin: Hyperscan trusts what it loads. So `load` must give back nothing but what
    this zone stored.
    """

    def load(self, name: str) -> bytes | None:
        """What was stored under the name; None when there is nothing, or nothing that this zone vouches for."""
        ...

    def store(self, name: str, data: bytes) -> None:
        """Keep it if possible."""
        ...


_kept: list[Kept] = []


def keep_in(kept: Kept | None) -> None:
    """From now on look there before compiling; None: compile."""
    _kept[:] = [] if kept is None else [kept]


def same_meaning(pattern: str) -> bool:
    """True when Hyperscan surely reports every match that RE2 finds for `pattern`."""
    letters = {escaped for escaped in _ESCAPE.findall(pattern) if escaped.isalnum()}
    flags = set("".join(_FLAG_GROUP.findall(pattern)))
    return (
        letters <= _SAME_ESCAPES and flags <= set("ims") and not (_NOT_SPACE.search(pattern) or _POSIX.search(pattern))
    )


def widened(pattern: str) -> str:
    """A pattern that matches whatever `pattern` does, and is cheap to compile."""

    def widen(found: re.Match[str]) -> str:
        most = found[2]
        return found[0] if most is None or int(most) <= _REPEAT_KEPT_MAX else f"{{{found[1]},}}"

    if any("i" in flags for flags in _FLAG_GROUP.findall(pattern)):
        pattern = _CLASSES.sub(_word_folded, pattern)
    return _REPEAT.sub(widen, pattern)


def _word_folded(found: re.Match[str]) -> str:
    text = found[0]
    if text == r"\w":
        return rf"[\w{_WORD_TOO}]"
    return text.replace(r"\w", rf"\w{_WORD_TOO}") if text.startswith("[") and not text.startswith("[^") else text


class Prefilter:
    """A block-mode database over some patterns."""

    def __init__(self, patterns: Sequence[str]) -> None:
        expressions = [widened(pattern) for pattern in patterns]
        numbers = [number for number, pattern in enumerate(patterns) if same_meaning(pattern)]
        self._database = _compile(expressions, numbers)
        if self._database is None and numbers:
            numbers = [number for number in numbers if _compile(expressions, [number]) is not None]
            self._database = _compile(expressions, numbers)
        self.alone = sorted(set(range(len(patterns))) - set(numbers))
        """Patterns that RE2 must look for by itself."""
        self._lock = Lock()

    def hits(self, data: bytes) -> list[int]:
        """Numbers of the patterns that may match in `data` (UTF-8), in no order."""
        found = self.alone.copy()
        if self._database is not None and data:

            def hit(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
                found.append(number)

            with self._lock:  # the database has one scratch space, and a scan lets other threads run
                self._database.scan(data, hit)
        return found


@lru_cache(maxsize=CACHED_MAX)
def prefilter(patterns: tuple[str, ...]) -> Prefilter:
    """A prefilter, compiled once: a new configuration seldom changes the patterns that take long."""
    return Prefilter(patterns)


def _compile(patterns: Sequence[str], numbers: Sequence[int]) -> hyperscan.Database | None:
    """A database of the numbered patterns; None for none, or when Hyperscan refuses one of them."""
    if not numbers:
        return None
    expressions = [patterns[number].encode() for number in numbers]
    named = json.dumps([_FLAGS, [*numbers], [each.hex() for each in expressions]])
    name = sha256(named.encode()).hexdigest()  # the database itself says of which engine and processor it is
    for kept in (BUILT, *_kept):
        if (database := _loaded(kept.load(name))) is not None:
            return database
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=expressions, ids=list(numbers), elements=len(numbers), flags=[_FLAGS] * len(numbers)
        )
    except hyperscan.error:
        return None
    for kept in _kept:
        kept.store(name, hyperscan.dumpb(database))
    return database


def _loaded(data: bytes | None) -> hyperscan.Database | None:
    """A database from a former run; None when this Hyperscan or this processor cannot use it."""
    if data is None:
        return None
    try:
        database = hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)
    except hyperscan.error:
        return None
    return database
