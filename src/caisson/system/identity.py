"""Who may sign in, and what membership of a group gives (IAM-01, IAM-05)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from caisson.system.carriers import BOTH, DEPLOYED, LATER, SYNTH_FIRST, UP
from caisson.system.section import Section
from caisson.system.values import ClaimName, GroupName, IssuerUrl, Items, Name, Text, Uid, UserName

Classification = Literal["public", "internal", "confidential", "restricted"]
"""From least to most protected."""


class Issuer(Section):
    """The OpenID Connect issuer whose tokens the gateway accepts."""

    url: Annotated[IssuerUrl, DEPLOYED]
    """Issuer as its tokens name it (`iss`); its keys are found by OpenID Connect Discovery."""
    audience: Annotated[Text, BOTH]
    """Audience that a token must be meant for (`aud`)."""
    groups_claim: Annotated[ClaimName, BOTH] = "groups"
    """Claim that lists the user's groups."""


class LocalUser(Section):
    """A user of this machine, known to the kernel by user id."""

    uid: Annotated[Uid, UP]
    """User id of the process that signs in over the unix socket; `owner` is whoever started `up`."""
    groups: Annotated[Items[GroupName], Field(min_length=1), UP]
    """Groups of `identity.groups` that the user is in."""


class Local(Section):
    """Users of one machine; they sign in over a unix socket and exist nowhere else."""

    users: Annotated[dict[UserName, LocalUser], UP] = Field(default_factory=dict)
    """Users by name. From tier 3 they never count toward dual approval."""


class Group(Section):
    """What members of a group may do."""

    clearance: Annotated[Classification | None, BOTH] = None
    """Highest classification that members may read, by the markings of documents, tool results and answers."""
    departments: Annotated[Items[Name], LATER] = ()
    """Departments whose knowledge members may retrieve."""
    may: Annotated[Items[Literal["approve", "configure"]], SYNTH_FIRST] = ()
    """Rights beyond using agents: approve tool calls, configure the system."""


class Identity(Section):
    """Who may sign in. At least an issuer or one local user."""

    issuer: Annotated[Issuer | None, DEPLOYED] = None
    """OpenID Connect issuer; without one only local users sign in."""
    local: Annotated[Local, UP] = Local()
    """Users of one machine."""
    groups: Annotated[dict[GroupName, Group], DEPLOYED] = Field(default_factory=dict)
    """Groups that give anything; a user who is in none of them opens no session."""
