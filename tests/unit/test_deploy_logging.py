"""The logging account: retention by class, one reader, one writer, and signals on what the gateway really says."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from caisson.channels.messages import AnyMessage, HeadEvent, KeyEvent, RequestEvent, ResponseEvent, to_dict
from caisson.channels.retention import DAYS
from caisson.channels.table import CHANNELS
from caisson.deploy.channel_queue import EVENTS, ends
from caisson.deploy.logging_zone.events import rows_of
from caisson.deploy.logging_zone.watching import REGEX_CHARACTERS_MAX
from caisson.deploy.policies.guardrail import CREDENTIAL_RULES
from caisson.deploy.policies.signals import SIGNALS, Signal
from caisson.deploy.retention import kept, stores
from caisson.detect.rules.credentials import CREDENTIALS
from deployments import deployed, land_of, readings, template
from policy_evaluator import Request, denied_by, matches

MESSAGES = (*get_args(AnyMessage), HeadEvent, KeyEvent)
LOG_DAYS = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
"""CloudWatch Logs API reference, PutRetentionPolicy."""
ZONE_ROLE = "arn:aws:iam::555555555555:role/caisson/claims-eu/caisson-claims-eu-logging"
GATEWAY = "arn:aws:iam::222222222222:role/caisson/claims-eu/caisson-claims-eu-gateway"
QUEUE = "arn:aws:sqs:eu-west-1:555555555555:caisson-claims-eu-events"


@cache
def resources() -> dict[str, dict[str, Any]]:
    return dict(template("example", "logging")["Resources"])


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: found["Properties"] for name, found in resources().items() if found["Type"] == kind}


def test_a_class_has_a_store_when_a_message_belongs_to_it() -> None:
    assert {class_.name for class_ in kept()} == {message.retention for message in MESSAGES}
    assert {message.retention for message in MESSAGES} <= set(DAYS)
    assert set(stores()) == {"trail", *(f"archive-{message.retention}" for message in MESSAGES)}


def test_retention_is_what_log_08_asks_for() -> None:
    assert DAYS["text"] == 90
    assert {DAYS[name] for name in ("metadata", "guardrail", "judge", "chain")} == {365}
    assert DAYS["injection"] >= 2 * 365
    assert {DAYS[name] for name in ("access", "aggregate")} == {1096}
    assert set(DAYS.values()) <= LOG_DAYS


def test_each_class_is_locked_and_expires_at_its_time() -> None:
    buckets = of_type("AWS::S3::Bucket")
    assert len(buckets) == len(stores())
    for what, days in stores().items():
        (bucket,) = [
            found for found in buckets.values() if found["BucketName"] == f"caisson-claims-eu-{what}-555555555555"
        ]
        lock = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        assert (lock["Mode"], lock["Days"]) == ("COMPLIANCE", days)
        assert rule["ExpirationInDays"] == days + 1, "nothing expires while it is locked"
        assert all(move["TransitionInDays"] < rule["ExpirationInDays"] for move in rule.get("Transitions", ()))
        assert all(bucket["PublicAccessBlockConfiguration"].values())
    groups = of_type("AWS::Logs::LogGroup")
    assert {group["LogGroupName"]: group["RetentionInDays"] for group in groups.values()} == {
        f"/caisson/claims-eu/{class_.name}": class_.days for class_ in kept()
    }
    for group in groups.values():
        assert group["DeletionProtectionEnabled"] is True
        audit, mask = group["DataProtectionPolicy"]["Statement"]
        assert audit["DataIdentifier"] == mask["DataIdentifier"]
        assert "Deidentify" in mask["Operation"]


def test_trail_archive_and_what_is_under_way_have_keys_of_their_own() -> None:
    def key(bucket: str) -> str:
        (rule,) = of_type("AWS::S3::Bucket")[bucket]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        return str(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]["Fn::GetAtt"][0])

    assert key("TrailBucket") == "TrailKey"
    assert {key(name) for name in of_type("AWS::S3::Bucket") if name != "TrailBucket"} == {"ArchiveKey"}
    assert {queue["KmsMasterKeyId"]["Ref"] for queue in of_type("AWS::SQS::Queue").values()} == {"LoggingKey"}
    assert {group["KmsKeyId"]["Fn::GetAtt"][0] for group in of_type("AWS::Logs::LogGroup").values()} == {"LoggingKey"}
    for found in of_type("AWS::KMS::Key").values():
        assert found["EnableKeyRotation"] is True


def test_who_manages_a_key_does_not_use_it() -> None:
    using = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"}
    for found in of_type("AWS::KMS::Key").values():
        by_sid = {statement["Sid"]: statement for statement in found["KeyPolicy"]["Statement"]}
        assert not using & set(by_sid["Administration"]["Action"])
        for sid, statement in by_sid.items():
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert sid == "Administration" or set(actions) <= using | {"kms:DescribeKey"}, sid
            assert statement["Condition"], sid


def test_zones_of_the_channel_table_write_and_one_reads() -> None:
    assert set(ends(land_of(readings()["example"]), EVENTS).writers) == {
        str(number) * 6 + str(number) * 6 for number in (1, 2, 3, 4, 5)
    }
    assert len(CHANNELS["events"].writers) == 6
    policy = of_type("AWS::SQS::QueuePolicy")["EventsPolicy"]["PolicyDocument"]
    by_sid = {statement["Sid"]: statement for statement in policy["Statement"]}
    assert by_sid["ZonesSend"]["Principal"]["AWS"] == [f"arn:aws:iam::{str(n) * 12}:root" for n in (2, 3, 4, 1, 5)]
    for principal, sends in ((GATEWAY, True), (ZONE_ROLE, True), (GATEWAY.replace("/claims-eu/", "/other/"), False),
                             ("arn:aws:iam::222222222222:role/anything", False)):  # fmt: skip
        request = Request(action="sqs:SendMessage", resource=QUEUE, context={"aws:principalarn": principal})
        assert matches(by_sid["ZonesSend"], request) is sends
        for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue"):
            reading = Request(action=action, resource=QUEUE, context={"aws:principalarn": principal})
            assert denied_by([policy], reading) == (set() if principal == ZONE_ROLE else {"OneReader"})


def test_the_archive_has_one_writer_and_loses_nothing() -> None:
    policies = of_type("AWS::S3::BucketPolicy")
    assert len(policies) == len(stores())
    for name, found in policies.items():
        document, object_ = found["PolicyDocument"], f"arn:aws:s3:::{found['Bucket']}/text/x"

        def denied(action: str, principal: str, document: Any = document, object_: str = object_) -> set[str]:
            context = {"aws:principalarn": principal, "aws:securetransport": "true"}
            return denied_by([document], Request(action=action, resource=object_, context=context))

        for principal in (ZONE_ROLE, GATEWAY):
            assert "NothingDeleted" in denied("s3:DeleteObjectVersion", principal)
            assert "NothingDeleted" in denied("s3:BypassGovernanceRetention", principal)
        if name != "TrailBucketPolicy":
            assert denied("s3:PutObject", GATEWAY) == {"OneWriter", "NothingReplaced"}
        plain = Request(action="s3:GetObject", resource=object_, context={"aws:securetransport": "false"})
        assert "EncryptedTransport" in denied_by([document], plain)


def test_not_even_its_writer_hides_or_replaces_an_object_of_the_archive() -> None:
    policies = {name: found for name, found in of_type("AWS::S3::BucketPolicy").items() if name != "TrailBucketPolicy"}
    assert policies
    for found in policies.values():
        document, object_ = found["PolicyDocument"], f"arn:aws:s3:::{found['Bucket']}/text/x"
        writer = {"aws:principalarn": ZONE_ROLE, "aws:securetransport": "true"}
        new = Request(action="s3:PutObject", resource=object_, context=writer | {"s3:if-none-match": "*"})
        assert denied_by([document], new) == set()
        over = Request(action="s3:PutObject", resource=object_, context=writer)
        assert denied_by([document], over) == {"NothingReplaced"}
        marker = Request(action="s3:DeleteObject", resource=object_, context=writer)
        assert denied_by([document], marker) == {"NothingHidden"}
        shorter = Request(action="s3:PutObjectRetention", resource=object_, context=writer)
        assert denied_by([document], shorter) == {"NothingDeleted"}


def test_what_cannot_be_read_is_set_aside_with_an_alarm() -> None:
    redrive = of_type("AWS::SQS::Queue")["Events"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["EventsAside", "Arn"]}
    alarm = of_type("AWS::CloudWatch::Alarm")["EventsSetAsideAlarm"]
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": of_type("AWS::SQS::Queue")["EventsAside"]["QueueName"]}
    ]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


COMPARISON = re.compile(r'\$\.(\w+) (=|>) (?:"([^"]*)"|(\d+))')


def read_as_filter(pattern: str, message: dict[str, Any]) -> bool:
    """CloudWatch's JSON filter, as much as our patterns use of it."""
    assert pattern.startswith("{ ")
    assert pattern.endswith(" }")
    for term in pattern[2:-2].split(" && "):
        found = COMPARISON.fullmatch(term)
        assert found, term
        field, operator, text, number = found.groups()
        value = message.get(field)
        if operator == ">" and not (isinstance(value, int | float) and value > float(number)):
            return False
        if operator == "=" and not re.fullmatch(re.escape(text).replace(r"\*", ".*"), str(value)):
            return False
    return True


def kind(message: type[msgspec.Struct]) -> str:
    return str(message.__struct_config__.tag)


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.metric)
def test_a_signal_reads_fields_that_a_message_of_its_class_has(signal: Signal) -> None:
    named = re.search(r'\$\.kind = "([^"]+)"', signal.pattern)
    assert named
    (message,) = [found for found in MESSAGES if kind(found) == named[1]]
    assert message.retention == signal.class_
    fields = set(re.findall(r"\$\.(\w+)", signal.pattern + signal.value)) - {"kind"}
    assert fields <= set(message.__struct_fields__)
    filters = of_type("AWS::Logs::MetricFilter")[f"{signal.metric}Filter"]
    assert filters["FilterPattern"] == signal.pattern
    assert filters["LogGroupName"] == {"Ref": f"{signal.class_.capitalize()}Log"}
    (counted,) = filters["MetricTransformations"]
    assert (counted["MetricName"], counted["MetricValue"]) == (signal.metric, signal.value)


def response(**changes: Any) -> dict[str, Any]:
    event = ResponseEvent(
        timestamp=0.0, request_id="r", user_identity="u", service_identity="s", session_id="x", model_id="m",
        system_prompt_hash="", risk_tier=1, operation="Converse", configuration_version=1, outcome="answered",
    )  # fmt: skip
    return to_dict(msgspec.structs.replace(event, **changes))


def request() -> dict[str, Any]:
    event = RequestEvent(
        timestamp=0.0, request_id="r", user_identity="u", service_identity="s", session_id="x", model_id="m",
        system_prompt_hash="", risk_tier=1, operation="Converse", configuration_version=1, deadline=1.0,
    )  # fmt: skip
    return to_dict(event)


@pytest.mark.parametrize(
    ("message", "metrics"),
    [
        (request(), set()),
        (response(), {"Requests"}),
        (response(latency_ms=3.5, output_tokens=7, cost_usd=0.1), {"Requests", "Latency", "OutputTokens", "Cost"}),
        (response(cost_usd=None), {"Requests"}),
        (response(outcome="blocked", rule="injection.override"), {"Requests", "Blocked", "Injections"}),
        (response(outcome="blocked", rule="words.project-falcon"), {"Requests", "Blocked"}),
        (response(outcome="lost"), {"Requests", "Lost"}),
        (response(rationale="injection.override"), {"Requests"}),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, set) else "",
)
def test_what_each_message_counts_as(message: dict[str, Any], metrics: set[str]) -> None:
    assert {signal.metric for signal in SIGNALS if read_as_filter(signal.pattern, message)} == metrics


def test_every_signal_alarms_and_says_what_to_do() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    for signal in SIGNALS:
        alarm = alarms[f"{signal.metric}Alarm"]
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}]
        assert alarm["AlarmDescription"] == signal.meaning
        assert ": " in signal.meaning
        if signal.alarm == "band":
            expressions = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
            assert expressions == ["ANOMALY_DETECTION_BAND(m1, 2)"]
            assert alarm["ThresholdMetricId"] == "band"
            assert "S33" in rows_of(signal)
        else:
            assert (alarm["Threshold"], alarm["MetricName"]) == (0, signal.metric)


def test_every_alarm_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/deploy.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([A-Z]\w+)` \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE))
    made = deployed("example")
    stacks = [json.loads(made.files[stack["template"]]) for stack in made.manifest["stacks"]]
    alarms = {
        name.removesuffix("Alarm"): found["Properties"]["AlarmDescription"]
        for stack in stacks
        for name, found in stack["Resources"].items()
        if found["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert {name: said for name, said in alarms.items() if not name.endswith("Delivery")} == rows
    assert len(alarms) - len(rows) == 3  # of deliveries: told together


def test_macie_looks_for_what_the_gateway_finds() -> None:
    rules = {rule.id: rule.pattern for rule in CREDENTIALS}
    identifiers = of_type("AWS::Macie::CustomDataIdentifier")
    assert len(identifiers) == len(CREDENTIAL_RULES)
    for name in CREDENTIAL_RULES:
        pattern = rules[f"credentials.{name}"]
        assert pattern in [found["Regex"] for found in identifiers.values()]
        assert len(pattern) <= REGEX_CHARACTERS_MAX
        unsupported = re.search(r"\((?!\?:)|\(\?[=!<imsx]|\\[1-9]", pattern)
        assert unsupported is None, "Macie user guide, cdis-options: no groups that capture, no look-around, no flags"


def test_guardduty_watches_every_member_account() -> None:
    found = deployed("example")
    accounts = {stack["account"] for stack in found.manifest["stacks"] if "watching" in stack["name"]}
    assert accounts == {place.account for place in land_of(readings()["example"]).places}
    for path, text in found.files.items():
        if "watching" in Path(path).stem and path.startswith("templates/"):
            (detector,) = json.loads(text)["Resources"].values()
            assert {"Name": "AI_PROTECTION", "Status": "ENABLED"} in detector["Properties"]["Features"]
