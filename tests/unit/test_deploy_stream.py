"""The stream to a SIEM: only where the file names one, who writes it, who reads it, and what it takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from caisson.assurance.iam.decision import Outcome
from caisson.assurance.iam.document import Kind, Policy
from caisson.assurance.iam.grammar import policy
from caisson.assurance.proofs.estate import ADMINISTRATOR
from caisson.deploy.retention import kept
from deployments import NAMED_SIEM, deployed, template
from iam_outcome import outcome

ROLE = "arn:aws:iam::555555555555:role/caisson/claims-eu/caisson-claims-eu-{}"
WRITER, READER = ROLE.format("stream"), ROLE.format("siem")
BUCKET = "arn:aws:s3:::caisson-claims-eu-stream-555555555555"
OBJECT = f"{BUCKET}/events/2026/11/27/10/x"
SAID = {
    "aws:SecureTransport": "true", "aws:PrincipalOrgID": "o-exampleorg", "kms:ViaService": "s3.eu-west-1.amazonaws.com"
}  # fmt: skip


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    found = template("example", "stream")["Resources"]
    return {name: one["Properties"] for name, one in found.items() if one["Type"] == kind}


def allowed(who: str, action: str, on: str, resource: Policy, own: Policy = ADMINISTRATOR, **said: Any) -> bool:
    documents = {"identity": (own,), "resource": (resource,)}
    return outcome(who, action, on, SAID | said, account="555555555555", **documents) is Outcome.ALLOW


def of_bucket() -> Policy:
    return policy(of_type("AWS::S3::BucketPolicy")["StreamBucketPolicy"]["PolicyDocument"], Kind.RESOURCE)


def own(id_: str) -> Policy:
    """Of a role, with the key that AWS names."""
    text = json.dumps(of_type("AWS::IAM::ManagedPolicy")[id_]["PolicyDocument"])
    text = text.replace(json.dumps({"Fn::GetAtt": ["StreamKey", "Arn"]}), '"arn:of:a:key:x:y"')
    text = text.replace(json.dumps({"Fn::GetAtt": ["Stream", "Arn"]}), '"arn:of:a:stream:x:y"')
    return policy(json.loads(text), Kind.IDENTITY)


@pytest.mark.parametrize("name", ["one-account", "three-accounts"])
def test_without_a_siem_there_is_none(name: str) -> None:
    assert not [one for one in deployed(name).files if "stream" in one]
    missing = json.loads(deployed(name).files["rows.missing.json"])
    assert missing["S36"] == missing["S37"] == "the system file names no aws.siem, so the log is streamed nowhere"


def test_every_log_group_of_a_class_goes_into_the_stream_whole() -> None:
    filters = of_type("AWS::Logs::SubscriptionFilter").values()
    assert {one["LogGroupName"] for one in filters} == {f"/caisson/claims-eu/{class_.name}" for class_ in kept()}
    assert {one["FilterPattern"] for one in filters} == {""}
    groups = [
        one for one in template("example", "logging")["Resources"].values() if one["Type"] == "AWS::Logs::LogGroup"
    ]
    assert {one["Properties"]["LogGroupName"] for one in groups} == {one["LogGroupName"] for one in filters}
    assert all("DataProtectionPolicy" in one["Properties"] for one in groups)  # masked before it goes on


def test_firehose_alone_writes_and_the_siem_alone_reads() -> None:
    assert allowed(WRITER, "s3:PutObject", OBJECT, of_bucket(), own("StreamPolicy"))
    assert allowed(READER, "s3:GetObject", OBJECT, of_bucket(), own("SiemPolicy"))
    assert allowed(READER, "s3:ListBucket", BUCKET, of_bucket(), own("SiemPolicy"))
    for other in (READER, ROLE.format("deployment"), ROLE.format("logging")):
        assert not allowed(other, "s3:PutObject", OBJECT, of_bucket())
    for other in (WRITER, ROLE.format("deployment"), "arn:aws:iam::555555555555:role/administrator"):
        assert not allowed(other, "s3:GetObject", OBJECT, of_bucket())
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy"):
        assert not allowed(READER, action, OBJECT, of_bucket(), own("SiemPolicy"))
    assert not allowed(
        READER, "s3:GetObject", f"{BUCKET.replace('stream', 'archive-text')}/x", of_bucket(), own("SiemPolicy")
    )


def test_the_siem_becomes_its_role_from_its_account_while_it_is_of_the_organization() -> None:
    trust = policy(of_type("AWS::IAM::Role")["SiemRole"]["AssumeRolePolicyDocument"], Kind.TRUST)
    for account, organization, expected in (
        (NAMED_SIEM, "o-exampleorg", True), (NAMED_SIEM, "o-another", False), ("999999999999", "o-exampleorg", False)
    ):  # fmt: skip
        said = {"aws:PrincipalOrgID": organization}
        assert allowed(f"arn:aws:iam::{account}:role/collector", "sts:AssumeRole", READER, trust, **said) is expected


def test_services_take_their_roles_for_this_account_alone() -> None:
    for id_, service in (("StreamRole", "firehose.amazonaws.com"), ("SubscriptionRole", "logs.amazonaws.com")):
        (statement,) = of_type("AWS::IAM::Role")[id_]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": service}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "555555555555"}


def test_what_is_buffered_and_delivered_is_under_the_key() -> None:
    (stream,) = of_type("AWS::KinesisFirehose::DeliveryStream").values()
    key = {"Fn::GetAtt": ["StreamKey", "Arn"]}
    assert stream["DeliveryStreamEncryptionConfigurationInput"] == {"KeyARN": key, "KeyType": "CUSTOMER_MANAGED_CMK"}
    (bucket,) = of_type("AWS::S3::Bucket").values()
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key
    (kept_for,) = bucket["LifecycleConfiguration"]["Rules"]
    assert kept_for["ExpirationInDays"] == 91
