"""The `Principal` and `NotPrincipal` elements: values, and how far they reach a principal.

How a resource policy names a principal decides what else can limit the grant (reference_policies_evaluation-logic,
"resource- based policies and implicit denies in other policy types"):

- by its account: authority is delegated, and the account's own policies must grant
- by its role (or the user behind a federated session): granted, within permissions boundary and session policy
- itself (user, session, service, or everyone): granted as such
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum

from caisson.assurance.iam.principals import Kind, Principal
from caisson.assurance.iam.truth import NO, YES, Truth, every, negated, of, some, unknown


class Named(Enum):
    """What an entry of the element names."""

    EVERYONE = "*"
    ACCOUNT = "account"
    IDENTITY = "identity"
    SERVICE = "service"
    PROVIDER = "provider"
    CANONICAL = "canonical user"
    UNIQUE_ID = "unique identifier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry."""

    named: Named
    text: str
    account: str = ""
    """For an account."""
    identity: Principal | None = None
    """For a user, role, session or federated user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalElement:
    """The element."""

    entries: tuple[Entry, ...]
    inverted: bool = False
    """`NotPrincipal`."""


class Reach(IntEnum):
    """How directly an entry names a principal; more direct is greater."""

    ACCOUNT = 1
    ROLE = 2
    ITSELF = 3


def reaches(entry: Entry, principal: Principal, least: Reach) -> Truth:
    """Whether an entry names a principal at least that directly."""
    match entry.named:
        case Named.EVERYONE:
            return YES
        case Named.ACCOUNT:
            return of(entry.account == principal.account and (principal.kind is Kind.ROOT or least is Reach.ACCOUNT))
        case Named.SERVICE:
            if entry.text == "*":
                return unknown("Principal with Service '*'") if principal.kind is Kind.SERVICE else NO
            return of(principal.kind is Kind.SERVICE and entry.text.lower() == principal.text)
        case Named.PROVIDER:
            if entry.text == "*":
                return unknown("Principal with Federated '*'") if principal.kind is Kind.PROVIDER else NO
            return of(principal.kind is Kind.PROVIDER and entry.text == principal.text)
        case Named.CANONICAL:
            return unknown("a canonical user as principal") if principal.account or _anonymous(principal) else NO
        case Named.UNIQUE_ID:
            return unknown(f"the unique identifier {entry.text!r} as principal") if principal.account else NO
        case Named.IDENTITY:
            return NO if entry.identity is None else _identity(entry.identity, principal, least)


def _anonymous(principal: Principal) -> bool:
    return principal.kind is Kind.ANONYMOUS


def _identity(named: Principal, principal: Principal, least: Reach) -> Truth:
    if named.account != principal.account:
        return NO
    if named.kind is Kind.ROLE and principal.has_role:
        paths_agree = principal.path is None or principal.path == named.path
        if named.name != principal.name and named.name.lower() == principal.name.lower() and least <= Reach.ROLE:
            return unknown(f"{named.text!r} differs from the role in case alone")
        return of(named.name == principal.name and paths_agree and least <= Reach.ROLE)
    if named.kind is Kind.SESSION and principal.kind is Kind.ROLE:
        other = f"the request names no session of the role, the policy {named.text!r}"
        return unknown(other) if named.name == principal.name else NO
    if named.kind is Kind.USER and principal.kind is Kind.FEDERATED_USER:
        return unknown("the request does not say which user a federated session is of") if least <= Reach.ROLE else NO
    return of(named.text == principal.text)


def matches(element: PrincipalElement, principal: Principal, *, deny: bool, bounded: bool, least: Reach) -> Truth:
    """Whether the element covers a principal.

    Args:
        deny: the statement denies.
        bounded: the principal has a permissions boundary.
        least: how directly a grant must name it; a Deny reaches by any way.
    """
    if element.inverted:
        return _inverted(element.entries, principal, deny=deny, bounded=bounded)
    return some(reaches(entry, principal, Reach.ACCOUNT if deny else least) for entry in element.entries)


def _inverted(entries: tuple[Entry, ...], principal: Principal, *, deny: bool, bounded: bool) -> Truth:
    """NotPrincipal (reference_policies_elements_notprincipal).

    It denies whoever is not listed. A principal is safely listed only with its account, and a session with its role
    too; what happens to one listed in part depends on the service. Whoever has a permissions boundary is always
    denied.
    """
    if not deny:
        return unknown("NotPrincipal with Allow is not supported")
    if bounded and (principal.kind in (Kind.USER, Kind.FEDERATED_USER) or principal.has_role):
        return YES
    listed = list(_listed(entries, principal))
    if every(listed).known_yes:
        return NO
    if not some(listed).possible:
        return YES
    return unknown("NotPrincipal lists the principal, its role and its account only in part")


def _listed(entries: tuple[Entry, ...], principal: Principal) -> Iterator[Truth]:
    """Whether each of the identities that a principal has is listed: itself, its role, its account."""
    everyone = of(any(entry.named is Named.EVERYONE for entry in entries))
    levels = [Reach.ITSELF]
    levels += [Reach.ROLE] if principal.has_role else []
    levels += [Reach.ACCOUNT] if principal.account and principal.kind is not Kind.ROOT else []
    for level in levels:
        yield some((everyone, *(_just(entry, principal, level) for entry in entries)))


def _just(entry: Entry, principal: Principal, level: Reach) -> Truth:
    """An entry names the principal at this level and no more directly."""
    named = reaches(entry, principal, level)
    return named if level is Reach.ITSELF else every((named, negated(reaches(entry, principal, Reach(level + 1)))))
