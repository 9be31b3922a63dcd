"""Whether tags keep sessions of a role apart: what is open to one value is shut to another (IAM-06, SESS-03, row S21).

A policy speaks of a tag by a variable, `${aws:PrincipalTag/team}`. Read once with one value for it and once with
another, its statements differ exactly where they tell sessions apart. What they open to the other value is claimed to
be shut: by these statements and by all others. The two values are made up; policies cannot tell them from any others
that are no part of one another. Values that are the beginning, the end or the middle of the other are tried, too: a
pattern without a mark behind its variable opens what belongs to the longer one.

>>> [one.on for one in apart(mine, other, {"aws:principaltag/team": "caisson-a"}, "team")]  # doctest: +SKIP
[('arn:aws:s3:::reports/caisson-b/*',)]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from caisson.assurance.iam.condition import Condition
from caisson.assurance.iam.document import Covered, Effect, Statement
from caisson.assurance.iam.operators import Over, Test
from caisson.assurance.iam.principals import ACCOUNT
from caisson.assurance.identities.holders import Holder
from caisson.assurance.proofs.claims import Claim, Spared

TAG = "aws:principaltag/"
"""How the key of a principal's tag begins, in lower case."""
OTHER = "caisson-b"
OWN = ("caisson-a", "caisson-", "aisson-b", "aisson-")
"""Values that have nothing in common with the other as a whole, and its beginning, end and middle."""
SAME = "caisson-c"
"""What all other tags are."""
_NEGATED = {
    Test.STRING: "StringNotEquals",
    Test.STRING_IGNORE_CASE: "StringNotEqualsIgnoreCase",
    Test.STRING_LIKE: "StringNotLike",
    Test.ARN: "ArnNotLike",
}


def tags(holder: Holder) -> tuple[str, ...]:
    """Names of tags that a principal's policies have variables for, as first written: they have no case."""
    boundary = holder.boundary.variables if holder.boundary is not None else ()
    written = (*holder.identity.variables, *boundary)
    names = (key[len(TAG) :] for key in written if key.lower().startswith(TAG))
    return tuple({name.lower(): name for name in reversed([*names])}.values())[::-1]


def about(holder: Holder, tag: str) -> Claim:
    """The claim as a reader wants it; what is decided is `apart`."""
    return Claim(
        id=f"isolation.tags: {holder.name} by {tag}",
        controls=("IAM-06", "SESS-03"),
        says=f"With one value of the tag {tag}, nothing is reached that its policies open to another.",
        who=(holder.arn,),
        accounts=(),
        about=holder.name,
        place=str(holder.place),
        actions=("*",),
    )


def supposed(holder: Holder, tag: str, value: str) -> dict[str, str]:
    """Condition key to value of a session's tags where one has this value. All others are the same for both."""
    found = {**dict.fromkeys(tags(holder), SAME), tag: value}
    return {TAG + name.lower(): given for name, given in found.items()}


def apart(mine: Holder, other: Holder, given: Mapping[str, str], tag: str) -> Iterator[Claim]:
    """What is shut to a session with its own value: one claim a statement and place where the value stands in it.

    Args:
        mine: read with the session's own tags.
        other: the same principal, read with the other value for one tag.
        given: the session's own tags.
        tag: the one in which they differ.

    Raises:
        ValueError: a value stands where nothing tells what it opens; the message says where.
    """
    claim = about(mine, tag)
    for one, another in zip(_statements(mine), _statements(other), strict=True):
        if one == another or another.effect is not Effect.ALLOW:
            continue
        actions = _texts(another.action)
        spared = [Spared(actions=actions)] if another.action.inverted else []
        for on, left in _opened(one, another):
            for text in on:
                _own_account(text, mine, another)
            yield Claim(
                id=claim.id, controls=claim.controls, says=claim.says, who=claim.who, accounts=(), given=given,
                about=claim.about, place=claim.place, actions=("*",) if another.action.inverted else actions, on=on,
                but=(*spared, *left),
            )  # fmt: skip


def _opened(mine: Statement, other: Statement) -> Iterator[tuple[tuple[str, ...], tuple[Spared, ...]]]:
    """Resources that a statement opens to the other value, and which requests for them it does not."""
    resources = other.resource
    everywhere = resources is None or resources.inverted
    if mine.resource != resources:
        if resources is None or resources.inverted:
            raise ValueError(f"{other.pointer}: a tag under NotResource")
        own = set(_texts(mine.resource))
        yield tuple(text for text in _texts(resources) if text not in own), ()
    on = ("*",) if everywhere else _texts(resources)
    for before, condition in zip(mine.conditions, other.conditions, strict=True):
        if before != condition:
            own = {pattern.text for pattern in before.values}
            yield on, (_untouched(condition, own, other.pointer),)


def _untouched(condition: Condition, own: set[str], pointer: str) -> Spared:
    """Requests that say what they are about, and nothing of the other's. What has no tag is nobody's."""
    test = condition.operator.test
    if test not in _NEGATED or condition.operator.negated:
        raise ValueError(f"{pointer}: a tag under {condition.operator.name}")
    prefix = "" if condition.operator.over is None else f"{Over.ALL.value}:"
    values = [pattern.text for pattern in condition.values if pattern.text not in own]
    about = {prefix + _NEGATED[test]: {condition.key: values}}
    said = {} if "tag/" in condition.key.lower() else {"Null": {condition.key: "false"}}
    return Spared(conditions={**about, **said})


def _own_account(resource: str, holder: Holder, statement: Statement) -> None:
    """What is in another account is reached only if its own policy says so, too."""
    parts = resource.split(":", 5)
    if len(parts) == 6 and ACCOUNT.fullmatch(parts[4]) and parts[4] != holder.account:
        raise ValueError(f"{statement.pointer}: {resource} is in another account, where its own policy decides, too")


def _statements(holder: Holder) -> list[Statement]:
    return [one for policy in holder.identity.most for one in policy.statements]


def _texts(covered: Covered | None) -> tuple[str, ...]:
    return () if covered is None else tuple(pattern.text for pattern in covered.patterns)
