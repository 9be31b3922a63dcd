"""Whatever a system file holds, the answer is a system or problems inside it, never another exception."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from re import _parser
from typing import Any

import re2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from caisson.system.document import parse
from caisson.system.expressions import WIDTH_CHARACTERS_MAX, refusal
from caisson.system.keys import names_at
from caisson.system.loader import Reading, parse_system
from caisson.system.schema import System
from caisson.system.tiers import faster
from caisson.system.values import WINDOWS_S, format_duration, parse_duration, parse_rate
from system_files import TODAY, text_of

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXTS = [(EXAMPLES / name / "caisson.yaml").read_text() for name in ("claims", "full")]
FILES: list[dict[str, Any]] = [parse(text).data for text in TEXTS]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["1h", "60/minute", "high", "owner", "block", "main", "EMAIL", "2027-01-31", "[a-z]+", "value"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def sound(reading: Reading, text: str) -> None:
    """Either a system that survives the bundle, or problems that stand inside the text."""
    if reading.system is not None:
        assert reading.problems == ()
        bundle = json.loads(json.dumps(reading.system.to_bundle()))
        assert System.from_bundle(bundle) == reading.system
    else:
        assert reading.problems
    lines = re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))
    for problem in (*reading.problems, *reading.warnings, *reading.unbuilt("up"), *reading.unbuilt("synth")):
        assert 1 <= problem.position.line <= len(lines), problem
        assert 1 <= problem.position.column <= len(lines[problem.position.line - 1]) + 1, problem
        assert problem.message.startswith("expected "), problem
        assert "found" in problem.message, problem
        assert "\n" not in problem.message, problem


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with every key or index in it."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield data, key
        yield from places(value)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A sound file with up to three keys dropped, renamed, given another value, or moved elsewhere."""
    data = copy.deepcopy(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(list(places(data)) or [(data, None)]))
        match draw(st.sampled_from(["drop", "rename", "retype", "nest", "swap", "add"])):
            case "drop" if key is not None:
                del container[key]
            case "rename" if isinstance(container, dict) and key is not None:
                container[draw(st.text(max_size=8) | st.sampled_from(["x", f"{key}s", str(key)[1:]]))] = container.pop(
                    key
                )
            case "nest" if key is not None:
                container[key] = {draw(st.sampled_from(["value", "because", "x"])): container[key]}
            case "swap" if key is not None:
                other, where = draw(st.sampled_from(list(places(data))))
                container[key] = copy.deepcopy(other[where])
            case "add" if isinstance(container, dict):
                container[draw(st.text(max_size=8) | st.sampled_from(["kind", "aws", "loosened"]))] = draw(VALUES)
            case _ if key is not None:
                container[key] = draw(VALUES)
    return text_of(data)


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_any_mutation_gives_a_system_or_problems_in_the_file(text: str) -> None:
    sound(parse_system(text.encode("utf-8", "surrogatepass"), name="f", today=TODAY), text)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A sound file with a piece cut out, and another put in."""
    text = draw(st.sampled_from(TEXTS))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 40)))
    piece = st.text(max_size=10) | st.sampled_from(
        [*list("{}[]:,&*!|>'\"%@`#-?\t\n "), "<<: ", "---\n", "&a ", "*a", "\r\n  "]
    )
    return text[:start] + draw(piece) + text[end:]


@settings(max_examples=150, deadline=None)
@given(damaged())
def test_any_damage_to_the_text_gives_a_system_or_problems_in_the_file(text: str) -> None:
    sound(parse_system(text.encode("utf-8", "surrogatepass"), name="f", today=TODAY), text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
@example("\r0")
@example("\u2028: &")
@example("a: \x85 {")
@example("\ufeff\ufeff: ]")
@example("? ? ? x")
@example("- - - [")
@example("a: |9\n  x")
@example("a: >-1\n x")
@example('a: "\\x"')
@example('a: "\\U00110000"')
@example('a: "\\ud800"')
@example("%TAG ! x:\n--- 1")
@example("%YAML 9.9\n---\n")
@example("!<> 1")
@example("a: !<tag:yaml.org,2002:binary> x")
def test_any_text_gives_a_system_or_problems_in_it(text: str) -> None:
    sound(parse_system(text.encode("utf-8", "surrogatepass"), name="f", today=TODAY), text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_a_system_or_problems(raw: bytes) -> None:
    reading = parse_system(raw, name="f", today=TODAY)
    assert (reading.system is None) == bool(reading.problems)


@given(st.integers(1, 10**8), st.sampled_from("smhd"))
def test_durations_come_back_as_the_same_time(count: int, unit: str) -> None:
    seconds = parse_duration(f"{count}{unit}")
    assert parse_duration(format_duration(seconds)) == seconds


RATES = st.builds("{}/{}".format, st.integers(1, 10**5), st.sampled_from(sorted(WINDOWS_S)))


@given(RATES, RATES)
def test_a_rate_that_is_not_looser_admits_no_more_in_any_window(value: str, default: str) -> None:
    """Against counting: requests come in bursts at the start of each of the value's windows."""
    asked, allowed = parse_rate(value), parse_rate(default)
    bursts = range(0, allowed.window_s, asked.window_s)
    assert faster(value, default) == (len(bursts) * asked.count > allowed.count)
    assert str(asked) == value


PIECES = st.sampled_from(
    [*"ab[]^-(){}|?*+.,$\\1230", "[:alpha:]", "{0,2}", "{,2}", "(?:", "(?i)", "\\d", "\\b", "\\p{L}"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=10).map("".join), st.text("ab12 -]", max_size=30))
@example("(a{,1}){9}", "a{,1}" * 9)
@example("[[:alpha:]]{0,3}\\b", "ab")
def test_an_accepted_expression_matches_something_of_bounded_width_in_re2(expression: str, text: str) -> None:
    if refusal(expression) == "":
        widest = _parser.parse(expression).getwidth()[1]
        for match in re2.finditer(expression, text):
            assert 0 < match.end() - match.start() <= widest <= WIDTH_CHARACTERS_MAX


@given(st.lists(st.text(max_size=8) | st.integers(0, 3), max_size=6))
def test_known_names_of_any_path(path: list[str | int]) -> None:
    assert isinstance(names_at(tuple(path)), tuple)
