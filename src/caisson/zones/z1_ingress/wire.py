"""Which dialect reads and writes an operation's bytes. The only place that knows both routes and dialects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from caisson.errors import DeveloperError, Refusal
from caisson.ports.guardrail import Inspection
from caisson.zones.z1_ingress.http import HttpRequest
from caisson.zones.z1_ingress.routes import Route
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import (
    assessment,
    converse,
    embeddings,
    guardrail,
    invoke,
    openai,
    openai_answer,
    tokens,
)
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.operations import Operation

Json = dict[str, Any]
StreamRenderer = converse.StreamRenderer | invoke.StreamRenderer | openai_answer.StreamRenderer


def parser(route: Route, request: HttpRequest) -> Callable[[], Conversation | Refusal]:
    """What step 1 runs."""
    body, target = request.body, route.target
    match route.operation:
        case Operation.CONVERSE | Operation.CONVERSE_STREAM as operation:
            return lambda: converse.parse(body, target, operation.streams)
        case Operation.INVOKE_MODEL | Operation.INVOKE_MODEL_STREAM as operation:
            return lambda: _invoke(request, target, operation.streams)
        case Operation.COUNT_TOKENS:
            return lambda: tokens.parse(body, target)
        case Operation.APPLY_GUARDRAIL:
            return lambda: guardrail.parse(body, target)
        case Operation.CHAT | Operation.CHAT_STREAM:
            return lambda: openai.parse(body)
        case None:
            raise DeveloperError("a route without an operation has no dialect")


def _invoke(request: HttpRequest, model_id: str, stream: bool) -> Conversation | Refusal:
    def text(name: bytes) -> str | None:
        value = request.header(name)
        return None if value is None else value.decode("latin-1")

    return invoke.parse(
        request.body,
        model_id,
        stream,
        content_type=text(b"content-type"),
        accept=text(b"x-amzn-bedrock-accept") if stream else text(b"accept"),
        request_metadata=text(b"x-amzn-bedrock-request-metadata"),
        guardrail=request.header(b"x-amzn-bedrock-guardrailidentifier") is not None,
        trace=(text(b"x-amzn-bedrock-trace") or "DISABLED") != "DISABLED",
    )


def rendered(exchange: Exchange) -> bytes:
    """The body of a whole answer."""
    conversation, _, _ = exchange.known()
    if exchange.operation is Operation.COUNT_TOKENS:
        return tokens.render(conversation)
    if exchange.operation is Operation.APPLY_GUARDRAIL:
        return guardrail.render(_inspection(exchange), _blocked_message(exchange, conversation))
    if exchange.embedding is not None:
        return embeddings.render(conversation, exchange.embedding, request_id=exchange.request_id)
    if exchange.answer is None:
        raise DeveloperError("a whole answer was asked for and none was made")
    trace = _trace(exchange) if conversation.trace else None
    if exchange.operation is Operation.CONVERSE:
        return converse.render(exchange.answer, round(exchange.upstream_seconds * 1000), trace)
    if exchange.operation is Operation.CHAT:
        return openai_answer.render(
            exchange.answer, model_id=exchange.target, request_id=exchange.request_id, created=_created(exchange)
        )
    return invoke.render(exchange.answer, trace, model_id=exchange.target, request_id=exchange.request_id)


def _created(exchange: Exchange) -> int:
    return int(exchange.runtime.clock.now())


def _inspection(exchange: Exchange) -> Inspection:
    if exchange.inspection is None:
        raise DeveloperError("a request was answered before it was inspected")
    return exchange.inspection


def _blocked_message(exchange: Exchange, conversation: Conversation) -> str:
    input_message, output_message = exchange.snapshot.guardrail.messages(exchange.known()[2].guardrail)
    return output_message if conversation.source == "OUTPUT" else input_message


def _trace(exchange: Exchange) -> Json:
    inspected = _inspection(exchange)
    return assessment.trace(exchange.actions, guarded=inspected.guarded_characters, total=inspected.total_characters)


def frame(renderer: StreamRenderer, exchange: Exchange, event: Json) -> bytes:
    """The frame of one event; the last one carries the guardrail's trace when the caller asked for it."""
    if "metadata" in event and exchange.known()[0].trace:
        event = {"metadata": {**event["metadata"], "trace": {"guardrail": _trace(exchange)}}}
    return renderer.event(event)


def stream_renderer(exchange: Exchange) -> StreamRenderer:
    """What turns events into frames."""
    if exchange.operation is Operation.CONVERSE_STREAM:
        return converse.StreamRenderer()
    if exchange.operation is Operation.CHAT_STREAM:
        return openai_answer.StreamRenderer(
            model_id=exchange.target,
            request_id=exchange.request_id,
            created=_created(exchange),
            usage_wanted=exchange.known()[0].usage_wanted,
        )
    return invoke.StreamRenderer(exchange.target, exchange.request_id)
