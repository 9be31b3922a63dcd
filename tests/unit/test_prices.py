"""Prices: what is not in the table is unknown, never free."""

from __future__ import annotations

from datetime import date

import pytest

from caisson.policy.prices import Prices, Tokens, base_model, table

MILLION = Tokens(input_tokens=1_000_000, output_tokens=1_000_000)
THOUSAND = Tokens(input_tokens=1_000, output_tokens=1_000)
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"


def cost(model: str, usage: Tokens = THOUSAND, region: str = "eu-west-1") -> int | None:
    return Prices.load(region).cost_micro_usd(model, usage)


def test_the_profile_says_which_price_holds() -> None:
    assert cost(f"global.{SONNET}") == 18_000
    assert cost(f"eu.{SONNET}") == cost(SONNET) == 19_800
    assert cost(f"arn:aws:bedrock:eu-west-1:111111111111:inference-profile/global.{SONNET}") == 18_000


def test_micro_usd_round_up() -> None:
    nova = "amazon.nova-micro-v1:0"
    assert cost(nova, Tokens(input_tokens=1, output_tokens=0), "us-east-1") == 1
    assert cost(nova, MILLION, "us-east-1") == 175_000
    assert cost(nova, Tokens(input_tokens=0, output_tokens=0), "us-east-1") == 0


@pytest.mark.parametrize(
    ("model", "usage", "region"),
    [
        ("meta.llama3-8b-instruct-v1:0", THOUSAND, "us-east-1"),
        ("", THOUSAND, "us-east-1"),
        ("amazon.nova-pro-v1:0", THOUSAND, "eu-west-1"),  # another region, another price
        ("global.amazon.nova-pro-v1:0", THOUSAND, "us-east-1"),  # no such profile
        (SONNET + "x", THOUSAND, "us-east-1"),
        (SONNET, MILLION, "us-east-1"),  # long prompts have another price
    ],
)
def test_unknown_is_none(model: str, usage: Tokens, region: str) -> None:
    assert cost(model, usage, region) is None


def test_the_table_is_dated_and_has_no_free_model() -> None:
    prices = table().prices
    assert len({price.model for price in prices}) == len(prices)
    for price in prices:
        date.fromisoformat(price.as_of)
        assert base_model(price.model) == ("", price.model)
        for rate in (price.regional, price.base):
            assert rate is None or (rate.input > 0 and rate.output > rate.input)
