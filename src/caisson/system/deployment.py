"""Where the system runs on AWS and who can read what was logged (NET-01, LOG-09)."""

from __future__ import annotations

from typing import Annotated

from caisson.system.carriers import BOTH, LATER, SYNTH
from caisson.system.section import Section
from caisson.system.values import AccountId, Items, Name, OrganizationId, Region


class Accounts(Section):
    """The account of each zone. From tier 3 each its own."""

    management: Annotated[AccountId, SYNTH]
    """The organization's management account."""
    control: Annotated[AccountId, SYNTH]
    """Zone 5."""
    runtime: Annotated[AccountId, SYNTH]
    """Zones 1 and 2."""
    evaluation: Annotated[AccountId, SYNTH]
    """Zone 3."""
    ingestion: Annotated[AccountId, SYNTH]
    """Zone 4."""
    logging: Annotated[AccountId, SYNTH]
    """Zone 6."""
    network: Annotated[AccountId, SYNTH]
    """Shared networking and egress."""


class Aws(Section):
    """Where `synth` and `deploy` put the zones."""

    region: Annotated[Region, BOTH]
    """Region of every zone, and the region that clients of one machine sign for."""
    organization: Annotated[OrganizationId, SYNTH]
    """The organization that the accounts belong to."""
    accounts: Annotated[Accounts, SYNTH]
    """The account of each zone."""


class Logging(Section):
    """What the logging zone keeps beyond the archive."""

    forensic_custodians: Annotated[Items[Name], LATER] = ()
    """Two people or more who can only together open the sealed raw copy; empty keeps none."""
