"""SEC: credentials."""

from __future__ import annotations

from caisson.assurance.controls.control import Control, Kind, part, probe, proof

CONTROLS = (
    Control(
        id="SEC-01",
        title="No credentials in context",
        tier=1,
        zones=(2,),
        seed=("S64", "S65"),
        need="Model prompts, history and tool results hold none.",
        embedded="out-of-band injection; tool result sanitiser.",
        aws="tool gateway role reads the secret at call time.",
        code=(
            "detect/detectors.py",
            "adapters/embedded/guardrail/evaluator.py",
        ),
        shown=(
            probe(
                "canary credentials appear in no prompt to a model, history or tool result",
                "credentials.traffic",
            ),
            proof("no environment variable or parameter in a template holds a secret"),
        ),
    ),
    Control(
        id="SEC-02",
        title="Short-lived scoped tokens",
        tier=1,
        zones=(2,),
        seed=("S19",),
        need="Minutes, one purpose, auditable, bound to identity.",
        embedded="session tokens and single-use tool tokens.",
        aws="STS only.",
        code=(
            "adapters/embedded/credentials.py",
            "policy/sessions.py",
            "zones/z1_ingress/sigv4.py",
        ),
        shown=(
            probe(
                "tokens of the wrong scope or source, and after their end, are refused",
                "identity.audience",
                "sessions.scope",
                "sessions.expired",
            ),
        ),
    ),
    Control(
        id="SEC-03",
        title="Central vault",
        tier=1,
        zones=(5,),
        seed=("S63",),
        need="One audited, encrypted store, scoped readers, rotation, no static export.",
        embedded="sealed vault with per-secret grants and read log.",
        aws="Secrets Manager with CMK, rotation, endpoint and resource policies.",
        shown=(
            probe(
                "a read without a grant is refused",
                missing="not built in this version: the vault",
            ),
            proof("which principals can read which secret"),
        ),
    ),
    Control(
        id="SEC-04",
        title="Credential scanning on model traffic",
        tier=1,
        zones=(2, 6),
        seed=("S66", "S67", "S68"),
        need="Input, output, tool results and logs.",
        embedded="detector with provider patterns, structure checks and entropy.",
        aws="same; guardrail types and regexes; Macie custom identifiers over log buckets.",
        code=(
            "detect/detectors.py",
            "detect/checks/secrets.py",
            "detect/checks/services.py",
            "adapters/embedded/guardrail/evaluator.py",
            "zones/z6_logging/redaction.py",
        ),
        shown=(
            part(
                Kind.BENCHMARK,
                "recall and false-positive rate on labelled corpora",
                missing=(
                    "a figure, which needs a labelled corpus: `caisson bench detect --kind secrets --corpus FILE`"
                ),
            ),
            probe(
                "credentials are found on every route, both ways, and in the log",
                "credentials.traffic",
            ),
        ),
    ),
    Control(
        id="SEC-05",
        title="Rotation on exposure",
        tier=1,
        zones=(5,),
        need="A credential seen anywhere is treated as compromised and replaced.",
        embedded="exposure event revokes and re-issues in the vault.",
        aws="EventBridge to Secrets Manager rotation.",
        shown=(
            probe(
                "a leaked secret stops working and the tool goes on with a new one",
                missing="not built in this version: the vault",
            ),
        ),
    ),
    Control(
        id="SEC-06",
        title="Agent credentials isolated per session",
        tier=2,
        agentic=True,
        zones=(2,),
        need="Single-use token per tool call, held by the gateway, revoked with the session.",
        embedded="gateway-held tokens.",
        aws="STS session per call, AgentCore Identity for OAuth tools.",
        shown=(
            probe(
                "a tool token does not work for another call or session",
                missing="not built in this version: tools",
            ),
        ),
    ),
    Control(
        id="SEC-07",
        title="Model endpoint credentials protected",
        tier=1,
        zones=(2,),
        seed=("S08",),
        need="Clients never hold them.",
        embedded="only the gateway process reads upstream credentials.",
        aws="gateway role through the endpoint only (aws:SourceVpce).",
        code=(
            "wiring/provision.py",
            "adapters/embedded/isolation/zones.py",
            "adapters/embedded/model/openai.py",
        ),
        shown=(
            probe(
                (
                    "the upstream's credential reaches no client, no log and no other zone, and "
                    "callers cannot redirect it"
                ),
                "credentials.upstream",
                "network.zones",
            ),
            proof("no other principal can invoke; invoking from outside the endpoint is denied"),
        ),
    ),
    Control(
        id="SEC-08",
        title="Code and configuration scanned",
        tier=1,
        zones=(5,),
        seed=("S67",),
        need="Repository, notebooks, templates, images.",
        embedded="`caisson scan PATH` and a pre-commit hook.",
        aws="Inspector code security in the pipeline.",
        shown=(
            part(
                Kind.BENCHMARK,
                "repositories, notebooks, templates and images on labelled corpora",
                missing="a figure, which needs a labelled corpus: `caisson bench detect --kind secrets --corpus FILE`",
            ),
            part(
                Kind.CHECK,
                "the project scans itself",
                missing="`caisson scan` is built; a check that runs it on this installation is not",
            ),
        ),
    ),
)
