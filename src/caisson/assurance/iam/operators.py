"""Names of condition operators, taken apart.

`ForAllValues:StringNotLikeIfExists` is the negation of the string matcher, over all values, true when the key is
absent. All operators of reference_policies_elements_condition_operators are here. Any other name is kept with its text
and no meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Test(Enum):
    """What one policy value and one request value are compared by."""

    __test__ = False  # no test of pytest

    STRING = "string"
    STRING_IGNORE_CASE = "string, ignoring case"
    STRING_LIKE = "string with wildcards"
    NUMBER_EQUAL = "number equal"
    NUMBER_LESS = "number less"
    NUMBER_LESS_EQUAL = "number less or equal"
    NUMBER_GREATER = "number greater"
    NUMBER_GREATER_EQUAL = "number greater or equal"
    DATE_EQUAL = "date equal"
    DATE_LESS = "date less"
    DATE_LESS_EQUAL = "date less or equal"
    DATE_GREATER = "date greater"
    DATE_GREATER_EQUAL = "date greater or equal"
    BOOL = "boolean"
    BINARY = "bytes"
    IP = "address in range"
    ARN = "ARN part by part"
    NULL = "key absent"


class Over(Enum):
    """Set operator."""

    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A condition operator."""

    name: str
    """As written."""
    test: Test | None
    """None: this operator is not modelled."""
    negated: bool = False
    """Holds when no policy value fits."""
    over: Over | None = None
    """Set operator, for keys of many values."""
    if_exists: bool = False
    """Holds when the key is absent."""


_PLAIN: dict[str, tuple[Test, bool]] = {
    "StringEquals": (Test.STRING, False),
    "StringNotEquals": (Test.STRING, True),
    "StringEqualsIgnoreCase": (Test.STRING_IGNORE_CASE, False),
    "StringNotEqualsIgnoreCase": (Test.STRING_IGNORE_CASE, True),
    "StringLike": (Test.STRING_LIKE, False),
    "StringNotLike": (Test.STRING_LIKE, True),
    "NumericEquals": (Test.NUMBER_EQUAL, False),
    "NumericNotEquals": (Test.NUMBER_EQUAL, True),
    "NumericLessThan": (Test.NUMBER_LESS, False),
    "NumericLessThanEquals": (Test.NUMBER_LESS_EQUAL, False),
    "NumericGreaterThan": (Test.NUMBER_GREATER, False),
    "NumericGreaterThanEquals": (Test.NUMBER_GREATER_EQUAL, False),
    "DateEquals": (Test.DATE_EQUAL, False),
    "DateNotEquals": (Test.DATE_EQUAL, True),
    "DateLessThan": (Test.DATE_LESS, False),
    "DateLessThanEquals": (Test.DATE_LESS_EQUAL, False),
    "DateGreaterThan": (Test.DATE_GREATER, False),
    "DateGreaterThanEquals": (Test.DATE_GREATER_EQUAL, False),
    "Bool": (Test.BOOL, False),
    "BinaryEquals": (Test.BINARY, False),
    "IpAddress": (Test.IP, False),
    "NotIpAddress": (Test.IP, True),
    "ArnEquals": (Test.ARN, False),
    "ArnLike": (Test.ARN, False),
    "ArnNotEquals": (Test.ARN, True),
    "ArnNotLike": (Test.ARN, True),
    "Null": (Test.NULL, False),
}
NAMES = tuple(_PLAIN)
"""Every operator without its prefix and suffix."""
_IF_EXISTS = "IfExists"


def operator(name: str) -> Operator:
    """Take a name apart. `Null` takes neither `IfExists` nor, as far as is documented, a set operator."""
    prefix, colon, rest = name.partition(":")
    over = next((found for found in Over if found.value == prefix), None) if colon else None
    plain = rest if over else name
    if_exists = plain.endswith(_IF_EXISTS)
    test, negation = _PLAIN.get(plain.removesuffix(_IF_EXISTS) if if_exists else plain, (None, False))
    if test is Test.NULL and (if_exists or over):
        test = None
    return Operator(name=name, test=test, negated=negation, over=over, if_exists=if_exists)
