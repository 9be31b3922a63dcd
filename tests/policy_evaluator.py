"""Which statements of a policy deny a request: an independent, small reading of the IAM user guide's evaluation rules.

It knows the operators that our policies use and raises on any other, so that no condition is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """What AWS knows about a call."""

    action: str
    resource: str = "*"
    context: dict[str, str] = field(default_factory=dict)
    """Condition keys by their lower-case name; a key that is not there is missing."""


def denied_by(documents: Iterable[dict[str, Any]], request: Request) -> set[str]:
    """Sids of the Deny statements that match; empty when nothing denies."""
    return {
        statement["Sid"]
        for document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Deny" and matches(statement, request)
    }


def matches(statement: dict[str, Any], request: Request) -> bool:
    """Whether a statement is about the request."""
    named = any(_like(request.action.lower(), pattern.lower()) for pattern in _list(statement, "Action", "NotAction"))
    about = any(_like(request.resource, pattern) for pattern in _list(statement, "Resource", "NotResource"))
    return (
        named == ("Action" in statement)
        and about == ("Resource" in statement)
        and all(
            _holds(operator, key, _values(values), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _list(statement: dict[str, Any], plain: str, negated: str) -> list[str]:
    return _values(statement[plain] if plain in statement else statement[negated])


def _values(value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value])]


def _holds(operator: str, key: str, values: list[str], request: Request) -> bool:
    found = request.context.get(key.lower())
    if operator == "Null":
        return (found is None) == (values == ["true"])
    if operator.endswith("IfExists"):
        return found is None or _compare(operator.removesuffix("IfExists"), found, values)
    negated = operator in ("StringNotEquals", "StringNotLike", "ArnNotLike")
    return negated if found is None else _compare(operator, found, values)


def _compare(operator: str, found: str, values: list[str]) -> bool:
    match operator:
        case "StringEquals" | "Bool":
            return found in values
        case "StringNotEquals":
            return found not in values
        case "StringLike" | "ArnLike":
            return any(_like(found, value) for value in values)
        case "StringNotLike" | "ArnNotLike":
            return not any(_like(found, value) for value in values)
        case "NumericLessThan":
            return any(float(found) < float(value) for value in values)
    raise NotImplementedError(operator)


def _like(text: str, pattern: str) -> bool:
    """`*` and `?` only; brackets mean themselves."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))
