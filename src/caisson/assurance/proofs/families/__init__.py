"""The claims about an organization, by what they protect. Each is written from the system file and AWS's documentation,
not from the policies that are to hold it."""

from __future__ import annotations

from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.families import (
    custody,
    evidence,
    guardrails,
    keys,
    management,
    models,
    perimeter,
    sessions,
)
from caisson.deploy.landscape import Landscape


def claims(land: Landscape) -> tuple[Claim, ...]:
    """Every claim about a system's organization, in the order of the report."""
    return tuple(
        claim
        for family in (guardrails, models, perimeter, management, evidence, custody, keys, sessions)
        for claim in family.claims(land)
    )
