"""The repository of configuration and orders on AWS: who publishes, who reads, and what stays."""

from __future__ import annotations

from typing import Any

import pytest

from caisson.assurance.iam.decision import Outcome
from caisson.assurance.iam.document import Kind, Policy
from caisson.assurance.iam.grammar import policy
from deployments import template
from iam_outcome import outcome

ROLE = "arn:aws:iam::{}:role/caisson/claims-eu/caisson-claims-eu-{}"
CONTROL, GATEWAY = ROLE.format("111111111111", "control"), ROLE.format("222222222222", "gateway")
DEPLOYMENT, OTHER = ROLE.format("111111111111", "deployment"), "arn:aws:iam::111111111111:role/administrator"
BUCKET = "arn:aws:s3:::caisson-claims-eu-configuration-111111111111"
FILE = f"{BUCKET}/metadata/timestamp.json"
SAID = {
    "aws:SecureTransport": "true", "aws:PrincipalOrgID": "o-exampleorg",
    "kms:ViaService": "s3.eu-west-1.amazonaws.com",
}  # fmt: skip
OPEN = policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, Kind.IDENTITY
)


def made(id_: str) -> dict[str, Any]:
    found: dict[str, Any] = template("example", "configuration")["Resources"][id_]["Properties"]
    return found


def of_bucket() -> Policy:
    return policy(made("RepositoryPolicy")["PolicyDocument"], Kind.RESOURCE)


def allowed(who: str, action: str, on: str, own: Policy, resource: Policy, **said: Any) -> bool:
    """With these of a principal's own permissions."""
    documents = {"identity": (own,), "resource": (resource,)}
    return outcome(who, action, on, SAID | said, account="111111111111", **documents) is Outcome.ALLOW


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject"])
def test_the_control_zone_alone_publishes(action: str) -> None:
    own = policy(_own(), Kind.IDENTITY)
    assert allowed(CONTROL, action, FILE, own, of_bucket())
    for other in (GATEWAY, DEPLOYMENT, OTHER, CONTROL.replace("control", "control2")):
        assert not allowed(other, action, FILE, OPEN, of_bucket())
    assert not allowed(CONTROL, action, FILE, own, of_bucket(), **{"aws:SecureTransport": "false"})


@pytest.mark.parametrize(("action", "on"), [("s3:GetObject", FILE), ("s3:ListBucket", BUCKET)])
def test_the_control_zone_and_the_gateway_alone_read(action: str, on: str) -> None:
    assert allowed(CONTROL, action, on, policy(_own(), Kind.IDENTITY), of_bucket())
    assert allowed(GATEWAY, action, on, OPEN, of_bucket())
    assert not allowed(GATEWAY, action, on, OPEN, of_bucket(), **{"aws:PrincipalOrgID": "o-another"})
    for other in (DEPLOYMENT, OTHER, GATEWAY.replace("222222222222", "333333333333")):
        assert not allowed(other, action, on, OPEN, of_bucket())


def test_nobody_destroys_what_was_in_force() -> None:
    for who in (CONTROL, DEPLOYMENT, OTHER):
        assert not allowed(who, "s3:DeleteObjectVersion", FILE, OPEN, of_bucket())
    assert made("Repository")["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = made("Repository")["LifecycleConfiguration"]["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 365}
    assert "ExpirationInDays" not in rule  # what is in force never expires by itself


def test_the_key_is_used_through_s3_alone() -> None:
    key = policy(made("ConfigurationKey")["KeyPolicy"], Kind.RESOURCE)
    on = "arn:aws:kms:eu-west-1:111111111111:key/x"
    for who, action, expected in (
        (CONTROL, "kms:GenerateDataKey", True), (CONTROL, "kms:Decrypt", True), (GATEWAY, "kms:Decrypt", True),
        (GATEWAY, "kms:GenerateDataKey", False), (OTHER, "kms:Decrypt", False), (DEPLOYMENT, "kms:Decrypt", False),
    ):  # fmt: skip
        assert allowed(who, action, on, OPEN, key) is expected, (who, action)
        assert not allowed(who, action, on, OPEN, key, **{"kms:ViaService": "sqs.eu-west-1.amazonaws.com"})
    assert allowed(DEPLOYMENT, "kms:PutKeyPolicy", on, OPEN, key)
    assert not allowed(CONTROL, "kms:PutKeyPolicy", on, OPEN, key)


def _own() -> dict[str, Any]:
    """The control zone's own policy; the key's ARN is AWS's, and not asked for here."""
    document: dict[str, Any] = made("ControlPolicy")["PolicyDocument"]
    statements = [one for one in document["Statement"] if one["Sid"] != "KeyOfTheRepository"]
    return {**document, "Statement": statements}
