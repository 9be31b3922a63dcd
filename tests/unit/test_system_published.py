"""What is published about the system file is generated, current and true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from caisson.detect.rules import credentials, pii
from caisson.system.document import parse
from caisson.system.entities import DETECTABLE, NATIONAL_TYPES, PII_TYPES
from caisson.system.json_schema import json_schema, published
from caisson.system.keys import names_at, walk
from caisson.system.loader import parse_system
from caisson.system.reference import reference
from system_files import minimal, text_of

ROOT = Path(__file__).parents[2]


def accepts(root: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:
    """An independent reading of the part of JSON Schema 2020-12 that the published schema uses."""
    known = {"$ref", "anyOf", "const", "enum", "type", "pattern", "minLength", "maxLength", "minimum", "maximum",
             "exclusiveMinimum", "items", "minItems", "maxItems", "properties", "required", "additionalProperties",
             "patternProperties", "propertyNames", "minProperties", "description", "default", "format", "$schema",
             "title", "$defs"}  # fmt: skip
    assert set(schema) <= known, set(schema) - known
    if "$ref" in schema and not accepts(root, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], value):
        return False
    if "anyOf" in schema and not any(accepts(root, option, value) for option in schema["anyOf"]):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    kind = schema.get("type")
    if kind and (not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return False
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None and schema.get("minLength", 0) <= len(
            value
        ) <= schema.get("maxLength", 10**9)
    if isinstance(value, int | float):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value) and value > schema.get(
            "exclusiveMinimum", float("-inf")
        )
    if isinstance(value, list):
        return schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**9) and all(
            accepts(root, schema.get("items", {}), item) for item in value
        )
    if isinstance(value, dict):
        return _accepts_mapping(root, schema, value)
    return True


def _accepts_mapping(root: dict[str, Any], schema: dict[str, Any], value: dict[str, Any]) -> bool:
    if not set(schema.get("required", ())) <= set(value) or len(value) < schema.get("minProperties", 0):
        return False
    for name, item in value.items():
        if "propertyNames" in schema and not accepts(root, schema["propertyNames"], name):
            return False
        rules = [schema["properties"][name]] if name in schema.get("properties", {}) else []
        rules += [rule for pattern, rule in schema.get("patternProperties", {}).items() if re.search(pattern, name)]
        if not rules and schema.get("additionalProperties") is False:
            return False
        if not rules and isinstance(schema.get("additionalProperties"), dict):
            rules = [schema["additionalProperties"]]
        if not all(accepts(root, rule, item) for rule in rules):
            return False
    return True


def test_the_published_files_are_current() -> None:
    assert (ROOT / "schema/caisson.schema.json").read_text() == published(), "run: python -m caisson.system.reference"
    assert (ROOT / "docs/system-file.md").read_text() == reference(), "run: python -m caisson.system.reference"


@pytest.mark.parametrize("example", ["claims", "full"])
def test_the_json_schema_accepts_the_examples(example: str) -> None:
    schema = json.loads((ROOT / "schema/caisson.schema.json").read_text())
    assert accepts(schema, schema, parse((ROOT / f"examples/{example}/caisson.yaml").read_text()).data)


@pytest.mark.parametrize(
    "changes",
    [
        {"nmae": "x"},
        {"tier": 5},
        {"tier": True},
        {"agents__helper__kind": "classic"},
        {"agents__helper__tasks": {}},
        {"models__Bad Name": {"id": "x"}},
        {"guardrails__main__pii": {"SHOE_SIZE": "block"}},
        {"sessions__duration": 30},
        {"sessions__duration": {"value": "1h"}},
        {"identity__local__users__me__uid": "root"},
    ],
    ids=str,
)
def test_the_json_schema_refuses_what_check_refuses(changes: dict[str, Any]) -> None:
    schema = json_schema()
    assert accepts(schema, schema, minimal())
    assert not accepts(schema, schema, minimal(**changes))
    assert parse_system(text_of(minimal(**changes)).encode(), name="f").system is None


def test_the_full_example_has_every_key() -> None:
    data = parse((ROOT / "examples/full/caisson.yaml").read_text()).data
    assert {key.pattern for key in walk()} - _patterns(data) == set()


def _patterns(value: Any, path: tuple[str, ...] = ()) -> set[str]:
    """The key patterns that a file states, found without the schema's walker: names tried against every `*`."""
    every = {key.pattern for key in walk()}
    found: set[str] = set()
    if isinstance(value, dict):
        for name, item in value.items():
            for part in (name, "*"):
                here = ".".join((*path, part))
                if here in every:
                    found.add(here)
                found |= _patterns(item, (*path, part))
    elif isinstance(value, list):
        for item in value:
            found |= _patterns(item, (*path[:-1], f"{path[-1]}[]"))
    return found


def test_the_documentation_s_example_runs() -> None:
    block = re.search(r"```yaml\n(.*?caisson: 1.*?)```", reference(), re.DOTALL)
    assert block
    system = parse_system(block[1].encode(), name="docs").require()
    loosening = re.search(r"```yaml\n(sessions:.*?)```", reference(), re.DOTALL)
    assert loosening
    stricter = block[1].replace("tier: 2", "tier: 3") + loosening[1]
    assert system.loosened == ()
    assert [found.key for found in parse_system(stricter.encode(), name="docs").require().loosened] == [
        "sessions.duration"
    ]


def test_pii_types_are_bedrock_s() -> None:
    model = botocore.session.get_session().get_service_model("bedrock")
    assert set(model.shape_for("GuardrailPiiEntityType").enum) == PII_TYPES
    assert DETECTABLE <= PII_TYPES | NATIONAL_TYPES


def test_up_accepts_exactly_the_types_that_have_a_rule() -> None:
    assert set(pii.PII) | set(credentials.BEDROCK_TYPES) == DETECTABLE


def test_names_at() -> None:
    assert names_at(("sessions",)) == ("duration", "tokens", "actions")
    assert "class" in names_at(("tools", "pay", "operations", "refund"))
    assert names_at(("guardrails", "main", "topics", 0)) == ("name", "definition", "examples")
    assert names_at(("agents",)) == ()
    assert names_at(("nowhere", "at", "all")) == ()
