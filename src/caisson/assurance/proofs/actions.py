"""Which actions exist: the service authorization reference, as `actions.json` carries it with its date.

`python -m bench.service_actions` writes that file anew. What a policy or a claim names without wildcards exists as
well: an action that is newer than the table is proved about once somebody names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files

from caisson.assurance.iam.pattern import fits, parse, solid


@cache
def known() -> dict[str, str]:
    """Every action that is known: lower case to how it is written."""
    table = json.loads(files("caisson.assurance.proofs").joinpath("actions.json").read_text(encoding="utf-8"))
    found = (f"{service}:{name}" for service, names in table["actions"].items() for name in names)
    return {action.lower(): action for action in found}


def expanded(patterns: Iterable[str], named: Iterable[str]) -> tuple[str, ...]:
    """The actions that patterns mean, in lower case, in the order of the patterns.

    Args:
        patterns: of a claim.
        named: what policies name; without wildcards it exists, too.
    """
    literal = (name.lower() for name in named if "*" not in name and "?" not in name)
    return _expanded(tuple(one.lower() for one in patterns), tuple(dict.fromkeys(literal)))


@lru_cache(maxsize=256)
def _expanded(patterns: tuple[str, ...], named: tuple[str, ...]) -> tuple[str, ...]:
    written = (*named, *(one for one in patterns if "*" not in one))
    wanted = ((_fitting(pattern), solid(parse(pattern, variables=False).pieces)) for pattern in patterns)
    return tuple(
        dict.fromkeys(
            action
            for fitting, pieces in wanted
            for action in (*fitting, *(one for one in written if fits(pieces, one)))
        )
    )


@lru_cache(maxsize=4096)
def _fitting(pattern: str) -> tuple[str, ...]:
    pieces = solid(parse(pattern, variables=False).pieces)
    return tuple(action for action in known() if fits(pieces, action))
