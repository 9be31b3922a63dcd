"""What AWS Config asks of an account's settings, event by event, against botocore's own shapes; and its stack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bedrock_account import Account
from caisson.assurance.controls import CATALOGUE
from caisson.deploy.handlers import checks, settings, source
from caisson.deploy.runtime_zone.enforcement import enforced
from caisson.deploy.watched_state.checks import own_rules
from deployments import land_of, readings, template

ACCOUNT = "222222222222"
LOG = {"LogGroup": "/caisson/x/invocations", "Role": f"arn:aws:iam::{ACCOUNT}:role/caisson/x/y", "Bucket": "a-bucket"}
GUARDRAIL = "arn:aws:bedrock:eu-west-1:111111111111:guardrail/gr1a2b3c4d5e"
PIN = {"Pin": f"{GUARDRAIL}:3"}
WHEN = "2026-11-27T12:00:00.000Z"


class Context:
    invoked_function_arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:caisson-x-checks"


def event(check: str, parameters: dict[str, str], **more: Any) -> dict[str, Any]:
    """As Config sends it (Config developer guide, evaluate-config_develop-rules_example-events)."""
    invoking = {
        "awsAccountId": ACCOUNT, "notificationCreationTime": WHEN, "messageType": "ScheduledNotification",
        "recordVersion": "1.0",
    }  # fmt: skip
    return {
        "version": "1.0", "invokingEvent": json.dumps({**invoking, **more.pop("invoking", {})}),
        "ruleParameters": json.dumps({"Check": check, **parameters}), "resultToken": "token", "eventLeftScope": False,
        "executionRoleArn": "arn:of:a:role", "configRuleArn": "arn:of:a:rule", "configRuleName": "rule",
        "configRuleId": "config-rule-1", "accountId": ACCOUNT, **more,
    }  # fmt: skip


def deployed_log() -> dict[str, Any]:
    """The invocation log as the function of the settings sets it."""
    account = Account()
    settings._invocation_log(account.client("bedrock"), LOG, {})
    assert account.log is not None
    return account.log


def guardrail(version: str = "3", **more: Any) -> dict[str, Any]:
    return {"guardrailArn": GUARDRAIL, "guardrailVersion": version, "owner": "ACCOUNT", **more}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    made = Account()
    made.log, made.mode, made.enforced = deployed_log(), "none", [[guardrail()]]
    monkeypatch.setattr(checks.boto3, "client", made.client)
    return made


def verdict(account: Account, sent: dict[str, Any]) -> tuple[str, str]:
    checks.handler(sent, Context())
    (evaluation,) = account.evaluations[-1]["Evaluations"]
    assert account.evaluations[-1]["ResultToken"] == "token"
    assert (evaluation["ComplianceResourceType"], evaluation["ComplianceResourceId"]) == ("AWS::::Account", ACCOUNT)
    return evaluation["ComplianceType"], evaluation.get("Annotation", "")


ASKED = [("InvocationLog", LOG), ("DataRetention", {}), ("EnforcedGuardrail", PIN)]


@pytest.mark.parametrize(("check", "asked"), ASKED, ids=str)
def test_what_was_deployed_complies_and_nothing_is_changed(account: Account, check: str, asked: dict[str, str]) -> None:
    assert verdict(account, event(check, asked)) == ("COMPLIANT", "")
    assert verdict(account, event(check, asked)) == ("COMPLIANT", ""), "an event that comes twice"
    assert not [call for call in account.calls if not call.startswith(("Get", "List", "PutEvaluations"))]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (None, "The invocation log is off"),
        ({"cloudWatchConfig": {"logGroupName": "/theirs"}}, "another log group"),
        ({"cloudWatchConfig": {**deployed_log()["cloudWatchConfig"], "roleArn": "arn:of:theirs"}}, "another role"),
        ({"s3Config": {"bucketName": "theirs"}}, "another bucket"),
        ({"s3Config": {}}, "another bucket"),
        (
            {"cloudWatchConfig": {**deployed_log()["cloudWatchConfig"],
                                  "largeDataDeliveryS3Config": {"bucketName": "theirs"}}},
            "another bucket of large data",
        ),
        ({"textDataDeliveryEnabled": False}, "leaves out text"),
        ({"videoDataDeliveryEnabled": False, "audioDataDeliveryEnabled": False}, "leaves out video, audio"),
    ],
    ids=str,
)  # fmt: skip
def test_another_invocation_log_is_a_finding(account: Account, change: Any, said: str) -> None:
    account.log = None if change is None else {**deployed_log(), **change}
    type_, annotation = verdict(account, event("InvocationLog", LOG))
    assert type_ == "NON_COMPLIANT" and said in annotation
    assert "theirs" not in annotation


@pytest.mark.parametrize("mode", ["default", "inherit", "provider_data_share", "newer"])
def test_any_retention_is_a_finding(account: Account, mode: str) -> None:
    account.mode = mode
    assert verdict(account, event("DataRetention", {})) == ("NON_COMPLIANT", "Bedrock may keep prompts")


@pytest.mark.parametrize(
    "pages",
    [
        [[]],
        [[guardrail("4")]],
        [[guardrail(guardrailArn=GUARDRAIL.replace("gr1", "gr2"))]],
        [[guardrail()], [guardrail("4")]],
        [[guardrail(owner="ORGANIZATION")]],
    ],
    ids=str,
)
def test_another_guardrail_than_the_pinned_is_a_finding(account: Account, pages: list[list[dict[str, Any]]]) -> None:
    account.enforced = pages
    assert verdict(account, event("EnforcedGuardrail", PIN))[0] == "NON_COMPLIANT"


def test_the_pinned_one_is_found_on_a_later_page(account: Account) -> None:
    account.enforced = [[], [guardrail()]]
    assert verdict(account, event("EnforcedGuardrail", PIN))[0] == "COMPLIANT"


def test_pages_without_end_are_no_verdict(account: Account) -> None:
    account.enforced = [[guardrail()]] * (checks.PAGES_MAX + 1)
    with pytest.raises(checks.RefusedError, match="pages"):
        checks.handler(event("EnforcedGuardrail", PIN), Context())
    assert account.evaluations == []


@pytest.mark.parametrize(
    ("check", "asked", "operation"),
    [
        ("InvocationLog", LOG, "GetModelInvocationLoggingConfiguration"),
        ("DataRetention", {}, "GetAccountDataRetention"),
        ("EnforcedGuardrail", PIN, "ListEnforcedGuardrailsConfiguration"),
    ],
)
@pytest.mark.parametrize("fault", ["AccessDeniedException", EndpointConnectionError(endpoint_url="https://x")], ids=str)
def test_what_cannot_be_seen_is_no_verdict(
    account: Account, check: str, asked: dict[str, str], operation: str, fault: Any
) -> None:
    """The function fails, and the alarm over its errors says so."""
    account.faults[operation].extend([fault] * checks.ATTEMPTS)
    with pytest.raises((ClientError, BotoCoreError)):
        checks.handler(event(check, asked), Context())
    assert account.evaluations == []


def test_a_try_that_fails_is_tried_again(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    account.faults["GetAccountDataRetention"].append("ThrottlingException")
    assert verdict(account, event("DataRetention", {}))[0] == "COMPLIANT"


def test_an_evaluation_that_config_does_not_take_fails(account: Account) -> None:
    account.failed = [{"ComplianceResourceType": "AWS::::Account", "ComplianceResourceId": ACCOUNT,
                       "ComplianceType": "COMPLIANT", "OrderingTimestamp": 0}]  # fmt: skip
    with pytest.raises(checks.RefusedError, match="failed"):
        checks.handler(event("DataRetention", {}), Context())


@pytest.mark.parametrize(
    "sent",
    [
        event("DataRetention", {}, invoking={"messageType": "ConfigurationItemChangeNotification"}),
        event("DataRetention", {}, invoking={"messageType": "OversizedConfigurationItemChangeNotification"}),
        event("DataRetention", {}, invoking={"awsAccountId": "333333333333"}),
        event("DataRetention", {}, invoking={"notificationCreationTime": None}),
        event("DataRetention", {}, invoking={"more": "x" * checks.EVENT_CHARACTERS_MAX}),
        event("DataRetention", {}, accountId="333333333333"),
        event("DataRetention", {}, resultToken=None),
        event("DataRetention", {}, ruleParameters="[]"),
        event("DataRetention", {}, ruleParameters="{"),
        event("DataRetention", {}, ruleParameters=None),
        event("DataRetention", {"More": "x"}),
        event("InvocationLog", {**LOG, "Role": ""}),
        event("InvocationLog", {"Role": "x"}),
        event("EnforcedGuardrail", {}),
        event("Something", {}),
    ],
    ids=range(15),
)
def test_an_event_that_is_none_of_ours_is_refused_before_anything_is_asked(
    account: Account, sent: dict[str, Any]
) -> None:
    with pytest.raises(checks.RefusedError, match=r"^expected"):
        checks.handler(sent, Context())
    assert account.calls == []


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["invokingEvent", "ruleParameters", "accountId", "resultToken"]), st.text()))
def test_whatever_comes_is_refused_with_a_reason(changes: dict[str, str]) -> None:
    sent = {**event("Something", {}), **changes}
    with pytest.raises(checks.RefusedError, match=r"^expected"):
        checks.handler(sent, Context())


def test_an_annotation_is_as_long_as_config_takes(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checks.CHECKS, "DataRetention", (lambda *_: "x" * 1000, ()))
    assert len(verdict(account, event("DataRetention", {}))[1]) == 256


# -- the stacks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["example", "one-account", "three-accounts", "every-key"])
def test_each_account_that_invokes_asks_what_its_function_knows(name: str) -> None:
    land = land_of(readings()[name])
    for place in land.places:
        rules = template(name, f"rules-{place.label}")["Resources"]
        made = [one["Properties"] for one in rules.values() if one["Type"] == "AWS::Config::ConfigRule"]
        own = [one for one in made if one["Source"]["Owner"] != "AWS"]
        wanted = {"InvocationLog", "DataRetention"} if place.invokes else set()
        if place in enforced(land):
            wanted |= {"EnforcedGuardrail"}
        assert {one["InputParameters"]["Check"] for one in own} == wanted
        for one in own:
            settings_ = template(name, f"settings-{place.label}")["Resources"]
            check, parameters = one["InputParameters"]["Check"], set(one["InputParameters"])
            assert parameters == {"Check", *checks.CHECKS[check][1]}
            function = settings_["Checks"]["Properties"]
            assert one["Source"]["SourceIdentifier"].endswith(f":{place.account}:function:{function['FunctionName']}")
            assert one["Source"]["SourceDetails"][0]["MessageType"] == checks.SCHEDULED
            if check == "InvocationLog":
                log = settings_["InvocationLog"]["Properties"]
                assert (one["InputParameters"]["LogGroup"], one["InputParameters"]["Bucket"]) == (
                    log["LogGroup"], log["Bucket"],
                )  # fmt: skip
                role = settings_["DeliveryRole"]["Properties"]
                assert one["InputParameters"]["Role"].endswith(f":{place.account}:role{role['Path']}{role['RoleName']}")
            if check == "EnforcedGuardrail":
                enforcement = template(name, f"enforcement-{place.label}")
                (pin,) = enforcement["Parameters"]
                assert one["InputParameters"]["Pin"] == {"Ref": pin}
        assert all(set(rule.controls) <= set(CATALOGUE) for rule in own_rules(land, place))


def test_the_function_is_its_file_and_config_alone_calls_it() -> None:
    resources = template("example", "settings-runtime")["Resources"]
    assert resources["Checks"]["Properties"]["Code"]["ZipFile"] == source("checks")
    permissions = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Lambda::Permission"]
    (asked,) = permissions
    assert asked["Principal"] == "config.amazonaws.com"
    assert asked["SourceAccount"] == ACCOUNT and asked["Action"] == "lambda:InvokeFunction"
    tries = 2 * checks.ATTEMPTS * (checks.CONNECT_S + checks.READ_S)
    assert tries < resources["Checks"]["Properties"]["Timeout"]


def test_when_it_cannot_look_an_alarm_says_so() -> None:
    resources = template("example", "settings-runtime")["Resources"]
    alarm = resources["ChecksFailedAlarm"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": resources["Checks"]["Properties"]["FunctionName"]}]
