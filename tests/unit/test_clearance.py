"""What is marked above the caller's clearance does not reach them, from a document or in an answer (DAT-06)."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.policy.clearance import LEVELS, clearance_of, may_read
from caisson.ports.guardrail import Part
from caisson.system.identity import Classification, Group
from caisson.zones.z2_runtime import pipeline
from guardrail_systems import CONTEXT, system_with
from request_path import PRINCIPAL, FakeModel, made_exchange, made_runtime, made_system

MARKED: dict[str, list[str]] = {
    "internal": ["Classification: internal", "CLASSIFICATION - Internal use only", "[INTERNAL]", "TLP:GREEN"],
    "confidential": [
        "Sensitivity: Confidential", "**Classification:** confidential", "// CONFIDENTIAL //", "TLP:AMBER+STRICT",
        "It is classified as confidential",
    ],
    "restricted": [
        "classification: restricted", "Classification: Strictly Confidential", "[TOP SECRET]", "***RESTRICTED***",
        "TLP: RED", '"classification": "secret"',
    ],
}  # fmt: skip
SPEECH = [
    "We keep your details confidential.", "an internal matter", "classification of claims", "[1] see //example",
    "Access is restricted to staff.", "sensitivity: high", "TLP", "the classification, confidential or not",
]  # fmt: skip


@cache
def evaluator(mode: str = "enforce") -> EmbeddedGuardrail:
    trial = {"mode": mode, "because": "trial", "until": "2099-01-01"} if mode == "detect" else {}
    return EmbeddedGuardrail(system_with(clearances={"staff": "internal"}, words=["project-falcon"], **trial), 1)


def answered(pieces: list[str], clearance: Classification, mode: str = "enforce") -> tuple[str, str, list[Any]]:
    async def fed() -> tuple[str, str, list[Any]]:
        output = evaluator(mode).open_output(replace(CONTEXT, clearance=clearance), {})
        passed = "".join([*[await output.feed(0, piece) for piece in pieces], await output.finish(0)])
        rows = [(row.rule, row.decision) for row in output.actions]
        return passed, output.blocked.rule if output.blocked else "", rows

    return asyncio.run(fed())


ALL = [text for texts in MARKED.values() for text in texts]
CASES = [(level, text) for level, texts in MARKED.items() for text in texts]


@pytest.mark.parametrize(("level", "text"), CASES)
def test_an_answer_ends_where_it_is_marked_above_the_clearance(level: Classification, text: str) -> None:
    for clearance in LEVELS:
        passed, blocked, rows = answered([f"So. {text}. The rest"], clearance)
        if may_read(level, clearance):
            assert passed == f"So. {text}. The rest"
            assert blocked == ""
            assert rows == [(f"classification.{level}", "flagged")]
        else:
            assert passed.startswith("So. ")
            assert "rest" not in passed
            assert blocked == f"classification.{level}"


@pytest.mark.parametrize("text", SPEECH)
def test_speech_is_no_marking(text: str) -> None:
    assert answered([text], "public") == (text, "", [("", "pass")])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(["Hail fell. ", "[x] ", "mail a@example.com ", "project-falcon ", *ALL])),
    st.integers(1, 40),
    st.sampled_from(LEVELS),
)
def test_cuts_change_nothing(parts: list[str], size: int, clearance: Classification) -> None:
    text = " ".join(parts)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert answered(pieces, clearance) == answered([text], clearance)


def test_detect_mode_only_flags() -> None:
    text = "[TOP SECRET] yes"
    assert answered([text], "public", "detect") == (text, "", [("classification.restricted", "flagged")])


@pytest.mark.parametrize(("role", "blocked"), [("document", True), ("tool", True), ("user", False), ("system", False)])
async def test_documents_and_tool_results_are_compared_too(role: Any, blocked: bool) -> None:
    part = Part(text="Classification: restricted. Salaries", role=role, path="p")
    for clearance in LEVELS:
        inspection = await evaluator().inspect_input([part], replace(CONTEXT, clearance=clearance))
        assert (inspection.blocked is not None) == (blocked and clearance != "restricted")


def test_without_clearances_nothing_is_looked_for() -> None:
    async def passed() -> str:
        return await EmbeddedGuardrail(system_with(), 1).open_output(CONTEXT, {}).last(0, "[TOP SECRET] yes")

    assert asyncio.run(passed()) == "[TOP SECRET] yes"


GROUPS = {"a": Group(clearance="internal"), "b": Group(clearance="restricted"), "c": Group()}


@pytest.mark.parametrize(
    ("member_of", "clearance"),
    [(("a",), "internal"), (("a", "b"), "restricted"), (("c",), "public"), ((), "public"), (("gone",), "public")],
)
def test_a_caller_has_the_highest_clearance_of_their_groups(member_of: tuple[str, ...], clearance: str) -> None:
    assert clearance_of(member_of, GROUPS) == clearance
    assert clearance_of(member_of, {"c": Group()}) is None


@pytest.mark.parametrize(("groups", "ends"), [(("leads",), False), (("staff",), True), ((), True)])
async def test_the_verified_groups_of_the_caller_decide(tmp_path: Path, groups: tuple[str, ...], ends: bool) -> None:
    system = made_system(2)
    cleared = {"staff": Group(clearance="internal"), "leads": Group(clearance="restricted")}
    system = system.model_copy(update={"identity": system.identity.model_copy(update={"groups": cleared})})
    runtime = await made_runtime(tmp_path, system, FakeModel([{"text": "So: [TOP SECRET] yes"}]))
    runtime.snapshot = type(runtime.snapshot).of(version=1, system=system, guardrail=EmbeddedGuardrail(system, 1))
    body = orjson.dumps({"messages": [{"role": "user", "content": [{"text": "hi"}]}]})
    import dataclasses

    exchange = made_exchange(runtime, body, principal=dataclasses.replace(PRINCIPAL, groups=groups))
    assert await pipeline.admit(exchange) is None
    assert await pipeline.answer(exchange) is None
    assert (exchange.blocked is not None) == ends
