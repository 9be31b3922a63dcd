"""AWS Config: every account records into one bucket, and rules look at what the deployment has, which complies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import aws_cdk.aws_config as config
import pytest

from caisson.assurance.controls import CATALOGUE
from caisson.deploy.landscape import Place
from caisson.deploy.policies import recordings
from caisson.deploy.policies.statement import document
from caisson.deploy.watched_state.rules import Rule, rules
from deployments import ZONES, aws, deployed, land_of, readings, template
from policy_evaluator import Request, denied_by, matches
from system_files import minimal, reading

NAMES = ("example", "one-account", "three-accounts", "every-key")
BUCKET = "a-bucket"
MEMBERS = ("222222222222", "333333333333")
LOOKED_AT = {
    "network": "AWS::EC2::VPC",
    "firewall": "AWS::NetworkFirewall::FirewallPolicy",
    "function": "AWS::Lambda::Function",
    "ledger": "AWS::DynamoDB::Table",
    "topic": "AWS::SNS::Topic",
}


def account(name: str, number: str) -> dict[str, list[dict[str, Any]]]:
    """Properties of what a deployment has in an account, by type."""
    found: dict[str, list[dict[str, Any]]] = {}
    for stack in deployed(name).manifest["stacks"]:
        if stack["account"] == number:
            text = deployed(name).files[stack["template"]].replace('"Ref": "', f'"Ref": "{stack["part"]}/')
            for resource in json.loads(text)["Resources"].values():
                found.setdefault(resource["Type"], []).append(resource.get("Properties", {}))
    return found


def _places() -> Iterator[Any]:
    for name in NAMES:
        for place in land_of(readings()[name]).places:
            yield pytest.param(name, place, id=f"{name}-{place.label}")


def places() -> list[Any]:
    """Name of a deployment, and a member account of it."""
    return list(_places())


def ruled(name: str, place: Place) -> dict[str, Rule]:
    return {rule.identifier: rule for rule in rules(land_of(readings()[name]), place)}


# -- recording --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "place"), places())
def test_each_account_records_everything_into_one_bucket(name: str, place: Place) -> None:
    land = land_of(readings()[name])
    resources = template(name, f"rules-{place.label}")["Resources"]
    recorder, channel = resources["Recorder"], resources["Channel"]
    assert recorder["Properties"]["RecordingGroup"] == {"AllSupported": True, "IncludeGlobalResourceTypes": True}
    role = f":iam::{place.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    assert recorder["Properties"]["RoleARN"].endswith(role)
    bucket = template(name, "recordings")["Resources"]["RecordingsBucket"]["Properties"]["BucketName"]
    assert channel["Properties"]["S3BucketName"] == bucket == land.names.bucket("recordings", land.accounts["logging"])
    assert "DependsOn" not in recorder and "DependsOn" not in channel, "each waits for the other by itself"


def test_the_bucket_cannot_be_locked_and_keeps_its_objects_otherwise() -> None:
    """Config does not deliver under Object Lock; versions, the policy and the trail stand in for it."""
    resources = template("example", "recordings")["Resources"]
    bucket = resources["RecordingsBucket"]
    assert not {"ObjectLockEnabled", "ObjectLockConfiguration"} & set(bucket["Properties"])
    assert bucket["DeletionPolicy"] == resources["RecordingsKey"]["DeletionPolicy"] == "Retain"
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    (kept,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert kept["ExpirationInDays"] == 1097
    trail = template("example", "organization")["Resources"]["Trail"]["Properties"]
    assert bucket["Properties"]["BucketName"] in json.dumps(trail["AdvancedEventSelectors"])


def test_it_stands_before_anything_delivers() -> None:
    parts = [stack["part"] for stack in deployed("example").manifest["stacks"]]
    first = min(at for at, part in enumerate(parts) if part.startswith("rules-"))
    assert parts.index("logging") < parts.index("organization") < parts.index("recordings") < first


def test_where_no_member_account_is_nothing_is_recorded() -> None:
    parts = {stack["part"] for stack in deployed("management-only").manifest["stacks"]}
    assert not any(part == "recordings" or part.startswith("rules") for part in parts)
    carried = json.loads(deployed("management-only").files["rows.json"])["S05"]
    assert {one.partition("/")[0].rpartition("-")[2] for one in carried} == {"configuration"}


def allowed(action: str, key: str, **said: str) -> bool:
    """Whether the bucket's policy lets AWS Config do this."""
    policy = document(
        recordings.bucket_statements(
            bucket=BUCKET, accounts=MEMBERS, organization="o-exampleorg", partition="aws"
        )
    )  # fmt: skip
    context = {
        "aws:sourceaccount": MEMBERS[0], "aws:sourceorgid": "o-exampleorg", "aws:principalisawsservice": "true",
        "aws:securetransport": "true", "s3:x-amz-acl": "bucket-owner-full-control",
        **{name.replace("__", ":").lower(): value for name, value in said.items()},
    }  # fmt: skip
    request = Request(action=action, resource=f"arn:aws:s3:::{BUCKET}{key}", context=context)
    if denied_by([policy], request):
        return False
    return any(one["Effect"] == "Allow" and matches(one, request) for one in policy["Statement"])


OWN = f"/AWSLogs/{MEMBERS[0]}/Config/eu-west-1/2026/1/1/ConfigHistory/x.json.gz"


def test_config_delivers_for_each_account_below_its_own_number() -> None:
    assert allowed("s3:PutObject", OWN)
    assert allowed("s3:PutObject", f"/AWSLogs/{MEMBERS[0]}/Config/ConfigWritabilityCheckFile")
    assert allowed("s3:PutObject", OWN.replace("2222", "3333"), aws__SourceAccount=MEMBERS[1])
    assert allowed("s3:GetBucketAcl", "") and allowed("s3:ListBucket", "")


@pytest.mark.parametrize(
    ("action", "key", "said"),
    [
        ("s3:PutObject", OWN.replace("2222", "3333"), {}),
        ("s3:PutObject", "/AWSLogs/x", {}),
        ("s3:PutObject", OWN, {"aws__SourceAccount": MEMBERS[1]}),
        ("s3:PutObject", OWN, {"aws__SourceAccount": "999999999999"}),
        ("s3:PutObject", OWN, {"aws__SourceOrgID": "o-another"}),
        ("s3:PutObject", OWN, {"aws__PrincipalIsAWSService": "false"}),
        ("s3:PutObject", OWN, {"aws__SecureTransport": "false"}),
        ("s3:PutObject", OWN, {"s3__x-amz-acl": "public-read"}),
        ("s3:GetObject", OWN, {}),
        ("s3:DeleteObject", OWN, {}),
        ("s3:ListBucket", "", {"aws__SourceOrgID": "o-another"}),
        ("s3:GetBucketAcl", "", {"aws__SourceAccount": "999999999999"}),
    ],
    ids=str,
)
def test_and_does_nothing_else(action: str, key: str, said: dict[str, str]) -> None:
    assert not allowed(action, key, **said)


# -- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "place"), places())
def test_each_rule_stands_in_the_template_and_says_which_control_asks_for_it(name: str, place: Place) -> None:
    land = land_of(readings()[name])
    resources = template(name, f"rules-{place.label}")["Resources"]
    every = [one for one in resources.values() if one["Type"] == "AWS::Config::ConfigRule"]
    made = [one for one in every if one["Properties"]["Source"]["Owner"] == "AWS"]
    by_identifier = {one["Properties"]["Source"]["SourceIdentifier"]: one for one in made}
    wanted = ruled(name, place)
    assert set(by_identifier) == set(wanted) and len(made) == len(wanted)
    for identifier, one in by_identifier.items():
        properties = one["Properties"]
        assert properties["ConfigRuleName"].startswith(f"{land.names.prefix}-")
        assert properties.get("InputParameters", {}) == wanted[identifier].parameters
        assert one["DependsOn"] == ["Recorder"]
        assert all(control in properties["Description"] for control in wanted[identifier].controls)


def every_rule() -> dict[str, Rule]:
    return {id_: rule for param in places() for id_, rule in ruled(*param.values).items()}  # type: ignore[arg-type]


def test_aws_has_every_rule_and_the_catalogue_every_control() -> None:
    known = {
        getattr(config.ManagedRuleIdentifiers, name) for name in dir(config.ManagedRuleIdentifiers) if name.isupper()
    }
    assert set(every_rule()) <= known
    assert all(rule.controls and set(rule.controls) <= set(CATALOGUE) for rule in every_rule().values())
    assert len(every_rule()) >= 19


@pytest.mark.parametrize(("name", "place"), places())
def test_a_rule_stands_where_there_is_what_it_looks_at(name: str, place: Place) -> None:
    found = account(name, place.account)
    looks_at = {rule.looks_at for rule in ruled(name, place).values()}
    assert {what for what, type_ in LOOKED_AT.items() if type_ in found} == looks_at - {"account", "closed network"}
    closed = "AWS::EC2::VPC" in found and "AWS::EC2::InternetGateway" not in found
    assert ("closed network" in looks_at) is closed


@pytest.mark.parametrize(("name", "place"), places())
def test_what_is_deployed_complies(name: str, place: Place) -> None:
    """What each rule looks at, as the rule's page says it (Config developer guide, managed rules), in the templates."""
    found, wanted = account(name, place.account), ruled(name, place)
    for bucket in found.get("AWS::S3::Bucket", ()):
        (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert all(bucket["PublicAccessBlockConfiguration"].values())
    encrypted = [
        {policy["Bucket"] for policy in found.get("AWS::S3::BucketPolicy", ())
         if any(one["Sid"] == "EncryptedTransport" for one in policy["PolicyDocument"]["Statement"])}
    ]  # fmt: skip
    assert {bucket["BucketName"] for bucket in found.get("AWS::S3::Bucket", ())} == encrypted[0]
    assert all(key["EnableKeyRotation"] for key in found.get("AWS::KMS::Key", ()))
    least = int(wanted["CW_LOGGROUP_RETENTION_PERIOD_CHECK"].parameters["MinRetentionTime"])
    for group in found.get("AWS::Logs::LogGroup", ()):
        assert group["KmsKeyId"] and group["RetentionInDays"] >= least
    for policy in found.get("AWS::IAM::ManagedPolicy", ()):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Deny" or "*" not in statement.get("Action", "*"), statement
    assert not {"AWS::IAM::User", "AWS::IAM::AccessKey"} & set(found)
    recorded = {
        json.dumps(flow["ResourceId"]) for flow in found.get("AWS::EC2::FlowLog", ()) if flow["TrafficType"] == "ALL"
    }
    assert len(recorded) == len(found.get("AWS::EC2::VPC", ()))
    for group in found.get("AWS::EC2::SecurityGroupIngress", ()):
        assert "CidrIp" not in group and "CidrIpv6" not in group
    for group in found.get("AWS::EC2::SecurityGroup", ()):
        assert not any(rule.get("CidrIp") == "0.0.0.0/0" for rule in group.get("SecurityGroupIngress", ()))
    assert not any(subnet.get("MapPublicIpOnLaunch") for subnet in found.get("AWS::EC2::Subnet", ()))
    for policy in found.get("AWS::NetworkFirewall::FirewallPolicy", ()):
        (action,) = policy["FirewallPolicy"]["StatelessDefaultActions"]
        allowed_ = wanted["NETFW_POLICY_DEFAULT_ACTION_FULL_PACKETS"].parameters["statelessDefaultActions"]
        assert action in allowed_.split(",")
    assert all(function["VpcConfig"]["SubnetIds"] for function in found.get("AWS::Lambda::Function", ()))
    assert all(one["Principal"] != "*" for one in found.get("AWS::Lambda::Permission", ()))
    for table in found.get("AWS::DynamoDB::Table", ()):
        assert table["SSESpecification"]["SSEType"] == "KMS"
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert all(topic["KmsMasterKeyId"] for topic in found.get("AWS::SNS::Topic", ()))


@pytest.mark.parametrize("name", NAMES)
def test_the_trail_that_is_asked_for_is_the_organization_s(name: str) -> None:
    trail = template(name, "organization")["Resources"]["Trail"]["Properties"]
    for place in land_of(readings()[name]).places:
        assert ruled(name, place)["CLOUD_TRAIL_ENABLED"].parameters == {"s3BucketName": trail["S3BucketName"]}
    assert trail["EnableLogFileValidation"] is True and trail["KMSKeyId"]


# -- what is found is told --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "place"), places())
def test_a_finding_raises_an_alarm_at_the_topic(name: str, place: Place) -> None:
    resources = template(name, f"rules-{place.label}")["Resources"]
    counted, alarm = resources["Findings"]["Properties"], resources["FindingsAlarm"]["Properties"]
    assert counted["EventPattern"]["source"] == ["aws.config"]
    assert counted["EventPattern"]["detail"]["newEvaluationResult"] == {"complianceType": ["NON_COMPLIANT"]}
    assert alarm["Dimensions"] == [{"Name": "RuleName", "Value": counted["Name"]}]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Events", "MatchedEvents", "Sum")
    logging = template(name, "logging")["Resources"]
    (action,) = alarm["AlarmActions"]
    assert action.endswith(f":{logging['Alarms']['Properties']['TopicName']}")
    publishing = logging["AlarmsPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    encrypting = next(
        one for one in logging["LoggingKey"]["Properties"]["KeyPolicy"]["Statement"] if one["Sid"] == "AlarmsEncrypt"
    )
    for statement in (publishing, encrypting):
        assert place.account in statement["Condition"]["StringEquals"]["aws:SourceAccount"]


def test_where_the_firewall_shares_the_account_its_gateway_is_no_finding() -> None:
    member = dict.fromkeys(ZONES[1:], "222222222222")
    issuer = {"issuer": {"url": "https://idp.example.com", "audience": "x"}}
    land = land_of(reading(minimal(tier=1, aws=aws(**member), identity={**minimal()["identity"], **issuer})))
    (place,) = land.places
    found = {rule.identifier for rule in rules(land, place)}
    assert "NETFW_POLICY_DEFAULT_ACTION_FULL_PACKETS" in found
    assert "INTERNET_GATEWAY_AUTHORIZED_VPC_ONLY" not in found
