"""The JSON Schema (draft 2020-12) that editors use, generated from the models: what `check` accepts in form, no more.

- A key with a tier default is never required, and may be written `{value: …, because: …}`.
- What a schema cannot say (references, contradictions, what a tier allows) only `caisson check` says.
"""

from __future__ import annotations

import json
from typing import Any

from caisson.system.keys import Key, walk
from caisson.system.resolve import ALWAYS, BECAUSE_CHARACTERS_MAX
from caisson.system.schema import File
from caisson.system.tiers import DEFAULTS, Default

SCHEMA_NAME = "caisson.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema as JSON values."""
    root = File.model_json_schema()
    for section in (root, *root["$defs"].values()):
        section.pop("title", None)
        section["required"] = [name for name in section.get("required", ()) if name not in ALWAYS]
        for found in section["properties"].values():
            _tidy(found)
    for key in walk():
        row = tier_default(key)
        if row is not None:
            section = property_section(root, key)
            name = key.name
            section["properties"][name] = _loosenable(section["properties"][name], row)
            section["required"] = [other for other in section["required"] if other != name]
    return {"$schema": DIALECT, "title": "Caisson system file", **root}


def published() -> str:
    """The schema's file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def property_section(root: dict[str, Any], key: Key) -> dict[str, Any]:
    """The part of the schema that describes the section around a key."""
    section: dict[str, Any] = root if key.section is File else root["$defs"][key.section.__name__]
    return section


def tier_default(key: Key) -> Default | None:
    """The row of the tier table for a key, if it has one."""
    return next((row for row in DEFAULTS if row.key == key.pattern), None)


def _tidy(found: dict[str, Any]) -> None:
    """Take out what only pydantic needs: titles, and `null` for keys that may be left out."""
    found.pop("title", None)
    if "patternProperties" in found:
        found["additionalProperties"] = False
    options = found.get("anyOf", [])
    if {"type": "null"} in options:
        options.remove({"type": "null"})
        found.pop("default", None)
        if len(options) == 1:
            found.pop("anyOf")
            found.update(options[0])


def _loosenable(found: dict[str, Any], row: Default) -> dict[str, Any]:
    value = {name: part for name, part in found.items() if name != "description"}
    reason = {"type": "string", "minLength": 1, "maxLength": BECAUSE_CHARACTERS_MAX}
    return {
        "description": f"{found['description']} Tiers 1 to 4: {', '.join(map(str, row.tiers))}.",
        "anyOf": [
            value,
            {
                "type": "object",
                "properties": {"value": value, "because": reason},
                "required": ["value", "because"],
                "additionalProperties": False,
            },
        ],
    }
