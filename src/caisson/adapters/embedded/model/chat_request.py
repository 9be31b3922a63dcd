"""A request as an OpenAI chat completions body (OpenAI API reference: Create chat completion).

Documents and search results become text with their name. Reasoning of earlier turns and cache points have no place
there and stay out: they only save work. What would change the answer and has no place there is refused.

>>> turn = {"role": "user", "content": [{"text": "hi"}]}
>>> request = ModelRequest(request_id="r", model_id="m", system=(), messages=(turn,), output_tokens_max=9)
>>> body_of(request, model="m", stream=False)
{'model': 'm', 'messages': [{'role': 'user', 'content': 'hi'}], 'max_tokens': 9}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from caisson.adapters.embedded.model import failures
from caisson.ports.model import ModelRequest

Json = dict[str, Any]

_AUDIO_FORMATS = frozenset({"wav", "mp3"})
_SETTINGS = {"temperature": "temperature", "topP": "top_p", "topK": "top_k", "stopSequences": "stop"}
"""`top_k` is not OpenAI's own, but most compatible servers know it; one that does not refuses the request."""


def body_of(request: ModelRequest, *, model: str, stream: bool) -> Json:
    """The JSON body. `model` is the name that the server knows."""
    system = _text(request.system)
    messages: list[Json] = [{"role": "system", "content": system}] if system else []
    for message in request.messages:
        messages += _assistant(message["content"]) if message["role"] == "assistant" else _user(message["content"])
    body: Json = {"model": model, "messages": messages, "max_tokens": request.output_tokens_max}
    sampling = {**request.inference, **_sampling(request.additional)}
    body |= {name: sampling[key] for key, name in _SETTINGS.items() if key in sampling}
    if request.tools is not None:
        body |= _tools(request.tools)
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def _text(blocks: Iterable[Json]) -> str:
    return "\n\n".join(text for block in blocks if (text := _block_text(block)))


def _block_text(block: Json) -> str:
    if "text" in block:
        return str(block["text"])
    if "guardContent" in block:
        return str(block["guardContent"]["text"]["text"])
    if "document" in block:
        document = block["document"]
        context = f"\n{document['context']}" if "context" in document else ""
        return f"Document {document['name']!r}:{context}\n{document['source']['text']}"
    if "searchResult" in block:
        found = block["searchResult"]
        return f"Search result {found['title']!r} from {found['source']}:\n{_pieces(found['content'])}"
    if "citationsContent" in block:
        return _pieces(block["citationsContent"].get("content", ()))
    if "json" in block:
        return msgspec.json.encode(block["json"]).decode()
    return ""


def _pieces(pieces: Iterable[Json]) -> str:
    return "\n".join(piece["text"] for piece in pieces)


def _sampling(additional: Json) -> Json:
    """The settings of `additionalModelRequestFields` that have a name there."""
    for key in ("thinking", "reasoning_config", "reasoningConfig"):
        if additional.get(key, {}).get("type", "disabled") != "disabled":
            raise failures.cannot(f"additionalModelRequestFields.{key}")
    found = additional.get("top_k", additional.get("inferenceConfig", {}).get("topK"))
    return {} if found is None else {"topK": found}


def _media(content: list[Json]) -> list[Json]:
    """Images and recordings as parts of a message (OpenAI API reference: image and audio content parts)."""
    parts: list[Json] = []
    for block in content:
        ((kind, value),) = block.items()
        if kind == "image":
            url = f"data:image/{value['format']};base64,{value['source']['bytes']}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        elif kind == "audio" and value["format"] in _AUDIO_FORMATS:
            sound = {"data": value["source"]["bytes"], "format": value["format"]}
            parts.append({"type": "input_audio", "input_audio": sound})
        elif kind in ("video", "audio"):
            raise failures.cannot(f"{kind} of format {value['format']}")
    return parts


def _assistant(content: list[Json]) -> list[Json]:
    calls = [
        {
            "id": use["toolUseId"],
            "type": "function",
            "function": {"name": use["name"], "arguments": msgspec.json.encode(use["input"]).decode()},
        }
        for use in (block["toolUse"] for block in content if "toolUse" in block)
    ]
    text = _text(content)
    if calls:
        return [{"role": "assistant", "content": text or None, "tool_calls": calls}]
    return [{"role": "assistant", "content": text}] if text else []


def _user(content: list[Json]) -> list[Json]:
    # Results answer the calls of the message before, so they come first.
    results = [_result(block["toolResult"]) for block in content if "toolResult" in block]
    text, media = _text(content), _media(content)
    if media:
        said = [{"type": "text", "text": text}] if text else []
        return [*results, {"role": "user", "content": [*said, *media]}]
    return [*results, {"role": "user", "content": text}] if text else results


def _result(result: Json) -> Json:
    for item in result["content"]:
        if "image" in item or "video" in item:
            raise failures.cannot("images or video in tool results")
    return {"role": "tool", "tool_call_id": result["toolUseId"], "content": _text(result["content"])}


def _tools(config: Json) -> Json:
    functions = []
    for spec in (tool["toolSpec"] for tool in config["tools"] if "toolSpec" in tool):
        function = {"name": spec["name"], "parameters": spec["inputSchema"]["json"]}
        function |= {key: spec[key] for key in ("description", "strict") if key in spec}
        functions.append({"type": "function", "function": function})
    body: Json = {"tools": functions}
    choice = config.get("toolChoice", {})
    if "tool" in choice:
        body["tool_choice"] = {"type": "function", "function": {"name": choice["tool"]["name"]}}
    elif choice:
        body["tool_choice"] = "required" if "any" in choice else "auto"
    return body
