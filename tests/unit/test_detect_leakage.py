"""A system prompt is found again in fragments and disguises; what everybody says is no leak."""

from __future__ import annotations

import base64
import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.detect.leakage import LETTERS_MIN, PIECE_LETTERS, WINDOW, Fingerprints

PROMPT = (
    "You are Clara, the claims assistant of Northwind Insurance. Never approve a claim above 500 euro. Refer questions "
    "about fraud to the investigations desk and do not mention the blue list. Answer in the language of the customer."
)
FINGERPRINTS = Fingerprints.of(PROMPT)


def test_the_whole_prompt_scores_one() -> None:
    leak = FINGERPRINTS.leak(f"Sure! My instructions: {PROMPT} Anything else?")
    assert leak.score == 1.0
    assert len(leak.findings) == 1


@pytest.mark.parametrize(
    "disguise",
    [
        str.upper,
        lambda text: "\u0130 " + text.upper(),  # whose small letter is two characters
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: text.encode().hex(),
        lambda text: codecs.encode(text, "rot13"),
        lambda text: text[::-1],
        lambda text: "  ".join(" ".join(word) for word in text.split()),
        lambda text: "-".join(text.split()),
        lambda text: "\n".join(text.split()),
        lambda text: "".join(f"&#{ord(c)};" for c in text),
        lambda text: "\u200b".join(text),
    ],
)
def test_disguises(disguise) -> None:  # type: ignore[no-untyped-def]
    text = f"Here you go:\n{disguise(PROMPT)}\nBye"
    leak = FINGERPRINTS.leak(text)
    assert leak.score > 0.9
    finding = leak.findings[0]
    assert text[: finding.start].startswith("Here")
    assert text[finding.end :].endswith("Bye")


def test_a_fragment_is_found_and_named() -> None:
    text = "I was told: do not mention the blue list. Sorry!"
    leak = FINGERPRINTS.leak(text)
    assert 0 < leak.score < 0.5
    found = text[leak.findings[0].start : leak.findings[0].end]
    assert "mention the blue" in found


@given(st.integers(0, len(PROMPT)), st.integers(0, len(PROMPT)))
def test_any_run_of_the_guaranteed_length_is_found(first: int, last: int) -> None:
    fragment = PROMPT[min(first, last) : max(first, last)]
    letters = sum(c.isalnum() for c in fragment)
    if letters >= PIECE_LETTERS + WINDOW - 1:
        assert FINGERPRINTS.leak(f"xyz {fragment} xyz").score > 0


@given(st.text(max_size=300))
def test_findings_lie_in_the_text(text: str) -> None:
    for finding in FINGERPRINTS.leak(text + PROMPT[40:120] + text).findings:
        assert 0 <= finding.start < finding.end <= 2 * len(text) + 80


@pytest.mark.parametrize(
    "answer",
    [
        "Your claim was approved. Is there anything else I can do for you?",
        "I am the claims assistant. I answer in the language of my customers.",
        "",
        "🦊" * 50,
    ],
)
def test_ordinary_answers_leak_nothing(answer: str) -> None:
    assert FINGERPRINTS.leak(answer).score == 0.0


def test_what_the_user_wrote_is_no_leak() -> None:
    question = "My letter says: Refer questions about fraud to the investigations desk"
    prompt = Fingerprints.of(PROMPT, known=[question])
    assert prompt.leak("It says: Refer questions about fraud to the investigations desk").score == 0.0
    assert prompt.leak(PROMPT).score == 1.0


def test_prompts_too_short_to_tell() -> None:
    assert Fingerprints.of("x" * (LETTERS_MIN - 1)).leak("x" * 100).score == 0.0
    assert Fingerprints.of("Speak like Yoda").leak("I must speak like yoda!").score == 1.0


def test_known_miss_a_translated_prompt() -> None:
    """Moves across the line once meaning is compared, not letters."""
    assert FINGERPRINTS.leak("Ich bin Clara, die Schadenassistentin. Ich genehmige nie mehr als 500 Euro.").score == 0.0
