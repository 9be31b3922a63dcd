"""SUP: supply chain."""

from __future__ import annotations

from caisson.assurance.controls.control import Control, Kind, part, probe, proof

CONTROLS = (
    Control(
        id="SUP-01",
        title="Model provenance and pins",
        tier=1,
        zones=(5,),
        seed=("S76",),
        need="Approved, pinned models only; hashes where we hold the artefact.",
        embedded="model registry in the system file; bundled detector weights verified by hash at load.",
        aws="SCP allow-list of model and profile ARNs (NotResource deny).",
        code=(
            "system/agents.py",
            "zones/z2_runtime/steps/s03_session.py",
            "detect/injection/classifier.py",
        ),
        shown=(
            probe(
                "models that the file does not name are refused",
                "sessions.scope",
            ),
            probe(
                "altered weights refuse to load",
                "supply.weights",
            ),
            proof("only listed models can be invoked"),
        ),
    ),
    Control(
        id="SUP-02",
        title="Model risk assessed before use",
        tier=1,
        zones=(5,),
        need="A recorded assessment with re-assessment triggers.",
        embedded="assessment record required to approve a model; expires.",
        aws="same.",
        shown=(
            part(
                Kind.CHECK,
                "a model with no current assessment is refused",
                missing="not built in this version: assessments",
            ),
        ),
    ),
    Control(
        id="SUP-03",
        title="Knowledge source integrity",
        tier=2,
        zones=(4,),
        need="Allow-listed sources, content scan, provenance, hash monitoring.",
        embedded="ingestion records source, hash, time, pipeline, approver; re-verifies.",
        aws="S3 versioning, signed manifest, scheduled verify.",
        shown=(
            probe(
                "changed, unlisted and poisoned documents are quarantined",
                missing="not built in this version: ingestion",
            ),
        ),
    ),
    Control(
        id="SUP-04",
        title="Fine-tuning pipeline secured",
        tier=2,
        zones=(5,),
        need="Validated data, isolated environment, versioned artefacts, evaluation gate.",
        embedded="not offered; declared models only.",
        aws="SCP denies customization jobs outside the control account; gate in the pipeline.",
        shown=(
            part(
                Kind.CHECK,
                "fine-tuning is not offered; models are declared only",
                missing="on one machine there is nothing to try; templates show it for AWS",
            ),
            proof("no principal outside the pipeline can start a customisation job"),
        ),
    ),
    Control(
        id="SUP-05",
        title="Tool supply chain",
        tier=2,
        agentic=True,
        zones=(5,),
        need="Registry with publisher, version, hash, capabilities, approval.",
        embedded="tool registry; MCP tool descriptions pinned by hash (a changed description stops the tool).",
        aws="same, Lambda versions pinned.",
        shown=(
            probe(
                "a tool that changes its description or schema is cut off",
                missing="not built in this version: tools",
            ),
        ),
    ),
    Control(
        id="SUP-06",
        title="Guardrail and judge integrity",
        tier=1,
        zones=(5,),
        need="Versioned, verified, regression-tested before use.",
        embedded="content hash in the bundle; a change must pass the attack corpus.",
        aws="guardrail versions immutable and pinned.",
        shown=(
            probe(
                "an altered rule file refuses to load; a weaker rule set fails the gate",
                missing="not built in this version: a gate for rule sets",
            ),
        ),
    ),
    Control(
        id="SUP-07",
        title="AI bill of materials",
        tier=1,
        zones=(5,),
        need="Models, guardrails, judges, embedders, knowledge bases, tools, with versions and links.",
        embedded="CycloneDX generated from bundle and lock file.",
        aws="same, from templates.",
        shown=(
            part(
                Kind.CHECK,
                "the document validates against CycloneDX and names every deployed part",
                missing="not built in this version: `caisson bom`",
            ),
        ),
    ),
    Control(
        id="SUP-08",
        title="Vulnerabilities watched",
        tier=1,
        zones=(5,),
        need="Feeds matched against the inventory.",
        embedded="`caisson bom audit` against an advisory file or service.",
        aws="Inspector.",
        shown=(
            part(
                Kind.CHECK,
                "a seeded advisory is matched to the affected part",
                missing="not built in this version: `caisson bom`",
            ),
        ),
    ),
)
