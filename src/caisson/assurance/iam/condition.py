"""Conditions: a value, and whether it holds for one request.

Rules, from reference_policies_elements_condition_operators,
reference_policies_condition-single-vs-multi-valued-context-keys and reference_policies_variables:

- values of one key are alternatives; under a negated operator none may fit
- an absent key fits nothing, so that a negated operator holds; with `IfExists` the condition holds
- over an absent key, or one with an empty set of values, ForAllValues holds and ForAnyValue does not
- a key with many values needs a set operator; what happens without one is not documented
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from caisson.assurance.iam.comparison import boolean, fits_value
from caisson.assurance.iam.context import Context, Values, has_many_values, has_one_value
from caisson.assurance.iam.operators import Operator, Over, Test
from caisson.assurance.iam.pattern import Pattern
from caisson.assurance.iam.truth import NO, YES, Truth, agreed, every, negated, of, some, unknown


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator, one key, and the values to test for."""

    operator: Operator
    key: str
    """As written; names of keys have no case."""
    values: tuple[Pattern, ...]


def holds(condition: Condition, context: Context) -> Truth:
    """Whether a condition holds for a request."""
    operator, found = condition.operator, context.get(condition.key)
    if operator.test is None:
        return unknown(f"the condition operator {operator.name!r} is not modelled")
    if operator.test is Test.NULL:
        return _null(condition, found)
    if found is None:
        return _absent(operator)
    if len(found.all) > 1 and has_one_value(condition.key):
        return unknown(f"{condition.key!r}, a key of one value, has {len(found.all)}")
    if operator.over is None:
        if not found.single and not (len(found.all) == 1 and has_one_value(condition.key)):
            return unknown(f"{operator.name!r} without set operator on the list of values of {condition.key!r}")
        if has_many_values(condition.key):
            return unknown(f"{operator.name!r} without set operator on {condition.key!r}, a key of many values")
        return _fits(condition, operator.test, found.all[0], context)
    return _over(condition, operator.over, operator.test, found.all, context)


def _fits(condition: Condition, test: Test, value: str, context: Context) -> Truth:
    fitting = some(fits_value(test, pattern, value, context) for pattern in condition.values)
    return negated(fitting) if condition.operator.negated else fitting


def _absent(operator: Operator) -> Truth:
    if operator.if_exists:
        if operator.over is Over.ANY:
            return unknown(f"{operator.name!r} on an absent key: IfExists holds, ForAnyValue does not")
        return YES
    if operator.over is not None:
        return of(operator.over is Over.ALL)
    return of(operator.negated)


def _over(condition: Condition, over: Over, test: Test, values: tuple[str, ...], context: Context) -> Truth:
    """Set operators. An empty string is an empty set by the guide, and a value by its own syntax: both must agree."""
    answers = {value: _fits(condition, test, value, context) for value in values}

    def answer(counted: Iterable[str]) -> Truth:
        each = [answers[value] for value in counted]
        return every(each) if over is Over.ALL else some(each)

    literal = answer(values)
    if "" not in values:
        return literal
    return agreed(literal, answer(value for value in values if value), f"{condition.key!r} has an empty value")


def _null(condition: Condition, found: Values | None) -> Truth:
    """`true` asks that the key is absent, `false` that it is there with a value."""
    if found is not None and not any(found.all):
        return unknown(f"whether {condition.key!r}, which is there without value, counts as absent")
    absent = found is None
    for pattern in condition.values:
        asked = boolean(pattern.text)
        if asked is None:
            return unknown(f"Null with {pattern.text!r}, which is neither true nor false")
        if asked is absent:
            return YES
    return NO
