"""One value of a policy against one value of the request.

A value that is not of the operator's type, on either side, makes the answer unknown: what AWS does with it is not
documented. Types and their text are those of reference_policies_elements_condition_operators.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from caisson.assurance.iam.arn import parts_match, written
from caisson.assurance.iam.context import Context
from caisson.assurance.iam.operators import WITH_VARIABLES, WITH_WILDCARDS, Test
from caisson.assurance.iam.pattern import Pattern, Variable, fits
from caisson.assurance.iam.truth import NO, Truth, agreed, of, unknown
from caisson.assurance.iam.variables import replaced

T = TypeVar("T")


def fits_value(test: Test, pattern: Pattern, value: str, context: Context) -> Truth:
    """Whether a request's value fits a policy's value under a test that is not negated."""
    if test in WITH_VARIABLES:
        return _textual(test, pattern, value, context)
    if any(isinstance(piece, Variable) for piece in pattern.pieces):
        return unknown(f"a policy variable is not documented to work with a test for {test.value}: {pattern.text!r}")
    return _TYPED[test](pattern.text, value)


def _textual(test: Test, pattern: Pattern, value: str, context: Context) -> Truth:
    found = replaced(pattern, context, wildcards=test in WITH_WILDCARDS)
    if found.unknown:
        return unknown(found.unknown)
    if found.pieces is None:
        return NO  # a variable without value: nothing is equal to it or like it
    if test is Test.ARN:
        return parts_match(found.pieces, value)
    if test is Test.STRING_LIKE:
        return of(fits(found.pieces, value))
    text = written(found.pieces)
    return of(text.lower() == value.lower() if test is Test.STRING_IGNORE_CASE else text == value)


def _typed(read: Callable[[str], T | None], compare: Callable[[T, T], bool], kind: str) -> Callable[[str, str], Truth]:
    """A test that reads both sides as a type. `compare` is called with the request's value first."""

    def test(policy: str, request: str) -> Truth:
        expected, found = read(policy), read(request)
        if expected is None or found is None:
            side, text = ("policy", policy) if expected is None else ("request", request)
            return unknown(f"the {side} value {text!r} is no {kind}")
        return of(compare(found, expected))

    return test


_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?")


def number(text: str) -> Decimal | None:
    """An integer or decimal."""
    return Decimal(text) if _NUMBER.fullmatch(text) and text.isascii() else None


_DATE = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d))?)?", re.ASCII
)
_EPOCH = re.compile(r"\d{5,12}", re.ASCII)


def date(text: str) -> Decimal | None:
    """Seconds since 1970 of a W3C date and time (www.w3.org/TR/NOTE-datetime).

    A year alone is none: it may be seconds.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups()[:6])
    try:
        moment = datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0, tzinfo=UTC)
    except ValueError:
        return None
    whole = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) - _offset_s(found[8] or "Z")
    return Decimal(whole) + Decimal(f"0.{found[7] or 0}")


def seconds(text: str) -> Decimal | None:
    """Seconds since 1970 as digits."""
    return Decimal(text) if _EPOCH.fullmatch(text) else None


def _dated(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[str, str], Truth]:
    """A test of dates. Both forms are documented; one beside the other is not, and counts as no date."""
    of_dates, of_seconds = _typed(date, compare, "date"), _typed(seconds, compare, "number of seconds")

    def test(policy: str, request: str) -> Truth:
        if seconds(policy) is None or seconds(request) is None:
            return of_dates(policy, request)
        return of_seconds(policy, request)

    return test


def _offset_s(zone: str) -> int:
    if zone == "Z":
        return 0
    return (-1 if zone[0] == "-" else 1) * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)


def boolean(text: str) -> bool | None:
    """`true` or `false`, in any case."""
    return {"true": True, "false": False}.get(text.lower())


def binary(text: str) -> bytes | None:
    """The bytes of base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """An IPv4 address in the form of IPv6 (RFC 4291, 2.5.5.2)."""
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None


def _in_range(policy: str, request: str) -> Truth:
    """An address in a range of CIDR form.

    Without prefix a range is one address; the guide says `/32`, also for IPv6, where that is another thing.
    """
    address, slash, prefix = policy.partition("/")
    if slash and not (prefix.isascii() and prefix.isdigit()):
        return unknown(f"the policy value {policy!r} is no range of CIDR form")
    try:
        network = ipaddress.ip_network(policy, strict=False)
    except ValueError:
        return unknown(f"the policy value {policy!r} is no range of addresses")
    try:
        found = ipaddress.ip_address(request)
    except ValueError:
        return unknown(f"the request value {request!r} is no address")
    if found.version != network.version and (_mapped(found) or _mapped(network.network_address)):
        return unknown(f"{policy!r} and {request!r}: whether an IPv4 address written as IPv6 is in an IPv4 range")
    whole = of(found.version == network.version and found in network)
    if slash or network.version == 4:
        return whole
    wide = ipaddress.ip_network(f"{address}/32", strict=False)
    reason = f"whether {policy!r} means one address or a /32 range is not clear"
    return agreed(whole, of(found.version == wide.version and found in wide), reason)


_TYPED: dict[Test, Callable[[str, str], Truth]] = {
    Test.NUMBER_EQUAL: _typed(number, operator.eq, "number"),
    Test.NUMBER_LESS: _typed(number, operator.lt, "number"),
    Test.NUMBER_LESS_EQUAL: _typed(number, operator.le, "number"),
    Test.NUMBER_GREATER: _typed(number, operator.gt, "number"),
    Test.NUMBER_GREATER_EQUAL: _typed(number, operator.ge, "number"),
    Test.DATE_EQUAL: _dated(operator.eq),
    Test.DATE_LESS: _dated(operator.lt),
    Test.DATE_LESS_EQUAL: _dated(operator.le),
    Test.DATE_GREATER: _dated(operator.gt),
    Test.DATE_GREATER_EQUAL: _dated(operator.ge),
    Test.BOOL: _typed(boolean, operator.eq, "boolean"),
    Test.BINARY: _typed(binary, operator.eq, "base64"),
    Test.IP: _in_range,
}
