"""Defaults of the tier put into what a file says; what is looser than them needs a reason.

Wherever a default depends on the tier, a file may write the value alone, or `{value: …, because: …}` when the value is
looser than the default. A reason for a value that loosens nothing is refused too: nothing is parsed and ignored.

>>> settle({"sessions": {"actions": {"value": 90, "because": "long claims"}}}, tier=3).loosened[0].key
'sessions.actions'
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from caisson.system.carriers import Path, dotted
from caisson.system.document import shown
from caisson.system.schema import Loosening
from caisson.system.tiers import DEFAULTS, Default

ALWAYS = ("sessions", "limits")
"""Sections that every system has, stated or not."""
BECAUSE_CHARACTERS_MAX = 500
"""Longest reason."""
FORM = "{value: …, because: …}"


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A file's data with every tier default stated."""

    data: dict[str, Any]
    """In the file's form; values with a reason stand alone."""
    loosened: tuple[Loosening, ...]
    problems: tuple[tuple[Path, str], ...]
    """Path of the value, and the message."""


def settle(said: dict[str, Any], tier: int) -> Settled:
    """Put the tier's defaults where the file says nothing. What is not of the right shape is left for the schema."""
    data = copy.deepcopy(said)
    for section in ALWAYS:
        data.setdefault(section, {})
    loosened: list[Loosening] = []
    problems: list[tuple[Path, str]] = []
    for row in DEFAULTS:
        for mapping, path in _mappings(data, row.key.split("."), ()):
            name = str(path[-1])
            if name not in mapping:
                mapping[name] = row.at(tier)
                continue
            stated = _stated(mapping[name])
            if isinstance(stated, str):
                problems.append((path, f"{stated} ({dotted(path)})"))
                mapping[name] = row.at(tier)
                continue
            value, because = stated
            mapping[name] = value
            verdict = _judge(row, path, value, because, tier)
            if isinstance(verdict, Loosening):
                loosened.append(verdict)
            elif verdict:
                problems.append((path, verdict))
    return Settled(data=data, loosened=tuple(loosened), problems=tuple(problems))


def _mappings(data: Any, pattern: Sequence[str], path: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """The mappings that hold, or should hold, the key of `pattern`, with the key's full path."""
    if not isinstance(data, dict):
        return
    head, *rest = pattern
    if not rest:
        yield data, (*path, head)
    elif head == "*":
        for name in data:
            yield from _mappings(data[name], rest, (*path, name))
    elif head in data:
        yield from _mappings(data[head], rest, (*path, head))


def _stated(value: Any) -> tuple[Any, str] | str:
    """The value and its reason (empty when there is none), or what is wrong with how they are written."""
    if not isinstance(value, dict):
        return value, ""
    if set(value) != {"value", "because"}:
        return f"expected a value, or {FORM}, found a mapping with {', '.join(map(shown, value)) or 'nothing'}"
    because = value["because"]
    if not isinstance(because, str) or not because.strip() or len(because) > BECAUSE_CHARACTERS_MAX:
        return f"expected a reason of 1 to {BECAUSE_CHARACTERS_MAX} characters in because, found {shown(because)}"
    return value["value"], because


def _judge(row: Default, path: Path, value: Any, because: str, tier: int) -> Loosening | str:
    """The loosening, or what is wrong, or nothing."""
    key, standard = dotted(path), row.at(tier)
    try:
        looser = row.looser(value, standard)
    except (TypeError, ValueError):
        return ""  # not a value at all: the schema says so
    if looser and because:
        return Loosening(key=key, default=str(standard), value=str(value), because=because)
    if looser:
        return (
            f"expected at tier {tier} nothing looser than {standard}, or {FORM} with your reason, "
            f"found {shown(value)} ({key})"
        )
    if because:
        return (
            f"expected the value alone, because it is not looser than tier {tier}'s default {standard}, "
            f"found a reason too ({key})"
        )
    return ""
