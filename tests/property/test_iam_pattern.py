"""Patterns: the matcher against Python's regular expressions, and text that is taken apart and put together again."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.assurance.iam.arn import parts_match, resource_matches
from caisson.assurance.iam.context import Context, Values
from caisson.assurance.iam.pattern import Pattern, Variable, Wild, fits, parse, reached
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
def test_barred_wildcards_leave_those_places_alone(pattern: str, text: str) -> None:
    pieces = solid(pattern)
    colons = frozenset(place for place, character in enumerate(text) if character == ":")
    barred = {index: colons for index, piece in enumerate(pieces) if isinstance(piece, Wild)}
    expected = bool(regex(pattern, any_character="[^:]").fullmatch(text))
    assert (len(text) in reached(pieces, text, barred)) is expected


@given(patterns, texts)
def test_every_place_is_reached_that_a_prefix_fits(pattern: str, text: str) -> None:
    pieces = solid(pattern)
    assert reached(pieces, text) == {end for end in range(len(text) + 1) if fits(pieces, text[:end])}


arns = st.lists(st.text(alphabet="ab/", max_size=3), min_size=6, max_size=8).map(":".join)
arn_patterns = st.lists(st.text(alphabet="ab/*?", max_size=3), min_size=6, max_size=8).map(":".join)


@given(arn_patterns, arns)
def test_condition_operators_match_part_by_part(pattern: str, text: str) -> None:
    expected = all(
        regex(one).fullmatch(part) for one, part in zip(pattern.split(":", 5), text.split(":", 5), strict=True)
    )
    assert parts_match(solid(pattern), text).value is expected


@given(arn_patterns, arns)
def test_the_resource_element_is_sure_only_of_what_fits(pattern: str, text: str) -> None:
    found, whole = resource_matches(solid(pattern), text).value, bool(regex(pattern).fullmatch(text))
    assert found in (whole, None)
    if not set(pattern) & set("*?"):
        assert found is whole


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("arn:aws:lambda:*:function:f", "arn:aws:lambda:eu-west-1:1:function:f", True),
        ("arn:aws:lambda:eu*1:1:function:f", "arn:aws:lambda:eu-west-1:1:function:f", True),
        ("arn:aws:lambda:eu*1:function:f", "arn:aws:lambda:eu-west-1:1:function:f", None),
        ("arn:aws:lambda:eu-west-1?1:function:f", "arn:aws:lambda:eu-west-1:1:function:f", None),
        ("arn:aws:s3:::b/*/c", "arn:aws:s3:::b/x:y/c", True),
        ("arn:aws:lambda:*", "arn:aws:lambda:eu-west-1:1:function:f", True),
        ("arn:aws:lambda:*:*:*", "arn:aws:lambda:eu-west-1:1:function:f", True),
        ("arn:aws:lambda:*:*:function:*", "arn:aws:lambda:eu-west-1:1:function:f", True),
        ("arn:aws:lambda:*:*:func*", "arn:aws:lambda:eu-west-1:1:function:f", None),
        ("arn:aws:lambda:*:*:*:f", "arn:aws:lambda:eu-west-1:1:function:f", None),
        ("arn:aws:lambda:*:f", "arn:aws:lambda:eu-west-1:1:function:f", None),
        ("arn:aws:lambda:*:f", "arn:aws:s3:::b", None),
        ("arn:aws:lambda:*:f:7", "arn:aws:lambda:eu-west-1:1:function:f:7", None),
        ("arn:*:::b/k:?", "arn:aws:s3:::b/k:1", None),
        ("arn:aws:lambda:*:*:function*:f", "arn:aws:lambda:eu-west-1:1:function:f", None),
        ("arn:aws:iam::1:u*", "arn:aws:iam::1:user/x", None),
        ("arn:aws:sns:*:1:to*", "arn:aws:sns:eu-west-1:1:topic", True),
        ("arn:aws:s3:::re*/x", "arn:aws:s3:::records/x", True),
        ("arn:aws:*:*:*:function:f", "arn:aws:lambda:eu-west-1:1:function:f", None),
        ("arn:aws:lamb?a:*:*:function:f", "arn:aws:lambda:eu-west-1:1:function:f", None),
        ("arn:*", "arn:aws:s3:::b", True),
        ("arn:aws:S3:::*", "arn:aws:s3:::b", False),
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
    assert replaced(one("${aws:userid, ''}"), context, wildcards=True).pieces == ("",)
    assert replaced(one("${aws:userid}"), context, wildcards=True) == replaced(one("${b}"), context, wildcards=True)
    assert replaced(one("${aws:TagKeys}"), context, wildcards=True).unknown
    assert replaced(one("${aws:username"), context, wildcards=True).unknown
    assert replaced(one("${}"), context, wildcards=True).unknown


def test_a_wildcard_in_a_value_is_unknown_only_where_it_could_mean_something() -> None:
    context = Context({"s3:prefix": Values(("a*",), single=True)})
    assert replaced(one("${s3:prefix}"), context, wildcards=True).unknown
    assert replaced(one("${s3:prefix}"), context, wildcards=False).pieces == ("a*",)
