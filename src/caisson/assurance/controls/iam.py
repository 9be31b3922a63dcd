"""IAM: identity and access."""

from __future__ import annotations

from caisson.assurance.controls.control import Control, probe, proof

CONTROLS = (
    Control(
        id="IAM-01",
        title="Authenticate every caller",
        tier=1,
        zones=(1, 2),
        seed=("S07", "S08"),
        need=(
            "No request reaches a model, store, tool or judge without a verified identity; the person "
            "behind the application travels with the request."
        ),
        embedded=(
            "OIDC JWT or session credentials (SigV4) verified at the gateway; zone processes hold their own keys."
        ),
        aws=(
            "IAM Identity Center (or any OIDC issuer) at the gateway; IAM roles for services; no "
            "Bedrock API keys (deny CallWithBearerToken on bedrock and bedrock-mantle)."
        ),
        code=(
            "zones/z1_ingress/identity.py",
            "zones/z1_ingress/sigv4.py",
            "zones/z1_ingress/oidc.py",
            "zones/z2_runtime/steps/s02_identity.py",
        ),
        shown=(
            probe(
                ("unsigned, tampered, expired, out-of-window and wrong-audience requests are refused on every route"),
                "identity.unsigned",
                "identity.tampered",
                "identity.window",
                "identity.audience",
                "sessions.expired",
            ),
            proof("no IAM user, no access key and no service-specific credential in any template"),
        ),
    ),
    Control(
        id="IAM-02",
        title="Least privilege",
        tier=1,
        zones=(2, 3, 4, 5, 6),
        seed=("S09", "S10", "S11"),
        need="An explicit permission matrix per identity class; nothing granted that a zone does not use.",
        embedded=(
            "permission matrix compiled from the system file, default deny; zone processes run as "
            "separate users and open only their own files."
        ),
        aws=(
            "one role per duty (invoke, evaluate guardrail, ingest, judge, configure, deploy) with "
            "permission boundaries; model and inference-profile ARNs named."
        ),
        code=(
            "adapters/embedded/isolation/zones.py",
            "adapters/embedded/layout.py",
            "policy/sessions.py",
        ),
        shown=(
            probe(
                (
                    "each zone opens its own files and what the channel table gives it, and nothing "
                    "else; each duty works"
                ),
                "network.zones",
                "network.processes",
                "sessions.scope",
            ),
            proof(
                "for each role the set of allowed actions equals the matrix, without wildcard "
                "actions, and each duty works"
            ),
        ),
    ),
    Control(
        id="IAM-03",
        title="Control plane apart from data plane",
        tier=2,
        zones=(5,),
        seed=("S12", "S13", "S14", "S15"),
        need="No runtime path can change prompts, guardrails, models, tools, judge criteria or log settings.",
        embedded=(
            "configuration and orders reach the zones only as signed TUF metadata; the runtime has "
            "public keys alone; dual approval from tier 3; orders expire."
        ),
        aws=(
            "control account owns guardrails and bundles; SCP denies management actions to every "
            "workload principal except the control permission sets and the pipeline."
        ),
        code=(
            "adapters/embedded/configuration/client.py",
            "adapters/embedded/configuration/source.py",
            "zones/z5_control/control.py",
            "policy/sessions.py",
        ),
        shown=(
            probe(
                "forged, stale, frozen, rolled back and unsigned metadata is refused",
                "configuration.metadata",
            ),
            probe(
                "expired orders stop requests",
                "configuration.orders",
            ),
            proof("no workload principal can perform a management action"),
        ),
    ),
    Control(
        id="IAM-04",
        title="Agents call only declared tools",
        tier=2,
        agentic=True,
        zones=(2,),
        seed=("S16", "S17"),
        need=("Every tool call passes a gateway that knows the agent's manifest; the agent never calls a tool itself."),
        embedded="tool gateway (MCP and HTTP) with Cedar policies compiled from the manifest.",
        aws=(
            "AgentCore Gateway with a Cedar policy engine in ENFORCE, targets that only the gateway "
            "role may invoke; classic action groups only in accounts that still have them."
        ),
        shown=(
            probe(
                "undeclared tool, undeclared operation, direct call to the tool endpoint",
                missing="not built in this version: tools",
            ),
            proof("only the gateway role may invoke a tool function, by version"),
        ),
    ),
    Control(
        id="IAM-05",
        title="A human approves high-impact actions",
        tier=3,
        agentic=True,
        zones=(2, 5),
        seed=("S18",),
        need="Declared actions wait for a person; silence means no; agents can neither approve nor edit policy.",
        embedded=(
            "approval queue in the control zone; bound to the hash of the exact request, single use "
            "by compare-and-set, expires; the approver is nobody in the requester's chain."
        ),
        aws=(
            "Step Functions waitForTaskToken with heartbeat and timeout; the signed decision is "
            "checked by the tool gateway."
        ),
        shown=(
            probe(
                (
                    "unapproved, expired, altered-after-approval, replayed and self-approved actions "
                    "are refused and logged"
                ),
                missing="not built in this version: approvals",
            ),
        ),
    ),
    Control(
        id="IAM-06",
        title="Session-scoped credentials",
        tier=2,
        zones=(2,),
        seed=("S19", "S20", "S21"),
        need="Credentials live minutes, belong to one session, die with it, and cannot be handed on.",
        embedded=(
            "session token service in the gateway (AssumeRoleWithWebIdentity, AssumeRole to narrow, "
            "GetCallerIdentity), 15 min to 1 h, revocable."
        ),
        aws=(
            "STS AssumeRole with the shortest duration, SessionId/User/Agent/Task session tags "
            "(transitive), resource policies keyed on the tag, revocation by TokenIssueTime."
        ),
        code=(
            "policy/sessions.py",
            "zones/z1_ingress/sessions.py",
            "zones/z1_ingress/sts.py",
            "adapters/embedded/credentials.py",
        ),
        shown=(
            probe(
                "credentials after their end, after a revocation, and in another session are refused",
                "sessions.expired",
                "sessions.revoked",
                "sessions.other",
            ),
            proof("a principal tagged with one session cannot touch what is keyed to another"),
        ),
    ),
    Control(
        id="IAM-07",
        title="Credentials never enter a context window",
        tier=1,
        zones=(2, 6),
        seed=("S64", "S65"),
        need=(
            "Tool credentials are added behind the gateway; whatever credential appears in text is "
            "removed before model, user, judge or log sees it."
        ),
        embedded=(
            "out-of-band injection from the vault; credential detector on input, output, tool "
            "results, judge feed and logs."
        ),
        aws=(
            "Secrets Manager read by the tool gateway role at call time; same detector in the gateway "
            "and the log pipeline."
        ),
        code=(
            "detect/detectors.py",
            "adapters/embedded/guardrail/evaluator.py",
            "zones/z6_logging/redaction.py",
        ),
        shown=(
            probe(
                (
                    "canary credentials in prompt, document, tool result and model output appear in "
                    "no response, prompt to the model, queue, log or archive"
                ),
                "credentials.traffic",
                "data.at_rest",
            ),
        ),
    ),
    Control(
        id="IAM-08",
        title="Every access change is audited",
        tier=2,
        zones=(5, 6),
        seed=("S77",),
        need=(
            "Who changed what, before and after, when, why, and whom it affects, in an append-only "
            "trail stored elsewhere."
        ),
        embedded=(
            "each bundle version records author, approvers, reason, diff, affected agents; sealed to the logging zone."
        ),
        aws=(
            "organization CloudTrail with management and Bedrock/AgentCore data events, log-file "
            "validation, Object Lock bucket in the logging account."
        ),
        code=(
            "zones/z5_control/control.py",
            "zones/z5_control/record.py",
            "zones/z5_control/difference.py",
        ),
        shown=(
            probe(
                "a change without a reason is refused; every change has a record that verifies",
                "configuration.reason",
            ),
            proof("no principal can stop or alter the trail"),
        ),
    ),
)
