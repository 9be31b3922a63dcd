"""TOOL: tools."""

from __future__ import annotations

from caisson.assurance.controls.control import Control, Kind, part, probe

CONTROLS = (
    Control(
        id="TOOL-01",
        title="Tool manifest",
        tier=2,
        agentic=True,
        zones=(2, 5),
        seed=("S16",),
        need="Declared tools, operations, parameters, conditions; versioned; validated before deployment.",
        embedded="system file to Cedar and JSON Schema.",
        aws="AgentCore policy.",
        shown=(
            part(
                Kind.CHECK,
                "unknown tools, operations and unbounded parameters are refused",
                missing="not built in this version: tools",
            ),
        ),
    ),
    Control(
        id="TOOL-02",
        title="Enforced at the gateway",
        tier=2,
        agentic=True,
        zones=(2,),
        seed=("S17",),
        need="Seven steps in order, deterministic, fail closed, opaque to the agent.",
        embedded="tool gateway.",
        aws="gateway plus interceptor.",
        shown=(
            probe(
                "each step denies on its own; the agent learns only that it was denied",
                missing="not built in this version: tools",
            ),
        ),
    ),
    Control(
        id="TOOL-03",
        title="Parameter bounds",
        tier=2,
        agentic=True,
        zones=(2,),
        need="Types, ranges, patterns, paths, templates, sizes.",
        embedded="JSON Schema plus path, URL and query constraints.",
        aws="same.",
        shown=(
            part(
                Kind.PROPERTY,
                "no value outside its bound reaches the tool",
                missing="not built in this version: tools",
            ),
        ),
    ),
    Control(
        id="TOOL-04",
        title="Actions classed by reversibility",
        tier=2,
        agentic=True,
        zones=(2,),
        seed=("S18",),
        need="read_only, reversible_write, irreversible_write, privileged; set by people.",
        embedded="class drives approval and logging.",
        aws="same.",
        shown=(
            probe(
                "each class is handled as its tier demands",
                missing="not built in this version: tools",
            ),
        ),
    ),
    Control(
        id="TOOL-05",
        title="Tool rate limits",
        tier=2,
        agentic=True,
        zones=(2,),
        need="Per session, tool, window; bursts flagged.",
        embedded="exact counters.",
        aws="DynamoDB counters, AgentCore rate limits.",
        shown=(
            part(
                Kind.PROPERTY,
                "never more than the limit under concurrency",
                missing="not built in this version: tools",
            ),
        ),
    ),
    Control(
        id="TOOL-06",
        title="Every invocation logged",
        tier=2,
        agentic=True,
        zones=(2, 6),
        seed=("S29",),
        need="Permits and denials with step, reason, chain.",
        embedded="tool events.",
        aws="same.",
        shown=(
            probe(
                "denials carry the step that denied",
                missing="not built in this version: tools",
            ),
        ),
    ),
)
