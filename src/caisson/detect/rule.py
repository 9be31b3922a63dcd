"""One detection rule: a pattern of bounded width, what may surround it, and a check of what it found.

- A pattern is RE2 syntax. A capturing group narrows the finding to a part of the match; the rest is context.
- Every match has a longest length, so that a stream knows how long a finding can still be open.
- `alphabet` names the characters that a match may hold. Any other character closes all candidates before it, which lets
  text leave earlier than the longest length allows. So does an `opener` that is not there.
- What can go on without bound (a private key, a token) matches its beginning by pattern and its rest by a `Tail`.

>>> Rule(id="patterns.claim-id", type="CLAIM_ID", pattern=r"CLM-[0-9]{8}").span
12
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from caisson.detect.width import width_max

ANY = ""
"""Alphabet of a rule that may match any character."""
TOKEN = "".join(map(chr, range(0x21, 0x7F)))
"""Alphabet of rules whose matches hold no white space and nothing outside ASCII."""
NUMBER = "0123456789 ()+-./"
"""Alphabet of rules whose matches are digits and what separates them."""
CONTEXT_CHARACTERS = 64
"""How far left of a match a check may look."""
TAIL_CHARACTERS_MAX = 8_192
"""Longest tail. A longer one is held no further: it blocks."""


class Found(NamedTuple):
    """What a check sees of a match."""

    value: str
    before: str
    """At most CONTEXT_CHARACTERS before the value."""
    after: str
    """The character after it; empty at the end of the text."""


Check = Callable[[Found], float | None]
"""The score of a finding, or None when it is none."""


@dataclass(frozen=True, kw_only=True)
class Tail:
    """What follows a match for as long as its characters last."""

    characters: str
    """Characters that belong to it."""
    closer: str = ""
    """Text that ends it at once, itself included."""
    trim: str = ""
    """Characters that do not belong to it at its very end."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """See the module."""

    id: str
    """`credentials.aws-access-key-id`: kind and name."""
    type: str
    """Type of the finding."""
    pattern: str
    """RE2 expression, at most one capturing group."""
    alphabet: str = ANY
    """Characters that the whole match may hold; empty for any."""
    opener: str = ""
    """How every match begins (RE2, over TOKEN). While none is in sight, text need not wait for the rule."""
    sign: str = ""
    """What every match holds (RE2), when that is cheaper to look for in all texts than the whole pattern."""
    check: Check | None = None
    """Checksum, context or entropy; a finding needs a score from it."""
    tail: Tail | None = None
    """What follows the match. The match, or its group, must end where the tail begins."""
    normalise: Callable[[str], str] = str
    """Spellings of one value to one text, so that they share a pseudonym."""
    score: float = 1.0
    """Confidence of a finding without a check."""
    version: str = "1"
    """Changes whenever what the rule finds changes."""

    @cached_property
    def span(self) -> int:
        """Longest match in characters, without the tail."""
        return width_max(self.pattern)

    @cached_property
    def opener_span(self) -> int:
        """Longest opener in characters."""
        return width_max(self.opener)
