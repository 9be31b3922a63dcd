"""Systems with one guardrail, for tests of inspection."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from caisson.ports.guardrail import InspectionContext
from caisson.system.guardrails import Guardrail
from caisson.system.identity import Group, Identity
from caisson.system.schema import System

CONTEXT = InspectionContext(session_id="s", pseudonym_key=bytes(32), guardrail="main")


def system_with(*, clearances: Mapping[str, str] = MappingProxyType({}), **guardrail: Any) -> System:
    """A system whose only guardrail, `main`, has these keys; only what inspection reads is filled in.

    `clearances` are those of its groups.
    """
    fields = {"prompt_attack": "high", "credentials": "redact", **guardrail}
    groups = {name: Group.model_validate({"clearance": level}) for name, level in clearances.items()}
    return System.model_construct(
        tier=2,
        identity=Identity.model_construct(groups=groups),
        guardrails={"main": Guardrail.model_validate(fields)},
    )
