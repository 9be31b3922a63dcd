"""CountTokens (API_runtime_CountTokens): the estimate of policy/tokens.py over what the request would send.

>>> request = parse(b'{"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}}}', "m")
>>> render(request)
b'{"inputTokens":5}'
"""

from __future__ import annotations

import base64
import binascii

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from caisson.errors import Refusal
from caisson.policy.tokens import estimate_prompt_tokens, media_tokens
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import converse, invoke, schema
from caisson.zones.z2_runtime.dialects.shape import Shape, decode, parsed, refused
from caisson.zones.z2_runtime.operations import Operation


class ConverseInput(Shape):
    """The countable fields of a Converse request."""

    messages: schema.Messages
    system: schema.System | UnsetType = UNSET
    tool_config: schema.ToolConfig | UnsetType = UNSET
    additional_model_request_fields: schema.AdditionalFields | UnsetType = UNSET


class InvokeInput(Shape):
    """An InvokeModel body, base64."""

    body: str


class Input(Shape):
    """Union of the two."""

    converse: ConverseInput | UnsetType = UNSET
    invoke_model: InvokeInput | UnsetType = UNSET


class CountTokensRequest(Shape):
    """The body."""

    input: Input


_decoder = msgspec.json.Decoder(CountTokensRequest)
_encoder = msgspec.json.Encoder()


def parse(body: bytes, model_id: str) -> Conversation | Refusal:
    """The request to count, inspected like any other, or where and why it is refused."""
    return parsed(lambda: _conversation(decode(body, _decoder).input, model_id))


def _conversation(given: Input, model_id: str) -> Conversation:
    if given.converse is not UNSET and given.invoke_model is UNSET:
        fields = given.converse
        request = converse.ConverseRequest(
            messages=fields.messages, system=fields.system, tool_config=fields.tool_config
        )
        return converse.conversation(request, model_id, Operation.COUNT_TOKENS)
    if given.converse is not UNSET or given.invoke_model is UNSET:
        raise refused("input", "expected exactly one of converse and invokeModel; send one")
    try:
        body = base64.b64decode(given.invoke_model.body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise refused("input.invokeModel.body", "expected base64, found something else; encode the body") from error
    return replace(invoke.conversation(body, model_id, Operation.INVOKE_MODEL), operation=Operation.COUNT_TOKENS)


def render(request: Conversation) -> bytes:
    """The response body."""
    texts = [part.text for part in request.parts()]
    estimate = estimate_prompt_tokens(texts, len(request.messages)) + media_tokens(request.messages)
    return _encoder.encode({"inputTokens": estimate})
