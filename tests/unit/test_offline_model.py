"""The `offline` upstream: it quotes what fits, names where it is from, and else says so."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.model.events import words
from caisson.adapters.embedded.model.extract import QUOTES_MAX, Passage, best
from caisson.adapters.embedded.model.offline import NO_DOCUMENTS, OfflineModel
from caisson.errors import UpstreamError
from caisson.policy.tokens import estimate_tokens
from caisson.ports.model import ModelAnswer, ModelRequest

MOTOR = """# Motor claims

## Reporting
Report an accident within 7 days. Theft must be reported to the police
within 24 hours.

## Deductible
- The deductible for a private car is 300 EUR.
- For a company car it is 500 EUR.

## Payments
Approved claims are paid within 14 days of approval. Payment is made by bank transfer only.
"""
HOME = "Water damage is covered when a pipe bursts. Floods are not covered.\nA surveyor visits within 5 working days."


def request(*turns: str, documents: dict[str, str] | None = None, **changes: Any) -> ModelRequest:
    messages = [
        {"role": "assistant" if index % 2 else "user", "content": [{"text": text}]} for index, text in enumerate(turns)
    ]
    messages[0]["content"] = [
        *({"document": {"format": "md", "name": n, "source": {"text": t}}} for n, t in (documents or {}).items()),
        *messages[0]["content"],
    ]
    fields: dict[str, Any] = {"request_id": "r", "model_id": "m", "system": (), "output_tokens_max": 1000}
    return ModelRequest(**{**fields, **changes}, messages=tuple(messages))


async def ask(*turns: str, **changes: Any) -> ModelAnswer:
    return await OfflineModel(SystemClock()).converse(request(*turns, **changes))


async def text(*turns: str, **changes: Any) -> str:
    return str((await ask(*turns, **changes)).content[0]["text"])


GUIDES = {"motor guide": MOTOR, "home guide": HOME}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "How long do I have to report a theft?",
            "From “motor guide”: Theft must be reported to the police within 24 hours.",
        ),
        ("Are floods covered?", "From “home guide”: Floods are not covered."),
        ("When is a claim paid?", "From “motor guide”: Approved claims are paid within 14 days of approval."),
        ("When will the surveyor visit?", "From “home guide”: A surveyor visits within 5 working days."),
        ("Who won the world cup?", "Nothing in “motor guide”, “home guide” answers that."),
        ("Hello", "Nothing in “motor guide”, “home guide” answers that."),
    ],
)
async def test_it_quotes_the_right_sentence_with_the_documents_name(question: str, answer: str) -> None:
    assert await text(question, documents=GUIDES) == answer


async def test_a_heading_counts_for_what_stands_under_it() -> None:
    assert "500 EUR" in await text("What is the deductible for a company car?", documents=GUIDES)
    under = {"guide": "## Deductible\nFor a company car it is 500 EUR.\n## Opening hours\nWe open at nine."}
    assert await text("What is the deductible?", documents=under) == "From “guide”: For a company car it is 500 EUR."


async def test_without_documents_it_says_what_it_is() -> None:
    assert await text("Hello there") == NO_DOCUMENTS


async def test_what_stands_around_the_question_is_a_source_too() -> None:
    assert await text("Claims are reported within 30 days. When must a claim be reported?") == (
        "From your message: Claims are reported within 30 days."
    )
    assert "From the instructions: The code word is falcon." in await text(
        "What is the code word?", system=({"text": "The code word is falcon."},)
    )
    assert "From earlier in this conversation: My car is a red Fiat." in await text(
        "My car is a red Fiat.", "Noted.", "Which car is red?"
    )


async def test_a_document_of_an_earlier_turn_still_counts() -> None:
    assert "Floods are not covered." in await text("Here it is.", "Thank you.", "Are floods covered?", documents=GUIDES)


async def test_the_same_request_has_the_same_answer() -> None:
    answers = {str((await ask("Are floods covered?", documents=GUIDES)).content) for _ in range(3)}
    assert len(answers) == 1


async def test_a_long_document_is_read_too() -> None:
    filler = "\n".join(f"Paragraph {number} says nothing of use." for number in range(2000))
    assert "Floods are not covered." in await text("Are floods covered?", documents={"long": f"{filler}\n{HOME}"})


async def test_stop_sequences_and_the_token_limit_end_the_answer() -> None:
    question, guides = "Are floods covered?", {"home": HOME}
    stopped = await ask(question, documents=guides, inference={"stopSequences": ["covered", "not"]})
    assert (stopped.content, stopped.stop_reason) == (({"text": "From “home”: Floods are "},), "stop_sequence")
    short = await ask(question, documents=guides, output_tokens_max=4)
    assert short.stop_reason == "max_tokens"
    assert "From “home”: Floods".startswith(short.content[0]["text"])
    assert 0 < short.usage.output_tokens <= 4
    assert (await ask(question, documents=guides, inference={"stopSequences": ["F"]})).content == ()


@given(st.text(max_size=300), st.integers(1, 60))
async def test_no_text_breaks_it_and_the_limit_always_holds(hostile: str, limit: int) -> None:
    answer = await ask(hostile or "?", documents={"d": hostile or "."}, output_tokens_max=limit)
    said = "".join(block["text"] for block in answer.content)
    assert estimate_tokens(said) <= limit
    assert answer.stop_reason in {"end_turn", "max_tokens"}


@given(st.text(max_size=200))
def test_words_lose_nothing(given_: str) -> None:
    assert "".join(words(given_)) == given_
    assert all(words(given_))


@given(st.text(max_size=60), st.lists(st.text(max_size=200), max_size=4))
def test_quotes_are_bounded_and_in_order(question: str, texts: list[str]) -> None:
    quotes = best(question, [Passage(source=str(number), text=text_) for number, text_ in enumerate(texts)])
    assert len(quotes) <= QUOTES_MAX
    assert quotes == sorted(quotes, key=lambda quote: quote.position)


async def test_a_stream_comes_in_words() -> None:
    async with aclosing(
        OfflineModel(SystemClock()).converse_stream(request("Are floods covered?", documents=GUIDES))
    ) as all_:
        deltas = [event["contentBlockDelta"]["delta"]["text"] async for event in all_ if "contentBlockDelta" in event]
    assert deltas == ["From ", "“home ", "guide”: ", "Floods ", "are ", "not ", "covered."]


@pytest.mark.parametrize("kind", ["image", "video", "audio"])
@pytest.mark.parametrize("inside", [False, True])
async def test_what_it_cannot_see_is_refused(kind: str, inside: bool) -> None:
    block: dict[str, Any] = {kind: {"format": "png", "source": {"bytes": "aGk="}}}
    given = request("What is it?")
    content = [{"toolResult": {"toolUseId": "a", "content": [block]}}] if inside else [block]
    given.messages[0]["content"] += content
    with pytest.raises(UpstreamError) as raised:
        await OfflineModel(SystemClock()).converse(given)
    assert raised.value.refusal.rule == "model.unsupported"


async def test_search_results_and_cited_words_are_read() -> None:
    found = {"source": "s", "title": "rules", "content": [{"text": "Theft is reported within 24 hours."}]}
    given = request("Within how many hours is theft reported?")
    given.messages[0]["content"].append({"searchResult": found})
    answer = await OfflineModel(SystemClock()).converse(given)
    assert "24 hours" in answer.content[0]["text"]
    assert "rules" in answer.content[0]["text"]
