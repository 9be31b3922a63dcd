"""Parts of a statement whose values are known, may be, or are not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from caisson.assurance.iam.pattern import Variable, parse
from caisson.assurance.templates import (
    Applied,
    Choice,
    External,
    Number,
    Parameter,
    Place,
    Pseudo,
    Symbol,
    Unknown,
    Value,
    placeholder,
    symbols,
)
from caisson.assurance.templates.values import NoValue

Json = dict[str, Any]
Tags = Mapping[str, str]
"""Condition keys in lower case, `aws:principaltag/team`, to what policy variables of that name stand for."""


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The values of an element."""

    sure: tuple[Any, ...] = ()
    """Those that are there, symbols that AWS will name replaced. What is no text is passed on for the grammar."""
    maybe: tuple[Any, ...] = ()
    """Those that depend on a condition."""
    unknown: tuple[Symbol, ...] = ()
    """Those of which nothing is known."""
    choices: tuple[Symbol, ...] = field(default=())
    """The conditions that `maybe` depends on."""

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """What is to be named."""
        return self.unknown + self.choices

    def __add__(self, other: Texts) -> Texts:
        return Texts(
            sure=self.sure + other.sure, maybe=self.maybe + other.maybe, unknown=self.unknown + other.unknown,
            choices=self.choices + other.choices,
        )  # fmt: skip


def texts(value: Value) -> Texts:
    """The values of an element that takes one or a list."""
    if isinstance(value, list):
        found = Texts()
        for one in value:
            found += texts(one)
        return found
    if isinstance(value, NoValue):
        return Texts()
    if isinstance(value, Choice):
        both = texts(value.yes) + texts(value.no)
        return Texts(maybe=both.sure + both.maybe, unknown=both.unknown, choices=(value, *both.choices))
    if isinstance(value, Symbol):
        written = placeholder(value)
        return Texts(unknown=(value,)) if written is None else Texts(sure=(written,))
    return Texts(sure=(value,))


def told(value: Any, tags: Tags) -> Any:
    """A text with what its policy variables stand for, as far as that is known."""
    for name in keys(value) if tags else ():
        if name.key is not None and name.key.lower() in tags:
            value = value.replace(name.text, tags[name.key.lower()])
    return value


def keys(value: Any) -> tuple[Variable, ...]:
    """The policy variables in a text."""
    if not isinstance(value, str) or isinstance(value, Number):
        return ()
    return tuple(piece for piece in parse(value, variables=True).pieces if isinstance(piece, Variable))


def condition(value: Value, place: Place, *, variables: bool, tags: Tags) -> tuple[Json, list[str]]:
    """A `Condition` without what is not known, and the reasons for what was left out."""
    if isinstance(value, Symbol):
        return {}, [why(value, place)]
    if not isinstance(value, dict):
        return value, []
    sure: Json = {}
    doubts: list[str] = []
    for operator, block in value.items():
        if isinstance(block, Symbol):
            doubts.append(why(block, place))
            continue
        if not isinstance(block, dict):
            sure[operator] = block
            continue
        kept: Json = {}
        for key, given in block.items():
            found = texts(given)
            named = [why(one, place) for one in found.symbols]
            if variables:
                found = replace(found, sure=tuple(told(one, tags) for one in found.sure))
                named += [f"{place}: what the policy variables in {one!r} stand for" for one in found.sure if keys(one)]
            if named:
                doubts += named
            else:
                kept[key] = list(found.sure)
        if kept:
            sure[operator] = kept
    return sure, doubts


def why(symbol: Symbol, place: Place) -> str:
    """Why a value is not known, after the place that it is used at."""
    return f"{place}: {'; '.join(_reasons(symbol))}"


def _reasons(symbol: Symbol) -> Sequence[str]:
    found = [_reason(one) for one in symbols(symbol)]
    return list(dict.fromkeys(one for one in found if one)) or [f"{symbol} has no form that this version knows"]


def _reason(symbol: Symbol) -> str:
    if isinstance(symbol, Parameter):
        return f"the parameter {symbol.parameter} has no value"
    if isinstance(symbol, External):
        return f"{symbol} comes from outside of these templates"
    if isinstance(symbol, Choice):
        return f"it depends on the condition {symbol.condition}"
    if isinstance(symbol, Unknown):
        return symbol.reason
    if isinstance(symbol, Applied):
        return f"{symbol.function} of what is not known"
    if isinstance(symbol, Pseudo) and placeholder(symbol) is None:
        return f"{symbol.parameter} is not known"
    return ""
