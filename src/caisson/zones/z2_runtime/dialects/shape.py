"""Strict decoding: a body either has the declared shape or the caller reads where it does not.

- One parser reads the body once; what goes on is rebuilt from the declared fields only, so nothing unread passes.
- An unknown field is refused with its path; one that the API has and this version refuses, with why (surface.py).
- Messages carry paths, types and field names, never values.

>>> class Point(Shape):
...     x: int
>>> decode(b'{"x": 1, "y": 2}', msgspec.json.Decoder(Point))
Traceback (most recent call last):
...
caisson.errors.CallerError: y: unknown field; remove it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from caisson.errors import CallerError, Refusal, WireError
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects.surface import reason

Json = dict[str, Any]
T = TypeVar("T")

_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_CLOSED_VALUE = re.compile(r"Invalid (?:enum )?value (?:'(?P<value>.*)'|.+)", re.DOTALL)
_SHOWN_NAME = re.compile(r"[a-z_]{1,24}(?:[A-Z][a-z]{1,15}){0,4}[0-9]{0,2}|s3Location")
"""Names in the API's spelling, which a message repeats; others may be a secret in the wrong place."""
_SHOWN_VALUE = re.compile(r"[a-z_-]{1,24}[0-9]{0,2}|[A-Z]{1,12}")


class Shape(msgspec.Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """A JSON object of Bedrock Runtime: field names in camel case, unknown ones refused."""


class Nothing(Shape):
    """An object that must be empty."""


def decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as declared.

    Raises:
        CallerError: it is not JSON or not of that shape.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise refused(*_explained(str(error))) from error
    except RecursionError as error:
        raise refused("request", "JSON is nested too deeply; flatten it") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refused("request", "expected a JSON object in UTF-8, found something else; send valid JSON") from error


def refused(path: str, message: str) -> CallerError:
    """A `ValidationException` about the place `path`."""
    return CallerError(Refusal(error=WireError.VALIDATION, rule="schema", message=f"{path or 'request'}: {message}."))


def parsed(read: Callable[[], Conversation]) -> Conversation | Refusal:
    """What `read` gives, with all its strings within bounds, or why not."""
    try:
        conversation = read()
        conversation.check_bounds()
    except CallerError as error:
        return error.refusal
    return conversation


def one_of(block: Json, path: str) -> str:
    """The only key of a union (botocore: `union`)."""
    if len(block) != 1:
        found = ", ".join(sorted(block)) or "none"
        raise refused(path, f"expected exactly one kind of content, found {found}; split it into blocks")
    return next(iter(block))


def _explained(message: str) -> tuple[str, str]:
    text, _, place = message.rpartition(" - at `")
    path = place.rstrip("`").removeprefix("$").removeprefix(".")
    if not text:
        text, path = message, ""
    if unknown := _UNKNOWN_FIELD.fullmatch(text):
        return _unknown_field(path, unknown["field"])
    if closed := _CLOSED_VALUE.fullmatch(text):
        return _closed_value(path, closed["value"] or "")
    return path, text[0].lower() + text[1:] + "; correct it"


def _closed_value(path: str, value: str) -> tuple[str, str]:
    shown = f" {value!r}" if _SHOWN_VALUE.fullmatch(value) else ""
    above, _, name = path.rpartition(".")
    if known := reason(above, name, value) or reason(above, name):
        return path + shown, known
    return path, f"unexpected value{shown}; see the API reference for the allowed ones"


def _unknown_field(path: str, name: str) -> tuple[str, str]:
    known = reason(path, name) if _SHOWN_NAME.fullmatch(name) else None
    shown = name if known or _SHOWN_NAME.fullmatch(name) else "(a name that is none of the API's)"
    return f"{path}.{shown}" if path else shown, known or "unknown field; remove it"
