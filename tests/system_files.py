"""System files for tests: the smallest that is sound, and pieces to change in it."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

from ruamel.yaml import YAML

from caisson.system.loader import Reading, parse_system

TODAY = date(2026, 11, 24)

MINIMAL: dict[str, Any] = {
    "caisson": 1,
    "name": "tiny",
    "tier": 2,
    "identity": {"local": {"users": {"me": {"uid": "owner", "groups": ["users"]}}}, "groups": {"users": {}}},
    "models": {"assistant": {"id": "amazon.nova-lite-v1:0"}},
    "guardrails": {"main": {}},
    "agents": {"helper": {"model": "assistant", "guardrail": "main", "tasks": {"answer": {}}}},
}


def minimal(**changes: Any) -> dict[str, Any]:
    """The smallest sound file with values put at dotted paths (`sessions__duration="30m"`)."""
    data = copy.deepcopy(MINIMAL)
    for dotted, value in changes.items():
        *outer, last = dotted.split("__")
        inside = data
        for part in outer:
            inside = inside.setdefault(part, {})
        inside[last] = value
    return data


def reading(data: Any) -> Reading:
    """What the loader makes of data written as YAML."""
    return parse_system(text_of(data).encode(), name="caisson.yaml", today=TODAY)


def text_of(data: Any) -> str:
    """Data as YAML."""
    import io

    yaml, stream = YAML(typ="safe", pure=True), io.StringIO()
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.dump(data, stream)
    return stream.getvalue()
