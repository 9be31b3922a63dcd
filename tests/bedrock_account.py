"""An account's settings in Bedrock behind a real boto3 client: requests and answers are held to botocore's shapes.

A fault is played to the next calls of an operation: an error's code, or an exception that the connection raises.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from typing import Any

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
        self.calls: list[str] = []
        self.faults: defaultdict[str, deque[Any]] = defaultdict(deque)
        self.forgets = False
        """Whether what is put is lost."""

    def client(self, service: str, **arguments: Any) -> Any:
        """As `boto3.client`."""
        assert service == "bedrock"
        made = SESSION.client(service, **arguments)
        made.meta.events.register("before-send.bedrock.*", self._answer)
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
        if "DataRetention" in operation:
            return _response(200, {"mode": self.mode})
        return _response(200, {})


def _response(status: int, body: Any, headers: Any = None) -> AWSResponse:
    return AWSResponse("https://bedrock", status, headers or {}, _Raw(json.dumps(body).encode()))
