"""What agents may reach beyond the model: knowledge and tools (IAM-04, IAM-05, DAT-01)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from caisson.system.carriers import BOTH, LATER, SYNTH_FIRST, WAITING
from caisson.system.identity import Classification
from caisson.system.section import Section
from caisson.system.values import HttpsUrl, Items, Name, RateText, Sha256, Text

ToolDescription = Annotated[Text, Field(max_length=10_000)]


class Source(Section):
    """Where documents come from."""

    path: Annotated[Text, LATER]
    """Folder, relative to the system file."""


Argument = Annotated[str, Field(min_length=1, max_length=64)]
"""Name of a tool's argument: any key of JSON."""
RestoredType = Annotated[str, Field(min_length=1, max_length=64)]


class Knowledge(Section):
    """Documents that agents may retrieve from."""

    sources: Annotated[Items[Source], Field(min_length=1), LATER]
    """Where the documents come from."""
    classification: Annotated[Classification, LATER]
    """How protected the documents are; nobody retrieves above their clearance."""


class Parameter(Section):
    """What one argument of an operation may be. An argument that is not declared is refused."""

    type: Annotated[Literal["string", "number", "integer", "boolean"], WAITING] = "string"
    """JSON type."""
    pattern: Annotated[Text | None, Field(max_length=500), WAITING] = None
    """RE2 expression that a whole string must match."""
    minimum: Annotated[float | None, WAITING] = None
    """Least number."""
    maximum: Annotated[float | None, WAITING] = None
    """Greatest number."""


class Operation(Section):
    """One thing that a tool does."""

    class_: Annotated[Literal["read_only", "reversible_write", "irreversible_write", "privileged"], WAITING] = Field(
        alias="class"
    )
    """What the operation can do; set by people, never by the tool."""
    approval: Annotated[Literal["required", "none"], WAITING] = "required"
    """Whether a person decides on every call. Silence means no."""
    parameters: Annotated[dict[Name, Parameter], WAITING] = Field(default_factory=dict)
    """Arguments by name."""
    rate: Annotated[RateText | None, WAITING] = None
    """Most calls in a window."""


class Tool(Section):
    """A service that agents may call through the tool gateway."""

    kind: Annotated[Literal["http"], SYNTH_FIRST]
    """How the service is called."""
    url: Annotated[HttpsUrl, SYNTH_FIRST]
    """Base address."""
    credential: Annotated[Name | None, WAITING] = None
    """Name of the vault's secret that the gateway adds; neither model nor agent sees it."""
    operations: Annotated[dict[Name, Operation], Field(min_length=1), WAITING]
    """Operations by name."""


class ClientTool(Section):
    """A tool that the client runs itself; the file pins what the model is told about it."""

    schema_sha256: Annotated[Sha256, BOTH]
    """SHA-256 of the JSON Schema of its arguments as canonical JSON (RFC 8785): `caisson check --tool-schema FILE`."""
    description: Annotated[ToolDescription | None, BOTH] = None
    """What the model is told, word for word; without it, whatever the client says."""
    restore: Annotated[dict[Argument, RestoredType], BOTH] = Field(default_factory=dict)
    """Arguments in which a pseudonym becomes the user's own value again, with its `pii` type or its pattern's name."""
