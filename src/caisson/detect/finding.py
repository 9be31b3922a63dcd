"""What detection says about a text: where, by which rule, how sure.

>>> Finding(start=0, end=5, rule="pii.EMAIL", type="EMAIL", score=1.0, version="1").end
5
"""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One span of a text."""

    start: int
    """First character, in the original text."""
    end: int
    """One past the last character."""
    rule: str
    """`pii.EMAIL`, `credentials.jwt`, `words.project-falcon`."""
    type: str
    """What stands in a pseudonym: `EMAIL`, `CREDENTIAL`, `CLAIM_ID`."""
    score: float
    """0 to 1."""
    version: str
    """Version of the rule."""
    normal: str = ""
    """The value in its normal form, which all its spellings share; what a pseudonym is made from."""
    overlong: bool = False
    """The candidate went on past its rule's cap; nobody knows what it is, so it blocks."""
