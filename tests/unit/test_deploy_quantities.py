"""What is billed: counted from templates, priced by the user alone, and never taken as free without a word."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.deploy.quantities import (
    BILLED,
    DIMENSIONS,
    FREE,
    FREE_SERVICES,
    Prices,
    money,
    parse_prices,
    quantities,
    table,
)
from caisson.errors import DeploymentError
from deployments import deployed

DOCS = Path(__file__).parents[2] / "docs/deploy.md"
TIERS = {"tier 1": "one-account", "tier 2": "three-accounts", "tier 3": "example", "tier 4": "every-key"}


def of(*types: str, **properties: Any) -> dict[str, Any]:
    return {"Resources": {f"R{n}": {"Type": one, "Properties": properties} for n, one in enumerate(types)}}


def templates(name: str) -> list[dict[str, Any]]:
    return [json.loads(text) for path, text in deployed(name).files.items() if path.startswith("templates/")]


@pytest.mark.parametrize("name", TIERS.values())
def test_the_table_knows_every_type_that_is_synthesized(name: str) -> None:
    assert quantities(templates(name)).unknown == {}


def test_the_table_is_whole() -> None:
    assert {dimension for found in BILLED.values() for dimension in found} <= set(DIMENSIONS)
    assert not set(BILLED) & set(FREE)
    assert not [kind for kind in (*BILLED, *FREE) if kind.startswith(FREE_SERVICES)]


def test_the_documented_table_is_current() -> None:
    """After a change: paste what the failing comparison shows into docs/deploy.md."""
    wanted = table({tier: quantities(templates(name)) for tier, name in TIERS.items()})
    assert wanted in DOCS.read_text()
    assert all(DIMENSIONS[name].what in wanted for name in ("kms.key", "s3.stored"))


def test_what_it_does_not_know_is_named() -> None:
    found = quantities([of("AWS::SageMaker::Endpoint", "AWS::IAM::Role", "AWS::KMS::Alias")])
    assert (found.standing, found.use, found.unknown) == ({}, {}, {"AWS::SageMaker::Endpoint": 1})


def test_hours_are_a_month_and_endpoints_stand_in_each_subnet() -> None:
    interface = of("AWS::EC2::VPCEndpoint", VpcEndpointType="Interface", SubnetIds=["a", "b"])
    assert quantities([interface]).standing == {"vpc.endpoint": Decimal(1460)}
    assert quantities([of("AWS::EC2::VPCEndpoint")]).standing == {}  # a gateway endpoint


def test_a_band_is_another_alarm() -> None:
    assert quantities([of("AWS::CloudWatch::Alarm", ThresholdMetricId="e")]).standing == {"cloudwatch.alarm.band": 1}
    assert quantities([of("AWS::CloudWatch::Alarm")]).standing == {"cloudwatch.alarm": 1}


@given(st.lists(st.sampled_from(sorted(BILLED)), max_size=8), st.lists(st.sampled_from(sorted(BILLED)), max_size=8))
def test_quantities_add_up(one: list[str], other: list[str]) -> None:
    whole, first, second = quantities([of(*one), of(*other)]), quantities([of(*one)]), quantities([of(*other)])
    for name in DIMENSIONS:
        assert whole.standing.get(name, 0) == first.standing.get(name, 0) + second.standing.get(name, 0)
        assert whole.use.get(name, 0) == first.use.get(name, 0) + second.use.get(name, 0)


def test_money_is_of_what_stands_and_says_what_it_lacks() -> None:
    found = quantities([of("AWS::KMS::Key", "AWS::KMS::Key", "AWS::CloudWatch::Alarm", "AWS::S3::Bucket")])
    costs = money(found, Prices(currency="EUR", units={"kms.key": Decimal("0.1"), "s3.stored": Decimal(9)}))
    assert (costs.total, costs.by) == (Decimal("0.2"), {"kms.key": Decimal("0.2")})
    assert costs.rates == {"s3.stored": Decimal(9)}
    assert costs.unpriced == ("cloudwatch.alarm", "kms.request", "s3.request")


GOOD: dict[str, Any] = {"caisson_prices": 1, "currency": "USD", "prices": {"kms.key": "1"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON"),
        ("[]", "expected exactly the keys"),
        (json.dumps({**GOOD, "more": 1}), "expected exactly the keys"),
        (json.dumps({**GOOD, "caisson_prices": 2}), "expected caisson_prices 1, found 2"),
        (json.dumps({**GOOD, "caisson_prices": True}), "expected caisson_prices 1, found True"),
        (json.dumps({**GOOD, "currency": "dollars"}), "ISO 4217, found 'dollars'"),
        (json.dumps({**GOOD, "prices": []}), "expected prices as an object, found list"),
        (
            json.dumps({**GOOD, "prices": {"kms.keys": "1"}}),
            "expected a dimension that caisson knows, found 'kms.keys'",
        ),
        (json.dumps({**GOOD, "prices": {"kms.key": 1}}), "expected an amount as text such as '0.10', found 1"),
        (json.dumps({**GOOD, "prices": {"kms.key": "-1"}}), "expected an amount as text such as '0.10', found '-1'"),
        (json.dumps({**GOOD, "prices": {"kms.key": "NaN"}}), "found 'NaN'"),
        ('{"caisson_prices": 1, "currency": "USD", "currency": "EUR", "prices": {}}', "each key once"),
    ],
)
def test_prices_are_strict(text: str, message: str) -> None:
    with pytest.raises(DeploymentError, match=r"^prices\.json: ") as refused:
        parse_prices(text, name="prices.json")
    assert message in str(refused.value)


def test_prices_that_are_right() -> None:
    found = parse_prices(json.dumps(GOOD), name="x")
    assert (found.currency, found.units) == ("USD", {"kms.key": Decimal(1)})


SERVICES = {
    "AWS::KinesisFirehose::": "firehose:",
    "AWS::Macie::": "macie2:",
    "AWS::NetworkFirewall::": "network-firewall:",
    "AWS::CloudWatch::": "cloudwatch:",
    "Custom::InvocationLog::": "lambda:",
    "Custom::DataRetention::": "lambda:",
}


@pytest.mark.parametrize("name", TIERS.values())
def test_the_documentation_names_every_service_that_the_deployer_needs(name: str) -> None:
    text = DOCS.read_text()
    for template in templates(name):
        for resource in template["Resources"].values():
            service = "::".join(resource["Type"].split("::")[:2]) + "::"
            assert f"`{SERVICES.get(service, service.split('::')[1].lower() + ':')}`" in text, resource["Type"]


@pytest.mark.parametrize("name", TIERS.values())
def test_the_documentation_says_why_everything_that_remains_does(name: str) -> None:
    removal = DOCS.read_text().partition("## Removal")[2].partition("\n## ")[0]
    for template in templates(name):
        for resource in template["Resources"].values():
            if resource.get("DeletionPolicy") == "Retain":
                assert f"`{resource['Type']}`" in removal
