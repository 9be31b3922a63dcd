"""The reference of the system file, generated from the models, so that it cannot be wrong (docs/system-file.md).

`python -m caisson.system.reference` writes it and the JSON Schema anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from caisson.system.carriers import Carried, Carrier
from caisson.system.entities import DETECTABLE
from caisson.system.json_schema import SCHEMA_NAME, json_schema, property_section, published, tier_default
from caisson.system.keys import Key, walk
from caisson.system.tiers import DEFAULTS, FACTS

OPTIONS_SHOWN_MAX = 6
"""Allowed values that the table lists."""

_HEAD = """# The system file

`caisson.yaml` is all that a user writes. It states what the system is; the tier decides everything it does not state.

```yaml
# yaml-language-server: $schema=caisson.schema.json
caisson: 1
name: claims-assistant
tier: 2
identity:
  local: {users: {alice: {uid: owner, groups: [adjusters]}}}
  groups: {adjusters: {}}
models:
  assistant: {id: anthropic.claude-sonnet-4-5-20250929-v1:0}
guardrails:
  main: {pii: {EMAIL: pseudonymise}}
agents:
  claims: {model: assistant, guardrail: main, tasks: {answer: {}}}
```

- `caisson init` writes one to start from, with a JSON Schema beside it for the editor.
- `caisson check` shows what a file resolves to.
- Unknown keys, references that lead nowhere and contradictions are errors, reported together:
  `file:line:column: expected …, found …`.
- It is plain YAML 1.2 of at most 1 MiB: no anchors, aliases, merge keys, tags or duplicate keys. What is written is
  what is read.

## Loosening a default

A value that lets through more than the tier's default needs a reason. Write it in place of the value:

```yaml
sessions:
  duration: {value: 1h, because: claims with many documents take longer than half an hour}
```

A tighter value stands alone. A reason for a value that loosens nothing is an error. Everything loosened is listed by
`check`, in the start table of `up` and in the evidence. A guardrail that only detects (`mode: detect`) is loosened too:
it needs `because` and `until`, and credentials are acted on all the same.

## What carries a key

Each key is for `up` (one machine), for `synth` (AWS) or for both. `up` refuses a file with a key that it should carry
and does not run yet, by name and line; keys for the other command do not concern it. A key that says nothing (an empty
list or mapping) asks for nothing.

`synth` writes templates zone by zone ([deployment](deploy.md)). A key that only a zone without templates reads waits:
`synth` takes the file, and lists the key as without effect yet. What neither command runs is refused by both.
"""


def reference() -> str:
    """The document."""
    return "\n".join([_HEAD, *_tier_table(), *_fact_table(), *_key_table(), *_pii_list()]) + "\n"


def _tier_table() -> list[str]:
    rows = [
        f"| `{row.key}` | {' | '.join(map(str, row.tiers))} | {row.looser.__doc__} | {row.control} |"
        for row in DEFAULTS
    ]
    head = ["| key | tier 1 | tier 2 | tier 3 | tier 4 | looser | control |", "|---|---|---|---|---|---|---|"]
    return ["## Defaults by tier", "", *head, *rows, ""]


def _fact_table() -> list[str]:
    rows = [f"| {fact.meaning} | {' | '.join(map(str, fact.tiers))} | {fact.control} |" for fact in FACTS]
    head = [
        "No file changes these.",
        "",
        "| fact | tier 1 | tier 2 | tier 3 | tier 4 | control |",
        "|---|---|---|---|---|---|",
    ]
    return ["## Facts of a tier", "", *head, *rows, ""]


def _key_table() -> list[str]:
    root = json_schema()
    rows = [
        f"| `{key.pattern}` | {_type(root, property_section(root, key)['properties'][key.name])} | {_default(key)} "
        f"| {_carrier(key.carried)} | {(key.field.description or '').replace('|', '&#124;')} |"
        for key in walk()
    ]
    head = [
        "`*` stands for a name of yours, `[]` for each item of a list.",
        "",
        "| key | type | default | carrier | meaning |",
    ]
    return ["## Every key", "", *head, "|---|---|---|---|---|", *rows, ""]


def _pii_list() -> list[str]:
    return [
        "## Types of personal data that `up` detects",
        "",
        "Those with a form that can be checked; it refuses Bedrock's other types by name until they have a detector.",
        "",
        ", ".join(f"`{name}`" for name in sorted(DETECTABLE)),
    ]


def _default(key: Key) -> str:
    row = tier_default(key)
    if row is not None:
        return "by tier"
    if key.field.default is PydanticUndefined:
        return "required" if key.field.is_required() and key.pattern not in ("sessions", "limits") else "none"
    empty = key.field.default is None or key.field.default == () or not isinstance(key.field.default, str | int | float)
    return "none" if empty else f"`{key.field.default}`"


def _carrier(mark: Carried) -> str:
    def state(name: Carrier) -> str:
        if name in mark.built:
            return f"`{name}`"
        return f"`{name}` (waits)" if mark.waits and name == "synth" else f"`{name}` (not built)"

    return ", ".join(state(name) for name in mark.by)


def _type(root: dict[str, Any], found: dict[str, Any]) -> str:
    """A property of the JSON Schema in words."""
    if "anyOf" in found:
        forms = [option for option in found["anyOf"] if "because" not in option.get("properties", {})]
        return " or ".join(_type(root, form) for form in forms)
    if "$ref" in found:
        return _type(root, root["$defs"][found["$ref"].rsplit("/", 1)[1]])
    if "const" in found:
        return f"`{found['const']}`"
    if "enum" in found:
        some = ", ".join(f"`{option}`" for option in found["enum"][:OPTIONS_SHOWN_MAX])
        return some + (", …" if len(found["enum"]) > OPTIONS_SHOWN_MAX else "")
    if found.get("type") == "array":
        return f"list of {_type(root, found['items'])}"
    if found.get("type") == "object":
        inside = next(iter(found.get("patternProperties", {}).values()), None) or found.get("additionalProperties")
        return f"names, each {_type(root, inside)}" if inside else "mapping"
    words = {"string": "text", "integer": "whole number", "number": "number"}
    return words.get(str(found.get("type")), "value")


def main() -> None:
    """Write the document and the JSON Schema of a checkout, from its root."""
    Path("docs/system-file.md").write_text(reference(), encoding="utf-8")
    Path("schema", SCHEMA_NAME).write_text(published(), encoding="utf-8")


if __name__ == "__main__":
    main()
