"""Policy variables replaced by what the request says (IAM user guide, reference_policies_variables).

A key that is absent and has no default leaves no value: nothing equals it and nothing is like it. A key with several
values cannot be a variable. Whether a wildcard inside a variable's value counts as a wildcard is not documented, so
such a value is unknown wherever wildcards mean something.
"""

from __future__ import annotations

from dataclasses import dataclass

from caisson.assurance.iam.context import Context, has_many_values
from caisson.assurance.iam.pattern import Pattern, Solid, Variable


@dataclass(frozen=True, slots=True)
class Replaced:
    """A pattern whose variables are gone."""

    pieces: tuple[Solid, ...] | None
    """None when a variable has no value, or when it is unknown."""
    unknown: str = ""
    """Why the value cannot be told; empty when it can."""


def replaced(pattern: Pattern, context: Context, *, wildcards: bool) -> Replaced:
    """The pattern for one request. `wildcards`: whether `*` and `?` mean something where the pattern stands."""
    pieces: list[Solid] = []
    missing = False
    for piece in pattern.pieces:
        if not isinstance(piece, Variable):
            pieces.append(piece)
            continue
        if piece.key is None:
            return Replaced(None, f"{piece.text} is no policy variable")
        found = context.get(piece.key)
        if found is not None and ((not found.single and len(found.all) != 1) or has_many_values(piece.key)):
            return Replaced(None, f"{piece.text} stands for a key that has many values")
        value = piece.default if found is None else found.all[0]
        if value is None:
            missing = True
        elif wildcards and ("*" in value or "?" in value):
            return Replaced(None, f"the value of {piece.text} holds a wildcard")
        else:
            pieces.append(value)
    return Replaced(None if missing else tuple(pieces))
