"""The function that sets the invocation log and data retention, event by event, against botocore's own shapes."""

from __future__ import annotations

import ast
import json
import signal
import sys
import urllib.error
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bedrock_account import Account
from caisson.deploy.handlers import settings, source

HOST = "cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com"
URL = f"https://{HOST}/arn%3Aaws%3Acloudformation?X-Amz-Signature=secret-of-the-address"
LOG, RETENTION = "Custom::InvocationLog", "Custom::DataRetention"
OURS = {
    "LogGroup": "/caisson/x/invocations",
    "Role": "arn:aws:iam::222222222222:role/caisson/x/y",
    "Bucket": "a-bucket",
}
GET = "GetModelInvocationLoggingConfiguration"
PUT = "PutModelInvocationLoggingConfiguration"
FOREIGN = {
    "cloudWatchConfig": {"logGroupName": "/theirs", "roleArn": "arn:aws:iam::222222222222:role/theirs"},
    "s3Config": {"bucketName": "their-bucket", "keyPrefix": ""},
    "textDataDeliveryEnabled": True,
}


class Context:
    def __init__(self, left_ms: int = 150_000) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


class World:
    """CloudFormation's side, and the account's."""

    def __init__(self) -> None:
        self.account = Account()
        self.answers: list[dict[str, Any]] = []
        self.requests: list[Any] = []
        self.refuses: deque[Exception] = deque()
        self.waited: list[float] = []

    def urlopen(self, request: Any, timeout: float) -> Any:
        self.requests.append(request)
        if self.refuses:
            raise self.refuses.popleft()
        self.answers.append(json.loads(request.data))
        return open("/dev/null", "rb")

    def send(self, request: str, kind: str = LOG, left_ms: int = 150_000, **more: Any) -> dict[str, Any]:
        event = {
            "RequestType": request, "ResourceType": kind, "ResponseURL": URL, "StackId": "stack", "RequestId": "one",
            "LogicalResourceId": "Log", "ServiceToken": "x",
            "ResourceProperties": {"ServiceToken": "x", **(OURS if kind == LOG else {})}, **more,
        }  # fmt: skip
        settings.handler(event, Context(left_ms))
        return self.answers[-1]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(settings.boto3, "client", made.account.client)
    monkeypatch.setattr(settings.urllib.request, "urlopen", made.urlopen)
    monkeypatch.setattr(settings.time, "sleep", made.waited.append)
    return made


def wanted(**changes: str) -> dict[str, Any]:
    asked = {**OURS, **changes}
    return {
        "cloudWatchConfig": {
            "logGroupName": asked["LogGroup"], "roleArn": asked["Role"],
            "largeDataDeliveryS3Config": {"bucketName": asked["Bucket"], "keyPrefix": "large"},
        },
        "s3Config": {"bucketName": asked["Bucket"], "keyPrefix": "whole"},
        "textDataDeliveryEnabled": True, "imageDataDeliveryEnabled": True, "embeddingDataDeliveryEnabled": True,
        "videoDataDeliveryEnabled": True, "audioDataDeliveryEnabled": True,
    }  # fmt: skip


class TestInvocationLog:
    def test_creation_logs_every_kind_of_data_whole(self, world: World) -> None:
        answer = world.send("Create")
        assert answer == {
            "Status": "SUCCESS", "Reason": "set", "PhysicalResourceId": "InvocationLog", "NoEcho": True,
            "StackId": "stack", "RequestId": "one", "LogicalResourceId": "Log",
        }  # fmt: skip
        assert world.account.log == wanted() and world.account.calls == [GET, PUT, GET]

    def test_every_kind_that_the_service_model_knows_is_logged(self) -> None:
        import botocore.session

        shape = botocore.session.get_session().get_service_model("bedrock").operation_model(PUT).input_shape
        assert set(wanted()) == set(shape.members["loggingConfig"].members)

    def test_the_same_event_again_changes_nothing(self, world: World) -> None:
        assert world.send("Create")["PhysicalResourceId"] == world.send("Create")["PhysicalResourceId"]
        assert world.account.changes == [PUT] and world.answers[-1]["Reason"] == "was set"

    def test_an_update_moves_its_own_log_and_a_rollback_moves_it_back(self, world: World) -> None:
        world.send("Create")
        new = {"LogGroup": "/caisson/x/other", "Bucket": "other-bucket"}
        kept = {"PhysicalResourceId": "InvocationLog"}
        for now, before in ((new, {}), ({}, new)):
            answer = world.send(
                "Update", ResourceProperties={**OURS, **now}, OldResourceProperties={**OURS, **before}, **kept
            )
            assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "InvocationLog")
            assert world.account.log == wanted(**now)

    def test_a_rollback_of_an_update_that_did_nothing(self, world: World) -> None:
        world.send("Create")
        new = {**OURS, "LogGroup": "/caisson/x/other"}
        assert world.send("Update", OldResourceProperties=new)["Status"] == "SUCCESS"
        assert world.account.log == wanted() and world.account.changes == [PUT]

    @pytest.mark.parametrize("physical", [None, "InvocationLog", "unknown-to-the-function"])
    def test_deletion_leaves_the_log_on(self, world: World, physical: str | None) -> None:
        """Also after a creation that failed, when CloudFormation gives an id of its own."""
        world.send("Create")
        world.account.calls.clear()
        answer = world.send("Delete", **({} if physical is None else {"PhysicalResourceId": physical}))
        assert (answer["Status"], answer["Reason"]) == ("SUCCESS", "left as it is")
        assert answer["PhysicalResourceId"] == (physical or "InvocationLog")
        assert world.account.log == wanted() and world.account.calls == []

    @pytest.mark.parametrize("request_", ["Create", "Update"])
    @pytest.mark.parametrize("log", [FOREIGN, {"s3Config": {"bucketName": "their-bucket"}}])
    def test_the_log_of_others_is_not_overwritten(self, world: World, request_: str, log: Any) -> None:
        world.account.log = log
        answer = world.send(request_, OldResourceProperties=OURS)
        assert answer["Status"] == "FAILED" and "'their-bucket'" in answer["Reason"]
        assert world.account.log == log and world.account.changes == []
        assert world.send("Delete", PhysicalResourceId=answer["PhysicalResourceId"])["Status"] == "SUCCESS"
        assert world.account.log == log

    @pytest.mark.parametrize("missing", ["textDataDeliveryEnabled", "s3Config"])
    def test_its_own_log_that_somebody_weakened_is_set_again(self, world: World, missing: str) -> None:
        world.account.log = {key: value for key, value in wanted().items() if key != missing}
        assert world.send("Update", OldResourceProperties=OURS)["Reason"] == "set"
        assert world.account.log == wanted()

    def test_a_log_that_was_switched_off_is_set_again(self, world: World) -> None:
        assert world.send("Update", OldResourceProperties=OURS)["Reason"] == "set" and world.account.log == wanted()

    def test_what_aws_adds_is_not_against_it(self, world: World) -> None:
        world.account.log = {**wanted(), "s3Config": {**wanted()["s3Config"]}}
        assert settings._has({**wanted(), "smellDataDeliveryEnabled": False}, wanted())
        assert not settings._has({**wanted(), "audioDataDeliveryEnabled": False}, wanted())

    @pytest.mark.parametrize("asked", [{}, {**OURS, "Role": ""}, {**OURS, "Bucket": ["x"]}, {"LogGroup": "x"}])
    def test_properties_that_lack_something(self, world: World, asked: Any) -> None:
        answer = world.send("Create", ResourceProperties=asked)
        assert (answer["Status"], answer["Reason"]) == ("FAILED", "expected Bucket, LogGroup, Role")
        assert world.account.calls == []


class TestFailures:
    @pytest.mark.parametrize("code", settings.PASSES)
    @pytest.mark.parametrize("operation", [GET, PUT])
    def test_what_passes_is_waited_for(self, world: World, operation: str, code: str) -> None:
        """A role that was just made is refused at first."""
        world.account.faults[operation].extend([code] * (settings.TRIES - 2))
        assert world.send("Create")["Status"] == "SUCCESS" and world.account.log == wanted()
        assert world.waited == [settings.WAIT_S] * (settings.TRIES - 2)

    @pytest.mark.parametrize("code", settings.PASSES)
    def test_what_does_not_pass_fails(self, world: World, code: str) -> None:
        world.account.faults[GET].extend([code] * settings.TRIES)
        answer = world.send("Create")
        assert (answer["Status"], answer["Reason"]) == ("FAILED", f"{GET[:3]}{GET[3:]}: {code}")
        assert len(world.account.calls) == settings.TRIES

    def test_another_error_fails_at_once(self, world: World) -> None:
        world.account.faults[PUT].append("ServiceQuotaExceededException")
        assert world.send("Create")["Status"] == "FAILED" and world.account.calls == [GET, PUT]

    def test_no_connection(self, world: World) -> None:
        world.account.faults[GET].append(settings.BotoCoreError())
        answer = world.send("Create")
        assert answer["Status"] == "FAILED" and answer["Reason"].startswith("Bedrock could not be called")

    def test_a_setting_that_does_not_stay(self, world: World) -> None:
        world.account.forgets = True
        answer = world.send("Create")
        assert answer["Status"] == "FAILED" and "expected the setting to stay" in answer["Reason"]

    def test_the_answer_comes_before_time_is_up(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever holds the call, also what catches every exception."""
        monkeypatch.setattr(settings.time, "sleep", lambda _: signal.pause())
        world.account.faults[GET].append("ThrottlingException")
        answer = world.send("Create", left_ms=settings.MARGIN_S * 1000 + 1_000)
        assert (answer["Status"], answer["Reason"]) == ("FAILED", "expected an answer of Bedrock in time, found none")
        assert signal.alarm(0) == 0

    def test_an_alarm_in_the_midst_of_a_call(self, world: World) -> None:
        world.account.faults[PUT].append(settings.LateError())
        assert world.send("Create")["Status"] == "FAILED"

    def test_every_wait_and_the_answer_fit_into_the_margin(self) -> None:
        assert settings.ANSWERS * settings.ANSWER_S < settings.MARGIN_S

    @pytest.mark.parametrize(
        ("request_", "kind"), [("Create", "Custom::Other"), ("Read", LOG), ("", LOG), ("Create", "AWS::S3::Bucket")]
    )
    def test_what_it_does_not_know(self, world: World, request_: str, kind: str) -> None:
        answer = world.send(request_, kind)
        assert answer["Status"] == "FAILED" and world.account.calls == []

    @pytest.mark.parametrize("broken", [{"ResourceProperties": None}, {"ResourceProperties": "x"}])
    def test_events_that_are_broken_get_an_answer(self, world: World, broken: Any) -> None:
        assert world.send("Create", **broken)["Status"] == "FAILED"

    def test_an_answer_that_is_not_taken_is_sent_again(self, world: World) -> None:
        world.refuses.extend([urllib.error.URLError("x"), TimeoutError()])
        assert world.send("Create")["Status"] == "SUCCESS"
        assert len(world.requests) == settings.ANSWERS
        assert {request.get_method() for request in world.requests} == {"PUT"}
        assert world.requests[0].get_header("Content-type") == ""  # S3 signed it so

    def test_no_answer_is_taken(self, world: World) -> None:
        world.refuses.extend(urllib.error.HTTPError(URL, 403, "no", {}, None) for _ in range(settings.ANSWERS))  # type: ignore[arg-type]
        with pytest.raises(OSError, match=r"HTTPError$") as refused:
            world.send("Create")
        assert "secret" not in str(refused.value) and refused.value.__suppress_context__


class TestSecrets:
    @pytest.mark.parametrize(
        "url",
        [
            URL.replace("https", "http"),
            URL.replace("https", "file"),
            URL.replace(HOST, "example.com"),
            URL.replace(HOST, f"{HOST}.example.com"),
            URL.replace(HOST, f"example.com@{HOST}"),
            URL.replace(HOST, f"{HOST}@example.com"),
            URL.replace(HOST, f"{HOST}:8443"),
            URL.replace(HOST, HOST.replace("eu-west-1", "us-east-1")),
            URL.replace(HOST, HOST.replace("cloudformation-custom", "evil-custom")),
            URL.replace(HOST, HOST.replace("euwest1", "euwest1evil")),
            URL.replace(HOST, HOST.replace("response-euwest1", "response-useast1")),
            URL.replace(HOST, HOST.replace(".s3.", ".execute-api.")),
            URL.replace(HOST, HOST.upper()),
            "",
        ],
    )
    def test_only_cloudformation_is_answered_and_nothing_is_done_for_others(self, world: World, url: str) -> None:
        with pytest.raises(ValueError, match="expected the address") as refused:
            world.send("Create", ResponseURL=url)
        assert not (world.account.calls or world.requests) and "secret" not in str(refused.value)

    @pytest.mark.parametrize("dots", [".s3.eu-west-1.", ".s3-eu-west-1.", ".s3."])
    def test_cloudformation_s_addresses(self, world: World, dots: str) -> None:
        host = HOST.replace(".s3.eu-west-1.", dots)
        assert world.send("Create", ResponseURL=URL.replace(HOST, host))["Status"] == "SUCCESS"

    def test_the_log_has_no_address_and_no_properties(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        world.send("Create")
        world.account.log = FOREIGN
        world.send("Update", OldResourceProperties=OURS)
        world.account.faults[GET].append("Other")
        world.send("Update", OldResourceProperties=OURS)
        said = capsys.readouterr()
        assert said.err == "" and len(said.out.splitlines()) == 3
        assert not [word for word in ("secret", HOST, "arn:", *OURS.values()) if word in said.out]

    def test_reasons_are_short(self, world: World) -> None:
        world.account.log = {"cloudWatchConfig": {"logGroupName": "x" * 5_000, "roleArn": "y"}}
        assert len(world.send("Create")["Reason"]) == settings.REASON_CHARACTERS_MAX


class TestDataRetention:
    @pytest.mark.parametrize("mode", ["default", "inherit", "aws_review", "provider_data_share"])
    def test_is_none(self, world: World, mode: str) -> None:
        world.account.mode = mode
        assert world.send("Create", RETENTION)["PhysicalResourceId"] == "DataRetention"
        assert world.account.mode == "none"

    def test_again_changes_nothing_and_deletion_leaves_it(self, world: World) -> None:
        for request in ("Create", "Create", "Update", "Delete"):
            assert world.send(request, RETENTION)["Status"] == "SUCCESS"
        assert world.account.mode == "none" and world.account.changes == ["PutAccountDataRetention"]

    def test_an_older_boto3_says_so(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings.boto3, "client", lambda *_, **__: object())
        answer = world.send("Create", RETENTION)
        assert answer["Status"] == "FAILED" and "PutAccountDataRetention" in answer["Reason"]


EVENTS = st.lists(st.sampled_from(["Create", "Update", "Delete", "off", "weakened", "throttled", "lost"]), max_size=12)


@hypothesis_settings(deadline=None, max_examples=60)
@given(EVENTS)
def test_whatever_comes_the_log_is_whole_after_each_success(events: list[str]) -> None:
    """And nothing but somebody else switches it off."""
    world = World()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_REGION", "eu-west-1")
        patch.setattr(settings.boto3, "client", world.account.client)
        patch.setattr(settings.urllib.request, "urlopen", world.urlopen)
        patch.setattr(settings.time, "sleep", lambda _: None)
        for event in events:
            if event == "off":
                world.account.log = None
            elif event == "weakened" and world.account.log:
                world.account.log = {**world.account.log, "imageDataDeliveryEnabled": False}
            elif event == "throttled":
                world.account.faults[PUT].append("ThrottlingException")
            elif event == "lost":
                world.account.faults[GET].append(settings.BotoCoreError())
            elif event in ("Create", "Update", "Delete"):
                before = world.account.log
                answer = world.send(event)
                if event == "Delete":
                    assert answer["Status"] == "SUCCESS" and world.account.log == before
                elif answer["Status"] == "SUCCESS":
                    assert world.account.log == wanted()
    assert "DeleteModelInvocationLoggingConfiguration" not in world.account.calls


def test_the_file_is_whole_by_itself() -> None:
    """Nothing but the standard library and what Lambda's runtime has."""
    tree = ast.parse(source("settings"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names | {"boto3", "botocore"}
    assert len(source("settings").encode()) < 12_000
    made: dict[str, Any] = {"__name__": "index"}
    exec(compile(source("settings"), "index.py", "exec"), made)
    assert callable(made["handler"])
