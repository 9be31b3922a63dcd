"""What exists in the API and is refused: one reason for each name, so that a caller reads what to do about it.

A key is a field's name, with the fields around it where the name alone means several things, or `field=value` for a
value of a closed vocabulary. The longest key that fits decides. tests/unit/test_surface.py walks botocore's service
model and fails for every member that neither schema.py carries nor this table names.

>>> reason("messages[0].content[0].toolUse", "type")
'tools that the service runs itself are not governed by the system file, so they are refused; remove it'
>>> reason("", "surprise") is None
True
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_INDEX = re.compile(r"\[[^\]]*\]")

_SERVER_TOOL = "tools that the service runs itself are not governed by the system file, so they are refused; remove it"
_ELSEWHERE = "content that lies elsewhere cannot be inspected, so it is refused; send its bytes"
_OF_ANSWERS = "only answers carry it, so it is refused; remove it"
_NOT_CITING = "answers with citations are not produced by this version, so it is refused; set it to false or remove it"
_FILE_DECIDES = "the system file decides which model answers and how it is served, so it is refused; remove it"
_PROMPTS = "stored prompts would reach the model uninspected, so they are refused; send the messages themselves"
_OPAQUE = "encrypted content cannot be inspected, so it is refused; leave the block out"
_TOOLS_MIDWAY = "tools are offered by toolConfig alone, so that all of them are governed; this is refused; leave it out"
_SETTING = "this setting is not supported by this version, so it is refused; remove it"
_CONTENT = "this kind of content is not inspected by this version, so it is refused; send text"
_OUTPUT_FORM = "a form of the answer cannot be asked for in this version, so it is refused; describe it in the prompt"
_GUARD_IMAGE = "the guardrail reads text only, so it is refused; leave the image out"
_SYSTEM_TURN = "instructions stand in the field system alone, so it is refused; move the text there"

REFUSED: Mapping[str, str] = {
    # Converse and ConverseStream
    "role=system": _SYSTEM_TURN,
    "source.s3Location": _ELSEWHERE,
    "image.error": _OF_ANSWERS,
    "audio.error": _OF_ANSWERS,
    "guardContent.image": _GUARD_IMAGE,
    "reasoningContent.redactedContent": _OPAQUE,
    "citations.enabled": _NOT_CITING,
    "toolUse.type": _SERVER_TOOL,
    "toolResult.type": _SERVER_TOOL,
    "tools.systemTool": _SERVER_TOOL,
    "content.toolAddition": _TOOLS_MIDWAY,
    "content.toolRemoval": _TOOLS_MIDWAY,
    "promptVariables": _PROMPTS,
    "additionalModelResponseFieldPaths": "fields beside the answer are not inspected, so they are refused; remove it",
    "performanceConfig": _FILE_DECIDES,
    "serviceTier": _FILE_DECIDES,
    "outputConfig": _OUTPUT_FORM,
    # ApplyGuardrail
    "content.image": _CONTENT,
    # InvokeModel, Claude: kinds of content stand as values of `type`
    "type=redacted_thinking": _OPAQUE,
    "type=search_result": "a search result is sent through Converse in this version; use Converse",
    "type=server_tool_use": _SERVER_TOOL,
    "type=web_search_tool_result": _SERVER_TOOL,
    "type=url": _ELSEWHERE,
    "type=file": _ELSEWHERE,
    "content.citations": _NOT_CITING,
    "tools.type": _SERVER_TOOL,
    "anthropic_beta": _SETTING,
    "container": _SETTING,
    "context_management": _SETTING,
    "mcp_servers": _SERVER_TOOL,
    "metadata": _SETTING,
    "model": _FILE_DECIDES,
    "output_config": _OUTPUT_FORM,
    "service_tier": _FILE_DECIDES,
    "stream": "the operation decides whether the answer streams, so it is refused; remove it",
}
"""Reason by name. No reason repeats a value."""


def reason(path: str, name: str, value: str | None = None) -> str | None:
    """Why the field `name` below `path`, or its value, is refused; None when the API has no such name."""
    place = _INDEX.sub("", f"{path}.{name}" if path else name)
    if value is not None:
        place += f"={value}"
    parts = place.split(".")
    for start in range(len(parts)):
        if found := REFUSED.get(".".join(parts[start:])):
            return found
    return _SETTING if "additionalModelRequestFields" in parts[:-1] else None
