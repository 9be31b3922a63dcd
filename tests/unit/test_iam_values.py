"""Numbers, dates, addresses and bytes as conditions read them; whole comparisons at their edges."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from decimal import Decimal

import pytest

from caisson.assurance import iam
from caisson.assurance.iam.comparison import binary, boolean, date, fits_value, number, seconds
from caisson.assurance.iam.context import Context
from caisson.assurance.iam.operators import NAMES, WITH_VARIABLES, Operator, Over, Test, operator
from caisson.assurance.iam.pattern import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("-5", -5), ("+5", 5), ("05", 5), ("5.50", Decimal("5.5")), ("", None), ("5.", None), (".5", None),
     ("1e3", None), ("5 ", None), ("٥", None), ("0x5", None), ("NaN", None), ("9" * 41, None)],
)  # fmt: skip
def test_numbers(text: str, value: Decimal | int | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1970-01-01T00:00:00Z", 0), ("1970-01-01", 0), ("1970-01", 0), ("1970-01-02T00:00Z", 86_400),
        ("1970-01-01T01:00:00+01:00", 0), ("1969-12-31T23:00:00-01:00", 0), 
        ("1970-01-01T00:00:00.25Z", Decimal("0.25")),
        ("2024-02-29T12:00:00Z", 1_709_208_000), ("2023-02-29", None), ("1970", None), ("1970-1-1", None),
        ("1970-01-01T00:00:00", None), ("1970-01-01T24:00:00Z", None), ("1970-01-01T00:00:60Z", None),
        ("1970-01-01 00:00:00Z", None), ("1970-01-01T00Z", None), ("0000-01-01", None), ("", None),
    ],
)  # fmt: skip
def test_dates(text: str, value: Decimal | int | None) -> None:
    assert date(text) == value


def test_other_forms() -> None:
    assert [seconds(text) for text in ("1767225600", "1970", "1767225600000", "-5", "")] == [1_767_225_600, *[None] * 4]
    assert [boolean(text) for text in ("true", "True", "FALSE", "yes", "1", "")] == [True, True, False, *[None] * 3]
    assert [binary(text) for text in ("QQ==", "QQ", "", "%%", "QQ==\n")] == [b"A", None, b"", None, None]


COMPARED = [
    (Test.NUMBER_LESS, "10", "9.99", True), (Test.NUMBER_LESS, "10", "10", False),
    (Test.NUMBER_LESS_EQUAL, "10", "10.0", True),
    (Test.NUMBER_GREATER, "10", "11", True), (Test.NUMBER_GREATER, "10", "10", False),
    (Test.NUMBER_GREATER_EQUAL, "10", "9", False),
    (Test.DATE_LESS, "2026-01-01", "2025-12-31T23:59:59.9Z", True), (Test.DATE_LESS, "2026-01-01", "2026-01-01", False),
    (Test.DATE_LESS_EQUAL, "2026-01-01", "2026-01-01T01:00:00+01:00", True),
    (Test.DATE_GREATER, "1767225600", "1767225601", True), (Test.DATE_GREATER_EQUAL, "1767225600", "1767225599", False),
    (Test.DATE_EQUAL, "2026-01-01T00:00Z", "2026-01-01", True),
    (Test.IP, "203.0.113.5", "203.0.113.5", True), (Test.IP, "203.0.113.5", "203.0.113.6", False),
    (Test.IP, "203.0.113.77/24", "203.0.113.1", True), (Test.IP, "2001:DB8::/32", "2001:0db8:0:0::1", True),
    (Test.IP, "0.0.0.0/0", "198.51.100.1", True), (Test.IP, "0.0.0.0/0", "2001:db8::1", False),
    (Test.BINARY, "QQ==", "QQ==", True), (Test.BINARY, "QQ==", "Qg==", False), (Test.BOOL, "true", "TRUE", True),
    (Test.STRING, "a*", "ab", False), (Test.STRING, "a*", "a*", True), (Test.STRING_LIKE, "a*", "ab", True),
    (Test.STRING_LIKE, "A*", "ab", False), (Test.STRING_IGNORE_CASE, "aB", "Ab", True),
    (Test.STRING_LIKE, "?", "", False),    (Test.STRING_LIKE, "*", "", True),
]  # fmt: skip


@pytest.mark.parametrize(("test", "policy", "request_value", "fits"), COMPARED)
def test_comparisons(test: Test, policy: str, request_value: str, fits: bool) -> None:
    pattern = parse(policy, variables=True, wildcards=test in (Test.STRING_LIKE, Test.ARN))
    assert fits_value(test, pattern, request_value, Context({})).value is fits


def test_every_test_is_reached_by_an_operator_and_has_an_answer() -> None:
    tests = {operator(name).test for name in NAMES}
    assert tests == set(Test)
    for test in set(Test) - WITH_VARIABLES - {Test.NULL}:
        assert fits_value(test, parse("?", variables=True, wildcards=False), "?", Context({})).value is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("StringNotLike", Operator(name="StringNotLike", test=Test.STRING_LIKE, negated=True)),
        ("ForAllValues:StringEqualsIfExists",
         Operator(name="ForAllValues:StringEqualsIfExists", test=Test.STRING, over=Over.ALL, if_exists=True)),
        ("ForAnyValue:ArnNotLike", Operator(name="ForAnyValue:ArnNotLike", test=Test.ARN, negated=True, over=Over.ANY)),
        ("Null", Operator(name="Null", test=Test.NULL)),
    ],
)  # fmt: skip
def test_names_of_operators_are_taken_apart(name: str, expected: Operator) -> None:
    assert operator(name) == expected


@pytest.mark.parametrize(
    "name", ["", "IfExists", "NullIfExists", "ForAllValues:Null", "StringEqualsIfExistsIfExists", "ForAllValues:",
             "foranyvalue:StringEquals", "ForAllValues:ForAnyValue:StringEquals", "StringEquals ", "NotStringEquals"],
)  # fmt: skip
def test_other_names_have_no_meaning(name: str) -> None:
    assert operator(name).test is None


@pytest.mark.parametrize("module", [name for _, name, _ in pkgutil.iter_modules(iam.__path__)])
def test_examples_in_docstrings_run(module: str) -> None:
    assert doctest.testmod(importlib.import_module(f"{iam.__name__}.{module}")).failed == 0
