"""Systems with one guardrail, for tests of inspection."""

from __future__ import annotations

from typing import Any

from caisson.ports.guardrail import InspectionContext
from caisson.system.guardrails import Guardrail
from caisson.system.schema import System

CONTEXT = InspectionContext(session_id="s", pseudonym_key=bytes(32), guardrail="main")


def system_with(**guardrail: Any) -> System:
    """A system whose only guardrail, `main`, has these keys; only what inspection reads is filled in."""
    fields = {"prompt_attack": "high", "credentials": "redact", **guardrail}
    return System.model_construct(tier=2, guardrails={"main": Guardrail.model_validate(fields)})
