"""LOG: logging."""

from __future__ import annotations

from caisson.assurance.controls.control import Control, Kind, part, probe, proof

CONTROLS = (
    Control(
        id="LOG-01",
        title="Model input and output logged",
        tier=1,
        zones=(2, 6),
        seed=("S22", "S23", "S24", "S25"),
        need=(
            "Enough of every interaction to reconstruct and judge it; identities, model, prompt hash, "
            "tokens, latency, actions."
        ),
        embedded=(
            "one event for the request before the guardrails see it and one for the response, written "
            "before the last byte leaves."
        ),
        aws=(
            "gateway events plus Bedrock invocation logging in the runtime account (custom resource; "
            "all modalities; large data to S3) replicated to the archive."
        ),
        code=(
            "zones/z2_runtime/steps/s05_record_request.py",
            "zones/z2_runtime/steps/s11_record_response.py",
            "zones/z2_runtime/record.py",
        ),
        shown=(
            probe(
                (
                    "each request has one request and one response event, whether it was answered, "
                    "refused, failed or left"
                ),
                "log.complete",
            ),
            probe(
                "what was acknowledged is recorded though a process was killed",
                "log.killed",
            ),
            proof("invocation logging cannot be switched off by a workload principal"),
        ),
    ),
    Control(
        id="LOG-02",
        title="Guardrail decisions logged",
        tier=1,
        zones=(2, 6),
        seed=("S26", "S27"),
        need=(
            "Every evaluation, passes too, with rule, version, stage, decision, score and reason; "
            "never a pass that did not run."
        ),
        embedded="decision records produced by the evaluator that ran.",
        aws=(
            "Converse trace enabled_full plus CloudTrail data events of type AWS::Bedrock::Guardrail "
            "as the tamper-resistant second source."
        ),
        code=(
            "adapters/embedded/guardrail/decisions.py",
            "adapters/embedded/guardrail/evaluator.py",
            "zones/z2_runtime/record.py",
        ),
        shown=(
            probe(
                "recorded decisions say what the wire shows, per route and stream mode, passes too",
                "guardrails.decisions",
            ),
            probe(
                "no place of a request goes uninspected",
                "guardrails.matrix",
            ),
        ),
    ),
    Control(
        id="LOG-03",
        title="Judge evaluations logged",
        tier=2,
        zones=(3, 6),
        seed=("S28",),
        need="Judge model, criteria and version, score, verdict, reasoning, latency, escalation.",
        embedded="verdict events from the evaluation zone.",
        aws="judge account with its own invocation-logging configuration.",
        shown=(
            probe(
                ("each evaluated interaction has one verdict record; availability and disagreement are reported"),
                missing="not built in this version: the evaluation zone",
            ),
        ),
    ),
    Control(
        id="LOG-04",
        title="Agent decision chains logged",
        tier=2,
        agentic=True,
        zones=(2, 6),
        seed=("S29", "S30", "S31"),
        need=("Each step (think, tool call, tool result, delegate, respond) in order, so that a chain can be rebuilt."),
        embedded="step events with chain id and step number; `caisson logs chain ID` draws it.",
        aws="same events; AgentCore spans; classic agents with enableTrace; lifecycle per LOG-08.",
        shown=(
            probe(
                "a chain of delegated, denied and approved steps is rebuilt from logs alone",
                missing="not built in this version: tools and delegation",
            ),
        ),
    ),
    Control(
        id="LOG-05",
        title="Behavioural drift detected",
        tier=2,
        zones=(6,),
        seed=("S32", "S33"),
        need=(
            "Baselines for block rate, judge flags, length, tokens, tools, errors, users; deviation "
            "beyond 2 sigma alerts."
        ),
        embedded="rolling baselines over the archive in zone 6; alerts with expected variation, anomaly, incident.",
        aws=(
            "AWS/Bedrock and Guardrails metrics, ANOMALY_DETECTION_BAND alarms, plus the same "
            "baselines on gateway metrics."
        ),
        shown=(
            probe(
                (
                    "an injected shift alerts within its window and a quiet week does not; the false- "
                    "alarm rate is stated"
                ),
                missing="not built in this version: baselines",
            ),
        ),
    ),
    Control(
        id="LOG-06",
        title="Injection attempts detected",
        tier=1,
        zones=(2, 6),
        seed=("S34",),
        need=(
            "Known and novel attempts on raw input, tool results and documents, across requests of a "
            "session; kept apart for two years."
        ),
        embedded="injection detector, session correlation, separate collection.",
        aws="same plus PROMPT_ATTACK from guardrail data events, metric filters, GuardDuty AI protection.",
        code=(
            "detect/injection/classifier.py",
            "adapters/embedded/guardrail/attacks.py",
            "adapters/embedded/guardrail/seams.py",
        ),
        shown=(
            part(
                Kind.BENCHMARK,
                "recall and false-positive rate with intervals on labelled corpora",
                missing=(
                    "a figure, which needs a labelled corpus: `caisson bench detect --kind injection --corpus FILE`"
                ),
            ),
            probe(
                "attacks in every role are found, and one that is split over turns is found as one",
                "guardrails.attacks",
            ),
        ),
    ),
    Control(
        id="LOG-07",
        title="Log integrity",
        tier=2,
        zones=(6,),
        need="Append-only, tamper-evident, unreadable by the runtime, replicated elsewhere.",
        embedded=(
            "records sealed to the logging zone's public key; Merkle tree with signed checkpoints; offline verifier."
        ),
        aws=(
            "S3 Object Lock (compliance) in the logging account, checkpoints signed by KMS and "
            "anchored in a second account."
        ),
        code=(
            "zones/z6_logging/verify.py",
            "zones/z6_logging/notary.py",
            "policy/merkle.py",
            "channels/chain.py",
        ),
        shown=(
            probe(
                "the log is whole",
                "log.whole",
            ),
            probe(
                "edit, deletion, reordering, truncation, replay and forgery are each detected",
                "log.tamper",
            ),
            probe(
                "no other zone can read or cut it",
                "network.zones",
                "network.processes",
            ),
            proof("no principal can shorten retention or delete"),
        ),
    ),
    Control(
        id="LOG-08",
        title="Retention by data class",
        tier=1,
        zones=(6,),
        seed=("S31",),
        need=(
            "Text 90 days, metadata, guardrail, judge and agent chains 1 year, injection 2 years, "
            "access changes and aggregates 3 years (more by tier and law)."
        ),
        embedded="per-class expiry that keeps the leaf hashes.",
        aws="lifecycle rules and log-group retention per class.",
        shown=(
            probe(
                "with the clock moved, exactly the due classes are gone and the tree still verifies",
                missing="not built in this version: retention by data class",
            ),
        ),
    ),
    Control(
        id="LOG-09",
        title="Redaction that keeps forensic use",
        tier=1,
        zones=(6,),
        seed=("S25",),
        need=(
            "PII and credentials redacted at ingestion with consistent tokens; from tier 3 a sealed "
            "raw copy that two people open."
        ),
        embedded=(
            "pseudonyms per session; forensic copy in nested encryption to two named custodians, both "
            "needed; segment keys destroyed once archived; sampled redaction audit."
        ),
        aws=(
            "gateway redaction, CloudWatch Logs data-protection policy, forensic objects under two "
            "KMS keys in two accounts."
        ),
        code=(
            "zones/z6_logging/redaction.py",
            "detect/redaction.py",
        ),
        shown=(
            part(
                Kind.BENCHMARK,
                "leakage per million characters on labelled corpora",
                missing="a figure, which needs a labelled corpus",
            ),
            probe(
                "personal data and credentials are replaced before archiving, the same within a session",
                "data.redacted",
            ),
            probe(
                "one custodian alone cannot open the sealed raw copy",
                missing="not built in this version: sealed raw copies",
            ),
        ),
    ),
    Control(
        id="LOG-10",
        title="Correlation with enterprise telemetry",
        tier=3,
        zones=(6,),
        seed=("S35", "S36", "S37"),
        need="Standard schema, correlation ids, cross-domain rules.",
        embedded="OCSF Parquet in Security Lake layout, JSON stream over syslog, HTTP or file; DuckDB queries.",
        aws=(
            "Security Lake custom source (OCSF 1.3 classes 6003, 6005, 2004, 2003), subscription filters and Firehose."
        ),
        shown=(
            part(
                Kind.CHECK,
                "every event validates against the published OCSF schema; a SIEM reads them unchanged",
                missing="not built in this version: OCSF and streaming",
            ),
        ),
    ),
)
