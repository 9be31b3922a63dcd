"""The organization around the principals of templates: as its policies allow the most, and the least.

A policy of the organization binds an account when it is attached to the account or to a root. One that is attached to a
unit may bind it: nothing in templates says which accounts a unit holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from caisson.assurance.iam.document import Effect, Kind, Policy, Statement
from caisson.assurance.iam.principals import ACCOUNT
from caisson.assurance.identities.holders import Holder, account_of
from caisson.assurance.identities.readings import Bounds, bounds, unknown
from caisson.assurance.proofs.estate import Attached, Estate, Held
from caisson.assurance.proofs.universe import Universe, regions_of
from caisson.assurance.templates import Symbol, Templates, Value, placeholder
from caisson.assurance.templates.placeholder import REGION

TYPE = "AWS::Organizations::Policy"
KINDS = {"SERVICE_CONTROL_POLICY": Kind.SERVICE_CONTROL, "RESOURCE_CONTROL_POLICY": Kind.RESOURCE_CONTROL}
ROOT = re.compile("r-[0-9a-z]{4,32}")
"""A root of an organization (Organizations API reference, Root)."""
NOBODY = "000000000000"
"""Owns the guardrails that count where no account is named."""
_IN_ARN = re.compile(r"^arn:[^:]*:bedrock:[^:]*:([0-9]{12}):guardrail/")


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A service or resource control policy."""

    name: str
    kind: Kind
    targets: tuple[str, ...] | None
    """None: not known."""
    content: Bounds
    where: str

    def binds(self, target: str) -> bool:
        """Whether it surely binds an account or unit."""
        return any(one == target or ROOT.fullmatch(one) for one in self.targets or ())

    def may_bind(self, target: str) -> bool:
        """Whether it may."""
        if self.targets is None:
            return True
        return any(one == target or not ACCOUNT.fullmatch(one) for one in self.targets)


def limits(templates: Templates) -> tuple[Limit, ...]:
    """The policies of the organization, in templates and in files of their own.

    Raises:
        TemplateError: one is none.
    """
    found = []
    for one in templates.resources(TYPE):
        given = one.properties.get("Type")
        kind = KINDS.get(given) if isinstance(given, str) else None
        if kind is None and not isinstance(given, Symbol):
            continue  # what does not decide about permissions
        maybe = f"{one.place}: it is there on the condition {one.condition}" if one.condition else ""
        if kind is None:
            content, kind = unknown(Kind.SERVICE_CONTROL, f"{one.at('Type')}: of what type it is"), Kind.SERVICE_CONTROL
        else:
            content = bounds(one.properties.get("Content"), kind, one.at("Content"), maybe=maybe)
        name = placeholder(one.properties.get("Name")) or one.name
        targets = _targets(one.properties.get("TargetIds"))
        found.append(Limit(name=name, kind=kind, targets=targets, content=content, where=str(one.place)))
    for policy in templates.policies:
        if policy.kind in KINDS:
            kind = KINDS[policy.kind]
            content = bounds(policy.content, kind, policy.place)
            where = str(policy.place)
            found.append(Limit(name=policy.name, kind=kind, targets=policy.targets, content=content, where=where))
    return tuple(found)


def _targets(value: Value) -> tuple[str, ...] | None:
    if value is None:
        return ()
    if not isinstance(value, list):
        return None
    texts = [placeholder(one) if isinstance(one, (str, Symbol)) else None for one in value]
    return None if None in texts else tuple(text for text in texts if text is not None)


def universe_of(templates: Templates, held: Iterable[Holder], bound: Iterable[Limit]) -> Universe:
    """Accounts and regions that the templates name."""
    accounts = dict.fromkeys(one.account for one in held)
    accounts |= dict.fromkeys(account_of(templates, one) for one in templates.resources())
    accounts |= dict.fromkeys(target for one in bound for target in one.targets or () if ACCOUNT.fullmatch(target))
    regions = dict.fromkeys(placeholder(stack.region) or REGION for stack in templates.stacks) or {REGION: None}
    return Universe(
        partition="aws", region=next(iter(regions)), accounts=tuple(accounts), regions=tuple(regions_of("aws"))
    )


def owners(universe: Universe, policies: Iterable[Policy]) -> tuple[str, ...]:
    """Accounts whose guardrails count: those of the templates, and those of guardrails that policies name."""
    named = [
        found[1]
        for policy in policies
        for statement in policy.statements
        for condition in statement.conditions
        for pattern in condition.values
        if (found := _IN_ARN.match(pattern.text))
    ]
    return tuple(dict.fromkeys([*universe.accounts, *named])) or (NOBODY,)


@dataclass(frozen=True, kw_only=True)
class Estates:
    """Both readings of some accounts."""

    most: Estate
    least: Estate
    doubts: Mapping[str, tuple[str, ...]]
    """Account to why the organization's part of the two differs."""


def estates(
    over: Mapping[str, str], universe: Universe, bound: Sequence[Limit], held: Sequence[Holder] = ()
) -> Estates:
    """What is attached over accounts, and what their principals hold.

    Args:
        over: account to what policies are attached to for it: itself, or the unit that it stands for.
        universe: of the templates.
        bound: all policies of the organization.
        held: principals; all others are administrators.
    """
    made = []
    for reading in (_MOST, _LEAST):
        attached = [
            Attached(
                name=one.name,
                kind=one.kind,
                targets=tuple(account for account, target in over.items() if reading.binds(one, target)),
                policy=policy,
            )
            for one in bound
            for policy in reading.limits(one)
        ]
        made.append(
            Estate(
                organization="",
                management="",
                universe=universe,
                levels={account: (account,) for account in over} if bound else {},
                attached=tuple(attached),
                values={},
                guarded={one.arn: policy for one in held for policy in reading.of(one.trust)},
                held={one.arn: Held(identity=reading.of(one.identity), boundary=reading.boundary(one)) for one in held},
            )
        )
    return Estates(
        most=made[0], least=made[1], doubts={account: tuple(_doubts(target, bound)) for account, target in over.items()}
    )


def passing(policy: Bounds, universe: Universe) -> Estates:
    """Both readings of what passes an endpoint, with no organization around it."""
    nothing = unknown(Kind.ENDPOINT, "").least
    most, least = (
        Estate(
            organization="", management="", universe=universe, levels={}, attached=(), values={},
            through=found or nothing,
        )
        for found in (policy.most, policy.least)
    )  # fmt: skip
    return Estates(most=most, least=least, doubts={})


class _Most:
    """As policies allow the most."""

    def of(self, found: Bounds) -> tuple[Policy, ...]:
        return found.most

    def binds(self, limit: Limit, target: str) -> bool:
        return limit.binds(target)

    def limits(self, limit: Limit) -> tuple[Policy, ...]:
        return limit.content.most

    def boundary(self, holder: Holder) -> tuple[Policy, ...]:
        """None where there is none; where there is one that allows nothing, it is one that denies."""
        return () if holder.boundary is None else self.of(holder.boundary) or unknown(Kind.BOUNDARY, "").least


class _Least(_Most):
    """As they allow the least."""

    def of(self, found: Bounds) -> tuple[Policy, ...]:
        return found.least

    def binds(self, limit: Limit, target: str) -> bool:
        return limit.may_bind(target)

    def limits(self, limit: Limit) -> tuple[Policy, ...]:
        return (*limit.content.least, *(unknown(limit.kind, "").least if _lists(limit) else ()))


_MOST, _LEAST = _Most(), _Least()


def _doubts(target: str, bound: Sequence[Limit]) -> Iterator[str]:
    for one in bound:
        if not one.may_bind(target):
            continue
        yield from one.content.doubts
        if not one.binds(target):
            yield f"{one.where}: whether {one.name} is attached over {target}"
        if _lists(one):
            yield f"{one.where}: whether FullAWSAccess stands beside {one.name}, which is a list of what is allowed"


def _lists(limit: Limit) -> bool:
    """Whether it allows some things, so that what it does not name may be allowed by nothing."""
    if limit.kind is not Kind.SERVICE_CONTROL:
        return False
    allowing = [one for policy in limit.content.most for one in policy.statements if one.effect is Effect.ALLOW]
    return bool(allowing) and not any(_everything(one) for one in allowing)


def _everything(statement: Statement) -> bool:
    covered = (statement.action, statement.resource)
    return not statement.conditions and all(
        one is not None and not one.inverted and any(pattern.text == "*" for pattern in one.patterns) for one in covered
    )
