"""Words and patterns that a system file declares, as rules.

Words match in any case, in compatibility and invisible-character variants (see `visible`), with accents composed or
not, and across any white space; whole words only, where the word begins or ends in a letter or digit of ASCII.

>>> word("Project Falcon").id
'words.project-falcon'
"""

from __future__ import annotations

import unicodedata

import re2

from caisson.detect.rule import Rule

_GAP = "[ \\t\\r\\n\u00a0]{1,8}"
"""White space between the parts of a phrase."""


def word(text: str) -> Rule:
    """The rule of a declared word or phrase."""
    parts = unicodedata.normalize("NFKC", text).split()
    body = _GAP.join("".join(map(_character, part)) for part in parts)
    first, last = parts[0][0], parts[-1][-1]
    start, end = (r"\b" if _is_word(first) else ""), (r"\b" if _is_word(last) else "")
    return Rule(id=f"words.{'-'.join(parts).lower()}", type="WORD", pattern=f"(?i){start}{body}{end}")


def pattern(name: str, expression: str) -> Rule:
    """The rule of a declared pattern. `check` has made sure that it compiles and has a bounded width."""
    kind = name.upper().replace("-", "_")
    return Rule(id=f"patterns.{name}", type=kind, pattern=f"(?:{expression})")


def _character(character: str) -> str:
    """A character, composed or decomposed."""
    decomposed = unicodedata.normalize("NFD", character)
    one = str(re2.escape(character))
    return one if decomposed == character else f"(?:{one}|{re2.escape(decomposed)})"


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")
