"""Amazon Resource Names, and what it means to match one.

An ARN has six parts: `arn:partition:service:region:account:resource`; colons after the fifth belong to the resource.

Two matchings differ. Condition operators check each of the six parts by itself (reference_policies_elements_condition_
operators). The `Resource` element matches the whole: a `*` that ends a part may go on across colons
(reference_policies_elements_resource). Wildcards are not to stand in the service or in the type of a resource
(reference-arns), and whether others match a colon is not said; a match that needs such a thing is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from caisson.assurance.iam.pattern import Barred, Solid, Wild, fits, reached
from caisson.assurance.iam.truth import NO, YES, Truth, of, unknown

PARTS = 6
_SERVICE = 2
"""Index of the part that is the service."""
TYPELESS = frozenset({"execute-api", "s3", "sns", "sqs"})
"""Services whose resources begin with a name, not with a type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arn:
    """A name in its parts."""

    partition: str
    """`aws`, `aws-cn`, …"""
    service: str
    """Namespace of the service."""
    region: str
    """Empty for what has none."""
    account: str
    """Twelve digits; empty or `aws` for what no customer owns."""
    resource: str
    """Everything after the fifth colon."""


def parse(text: str) -> Arn | None:
    """The name, or None when the text is none."""
    parts = text.split(":", PARTS - 1)
    if len(parts) != PARTS or parts[0] != "arn" or not (parts[1] and parts[2] and parts[5]):
        return None
    return Arn(partition=parts[1], service=parts[2], region=parts[3], account=parts[4], resource=parts[5])


def resource_matches(pieces: Sequence[Solid], text: str) -> Truth:
    """Whether an entry of `Resource` covers a resource."""
    if all(piece is Wild.MANY for piece in pieces):
        return YES
    parts = _split(pieces)
    if len(parts) < PARTS and pieces[-1] is not Wild.MANY:
        return unknown(f"the policy value {written(pieces)!r} is no ARN of six parts")
    if not fits(pieces, text):
        return NO
    if len(parts) > _SERVICE and any(isinstance(piece, Wild) for piece in parts[_SERVICE]):
        return unknown(f"a wildcard in the service of {written(pieces)!r}")
    if len(parts) == PARTS and parts[-1] != (Wild.MANY,) and _type(text) and _wild_type(parts[-1]):
        return unknown(f"a wildcard in the type of resource of {written(pieces)!r}")
    if len(text) not in reached(pieces, text, _barred(pieces, text)):
        return unknown(f"a wildcard inside a part of {written(pieces)!r} would have to match a colon")
    return YES


def parts_match(pieces: Sequence[Solid], text: str) -> Truth:
    """Whether ArnEquals and ArnLike, which are the same, hold for a value."""
    patterns = _split(pieces)
    if len(patterns) != PARTS:
        return unknown(f"the policy value {written(pieces)!r} is no ARN of six parts")
    parts = text.split(":", PARTS - 1)
    if len(parts) != PARTS:
        return unknown(f"the request value {text!r} is no ARN of six parts")
    return of(all(fits(pattern, part) for pattern, part in zip(patterns, parts, strict=True)))


def written(pieces: Sequence[Solid]) -> str:
    """The pieces as text again."""
    return "".join(str(piece) for piece in pieces)


def _type(text: str) -> range:
    """Where the type of a resource stands: `function` in `arn:aws:lambda:eu-west-1:111122223333:function:name`."""
    found = parse(text)
    separator = re.search("[:/]", found.resource) if found is not None and found.service not in TYPELESS else None
    if found is None or separator is None:
        return range(0)
    start = len(text) - len(found.resource)
    return range(start, start + separator.start())


def _wild_type(pieces: Sequence[Solid]) -> bool:
    """Whether a wildcard stands before the first slash or colon."""
    for piece in pieces:
        if isinstance(piece, Wild):
            return True
        if re.search("[:/]", piece):
            return False
    return False


def _barred(pieces: Sequence[Solid], text: str) -> Barred:
    """Where wildcards of the first five parts do not match.

    They match no colon; but a star that ends the part of the region or the account, which does not match a type.
    """
    colons = frozenset(place for place, character in enumerate(text) if character == ":")
    barred, seen = {}, 0
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            seen += piece.count(":")
            continue
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        if following is None and piece is Wild.MANY:
            continue
        ends = piece is Wild.MANY and isinstance(following, str) and following.startswith(":")
        if seen < PARTS - 1:
            barred[index] = frozenset(_type(text)) if ends and seen > _SERVICE else colons
    return barred


def _split(pieces: Sequence[Solid]) -> tuple[tuple[Solid, ...], ...]:
    return _split_once(tuple(pieces))


@lru_cache(maxsize=8192)
def _split_once(pieces: tuple[Solid, ...]) -> tuple[tuple[Solid, ...], ...]:
    """The pieces of each part."""
    parts: list[list[Solid]] = [[]]
    for piece in pieces:
        if not isinstance(piece, str):
            parts[-1].append(piece)
            continue
        first, *others = piece.split(":", PARTS - len(parts))
        parts[-1] += [first] if first else []
        parts += [[other] if other else [] for other in others]
    return tuple(map(tuple, parts))
