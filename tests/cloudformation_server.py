"""CloudFormation, STS and Organizations as far as a deployment asks of them, played from botocore's service models.

- `World` is the state: accounts, roles, stacks. What it is asked is checked against the service's input shapes,
  templates against their parameters' patterns, and states against what AWS allows from them.
- `World.client` answers in-process like boto3's client; `serve` answers over HTTP, in the query and JSON protocols.
- Physical ids, versions and outputs are made here, so a test sees that they travel through the lock.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import botocore.session
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

MODELS = {
    name: botocore.session.get_session().get_service_model(name) for name in ("cloudformation", "sts", "organizations")
}
OWNER = "000000000000"
DATE = "2026-11-26T00:00:00Z"


class Refused(Exception):  # noqa: N818
    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


IDS = {
    "AWS::EC2::TransitGateway": "tgw-0123456789abcdef0",
    "AWS::EC2::TransitGatewayVpcAttachment": "tgw-attach-0123456789abcdef0",
    "AWS::EC2::TransitGatewayRouteTable": "tgw-rtb-0123456789abcdef0",
    "AWS::EC2::VPCEndpoint": "vpce-0123456789abcdef0",
}
"""Physical ids of a form that templates ask for; all others are made of the logical id."""


@dataclass
class Made:
    """A stack."""

    id: str
    status: str
    template: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    physical: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    protected: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)
    change_set: dict[str, Any] | None = None
    looks: int = 0
    ending: Callable[[], None] | None = None


@dataclass
class World:
    """What AWS has."""

    organization: str = "o-exampleorg"
    management: str = OWNER
    accounts: set[str] = field(default_factory=set)
    looks: int = 0
    """How many times a stack is seen in progress."""
    broken: dict[str, str] = field(default_factory=dict)
    """Stack to the reason why no change set can be made of its template."""
    failing: dict[str, str] = field(default_factory=dict)
    """Stack to the resource that cannot be made or changed."""
    sticky: bool = False
    """What failed to be made cannot be removed either."""
    refusing: list[tuple[str, str, str]] = field(default_factory=list)
    """Operation, code and message of calls that are refused, each once."""
    confused: bool = False
    """STS says another account."""
    stacks: dict[tuple[str, str, str], Made] = field(default_factory=dict)
    gone: dict[str, Made] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    executed: list[str] = field(default_factory=list)
    number: int = 0

    def client(self, account: str, region: str = "eu-west-1") -> Any:
        return _Client(self, account, region)

    def call(self, service: str, operation: str, given: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        shape = MODELS[service].operation_model(operation).input_shape
        report = ParamValidator().validate(given, shape) if shape is not None else None
        assert report is None or not report.has_errors(), report.generate_report()
        assert shape is None or set(given) <= set(shape.members), set(given) - set(shape.members)
        self.calls.append((operation, str(given.get("StackName", ""))))
        for refusal in self.refusing:
            if refusal[0] == operation:
                self.refusing.remove(refusal)
                raise Refused(*refusal[1:])
        return dict(getattr(self, f"_{operation}")(given, account, region) or {})

    def snapshot(self) -> dict[str, Any]:
        """What a deployment leaves, without what differs from run to run."""
        return {
            f"{account}/{name}": (made.status, made.template, made.parameters, made.outputs, made.tags, made.protected)
            for (account, _, name), made in sorted(self.stacks.items())
        }

    # STS and Organizations

    def _AssumeRole(self, given: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        target = given["RoleArn"].split(":")[4]
        if target not in self.accounts:
            raise Refused("AccessDenied", f"User is not authorized to perform: sts:AssumeRole on {given['RoleArn']}")
        key = f"ASIA{target}0000"
        return {
            "Credentials": {
                "AccessKeyId": key, "SecretAccessKey": "s" * 40, "SessionToken": "t" * 40,
                "Expiration": "2099-01-01T00:00:00Z",
            }
        }  # fmt: skip

    def _GetCallerIdentity(self, given: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        return {
            "Account": "999999999999" if self.confused else account,
            "Arn": f"arn:aws:sts::{account}:x",
            "UserId": "u",
        }

    def _DescribeOrganization(self, given: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        return {"Organization": {"Id": self.organization, "MasterAccountId": self.management}}

    # CloudFormation

    def _stack(self, name: str, account: str, region: str) -> Made:
        if name.startswith("arn:"):
            found = next((made for made in self.stacks.values() if made.id == name), None) or self.gone.get(name)
        else:
            found = self.stacks.get((account, region, name))
        if found is None:
            raise Refused("ValidationError", f"Stack with id {name} does not exist")
        return found

    def _DescribeStacks(self, given: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        made = self._stack(given["StackName"], account, region)
        if made.ending is not None:
            if made.looks:
                made.looks -= 1
            else:
                ending, made.ending = made.ending, None
                ending()
        name = made.id.split("/")[1]
        return {
            "Stacks": [
                {
                    "StackId": made.id, "StackName": name, "CreationTime": DATE, "StackStatus": made.status,
                    "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in made.parameters.items()],
                    "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in made.outputs.items()],
                    "Tags": [{"Key": k, "Value": v} for k, v in made.tags.items()],
                    "EnableTerminationProtection": made.protected,
                }
            ]
        }  # fmt: skip

    def _GetTemplate(self, given: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        made = self._stack(given["StackName"], account, region)
        if made.status == "REVIEW_IN_PROGRESS":
            raise Refused("ValidationError", "Template is not available for stacks in REVIEW_IN_PROGRESS")
        return {"TemplateBody": made.template, "StagesAvailable": ["Original", "Processed"]}

    def _CreateChangeSet(self, given: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        name, key = given["StackName"], (account, region, given["StackName"])
        made, creates = self.stacks.get(key), given["ChangeSetType"] == "CREATE"
        if len(given["TemplateBody"].encode()) > 51_200:
            raise Refused("ValidationError", "templateBody: Member must have length less than or equal to 51200")
        if creates and made is not None and made.status != "REVIEW_IN_PROGRESS":
            raise Refused("ValidationError", f"Stack [{name}] already exists and cannot be created again")
        if not creates and made is None:
            raise Refused("ValidationError", f"Stack [{name}] does not exist")
        if (
            not creates
            and made is not None
            and not re.fullmatch("(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE", made.status)
        ):
            raise Refused("ValidationError", f"Stack is in {made.status} state and can not be updated.")
        if made is not None and made.change_set is not None:
            raise Refused("AlreadyExistsException", f"ChangeSet {given['ChangeSetName']} already exists")
        template = json.loads(given["TemplateBody"])
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in given.get("Parameters", ())}
        for key_, wanted in template.get("Parameters", {}).items():
            if key_ not in parameters:
                raise Refused("ValidationError", f"Parameters: [{key_}] must have values")
            if not re.fullmatch(wanted["AllowedPattern"], parameters[key_]):
                raise Refused("ValidationError", f"Parameter '{key_}' must match pattern {wanted['AllowedPattern']}")
        if set(parameters) - set(template.get("Parameters", {})):
            raise Refused("ValidationError", "Parameters do not exist in the template")
        if made is None:
            self.number += 1
            made = self.stacks[key] = Made(
                id=f"arn:aws:cloudformation:{region}:{account}:stack/{name}/{self.number:08d}",
                status="REVIEW_IN_PROGRESS",
            )
        before = json.loads(made.template or "{}")
        changes = list(_changes(before, template, made.parameters, parameters))
        made.change_set = {
            "Id": f"arn:aws:cloudformation:{region}:{account}:changeSet/{given['ChangeSetName']}/{self.number:08d}",
            "changes": changes, "given": given, "parameters": parameters,
            "tags": {one["Key"]: one["Value"] for one in given.get("Tags", ())},
        }  # fmt: skip
        return {"Id": made.change_set["Id"], "StackId": made.id}

    def _DescribeChangeSet(self, given: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        made = self._stack(given["StackName"], account, region)
        if made.change_set is None:
            raise Refused("ChangeSetNotFound", f"ChangeSet [{given['ChangeSetName']}] does not exist")
        changes, at = made.change_set["changes"], int(given.get("NextToken", "0"))
        if reason := self.broken.get(made.id.split("/")[1]):
            return {"Status": "FAILED", "StatusReason": reason, "StackId": made.id}
        if not changes:
            reason = (
                "The submitted information didn't contain changes. Submit different information to create a change set."
            )
            return {"Status": "FAILED", "StatusReason": reason, "StackId": made.id}
        page = {"Status": "CREATE_COMPLETE", "StackId": made.id, "Changes": changes[at : at + 5]}
        return page | ({"NextToken": str(at + 5)} if at + 5 < len(changes) else {})

    def _DeleteChangeSet(self, given: dict[str, Any], account: str, region: str) -> None:
        self._stack(given["StackName"], account, region).change_set = None

    def _DeleteStack(self, given: dict[str, Any], account: str, region: str) -> None:
        made = self.stacks.get((account, region, given["StackName"]))
        if made is None:
            return
        if made.protected:
            raise Refused("ValidationError", "Stack cannot be deleted while TerminationProtection is enabled")
        self._remove(made)

    def _UpdateTerminationProtection(self, given: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        made = self._stack(given["StackName"], account, region)
        made.protected = given["EnableTerminationProtection"]
        return {"StackId": made.id}

    def _DescribeStackEvents(self, given: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        return {"StackEvents": list(reversed(self._stack(given["StackName"], account, region).events))}

    def _ExecuteChangeSet(self, given: dict[str, Any], account: str, region: str) -> None:
        made = self._stack(given["StackName"], account, region)
        asked = made.change_set
        if asked is None or asked["Id"] != given["ChangeSetName"]:
            raise Refused("ChangeSetNotFound", "ChangeSet does not exist")
        name, creates = made.id.split("/")[1], made.status == "REVIEW_IN_PROGRESS"
        self.executed.append(name)
        made.change_set = None
        verb = "CREATE" if creates else "UPDATE"
        made.status, made.looks = f"{verb}_IN_PROGRESS", self.looks
        self._event(made, name, "AWS::CloudFormation::Stack", made.status)

        def end() -> None:
            bad = self.failing.get(name)
            if bad is None:
                made.template, made.parameters = asked["given"]["TemplateBody"], asked["parameters"]
                made.tags = asked["tags"]
                self._make(made, asked["changes"], account, region)
                made.status = f"{verb}_COMPLETE"
                self._event(made, name, "AWS::CloudFormation::Stack", made.status)
                return
            self._event(made, "Other", "AWS::X::Y", f"{verb}_FAILED", f"Resource {verb.lower()} cancelled")
            self._event(made, bad, "AWS::X::Z", f"{verb}_FAILED", "Service limit exceeded")
            if not creates:
                made.status = "UPDATE_ROLLBACK_COMPLETE"
            elif self.sticky:
                made.status = "DELETE_FAILED"
            elif asked["given"]["OnStackFailure"] == "DELETE":
                self._remove(made)
            else:
                made.status = "ROLLBACK_COMPLETE"

        made.ending = end
        if not self.looks:
            made.ending = None
            end()

    def _event(self, made: Made, logical: str, kind: str, status: str, reason: str = "") -> None:
        made.events.append(
            {
                "StackId": made.id, "EventId": str(len(made.events)), "StackName": made.id.split("/")[1],
                "LogicalResourceId": logical, "ResourceType": kind, "Timestamp": DATE, "ResourceStatus": status,
                "ResourceStatusReason": reason,
            }
        )  # fmt: skip

    def _remove(self, made: Made) -> None:
        made.status = "DELETE_COMPLETE"
        self.gone[made.id] = made
        self.stacks = {key: one for key, one in self.stacks.items() if one is not made}

    def _make(self, made: Made, changes: list[dict[str, Any]], account: str, region: str) -> None:
        template = json.loads(made.template)
        for logical, resource in template["Resources"].items():
            change = next(
                (c["ResourceChange"] for c in changes if c["ResourceChange"]["LogicalResourceId"] == logical), {}
            )
            if logical not in made.physical or change.get("Replacement") == "True":
                if resource["Type"] == "AWS::Bedrock::GuardrailVersion":
                    made.physical[logical] = str(int(made.physical.get(logical, "0")) + 1)
                else:
                    made.physical[logical] = IDS.get(resource["Type"], f"{logical.lower()}1")

        def value(one: Any) -> str:
            if isinstance(one, str):
                return one
            ((function, inside),) = one.items()
            if function == "Fn::Join":
                return str(inside[0]).join(value(part) for part in inside[1])
            if function == "Ref":
                return made.parameters.get(inside, made.physical.get(inside, ""))
            assert function == "Fn::GetAtt", function
            logical, attribute = inside
            if attribute == "GuardrailArn":
                return f"arn:aws:bedrock:{region}:{account}:guardrail/{made.physical[logical]}"
            return made.physical[logical]

        made.outputs = {name: value(one["Value"]) for name, one in template.get("Outputs", {}).items()}


REPLACED_BY = {"AWS::Bedrock::GuardrailVersion", "AWS::KMS::Alias"}
"""Types that this world replaces when anything of them changes."""


def _changes(
    before: dict[str, Any], after: dict[str, Any], had: dict[str, str], gets: dict[str, str]
) -> Iterator[dict[str, Any]]:
    old, new = before.get("Resources", {}), after.get("Resources", {})
    moved = [name for name in gets if had.get(name) != gets[name]]

    def change(action: str, name: str, resource: dict[str, Any], **more: str) -> dict[str, Any]:
        told = {"Action": action, "LogicalResourceId": name, "ResourceType": resource["Type"], **more}
        return {"Type": "Resource", "ResourceChange": told}

    for name, resource in new.items():
        if name not in old:
            yield change("Add", name, resource)
            continue
        follows = any(f'"Ref": "{parameter}"' in json.dumps(resource) for parameter in moved)
        if resource != old[name] or follows:
            if resource["Type"] in REPLACED_BY:
                kept = old[name].get("UpdateReplacePolicy") == "Retain"
                policy = "ReplaceAndRetain" if kept else "ReplaceAndDelete"
                yield change("Modify", name, resource, Replacement="True", PolicyAction=policy)
            else:
                yield change("Modify", name, resource, Replacement="False")
    for name, resource in old.items():
        if name not in new:
            kept = resource.get("DeletionPolicy") == "Retain"
            yield change("Remove", name, resource, PolicyAction="Retain" if kept else "Delete")


class _Client:
    """boto3's client, without HTTP."""

    def __init__(self, world: World, account: str, region: str) -> None:
        self._world, self._account, self._region = world, account, region

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(part.capitalize() for part in method.split("_"))

        def call(**given: Any) -> Any:
            try:
                return self._world.call("cloudformation", operation, given, self._account, self._region)
            except Refused as refused:
                raise ClientError({"Error": {"Code": refused.code, "Message": refused.message}}, operation) from None

        return call


@contextmanager
def serve(world: World) -> Iterator[str]:
    """The world over HTTP; gives its URL."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            return

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            credential = re.search(r"Credential=([^,]+)", self.headers["Authorization"])
            assert credential is not None
            key, _, region, service, _ = credential[1].split("/")
            account = key[4:16] if key.startswith("ASIA") else OWNER
            query = service != "organizations"
            if query:
                flat = {name: values[0] for name, values in parse_qs(raw.decode(), keep_blank_values=True).items()}
                operation = flat.pop("Action")
                assert flat.pop("Version") == MODELS[service].metadata["apiVersion"]
                shape = MODELS[service].operation_model(operation).input_shape
                given = _unflatten(flat, shape)
            else:
                operation, given = self.headers["X-Amz-Target"].partition(".")[2], json.loads(raw)
            try:
                with lock:
                    answer = world.call(service, operation, given, account, region)
                status = 200
                body = _xml(operation, answer, MODELS[service]) if query else json.dumps(answer)
            except Refused as refused:
                status = 400
                body = (
                    f"<ErrorResponse><Error><Type>Sender</Type><Code>{refused.code}</Code>"
                    f"<Message>{escape(refused.message)}</Message></Error></ErrorResponse>"
                    if query
                    else json.dumps({"__type": refused.code, "message": refused.message})
                )
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _unflatten(flat: dict[str, str], shape: Any) -> dict[str, Any]:
    """`Tags.member.1.Key` as the operation's input shape has it."""

    def value(prefix: str, shape: Any) -> Any:
        if shape.type_name == "structure":
            found = {name: value(f"{prefix}.{name}" if prefix else name, one) for name, one in shape.members.items()}
            return {name: one for name, one in found.items() if one is not None} or None
        if shape.type_name == "list":
            items = []
            while (item := value(f"{prefix}.member.{len(items) + 1}", shape.member)) is not None:
                items.append(item)
            return items or None
        used.add(prefix)
        text = flat.get(prefix)
        if text is None:
            return None
        return text == "true" if shape.type_name == "boolean" else int(text) if shape.type_name == "integer" else text

    used: set[str] = set()
    found = value("", shape) if shape is not None else {}
    unknown = {name for name in flat if name not in used and flat[name]}
    assert not unknown, unknown
    return found or {}


def _xml(operation: str, answer: dict[str, Any], model: Any) -> str:
    def render(name: str, value: Any) -> str:
        if isinstance(value, dict):
            return f"<{name}>" + "".join(render(key, one) for key, one in value.items()) + f"</{name}>"
        if isinstance(value, list):
            return f"<{name}>" + "".join(render("member", one) for one in value) + f"</{name}>"
        text = str(value).lower() if isinstance(value, bool) else escape(str(value))
        return f"<{name}>{text}</{name}>"

    namespace = model.metadata["xmlNamespace"]
    return f'<{operation}Response xmlns="{namespace}">{render(operation + "Result", answer)}</{operation}Response>'
