"""Whether a tool call's arguments are what the tool's JSON Schema says, in bounded time.

The schema is a client's and the arguments a model's: both hostile.
- A schema is taken only when it is sound, of a known draft and complete in itself: a reference leads nowhere else.
- Every keyword that is evaluated counts, and patterns run in linear time (RE2). What would take longer is given up.

>>> arguments = Arguments.of({"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]})
>>> arguments.problem({"day": 1})
'expected arguments that satisfy properties/day/type, found others'
>>> arguments.problem({"day": "Monday"}) is None
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import re2
from jsonschema import Draft4Validator, Draft6Validator, Draft7Validator, Draft201909Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY as SPECIFICATIONS
from referencing import Registry
from referencing.exceptions import Unresolvable

Json = Any

SCHEMA_BYTES_MAX = 65_536
"""Of a schema as JSON."""
NESTING_MAX = 32
"""Levels of a schema and of arguments."""
EVALUATIONS_MAX = 10_000
"""Keywords evaluated for one call's arguments, a few tens of milliseconds."""
STEPS_A_KEYWORD = 10
"""Comparisons inside a keyword that take as long as evaluating another one."""
PATTERNS_MAX = 64
"""Different patterns in a schema; so that those of several schemas are kept ready."""
PATTERN_CHARACTERS_MAX = 1_000
PATTERN_MEMORY_BYTES_MAX = 1 << 20
KNOWN_MAX = 256
"""Schemas that are kept ready."""
RULE_SHOWN_MAX = 100
"""Characters of the schema's rule that a problem names."""
SCHEMA_VALUES_MAX = 2_000
"""Values in a schema, of any kind: bounds the time that finding it sound takes, once for each that is kept ready."""
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_ELSEWHERE = "expected a schema that is complete in itself, found a reference to elsewhere; write it out"


class _TooMuchWorkError(Exception):
    """The evaluation was given up."""


class SchemaRefusedError(ValueError):
    """The schema cannot be used; the text says why, without repeating it."""


class Arguments:
    """A tool's schema, ready to check arguments."""

    def __init__(self, validator: Any, schema: Json) -> None:
        self._budget = _Budget()
        self._checker = _counted(validator, self._budget)(schema, registry=Registry())

    @classmethod
    def of(cls, schema: Json) -> Arguments:
        """Take a schema.

        Raises:
            SchemaRefusedError: it is not sound, too large or not complete.
        """
        try:
            return _ready(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS))
        except (orjson.JSONEncodeError, RecursionError) as error:
            raise SchemaRefusedError("expected a JSON Schema, found something else; correct it") from error

    def problem(self, value: Json) -> str | None:
        """What is wrong with the arguments: place and keyword, never a value. None when nothing is."""
        if deeper(value, NESTING_MAX):
            return f"expected arguments nested at most {NESTING_MAX} levels, found more"
        self._budget.left = EVALUATIONS_MAX * STEPS_A_KEYWORD
        try:
            error = next(self._checker.iter_errors(value), None)
        except _TooMuchWorkError:
            return "expected arguments that can be checked in bounded time, found others"
        except (Unresolvable, RecursionError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError):
            return "expected arguments that the schema can be applied to, found others"
        if error is None:
            return None
        rule = "/".join(map(str, error.absolute_schema_path))
        return f"expected arguments that satisfy {rule[:RULE_SHOWN_MAX]}, found others"


@lru_cache(maxsize=KNOWN_MAX)
def _ready(encoded: bytes) -> Arguments:
    if len(encoded) > SCHEMA_BYTES_MAX:
        raise SchemaRefusedError(f"expected a schema of at most {SCHEMA_BYTES_MAX} bytes, found more; shorten it")
    schema = orjson.loads(encoded)
    if not isinstance(schema, dict):
        raise SchemaRefusedError("expected a JSON Schema, found something else; correct it")
    if deeper(schema, NESTING_MAX):
        raise SchemaRefusedError(f"expected a schema nested at most {NESTING_MAX} levels, found more; flatten it")
    validator = _DRAFTS.get(str(schema.get("$schema", _LATEST)).rstrip("#"))
    if validator is None:
        raise SchemaRefusedError("expected a known draft of JSON Schema in $schema, found another; use 2020-12")
    schema = _without_draft(schema)
    _refuse_references(schema)
    unsound = next(validator(validator.META_SCHEMA, registry=SPECIFICATIONS).iter_errors(schema), None)
    if unsound is not None:
        raise SchemaRefusedError("expected a sound JSON Schema, found one that its draft does not allow; correct it")
    return Arguments(validator, schema)


def _without_draft(schema: Json) -> Json:
    """The schema without `$schema`, at which the library would go on with a validator of its own, uncounted."""
    return {key: value for key, value in schema.items() if key != "$schema"}


def _refuse_references(schema: Json) -> None:
    """No reference out of the schema, no draft inside it, and only patterns that run in linear time."""
    waiting, seen, patterns = [schema], 0, set[str]()
    while waiting:
        node, seen = waiting.pop(), seen + 1
        if seen > SCHEMA_VALUES_MAX:
            raise SchemaRefusedError(f"expected a schema of at most {SCHEMA_VALUES_MAX} values, found more; shorten it")
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in _REFERENCES and not (isinstance(value, str) and value.startswith("#")):
                    raise SchemaRefusedError(_ELSEWHERE)
                if key == "$schema":
                    raise SchemaRefusedError("expected $schema at the top alone, found another inside; remove it")
                if key == "pattern" and isinstance(value, str):
                    patterns.add(value)
                elif key == "patternProperties" and isinstance(value, dict):
                    patterns.update(value)
                elif key == "unevaluatedProperties":
                    raise SchemaRefusedError("expected additionalProperties, found unevaluatedProperties; rewrite it")
                waiting.append(value)
    if len(patterns) > PATTERNS_MAX:
        raise SchemaRefusedError(f"expected a schema of at most {PATTERNS_MAX} patterns, found more; simplify it")
    for pattern in patterns:
        _compiled(pattern)


@lru_cache(maxsize=KNOWN_MAX)
def _compiled(pattern: str) -> Any:
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise SchemaRefusedError(
            f"expected patterns of at most {PATTERN_CHARACTERS_MAX} characters, found a longer one"
        )
    options = re2.Options()
    options.max_mem, options.log_errors = PATTERN_MEMORY_BYTES_MAX, False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise SchemaRefusedError("expected patterns that RE2 knows, found another; simplify it") from error


def deeper(value: Json, levels: int) -> bool:
    """Whether a value is nested more deeply, without recursion."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [
            item
            for node in layer
            if isinstance(node, dict | list)
            for item in (node.values() if isinstance(node, dict) else node)
        ]
        if not layer:
            return False
    return True


Keyword = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]


@dataclass(kw_only=True)
class _Budget:
    left: int = 0
    """Steps that may still be taken."""


def _counted(validator: Any, budget: _Budget) -> Any:
    """The validator, whose keywords count and whose costly ones are replaced. A check runs at once, never two."""

    def counting(name: str, keyword: Keyword) -> Keyword:
        def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
            budget.left -= STEPS_A_KEYWORD + _steps(name, value, instance, schema)
            if budget.left < 0:
                raise _TooMuchWorkError
            yield from keyword(validator, value, instance, schema) or ()

        return counted

    keywords = {name: counting(name, _LINEAR.get(name, keyword)) for name, keyword in validator.VALIDATORS.items()}
    return extend(validator, keywords)


def _steps(name: str, value: Any, instance: Any, schema: Any) -> int:
    """Comparisons inside a keyword, which its own count does not show."""
    if name == "patternProperties" and isinstance(value, dict) and isinstance(instance, dict):
        return len(value) * len(instance)
    if name == "additionalProperties" and isinstance(instance, dict):
        return len(instance) * (1 + len(schema.get("patternProperties", ())))
    if name in ("enum", "required") and isinstance(value, list):
        return len(value)
    if name == "uniqueItems" and isinstance(instance, list):
        return len(instance)
    return 0


def _pattern(_validator: Any, pattern: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _compiled(pattern).search(instance):
        yield ValidationError("pattern")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for pattern, below in patterns.items():
            for key, value in instance.items():
                if _compiled(pattern).search(key):
                    yield from validator.descend(value, below, path=key, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    patterns = [_compiled(pattern) for pattern in schema.get("patternProperties", {})]
    for key, value in instance.items():
        if key in schema.get("properties", {}) or any(pattern.search(key) for pattern in patterns):
            continue
        if isinstance(allowed, dict):
            yield from validator.descend(value, allowed, path=key)
        elif not allowed:
            yield ValidationError("additionalProperties")


def _unique_items(_validator: Any, unique: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if unique and isinstance(instance, list):
        seen = {orjson.dumps(_numbers_alike(item), option=orjson.OPT_SORT_KEYS) for item in instance}
        if len(seen) < len(instance):
            yield ValidationError("uniqueItems")


def _numbers_alike(value: Json) -> Json:
    """JSON Schema takes 1.0 for 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_numbers_alike(item) for item in value]
    if isinstance(value, dict):
        return {key: _numbers_alike(item) for key, item in value.items()}
    return value


_LINEAR: Mapping[str, Keyword] = {
    "additionalProperties": _additional_properties, "pattern": _pattern, "patternProperties": _pattern_properties,
    "uniqueItems": _unique_items,
}  # fmt: skip
"""Keywords whose work does not show in their number: patterns of Python backtrack, and items compared in pairs."""
_LATEST = "https://json-schema.org/draft/2020-12/schema"
_DRAFTS: Mapping[str, Any] = {
    "http://json-schema.org/draft-04/schema": Draft4Validator,
    "http://json-schema.org/draft-06/schema": Draft6Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    _LATEST: Draft202012Validator,
}
