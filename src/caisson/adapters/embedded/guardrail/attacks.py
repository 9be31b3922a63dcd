"""Attacks on the model as a stage of an input's text (NET-02): it has no span, so a whole text is judged.

- What users, assistants, tools and documents say is judged by patterns and model. The system prompt is the
  application's own: giving orders is what it is for, and only patterns read it.
- A finding stops the text, or in `detect` mode is only flagged. What it saw stands in the record like any finding.

>>> import asyncio
>>> said = asyncio.run(judged("What is the capital of Peru?", "user", "medium", BLOCK))
>>> said.blocked, said.hits
(False, [])
"""

from __future__ import annotations

import asyncio

from caisson.detect.finding import Finding
from caisson.detect.injection import Mode, findings, prepare
from caisson.detect.rules.injection import Strength
from caisson.detect.scanner import BLOCK
from caisson.detect.stream import Hit
from caisson.ports.guardrail import Role

LONG_CHARACTERS = 16_384
"""A longer text is judged beside the event loop, so that other requests get their turn."""
MODES: dict[Role, Mode] = {
    "user": "user",
    "assistant": "user",
    "system": "system",
    "tool": "data",
    "document": "data",
}

__all__ = ["Judged", "judged", "prepare"]


class Judged:
    """What was found in one text."""

    def __init__(self, found: tuple[Finding, ...], layer: int) -> None:
        self.blocked = layer == BLOCK and bool(found)
        self.hits = [Hit(layer, finding, finding.start, finding.end - finding.start, self.blocked) for finding in found]


async def judged(text: str, role: Role, strength: Strength, layer: int) -> Judged:
    """Judge a text of that role with a filter of that strength; its findings are of that layer."""
    if strength == "none":
        return Judged((), layer)
    mode = MODES[role]
    if len(text) > LONG_CHARACTERS:
        return Judged(await asyncio.to_thread(findings, text, strength, mode), layer)
    return Judged(findings(text, strength, mode), layer)
