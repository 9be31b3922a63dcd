"""Resolution against values chosen beforehand, and against cfn-lint's own."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_json
from cfnlint.jsonschema import CfnTemplateValidator
from cfnlint.template import Template
from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.assurance.templates import Templates, Value, placeholder, read, symbols
from caisson.assurance.templates.functions import split
from caisson.assurance.templates.place import Place
from caisson.assurance.templates.values import Reference, join, key_of
from generated_templates import WORDS, backwards


def reading(template: Any) -> Templates:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "one.json").write_text(json.dumps(template))
        return read(Path(folder))


def value_of(template: Any) -> Value:
    return reading(template).stack("one.json").resources["One"].properties["Value"]


def by_cfn_lint(template: Any) -> list[Any]:
    """Every value that cfn-lint thinks possible."""
    decoded = cfn_json.loads(json.dumps(template))
    whole = Template("one.json", decoded, ["eu-west-1"])
    validator = CfnTemplateValidator({}).evolve(context=whole.context, cfn=whole)
    written = decoded["Resources"]["One"]["Properties"]["Value"]
    return [value for value, _, error in validator.resolve_value(written) if error is None]


@given(backwards())
@settings(max_examples=150, deadline=None)
def test_an_expression_gives_the_value_that_it_was_made_for(made: tuple[str, Any]) -> None:
    chosen, template = made
    assert value_of(template) == chosen


@given(backwards())
@settings(max_examples=60, deadline=None)
def test_what_cfn_lint_resolves_is_ours(made: tuple[str, Any]) -> None:
    _, template = made
    theirs = [str(value) for value in by_cfn_lint(template)]
    if theirs:  # it gives up where its own bounds are reached
        assert value_of(template) in theirs


REFERENCES = st.builds(
    lambda stack, id_: Reference(name=f"{stack}/{id_}", stack=stack, id=id_, attribute="", type="AWS::EC2::VPC"),
    st.sampled_from(["s", "t"]), st.sampled_from(["A", "B"]),
)  # fmt: skip
PARTS = st.lists(st.one_of(WORDS, REFERENCES), max_size=5)


@given(PARTS, st.data())
def test_text_joined_in_any_grouping_is_the_same(parts: list[Any], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(parts)))
    assert key_of(join([join(parts[:at]), join(parts[at:])])) == key_of(join(parts))


@given(PARTS, PARTS)
def test_values_are_equal_where_and_only_where_their_placeholders_are(left: list[Any], right: list[Any]) -> None:
    one, other = join(left), join(right)
    assert (one == other) == (placeholder(one) == placeholder(other))


@given(PARTS, st.sampled_from("/.:-"))
def test_what_is_split_and_joined_again_is_the_same(parts: list[Any], delimiter: str) -> None:
    value = join(parts)
    found = split(delimiter, value, Place(file=""))
    if isinstance(found, list):
        again: list[Any] = []
        for number, piece in enumerate(found):
            again += [delimiter, piece] if number else [piece]
        assert join(again) == value
    else:
        assert delimiter in "-." and next(symbols(value), None) is not None


@pytest.mark.parametrize("suffix", ["json", "yaml"])
@given(text=st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_no_text_ends_otherwise_than_by_reading_or_refusing(suffix: str, text: str) -> None:
    from caisson.assurance.templates.place import Flaw
    from caisson.assurance.templates.source import decode

    try:
        decode(f"x.{suffix}", text)
    except Flaw as flaw:
        assert str(flaw.problem)
