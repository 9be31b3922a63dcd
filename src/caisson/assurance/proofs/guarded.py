"""Queues, buckets, keys and roles with their own policies, by what each policy is attached to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from caisson.assurance.iam.document import Kind, Policy
from caisson.assurance.iam.grammar import Unreadable, policy
from caisson.assurance.proofs.estate import resolved
from caisson.assurance.proofs.shape import Json, resources
from caisson.assurance.proofs.universe import Universe
from caisson.errors import OperatorError

KEY, ROLE, INLINE = "AWS::KMS::Key", "AWS::IAM::Role", "AWS::SQS::QueueInlinePolicy"


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Where a resource type keeps a policy and says what it is of."""

    document: str
    """Property with the policy."""
    attached: str
    """Property with the resources; empty where the policy is part of the resource."""
    of: str
    """Type of the resources."""
    name: str
    """Their property with the name."""
    arn: str
    """Of a resource, by partition, region, account, path and name."""
    kind: Kind = Kind.RESOURCE


_KINDS = {
    "AWS::SQS::QueuePolicy": _Kind(
        document="PolicyDocument", attached="Queues", of="AWS::SQS::Queue", name="QueueName",
        arn="arn:{partition}:sqs:{region}:{account}:{name}",
    ),
    "AWS::S3::BucketPolicy": _Kind(
        document="PolicyDocument", attached="Bucket", of="AWS::S3::Bucket", name="BucketName",
        arn="arn:{partition}:s3:::{name}",
    ),
    KEY: _Kind(
        document="KeyPolicy", attached="", of=KEY, name="", arn="arn:{partition}:kms:{region}:{account}:key/{name}"
    ),
    ROLE: _Kind(
        document="AssumeRolePolicyDocument", attached="", of=ROLE, name="RoleName",
        arn="arn:{partition}:iam::{account}:role{path}{name}", kind=Kind.TRUST,
    ),
}  # fmt: skip


def guarded_by(templates: Mapping[str, Json], accounts: Mapping[str, str], universe: Universe) -> dict[str, Policy]:
    """ARN to policy. A key, which AWS names, is called by its logical id in lower case.

    Args:
        templates: by file.
        accounts: file to the account that it is for.

    Raises:
        OperatorError: a policy cannot be read, what it is attached to is not known, or two are attached to one
            resource; file and place are named.
    """
    found: dict[str, Policy] = {}
    for file, template in templates.items():
        if file not in accounts:
            continue
        where = {"partition": universe.partition, "region": universe.region, "account": accounts[file]}
        values = {f"AWS::{name}": where[key] for name, key in _PSEUDO}
        for id_, _ in resources(file, template, INLINE):
            raise OperatorError(f"{file}: Resources/{id_}: expected AWS::SQS::QueuePolicy, found {INLINE}")
        for type_, kind in _KINDS.items():
            for id_, properties in resources(file, template, type_):
                at = f"{file}: Resources/{id_}/Properties"
                content = resolved(properties.get(kind.document), values, f"{at}/{kind.document}")
                try:
                    read = policy(content, kind.kind, id_)
                except Unreadable as error:
                    raise OperatorError("\n".join(f"{at}/{kind.document}: {one}" for one in error.problems)) from None
                path = properties.get("Path", "/")
                for name in _attached(template, kind, id_, properties, values, at):
                    arn = kind.arn.format(**where, path=path, name=name)
                    if arn in found:
                        raise OperatorError(f"{at}: expected one policy of {arn}, found another: AWS keeps the last")
                    found[arn] = read
    return found


_PSEUDO = (("Partition", "partition"), ("Region", "region"), ("AccountId", "account"))


def _attached(
    template: Json, kind: _Kind, id_: str, properties: Json, values: Mapping[str, str], at: str
) -> Iterable[str]:
    """Names of the resources that a policy is of."""
    if kind.attached:
        return _names(template, kind, properties, values, at)
    if not kind.name:
        return [id_.lower()]
    return [str(resolved(properties[kind.name], values, at))] if kind.name in properties else []


def _names(template: Json, kind: _Kind, properties: Json, values: Mapping[str, str], at: str) -> Iterator[str]:
    given = properties.get(kind.attached)
    at = f"{at}/{kind.attached}"
    for one in given if isinstance(given, list) else [given]:
        yield _name(template, kind, one, values, at)


def _name(template: Json, kind: _Kind, given: Any, values: Mapping[str, str], at: str) -> str:
    if isinstance(given, dict) and set(given) == {"Ref"} and given["Ref"] in template["Resources"]:
        target = template["Resources"][given["Ref"]]
        given = target.get("Properties", {}).get(kind.name) if target["Type"] == kind.of else None
    name = resolved(given, values, at)
    if not isinstance(name, str) or not name:
        raise OperatorError(f"{at}: expected {kind.of} with a {kind.name}, found something else")
    return name.rpartition("/")[2]  # of a queue, the last of its URL
