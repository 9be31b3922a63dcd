"""Is this value a secret, or does it only stand where one could?

A wrong yes masks an innocent word; a wrong no sends a credential to a model. Placeholders, references to variables,
names and plain words are no secrets; documentation's example keys count as secrets, because nobody can tell them apart
for sure.

>>> password(Found("hunter2!", "password = ", "")), password(Found("required", "password: ", ""))
(0.8, None)
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections import Counter
from itertools import pairwise
from math import log2
from zlib import crc32

from caisson.detect.checks.words import plainly_words, wordlike
from caisson.detect.rule import Found

ENTROPY_BITS_MIN = 3.0
"""Bits a character below which a long value is no random token. Hexadecimal has up to 4, English words 2.5 to 3."""
KEYED_BITS_MIN = 2.5
"""The same where a name beside the value says that it is a key."""
KEY_LINE_CHANGES_MIN = 22
"""Changes of upper case, lower case and others in such a line: random characters have 40, joined names 16 at most."""
KEY_LINE_BITS_MIN = 4.2
"""A line of 64 random base64 characters has 5.2 on average."""
LETTERS_ONLY_MIN = 20
"""Length from which on letters without a digit may be a key."""
_PLACEHOLDER = re.compile(
    r"x{5,}|(?<![a-z0-9])(?:x{4}|your|to-?be)|(?:x{4}|your)(?![a-z0-9])|\*{3,}|\.{3}|\?{3}|^[<{\[(%$]|^\W*$"
    r"|change[_-]?(?:me|it)|placeholder|dummy|redacted|insert[_-]|replace[_-]?|not-?set|no-?secret|fake[_-]|mock[_-]|abc123$|foo-?bar"
    r"|^(?:null|none|nil|true|false|undefined|required|optional|string|secret|password|passwd|token|env|config|default)$"
    r"|^(?:process|os|env|config|settings|self|this|args|options|params|request|ctx|var|local|data|module|secrets)\b"
    r"|^\$\{|\$\{[\w.:-]+\}|^\{\{|\{\{ ?[\w.]+ ?\}\}|^\$[A-Za-z_]|getenv|environ|\($|\(\)|^(?:file|env|fd|stdin):",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(
    r"[A-Za-z][a-z]*(?:[A-Z][a-z]+)+|[a-z_]+(?:\.[a-z_]+)+|[A-Z]+(?:_[A-Z]+)+|[a-z]+(?:[_-][a-z]+)+|[A-Z]?[a-z]+"
)
_SENTENCE_END = ".,;:!?"
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HASH_CONTEXT = re.compile(
    r"(?:sha-?\d*|md5|digest|checksum|hash|integrity|commit|revision|etag|fingerprint|uuid|guid|public|pubkey)"
    r"[\W_]{0,6}(?:key[\W_]{0,4})?$",
    re.IGNORECASE,
)
_NOT_ITS_NAME = re.compile(
    r"(?:next|page|continuation|pagination|client_?request|idempotency|csrf|xsrf|cancellation|sort|partition|primary"
    r"|foreign|cache|public|object|map|dict|storage|registry|row|host|lookup|translation|i18n|max|num|total|prompt"
    r"|completion|input|output)[_.\- ]?(?:key|token)s?[\"'\]\s:=>]{0,8}$"
    r"|(?:id|name|arn|version|type|alias|path|file|url|uri|hash|count|length|size|length|description|label|title|format)"
    r"s?[\"'\]]{0,2}\s{0,4}[:=>,]{1,3}\s{0,4}[\"'`]{0,2}$|\barn:[a-z-]{2,12}:\S*$",
    re.IGNORECASE,
)
"""Names with `key` or `token` in them that mean something else, and what is said about a key."""
_NOT_A_TOKEN = re.compile(
    r"^(?:https?:|arn:|/|\./|\.\./|~/|refs/|urn:|data:|file:)|\.(?:json|ya?ml|py|js|ts|go|rs|rb|java|pem|key|crt|cer|txt"
    r"|md|html?|xml|com|net|org|io|dev|sh|cfg|ini|env|toml|svg|png|jpe?g|gif|pdf|css|tgz|zip|gz|jar|whl|exe|dll)$|^[\d.,:/-]{1,23}$|^v?\d+\.\d+\.\d+",
    re.IGNORECASE,
)
_KEY_OF_NOTHING = re.compile(
    r"(?:^|[^a-z_ .-]|(?:^|[^a-z])[_ .-])key\)?[\"'\]`]{0,2}\s{0,4}[=>|:!?]{1,4}\W{0,9}$", re.IGNORECASE
)
"""A name that is `key` and nothing more: of a map, not of a door."""
_KEY_FRAGMENT_CONTEXT = re.compile(r"sha\d{1,3}[-:= ]{1,2}$|base64,$", re.IGNORECASE)
_BASE64_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM_CHARACTERS = 6
_JUDGED = (16, 24, 32)
"""So many characters at the end must read like words, all three: 18 of 200,000 random tokens do in the first alone."""


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
    value = found.value
    if is_placeholder(value) or _IDENTIFIER.fullmatch(value) or _HASH_CONTEXT.search(found.before) or wordlike(value):
        return None
    if not any(character.isdigit() for character in value) or entropy_bits(value) < ENTROPY_BITS_MIN:
        return None
    return 0.9


def keyed(found: Found) -> float | None:
    """A token beside a name that says that it is one. UUIDs count, words, paths, versions and hashes do not."""
    value, before = found.value.rstrip(".-"), found.before
    if is_placeholder(value) or _NOT_A_TOKEN.search(value) or _HASH_CONTEXT.search(before):
        return None
    if _NOT_ITS_NAME.search(before):
        return None
    if _UUID.fullmatch(value):
        return 0.7
    if wordlike(value) or len(set(value)) < 6 or entropy_bits(value) < KEYED_BITS_MIN:
        return None
    digits = any(map(str.isdigit, value))
    return 0.8 if digits or (len(value) >= LETTERS_ONLY_MIN and value.isalnum()) else None


def keyed_pair(found: Found) -> float | None:
    """User and password, where nothing but the two can stand."""
    return None if is_placeholder(found.value) else 0.9


def mixed(found: Found) -> float | None:
    """A token of upper case, lower case and digits after a prefix that nobody knows."""
    value = found.value
    every = any(map(str.isdigit, value)) and any(map(str.isupper, value)) and any(map(str.islower, value))
    return random(found) if every else None


def aws_secret(found: Found) -> float | None:
    """40 characters of base64 with every kind of character; documentation's key has words in it."""
    value = found.value
    every = any(map(str.isdigit, value)) and any(map(str.isupper, value)) and any(map(str.islower, value))
    if not every or is_placeholder(value) or _HASH_CONTEXT.search(found.before):
        return None
    return 0.9 if entropy_bits(value) >= ENTROPY_BITS_MIN else None


def short_key(found: Found) -> float | None:
    """A short token beside such a name: upper case, lower case and digits, and no words."""
    value = found.value
    every = any(map(str.isdigit, value)) and any(map(str.isupper, value)) and any(map(str.islower, value))
    return keyed(found) if every and not _KEY_OF_NOTHING.search(found.before) else None


def password(found: Found) -> float | None:
    """A password that a person chose: not a plain word, not a reference to one."""
    value = found.value.rstrip(_SENTENCE_END)
    if is_placeholder(value) or _IDENTIFIER.fullmatch(value) or found.after == "(" or "://" in value:
        return None
    if _NOT_ITS_NAME.search(found.before):
        return None
    kinds = sum(any(map(test, value)) for test in (str.islower, str.isupper, str.isdigit, _is_sign))
    return 0.8 if kinds >= 2 else None


def quoted_password(found: Found) -> float | None:
    """As `password`, in quotes, where white space and brackets may belong to it: no sentence, no code."""
    value = found.value
    if " " in value.strip():
        words = value.split()
        if len(words) > 6 or (wordlike(value) and not any(map(str.isdigit, value))):
            return None
    return password(found)


def user_password(found: Found) -> float | None:
    """`user:password` on a command line. Either may be empty, and a variable stands for nothing."""
    user, _, secret = found.value.partition(":")
    return password(found._replace(value=secret or user))


def varied(found: Found) -> float | None:
    """A token whose beginning nothing else has: anything but the same character over and over."""
    end = found.value[-16:]
    return None if len(set(end)) < 4 or "xxxxxx" in end.lower() else 1.0


def distinct(found: Found) -> float | None:
    """A token with a short prefix: not the same character over and over, not words, not cut off."""
    joined = found.after.isascii() and found.after.isalnum()
    words = all(plainly_words(found.value[-length:]) for length in _JUDGED)
    return None if joined or words else varied(found)


def base32_secret(found: Found) -> float | None:
    """The secret of a one-time password (RFC 4226), base 32 in upper case."""
    value = found.value
    return 0.8 if value == value.upper() and not wordlike(value) and len(set(value)) >= 6 else None


def crc32_token(found: Found) -> float | None:
    """A token that ends in the CRC-32 of the rest, base 62. One whose checksum is wrong may be cut off: less sure."""
    if varied(found) is None or plainly_words(found.value):
        return None
    body, checksum = found.value[:-_CHECKSUM_CHARACTERS], found.value[-_CHECKSUM_CHARACTERS:]
    return 1.0 if base62(crc32(body.partition("_")[2].encode())) == checksum else 0.8


def base62(number: int) -> str:
    """Six digits, as GitHub and npm write a checksum.

    >>> base62(62)
    '000010'
    """
    digits = ""
    for _ in range(_CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits


def azure_key(found: Found) -> float | None:
    """512 bits in base64, as Azure's storage keys are; so are SHA-512 hashes, which say so."""
    if _KEY_FRAGMENT_CONTEXT.search(found.before) or _HASH_CONTEXT.search(found.before) or "h1:" in found.before[-4:]:
        return None
    return distinct(found)


def key_line(found: Found) -> float | None:
    """A line of a PEM block: 64 characters of base64 that stand alone and look random. Certificates look the same."""
    value = found.value
    if (found.before[-1:] in _BASE64_CHARACTERS and found.before) or _KEY_FRAGMENT_CONTEXT.search(found.before):
        return None
    changes = sum(_class(one) != _class(other) for one, other in pairwise(value))
    return 0.5 if changes >= KEY_LINE_CHANGES_MIN and entropy_bits(value) >= KEY_LINE_BITS_MIN else None


def jwt(found: Found) -> float | None:
    """A JSON web token (RFC 7519): its first part is a JSON object in base64url."""
    header = found.value.partition(".")[0]
    try:
        text = urlsafe_b64decode(header + "=" * (-len(header) % 4))
    except (Base64Error, ValueError):
        return None
    return 1.0 if text.lstrip()[:1] == b"{" and text.rstrip()[-1:] == b"}" else None


def connection_password(found: Found) -> float | None:
    """User and password in an address, unless a variable stands for the password."""
    secret = found.value.partition(":")[2]
    return None if is_placeholder(secret) else 0.9


def _class(character: str) -> int:
    return 0 if character.islower() else 1 if character.isupper() else 2


def _is_sign(character: str) -> bool:
    return not character.isalnum()
