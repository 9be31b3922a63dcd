"""Names and addresses: the same findings, bytes and end for every way of cutting a text (DAT-03, DAT-06)."""

# ruff: noqa: E501  (tables of samples)

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.channels.messages import GuardrailAction
from caisson.detect.finding import Finding
from caisson.detect.people.find import Recogniser, recogniser
from caisson.detect.people.reader import STRETCH_WORDS_MAX
from caisson.detect.people.stage import People
from caisson.detect.people.tagger import Tagger
from caisson.detect.people.weights import shipped
from caisson.detect.people.words import RUN_CHARACTERS_MAX, runs, split
from caisson.detect.scanner import BLOCK, FLAG, MASK
from guardrail_systems import CONTEXT, system_with

PIECES = [
    "Peter Miller", "Ms. Anna O'Neil-Schmidt", "my name is", "Dear", "Hello", "José", "12 Main Street", "Apt. 4b", ",\n",
    "Springfield, IL 62701", "54 rue de la Paix", "Musterstraße 7", "10115 Berlin", "P.O. Box 12", "lives at", " and ", " ",
    "\n", "\n\n", "  ", ".", ",", "'s", '"', "Acme Ltd", "London", "[EMAIL_7f3a9c]", "[NAME_0a1b2c]", "[[[[[", "[NA", "\u00a0",
    "alice@example.com", "the claim was paid", "I met", "x" * 70, "é" * 140, "中文", "1234", "PETER", "peter miller", "\t", "\r\n",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=24).map(
    lambda pieces: "".join(piece + (" " if number % 2 else "") for number, piece in enumerate(pieces))
)
cuts = st.lists(st.integers(min_value=0, max_value=500), max_size=12)


def pieces_of(text: str, at: list[int]) -> list[str]:
    bounds = [0, *sorted({cut for cut in at if cut < len(text)}), len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def found(pieces: list[str], recogniser: Recogniser = recogniser()) -> list[Finding]:
    reader = recogniser.reader()
    findings, before = [], 0
    for piece in pieces:
        more, settled = reader.take(piece, final=False)
        assert settled >= before and all(finding.start >= before for finding in more)
        findings += more
        before = settled
    last, settled = reader.take("", final=True)
    assert settled == sum(map(len, pieces))
    return [*findings, *last]


@settings(max_examples=300, deadline=None)
@given(text=texts, at=cuts)
def test_findings_do_not_depend_on_the_cuts(text: str, at: list[int]) -> None:
    whole = recogniser().find(text)
    assert found(pieces_of(text, at)) == whole
    assert found(list(text)) == whole


@settings(max_examples=150, deadline=None)
@given(
    text=texts, at=cuts, name=st.sampled_from([BLOCK, MASK, FLAG]), address=st.sampled_from([BLOCK, MASK, FLAG, None])
)
def test_a_stage_passes_the_same_bytes(text: str, at: list[int], name: int, address: int | None) -> None:
    layers = {"NAME": name} if address is None else {"NAME": name, "ADDRESS": address}

    def stage() -> People:
        return People(recogniser(), layers, lambda finding, value: f"<{finding.type}:{len(value)}>")

    once, many = stage(), stage()
    expected = once.take(text, final=True)
    assert (
        "".join(many.take(piece, final=False) for piece in pieces_of(text, at)) + many.take("", final=True) == expected
    )
    assert (many.hits, many.blocked) == (once.hits, once.blocked)
    for hit in once.hits:
        if hit.layer == MASK:
            value = f"<{hit.finding.type}:{hit.finding.end - hit.finding.start}>"
            assert expected[hit.at : hit.at + hit.width] == value
            assert once.source(hit.at + hit.width) == hit.finding.end


def rows(actions: tuple[GuardrailAction, ...]) -> list[tuple[str, str, str, int]]:
    return [(action.rule, action.decision, action.location, action.count) for action in actions]


ACTIONS = st.sampled_from(["block", "pseudonymise", "flag"])


@settings(max_examples=150, deadline=None)
@given(text=texts, at=cuts, name=ACTIONS, address=ACTIONS, email=ACTIONS)
def test_a_guardrail_passes_the_same_bytes(text: str, at: list[int], name: str, address: str, email: str) -> None:
    system = system_with(prompt_attack="none", pii={"NAME": name, "ADDRESS": address, "EMAIL": email})
    guardrail = EmbeddedGuardrail(system, 1)
    restorable = {"[NAME_0a1b2c]": "Peter Miller"}

    async def passed(pieces: list[str]) -> tuple[str, list[tuple[str, str, str, int]]]:
        output = guardrail.open_output(CONTEXT, restorable)
        text = "".join([await output.feed(0, piece) for piece in pieces]) + await output.finish(0)
        return text, rows(output.actions)

    assert asyncio.run(passed(pieces_of(text, at))) == asyncio.run(passed([text]))


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="ab \n\u00a0'[]Z_0f-", max_size=400))
def test_runs_are_the_text(text: str) -> None:
    found, starts = runs(text)
    assert all(text[start : start + len(run)] == run for run, start in zip(found, starts, strict=True))
    assert "".join(found).replace("\n", "") == text.replace(" ", "").replace("\n", "")
    assert all(len(run) <= RUN_CHARACTERS_MAX for run in found)
    assert [word.start for word in split(text)] == sorted({word.start for word in split(text)})


@settings(max_examples=100, deadline=None)
@given(text=texts)
def test_stretches_side_by_side_are_solved_as_alone(text: str) -> None:
    tagger = Tagger(shipped())
    numbers, _ = tagger.read(runs(text)[0])
    if len(numbers) < 2:
        return
    scores = tagger.scores(numbers)
    stretches = [(start, min(len(numbers), start + 1 + start % 5)) for start in range(0, len(numbers), 5)]
    assert tagger.solve(scores, stretches) == [tagger.solve(scores, [stretch])[0] for stretch in stretches]


@settings(max_examples=20, deadline=None)
@given(count=st.integers(min_value=STRETCH_WORDS_MAX - 3, max_value=3 * STRETCH_WORDS_MAX), at=cuts)
def test_stretches_that_are_cut(count: int, at: list[int]) -> None:
    for words in (["Peter", "Miller,", "Anna"], ["12", "Main", "Street,"]):
        text = " ".join(words[number % 3] for number in range(count))
        assert found(pieces_of(text, at)) == found(list(text)) == Recogniser(shipped()).find(text)


@cache
def any_weights(seed: int) -> Recogniser:
    """Weights that nothing was learned by: findings anywhere, neighbours that matter much."""
    draw = np.random.default_rng(seed)
    weights = shipped()
    transitions = draw.integers(-10, 10, weights.transitions.shape).astype(np.int16)
    transitions[0, 0] = 0
    made = replace(
        weights,
        words=draw.integers(-3, 4, weights.words.shape).astype(np.int8),
        pairs=draw.integers(-8, 9, weights.pairs.shape).astype(np.int16),
        transitions=transitions,
        bias=10,
        margin=20,
    )
    return Recogniser(made)


@settings(max_examples=300, deadline=None)
@given(text=texts, at=cuts, seed=st.integers(min_value=0, max_value=7))
def test_any_weights(text: str, at: list[int], seed: int) -> None:
    other = any_weights(seed)
    whole = other.find(text)
    assert found(pieces_of(text, at), other) == whole
    assert found(list(text), other) == whole


def test_any_weights_find_something() -> None:
    assert sum(len(any_weights(seed).find(" ".join(PIECES))) for seed in range(8)) > 20
