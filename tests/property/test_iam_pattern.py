"""Patterns: the matcher against Python's regular expressions, and text that is taken apart and put together again."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.assurance.iam.arn import parts_match, resource_matches
from caisson.assurance.iam.context import Context, Values
from caisson.assurance.iam.pattern import Pattern, Variable, Wild, fits, parse
from caisson.assurance.iam.variables import replaced

texts = st.text(alphabet="ab:/", max_size=12)
patterns = st.text(alphabet="ab:/*?", max_size=10)


def regex(pattern: str, *, any_character: str = ".") -> re.Pattern[str]:
    translated = "".join({"*": f"{any_character}*", "?": any_character}.get(one, re.escape(one)) for one in pattern)
    return re.compile(translated, re.DOTALL)


def solid(pattern: str) -> list[str | Wild]:
    return [piece for piece in parse(pattern, variables=False).pieces if not isinstance(piece, Variable)]


@given(patterns, texts)
def test_fits_as_a_regular_expression_does(pattern: str, text: str) -> None:
    assert fits(solid(pattern), text) is bool(regex(pattern).fullmatch(text))


@given(patterns, texts)
def test_confined_wildcards_leave_colons_alone(pattern: str, text: str) -> None:
    pieces = solid(pattern)
    all_of_them = frozenset(index for index, piece in enumerate(pieces) if isinstance(piece, Wild))
    assert fits(pieces, text, confined=all_of_them) is bool(regex(pattern, any_character="[^:]").fullmatch(text))


arns = st.lists(st.text(alphabet="ab/", max_size=3), min_size=6, max_size=8).map(":".join)
arn_patterns = st.lists(st.text(alphabet="ab/*?", max_size=3), min_size=6, max_size=8).map(":".join)


@given(arn_patterns, arns)
def test_condition_operators_match_part_by_part(pattern: str, text: str) -> None:
    expected = all(
        regex(one).fullmatch(part) for one, part in zip(pattern.split(":", 5), text.split(":", 5), strict=True)
    )
    assert parts_match(solid(pattern), text).value is expected


@given(arn_patterns, arns)
def test_the_resource_element_is_never_surer_than_its_two_readings(pattern: str, text: str) -> None:
    """Yes only if the whole fits; no only if it does not; part by part always means yes."""
    found, whole = resource_matches(solid(pattern), text).value, bool(regex(pattern).fullmatch(text))
    assert found is not (not whole)
    if parts_match(solid(pattern), text).value:
        assert found is True


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("arn:aws:lambda:*:function:f", "arn:aws:lambda:eu-west-1:1:function:f", True),
        ("arn:aws:lambda:eu*1:1:function:f", "arn:aws:lambda:eu-west-1:1:function:f", True),
        ("arn:aws:lambda:eu*1:function:f", "arn:aws:lambda:eu-west-1:1:function:f", None),
        ("arn:aws:lambda:eu-west-1?1:function:f", "arn:aws:lambda:eu-west-1:1:function:f", None),
        ("arn:aws:s3:::b/*/c", "arn:aws:s3:::b/x:y/c", True),
        ("*", "arn:aws:s3:::b", True),
        ("*", "*", True),
        ("arn:aws:s3:::*", "*", False),
    ],
)
def test_wildcards_and_colons(pattern: str, text: str, expected: bool | None) -> None:
    assert resource_matches(solid(pattern), text).value is expected


@given(st.text(alphabet="a:*?${}', ", max_size=20), st.booleans())
def test_a_pattern_says_what_was_written(text: str, variables: bool) -> None:
    literals = {"${*}": "*", "${?}": "?", "${$}": "$"} if variables else {}
    expected = re.sub(r"\$\{[*?$]\}", lambda found: literals.get(found[0], found[0]), text)
    for wildcards in (True, False):
        pieces = parse(text, variables=variables, wildcards=wildcards).pieces
        assert "".join(str(piece) for piece in pieces) == expected
        if not wildcards:
            assert not any(isinstance(piece, Wild) for piece in pieces)


@given(st.text(alphabet="a*?${}", max_size=12))
def test_the_old_version_has_no_variables(text: str) -> None:
    assert not any(isinstance(piece, Variable) for piece in parse(text, variables=False).pieces)


def test_time_is_bounded_whatever_the_pattern() -> None:
    began = time.process_time()
    assert not fits(solid("*a" * 60 + "b"), "a" * 20_000)
    assert time.process_time() - began < 5


def one(pattern: str) -> Pattern:
    return parse(pattern, variables=True)


def test_variables_take_the_value_the_default_or_nothing() -> None:
    context = Context({"aws:username": Values(("ana",), single=True), "aws:tagkeys": Values(("a",), single=False)})
    assert replaced(one("x/${AWS:UserName}/y"), context, wildcards=True).pieces == ("x/", "ana", "/y")
    assert replaced(one("${aws:userid, 'no one'}"), context, wildcards=True).pieces == ("no one",)
    assert replaced(one("${aws:userid,''}"), context, wildcards=True).pieces == ("",)
    assert replaced(one("${aws:userid}"), context, wildcards=True) == replaced(one("${b}"), context, wildcards=True)
    assert replaced(one("${aws:TagKeys}"), context, wildcards=True).unknown
    assert replaced(one("${aws:username"), context, wildcards=True).unknown
    assert replaced(one("${}"), context, wildcards=True).unknown


def test_a_wildcard_in_a_value_is_unknown_only_where_it_could_mean_something() -> None:
    context = Context({"s3:prefix": Values(("a*",), single=True)})
    assert replaced(one("${s3:prefix}"), context, wildcards=True).unknown
    assert replaced(one("${s3:prefix}"), context, wildcards=False).pieces == ("a*",)
