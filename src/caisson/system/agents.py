"""Models, the agents that use them, and the judge (SUP-01, SESS-03, LOG-03)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from caisson.system.carriers import BOTH, DEPLOYED, LATER, SYNTH_FIRST, WAITING
from caisson.system.section import Section
from caisson.system.tools import ClientTool
from caisson.system.values import ClientToolName, Count, Items, ModelId, Name, ToolOperation


class ModelSpec(Section):
    """A model that agents may use."""

    id: Annotated[ModelId, DEPLOYED]
    """Bedrock model or inference profile id, as clients name it."""
    output_tokens_max: Annotated[Count, BOTH]
    """Most tokens of one answer; a request that asks for more gets this."""


class Task(Section):
    """What an agent is signed in for."""

    tools: Annotated[Items[ToolOperation], WAITING] = ()
    """Tool operations that the task may call, `tool.operation` each."""


class Agent(Section):
    """A model behind a guardrail, with tasks that users open sessions for."""

    model: Annotated[Name, DEPLOYED]
    """Name under `models`."""
    guardrail: Annotated[Name, DEPLOYED]
    """Name under `guardrails`."""
    knowledge: Annotated[Items[Name], LATER] = ()
    """Names under `knowledge` that the agent may retrieve from."""
    client_tools: Annotated[dict[ClientToolName, ClientTool], BOTH] = Field(default_factory=dict)
    """Tools that the client runs itself, by the name that it sends. From tier 2 no others are offered to the model."""
    tasks: Annotated[dict[Name, Task], Field(min_length=1), BOTH]
    """Tasks by name; a session is for one of them."""


class Judge(Section):
    """Evaluation of interactions by a second model, apart from the runtime."""

    model: Annotated[Name, SYNTH_FIRST]
    """Name under `models`."""
    guardrail: Annotated[Name, SYNTH_FIRST]
    """Name under `guardrails`."""
    criteria: Annotated[Items[Literal["safety", "grounding", "policy"]], Field(min_length=1), WAITING]
    """What is judged."""
    sample: Annotated[float, Field(gt=0, le=1), WAITING]
    """Share of interactions that are judged."""
