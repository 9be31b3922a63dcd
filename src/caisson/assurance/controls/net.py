"""NET: network and zones."""

from __future__ import annotations

from caisson.assurance.controls.control import Control, Kind, part, probe, proof

CONTROLS = (
    Control(
        id="NET-01",
        title="Six zones with explicit flows",
        tier=1,
        zones=(1, 2, 3, 4, 5, 6),
        seed=("S01", "S02", "S03", "S04", "S05", "S06", "S38", "S39", "S40", "S41"),
        need="Components live in zones; only listed flows cross.",
        embedded=(
            "one process per zone (1 and 2 share the gateway's), Landlock and own user; the channel "
            "table is the only way across."
        ),
        aws=(
            "one account per zone, separate VPCs, interface endpoints with policies, no peering; "
            "security groups from the same channel table."
        ),
        code=(
            "channels/table.py",
            "adapters/embedded/isolation/confine.py",
            "adapters/embedded/isolation/landlock.py",
            "adapters/embedded/isolation/seccomp.py",
            "adapters/embedded/layout.py",
        ),
        shown=(
            probe(
                "each forbidden pair of zones is tried from within a zone's confinement",
                "network.zones",
            ),
            probe(
                "the running processes are confined",
                "network.processes",
            ),
            proof("reachability over templates equals the channel table"),
        ),
    ),
    Control(
        id="NET-02",
        title="Guardrails cannot be bypassed",
        tier=1,
        zones=(1, 2),
        seed=("S42", "S43", "S44", "S73"),
        need="No route, dialect, stream mode, model API or second namespace reaches a model unguarded.",
        embedded="one pipeline for every route; upstream credentials only in the gateway.",
        aws=(
            "pinned-guardrail Deny in identity policy and SCP with Resource *, deny of every "
            "unguardable path (mantle, batch, async, bidirectional, agents, flows, Responses API), "
            "enforced guardrail configuration, Organizations Bedrock policy."
        ),
        code=(
            "zones/z1_ingress/routes.py",
            "zones/z2_runtime/pipeline.py",
            "zones/z2_runtime/steps/s06_inspect_input.py",
            "zones/z2_runtime/steps/s09_inspect_output.py",
        ),
        shown=(
            probe(
                "no route, dialect or stream mode lets through what the guardrail stops",
                "guardrails.routes",
                "guardrails.matrix",
            ),
            probe(
                ("paths that would reach a model beside the guardrail do not exist, and no caller can turn it off"),
                "guardrails.paths",
            ),
            proof(
                "every invocation without the pinned guardrail is denied, every guarded one by the gateway is allowed"
            ),
        ),
    ),
    Control(
        id="NET-03",
        title="Judge isolation",
        tier=2,
        zones=(3,),
        seed=("S45", "S46", "S47"),
        need="Separate compute, zone, credentials and state; data only flows in.",
        embedded=(
            "own process, user, keys and model family; reads a sealed one-way channel of tokenised interactions."
        ),
        aws="judge account, cross-account SQS push, role that may invoke one judge model; no route, no peering.",
        shown=(
            probe(
                "the judge process opens nothing of the runtime, and the runtime nothing of the judge's",
                missing="not built in this version: the evaluation zone",
            ),
            proof(
                "the runtime can only send to the judge's queue; the judge reaches nothing in the "
                "runtime; no network path"
            ),
        ),
    ),
    Control(
        id="NET-04",
        title="Agent egress only to declared destinations",
        tier=2,
        agentic=True,
        zones=(2,),
        seed=("S48", "S49", "S50"),
        need="Destination, protocol, payload, rate and log at a proxy the agent cannot avoid.",
        embedded=(
            "egress proxy with resolved-address checks (no private, link-local or metadata address), "
            "payload scan, per-destination rate."
        ),
        aws=(
            "tool VPC without internet gateway, transit to an inspection VPC with Network Firewall "
            "(strict order, TLS inspection) and DNS Firewall, then NAT."
        ),
        shown=(
            probe(
                "undeclared host, IP literal, rebinding, redirect, DNS tunnel, oversize",
                missing="not built in this version: tools and the egress proxy",
            ),
            proof("every path to the internet passes the firewall"),
        ),
    ),
    Control(
        id="NET-05",
        title="Ingestion apart from runtime",
        tier=2,
        zones=(2, 4),
        seed=("S38",),
        need="Ingestion writes, runtime reads, no path between.",
        embedded="ingestion publishes immutable index versions; runtime opens them read-only.",
        aws="separate accounts and VPCs; separate read and write roles and data-access policies.",
        shown=(
            probe(
                "the runtime cannot write and ingestion cannot read",
                missing="not built in this version: the ingestion zone",
            ),
            proof("no principal has both"),
        ),
    ),
    Control(
        id="NET-06",
        title="Control plane on its own path",
        tier=1,
        zones=(5,),
        seed=("S14",),
        need="Not on the data-plane interface; MFA; logged apart.",
        embedded="console and control API on their own port and process, passkey or TOTP, own log stream.",
        aws="control account, private endpoint, Identity Center permission sets.",
        code=(
            "zones/z5_control/service.py",
            "zones/z1_ingress/routes.py",
        ),
        shown=(
            probe(
                "no control route answers on the gateway",
                "control.routes",
            ),
            part(
                Kind.CHECK,
                "people sign in to the control plane with a second factor",
                missing="not built in this version: the console; operators are known by their user id",
            ),
            proof("no path from the runtime to control endpoints"),
        ),
    ),
    Control(
        id="NET-07",
        title="One entry point",
        tier=1,
        zones=(1,),
        seed=("S01",),
        need="TLS, identity, rate limits, schema, WAF, logging in one place; nothing else is reachable.",
        embedded="the gateway listener.",
        aws="CloudFront, WAF and REST API with private integration; origin locked; default endpoint off.",
        code=(
            "zones/z1_ingress/gateway.py",
            "zones/z1_ingress/routes.py",
            "zones/z2_runtime/steps/s01_frame.py",
        ),
        shown=(
            probe(
                "body over the limit, wrong type, unknown field, unknown path and slow clients are refused",
                "network.entry",
            ),
            probe(
                "nothing but the gateway listens",
                "network.listeners",
            ),
            proof(
                "every internet-reachable listener other than the distribution refuses callers "
                "without its client certificate"
            ),
        ),
    ),
    Control(
        id="NET-08",
        title="Cross-zone traffic monitored",
        tier=2,
        zones=(6,),
        seed=("S51",),
        need="Every crossing recorded and compared with the channel table; new pairs and volumes alert.",
        embedded="channel counters and denied attempts as events.",
        aws="VPC flow logs, resolver query logs, firewall logs into the lake.",
        shown=(
            probe(
                "a forbidden crossing yields an alert; volumes reconcile with events",
                missing="not built in this version: channel counters and alerts",
            ),
        ),
    ),
)
