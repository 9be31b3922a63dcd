"""What a model call costs, from a dated table (prices.json) of on-demand list prices on Amazon Bedrock.

- Unknown is None, never zero: a model, a region or a prompt length that the table does not cover has no price here.
- Prices are USD per million tokens, which is micro-USD per token; sums round up to whole micro-USD.
- What a prompt cache read or wrote has prices of its own, which the table does not have.
- A profile id says which price holds: `global.` the base price, any other id the regional one.

>>> prices = Prices.load("eu-west-1")
>>> usage = Tokens(input_tokens=1000, output_tokens=100)
>>> prices.cost_micro_usd("global.anthropic.claude-haiku-4-5-20251001-v1:0", usage)
1500
>>> prices.cost_micro_usd("example.unknown-v1:0", usage) is None
True
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import NamedTuple, Protocol

import msgspec

from caisson.errors import DeveloperError

PARTS = 1_000_000
"""Of a micro-USD: prices have few digits, so sums are exact in whole numbers."""
PROFILE_PREFIXES = frozenset({"global", "us", "eu", "apac", "jp", "au", "ca", "us-gov"})
"""Geographies of cross-region inference profiles (Bedrock User Guide: Supported Regions for inference profiles)."""


class Counted(Protocol):
    """Tokens as a model counted them."""

    @property
    def input_tokens(self) -> int:
        """Of the prompt."""

    @property
    def output_tokens(self) -> int:
        """Of the answer."""

    @property
    def cached_input_tokens(self) -> int:
        """Of the prompt, what a cache read or wrote."""


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A plain count."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD per million tokens."""

    input: Decimal
    output: Decimal


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model's prices."""

    model: str
    """Model id without a profile prefix."""
    as_of: str
    """Date at which the price was on the page, ISO 8601."""
    regional: Rate
    base: Rate | None = None
    """For `global.` profiles; None when there is no such profile."""
    regions: list[str] | None = None
    """Where `regional` holds; None is everywhere that the model is offered."""
    input_tokens_max: int | None = None
    """Longer prompts have another price."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The packaged file."""

    source: str
    prices: list[Price]


@cache
def table() -> Table:
    """The packaged table."""
    return msgspec.json.decode(files("caisson.policy").joinpath("prices.json").read_bytes(), type=Table)


def base_model(model_id: str) -> tuple[str, str]:
    """Profile prefix (or empty) and model id of a model id, inference profile id or their ARN.

    >>> base_model("eu.amazon.nova-pro-v1:0")
    ('eu', 'amazon.nova-pro-v1:0')
    """
    name = model_id.rpartition("/")[2]
    prefix, dot, rest = name.partition(".")
    return (prefix, rest) if dot and prefix in PROFILE_PREFIXES else ("", name)


class Prices:
    """The table, for calls made from one region."""

    def __init__(self, prices: Table, region: str) -> None:
        self._prices = {price.model: price for price in prices.prices}
        self._region = region
        self._found: dict[str, _Found | None] = {}
        """By model id; those of a system file are few, and only they are asked for."""

    @classmethod
    def load(cls, region: str) -> Prices:
        """The packaged table."""
        return cls(table(), region)

    def cost_micro_usd(self, model_id: str, usage: Counted) -> int | None:
        """Millionths of a USD, or None when no price is known."""
        if usage.cached_input_tokens:
            return None
        if model_id not in self._found:
            self._found[model_id] = self._find(model_id)
        found = self._found[model_id]
        if found is None or (found.input_tokens_max is not None and usage.input_tokens > found.input_tokens_max):
            return None
        return -(-(found.input * usage.input_tokens + found.output * usage.output_tokens) // PARTS)

    def _find(self, model_id: str) -> _Found | None:
        prefix, model = base_model(model_id)
        price = self._prices.get(model)
        if price is None:
            return None
        if prefix == "global":
            rate = price.base
        else:
            rate = price.regional if price.regions is None or self._region in price.regions else None
        if rate is None:
            return None
        return _Found(_parts(rate.input), _parts(rate.output), price.input_tokens_max)


class _Found(NamedTuple):
    """A model's price as whole parts of a micro-USD a token."""

    input: int
    output: int
    input_tokens_max: int | None


def _parts(price: Decimal) -> int:
    parts = price * PARTS
    if parts != int(parts):
        raise DeveloperError(f"expected prices of at most {PARTS} parts of a micro-USD, found {price}")
    return int(parts)
