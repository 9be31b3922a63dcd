"""What the schema finds wrong, in the words of the file: `expected …, found …`, at the line where it stands.

>>> suggestion("gaurdrail", ("guardrail", "model"))
"; did you mean 'guardrail'?"
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from caisson.system.carriers import Path, dotted
from caisson.system.document import Document, Problem, shown
from caisson.system.keys import names_at

KEYS_SHOWN_MAX = 12
"""Names that a message lists when one of them was expected."""
UNSHOWN = frozenset({"credential"})
"""Keys next to which people paste secrets: what was found there is not repeated."""
CLASSIC_CLOSED = (
    "expected an agent that Caisson runs, found kind: classic; Bedrock Agents Classic refuses new agents in accounts "
    "without recent use since 2026-07-30, so leave kind out"
)
"""AWS-FACTS A1 (Bedrock user guide, agents-classic-maintenance-mode)."""

_EXPECTED = {
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "expected": "{expected}",
}
"""Pydantic's error types in our words; a test shows that every type the schema can raise is here."""


def suggestion(found: str, known: Iterable[str]) -> str:
    """What was probably meant."""
    near = difflib.get_close_matches(found[:100], list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def from_schema(error: ValidationError, document: Document, data: Any) -> list[Problem]:
    """The problems that the schema reports about `data`, the document's data with defaults stated."""
    return [_problem(details, document, data) for details in error.errors(include_url=False, include_input=False)]


def _problem(details: ErrorDetails, document: Document, data: Any) -> Problem:
    path: Path = details["loc"]
    if path and path[-1] == "[key]" and path not in document.keys:
        path = path[:-1]
        return _at_key(document, path, f"{_expected(details)}, found {shown(path[-1])}{_meant(path[-1], details)}")
    if details["type"] == "extra_forbidden":
        return _at_key(document, path, _unknown(path, _value(data, path)))
    if details["type"] == "missing":
        problem = f"expected the key {path[-1]!r}, found none ({dotted(path)})"
        return Problem(position=document.value_at(path[:-1]), path=path, message=problem)
    value = _value(data, path)
    found = "something else" if path and path[-1] in UNSHOWN else shown(value)
    message = f"{_expected(details)}, found {found}{_meant(value, details)} ({dotted(path) or 'the file'})"
    return Problem(position=document.value_at(path), path=path, message=message)


def _at_key(document: Document, path: Path, message: str) -> Problem:
    return Problem(position=document.key_at(path), path=path, message=f"{message} ({dotted(path)})")


def _unknown(path: Path, value: Any) -> str:
    if len(path) == 3 and path[0] == "agents" and path[2] == "kind" and value == "classic":
        return CLASSIC_CLOSED
    known = names_at(path[:-1])
    return f"expected {_some(known)}, found unknown key {shown(path[-1])}{suggestion(str(path[-1]), known)}"


def _expected(details: ErrorDetails) -> str:
    if details["type"] == "literal_error":
        return f"expected {_some(_allowed(details))}"
    known = _EXPECTED.get(details["type"])
    return f"expected {known.format(**details.get('ctx', {}))}" if known else f"expected valid input ({details['msg']})"


def _meant(value: Any, details: ErrorDetails) -> str:
    return suggestion(value, _allowed(details)) if details["type"] == "literal_error" and isinstance(value, str) else ""


def _allowed(details: ErrorDetails) -> list[str]:
    return [name.strip("'") for name in details["ctx"]["expected"].replace(" or ", ", ").split(", ")]


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(names[:KEYS_SHOWN_MAX]) + (", …" if len(names) > KEYS_SHOWN_MAX else "")
    return f"one of {listed}" if len(names) > 1 else listed


def _value(data: Any, path: Path) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data
