"""Amazon Resource Names, and what it means to match one.

An ARN has six parts: `arn:partition:service:region:account:resource`; colons after the fifth belong to the resource.

Two matchings differ. Condition operators check each of the six parts by itself
(reference_policies_elements_condition_operators). The `Resource` element matches the whole: a `*` that ends a part may
go on across colons, and it is not said whether another wildcard may (reference_policies_elements_resource), so a match
that needs it is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from caisson.assurance.iam.pattern import Solid, Wild, fits
from caisson.assurance.iam.truth import NO, YES, Truth, of, unknown

PARTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Arn:
    """A name in its parts."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


def parse(text: str) -> Arn | None:
    """The name, or None when the text is none."""
    parts = text.split(":", PARTS - 1)
    if len(parts) != PARTS or parts[0] != "arn" or not (parts[1] and parts[2] and parts[5]):
        return None
    return Arn(partition=parts[1], service=parts[2], region=parts[3], account=parts[4], resource=parts[5])


def resource_matches(pieces: Sequence[Solid], text: str) -> Truth:
    """Whether an entry of `Resource` covers a resource."""
    if not fits(pieces, text):
        return NO
    confined = _confined(pieces)
    if fits(pieces, text, confined=confined):
        return YES
    return unknown(f"a wildcard inside a part of {written(pieces)!r} would have to match a colon")


def parts_match(pieces: Sequence[Solid], text: str) -> Truth:
    """Whether ArnEquals and ArnLike, which are the same, hold for a value."""
    patterns = _split(pieces)
    if len(patterns) != PARTS:
        return unknown(f"{written(pieces)!r} is no ARN of six parts")
    parts = text.split(":", PARTS - 1)
    if len(parts) != PARTS:
        return NO
    return of(all(fits(pattern, part) for pattern, part in zip(patterns, parts, strict=True)))


def written(pieces: Sequence[Solid]) -> str:
    """The pieces as text again."""
    return "".join(str(piece) for piece in pieces)


def _confined(pieces: Sequence[Solid]) -> frozenset[int]:
    """Wildcards of the first five parts, but for a star that ends its part."""
    held, colons = set(), 0
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            colons += piece.count(":")
            continue
        if colons >= PARTS - 1:
            break
        following = pieces[index + 1] if index + 1 < len(pieces) else ":"
        ends = isinstance(following, str) and following.startswith(":")
        if not (piece is Wild.MANY and ends):
            held.add(index)
    return frozenset(held)


def _split(pieces: Sequence[Solid]) -> list[list[Solid]]:
    """The pieces of each part."""
    parts: list[list[Solid]] = [[]]
    for piece in pieces:
        if not isinstance(piece, str):
            parts[-1].append(piece)
            continue
        left = PARTS - len(parts)
        first, *others = piece.split(":", left) if left else [piece]
        parts[-1].append(first)
        parts += [[other] for other in others]
    return parts
