"""Layers over escapes: HTML entities, percent encoding, string escapes, backslashes between letters.

>>> [edit.text for edit in percent("a%20%41")]
[' A']
"""

from __future__ import annotations

import html
import re

from caisson.detect.normal.form import Edit

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([ntr\"'/]))")
_SHORT = {"n": "\n", "t": "\t", "r": "\n", '"': '"', "'": "'", "/": "/"}
_SLASHED = re.compile(r"(?:\\[^\\\n]){4,}")
SLASHED_DIFFERENT_MIN = 5
"""Different characters, the backslash included, in a run that disguises: `\\n\\t\\r` is none."""
_MARKDOWN = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>|~])")


def entities(text: str) -> list[Edit]:
    """Character references (HTML standard, 13.5)."""
    return [
        Edit(start=found.start(), end=found.end(), text=plain)
        for found in _ENTITY.finditer(text)
        if (plain := html.unescape(found[0])) != found[0]
    ]


def percent(text: str) -> list[Edit]:
    """Percent-encoded UTF-8 (RFC 3986, 2.1)."""
    edits = []
    for found in _PERCENT.finditer(text):
        plain = _utf8(bytes.fromhex(found[0].replace("%", "")))
        if plain is not None:
            edits.append(Edit(start=found.start(), end=found.end(), text=plain, spans=_spans(plain, found.start(), 3)))
    return edits


def strings(text: str) -> list[Edit]:
    """Escapes of JSON, JavaScript and Python strings. Surrogate pairs are joined."""
    edits: list[Edit] = []
    for found in _ESCAPE.finditer(text):
        digits = found[1] or found[2] or found[3] or found[4]
        code = int(digits, 16) if digits else ord(_SHORT[found[5]])
        before = edits[-1] if edits and edits[-1].end == found.start() else None
        if before is not None and 0xDC00 <= code < 0xE000 and "\ud800" <= before.text < "\udc00":
            code = 0x10000 + ((ord(before.text) - 0xD800) << 10) + code - 0xDC00
            edits[-1] = Edit(start=before.start, end=found.end(), text=chr(code))
        elif code < 0x110000:
            edits.append(Edit(start=found.start(), end=found.end(), text=chr(code)))
    return edits


def slashes(text: str) -> list[Edit]:
    """Backslashes between single characters, unless these are but a few escapes many times."""
    return [
        Edit(start=at, end=at + 1, text="")
        for found in _SLASHED.finditer(text)
        if len(set(found[0])) >= SLASHED_DIFFERENT_MIN
        for at in range(*found.span())
        if text[at] == "\\"
    ]


def markdown(text: str) -> list[Edit]:
    """Backslashes before what Markdown would otherwise read as its own (CommonMark, 2.4)."""
    return [Edit(start=found.start(), end=found.start() + 1, text="") for found in _MARKDOWN.finditer(text)]


def _utf8(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _spans(plain: str, start: int, width: int) -> list[tuple[int, int]]:
    spans, at = [], start
    for character in plain:
        end = at + len(character.encode(errors="replace")) * width
        spans.append((at, end))
        at = end
    return spans
