"""Pseudo parameters of a stack (CloudFormation user guide, pseudo-parameter-reference)."""

from __future__ import annotations

from caisson.assurance.templates.place import Place
from caisson.assurance.templates.values import NO_VALUE, Pseudo, Value

_PARTITIONS = (
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
)
"""Beginning of a region's name, partition, DNS suffix (botocore, partitions.json)."""
NAMES = frozenset(
    {
        "AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId",
        "AWS::StackName", "AWS::URLSuffix",
    }
)  # fmt: skip


def unknown(parameter: str, of: str, place: Place) -> Pseudo:
    """A pseudo parameter that nothing tells. `of` says whose, for its name."""
    return Pseudo(name=f"{parameter} of {of}", place=place, parameter=parameter)


def values(key: str, name: Value, account: Value, region: Value, place: Place) -> dict[str, Value]:
    """All pseudo parameters of a stack."""
    found = dict.fromkeys(NAMES, NO_VALUE) | {
        "AWS::AccountId": account,
        "AWS::Region": region,
        "AWS::StackName": name,
        "AWS::StackId": unknown("AWS::StackId", key, place),
        "AWS::NotificationARNs": unknown("AWS::NotificationARNs", key, place),
    }
    if isinstance(region, str):
        begun = next((row for row in _PARTITIONS if region.startswith(row[0])), ("", "aws", "amazonaws.com"))
        return found | {"AWS::Partition": begun[1], "AWS::URLSuffix": begun[2]}
    common = "the folder"
    return found | {
        "AWS::Partition": unknown("AWS::Partition", common, place),
        "AWS::URLSuffix": unknown("AWS::URLSuffix", common, place),
    }
