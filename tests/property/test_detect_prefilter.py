"""What a rule promises about its pattern holds for every match: the prefilter sees it, and it is as short, as plain and as
announced as the rule says. A miss here is a hole in the guardrail or a difference between streamed and whole answers."""

# ruff: noqa: E501  (tables of samples)

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from caisson.detect.literal import required
from caisson.detect.prefilter import Prefilter, prefilter, same_meaning, widened
from caisson.detect.rule import ANY, TOKEN, Rule
from caisson.detect.rules.credentials import CREDENTIALS
from caisson.detect.rules.declared import word
from caisson.detect.rules.injection import PATTERNS
from caisson.detect.rules.pii import PII

SHIPPED = {
    f"{rule.id}-{number}": rule
    for number, rule in enumerate((*CREDENTIALS, *(rule for rules in PII.values() for rule in rules), *PATTERNS))
}
NAMES = sorted(SHIPPED)
PATTERNS = tuple(SHIPPED[name].pattern for name in NAMES)
AROUND = st.sampled_from(["", " ", "x", "9", "-", "=", ":", "\n", "é", "😀", "…", "(", ")", '"', "."])


def matches(rule: Rule) -> st.SearchStrategy[str]:
    return st.from_regex(re.compile(rule.pattern, re.ASCII))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), name=st.sampled_from(NAMES), before=AROUND, after=AROUND)
def test_every_match_of_every_rule(data: st.DataObject, name: str, before: str, after: str) -> None:
    rule = SHIPPED[name]
    text = before + data.draw(matches(rule)) + after
    found = re2.search(rule.pattern, text)
    assume(found is not None)
    assert NAMES.index(name) in prefilter(PATTERNS).hits(text.encode())
    value = found.group()
    assert not rule.sign or re2.search(rule.sign, value) is not None
    assert required(rule.pattern).decode() in value
    assert len(value) <= rule.span
    assert rule.alphabet == ANY or set(value) <= set(rule.alphabet)
    if rule.opener:
        opener = re2.compile(rule.opener).search(text, found.start())
        assert opener is not None and opener.start() == found.start()
        assert len(opener.group()) <= rule.opener_span
        assert set(opener.group()) <= set(TOKEN)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_rules_go_through_the_prefilter(name: str) -> None:
    """A rule that Hyperscan cannot take costs an RE2 search in every text."""
    rule = SHIPPED[name]
    assert Prefilter([rule.sign or rule.pattern]).alone == []


def test_openers_hold_no_white_space() -> None:
    for rule in SHIPPED.values():
        assert not re.search(r"\\s|\\W|\[\^| ", rule.opener), rule.id


ATOMS = st.sampled_from(
    ["a", "K", "é", "ß", "ſ", "7", "_", "-", " ", r"\.", r"\d", r"\w", r"\W", r"\D", r"\s", r"\S", r"\v", ".", "[ab]", "[^a]",
     r"[^\s]", r"[\s-]", "[[:alpha:]]", r"\pL", r"\x41", r"\b", r"\B", "^", "$", r"\n", r"\t", "(?:ab|c)", "(?i:k)", "(?s:.)"]
)  # fmt: skip
REPEATS = st.sampled_from(["", "", "", "{2}", "{1,3}", "{0,12}", "{3,20}", "?"])
USER_PATTERNS = st.tuples(
    st.sampled_from(["", "(?i)", "(?m)"]), st.lists(st.tuples(ATOMS, REPEATS), min_size=1, max_size=5)
).map(lambda drawn: drawn[0] + "".join(atom + repeat for atom, repeat in drawn[1]))
TEXTS = st.text(st.sampled_from("aAbckKKsſéÉßẞ7_-. \n\t\x0b\x0c\x85\xa0\u2028\u0301😀"), max_size=12)


@settings(max_examples=1500, deadline=None)
@given(pattern=USER_PATTERNS, text=TEXTS)
@example(pattern=r"\S{3}", text="a\x0bb")
@example(pattern=r"[^\s]{3}", text="a\x0bb")
@example(pattern="ab$", text="ab\n")
@example(pattern=r"(?i)\w", text="\u017f")
@example(pattern=r"(?i)[-\w]b", text="\u212ab")
@example(pattern=r"(?i)\W", text="\u017f")
@example(pattern=r"(?i)\W", text="s")
def test_never_less_than_re2(pattern: str, text: str) -> None:
    options = re2.Options()
    options.log_errors = False
    try:
        found = re2.compile(pattern, options).search(text)
    except re2.error:
        assume(False)
    if found is not None and found.group():
        assert Prefilter([pattern]).hits(text.encode()) == [0]
        assert required(pattern).decode() in found.group()


@settings(max_examples=300, deadline=None)
@given(text=st.text(min_size=1, max_size=12).filter(lambda text: bool(text.split())))
def test_declared_words_go_through_the_prefilter(text: str) -> None:
    assert Prefilter([word(text).pattern]).alone == []


@pytest.mark.parametrize("pattern", [r"\S", r"[^\s]", r"\pL", r"[[:space:]]", r"\Qa\E", "(?U)a{1,2}", r"[^a\s]"])
def test_dialects_differ(pattern: str) -> None:
    assert not same_meaning(pattern)


@pytest.mark.parametrize("pattern", [r"\d{8}", r"[a-z\s]", "[:=]", r"a\.b", r"(?i)x", r"[^a]\s"])
def test_dialects_agree(pattern: str) -> None:
    assert same_meaning(pattern)


@pytest.mark.parametrize(
    ("pattern", "character"),
    [("CLM-[0-9]{8}", b"C"), ("[a-z]{2,9}@[a-z]", b"@"), ("a{0,2}", b""), ("(?:b@){1,2}", b"@"), ("a|b", b""), ("(?i)a@", b""),
     ("(?i:k)Z", b"Z"), ("(k)@?", b"k"), ("é", b""), ("a{,5}", b""), ("(", b""), ("[[:alpha:]]", b""), (r"\Qa\E@", b""), (r"\d@", b"@")],
)  # fmt: skip
def test_required_character(pattern: str, character: bytes) -> None:
    assert required(pattern) == character


@pytest.mark.parametrize(
    ("pattern", "wider"),
    [("a{2,9}", "a{2,}"), ("a{2,8}", "a{2,8}"), ("[{1,20}]", "[{1,20}]"), (r"\{1,20}", r"\{1,20}"), ("[]{1,20}]", "[]{1,20}]"),
     ("a{20}", "a{20}"), (r"[\]{1,20}]b{0,99}", r"[\]{1,20}]b{0,}")],
)  # fmt: skip
def test_widened(pattern: str, wider: str) -> None:
    assert widened(pattern) == wider
