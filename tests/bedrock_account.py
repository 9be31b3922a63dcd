"""An account's settings in Bedrock, and what AWS Config is told of them, behind a real boto3 client.

Requests and answers are held to botocore's shapes. A fault is played to the next calls of an operation: an error's
code, or an exception that the connection raises.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.awsrequest import AWSResponse

SESSION = boto3.session.Session(region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
STATUS = {"AccessDeniedException": 403, "ThrottlingException": 429, "ValidationException": 400}


class _Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self.body


class Account:
    """Model invocation log and data retention of one account and region."""

    def __init__(self) -> None:
        self.log: dict[str, Any] | None = None
        self.mode = "default"
        self.enforced: list[list[dict[str, Any]]] = [[]]
        """Enforced guardrails, page by page."""
        self.evaluations: list[dict[str, Any]] = []
        """What `PutEvaluations` was called with."""
        self.failed: list[dict[str, Any]] = []
        """Evaluations that Config answers it did not take."""
        self.calls: list[str] = []
        self.faults: defaultdict[str, deque[Any]] = defaultdict(deque)
        self.forgets = False
        """Whether what is put is lost."""

    def client(self, service: str, **arguments: Any) -> Any:
        """As `boto3.client`."""
        assert service in ("bedrock", "config")
        made = SESSION.client(service, **arguments)
        made.meta.events.register(f"before-send.{service}.*", self._answer)
        return made

    @property
    def changes(self) -> list[str]:
        """Calls that change something."""
        return [call for call in self.calls if not call.startswith("Get")]

    def _answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        self.calls.append(operation)
        if self.faults[operation]:
            fault = self.faults[operation].popleft()
            if isinstance(fault, BaseException):
                raise fault
            return _response(STATUS.get(fault, 500), {"message": "no"}, {"x-amzn-errortype": fault})
        body = json.loads(request.body) if request.body else {}
        if operation == "PutModelInvocationLoggingConfiguration" and not self.forgets:
            self.log = body["loggingConfig"]
        if operation == "PutAccountDataRetention" and not self.forgets:
            self.mode = body["mode"]
        if operation == "DeleteModelInvocationLoggingConfiguration":
            self.log = None
        if operation == "GetModelInvocationLoggingConfiguration":
            return _response(200, {} if self.log is None else {"loggingConfig": self.log})
        if operation == "PutEvaluations":
            self.evaluations.append(body)
            return _response(200, {"FailedEvaluations": self.failed})
        if operation == "ListEnforcedGuardrailsConfiguration":
            at = int(parse_qs(urlsplit(request.url).query).get("nextToken", ["0"])[0])
            more = {"nextToken": str(at + 1)} if at + 1 < len(self.enforced) else {}
            return _response(200, {"guardrailsConfig": self.enforced[at], **more})
        if "DataRetention" in operation:
            return _response(200, {"mode": self.mode})
        return _response(200, {})


def _response(status: int, body: Any, headers: Any = None) -> AWSResponse:
    return AWSResponse("https://bedrock", status, headers or {}, _Raw(json.dumps(body).encode()))
