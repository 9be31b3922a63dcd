"""One thing that must hold for a request to be allowed."""

from __future__ import annotations

from dataclasses import dataclass

from caisson.assurance.iam.document import Statement
from caisson.assurance.iam.truth import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A kind of policy that must allow, or a rule of AWS."""

    name: str
    """As the input calls it."""
    truth: Truth
    lack: str
    """What to say when it does not hold."""
    statements: tuple[Statement, ...] = ()
    """Statements that make it hold, or may."""
