"""Texts without people, for `training/people.py`: documentation, code, headings, records, other languages.

Documentation and code are Python's own (PSF licence), of the version that trains; words of other languages are Faker's (MIT).
"""

# ruff: noqa: E501  (tables)

from __future__ import annotations

import inspect
import random
import re
from importlib import import_module
from pydoc_data import topics

from faker import Faker

MODULES = [
    "argparse",
    "csv",
    "heapq",
    "shutil",
    "textwrap",
    "zipfile",
    "tarfile",
    "socket",
    "ssl",
    "threading",
    "queue",
    "sched",
    "calendar",
    "datetime",
    "statistics",
    "logging.handlers",
    "http.client",
    "http.server",
    "urllib.parse",
    "urllib.request",
    "json.decoder",
    "json.encoder",
    "email.parser",
    "sqlite3.dump",
    "asyncio.tasks",
    "asyncio.queues",
    "unittest.mock",
    "unittest.case",
    "concurrent.futures.thread",
    "configparser",
    "dataclasses",
    "functools",
]
LANGUAGES = [
    "cs_CZ",
    "da_DK",
    "de_DE",
    "el_GR",
    "en_US",
    "es_ES",
    "fr_FR",
    "hy_AM",
    "it_IT",
    "la",
    "nl_NL",
    "pl_PL",
    "ru_RU",
    "uk_UA",
    "vi_VN",
    "fil_PH",
]
SENTENCES_OF_EACH, HEADINGS, RECORDS = 120, 500, 300
_PEOPLE = re.compile(
    r"Guido|Knuth|Monty|Spam|Eric|John|Jack|Sape|Dijkstra|\bTim\b|Fred|Paris|Herr|Frau|Author|@|Copyright|Lundh|Hettinger"
)
_MARKS = ("# ", "## ", "### ", "1. ", "- ", "* ", "**", "")


def prose(seed: int) -> list[str]:
    """Texts that name no one, in an order that depends on the seed alone."""
    draw = random.Random(seed)
    documentation = _documentation()
    found = [*documentation, *_code(), *_languages(seed)]
    words = sorted({word for text in documentation for word in re.findall(r"\b[a-z]{3,12}\b", text)})
    for _ in range(HEADINGS):
        heading = " ".join(draw.choice(words).title() for _ in range(draw.randint(1, 5)))
        found.append(draw.choice(_MARKS) + heading + draw.choice((":", "\n\n" + draw.choice(documentation), "", "**")))
    for _ in range(RECORDS):
        rows = [
            f"{draw.choice(words).title()}{draw.choice((': ', ' = ', ' - '))}{_value(draw, words)}"
            for _ in range(draw.randint(2, 5))
        ]
        found.append(draw.choice(("\n", "; ", "\n- ")).join(rows))
    return [text for text in found if not _PEOPLE.search(text)]


def _value(draw: random.Random, words: list[str]) -> str:
    word = draw.choice(words)
    return draw.choice(
        (word, word.title(), word.upper(), str(draw.randint(0, 99_999)), f"{draw.randint(1, 99)} {word}")
    )


def _documentation() -> list[str]:
    text = re.sub(r"\s+", " ", " ".join(topics.topics[name] for name in sorted(topics.topics)))
    return [part.strip() for part in re.split(r"(?<=[.:]) ", text) if 30 < len(part) < 300]


def _code() -> list[str]:
    found = []
    for name in MODULES:
        lines = [line for line in inspect.getsource(import_module(name)).split("\n") if line.strip()]
        found += ["\n".join(lines[at : at + 5]) for at in range(0, len(lines), 25)]
    return found


def _languages(seed: int) -> list[str]:
    found = []
    for locale in LANGUAGES:
        fake = Faker(locale)
        fake.seed_instance(f"{seed} {locale} prose")
        found += [fake.sentence(fake.random_int(4, 24)) for _ in range(SENTENCES_OF_EACH)]
        found += [", ".join(fake.words(fake.random_int(3, 7))) for _ in range(SENTENCES_OF_EACH // 6)]
    return found
