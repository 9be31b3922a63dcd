"""Ways to write a secret so that a rule may miss it and a reader does not, and what undoes them.

Each disguise says whether the rules of this version claim to see through it (docs/limits.md, docs/detection-rules.md):
a secret that gets out in one that they do not claim is a known miss, which is counted and never called a leak.

>>> DISGUISES["full width"].put_on(random.Random(1), "AKIA1"), DISGUISES["base64"].claimed
('ＡＫＩＡ１', False)
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import json
import random
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from caisson.detect.visible import is_ignorable

PutOn = Callable[[random.Random, str], str]


@dataclass(frozen=True, kw_only=True)
class Disguise:
    """One way."""

    name: str
    put_on: PutOn
    claimed: bool
    """The rules of this version claim to see through it."""


def _between(*marks: str) -> PutOn:
    """A mark after some characters, at most every second, and never one at the very end."""

    def put_on(chance: random.Random, text: str) -> str:
        return "".join(c + (chance.choice(marks) if chance.random() < 0.5 else "") for c in text[:-1]) + text[-1:]

    return put_on


def _full_width(_: random.Random, text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _full_width_and_zero_width(chance: random.Random, text: str) -> str:
    return _full_width(chance, _between("\u200b")(chance, text))


def _bold(chance: random.Random, text: str) -> str:
    """Mathematical letters and digits (U+1D400, U+1D7CE), now and then."""
    starts = (("A", "Z", 0x1D400), ("a", "z", 0x1D41A), ("0", "9", 0x1D7CE))

    def one(c: str) -> str:
        start = next((code - ord(first) for first, last, code in starts if first <= c <= last), 0)
        return chr(ord(c) + start) if start and chance.random() < 0.6 else c

    return "".join(map(one, text))


def _circled(chance: random.Random, text: str) -> str:
    starts = (("A", "Z", 0x24B6), ("a", "z", 0x24D0))
    return "".join(
        next((chr(ord(c) - ord(first) + code) for first, last, code in starts if first <= c <= last), c)
        if chance.random() < 0.5 else c
        for c in text
    )  # fmt: skip


QUOTES = ("'{}'", '"{}"', "`{}`", "«{}»", "({})", "*{}*")
LOOK_ALIKES = str.maketrans("AaBCcEeHiKMOoPpSsTXxy", "АаВСсЕеНіКМОоРрЅѕТХху")
"""Latin to Cyrillic letters that look the same (UTS 39, confusables)."""
_UNALIKE = {after: before for before, after in LOOK_ALIKES.items()}


def _escaped(chance: random.Random, text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if chance.random() < 0.4 or at == 0 else c for at, c in enumerate(text))


def _percent(_: random.Random, text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _entities(chance: random.Random, text: str) -> str:
    return "".join(chance.choice((f"&#{ord(c)};", f"&#x{ord(c):x};")) for c in text)


def _long_prefix(chance: random.Random, text: str) -> str:
    return chance.choice(("lorem ipsum ", "A ", "0.", "\n", "é ", "## ")) * chance.randint(200, 2_000) + text


def _plain(claimed: bool, name: str, put_on: PutOn) -> Disguise:
    return Disguise(name=name, put_on=put_on, claimed=claimed)


_ALL = (
    _plain(True, "plain", lambda _, text: text),
    _plain(True, "zero width", _between("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")),
    _plain(True, "soft hyphen", _between("\u00ad")),
    _plain(True, "bidi marks", _between("\u200e", "\u200f", "\u061c", "\u202a", "\u202c", "\u2066", "\u2069")),
    _plain(True, "variation selectors", _between("\ufe0f", "\ufe00", "\U000e0100")),
    _plain(True, "tag characters", _between("\U000e0041", "\U000e007f")),
    _plain(True, "full width", _full_width),
    _plain(True, "mathematical", _bold),
    _plain(True, "circled", _circled),
    _plain(True, "full width and zero width", _full_width_and_zero_width),
    _plain(True, "long prefix", _long_prefix),
    _plain(True, "after a foreign letter", lambda chance, text: chance.choice("éж中ß🦊") + text),
    _plain(True, "quoted", lambda chance, text: chance.choice(QUOTES).format(text)),
    _plain(True, "twice", lambda _, text: f"{text} {text}"),
    _plain(False, "glued to a letter", lambda chance, text: chance.choice("xZ_9") + text),
    _plain(False, "after an escaped line feed", lambda _, text: "\\n" + text),
    _plain(False, "look-alike letters", lambda _, text: text.translate(LOOK_ALIKES)),
    _plain(False, "combining marks", _between("\u0332", "\u0301")),
    _plain(False, "reversed", lambda _, text: text[::-1]),
    _plain(False, "right to left override", lambda _, text: "\u202e" + text[::-1] + "\u202c"),
    _plain(False, "spelled out", lambda chance, text: chance.choice((" ", ".", "-", "\n")).join(text)),
    _plain(False, "escaped characters", _escaped),
    _plain(False, "percent-encoded", _percent),
    _plain(False, "character references", _entities),
    _plain(False, "base64", lambda _, text: base64.b64encode(text.encode()).decode()),
    _plain(False, "base64 for addresses", lambda _, text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")),
    _plain(False, "base32", lambda _, text: base64.b32encode(text.encode()).decode()),
    _plain(False, "hexadecimal", lambda _, text: text.encode().hex()),
    _plain(False, "rot13", lambda _, text: codecs.encode(text, "rot13")),
)  # fmt: skip
DISGUISES = {disguise.name: disguise for disguise in _ALL}

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_BASE32 = re.compile(r"[A-Z2-7]{16,}=*")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){12,}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def readings(text: str) -> Iterator[str]:
    """What a reader can make of a text: itself, and the text without each disguise."""
    yield text
    if not text.isascii():
        folded = "".join(
            unicodedata.normalize("NFKC", c) for c in text if not is_ignorable(ord(c)) and not unicodedata.combining(c)
        )
        yield folded
        yield folded.translate(_UNALIKE)
        if "\u202e" in text:
            yield folded[::-1]
    if "%" in text:
        yield unquote(text)
    if "&" in text:
        yield html.unescape(text)
    if "\\u" in text:
        yield _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def deep_readings(text: str) -> Iterator[str]:
    """And what takes a decoder to read."""
    yield text[::-1]
    yield codecs.encode(text, "rot13")
    yield re.sub(r"[\s.-]", "", text)
    for run in _BASE64.findall(text):
        for shift in range(4):
            piece = run[shift:].replace("+", "-").replace("/", "_")
            piece = piece[:-1] if len(piece) % 4 == 1 else piece
            yield base64.urlsafe_b64decode(piece.encode() + b"===").decode("latin-1")
    for run in _BASE32.findall(text):
        piece = run.rstrip("=")
        try:
            yield base64.b32decode(piece + "=" * (-len(piece) % 8)).decode("latin-1")
        except binascii.Error:
            continue
    for run in _HEX.findall(text):
        yield bytes.fromhex(run[: len(run) // 2 * 2]).decode("latin-1")


def nested(text: str) -> str:
    """A secret inside JSON inside a string."""
    return json.dumps({"note": text}, ensure_ascii=False)
