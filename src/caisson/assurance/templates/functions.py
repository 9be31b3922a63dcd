"""Intrinsic functions on resolved values (CloudFormation user guide, intrinsic-function-reference). Pure.

What depends on a symbol becomes `Applied`, whose name is its arguments', so that equal calls are equal.

>>> cidr("10.0.0.0/16", 2, 8)
['10.0.0.0/24', '10.0.1.0/24']
"""

from __future__ import annotations

import base64 as _base64
import ipaddress
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from caisson.assurance.iam.place import Number
from caisson.assurance.templates.place import Flaw, Place
from caisson.assurance.templates.values import (
    Applied,
    Joined,
    Symbol,
    Unknown,
    Value,
    integer,
    join,
    key_of,
    known,
    text,
)

TEXT_MAX = 200_000
"""Longest text that joining may make, in characters; names that hold names would else grow without bound."""
CIDRS_MAX = 256
"""Most blocks that `Fn::Cidr` makes."""
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def applied(function: str, place: Place, *arguments: Value) -> Applied:
    """A call that cannot be made yet."""
    name = f"{function}({', '.join(map(key_of, arguments))})"
    return Applied(name=name, place=place, function=function, arguments=arguments)


def joined(parts: list[Any], place: Place) -> str | Symbol:
    """Text out of parts, within bounds.

    Raises:
        Flaw: it would be too long.
    """
    made = join(parts)
    length = sum(len(part) for part in made.parts if isinstance(part, str)) if isinstance(made, Joined) else 0
    if length > TEXT_MAX or (isinstance(made, str) and len(made) > TEXT_MAX):
        raise Flaw(place, f"expected at most {TEXT_MAX:,} characters, found more")
    if isinstance(made, Joined) and len(made.parts) > TEXT_MAX // 100:
        raise Flaw(place, f"expected at most {TEXT_MAX // 100:,} references in one text, found more")
    return made


def join_list(delimiter: Value, values: Value, place: Place) -> Value:
    """`Fn::Join`."""
    if not isinstance(delimiter, str):
        raise Flaw(place, "expected text as delimiter of Fn::Join, found something else")
    if isinstance(values, Symbol):
        return applied("Fn::Join", place, delimiter, values)
    if not isinstance(values, list):
        raise Flaw(place, "expected a list in Fn::Join, found something else")
    parts: list[Any] = []
    for number, value in enumerate(values):
        written = text(value)
        if written is None:
            raise Flaw(place, f"expected text to join, found something else at {number}")
        parts += [delimiter, written] if number else [written]
    return joined(parts, place)


def split(delimiter: Value, value: Value, place: Place) -> Value:
    """`Fn::Split`: a list, or `Applied` where a symbol may hold the delimiter."""
    if not isinstance(delimiter, str) or not delimiter:
        raise Flaw(place, "expected text as delimiter of Fn::Split, found something else")
    found = text(value)
    if found is None:
        raise Flaw(place, "expected text to split, found something else")
    parts = found.parts if isinstance(found, Joined) else (found,)
    if not all(isinstance(part, str) or part.never_holds(delimiter) for part in parts):
        return applied("Fn::Split", place, delimiter, value)
    if len(delimiter) > 1 and isinstance(found, Joined):  # it could begin in text and end in a symbol
        return applied("Fn::Split", place, delimiter, value)
    pieces: list[list[Any]] = [[]]
    for part in parts:
        if isinstance(part, Symbol):
            pieces[-1].append(part)
            continue
        first, *others = part.split(delimiter)
        pieces[-1].append(first)
        pieces += [[one] for one in others]
    return [join(piece) for piece in pieces]


def select(index: Value, values: Value, place: Place) -> Value:
    """`Fn::Select`."""
    number = integer(index)
    if number is None:
        if isinstance(index, Symbol):
            return applied("Fn::Select", place, index, values)
        raise Flaw(place, "expected a whole number as index of Fn::Select, found something else")
    if isinstance(values, Symbol):
        return applied("Fn::Select", place, Number(number), values)
    if not isinstance(values, list):
        raise Flaw(place, "expected a list in Fn::Select, found something else")
    if not 0 <= number < len(values):
        raise Flaw(place, f"expected an index below {len(values)} in Fn::Select, found {number}")
    return values[number]


def cidr(block: str, count: int, bits: int) -> list[str]:
    """Blocks of `bits` host bits out of a block.

    Raises:
        ValueError: there are not as many.
    """
    network = ipaddress.ip_network(block)
    prefix = network.max_prefixlen - bits
    if not network.prefixlen <= prefix <= network.max_prefixlen or not 1 <= count <= CIDRS_MAX:
        raise ValueError("its blocks would not fit")
    found = list(itertools.islice(network.subnets(new_prefix=prefix), count))
    if len(found) < count:
        raise ValueError("its blocks would not fit")
    return [str(one) for one in found]


def cidr_list(block: Value, count: Value, bits: Value, place: Place) -> Value:
    """`Fn::Cidr`."""
    if any(isinstance(one, Symbol) for one in (block, count, bits)):
        return applied("Fn::Cidr", place, block, count, bits)
    numbers = integer(count), integer(bits)
    if not isinstance(block, str) or numbers[0] is None or numbers[1] is None:
        raise Flaw(place, "expected a block and two whole numbers in Fn::Cidr, found something else")
    try:
        return cidr(block, numbers[0], numbers[1])
    except ValueError as error:
        raise Flaw(place, f"expected a block that Fn::Cidr can divide, found {error}") from None


def base64(value: Value, place: Place) -> Value:
    """`Fn::Base64`."""
    if isinstance(value, Symbol):
        return applied("Fn::Base64", place, value)
    if not isinstance(value, str):
        raise Flaw(place, "expected text in Fn::Base64, found something else")
    return _base64.b64encode(value.encode()).decode()


def length(value: Value, place: Place) -> Value:
    """`Fn::Length`."""
    if isinstance(value, Symbol):
        return applied("Fn::Length", place, value)
    if not isinstance(value, list):
        raise Flaw(place, "expected a list in Fn::Length, found something else")
    return Number(len(value))


def to_json(value: Value, place: Place) -> Value:
    """`Fn::ToJsonString`."""
    if not known(value):
        return applied("Fn::ToJsonString", place, value)
    return json.dumps(_plain(value), separators=(",", ":"))


def _plain(value: Value) -> Any:
    if isinstance(value, Number):
        return json.loads(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


def equals(left: Value, right: Value) -> bool | None:
    """`Fn::Equals`: True, False, or None where it depends on what is not known."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    if key_of(left) == key_of(right):
        return True
    return False if known(left) and known(right) else None


def variables(template: str) -> Iterator[tuple[str, str]]:
    """The pieces of `Fn::Sub`'s text: text before, and the variable after it, empty at the end.

    >>> list(variables("a${B}${!C}"))
    [('a', 'B'), ('${C}', '')]
    """
    before, at = "", 0
    for found in _VARIABLE.finditer(template):
        before += template[at : found.start()]
        at = found.end()
        if found[1].startswith("!"):
            before += "${" + found[1][1:] + "}"
            continue
        yield before, found[1].strip()
        before = ""
    yield before + template[at:], ""
