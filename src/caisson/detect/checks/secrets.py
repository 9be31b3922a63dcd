"""Is this value a secret, or does it only stand where one could?

A wrong yes masks an innocent word; a wrong no sends a credential to a model. Placeholders, references to variables and
plain words are no secrets; documentation's example keys count as secrets, because nobody can tell them apart for sure.

>>> password(Found("hunter2!", "password = ", "")), password(Found("required", "password: ", ""))
(0.8, None)
"""

from __future__ import annotations

import re
from collections import Counter
from math import log2

from caisson.detect.rule import Found

ENTROPY_BITS_MIN = 3.0
"""Bits a character below which a long value is no random token. Hexadecimal has up to 4, English words 2.5 to 3."""
_PLACEHOLDER = re.compile(
    r"x{4,}|\*{3,}|\.{3}|^[<{\[(%$]|^\W*$|your[_-]?|change[_-]?me|placeholder|dummy|redacted|insert[_-]|replace[_-]?"
    r"|^(?:null|none|nil|true|false|undefined|required|optional|string|secret|password|passwd|token|env|config|default)$"
    r"|^(?:process|os|env|config|settings|self|this|args|options|params|request|ctx|var|local|data|module|secrets)\b"
    r"|\$\{|\{\{|^\$[A-Za-z_]|getenv|environ|\($|\(\)",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(
    r"[a-z]+(?:[A-Z][a-z]+)+|[a-z_]+(?:\.[a-z_]+)+|[A-Z]+(?:_[A-Z]+)+|[a-z]+(?:[_-][a-z]+)+|[A-Z]?[a-z]+"
)
_SENTENCE_END = ".,;:!?"
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HASH_CONTEXT = re.compile(
    r"(?:sha-?\d*|md5|digest|checksum|hash|integrity|commit|revision|etag|fingerprint|uuid|guid|public)\W{0,6}$",
    re.IGNORECASE,
)


def entropy_bits(value: str) -> float:
    """Shannon entropy a character."""
    if not value:
        return 0.0
    return -sum(count / len(value) * log2(count / len(value)) for count in Counter(value).values())


def is_placeholder(value: str) -> bool:
    """True for what people write where a secret will stand, and for code that fetches one."""
    return _PLACEHOLDER.search(value) is not None or len(set(value)) < 4


def random(found: Found) -> float | None:
    """A token that a machine drew: letters and digits without a pattern."""
    if is_placeholder(found.value) or _IDENTIFIER.fullmatch(found.value) or _HASH_CONTEXT.search(found.before):
        return None
    if not any(character.isdigit() for character in found.value) or entropy_bits(found.value) < ENTROPY_BITS_MIN:
        return None
    return 0.9


def random_not_uuid(found: Found) -> float | None:
    """As `random`, where identifiers in the form of a UUID are no secrets."""
    return None if _UUID.fullmatch(found.value) else random(found)


def password(found: Found) -> float | None:
    """A password that a person chose: not a plain word, not a reference to one."""
    value = found.value.rstrip(_SENTENCE_END)
    if is_placeholder(value) or _IDENTIFIER.fullmatch(value) or found.after == "(":
        return None
    kinds = sum(any(map(test, value)) for test in (str.islower, str.isupper, str.isdigit, _is_sign))
    return 0.8 if kinds >= 2 else None


def distinct(found: Found) -> float | None:
    """A provider's token with a prefix of its own: anything but the same character over and over."""
    return 1.0 if len(set(found.value[-16:])) >= 4 else None


def connection_password(found: Found) -> float | None:
    """The password in an address, unless a variable stands for it."""
    return None if is_placeholder(found.value) else 0.9


def _is_sign(character: str) -> bool:
    return not character.isalnum()
