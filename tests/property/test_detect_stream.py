"""For every text and every way of cutting it: the same bytes, the same decisions, the same end (NET-02, DAT-03)."""

# ruff: noqa: E501  (tables of samples)

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.channels.messages import GuardrailAction
from caisson.detect.invisible import InvisibleRuns
from caisson.detect.markup import Markup
from caisson.detect.restoring import Restoring
from caisson.detect.rule import ANY, NUMBER, TOKEN, Found, Rule, Tail
from caisson.detect.rules.credentials import CREDENTIALS
from caisson.detect.rules.pii import PII
from caisson.detect.scanner import RuleSet
from caisson.detect.stream import Passage, Pipe, Stage
from caisson.ports.guardrail import InspectionContext
from guardrail_systems import system_with

RESTORABLE = {"[EMAIL_7f3a9c]": "alice@example.com", "[CLAIM_ID_0a1b2c]": "CLM-00000001"}
PIECES = [
    "alice@example.com", "bob.o'neil@sub.example.org", "CLM-12345678", "CLM-1234567", "AKIAIOSFODNN7EXAMPLE", "project falcon",
    "ＰＲＯＪＥＣＴ-ＦＡＬＣＯＮ", "123-45-6789", "4111 1111 1111 1111", "+1 202 555 0143", "https://x.example/a?b=", "www.example.org",
    "password = hunter2!x", 'secret_key: "a8Fj3kLm9Qz7Xw2V"', "Bearer a8Fj3kLm9Qz7Xw2Vb5Nc", "postgres://u:pa55word@db/x",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_def", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n", "-----END PRIVATE KEY-----",
    "[EMAIL_7f3a9c]", "[CLAIM_ID_0a1b2c]", "[EMAIL_7f3a9d]", "[EMAIL_", "<a href=\"", "\">", "<script", "](", "\u200b", "\u200d", "\u00ad",
    "e\u0301", "é", "😀", "𝐀𝐊", "１２３", "\r\n", "\n", " ", "  ", ".", ",", "@", "-", "_", "a", "7", "AKIA", "\ud800", "ﬁ", "\u3000", "。",
    "10.0.0.1", "fe80::1", "00:1A:2B:3C:4D:5E", "GB82 WEST 1234 5698 7654 32", "\u200b" * 40, "x" * 70, "中文",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=14).map("".join)
cuts = st.lists(st.integers(min_value=0, max_value=400), max_size=12)


def pieces_of(text: str, at: list[int]) -> list[str]:
    bounds = [0, *sorted({cut for cut in at if cut < len(text)}), len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def every(stage: Stage, pieces: list[str]) -> str:
    passed = [stage.take(piece, final=False) for piece in pieces]
    return "".join(passed) + stage.take("", final=True)


def no_nines(found: Found) -> float | None:
    """Reads all that a check may read."""
    seen = found.before[-3:] + found.after
    return None if "9" in seen or found.value.endswith("b") else 0.5


RULES = [
    Rule(id="a.email", type="EMAIL", pattern=r"\b[a-z.']{1,20}@[a-z.]{1,20}[a-z]\b", alphabet=TOKEN, check=no_nines),
    Rule(id="a.digits", type="N", pattern=r"\b\d{2,4}(?:[ -]\d{2,4}){1,4}\b", alphabet=NUMBER),
    Rule(id="a.tail", type="T", pattern=r"eyJ[a-zA-Z0-9]{3,6}\.", alphabet=TOKEN, tail=Tail(characters="abcdefXYZ0123-_.", trim=".")),
    Rule(id="a.key", type="K", pattern="-----BEGIN", opener="-----B", tail=Tail(characters="ABCDEFGIKMNPQRTUVY -\nab", closer="END")),
    Rule(id="a.named", type="S", pattern=r"(?i)pass[a-z]{0,8} {0,2}= {0,2}([^ ]{3,12})", opener="(?i)pass"),
    Rule(id="a.start", type="A", pattern=r"^[a-z]{2}|[A-Z]{2}$|x{3,5}", alphabet=ANY),
]  # fmt: skip


@cache
def rule_set(layers: tuple[int, ...]) -> RuleSet:
    chosen: tuple[list[Rule], list[Rule], list[Rule]] = ([], [], [])
    for rule, layer in zip(RULES, layers, strict=True):
        if layer < 3:
            chosen[layer].append(rule)
    return RuleSet(*chosen, tail_characters_max=20)


def passage(rules: RuleSet) -> Passage:
    return Passage(rules, lambda finding, text: f"[{finding.type}:{len(text)}]")


LAYERS = st.sampled_from(
    [(1, 1, 1, 1, 1, 1), (0, 1, 1, 2, 1, 2), (1, 2, 0, 1, 0, 3), (2, 2, 2, 2, 2, 2), (1, 0, 2, 0, 1, 3)]
)


@settings(max_examples=400, deadline=None)
@given(text=texts, at=cuts, layers=LAYERS)
def test_any_rules(text: str, at: list[int], layers: tuple[int, ...]) -> None:
    rules = rule_set(layers)
    once, many = passage(rules), passage(rules)
    expected = once.take(text, final=True)
    assert every(many, pieces_of(text, at)) == expected
    assert many.hits == once.hits
    assert many.blocked == once.blocked


@settings(max_examples=250, deadline=None)
@given(text=texts)
def test_character_by_character(text: str) -> None:
    rules = rule_set((1, 1, 1, 1, 1, 1))
    once, many = passage(rules), passage(rules)
    assert every(many, list(text)) == once.take(text, final=True)
    assert many.hits == once.hits


@cache
def shipped() -> RuleSet:
    return RuleSet((), (*CREDENTIALS, *(rule for rules in PII.values() for rule in rules)), ())


@settings(max_examples=250, deadline=None)
@given(text=texts, at=cuts)
def test_shipped_rules(text: str, at: list[int]) -> None:
    once, many = passage(shipped()), passage(shipped())
    assert every(many, pieces_of(text, at)) == once.take(text, final=True)
    assert many.hits == once.hits


@settings(max_examples=300, deadline=None)
@given(text=texts, at=cuts)
def test_restoring(text: str, at: list[int]) -> None:
    assert every(Restoring(RESTORABLE), pieces_of(text, at)) == Restoring(RESTORABLE).take(text, final=True)


@settings(max_examples=200, deadline=None)
@given(text=texts, at=cuts)
def test_invisible_runs(text: str, at: list[int]) -> None:
    once, many = InvisibleRuns(), InvisibleRuns()
    assert every(many, pieces_of(text, at)) == once.take(text, final=True)
    assert (many.blocked, many.hits) == (once.blocked, once.hits)


@settings(max_examples=200, deadline=None)
@given(text=texts, at=cuts)
def test_markup(text: str, at: list[int]) -> None:
    whole, cut = Markup(), Markup()
    whole.feed(text)
    for piece in pieces_of(text, at):
        cut.feed(piece)
    assert cut.inside == whole.inside


@cache
def guardrail() -> EmbeddedGuardrail:
    system = system_with(
        pii={"EMAIL": "pseudonymise", "PHONE": "flag", "URL": "flag", "US_SOCIAL_SECURITY_NUMBER": "block", "IP_ADDRESS": "pseudonymise"},
        words=["project-falcon", "project falcon", "café"],
        patterns=[{"name": "claim-id", "regex": r"CLM-\d{8}", "action": "pseudonymise"}, {"name": "any", "regex": r"\S{3}7", "action": "flag"}],
    )  # fmt: skip
    return EmbeddedGuardrail(system, 1)


def untimed(action: GuardrailAction) -> dict[str, Any]:
    return {name: getattr(action, name) for name in action.__struct_fields__ if name != "latency_ms"}


def answered(cut: Callable[[str], list[str]], text: str) -> tuple[str, list[dict[str, Any]], bool]:
    async def run() -> tuple[str, list[dict[str, Any]], bool]:
        context = InspectionContext(session_id="s", pseudonym_key=bytes(32), guardrail="main")
        output = guardrail().open_output(context, RESTORABLE)
        passed = [await output.feed(0, piece) for piece in cut(text)]
        passed.append(await output.finish(0))
        return "".join(passed), [untimed(action) for action in output.actions], output.blocked is not None

    return asyncio.run(run())


@settings(max_examples=300, deadline=None)
@given(text=texts, at=cuts)
def test_whole_guardrail(text: str, at: list[int]) -> None:
    assert answered(lambda text: pieces_of(text, at), text) == answered(lambda text: [text], text)


@settings(max_examples=100, deadline=None)
@given(text=texts, at=cuts)
def test_pipe_ends_where_a_stage_ends(text: str, at: list[int]) -> None:
    def pipe() -> Pipe:
        layers = ((3, 0, 1, 1, 3, 3), (1, 3, 3, 3, 1, 3), (0, 3, 3, 3, 0, 2))
        stages = [passage(rule_set(chosen)) for chosen in layers]
        return Pipe(InvisibleRuns(), *stages, Restoring(RESTORABLE))

    once, many = pipe(), pipe()
    assert every(many, pieces_of(text, at)) == once.take(text, final=True)
    assert (many.blocked, many.hits) == (once.blocked, once.hits)
