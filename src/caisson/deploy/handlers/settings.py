"""Sets what CloudFormation has no type for: the invocation log (S22, S24, S28), and that Bedrock keeps no prompts.

- Again is the same: what is set already is not set again, and an event that comes twice does nothing the second time.
- Deletion leaves both as they are. A stack that goes, or a creation that failed, switches no log off.
- A log that somebody else configured is not overwritten: the event fails and says whose log group it found.
- CloudFormation always gets an answer, before time runs out, and only where CloudFormation waits for one.
"""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

MARGIN_S = 20
"""Left of the function's time for the answer."""
TRIES = 20
WAIT_S = 5
"""Between tries: a role that was just made is not known everywhere for about a minute."""
PASSES = ("AccessDeniedException", "InternalServerException", "ThrottlingException", "ValidationException")
"""Errors that pass when they come from such a role."""
ANSWERS = 3
ANSWER_S = 4
REASON_CHARACTERS_MAX = 400
KINDS = ("TEXT", "IMAGE", "EMBEDDING", "VIDEO", "AUDIO")
NAMED = {"LogGroup", "Role", "Bucket"}


class RefusedError(Exception):
    """What the event asks for is not done; the text says why and holds no secret."""


class LateError(BaseException):
    """Time is nearly up. No handler of `Exception` on the way holds it back."""


def handler(event: Mapping[str, Any], context: Any) -> None:
    """One event of a custom resource (CloudFormation user guide, crpg-ref-requesttypes)."""
    _check_address(event["ResponseURL"])
    status, reason = "FAILED", ""
    try:
        signal.signal(signal.SIGALRM, _late)
        signal.alarm(max(1, context.get_remaining_time_in_millis() // 1000 - MARGIN_S))
        reason = _carried_out(event)
        status = "SUCCESS"
    except RefusedError as error:
        reason = str(error)
    except ClientError as error:
        reason = f"{error.operation_name}: {error.response.get('Error', {}).get('Code')}"
    except BotoCoreError as error:
        reason = f"Bedrock could not be called: {type(error).__name__}"
    except LateError:
        reason = "expected an answer of Bedrock in time, found none"
    except Exception as error:  # CloudFormation would wait an hour for an answer
        reason = f"expected a well-formed event, found {type(error).__name__}"
    finally:
        signal.alarm(0)
    _answer(event, status, reason[:REASON_CHARACTERS_MAX])


def _late(*_: object) -> None:
    raise LateError


def _carried_out(event: Mapping[str, Any]) -> str:
    """What was done.

    Raises:
        RefusedError: it was not.
    """
    setting, request = SETTINGS.get(event["ResourceType"]), event["RequestType"]
    if setting is None or request not in ("Create", "Update", "Delete"):
        raise RefusedError("expected a setting that this function knows, and Create, Update or Delete")
    if request == "Delete":
        return "left as it is"
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
    client = boto3.client("bedrock", config=config)
    done = "was set"
    for left in reversed(range(TRIES)):
        try:
            if setting(client, event.get("ResourceProperties", {}), event.get("OldResourceProperties", {})):
                return done
            done = "set"
        except ClientError as error:
            if not left or error.response.get("Error", {}).get("Code") not in PASSES:
                raise
            time.sleep(WAIT_S)
    raise RefusedError("expected the setting to stay, found another after each try")


def _invocation_log(client: Any, asked: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether it is set already; else it was set now, and is to be looked at again."""
    named = {key: asked.get(key) for key in NAMED}
    if not all(isinstance(value, str) and value for value in named.values()):
        raise RefusedError(f"expected {', '.join(sorted(NAMED))}")
    bucket = named["Bucket"]
    wanted = {
        "cloudWatchConfig": {
            "logGroupName": named["LogGroup"],
            "roleArn": named["Role"],
            "largeDataDeliveryS3Config": {"bucketName": bucket, "keyPrefix": "large"},
        },
        "s3Config": {"bucketName": bucket, "keyPrefix": "whole"},
        **{f"{kind.lower()}DataDeliveryEnabled": True for kind in KINDS},
    }
    found = client.get_model_invocation_logging_configuration().get("loggingConfig") or {}
    if _has(found, wanted):
        return True
    group = found.get("cloudWatchConfig", {}).get("logGroupName")
    if found and group not in (named["LogGroup"], before.get("LogGroup")):
        raise RefusedError(
            f"expected no invocation log of others in this account and region, found one to log group {group!r} and "
            f"bucket {found.get('s3Config', {}).get('bucketName')!r}; delete it first if nobody needs it"
        )
    client.put_model_invocation_logging_configuration(loggingConfig=wanted)
    return False


def _has(found: Any, wanted: Any) -> bool:
    """Whether everything wanted is there. What AWS adds one day is not against it."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_has(found.get(key), value) for key, value in wanted.items())
    return bool(found == wanted)


def _data_retention(client: Any, _asked: Mapping[str, Any], _before: Mapping[str, Any]) -> bool:
    if not hasattr(client, "put_account_data_retention"):
        raise RefusedError("expected a boto3 that knows PutAccountDataRetention, found an older one in this runtime")
    if client.get_account_data_retention()["mode"] == "none":
        return True
    client.put_account_data_retention(mode="none")
    return False


SETTINGS: dict[str, Callable[[Any, Mapping[str, Any], Mapping[str, Any]], bool]] = {
    "Custom::InvocationLog": _invocation_log,
    "Custom::DataRetention": _data_retention,
}


def _check_address(url: str) -> None:
    """Only CloudFormation's own bucket in this region is answered; who asks otherwise gets nothing done.

    Raises:
        ValueError: it is another address. It is not repeated: whoever holds it can answer.
    """
    region, parts = os.environ["AWS_REGION"], urlsplit(url)
    bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
    hosts = [f"{bucket}.s3{between}amazonaws.com" for between in (".", f"-{region}.", f".{region}.")]
    if parts.scheme != "https" or parts.netloc not in hosts:
        raise ValueError("expected the address of CloudFormation's bucket for answers, found another")


def _answer(event: Mapping[str, Any], status: str, reason: str) -> None:
    """Tell CloudFormation; a deletion must name the resource as the event does."""
    answer = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": event.get("PhysicalResourceId") or event["ResourceType"].partition("::")[2],
        "NoEcho": True,
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    line = {"request": event["RequestType"], "kind": event["ResourceType"], "status": status, "why": reason}
    print(json.dumps(line))  # noqa: T201  the function's log
    body = json.dumps(answer).encode()
    for left in reversed(range(ANSWERS)):
        request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")  # noqa: S310  https
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S):  # noqa: S310
                return
        except OSError as error:
            if not left:
                raise OSError(f"CloudFormation took no answer: {type(error).__name__}") from None
