"""How candidates become findings, and what stays certain while a text arrives."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.detect.horizon import Horizon
from caisson.detect.rule import ANY, CONTEXT_CHARACTERS, NUMBER, TOKEN, Found, Rule, Tail
from caisson.detect.scanner import BLOCK, FLAG, MASK, Position, RuleSet
from caisson.detect.stream import Passage, Pipe
from caisson.detect.view import View, views


def rule(name: str, pattern: str, **more: object) -> Rule:
    return Rule(id=f"test.{name}", type=name.upper(), pattern=pattern, **more)  # type: ignore[arg-type]


def spans(rules: RuleSet, text: str) -> list[tuple[str, str]]:
    findings = rules.scan(text, Position(), final=True).findings
    return [(finding.type, text[finding.start : finding.end]) for _, finding in findings]


def masking(*rules: Rule) -> Passage:
    return Passage(RuleSet((), rules, ()), lambda finding, _: f"<{finding.type}>")


def each(passage: Passage | Pipe, text: str) -> str:
    return "".join(passage.take(character, final=False) for character in text) + passage.take("", final=True)


def test_longest_wins_at_a_place() -> None:
    assert spans(RuleSet((), [rule("short", "ab"), rule("long", "abc")], ()), "abc") == [("LONG", "abc")]


def test_first_rule_wins_a_tie() -> None:
    assert spans(RuleSet((), [rule("one", "ab"), rule("two", "a[b]")], ()), "ab") == [("ONE", "ab")]


def test_leftmost_wins_an_overlap() -> None:
    assert spans(RuleSet((), [rule("right", "bcde"), rule("left", "abc")], ()), "abcde") == [("LEFT", "abc")]


def test_layers_do_not_hide_each_other() -> None:
    rules = RuleSet([rule("block", "bc")], [rule("mask", "abcd")], [rule("flag", "cd")])
    layers = [layer for layer, _ in rules.scan("abcd", Position(), final=True).findings]
    assert layers == [MASK, BLOCK, FLAG]


def test_a_refused_candidate_hides_nothing() -> None:
    def no_x(found: Found) -> float | None:
        return None if found.value.startswith("x") else 1.0

    assert spans(RuleSet((), [rule("a", "[xa]b?a", check=no_x)], ()), "xaba") == [("A", "aba")]
    assert spans(RuleSet((), [rule("a", "[xa]a", check=no_x)], ()), "xaa") == [("A", "aa")]


@pytest.mark.parametrize("distance", [1, 10, CONTEXT_CHARACTERS, CONTEXT_CHARACTERS + 1])
def test_context_reaches_as_far_in_a_stream(distance: int) -> None:
    def near_key(found: Found) -> float | None:
        return 1.0 if "KEY" in found.before else None

    text = "lorem ipsum " * 60 + "KEY" + "." * (distance - 3) + "42 " + "dolor " * 60
    number = rule("n", r"\d\d", alphabet=NUMBER, check=near_key)
    whole = masking(number).take(text, final=True)
    assert each(masking(number), text) == whole
    assert ("<N>" in whole) == (distance <= CONTEXT_CHARACTERS)


def test_edges_of_words_reach_over_hidden_characters() -> None:
    word = rule("w", r"\bcat\B")
    text = "lorem ipsum " * 60 + "x" + "\u200b" * 64 + "\uff43ats and more"
    assert each(masking(word), text) == masking(word).take(text, final=True) == text


@pytest.mark.parametrize("length", [24, 25, 29, 30, 31, 32])
def test_the_longest_match_is_waited_for(length: int) -> None:
    wide = rule("z", r"\bz{25,30}\b")
    assert wide.span == 30
    for text in ("z" * length, "z" * length + "!", "a " + "z" * length + " b"):
        assert each(masking(wide), text) == masking(wide).take(text, final=True)
        assert ("<Z>" in each(masking(wide), text)) == (25 <= length <= 30)


@pytest.mark.parametrize(
    ("alphabet", "opener", "text", "settled"),
    [
        (ANY, "", "a" * 20, 10),
        (TOKEN, "", "see aaa", 4),
        (TOKEN, "", "see ", 4),
        (TOKEN, "", "前aaa", 1),
        (TOKEN, "", "a" * 20, 10),
        (NUMBER, "", "call 12 3", 4),
        (ANY, "ke?y", "nothing of that", 11),
        (ANY, "ke?y", "my key is", 3),
        (ANY, "ke?y", "my key is no longer near", 20),
    ],
)
def test_horizon(alphabet: str, opener: str, text: str, settled: int) -> None:
    aaa = rule("a", "[a-z0-9 ]{2,10}", alphabet=alphabet, opener=opener)
    aaa.__dict__["span"] = 10
    assert Horizon([aaa]).of(View(text), 0) == settled


def test_tail() -> None:
    key = rule("t", "key:", tail=Tail(characters="abc", closer="cc", trim="b"))
    assert spans(RuleSet((), [key], ()), "key:abab key:accab key:x key:b") == [
        ("T", "key:aba"), ("T", "key:acc"), ("T", "key:"), ("T", "key:"),
    ]  # fmt: skip


@pytest.mark.parametrize("length", [19, 20, 21])
def test_overlong_tail_ends_the_text(length: int) -> None:
    rules = RuleSet((), [rule("t", "key:", tail=Tail(characters="a"))], (), tail_characters_max=20)
    text = "x key:" + "a" * length + " y"
    passages = [Passage(rules, lambda *_: "#") for _ in range(2)]
    whole = passages[0].take(text, final=True)
    assert each(passages[1], text) == whole == ("x # y" if length <= 20 else "x ")
    assert passages[0].hits == passages[1].hits and passages[0].blocked == (length > 20)


def test_a_settled_mask_leaves_at_once() -> None:
    number = rule("n", r"\d\d", alphabet=NUMBER)
    assert masking(number).take("say 42 to", final=False) == "say <N> to"


def test_nothing_comes_out_after_the_end() -> None:
    passage = Passage(RuleSet([rule("b", "bad")], (), ()), lambda *_: "")
    assert passage.take("a bad", final=False) == "a "
    assert passage.take("more", final=True) == "" and passage.blocked


def test_what_lies_beyond_the_end_does_not_count() -> None:
    def pipe() -> Pipe:
        first = Passage(RuleSet((), [rule("a", "a{1,3}")], ()), lambda *_: "<longer>")
        second = Passage(RuleSet((), [rule("c", "c")], ()), lambda *_: "")
        return Pipe(first, second, Passage(RuleSet([rule("b", "b")], (), ()), lambda *_: ""))

    for text in ("aaa c c a b a c", "aaabaaa", "ccb", "abb", "acacb"):
        once, many = pipe(), pipe()
        assert each(many, text) == once.take(text, final=True)
        counted = [(hit.finding.type, hit.finding.start) for hit in once.hits]
        assert [(hit.finding.type, hit.finding.start) for hit in many.hits] == counted
        end = text.index("b")
        assert [kind for kind, _ in counted].count("A") == len(re.findall("a+", text[:end]))
        assert [kind for kind, _ in counted].count("C") == text[:end].count("c")
        assert counted[-1][0] == "B"


@given(text=st.text(st.sampled_from("aé\u200b\U0001f600ﬁ\ud800"), min_size=1, max_size=900), data=st.data())
def test_offsets_in_bytes_and_back_in_any_order(text: str, data: st.DataObject) -> None:
    """Rules of one view ask for places in any order; what one asked before changes nothing for the next."""
    for view in views(text):
        for _ in range(6):
            at = data.draw(st.integers(0, len(view.text)))
            assert view.byte(at) == len(view.text[:at].encode(errors="replace"))
            assert view.character(view.byte(at)) == at
