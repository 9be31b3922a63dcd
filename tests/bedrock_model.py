"""Botocore's own view of Bedrock Runtime: what boto3 sends and how it reads what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.eventstream import EventStream
from botocore.parsers import EventStreamJSONParser, create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")


def sent(operation: str, **parameters: Any) -> bytes:
    """The body that boto3 sends; the parameters are valid to it."""
    model = SERVICE.operation_model(operation)
    report = ParamValidator().validate(parameters, model.input_shape)
    assert not report.has_errors(), report.generate_report()
    body: bytes = create_serializer("rest-json").serialize_to_request(parameters, model)["body"]
    return body


def read(operation: str, body: bytes) -> dict[str, Any]:
    """What boto3 hands to the program, after checking that its output shape allows it."""
    shape = SERVICE.operation_model(operation).output_shape
    parsed = create_parser("rest-json").parse({"status_code": 200, "headers": {}, "body": body}, shape)
    parsed.pop("ResponseMetadata")
    report = ParamValidator().validate(parsed, shape)
    assert not report.has_errors(), report.generate_report()
    return parsed


class _Raw:
    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = data, size

    def stream(self) -> Iterator[bytes]:
        for start in range(0, len(self._data), self._size):
            yield self._data[start : start + self._size]

    def close(self) -> None:
        pass


def read_stream(operation: str, data: bytes, size: int = 17) -> list[dict[str, Any]]:
    """The events that boto3 hands to the program, each checked against its shape. Raises what boto3 raises."""
    shape = SERVICE.operation_model(operation).get_event_stream_output()
    events = list(EventStream(_Raw(data, size), shape, EventStreamJSONParser(), operation))
    for event in events:
        ((kind, value),) = event.items()
        report = ParamValidator().validate(value, shape.members[kind])
        assert not report.has_errors(), (kind, report.generate_report())
    return events


def plain(value: Any) -> Any:
    """A value with bytes as text, for counting markers."""
    return json.loads(json.dumps(value, default=lambda raw: raw.decode()))
