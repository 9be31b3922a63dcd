"""Scalars of the system file: text in, typed value out, and the same text back.

A value that does not fit says what was expected; what was found is added with its position by `problems`.

>>> parse_duration("30m"), format_duration(5400)
(1800, '90m')
>>> str(parse_rate("5/minute"))
'5/minute'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

T = TypeVar("T")

UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
"""Units of a duration in seconds."""
WINDOWS_S = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
"""Windows of a rate in seconds."""
COUNT_MAX = 1_000_000_000
"""Largest count of tokens, actions or requests anywhere in the file."""

UID_MAX = 2**32 - 2
"""Largest user id of Linux; the one above means "no user" (setresuid(2))."""

SYSTEM_NAME_RULE = "a name: a lower-case letter, then at most 30 of a-z, 0-9 and -"

_SYSTEM_NAME = "[a-z][a-z0-9-]{0,30}"
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_RATE = re.compile(rf"([1-9][0-9]{{0,8}})/({'|'.join(WINDOWS_S)})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def expected(what: str) -> PydanticCustomError:
    """The error of a value that is not `what`."""
    return PydanticCustomError("expected", "{expected}", {"expected": what})


@dataclass(frozen=True, kw_only=True)
class Rate:
    """At most `count` in any window of `window_s` seconds."""

    count: int
    window_s: int

    def __str__(self) -> str:
        (window,) = (name for name, seconds in WINDOWS_S.items() if seconds == self.window_s)
        return f"{self.count}/{window}"


def parse_duration(value: object) -> int:
    """Seconds of `30m`; a number of seconds alone would leave its unit to guesswork."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise expected("a duration such as 90s, 30m, 1h or 7d")
    return int(match[1]) * UNITS_S[match[2]]


def format_duration(seconds: int) -> str:
    """The duration in its largest whole unit."""
    unit = next(unit for unit in "dhms" if seconds % UNITS_S[unit] == 0)
    return f"{seconds // UNITS_S[unit]}{unit}"


def parse_rate(value: object) -> Rate:
    """The rate of `60/minute`."""
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise expected(f"a rate such as 60/minute (per {', '.join(WINDOWS_S)})")
    return Rate(count=int(match[1]), window_s=WINDOWS_S[match[2]])


def parse_date(value: object) -> date:
    """The day of `2027-01-31` (ISO 8601)."""
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise expected("a day such as 2027-01-31")


def parse_uid(value: object) -> int | Literal["owner"]:
    """A user id of the kernel, or whoever started `up`."""
    if value == "owner" or (type(value) is int and 0 <= value <= UID_MAX):
        return value
    raise expected(f"a user id from 0 to {UID_MAX}, or owner")


def is_system_name(text: str) -> bool:
    """Whether a system may have this name."""
    return re.fullmatch(_SYSTEM_NAME, text) is not None


def _whole(value: object) -> object:
    """Python takes `true` for 1; a file that says one does not mean the other."""
    if type(value) is not int:
        raise expected("a whole number")
    return value


def lasting(shortest: str, longest: str) -> AfterValidator:
    """Bounds of a duration."""
    low, high = parse_duration(shortest), parse_duration(longest)

    def check(seconds: int) -> int:
        if not low <= seconds <= high:
            raise expected(f"a duration from {shortest} to {longest}")
        return seconds

    return AfterValidator(check)


def matching(pattern: str, what: str) -> Callable[[str], str]:
    """A check that a whole text matches `pattern`."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise expected(what)
        return text

    return check


def _text(pattern: str, what: str) -> Any:
    return Annotated[
        str, AfterValidator(matching(pattern, what)), WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})
    ]


def _spoken(text: str) -> str:
    if not text.strip():
        raise expected("text, not only white space")
    return text


Seconds = Annotated[
    int,
    PlainValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$"}),
]
RateText = Annotated[
    Rate,
    PlainValidator(parse_rate),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_RATE.pattern}$"}),
]
Day = Annotated[
    date,
    PlainValidator(parse_date),
    PlainSerializer(date.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Uid = Annotated[
    int | Literal["owner"],
    PlainValidator(parse_uid),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": UID_MAX}, {"const": "owner"}]}),
]
WholeNumber = BeforeValidator(_whole)
"""For literal numbers, which pydantic compares by equality."""
Count = Annotated[int, Field(ge=1, le=COUNT_MAX)]
Items = Annotated[tuple[T, ...], Field(strict=False)]
"""A YAML sequence. Only the container is lenient, because YAML and JSON know no tuples; its items stay strict."""
Text = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_spoken)]
Name = _text("[a-z][a-z0-9_-]{0,62}", "a name: a lower-case letter, then at most 62 of a-z, 0-9, _ and -")
SystemName = _text(_SYSTEM_NAME, SYSTEM_NAME_RULE)
"""Part of role ARNs and, on AWS, of stack names."""
UserName = _text("[a-z_][a-z0-9_.@-]{0,63}", "a user name: at most 64 of a-z, 0-9 and _ . @ -")
GroupName = _text(
    "[A-Za-z0-9][A-Za-z0-9 _.:/@-]{0,127}",
    "a group as the issuer names it: at most 128 letters, digits and _ . : / @ -",
)
ClaimName = _text("[A-Za-z0-9_.:/-]{1,128}", "the name of a claim")
ToolOperation = _text(
    "[a-z][a-z0-9_-]{0,62}\\.[a-z][a-z0-9_-]{0,62}", "a tool and its operation, such as payments.refund"
)
ClientToolName = _text(
    "[a-zA-Z0-9_-]{1,64}", "the name of a tool as the client sends it: at most 64 letters, digits, _ and -"
)
"""botocore: ToolName."""
Sha256 = _text("[0-9a-f]{64}", "a SHA-256 hash: 64 of 0-9 and a-f")
AccountId = _text("[0-9]{12}", 'an AWS account number: 12 digits in quotes, such as "111111111111"')
Region = _text("[a-z]{2}(-[a-z]+)+-[0-9]", "an AWS region such as eu-west-1")
OrganizationalUnitId = _text("ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}", "an organizational unit such as ou-exam-12345678")
IdentityCenterId = _text(
    "ssoins-[a-zA-Z0-9-.]{16}", "an instance of IAM Identity Center such as ssoins-1234567890abcdef"
)
DirectoryGroupId = _text(
    "([0-9a-f]{10}-)?[A-Fa-f0-9]{8}(-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}",
    "a group's id in the identity store such as 90671234ab-12345678-1234-1234-1234-123456789012",
)
OrganizationId = _text("o-[a-z0-9]{10,32}", "an AWS organization such as o-exampleorg")
ModelId = _text(
    "[a-zA-Z0-9][a-zA-Z0-9_.:/-]{0,255}", "a Bedrock model or inference profile id such as amazon.nova-lite-v1:0"
)
GuardrailId = _text(
    "[a-z0-9]{1,64}|arn:aws(-[a-z]+)*:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]{1,64}",
    "a guardrail's id such as gr1a2b3c4d5e, or its ARN",
)
HttpsUrl = _text("https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]{0,512})?", "an https:// address")
IssuerUrl = _text(
    "(https://[A-Za-z0-9.-]{1,253}|http://(localhost|127\\.0\\.0\\.1|\\[::1\\]))(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]{0,512})?",
    "an https:// address, or http:// on localhost, 127.0.0.1 or [::1]",
)
