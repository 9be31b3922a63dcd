"""A request as Converse takes it (API_runtime_Converse), rebuilt block by block.

- A caller's guard tags would decide what the guardrail sees (one tagged block hides all others), so tagged text becomes
  text. A caller's guardrail settings never get this far; the pinned guardrail goes along with its whole trace.
- Documents go as the text that was inspected, in a text format. Their names keep to what Bedrock allows, masked or not.
- `requestMetadata` names the session and a pseudonym of the user, for invocation logs on AWS; never the name.

>>> path_of("eu.amazon.nova-lite-v1:0", stream=False)
'/model/eu.amazon.nova-lite-v1%3A0/converse'
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote

from caisson.policy.prices import base_model
from caisson.ports.model import ModelRequest, PinnedGuardrail

Json = dict[str, Any]

LABEL_CHARACTERS_MAX = 256
"""Of a value in `requestMetadata` (botocore: RequestMetadataValueString)."""

_NOT_IN_DOCUMENT_NAME = re.compile(r"[^a-zA-Z0-9\-()\[\] ]")
_SPACES = re.compile(r" {2,}")
_NOT_IN_LABEL = re.compile(r"[^a-zA-Z0-9\s:_@$#=/+,\-.]")


def path_of(model_id: str, *, stream: bool) -> str:
    """The path, with the id percent-encoded once: a colon or slash in it is no part of the path."""
    return f"/model/{quote(model_id, safe='-._~')}/{'converse-stream' if stream else 'converse'}"


def body_of(request: ModelRequest, *, user: str, stream: bool) -> Json:
    """The JSON body. `user` is the pseudonym."""
    body: Json = {
        "messages": [{"role": turn["role"], "content": _blocks(turn["content"])} for turn in request.messages],
        "inferenceConfig": {"maxTokens": request.output_tokens_max},
        "requestMetadata": {
            "caisson-request": _label(request.request_id),
            "caisson-session": _label(request.session_id),
            "caisson-user": _label(user),
        },
    }
    if request.system:
        body["system"] = _blocks(request.system)
    inference = dict(request.inference)
    additional = dict(request.additional)
    if "topK" in inference:
        additional |= _top_k(request.model_id, inference.pop("topK"))
    if additional:
        body["additionalModelRequestFields"] = additional
    body["inferenceConfig"] |= inference
    if request.tools is not None:
        body["toolConfig"] = request.tools
    if request.guardrail is not None:
        body["guardrailConfig"] = guardrail_config(request.guardrail, stream=stream)
    return body


def guardrail_config(pin: PinnedGuardrail, *, stream: bool) -> Json:
    """The pinned guardrail. A stream waits for it: `async` would let text out before it was looked at."""
    config = {
        "guardrailIdentifier": pin.identifier,
        "guardrailVersion": pin.version,
        "trace": "enabled_full",
    }
    return {**config, "streamProcessingMode": "sync"} if stream else config


def _blocks(content: Any) -> list[Json]:
    return [_block(block) for block in content]


def _block(block: Json) -> Json:
    if "guardContent" in block:
        return {"text": block["guardContent"]["text"]["text"]}
    if "document" in block:
        return {"document": _document(block["document"])}
    if "toolResult" in block:
        result = block["toolResult"]
        return {"toolResult": {**result, "content": _blocks(result["content"])}}
    return block


def _document(document: Json) -> Json:
    name = _SPACES.sub(" ", _NOT_IN_DOCUMENT_NAME.sub("-", document["name"])).strip()
    text = document["source"]["text"].encode("utf-8", "replace")
    sent = {
        "name": name or "document",
        "format": document.get("format", "txt"),
        "source": {"bytes": base64.b64encode(text).decode()},
    }
    return {**sent, "context": document["context"]} if "context" in document else sent


def _top_k(model_id: str, value: object) -> Json:
    """Converse has no such setting of its own (Bedrock User Guide: inference parameters by model)."""
    if base_model(model_id)[1].startswith("amazon.nova"):
        return {"inferenceConfig": {"topK": value}}
    return {"top_k": value}


def _label(text: str) -> str:
    return _NOT_IN_LABEL.sub("_", text)[:LABEL_CHARACTERS_MAX]
