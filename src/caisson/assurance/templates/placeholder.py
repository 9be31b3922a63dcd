"""Text in place of symbols, so that policies can be evaluated and names compared.

The same value is the same text every time, different values are different text (120 bits of SHA-256 where the form has
room). A placeholder has the form that AWS would give it, `sg-0a1b…`; where no form is known there is none.

>>> placeholder("arn:aws:s3:::x")
'arn:aws:s3:::x'
"""

from __future__ import annotations

import re
import string
from hashlib import sha256

from caisson.assurance.templates.identity import ATTRIBUTE_FORMS, IDENTITIES
from caisson.assurance.templates.values import Joined, Pseudo, Reference, Symbol, Value, text

REGION = "us-east-1"
"""Region of stacks that name none."""
_LETTERS = string.ascii_lowercase + string.digits


def placeholder(value: Value) -> str | None:
    """The text of a scalar with placeholders in it; None where no form is known.

    Placeholders are for evaluation only. They are nothing that AWS has.
    """
    found = text(value)
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, Joined):
        parts = [placeholder(part) for part in found.parts]
        return None if None in parts else "".join(part for part in parts if part is not None)
    return _of(found)


def _of(symbol: Symbol) -> str | None:
    if isinstance(symbol, Pseudo):
        return _pseudo(symbol)
    if not isinstance(symbol, Reference):
        return None
    digest = sha256(symbol.name.encode()).hexdigest()
    identity = IDENTITIES.get(symbol.type)
    form = ATTRIBUTE_FORMS.get((symbol.type, symbol.attribute))
    if form is None and identity is not None and symbol.attribute in ("", "unique"):
        form = identity.unique if symbol.attribute else identity.id
    return None if form is None else _formed(form, digest, symbol)


def _formed(form: str, digest: str, symbol: Reference) -> str | None:
    number = int(digest, 16)
    if form in ("name", "lower"):
        stem = re.sub("[^A-Za-z0-9-]", "-", symbol.id)[:24]
        name = f"{stem}-{digest[:24]}"
        return name.lower() if form == "lower" else name
    if form == "uuid":
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    if form == "number":
        return str(number % 10**8 + 1)
    if found := re.fullmatch("(hex|alnum|upper)([0-9]+)", form):
        length = int(found[2])
        if found[1] == "hex":
            return digest[:length]
        letters = []
        for _ in range(length):
            number, one = divmod(number, len(_LETTERS))
            letters.append(_LETTERS[one])
        made = "".join(letters)
        return made.upper() if found[1] == "upper" else made
    if form.endswith("-"):
        return f"{form}{digest[:17]}"
    return None


def _pseudo(symbol: Pseudo) -> str | None:
    match symbol.parameter:
        case "AWS::AccountId":
            return f"{int(sha256(symbol.name.encode()).hexdigest(), 16) % 10**12:012d}"
        case "AWS::Region":
            return REGION
        case "AWS::Partition":
            return "aws"
        case "AWS::URLSuffix":
            return "amazonaws.com"
    return None
