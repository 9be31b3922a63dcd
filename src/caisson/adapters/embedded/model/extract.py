"""Which sentences of some passages answer a question: Okapi BM25 over sentences (Robertson and Zaragoza, 2009).

Pure and deterministic. A heading counts for the sentences under it. Sentences that share too little with the question
are no answer: better none than a wrong one.

>>> guide = Passage(source="guide", text="Report theft in 24 hours. Be calm.")
>>> best("How long do I have to report theft?", [guide])[0].sentence
'Report theft in 24 hours.'
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

SENTENCES_MAX = 5_000
QUOTES_MAX = 3
QUERY_TERMS_MAX = 64
QUESTION_SENTENCES_MAX = 200
"""Last sentences of a message among which the question is looked for."""
COVERAGE_MIN = 0.34
"""Share of the question's information (sum of inverse document frequencies) that a sentence must hold."""
RUNNER_UP_MIN = 0.6
"""A further quote scores at least this share of the best."""
SATURATION, LENGTH_PENALTY = 1.2, 0.75
"""BM25's k1 and b."""

_TERM = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=\S)")
_MARKER = re.compile(r"^\s*(?:[-*+>•]|\d+[.)])\s+")
_STOPWORDS = frozenset({
    "a", "about", "after", "all", "am", "an", "and", "any", "are", "as", "at", "be", "been", "before", "by", "but",
    "can", "could", "did", "do", "does", "for", "from", "get", "had", "has", "have", "how", "i", "if", "in",
    "into", "is", "it", "its", "me", "may", "might", "must", "my", "no", "not", "of", "on", "or", "our", "please",
    "shall", "should", "so", "tell", "than", "that", "the", "their", "them", "then", "there", "these", "they",
    "this", "to", "us", "was", "we", "were", "what", "when", "where", "which", "who", "whom", "whose", "why",
    "will", "with", "would", "you", "your",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A text and where it is from."""

    source: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Quote:
    """A sentence and where it is from."""

    source: str
    sentence: str
    heading: str
    position: int
    """Order of reading over all passages."""


def best(question: str, passages: Sequence[Passage]) -> list[Quote]:
    """At most `QUOTES_MAX` sentences that answer the question, in order of reading."""
    wanted = list(dict.fromkeys(terms(question)))[:QUERY_TERMS_MAX]
    quotes = _sentences(passages)
    if not wanted or not quotes:
        return []
    bags = [Counter(terms(f"{quote.heading} {quote.sentence}")) for quote in quotes]
    average = sum(bag.total() for bag in bags) / len(bags) or 1.0
    weight = {term: _rarity(sum(term in bag for bag in bags), len(bags)) for term in wanted}
    informative = sum(weight.values())
    scored: list[tuple[float, Quote]] = []
    for quote, bag in zip(quotes, bags, strict=True):
        held = sum(weight[term] for term in wanted if term in bag)
        if held / informative >= COVERAGE_MIN:
            norm = SATURATION * (1 - LENGTH_PENALTY + LENGTH_PENALTY * bag.total() / average)
            scored.append((sum(weight[t] * bag[t] * (SATURATION + 1) / (bag[t] + norm) for t in wanted), quote))
    scored.sort(key=lambda pair: (-pair[0], pair[1].position))
    chosen = [quote for score, quote in scored[:QUOTES_MAX] if score >= RUNNER_UP_MIN * scored[0][0]]
    return sorted(chosen, key=lambda quote: quote.position)


def terms(text: str) -> list[str]:
    """The words that carry meaning, in lower case, without plural and verb endings."""
    return [_stem(word) for word in _TERM.findall(text.lower()) if word not in _STOPWORDS]


def _stem(word: str) -> str:
    for ending, instead in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)] + instead
            break
    return word.removesuffix("e")


def _rarity(holding: int, total: int) -> float:
    return log(1 + (total - holding + 0.5) / (holding + 0.5))


def question_of(text: str) -> tuple[str, str]:
    """The question in a message, and the rest of it.

    >>> question_of("The fee is 5 EUR. What is the fee?")
    ('What is the fee?', 'The fee is 5 EUR.')
    """
    sentences = [sentence for block in _blocks(text) for sentence in _END.split(block)][-QUESTION_SENTENCES_MAX:]
    asked = [sentence for sentence in sentences if sentence.endswith("?")] or sentences[-1:]
    return " ".join(asked), " ".join(sentence for sentence in sentences if sentence not in asked)


def _sentences(passages: Sequence[Passage]) -> list[Quote]:
    quotes: list[Quote] = []
    for passage in passages:
        heading = ""
        for block in _blocks(passage.text):
            if block.startswith("#"):
                heading = block.lstrip("# ").strip()
                continue
            for sentence in _END.split(block):
                if len(quotes) == SENTENCES_MAX:
                    return quotes
                quotes.append(Quote(source=passage.source, sentence=sentence, heading=heading, position=len(quotes)))
    return quotes


def _blocks(text: str) -> list[str]:
    """Paragraphs with wrapped lines joined, list items and headings on their own."""
    blocks: list[str] = []
    joins = False
    for line in text.splitlines():
        plain = _MARKER.sub("", line).strip()
        if not plain or plain.startswith("#"):
            joins = False
            if plain:
                blocks.append(plain)
        elif joins and not _MARKER.match(line):
            blocks[-1] += " " + plain
        else:
            blocks.append(plain)
            joins = True
    return blocks
