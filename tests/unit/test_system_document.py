"""YAML in: what is written is what is read, with positions, within bounds."""

from __future__ import annotations

import pytest

from caisson.system.document import DEPTH_MAX, FILE_BYTES_MAX, NODES_MAX, Position, Problem, decode, parse, scalar


def only(text: str) -> Problem:
    (problem,) = parse(text).problems
    return problem


def test_data_and_positions() -> None:
    document = parse("a: 1\nb:\n  - x: [true, ~]\n    y: 'no'\n")
    assert document.data == {"a": 1, "b": [{"x": [True, None], "y": "no"}]}
    assert document.key_at(("b", 0, "y")) == Position(line=4, column=5)
    assert document.value_at(("b", 0, "y")) == Position(line=4, column=8)
    assert document.value_at(("b", 0, "x", 1)) == Position(line=3, column=15)


def test_position_of_what_is_not_there_is_that_of_what_is_around_it() -> None:
    document = parse("a:\n  b: {c: 1}\n")
    assert document.key_at(("a", "b", "missing")) == Position(line=2, column=6)
    assert document.value_at(("nowhere",)) == Position(line=1, column=1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("True", True),
        ("false", False),
        ("", None),
        ("~", None),
        ("Null", None),
        ("30", 30),
        ("-7", -7),
        ("0123", 123),
        ("0.7", 0.7),
        ("1e3", 1000.0),
        ("0x1e", "0x1e"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("2027-01-31", "2027-01-31"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_are_those_of_the_core_schema_in_decimal(text: str, value: object) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("a: &x 1\n", (1, 4), "anchor"),
        ("a: 1\nb: *x\n", (2, 4), "alias"),
        ("a:\n  <<: {b: 1}\n", (2, 3), "merge key"),
        ("a: !!str 1\n", (1, 4), "without a tag"),
        ("a: !python/object:os.system x\n", (1, 4), "without a tag"),
        ("%YAML 1.1\n---\na: 1\n", (2, 1), "no directives"),
        ("a: 1\n---\nb: 1\n", (2, 1), "one document"),
        ("? [a]\n: 1\n", (1, 3), "expected a name as key, found a list"),
        ("a: 1\nb: 2\na: 3\n", (3, 1), "found 'a' again; it stands in line 1"),
        ("a: [1\nb: 2\n", (2, 2), "well-formed YAML"),
        ("a: 'x\n", (1, 6), "well-formed YAML"),
        ("\tx: 1", (1, 1), "well-formed YAML"),
        ("{", (1, 2), "well-formed YAML"),
    ],
)
def test_refused_yaml(text: str, position: tuple[int, int], message: str) -> None:
    problem = only(text)
    assert message in problem.message
    assert problem.message.startswith("expected ")
    assert (problem.position.line, problem.position.column) == position


def test_duplicate_keys_are_all_reported_and_the_rest_is_read() -> None:
    document = parse("a: 1\na: 2\nb: {c: 1, c: 2}\n")
    assert [problem.path for problem in document.problems] == [("a",), ("b", "c")]


def test_depth_is_bounded_before_anything_recurses() -> None:
    assert not parse("[" * DEPTH_MAX + "]" * DEPTH_MAX).problems
    assert f"{DEPTH_MAX} levels" in only("[" * (DEPTH_MAX + 1)).message
    assert f"{DEPTH_MAX} levels" in only("{a: " * 10_000).message


def test_nodes_are_bounded() -> None:
    assert f"{NODES_MAX:,}" in only("[" + "1," * (NODES_MAX + 10) + "]").message


@pytest.mark.parametrize(
    ("raw", "position", "message"),
    [
        (b"a: 1\nb: \xff\n", (2, 4), "expected UTF-8, found byte 0xff"),
        (b"a: 1\nb: x\x00\n", (2, 5), "found U+0000"),
        ("a: \x9b".encode(), (1, 4), "found U+009B"),
        (b"#" * (FILE_BYTES_MAX + 1), (1, 1), "at most 1,048,576 bytes"),
    ],
)
def test_bytes_that_are_no_text(raw: bytes, position: tuple[int, int], message: str) -> None:
    problem = decode(raw)
    assert isinstance(problem, Problem)
    assert message in problem.message
    assert (problem.position.line, problem.position.column) == position


def test_byte_order_mark_and_windows_line_ends_are_read() -> None:
    text = decode(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert isinstance(text, str)
    document = parse(text)
    assert document.data == {"a": 1, "b": 2}
    assert document.key_at(("b",)) == Position(line=2, column=1)


@pytest.mark.parametrize("text", ['a: "\\x1b[31m"', 'a: "\\ud800"', '"\\0": 1', 'a: ["\\u009b"]'])
def test_an_escape_writes_nothing_that_the_text_may_not_hold(text: str) -> None:
    assert "expected printable text, found U+" in only(text).message


def test_a_key_cannot_break_the_line_of_a_message() -> None:
    assert only('"a\\nb": 1\n"a\\nb": 2').line_in("f") == (
        "f:2:1: expected each key once, found 'a\\nb' again; it stands in line 1 ('a\\nb')"
    )
    assert "\u202e" not in only('"\u202ea": 1\n"\u202ea": 2').message
