"""A tool's schema is taken or refused, and arguments are checked as JSON Schema says, in bounded time."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry

from caisson.policy import arguments
from caisson.policy.arguments import Arguments, SchemaRefusedError


def nested(levels: int, inner: Any = 1) -> Any:
    for _ in range(levels):
        inner = {"properties": {"a": inner}}
    return inner


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ([], "expected a JSON Schema"),
        ("x", "expected a JSON Schema"),
        ({"type": "nothing"}, "expected a sound JSON Schema"),
        ({"properties": []}, "expected a sound JSON Schema"),
        ({"$ref": "https://example.com/s.json"}, "complete in itself"),
        ({"$ref": "other.json#/a"}, "complete in itself"),
        ({"properties": {"a": {"$dynamicRef": "file:///etc/passwd"}}}, "complete in itself"),
        ({"$defs": {"$ref": "urn:x"}}, "complete in itself"),
        ({"$schema": "https://example.com/own"}, "a known draft"),
        ({"properties": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}}, "at the top alone"),
        ({"pattern": "(?=x)"}, "patterns that RE2 knows"),
        ({"pattern": "x" * 1_001}, "patterns of at most"),
        ({"patternProperties": {"(": {}}}, "patterns that RE2 knows"),
        ({"pattern": "(((a{1,100}){1,100}){1,100})"}, "patterns that RE2 knows"),
        ({"unevaluatedProperties": False}, "unevaluatedProperties"),
        (nested(40, {}), "nested at most"),
        ({"enum": ["x" * 70_000]}, "at most 65536 bytes"),
        ({"allOf": [{}] * 20_000}, "at most 2000 values"),
        ({"x": object()}, "expected a JSON Schema"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: Any, said: str) -> None:
    began = time.process_time()
    with pytest.raises(SchemaRefusedError, match=said) as refused:
        Arguments.of(schema)
    assert len(str(refused.value)) < 200
    assert time.process_time() - began < 2


@pytest.mark.parametrize("draft", sorted(arguments._DRAFTS))
def test_every_known_draft_is_taken(draft: str) -> None:
    for written in (draft, draft + "#"):
        taken = Arguments.of({"$schema": written, "type": "object", "required": ["a"]})
        assert taken.problem({"a": 1}) is None
        assert taken.problem({}) == "expected arguments that satisfy required, found others"


def doubling(levels: int) -> dict[str, Any]:
    """A schema whose evaluation doubles with each level."""
    twice = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**twice, f"a{levels}": {}}, "$ref": "#/$defs/a0"}


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        (doubling(40), {}, "bounded time"),
        ({"$ref": "#"}, {}, "can be applied"),
        ({"$ref": "#/$defs/none"}, {}, "can be applied"),
        ({"items": {"items": {"minimum": 1}}}, [[2] * 200] * 200, "bounded time"),
        ({}, nested(40, {}), "nested at most"),
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, {"a": "a" * 50_000 + "b"}, "properties/a/pattern"),
        ({"patternProperties": {"^(a+)+$": False}}, {"a" * 50_000 + "b": 1}, None),
        (
            {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
            {"a" * 50_000 + "b": 1},
            "additionalProperties",
        ),
        ({"uniqueItems": True}, [{"n": n} for n in range(20_000)], None),
        ({"patternProperties": {f"^a{n}b": {} for n in range(60)}}, {f"k{n}": 1 for n in range(3_000)}, "bounded time"),
        (
            {"patternProperties": {f"^a{n}b": {} for n in range(60)}, "additionalProperties": False},
            {f"a1b{n}": 1 for n in range(3_000)},
            "bounded time",
        ),
        ({"items": {"enum": [[0] * 20, *range(900)]}}, [899] * 4_000, "bounded time"),
        ({"uniqueItems": True}, [1, 1.0], "uniqueItems"),
        ({"uniqueItems": True}, [1, True], None),
        ({"multipleOf": 1e-300}, 1e300, "others"),
    ],
)
def test_what_would_take_long_is_given_up(schema: Any, value: Any, said: str | None) -> None:
    taken = Arguments.of(schema)
    began = time.process_time()
    problem = taken.problem(value)
    assert time.process_time() - began < 1
    assert (problem is None) if said is None else (said in (problem or ""))
    assert taken.problem(value) == problem  # the budget is a check's own


def test_patterns_of_a_schema_are_few() -> None:
    with pytest.raises(SchemaRefusedError, match="at most 64 patterns"):
        Arguments.of({"patternProperties": {f"^a{n}": {} for n in range(65)}})
    Arguments.of({"properties": {f"a{n}": {"pattern": "^[a-z]+$"} for n in range(200)}})  # the same one counts once


def test_a_problem_repeats_no_value() -> None:
    taken = Arguments.of({"additionalProperties": {"enum": ["allowed"]}, "properties": {"n": {"const": 1}}})
    for value in ({"SECRET": "SECRET"}, {"n": "SECRET"}):
        assert "SECRET" not in (taken.problem(value) or "SECRET")


names = st.sampled_from(["a", "b", "ab", "x1"])
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | names
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
leaves = st.one_of(
    st.just({}), st.booleans(),
    st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "number", "object", "array", "null"])}),
    st.fixed_dictionaries({"enum": st.lists(scalars, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"const": values}),
    st.fixed_dictionaries({"minimum": st.integers(-2, 2)}),
    st.fixed_dictionaries({"pattern": st.sampled_from(["^a", "b$", "[0-9]", "^(a|b)+$"])}),
    st.fixed_dictionaries({"required": st.lists(names, unique=True, max_size=2)}),
    st.fixed_dictionaries({"minItems": st.integers(0, 2), "uniqueItems": st.booleans()}),
)  # fmt: skip


def combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(names, inner, max_size=2)}),
        st.fixed_dictionaries(
            {"patternProperties": st.dictionaries(st.sampled_from(["^a", "1"]), inner, max_size=2)},
            optional={"additionalProperties": inner, "properties": st.dictionaries(names, inner, max_size=2)},
        ),
        st.fixed_dictionaries({"items": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"if": inner, "then": inner, "else": inner}),
        st.fixed_dictionaries({"propertyNames": inner}),
    )


schemas = st.recursive(leaves, combined, max_leaves=6).filter(lambda schema: isinstance(schema, dict))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(schema=schemas, value=values, seventh=st.booleans())
def test_it_decides_as_the_library_without_our_bounds(schema: dict[str, Any], value: Any, seventh: bool) -> None:
    plain: Any = Draft7Validator if seventh else Draft202012Validator
    named = {**schema, "$schema": plain.META_SCHEMA["$schema"]}
    assert (Arguments.of(named).problem(value) is None) == plain(named, registry=Registry()).is_valid(value)
