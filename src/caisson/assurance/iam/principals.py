"""Who asks: the principal of a request, in the kinds that decide how policies reach it.

The kinds are those of reference_policies_elements_principal. A role as such never asks; a request that names a role is
one of an unnamed session of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from caisson.assurance.iam import arn as arns


class Kind(Enum):
    """What kind of principal."""

    ROOT = "root user"
    USER = "IAM user"
    ROLE = "role, session not named"
    SESSION = "role session"
    FEDERATED_USER = "federated user"
    SERVICE = "AWS service"
    PROVIDER = "identity provider"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks."""

    kind: Kind
    text: str
    """As given: an ARN, a service name, a provider, or `anonymous`."""
    account: str = ""
    """Twelve digits; empty for services, providers and the anonymous."""
    name: str = ""
    """User or role name without path, for those that have one."""
    path: str | None = None
    """`/` or `/path/`; None where the ARN does not say (role sessions)."""

    @property
    def has_role(self) -> bool:
        """It acts under a role."""
        return self.kind in (Kind.ROLE, Kind.SESSION)

    @property
    def has_identity(self) -> bool:
        """It is of an account, whose identity policies and service control policies concern it."""
        return bool(self.account)


ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)", re.ASCII)
_PROVIDERS = {"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}
EXPECTED = (
    "the ARN of a user, role, role session (arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION), federated user, root user "
    "or identity provider, a service such as lambda.amazonaws.com, or 'anonymous'"
)


def principal(text: str) -> Principal | None:
    """Read the principal of a request; None when it is none of the kinds."""
    if text in ("anonymous", "*"):
        return Principal(kind=Kind.ANONYMOUS, text="anonymous")
    if text in _PROVIDERS:
        return Principal(kind=Kind.PROVIDER, text=text)
    if _SERVICE.fullmatch(text):
        return Principal(kind=Kind.SERVICE, text=text)
    return identity(text)


def identity(text: str) -> Principal | None:
    """Read the ARN of an identity; None when it is no such ARN. No wildcards: it names one."""
    found = arns.parse(text)
    if found is None or found.region or not ACCOUNT.fullmatch(found.account) or "*" in text or "?" in text:
        return None
    kind, *rest = found.resource.split("/")
    account = found.account
    if found.service == "iam" and found.resource == "root":
        return Principal(kind=Kind.ROOT, text=text, account=account)
    if not rest or not all(rest):
        return None
    name, path = rest[-1], "/" + "".join(f"{part}/" for part in rest[:-1])
    if found.service == "iam" and kind in ("user", "role"):
        which = Kind.USER if kind == "user" else Kind.ROLE
        return Principal(kind=which, text=text, account=account, name=name, path=path)
    if found.service == "iam" and kind in ("oidc-provider", "saml-provider"):
        return Principal(kind=Kind.PROVIDER, text=text)
    if found.service == "sts" and kind == "assumed-role" and len(rest) == 2:
        return Principal(kind=Kind.SESSION, text=text, account=account, name=rest[0])
    if found.service == "sts" and kind == "federated-user" and len(rest) == 1:
        return Principal(kind=Kind.FEDERATED_USER, text=text, account=account, name=rest[0])
    return None
