"""Topics, grounding, relevance; and what static vectors do not see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.detect.embedding.static import DIMENSIONS, vector, vectors
from caisson.detect.embedding.wordpiece import WORD_CHARACTERS_MAX, WordPiece
from caisson.detect.meaning.grounding import grounding, relevance
from caisson.detect.meaning.sentences import SENTENCE_CHARACTERS_MAX, sentences
from caisson.detect.meaning.topics import THRESHOLD, Topic

INVESTING = Topic.of(
    "investment-advice",
    "Advice about buying shares, funds, bonds or other investments",
    ["Should I buy tech stocks now?", "Which fund gives the best return?", "Is it a good time to invest in gold?"],
)
POLICY = (
    "Claims above 500 euro need a receipt. Claims are paid within ten days after approval. The policy covers theft and "
    "fire in Germany and Austria. Water damage is excluded. Call Anna Weber in Graz for questions."
)


@pytest.mark.parametrize(
    "text",
    [
        "Which shares should I buy this year?",
        "Hello! Nice weather today. Tell me which bonds are a good investment at this time.",
        "is now the time to put my money in stocks",
    ],
)
def test_a_topic_is_named(text: str) -> None:
    found = INVESTING.findings(text)
    assert found
    assert all(finding.score >= THRESHOLD and finding.rule == "topics.investment-advice" for finding in found)


@pytest.mark.parametrize(
    "text",
    ["How tall is the Eiffel tower?", "My claim was refused, why?", "Please book a table for two.", "", "…", "1 2 3"],
)
def test_other_texts_are_not(text: str) -> None:
    assert INVESTING.findings(text) == ()


def test_the_sentence_is_named() -> None:
    text = "My dog is ill. Which shares should I buy this year? Thanks."
    assert [text[finding.start : finding.end] for finding in INVESTING.findings(text)] == [
        "Which shares should I buy this year?"
    ]


def test_grounding_tells_support_from_invention() -> None:
    supported = grounding("Claims are paid within ten days. Theft in Austria is covered.", [POLICY])
    invented = grounding("Claims are paid in cash at our office in Rome. A lawyer is assigned.", [POLICY])
    assert supported.score > 0.75 > 0.45 > invented.score


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("Claims above 500 euro need a receipt.", "Claims above 900 euro need a receipt."),
        ("Call Anna Weber in Graz for questions.", "Call Otto Huber in Linz for questions."),
        ("Claims are paid within ten days.", "Please water the plants every evening."),
    ],
)
def test_wrong_facts_score_lower(true: str, false: str) -> None:
    assert grounding(true, [POLICY]).score > grounding(false, [POLICY]).score + 0.3


def test_each_sentence_has_its_score() -> None:
    answer = "Claims are paid within ten days. Dolphins are mammals."
    rows = grounding(answer, [POLICY]).sentences
    assert [answer[row.start : row.end] for row in rows] == [
        "Claims are paid within ten days.",
        "Dolphins are mammals.",
    ]
    assert rows[0].score > 0.7 > 0.4 > rows[1].score


def test_nothing_to_support_and_nothing_to_stand_on() -> None:
    assert grounding("", [POLICY]).score == 1.0
    assert grounding("Dolphins are mammals.", []).score == 0.0


def test_relevance() -> None:
    question = "When will my claim be paid?"
    assert relevance(question, "Your claim is paid within ten days.") > 0.6
    assert relevance(question, "Dolphins are mammals that live in the sea.") < 0.35
    assert relevance("", "Anything") == 1.0


def test_known_miss_a_negation_passes() -> None:
    """Moves across the line with a model of entailment."""
    assert grounding("Water damage is not excluded.", [POLICY]).score > 0.7


@given(st.text(max_size=400))
def test_vectors_have_length_one_or_zero(text: str) -> None:
    length = float((vector(text) ** 2).sum())
    assert length == 0.0 or abs(length - 1) < 1e-4


@given(st.text(max_size=2_000))
def test_sentences_are_parts_in_order(text: str) -> None:
    at = 0
    for start, end in sentences(text):
        assert at <= start < end <= len(text)
        assert end - start <= SENTENCE_CHARACTERS_MAX
        at = end


def test_vectors_of_nothing() -> None:
    assert vectors([]).shape == (0, DIMENSIONS)


def test_pieces() -> None:
    pieces = WordPiece("un\n##want\n##ed\nwant\né\ne\n!")
    assert pieces.tokens("Unwanted É!") == [0, 1, 2, 5, 6]
    assert pieces.tokens("unknown " + "un" * WORD_CHARACTERS_MAX) == []
