"""DAT: data."""

from __future__ import annotations

from caisson.assurance.controls.control import Control, Kind, part, probe, proof

CONTROLS = (
    Control(
        id="DAT-01",
        title="Classify data at every boundary",
        tier=1,
        zones=(2, 4),
        need=("Prompt, retrieval, tool result and output are classified public, internal, confidential or restricted."),
        embedded="classifier from detectors and labels; the class rides with each part.",
        aws="same code.",
        shown=(
            part(
                Kind.BENCHMARK,
                "classification on labelled corpora",
                missing="not built in this version: classes of data",
            ),
            probe(
                "a restricted part is handled as its class demands",
                missing=(
                    "not built in this version: classes of data; what is found by kind is handled by kind, see DAT-03"
                ),
            ),
        ),
    ),
    Control(
        id="DAT-02",
        title="Minimise context",
        tier=1,
        zones=(2,),
        need="Only what the task needs enters the window.",
        embedded="chunk and history limits, tool result field selection, metadata stripping.",
        aws="same code.",
        shown=(
            probe(
                "fields that are not selected never reach the model",
                missing="not built in this version: retrieval and tools",
            ),
        ),
    ),
    Control(
        id="DAT-03",
        title="PII detection and redaction",
        tier=1,
        zones=(2, 6),
        seed=("S52", "S53", "S54"),
        need=(
            "Patterns and names on input, output, logs and judge feed; block, pseudonymise (and "
            "restore for the user) or flag per type and direction."
        ),
        embedded="pattern, checksum and name recogniser with pseudonyms.",
        aws="same plus guardrail PII filters and optionally Comprehend.",
        code=(
            "detect/detectors.py",
            "detect/pseudonyms.py",
            "adapters/embedded/guardrail/output.py",
            "adapters/embedded/guardrail/evaluator.py",
        ),
        shown=(
            part(
                Kind.BENCHMARK,
                "span F1 and F2 per type on labelled corpora",
                missing="a figure, which needs a labelled corpus: `caisson bench detect --kind pii --corpus FILE`",
            ),
            probe(
                (
                    "declared kinds are blocked or replaced in every place, split over stream chunks "
                    "too, and restored for the user alone"
                ),
                "data.personal",
            ),
            probe(
                "a declared value is found also where it is encoded or cut over fields",
                "data.disguised",
            ),
        ),
    ),
    Control(
        id="DAT-04",
        title="Retrieval obeys the user's rights",
        tier=2,
        zones=(2, 4),
        seed=("S55", "S56", "S57", "S58"),
        need="Filter before similarity, check after, unlabelled is restricted.",
        embedded="positive pre-filter from the verified identity, post-check, per-label indexes.",
        aws=(
            "knowledge-base metadata pre-filter built by the gateway; one index or knowledge base per "
            "classification; never implicit filters or notEquals."
        ),
        shown=(
            part(
                Kind.PROPERTY,
                "nothing unreadable is returned; rank equals search over the readable subset",
                missing="not built in this version: retrieval",
            ),
        ),
    ),
    Control(
        id="DAT-05",
        title="Encryption at rest and in transit",
        tier=1,
        zones=(1, 2, 3, 4, 5, 6),
        seed=("S59", "S60", "S61", "S62", "S74"),
        need="AES-256, own key per zone, logs under another key, TLS 1.2 or later everywhere.",
        embedded="AES-256-GCM for stores with per-zone keys; TLS from a local authority.",
        aws="one CMK per zone with owner apart from user; SecureTransport and TLS version denies.",
        code=(
            "adapters/embedded/keys.py",
            "adapters/embedded/archive/cipher.py",
            "adapters/embedded/channel/segment.py",
            "adapters/embedded/authority.py",
        ),
        shown=(
            probe(
                "no plaintext of a canary is on disk",
                "data.at_rest",
            ),
            probe(
                "TLS 1.1 and older, and plain HTTP, are refused",
                "data.tls",
            ),
            proof("key policies keep owner and user apart"),
        ),
    ),
    Control(
        id="DAT-06",
        title="Responses do not leak",
        tier=2,
        zones=(2,),
        need="System prompt fragments, other users' data and memorised PII are caught on the way out.",
        embedded="output inspection with prompt fingerprints and class comparison.",
        aws="same code plus guardrail.",
        code=(
            "detect/leakage.py",
            "detect/gate.py",
            "adapters/embedded/guardrail/output.py",
            "zones/z2_runtime/steps/s09_inspect_output.py",
        ),
        shown=(
            probe(
                "a model that repeats its prompt or what another user said is stopped, streamed and not",
                "guardrails.leaks",
            ),
        ),
    ),
    Control(
        id="DAT-07",
        title="Conversation history expires",
        tier=1,
        zones=(2,),
        need="Limits by tier, purge, user deletion, summarised from tier 3.",
        embedded="history store with expiry and per-user keys that can be destroyed.",
        aws="DynamoDB TTL and per-user data keys.",
        shown=(
            probe(
                "purged history is unreadable on disk; a deletion leaves no plaintext",
                missing="not built in this version: a history store; clients keep their own history",
            ),
        ),
    ),
    Control(
        id="DAT-08",
        title="Evaluation data protected",
        tier=2,
        zones=(3,),
        need="The judge sees tokens, not people; nothing kept after the verdict.",
        embedded="pseudonymised and sealed before it leaves the runtime; judge keeps no input.",
        aws="same, queue under the judge's CMK.",
        shown=(
            probe(
                (
                    "canary personal data never appears in the evaluation zone, recall stated; a "
                    "finding contains only its own session"
                ),
                missing="not built in this version: the evaluation zone",
            ),
        ),
    ),
)
