"""Where a prompt cache may begin (DESIGN, Caching).

What lies before a cache point is shared by every request that begins alike, so how long an answer takes tells whether
somebody asked the same before. From tier 3 only text that the system file pins may lie there: tools whose schema and
description the agent declares. System prompts and messages are the caller's.

>>> refusal((), ({"content": [{"cachePoint": {"type": "default"}}]},), None, {}, 3).rule
'cache.point'
>>> refusal((), ({"content": [{"cachePoint": {"type": "default"}}]},), None, {}, 2) is None
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from caisson.errors import Refusal, WireError
from caisson.system.tools import ClientTool

Json = dict[str, Any]

PINNED_FROM_TIER = 3


def refusal(
    system: Sequence[Json],
    messages: Sequence[Json],
    tools: Json | None,
    declared: Mapping[str, ClientTool],
    tier: int,
) -> Refusal | None:
    """Why the first cache point behind text that the file does not pin is refused.

    Args:
        system: Converse `system` blocks.
        messages: Converse `messages`.
        tools: Converse `toolConfig`.
        declared: the agent's `client_tools`. What a request offers has been compared with it.
        tier: of the system.
    """
    if tier < PINNED_FROM_TIER:
        return None
    pinned = True
    for index, tool in enumerate(tools["tools"] if tools is not None else ()):
        if "cachePoint" not in tool:
            own = declared.get(tool["toolSpec"]["name"])
            pinned = pinned and own is not None and own.description is not None
        elif not pinned:
            return _refused(f"toolConfig.tools[{index}]", "state the description of each tool in client_tools")
    for index, block in enumerate(system):
        if "cachePoint" in block:
            return _refused(f"system[{index}]", "leave it out")
    for number, message in enumerate(messages):
        for index, block in enumerate(message["content"]):
            if "cachePoint" in block:
                return _refused(f"messages[{number}].content[{index}]", "leave it out")
    return None


def _refused(path: str, remedy: str) -> Refusal:
    return Refusal(
        error=WireError.VALIDATION,
        rule="cache.point",
        message=f"{path}.cachePoint: expected one behind text that the system file pins, found other text before it; "
        f"{remedy}.",
    )
