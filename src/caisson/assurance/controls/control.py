"""One control of the catalogue: what it asks for, which code holds it, and what shows it.

What shows a control is a list of parts. A part is an attack that `caisson verify` runs on this machine (`probe`,
`property`, `benchmark`, `check`), a `proof` over templates of a deployment to AWS, or something that a person looks at
(`manual`). A part without checks says why there are none: it is undetermined, never left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a part is shown."""

    PROBE = "probe"
    """An attack on a running system, or on its parts."""
    PROPERTY = "property"
    """Many generated cases against the code that decides."""
    BENCHMARK = "benchmark"
    """Figures on a labelled corpus."""
    CHECK = "check"
    """One thing looked at."""
    PROOF = "proof"
    """All requests, over the templates of a deployment."""
    MANUAL = "manual"
    """A person decides."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something that must be shown."""

    kind: Kind
    claim: str
    """What is shown, in a few words."""
    checks: tuple[str, ...] = ()
    """Names of checks that show it, all of them together."""
    missing: str = ""
    """Why nothing shows it yet, or what the checks leave open; then it is undetermined at best."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """One row."""

    id: str
    title: str
    tier: int
    """The lowest risk tier that needs it, 1 to 4."""
    agentic: bool = False
    """Only for systems whose agents have tools."""
    zones: tuple[int, ...]
    """Zones that hold it, 1 to 6."""
    seed: tuple[str, ...] = ()
    """Rows of the reference pattern that it carries."""
    need: str
    """What it asks for."""
    embedded: str
    """How one machine holds it."""
    aws: str
    """How a deployment to AWS holds it."""
    code: tuple[str, ...] = ()
    """Modules and files that enforce it on one machine, below the package; empty while nothing does."""
    shown: tuple[Part, ...]

    @property
    def family(self) -> str:
        """`IAM` of `IAM-01`."""
        return self.id.partition("-")[0]


def probe(claim: str, *checks: str, missing: str = "") -> Part:
    """A part that attacks show."""
    return Part(kind=Kind.PROBE, claim=claim, checks=checks, missing=missing)


def proof(claim: str) -> Part:
    """A part that templates show."""
    return Part(kind=Kind.PROOF, claim=claim)


def part(kind: Kind, claim: str, *checks: str, missing: str = "") -> Part:
    """Any other part."""
    return Part(kind=kind, claim=claim, checks=checks, missing=missing)
