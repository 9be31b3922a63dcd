"""`caisson check --tool-schema FILE`: what `agents.*.client_tools` pins for the tools of a client.

The file holds a tool's JSON Schema, or a Converse `toolConfig` with the tools as the client sends them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

FILE_BYTES_MAX = 1_048_576


def show(file: Path, *, json_: bool) -> None:
    """Print it; exit 2 when the file holds neither."""
    import json

    from caisson.policy.arguments import Arguments, SchemaRefusedError
    from caisson.policy.client_tools import schema_sha256

    try:
        document = _read(file)
        tools = _tools(document)
        for schema in [document] if tools is None else tools.values():
            Arguments.of(schema)
        if tools is None:
            found: dict[str, Any] = {"schema_sha256": schema_sha256(document)}
        else:
            found = {name: {"schema_sha256": schema_sha256(schema)} for name, schema in tools.items()}
    except (OSError, ValueError, SchemaRefusedError) as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(2) from None
    if json_:
        typer.echo(json.dumps(found))
    elif tools is None:
        typer.echo(f"schema_sha256: {found['schema_sha256']}")
    else:
        typer.echo("client_tools:")
        for name, pin in found.items():
            typer.echo(f"  {name}: {{schema_sha256: {pin['schema_sha256']}}}")


def _read(file: Path) -> Any:
    import json

    with file.open("rb") as opened:
        raw = opened.read(FILE_BYTES_MAX + 1)
    if len(raw) > FILE_BYTES_MAX:
        raise ValueError(f"expected at most {FILE_BYTES_MAX:,} bytes, found more")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise ValueError("expected JSON, found something else") from None


def _tools(document: Any) -> dict[str, Any] | None:
    """Schemas by name when it is a `toolConfig`, None when it is a schema."""
    if not isinstance(document, dict) or not isinstance(document.get("tools"), list):
        return None
    try:
        specs = [tool["toolSpec"] for tool in document["tools"] if "toolSpec" in tool]
        return {str(spec["name"]): spec["inputSchema"]["json"] for spec in specs}
    except (KeyError, TypeError):
        raise ValueError("expected tools with toolSpec.name and toolSpec.inputSchema.json, found others") from None
