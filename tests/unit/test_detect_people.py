"""Names and addresses by what stands around them (DAT-03). What is known to be missed, and to be wrong, says so."""

from __future__ import annotations

from dataclasses import replace
from time import process_time_ns
from typing import Any

import pytest

from caisson.adapters.embedded.guardrail import EmbeddedGuardrail, evaluator, passages
from caisson.channels.messages import GuardrailAction
from caisson.detect import models
from caisson.detect.detectors import detector
from caisson.detect.people.find import recogniser
from caisson.detect.people.stage import People
from caisson.detect.people.tagger import RUNS_MAX, Tagger
from caisson.detect.people.weights import FILE, shipped, weights_of
from caisson.detect.scanner import MASK
from caisson.ports.guardrail import Part
from guardrail_systems import CONTEXT, system_with


def found(text: str) -> list[tuple[str, str]]:
    return [(one.type, text[one.start : one.end]) for one in recogniser().find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My name is Peter Miller.", [("NAME", "Peter Miller")]),
        ("Dear Mrs. O'Neil,\nthank you for your letter.", [("NAME", "Mrs. O'Neil")]),
        ("Please send the parcel to Anna Schmidt, 12 Main Street, Springfield, IL 62701.",
         [("NAME", "Anna Schmidt"), ("ADDRESS", "12 Main Street, Springfield, IL 62701")]),
        ("my name is peter miller", [("NAME", "peter miller")]),
        ("Ship to:\nJosé García\nCalle Mayor 14\n28013 Madrid",
         [("NAME", "José García"), ("ADDRESS", "Calle Mayor 14\n28013 Madrid")]),
    ],
)  # fmt: skip
def test_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "How do I reset my password?",
        "My card was declined, why?",
        "Use Docker and Kubernetes on Linux.",
        "class Reader:\n    def read(self): return None",
        "# Getting Started\n\nRun `make install`.",
        "Order 4711 has shipped on Monday.",
        "Версия вышла в январе.",
        "",
        " \n \n",
    ],
)
def test_nobody(text: str) -> None:
    assert found(text) == []


def test_what_was_masked_is_in_no_finding() -> None:
    text = "Dear [NAME_0a1b2c] Miller, I am Peter [EMAIL_7f3a9c] of 12 Main Street [ADDRESS_0a1b2c], Springfield"
    for kind, value in found(text):
        assert "[" not in value and "_" not in value, kind


def test_spellings_of_a_name_share_a_pseudonym() -> None:
    one, other = (recogniser().find(f"My name is {name}.")[0] for name in ("Peter  Miller", "PETER MILLER"))
    assert one.normal == other.normal == "peter miller"


def test_rules_come_first() -> None:
    text = "My name is Peter Miller, peter.miller@example.com, 12 Main Street, Springfield"
    kinds = [(one.type, text[one.start : one.end]) for one in detector("pii")(text)]
    assert ("EMAIL", "peter.miller@example.com") in kinds
    assert [kind for kind, _ in kinds].count("NAME") == 1


# Known misses and false findings


@pytest.mark.parametrize("text", ["我叫王小明。", "اسمي محمد علي.", "मेरा नाम राम है।", "ชื่อสมชาย"])
def test_known_miss_scripts_without_capitals(text: str) -> None:
    assert found(text) == []


def test_scripts_without_capitals_beside_others() -> None:
    assert found("My name is Peter 王小明.") == [("NAME", "Peter 王小明")]
    assert found("我住在 12 号 北京") == []


def test_known_miss_an_address_without_digits() -> None:
    assert "ADDRESS" not in {kind for kind, _ in found("He lives at the old mill, Upper Lane.")}


def test_known_miss_the_rest_of_an_address_after_a_gap() -> None:
    values = [value for _, value in found("Deliver to 12 Main Street --- Springfield, IL 62701.")]
    assert "12 Main Street" in values and not any("Springfield" in value for value in values)


def test_known_miss_relations() -> None:
    assert found("My sister in Leeds called.") == []


def test_people_of_public_life_are_people() -> None:
    assert found("Tim Cook spoke.") == [("NAME", "Tim Cook")]


def test_known_miss_a_rare_name_in_a_list() -> None:
    assert found("The friends Gerry and Luna met Ruth.") == [("NAME", "Luna"), ("NAME", "Ruth")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Boil the Tomato Garlic Pasta.", "Tomato Garlic Pasta"),
        ("Ask Novotel about Hilton.", "Novotel"),
        ("We flew from Texas to Miami's beach.", "Miami"),
    ],
)
def test_known_false_findings(text: str, value: str) -> None:
    assert ("NAME", value) in found(text)


# Cost


def test_time_grows_in_proportion() -> None:
    def spent(text: str) -> int:
        times = []
        for _ in range(5):
            started = process_time_ns()
            recogniser().find(text)
            times.append(process_time_ns() - started)
        return min(times)

    for piece in ("Peter Miller, 12 Main Street ", "a", "Peter", "\n", "[[", "x, "):
        few, many = spent(piece * 2_000), spent(piece * 16_000)
        assert many < 8 * 3 * few, piece


def test_what_is_remembered_is_bounded() -> None:
    tagger = Tagger(shipped())
    for start in range(0, 3 * RUNS_MAX, 10_000):
        tagger.read([f"w{number}" for number in range(start, start + 10_000)])
    assert len(tagger.named) <= RUNS_MAX + 10_000


def test_weights_for_other_features_are_refused() -> None:
    model = models.load(FILE)
    other = replace(model, arrays={**model.arrays, "words": model.arrays["words"][1:]})
    with pytest.raises(models.AlteredModelError, match="other features"):
        weights_of(other)


def test_weights_survive_a_round_trip() -> None:
    assert models.encode(shipped().model()) == models.encode(models.load(FILE))


# In the guardrail

TEXT = "My name is Peter Miller, I live at 12 Main Street, Springfield."


def guardrail(**keys: Any) -> EmbeddedGuardrail:
    return EmbeddedGuardrail(system_with(prompt_attack="none", **keys), 1)


def rows(actions: tuple[GuardrailAction, ...]) -> dict[str, str]:
    return {action.rule: action.decision for action in actions}


async def answered(
    asked: EmbeddedGuardrail, pieces: list[str], restorable: dict[str, str] | None = None
) -> tuple[str, dict[str, str]]:
    output = asked.open_output(CONTEXT, restorable or {})
    passed = "".join([await output.feed(0, piece) for piece in pieces]) + await output.finish(0)
    return passed, rows(output.actions)


async def test_names_are_replaced_and_put_back() -> None:
    asked = guardrail(pii={"NAME": "pseudonymise", "ADDRESS": "pseudonymise"})
    inspection = await asked.inspect_input([Part(text=TEXT, role="user", path="p")], CONTEXT)
    assert inspection.blocked is None
    assert "Peter" not in inspection.texts[0] and "Main" not in inspection.texts[0]
    assert sorted(inspection.restorable.values()) == ["12 Main Street, Springfield", "Peter Miller"]
    name = next(pseudonym for pseudonym, value in inspection.restorable.items() if value == "Peter Miller")
    assert await answered(asked, ["Hello ", name, "!"], dict(inspection.restorable)) == (
        "Hello Peter Miller!",
        {"": "pass"},
    )


async def test_a_name_in_an_answer_is_replaced_whole_and_streamed() -> None:
    asked = guardrail(pii={"NAME": "pseudonymise"})
    whole = await answered(asked, [TEXT])
    assert whole == await answered(asked, list(TEXT))
    assert "Peter" not in whole[0] and "12 Main Street" in whole[0] and whole[1] == {"people.NAME": "masked"}
    output = asked.open_output(CONTEXT, {})
    assert "Peter" not in await output.whole('{"note": "my name is Peter Miller"}', "toolUse")


async def test_a_block_ends_where_the_finding_begins() -> None:
    asked = guardrail(pii={"ADDRESS": "block"})
    passed, decided = await answered(asked, list(TEXT + " And more."))
    assert passed == "My name is Peter Miller, I live at " and decided == {"people.ADDRESS": "blocked"}
    inspection = await asked.inspect_input([Part(text=TEXT, role="document", path="p")], CONTEXT)
    assert inspection.blocked is not None and inspection.blocked.rule == "people.ADDRESS"


@pytest.mark.parametrize("keys", [{"pii": {"NAME": "flag"}}, {"pii": {"NAME": "block"}, "mode": "detect"}])
async def test_flags_let_the_text_through(keys: dict[str, Any]) -> None:
    if "mode" in keys:
        keys = {**keys, "because": "trial", "until": "2030-01-01"}
    assert await answered(guardrail(**keys), list(TEXT)) == (TEXT, {"people.NAME": "flagged"})


async def test_an_early_credential_still_ends_the_text() -> None:
    asked = guardrail(pii={"NAME": "pseudonymise"}, credentials="block")
    passed, decided = await answered(asked, ["I am Peter Miller. AKIAIOSFODNN7EXAMPLE and Anna Schmidt"])
    assert "Peter" not in passed and "Anna" not in passed
    assert decided == {"people.NAME": "masked", "credentials.aws-access-key-id": "blocked"}


async def test_it_costs_nothing_when_it_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr(evaluator, "recogniser", never)
    monkeypatch.setattr(passages, "recogniser", never)
    asked = guardrail(pii={"EMAIL": "pseudonymise"})
    inspection = await asked.inspect_input([Part(text=TEXT, role="user", path="p")], CONTEXT)
    assert inspection.texts == (TEXT,)
    assert (await answered(asked, [TEXT]))[0] == TEXT
    with pytest.raises(AssertionError, match="loaded"):
        guardrail(pii={"NAME": "flag"})


def test_types_nobody_asked_for_pass() -> None:
    people = People(recogniser(), {"ADDRESS": MASK}, lambda finding, _: f"<{finding.type}>")
    assert people.take(TEXT, final=True) == "My name is Peter Miller, I live at <ADDRESS>."
    assert [hit.finding.type for hit in people.hits] == ["ADDRESS"]
