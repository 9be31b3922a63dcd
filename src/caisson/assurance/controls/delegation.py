"""DEL: delegation between agents."""

from __future__ import annotations

from caisson.assurance.controls.control import Control, Kind, part, probe

CONTROLS = (
    Control(
        id="DEL-01",
        title="Delegation never adds rights",
        tier=2,
        agentic=True,
        zones=(2,),
        need="Intersection of user and every agent in the chain.",
        embedded="AssumeRole narrows.",
        aws="session policies and transitive tags.",
        code=(
            "policy/sessions.py",
            "zones/z1_ingress/sts.py",
        ),
        shown=(
            part(
                Kind.PROPERTY,
                "effective rights shrink along every chain",
                "sessions.scope",
            ),
        ),
    ),
    Control(
        id="DEL-02",
        title="Chains audited end to end",
        tier=2,
        agentic=True,
        zones=(2, 6),
        need="Chain id, hop, both agents, rights, result.",
        embedded="hop events.",
        aws="same.",
        shown=(
            part(
                Kind.CHECK,
                "a chain across agents is rebuilt",
                missing="not built in this version: delegation between agents",
            ),
        ),
    ),
    Control(
        id="DEL-03",
        title="Depth and cycles limited",
        tier=2,
        agentic=True,
        zones=(2,),
        need="1 none, 2 two, 3 three with approval above two; no cycles; no fresh-chain dodge.",
        embedded="signed chain in the token.",
        aws="same.",
        shown=(
            probe(
                "depth, cycle and fresh-chain dodge are refused",
                missing="not built in this version: delegation between agents",
            ),
        ),
    ),
    Control(
        id="DEL-04",
        title="Delegation declared by both sides",
        tier=2,
        agentic=True,
        zones=(2,),
        need="Both manifests, per task.",
        embedded="check and gateway.",
        aws="same.",
        shown=(
            probe(
                "one-sided delegation is refused",
                missing="not built in this version: delegation between agents",
            ),
        ),
    ),
    Control(
        id="DEL-05",
        title="User identity through the chain",
        tier=2,
        agentic=True,
        zones=(2,),
        need="Signed, immutable, ends with the session.",
        embedded="token claims.",
        aws="transitive tags, source identity.",
        shown=(
            probe(
                "replaced and dropped identities are refused",
                missing="not built in this version: delegation between agents",
            ),
        ),
    ),
)
