"""JSON with places: a reader that keeps what `json` loses, and problems that say where they are.

Objects with a repeated key are kept as `Repeating`, so that a problem can name the place; numbers keep their text,
because a policy compares text. Depth is bounded by the interpreter's own limit, which becomes a problem like any
other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard


class Number(str):
    """A JSON number, as written."""

    __slots__ = ()


class Repeating(dict[str, Any]):
    """A JSON object that says one key more than once."""

    key: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps an input from being read."""

    pointer: str
    """JSON pointer (RFC 6901); empty for the whole."""
    message: str
    """What was expected and what was found."""

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.message}"


def is_text(value: Any) -> TypeGuard[str]:
    """A JSON string, and not a number kept as text."""
    return isinstance(value, str) and not isinstance(value, Number)


def step(pointer: str, key: str | int) -> str:
    """The pointer one level down.

    >>> step("/Condition", "a/b")
    '/Condition/a~1b'
    """
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def decode(text: str) -> tuple[Any, list[Problem]]:
    """Read one JSON value. Problems are syntax, repeated keys and values that JSON has no word for.

    Returns:
        The value and nothing, or None and what is wrong.
    """
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        return None, [Problem("", f"expected JSON, found {error.msg!r} at column {error.colno}")]
    except ValueError as error:
        return None, [Problem("", f"expected JSON, {error}")]
    except RecursionError:
        return None, [Problem("", "expected JSON of sensible depth, found thousands of levels")]
    problems = [Problem(step(pointer, key), "expected each key once, found it again") for pointer, key in _again(value)]
    return (None, problems) if problems else (value, [])


def named(value: Any) -> str:
    """How a message calls a JSON value; never the value itself, which may be long."""
    if isinstance(value, Number):
        return f"the number {value[:40]}"
    if isinstance(value, str):
        return f"{value[:120]!r}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return {None: "null", True: "true", False: "false"}[value]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    repeating = Repeating(made)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            repeating.key = key
            break
        seen.add(key)
    return repeating


def _constant(name: str) -> Any:
    raise ValueError(f"found {name}, which is no JSON value")


def _again(value: Any) -> Iterator[tuple[str, str]]:
    """Places of repeated keys, without recursion."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        pointer, found = waiting.pop()
        if isinstance(found, Repeating):
            yield pointer, found.key
        if isinstance(found, dict):
            waiting += [(step(pointer, key), below) for key, below in found.items()]
        elif isinstance(found, list):
            waiting += [(step(pointer, index), below) for index, below in enumerate(found)]
