"""CloudFormation by change sets: AWS says what would change, then the same change set is executed.

- The change set has one name, so that one that an interrupted run left is found and taken back.
- A creation that fails is removed whole, retained resources included (`OnStackFailure`, `RetainExceptOnCreate`: API
  reference, CreateChangeSet and ExecuteChangeSet), so that the next attempt meets no name that is taken.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from caisson.errors import DeploymentError
from caisson.ports.stacks import Action, Change, ChangeSet, Stack, Stacks

CHANGE_SET = "caisson-deploy"
CHANGE_SET_POLLS_MAX = 300
POLL_SECONDS = 2.0
PAGES_MAX = 100
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
"""What CloudFormation wants said for templates with roles; transforms are not among them."""
NOTHING = ("The submitted information didn't contain changes", "No updates are to be performed")
"""How AWS says that a change set is empty (CloudFormation user guide, change sets)."""
_FAILED = ("CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED")
_CANCELLED = "cancelled"
_BEGIN = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "REVIEW_IN_PROGRESS")


class CloudFormationStacks(Stacks):
    """boto3's client of CloudFormation."""

    def __init__(self, client: Any, *, account: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client, self._account, self._pause = client, account, pause

    def find(self, name: str) -> Stack | None:
        try:
            with self._asking(name):
                found = self._client.describe_stacks(StackName=name)["Stacks"][0]
        except _NoStack:
            return None
        if found["StackStatus"] == "DELETE_COMPLETE":
            return None
        return Stack(
            id=found["StackId"],
            status=found["StackStatus"],
            reason=found.get("StackStatusReason", ""),
            parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())},
            outputs={one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
            tags={one["Key"]: one["Value"] for one in found.get("Tags", ())},
            protected=bool(found.get("EnableTerminationProtection")),
        )

    def template(self, name: str) -> dict[str, Any]:
        try:
            with self._asking(name):
                body = self._client.get_template(StackName=name, TemplateStage="Original").get("TemplateBody", {})
        except _NoStack:
            return {}
        if isinstance(body, str):  # botocore parses what is JSON
            try:
                body = json.loads(body) if body else {}
            except ValueError:
                return {"Resources": {}, "Other": body}
        return json.loads(json.dumps(body))  # type: ignore[no-any-return]

    def propose(
        self, name: str, *, new: bool, template: str, parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> ChangeSet | None:
        self._drop_change_set(name)
        with self._asking(name):
            made = self._client.create_change_set(
                StackName=name,
                ChangeSetName=CHANGE_SET,
                ChangeSetType="CREATE" if new else "UPDATE",
                TemplateBody=template,
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
                Capabilities=CAPABILITIES,
                OnStackFailure="DELETE" if new else "ROLLBACK",
            )
        for _ in range(CHANGE_SET_POLLS_MAX):
            pages = list(self._change_set(name, made["Id"]))
            if pages[0]["Status"] == "CREATE_COMPLETE":
                changes = tuple(change for page in pages for change in _changes(page))
                return ChangeSet(id=made["Id"], stack_id=made["StackId"], changes=changes)
            if pages[0]["Status"] == "FAILED":
                reason = pages[0].get("StatusReason", "")
                self.discard(name, new=new)
                if reason.startswith(NOTHING):
                    return None
                raise DeploymentError(f"{name}: AWS does not take the template: {reason}")
            self._pause(POLL_SECONDS)
        raise DeploymentError(f"{name}: expected a change set within {CHANGE_SET_POLLS_MAX} looks, found none")

    def _change_set(self, name: str, id_: str) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        for _ in range(PAGES_MAX):
            with self._asking(name):
                page = self._client.describe_change_set(ChangeSetName=id_, StackName=name, **token)
            yield page
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}
        raise DeploymentError(f"{name}: expected at most {PAGES_MAX} pages of changes, found more")

    def discard(self, name: str, *, new: bool) -> None:
        self._drop_change_set(name)
        found = self.find(name) if new else None
        if found is not None and found.status == "REVIEW_IN_PROGRESS":  # an empty stack: nothing is in it
            with self._asking(name):
                self._client.delete_stack(StackName=name)

    def _drop_change_set(self, name: str) -> None:
        try:
            with self._asking(name):
                self._client.delete_change_set(StackName=name, ChangeSetName=CHANGE_SET)
        except _NoStack:
            return

    def execute(self, change_set: ChangeSet) -> None:
        with self._asking(change_set.stack_id):
            self._client.execute_change_set(
                ChangeSetName=change_set.id, StackName=change_set.stack_id, RetainExceptOnCreate=True
            )

    def failures(self, stack_id: str) -> tuple[str, ...]:
        found: list[str] = []
        with self._asking(stack_id):
            events = self._client.describe_stack_events(StackName=stack_id)["StackEvents"]  # the latest first
        for event in events:
            own = event["LogicalResourceId"] == event["StackName"]
            reason = event.get("ResourceStatusReason", "")
            if event["ResourceStatus"] in _FAILED and not own and _CANCELLED not in reason:
                found.append(f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}")
            if own and event["ResourceStatus"] in _BEGIN:
                break
        return tuple(reversed(found))

    def protect(self, name: str) -> None:
        with self._asking(name):
            self._client.update_termination_protection(StackName=name, EnableTerminationProtection=True)

    @contextmanager
    def _asking(self, name: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            told = error.response.get("Error", {})
            message = str(told.get("Message", ""))
            if told.get("Code") in ("ValidationError", "ChangeSetNotFound") and "does not exist" in message:
                raise _NoStack(name) from error
            raise DeploymentError(
                f"{name}, account {self._account}: AWS refused {error.operation_name}: "
                f"{told.get('Code', 'unknown')}: {message}"[:500]
            ) from error
        except BotoCoreError as error:
            raise DeploymentError(f"{name}, account {self._account}: no answer from AWS: {error}"[:500]) from error


class _NoStack(DeploymentError):  # noqa: N818
    """There is no such stack or change set."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: expected a stack, found none; somebody deleted it meanwhile")


def _changes(page: Mapping[str, Any]) -> Iterator[Change]:
    for one in page.get("Changes", ()):
        change = one["ResourceChange"]
        policy = change.get("PolicyAction", "")
        yield Change(
            action=_action(change["Action"], change.get("Replacement", ""), policy),
            resource=change["LogicalResourceId"],
            type=change["ResourceType"],
            kept=policy in ("Retain", "ReplaceAndRetain"),
        )


def _action(action: str, replacement: str, policy: str) -> Action:
    """CloudFormation API reference, ResourceChange."""
    if action in ("Add", "Import"):
        return "add"
    if action == "Remove":
        return "leave" if policy == "Retain" else "delete"
    if replacement == "True":
        return "replace"
    return "may replace" if replacement == "Conditional" or action == "Dynamic" else "change"
