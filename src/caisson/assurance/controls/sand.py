"""SAND: generated code."""

from __future__ import annotations

from caisson.assurance.controls.control import Control, Kind, part, probe

CONTROLS = (
    Control(
        id="SAND-01",
        title="Generated code runs in a sandbox",
        tier=1,
        agentic=True,
        zones=(2,),
        need="Never beside infrastructure.",
        embedded="unprivileged namespaces, seccomp and Landlock (bubblewrap).",
        aws="AgentCore Code Interpreter in a VPC with no route.",
        shown=(
            probe(
                "escape attempts",
                missing="not built in this version: the sandbox",
            ),
        ),
    ),
    Control(
        id="SAND-02",
        title="Sandbox files",
        tier=1,
        agentic=True,
        zones=(2,),
        need="Declared paths only.",
        embedded="read-only mounts, one output folder.",
        aws="managed.",
        shown=(
            probe(
                "reads outside",
                missing="not built in this version: the sandbox",
            ),
        ),
    ),
    Control(
        id="SAND-03",
        title="Sandbox network",
        tier=1,
        agentic=True,
        zones=(2,),
        need="None by default.",
        embedded="empty network namespace.",
        aws="no-network mode.",
        shown=(
            probe(
                "connections and name lookups",
                missing="not built in this version: the sandbox",
            ),
        ),
    ),
    Control(
        id="SAND-04",
        title="Sandbox limits",
        tier=1,
        agentic=True,
        zones=(2,),
        need="CPU, memory, disk, processes, files, output.",
        embedded="cgroup or rlimit.",
        aws="managed limits.",
        shown=(
            probe(
                "fork bomb, memory, disk",
                missing="not built in this version: the sandbox",
            ),
        ),
    ),
    Control(
        id="SAND-05",
        title="Nothing persists",
        tier=2,
        agentic=True,
        zones=(2,),
        need="Ephemeral.",
        embedded="tmpfs per run.",
        aws="session end.",
        shown=(
            probe(
                "state from a run is absent in the next",
                missing="not built in this version: the sandbox",
            ),
        ),
    ),
    Control(
        id="SAND-06",
        title="Code scanned first",
        tier=2,
        agentic=True,
        zones=(2,),
        need="Dangerous patterns flagged.",
        embedded="AST scan.",
        aws="same.",
        shown=(
            part(
                Kind.BENCHMARK,
                "dangerous patterns in samples",
                missing="not built in this version: the sandbox",
            ),
        ),
    ),
)
