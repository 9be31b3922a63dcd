"""What a condition key can hold: one value for each way to pass or not to pass the tests that policies make of it.

Every key may also be absent, whatever AWS usually fills in. That makes more requests than there are, so what holds for
all of them holds.

>>> [found.all for found in alternatives("aws:SecureTransport", conditions, universe) if found]  # doctest: +SKIP
[('true',), ('false',)]
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import combinations, pairwise, product

from caisson.assurance.iam.comparison import number
from caisson.assurance.iam.condition import Condition, holds
from caisson.assurance.iam.context import Context, Values, has_many_values
from caisson.assurance.iam.operators import Over, Test
from caisson.assurance.iam.pattern import Pattern, Solid, Variable, Wild, solid
from caisson.assurance.proofs import guardrail_arns
from caisson.assurance.proofs.languages import TooMany, words
from caisson.assurance.proofs.universe import PARTS_OF, Universe, kinds, literals

KINDS_MAX = 5
"""Kinds of values of a key of many values, of which every combination is tried."""
_STRINGS = frozenset({Test.STRING, Test.STRING_IGNORE_CASE, Test.STRING_LIKE})
_NUMBERS = frozenset({
    Test.NUMBER_EQUAL, Test.NUMBER_LESS, Test.NUMBER_LESS_EQUAL, Test.NUMBER_GREATER, Test.NUMBER_GREATER_EQUAL,
})  # fmt: skip
_DATES = frozenset({
    Test.DATE_EQUAL, Test.DATE_LESS, Test.DATE_LESS_EQUAL, Test.DATE_GREATER, Test.DATE_GREATER_EQUAL,
})  # fmt: skip
TAGS = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/")
"""Keys whose values are written by people, who may leave them empty (IAM user guide, id_tags)."""
Choice = Values | None
"""What a request says for a key; None: nothing."""


class Unbuildable(Exception):  # noqa: N818  (an answer: nobody can say)
    """The classes of a key cannot be told apart; the message says why."""


@lru_cache(maxsize=4096)
def alternatives(key: str, conditions: tuple[Condition, ...], universe: Universe) -> tuple[Choice, ...]:
    """One choice for each class, absence first. The same tests meet again for every action and resource.

    Args:
        key: lower case.
        conditions: all that test it.
        universe: what is finite and known.

    Raises:
        Unbuildable: a test that this has no classes for, or too many classes.
    """
    one = _told_apart(key, _single(key, conditions, universe), conditions)
    singles = tuple(Values((value,), single=True) for value in one)
    several = has_many_values(key) or any(condition.operator.over is not None for condition in conditions)
    if not several:
        return (None, *singles)
    if len(one) > KINDS_MAX:
        raise Unbuildable(f"{key} has {len(one)} kinds of values, of which every combination would have to be tried")
    sets = (Values(chosen, single=False) for size in range(1, len(one) + 1) for chosen in combinations(one, size))
    return (None, *sets) if has_many_values(key) else (None, *singles, *sets)


def _told_apart(key: str, values: Iterable[str], conditions: Sequence[Condition]) -> tuple[str, ...]:
    """The first of the values for each outcome of the tests on one value."""
    tests = [_on_one_value(condition) for condition in conditions]
    found: dict[tuple[bool | None, ...], str] = {}
    for value in values:
        said = Context({key: Values((value,), single=True)})
        found.setdefault(tuple(holds(test, said).value for test in tests), value)
    return tuple(found.values())


def _on_one_value(condition: Condition) -> Condition:
    """Of one value all and any say the same; a key of many values is asked nothing without a set operator."""
    operator = condition.operator
    if operator.over is None:
        return condition
    over = Over.ANY if has_many_values(condition.key) else None
    return Condition(replace(operator, over=over), condition.key, condition.values)


def _single(key: str, conditions: Sequence[Condition], universe: Universe) -> Iterable[str]:
    tests = {condition.operator.test for condition in conditions} - {Test.NULL}
    patterns = [
        pattern for condition in conditions if condition.operator.test is not Test.NULL for pattern in condition.values
    ]
    if None in tests:
        names = sorted({condition.operator.name for condition in conditions if condition.operator.test is None})
        raise Unbuildable(f"the condition operator {names[0]} is not modelled")
    if any(isinstance(piece, Variable) for pattern in patterns for piece in pattern.pieces):
        raise Unbuildable(f"{key} is compared with a policy variable")
    if not tests:
        return ["present"]
    if tests == {Test.BOOL}:
        return ["true", "false"]
    if tests <= _NUMBERS:
        return _numbers(pattern.text for pattern in patterns)
    if tests <= _DATES:
        return _dates(pattern.text for pattern in patterns)
    if tests == {Test.IP}:
        return _addresses(patterns)
    if key == guardrail_arns.KEY and tests <= _STRINGS | {Test.ARN}:
        return universe.guardrails(pattern.text for pattern in patterns)
    if key == "aws:sourcevpce" and tests <= _STRINGS:
        return ["vpce-0f0f0f0f0f0f0f0f0", *_strings(key, conditions, universe)]
    if Test.ARN in tests and tests <= _STRINGS | {Test.ARN}:
        return _arns(key, conditions, universe)
    if tests <= _STRINGS:
        return _strings(key, conditions, universe)
    raise Unbuildable(f"{key} is tested as {' and as '.join(sorted(test.value for test in tests if test))}")


def _strings(key: str, conditions: Sequence[Condition], universe: Universe) -> Iterable[str]:
    known = universe.values(key)
    exact = list(_solid(one for one in conditions if one.operator.test is not Test.STRING_IGNORE_CASE))
    folded = list(_solid(one for one in conditions if one.operator.test is Test.STRING_IGNORE_CASE))
    if known is not None and not folded:
        return kinds((*known, *literals(exact)), exact)
    try:
        return [*words(exact, folded=folded), *_empty(key, conditions)]
    except TooMany as error:
        raise Unbuildable(f"{key}: {error}") from error


def _empty(key: str, conditions: Sequence[Condition]) -> Iterable[str]:
    """Nothing, as a value. Tags can be empty; for other keys Null, of which AWS does not say whether it takes an empty
    value for an absent one, would leave a doubt about what is never sent."""
    null = any(condition.operator.test is Test.NULL for condition in conditions)
    return [] if null and not key.startswith(TAGS) else [""]


def _arns(key: str, conditions: Sequence[Condition], universe: Universe) -> Iterable[str]:
    """Part by part, as ArnLike matches; and each text that is compared as a whole."""
    exact, patterns = [], []
    for condition in conditions:
        for pattern in condition.values:
            if condition.operator.test is Test.ARN:
                patterns.append(pattern)
            elif condition.operator.test is Test.STRING:
                exact.append(pattern.text)
            elif condition.operator.test is not Test.NULL:
                raise Unbuildable(f"{key} is compared as an ARN and as text with wildcards")
    split = [pattern_parts(solid(pattern.pieces)) for pattern in patterns]
    short = next(
        (pattern.text for pattern, parts in zip(patterns, split, strict=True) if len(parts) != len(PARTS_OF)), None
    )
    if short is not None:
        raise Unbuildable(f"{key} is compared with {short!r}, which is no ARN of six parts")
    exact_parts = [text.split(":", 5) for text in exact if text.count(":") >= 5]
    parts = []
    for index, name in enumerate(PARTS_OF):
        of_policies = [one[index] for one in split] + [[one[index]] if one[index] else [] for one in exact_parts]
        parts.append(universe.part(name, of_policies, key=key))
    return dict.fromkeys([*(":".join(chosen) for chosen in product(*parts)), *exact])


def pattern_parts(pieces: Sequence[Solid]) -> list[list[Solid]]:
    """The pieces of each of an ARN pattern's six parts."""
    parts: list[list[Solid]] = [[]]
    for piece in pieces:
        if isinstance(piece, Wild):
            parts[-1].append(piece)
            continue
        first, *others = str(piece).split(":", 6 - len(parts))
        parts[-1] += [first] if first else []
        parts += [[other] if other else [] for other in others]
    return parts


def _solid(conditions: Iterable[Condition]) -> Iterator[tuple[Solid, ...]]:
    for condition in conditions:
        if condition.operator.test is Test.NULL:
            continue
        for pattern in condition.values:
            yield solid(pattern.pieces)


def _kinds(values: Iterable[str], tests: Sequence[Callable[[str], bool]]) -> list[str]:
    """The first of the values for each outcome of the tests."""
    found: dict[tuple[bool, ...], str] = {}
    for value in values:
        found.setdefault(tuple(test(value) for test in tests), value)
    return list(found.values())


def _numbers(texts: Iterable[str]) -> list[str]:
    """Each bound, and what lies below, between and above the bounds."""
    bounds = sorted({_number(text) for text in texts})
    between = [(low + high) / 2 for low, high in pairwise(bounds)]
    return [f"{value:f}" for value in (bounds[0] - 1, *bounds, *between, bounds[-1] + 1)]


def _dates(texts: Iterable[str]) -> list[str]:
    """The same in time."""
    bounds = sorted({_date(text) for text in texts})
    between = [low + (high - low) / 2 for low, high in pairwise(bounds)]
    second = timedelta(seconds=1)
    return [
        value.strftime("%Y-%m-%dT%H:%M:%SZ") for value in (bounds[0] - second, *bounds, *between, bounds[-1] + second)
    ]


def _number(text: str) -> Decimal:
    found = number(text)
    if found is None:
        raise Unbuildable(f"{text!r} is no number")
    return found


def _date(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Unbuildable(f"{text!r} is no date that classes are made for") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _addresses(patterns: Iterable[Pattern]) -> list[str]:
    """Both ends of each range and their neighbours outside: every kind of address is among them."""
    networks = []
    for pattern in patterns:
        try:
            networks.append(ipaddress.ip_network(pattern.text, strict=False))
        except ValueError:
            raise Unbuildable(f"{pattern.text!r} is no range of addresses") from None
    candidates = [ipaddress.ip_address("203.0.113.77")]
    for network in networks:
        first, last = network.network_address, network.broadcast_address
        candidates += [first, last]
        candidates += [first - 1] if int(first) else []
        candidates += [last + 1] if int(last) < 2**network.max_prefixlen - 1 else []
    tests = [lambda value, network=network: ipaddress.ip_address(value) in network for network in networks]
    return _kinds(map(str, candidates), tests)
