"""The system file as a whole, and what it resolves to.

- `File` is what people write: strict, every unknown key refused. Published as JSON Schema.
- `System` is a file with every default stated, plus what was loosened. Zones receive it as a signed bundle; what was
  decided when it was signed is not decided again.

>>> System.from_bundle(system.to_bundle()) == system
True
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from caisson.errors import SystemFileError
from caisson.system import tiers
from caisson.system.agents import Agent, Judge, ModelSpec, Task
from caisson.system.carriers import BOTH, DEPLOYED, LATER, SYNTH_FIRST, Carried
from caisson.system.deployment import Accounts, Aws, IdentityCenter, Logging, Units
from caisson.system.guardrails import Content, Guardrail, Pattern, Topic
from caisson.system.identity import Group, Identity, Issuer, Local, LocalUser
from caisson.system.limits import Limits, Sessions
from caisson.system.section import Section
from caisson.system.tools import ClientTool, Knowledge, Operation, Parameter, Source, Tool
from caisson.system.values import Items, Name, Rate, SystemName, WholeNumber

__all__ = [
    "Accounts",
    "Agent",
    "Aws",
    "ClientTool",
    "Content",
    "File",
    "Group",
    "Guardrail",
    "Identity",
    "IdentityCenter",
    "Issuer",
    "Judge",
    "Knowledge",
    "Limits",
    "Local",
    "LocalUser",
    "Logging",
    "Loosening",
    "ModelSpec",
    "Operation",
    "Parameter",
    "Pattern",
    "Rate",
    "Sessions",
    "Source",
    "System",
    "Task",
    "Tool",
    "Topic",
    "Units",
]


class File(Section):
    """A Caisson system file."""

    caisson: Annotated[Literal[1], WholeNumber, DEPLOYED]
    """Version of this format."""
    name: Annotated[SystemName, DEPLOYED]
    """Name of the system; part of every role ARN."""
    tier: Annotated[Literal[1, 2, 3, 4], WholeNumber, DEPLOYED]
    """Risk tier, which sets every default: 1 low, 2 medium, 3 high, 4 critical."""
    aws: Annotated[Aws | None, DEPLOYED] = None
    """Where `synth` and `deploy` put the zones."""
    identity: Annotated[Identity, DEPLOYED]
    """Who may sign in."""
    models: Annotated[dict[Name, ModelSpec], Field(min_length=1), DEPLOYED]
    """Models by the name that the rest of the file uses."""
    guardrails: Annotated[dict[Name, Guardrail], Field(min_length=1), DEPLOYED]
    """Guardrails by name."""
    knowledge: Annotated[dict[Name, Knowledge], LATER] = Field(default_factory=dict)
    """Documents by name that agents may retrieve from."""
    tools: Annotated[dict[Name, Tool], SYNTH_FIRST] = Field(default_factory=dict)
    """Services by name that agents may call."""
    agents: Annotated[dict[Name, Agent], Field(min_length=1), DEPLOYED]
    """Agents by name."""
    sessions: Annotated[Sessions, BOTH]
    """What one session may use."""
    limits: Annotated[Limits, BOTH]
    """What one request, one user and all users together may use."""
    judge: Annotated[Judge | None, SYNTH_FIRST] = None
    """Evaluation of interactions by a second model."""
    logging: Annotated[Logging, DEPLOYED] = Logging()
    """What the logging zone keeps beyond the archive."""


class Loosening(Section):
    """A value that lets through more than its tier's default, and why."""

    key: str
    """Path in the file, `sessions.duration`."""
    default: str
    """The tier's default as the file would write it."""
    value: str
    """What the file says instead."""
    because: str
    """The reason that the file gives."""


class System(File):
    """A system file with every default stated."""

    loosened: Annotated[Items[Loosening], Carried(by=(), built=())] = ()
    """What is looser than the tier's default. Resolved; no file says it."""

    @property
    def fsync(self) -> bool:
        """Whether the response's event is on stable storage before the answer's last byte leaves (LOG-01)."""
        return bool(tiers.fact("fsync", self.tier))

    @property
    def orders_expiry_s(self) -> int:
        """Seconds after which unrenewed orders stop requests (IAM-03)."""
        return tiers.fact("orders_expiry_s", self.tier)

    @property
    def configuration_signatures(self) -> int:
        """Signatures that a configuration version needs (IAM-03)."""
        return tiers.fact("configuration_signatures", self.tier)

    def to_bundle(self) -> dict[str, Any]:
        """JSON values from which `from_bundle` builds an equal system."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_bundle(cls, bundle: dict[str, Any]) -> System:
        """The system in a bundle.

        Raises:
            SystemFileError: not a bundle that this version understands.
        """
        try:
            return cls.model_validate(bundle)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the bundle"
            raise SystemFileError(
                f"expected a system resolved by this version, found {error.error_count()} problems in the bundle, "
                f"first at {where}: {first['msg']}; publish the system file again"
            ) from None
