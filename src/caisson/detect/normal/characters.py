"""Layers over single characters: hidden text made visible, look-alikes made plain.

- `tags`: tag characters (U+E0020 to U+E007E) and bytes in variation selectors become the ASCII they smuggle.
- `bidi`: what stands between a right-to-left override and its end is turned round.
- `invisible`: Default_Ignorable_Code_Point (UAX 44) goes.
- `compatibility`: NFKC of each character (UAX 15): full-width, mathematical, circled letters; and small capitals.
- `marks`: combining marks on ASCII characters go; so do accents where more words than any language has carry one.
- `homoglyphs`: letters of other scripts that look Latin (UTS 39), in words that mix them with Latin.

>>> [edit.text for edit in homoglyphs("p\\u0430ssw\\u043erd")]
['a', 'o']
>>> homoglyphs("\\u043f\\u0430\\u0440\\u043e\\u043b\\u044c")
[]
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from caisson.detect.normal.form import Edit
from caisson.detect.normal.language import is_word
from caisson.detect.visible import IGNORABLE

SMUGGLED_MIN = 3
"""Shortest run of tag characters or variation selectors that is text; shorter ones occur in emoji."""
_TAGS = re.compile(f"[\U000e0020-\U000e007e]{{{SMUGGLED_MIN},}}")
_SELECTORS = re.compile(f"[\ufe00-\ufe0f\U000e0100-\U000e01ef]{{{SMUGGLED_MIN},}}")
_OVERRIDDEN = re.compile("\u202e([^\u202a-\u202e\n]{2,})\u202c?")
_INVISIBLE = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in IGNORABLE) + "]+")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_EMOJI = re.compile("[\u203c-\u2bff\u3030\u303d\U0001f000-\U0001faff#*0-9]")
_MARKED = re.compile("(?<=[\x20-\x7e])[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+")
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")
_LETTERS = re.compile(r"[^\W\d_]{3,}")
ACCENTED_SHARE = 0.6
"""Share of words with an accent from which on accents disguise. French has about 0.2."""
_SMALL = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True))
_BOXED = {chr(base + i): chr(0x41 + i) for base in (0x1F150, 0x1F170, 0x1F1E6) for i in range(26)}
_FOREIGN_WORD = re.compile(r"[A-Za-z0-9_]*+[^\W\x00-\x7f]\w*")

CONFUSABLES = dict(
    zip(
        "асеорхуіјѕһԁԛԝӏгпкмтвнАВСЕНІЈКМОРЅТХУԌԜ" + "αοερνικτυχγηωΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + "ɑɡʟօսոհզցᎪᏴᏟᎬᎻᏢᎡᏚᎢ",
        "aceopxyijshdqwlrnkmtbhABCEHIJKMOPSTXYGW" + "aoepviktuxynwABEZHIKMNOPTYX" + "aglounhqgABCEHPRST",
        strict=True,
    )
)
"""Letters that look like Latin ones: Cyrillic, Greek, IPA, Armenian and Cherokee (after UTS 39, confusables.txt)."""
_LOOK_ALIKES = frozenset(CONFUSABLES)


def tags(text: str) -> list[Edit]:
    """Smuggled ASCII."""
    edits = [
        Edit(
            start=found.start(),
            end=found.end(),
            text="".join(chr(ord(c) - 0xE0000) for c in found[0]),
            spans=[(at, at + 1) for at in range(found.start(), found.end())],
        )
        for found in _TAGS.finditer(text)
    ]
    for found in _SELECTORS.finditer(text):
        data = bytes(ord(c) - 0xFE00 if ord(c) < 0x10000 else ord(c) - 0xE0100 + 16 for c in found[0])
        if data.isascii() and (smuggled := data.decode()).isprintable():
            spans = [(at, at + 1) for at in range(found.start(), found.end())]
            edits.append(Edit(start=found.start(), end=found.end(), text=smuggled, spans=spans))
    return sorted(edits, key=lambda edit: edit.start)


def bidi(text: str) -> list[Edit]:
    """Overridden runs, turned round."""
    return [
        Edit(
            start=found.start(),
            end=found.end(),
            text=found[1][::-1],
            spans=[(at, at + 1) for at in range(found.end(1) - 1, found.start(1) - 1, -1)],
        )
        for found in _OVERRIDDEN.finditer(text)
    ]


def invisible(text: str) -> list[Edit]:
    """Characters that leave no mark, but for those that join emoji."""
    return [
        Edit(start=found.start(), end=found.end(), text="")
        for found in _INVISIBLE.finditer(text)
        if not (_JOINERS.issuperset(found[0]) and found.start() and _EMOJI.match(text, found.start() - 1))
    ]


def compatibility(text: str) -> list[Edit]:
    """Characters that are another way to write plain ones."""
    changed = {c: plain for c in set(text) if not c.isascii() and (plain := _plain(c)) != c}
    if not changed:
        return []
    return [Edit(start=at, end=at + 1, text=changed[c]) for at, c in enumerate(text) if c in changed]


def marks(text: str) -> list[Edit]:
    """Combining marks on plain letters; accents that disguise English."""
    edits = [Edit(start=found.start(), end=found.end(), text="") for found in _MARKED.finditer(text)]
    if not _ACCENTED.search(text):
        return edits
    words = _LETTERS.findall(text)
    accented = [word for word in words if not word.isascii() and _ACCENTED.search(word)]
    if len(accented) < ACCENTED_SHARE * len(words) or not any(is_word(_bare(word).lower()) for word in accented):
        return edits
    edits += [
        Edit(start=found.start(), end=found.end(), text=plain)
        for found in _ACCENTED.finditer(text)
        if (plain := _bare(found[0])) != found[0]
    ]
    return sorted(edits, key=lambda edit: edit.start)


def homoglyphs(text: str) -> list[Edit]:
    """Look-alikes in words that also hold ASCII letters; then also in short words of look-alikes alone."""
    if _LOOK_ALIKES.isdisjoint(text):
        return []
    edits, alone, mixed, foreign = [], [], False, False
    for found in _FOREIGN_WORD.finditer(text):
        word = found[0]
        swaps = [
            Edit(start=found.start() + at, end=found.start() + at + 1, text=CONFUSABLES[c])
            for at, c in enumerate(word)
            if c in CONFUSABLES
        ]
        if any(c.isascii() and c.isalpha() for c in word):
            mixed = mixed or bool(swaps)
            edits += swaps
        elif len(swaps) == len(word):
            alone += swaps
        else:
            foreign = True
    if mixed and not foreign:
        edits = sorted(edits + alone, key=lambda edit: edit.start)
    return edits


@cache
def _plain(character: str) -> str:
    plain = _SMALL.get(character) or _BOXED.get(character)
    if plain is None:
        plain = unicodedata.normalize("NFKC", character)
    return plain


def _bare(word: str) -> str:
    """A word without its accents."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
