"""Looks whether an account's settings are still those that were deployed, for rules of AWS Config (row S05).

- It looks and says what it saw; it changes nothing. The same event again gives the same answer.
- What cannot be seen is no answer: the event fails, no verdict is given, and an alarm over its errors says so.
- An event that it does not know, or that is about another account, fails likewise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config

KINDS = ("TEXT", "IMAGE", "EMBEDDING", "VIDEO", "AUDIO")
ANNOTATION_CHARACTERS_MAX = 256
"""AWS Config API reference, Evaluation."""
EVENT_CHARACTERS_MAX = 4_096
"""Longest part of an event that is read; parameters of a rule are shorter (Config API reference, ConfigRule)."""
PAGES_MAX = 10
"""Pages of enforced guardrails that are read. An account enforces one."""
SCHEDULED = "ScheduledNotification"
CONNECT_S, READ_S, ATTEMPTS = 5, 10, 3


class RefusedError(Exception):
    """The event is not answered; the text says why and holds no value of it."""


def handler(event: Mapping[str, Any], context: Any) -> None:
    """One event of a periodic rule (Config developer guide, evaluate-config_develop-rules_example-events).

    Raises:
        RefusedError: the event is none of ours.
        BotoCoreError, ClientError: the account could not be looked at, or Config took no answer.
    """
    account = context.invoked_function_arn.split(":")[4]
    check, asked, when = _read(event, account)
    clients = Config(connect_timeout=CONNECT_S, read_timeout=READ_S, retries={"total_max_attempts": ATTEMPTS})
    wrong = check(boto3.client("bedrock", config=clients), asked)
    verdict = {
        "ComplianceResourceType": "AWS::::Account",
        "ComplianceResourceId": account,
        "ComplianceType": "NON_COMPLIANT" if wrong else "COMPLIANT",
        "OrderingTimestamp": when,
    }
    if wrong:
        verdict["Annotation"] = wrong[:ANNOTATION_CHARACTERS_MAX]
    print(json.dumps({"check": asked["Check"], "verdict": verdict["ComplianceType"], "why": wrong}))  # noqa: T201  the function's log
    answer = boto3.client("config", config=clients).put_evaluations(
        Evaluations=[verdict], ResultToken=event["resultToken"]
    )
    if answer.get("FailedEvaluations"):
        raise RefusedError("expected AWS Config to take the evaluation, found it among those that failed")


Check = Callable[[Any, Mapping[str, str]], str]


def _read(event: Mapping[str, Any], account: str) -> tuple[Check, dict[str, str], str]:
    """What is asked, with which parameters, and when."""
    invoking, asked = _object(event, "invokingEvent"), _object(event, "ruleParameters")
    if invoking.get("messageType") != SCHEDULED:
        raise RefusedError(f"expected an event of type {SCHEDULED}, found another")
    if not account or event.get("accountId") != account or invoking.get("awsAccountId") != account:
        raise RefusedError("expected an event about the function's own account, found another")
    when = invoking.get("notificationCreationTime")
    if not isinstance(when, str) or not isinstance(event.get("resultToken"), str):
        raise RefusedError("expected a time and a token in the event, found none")
    known = CHECKS.get(asked.get("Check", ""))
    if known is None:
        raise RefusedError(f"expected a check among {', '.join(sorted(CHECKS))}, found another")
    check, parameters = known
    if set(asked) != {"Check", *parameters} or not all(isinstance(one, str) and one for one in asked.values()):
        raise RefusedError(f"expected exactly the parameters {', '.join(('Check', *parameters))}, each with a value")
    return check, asked, when


def _object(event: Mapping[str, Any], key: str) -> dict[str, Any]:
    text = event.get(key)
    if not isinstance(text, str) or len(text) > EVENT_CHARACTERS_MAX:
        raise RefusedError(f"expected {key} as text of at most {EVENT_CHARACTERS_MAX} characters")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise RefusedError(f"expected {key} as JSON, found something else") from None
    if not isinstance(found, dict):
        raise RefusedError(f"expected {key} as a JSON object, found something else")
    return found


def _invocation_log(client: Any, asked: Mapping[str, str]) -> str:
    """What is wrong with the account's invocation log; empty when nothing is (LOG-01)."""
    found = client.get_model_invocation_logging_configuration().get("loggingConfig")
    if not found:
        return "The invocation log is off"
    to, bucket = found.get("cloudWatchConfig", {}), found.get("s3Config", {})
    large = to.get("largeDataDeliveryS3Config", {})
    for what, there, wanted in (
        ("log group", to.get("logGroupName"), asked["LogGroup"]),
        ("role", to.get("roleArn"), asked["Role"]),
        ("bucket", bucket.get("bucketName"), asked["Bucket"]),
        ("bucket of large data", large.get("bucketName"), asked["Bucket"]),
    ):
        if there != wanted:
            return f"The invocation log has another {what} than was deployed"
    off = [kind.lower() for kind in KINDS if found.get(f"{kind.lower()}DataDeliveryEnabled") is not True]
    return f"The invocation log leaves out {', '.join(off)}" if off else ""


def _data_retention(client: Any, _asked: Mapping[str, str]) -> str:
    """What is wrong with the account's data retention; empty when Bedrock keeps nothing (LOG-08, DAT-05)."""
    if not hasattr(client, "get_account_data_retention"):
        raise RefusedError("expected a boto3 that knows GetAccountDataRetention, found an older one in this runtime")
    return "" if client.get_account_data_retention()["mode"] == "none" else "Bedrock may keep prompts"


def _enforced_guardrail(client: Any, asked: Mapping[str, str]) -> str:
    """What is wrong with the enforced guardrail; empty when the account enforces the pinned one (NET-02)."""
    found: list[Mapping[str, Any]] = []
    token = None
    for _ in range(PAGES_MAX):
        page = client.list_enforced_guardrails_configuration(**({"nextToken": token} if token else {}))
        found += page.get("guardrailsConfig", [])
        token = page.get("nextToken")
        if not token:
            break
    else:
        raise RefusedError(f"expected at most {PAGES_MAX} pages of enforced guardrails, found more")
    own = [one for one in found if one.get("owner") == "ACCOUNT"]
    if not own:
        return "The account enforces no guardrail"
    named = {f"{one.get('guardrailArn')}:{one.get('guardrailVersion')}" for one in own}
    return "" if named == {asked["Pin"]} else "The account enforces another guardrail or version than is pinned"


CHECKS: dict[str, tuple[Check, tuple[str, ...]]] = {
    "InvocationLog": (_invocation_log, ("LogGroup", "Role", "Bucket")),
    "DataRetention": (_data_retention, ()),
    "EnforcedGuardrail": (_enforced_guardrail, ("Pin",)),
}
"""Each check with the parameters that its rule gives beside `Check`."""
