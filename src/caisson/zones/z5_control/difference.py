"""What a new configuration changes, for the signed record and the log: before, after, whom it affects (IAM-08). Pure.

Bundles are compared as canonical JSON gave them back.

>>> before = {"system": {"sessions": {"tokens": 1}, "agents": {"claims": {"model": "m"}}}}
>>> after = {"system": {"sessions": {"tokens": 2}, "agents": {"claims": {"model": "m"}}}}
>>> differences(before, after)
('system.sessions.tokens: 1 → 2',)
>>> affected_agents(before, after)
('claims',)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

LINES_MAX = 100
VALUE_CHARACTERS_MAX = 120
LINE_CHARACTERS_MAX = 400
AGENTS_MAX = 99
"""Named; more are counted."""
IGNORED = ("author", "reason", "format")
"""Of a bundle: who published it, not what it decides."""
ABSENT = "nothing"
_MISSING = object()
_ONE_AGENT = {"models": "model", "guardrails": "guardrail"}
"""Sections of the system whose entries an agent names in a field."""


def content(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """What a bundle decides."""
    return {name: value for name, value in bundle.items() if name not in IGNORED}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """One line a changed value, `path: before → after`, at most `LINES_MAX`; the last says how many are left out."""
    lines = [_line(path, old, new) for path, old, new in _changes("", content(before), content(after))]
    if len(lines) > LINES_MAX:
        lines[LINES_MAX - 1 :] = [f"… and {len(lines) - LINES_MAX + 1} more"]
    return tuple(lines)


def affected_agents(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Agents whose behaviour may change: their own entry, or their model or guardrail, or what all share."""
    old, new = before.get("system", {}), after.get("system", {})
    agents = {**old.get("agents", {}), **new.get("agents", {})}
    affected = set()
    for path, _, _ in _changes("", content(before), content(after)):
        match path.split(".")[:3]:
            case ["system", "agents", name]:
                affected.add(name)
            case ["system", section, name] if section in _ONE_AGENT:
                affected |= {agent for agent, entry in agents.items() if entry.get(_ONE_AGENT[section]) == name}
            case _:
                affected |= set(agents)
    named = sorted(affected)
    return tuple(named) if len(named) <= AGENTS_MAX else (*named[:AGENTS_MAX], f"… and {len(named) - AGENTS_MAX} more")


def _changes(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            inner = f"{path}.{name}" if path else str(name)
            yield from _changes(inner, before.get(name, _MISSING), after.get(name, _MISSING))
    elif _text(before) != _text(after):  # as JSON: to Python, true is 1
        yield path, before, after


def _line(path: str, before: Any, after: Any) -> str:
    line = f"{path}: {_shown(before)} → {_shown(after)}"
    return "".join(character if character.isprintable() else "?" for character in line)[:LINE_CHARACTERS_MAX]


def _text(value: Any) -> str:
    return ABSENT if value is _MISSING else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _shown(value: Any) -> str:
    text = _text(value)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}…"
