"""Which tools of a client may be offered to the model (IAM-04).

A client tool runs at the client, so the gateway cannot stop what it does; it governs what the model is told and may ask
for. From tier 2 only tools that the agent declares, with exactly the schema that was agreed upon, are offered.

>>> schema_sha256({"type": "object"})
'a2c799262a3ce3c19ef5cdd983bf3d12b43ab3c426227091b909dcb7054738c0'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import rfc8785

from caisson.errors import Refusal, WireError
from caisson.policy.arguments import Arguments, SchemaRefusedError
from caisson.system.tools import ClientTool

Json = dict[str, Any]

DECLARED_FROM_TIER = 2


def schema_sha256(schema: Any) -> str:
    """SHA-256 of the schema's canonical JSON (RFC 8785), hex.

    Raises:
        SchemaRefusedError: canonical JSON has no form for it: a number beyond double precision.
    """
    try:
        return sha256(rfc8785.dumps(schema)).hexdigest()
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise SchemaRefusedError(
            "expected numbers that canonical JSON can write, found others; correct them"
        ) from error


def refusal(config: Json, agent: str, declared: Mapping[str, ClientTool], tier: int) -> Refusal | None:
    """Why the first tool of a Converse `toolConfig` that the agent does not declare as it is, is refused."""
    for path, spec in _specs(config):
        if tier >= DECLARED_FROM_TIER and spec["name"] not in declared:
            return _refused(
                WireError.ACCESS_DENIED,
                "tools.undeclared",
                f"{path}.name: expected a tool that agents.{agent}.client_tools declares, found another; leave it out.",
            )
        try:
            if tool := declared.get(spec["name"]):
                found = schema_sha256(spec["inputSchema"]["json"])
                if found != tool.schema_sha256:
                    return _refused(
                        WireError.ACCESS_DENIED,
                        "tools.schema",
                        f"{path}.inputSchema: expected the schema with SHA-256 {tool.schema_sha256} that "
                        f"agents.{agent}.client_tools pins, found {found}; send that schema or pin this one.",
                    )
                if tool.description is not None and spec.get("description") != tool.description:
                    return _refused(
                        WireError.ACCESS_DENIED,
                        "tools.description",
                        f"{path}.description: expected the words that agents.{agent}.client_tools states, found "
                        "others; send those.",
                    )
        except SchemaRefusedError as error:
            return _refused(WireError.VALIDATION, "tools.schema", f"{path}.inputSchema.json: {error}.")
    return None


def unusable(config: Json) -> Refusal | None:
    """Why the first schema that no arguments could be checked against is refused. After inspection, which may mask."""
    for path, spec in _specs(config):
        try:
            Arguments.of(spec["inputSchema"]["json"])
        except SchemaRefusedError as error:
            return _refused(WireError.VALIDATION, "tools.schema", f"{path}.inputSchema.json: {error}.")
    return None


def offered(config: Json | None) -> dict[str, Arguments]:
    """What the model may ask for, by name. For what `unusable` found usable."""
    return {spec["name"]: Arguments.of(spec["inputSchema"]["json"]) for _, spec in _specs(config or {})}


def restored(arguments: Any, declared: ClientTool | None, values: Mapping[str, str]) -> Any:
    """The arguments with the user's own values where the tool declares their type. A value goes back only when its
    pseudonym is all there is of the argument, and never below the top level.

    Args:
        arguments: as inspected.
        declared: the tool in the system file.
        values: pseudonym to value, of the user's own words in this request.
    """
    if declared is None or not declared.restore or not isinstance(arguments, dict):
        return arguments
    return {key: _restored(item, declared.restore.get(key), values) for key, item in arguments.items()}


def _restored(item: Any, kind: str | None, values: Mapping[str, str]) -> Any:
    if kind is None or not isinstance(item, str) or item not in values:
        return item
    stands_for = item[1:].rpartition("_")[0]
    return values[item] if stands_for == kind.upper().replace("-", "_") else item


def _specs(config: Json) -> Iterator[tuple[str, Json]]:
    for index, tool in enumerate(config.get("tools", ())):
        if "toolSpec" in tool:
            yield f"toolConfig.tools[{index}].toolSpec", tool["toolSpec"]


def _refused(error: WireError, rule: str, message: str) -> Refusal:
    return Refusal(error=error, rule=rule, message=message)
