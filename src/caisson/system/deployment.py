"""Where the system runs on AWS and who can read what was logged (NET-01, LOG-09)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from caisson.system.carriers import DEPLOYED, LATER, SYNTH
from caisson.system.section import Section
from caisson.system.values import (
    AccountId,
    DirectoryGroupId,
    GroupName,
    IdentityCenterId,
    Items,
    Name,
    OrganizationalUnitId,
    OrganizationId,
    Region,
)


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


class Units(Section):
    """Organizational units that stand for an account in policies, so that an account added to one is bound too."""

    control: Annotated[OrganizationalUnitId | None, SYNTH] = None
    """Unit of the control account."""
    runtime: Annotated[OrganizationalUnitId | None, SYNTH] = None
    """Unit of the runtime account."""
    evaluation: Annotated[OrganizationalUnitId | None, SYNTH] = None
    """Unit of the evaluation account."""
    ingestion: Annotated[OrganizationalUnitId | None, SYNTH] = None
    """Unit of the ingestion account."""
    logging: Annotated[OrganizationalUnitId | None, SYNTH] = None
    """Unit of the logging account."""
    network: Annotated[OrganizationalUnitId | None, SYNTH] = None
    """Unit of the network account."""


class IdentityCenter(Section):
    """Where people sign in to the accounts; without it nobody gets a permission set."""

    instance: Annotated[IdentityCenterId, SYNTH]
    """Instance of IAM Identity Center."""
    region: Annotated[Region | None, SYNTH] = None
    """Region of the instance; the system's when left out."""
    groups: Annotated[dict[GroupName, DirectoryGroupId], Field(min_length=1), SYNTH]
    """Groups of `identity.groups` with their ids in the identity store; `may` decides their permission sets."""


class Aws(Section):
    """Where `synth` and `deploy` put the zones."""

    region: Annotated[Region, DEPLOYED]
    """Region of every zone, and the region that clients of one machine sign for."""
    organization: Annotated[OrganizationId, SYNTH]
    """The organization that the accounts belong to."""
    accounts: Annotated[Accounts, SYNTH]
    """The account of each zone."""
    units: Annotated[Units | None, SYNTH] = None
    """Organizational units that policies are attached to instead of the accounts."""
    identity_center: Annotated[IdentityCenter | None, SYNTH] = None
    """Where people sign in to the accounts; without it nobody gets a permission set."""
    siem: Annotated[AccountId | None, SYNTH] = None
    """Account of the organization whose SIEM reads the log as it comes; without it the log is streamed nowhere."""


class Logging(Section):
    """What the logging zone keeps beyond the archive."""

    forensic_custodians: Annotated[Items[Name], LATER] = ()
    """Two people or more who can only together open the sealed raw copy; empty keeps none."""
