"""IR: incidents."""

from __future__ import annotations

from caisson.assurance.controls.control import Control, Kind, part, probe

CONTROLS = (
    Control(
        id="IR-01",
        title="AI incident categories and severities",
        tier=1,
        zones=(5,),
        need="Ten categories and four severities.",
        embedded="incident model.",
        aws="same plus Security Hub findings.",
        shown=(
            part(
                Kind.CHECK,
                "each trigger maps to category and severity",
                missing="not built in this version: incidents",
            ),
        ),
    ),
    Control(
        id="IR-02",
        title="Detection triggers",
        tier=1,
        zones=(6, 5),
        need="Listed triggers open incidents.",
        embedded="trigger rules over events.",
        aws="EventBridge rules.",
        shown=(
            probe(
                "each of the nine triggers opens one incident",
                missing="not built in this version: incidents",
            ),
        ),
    ),
    Control(
        id="IR-03",
        title="Containment",
        tier=1,
        zones=(5,),
        need="By severity, fail safe, keep evidence, contain the session first.",
        embedded=(
            "session kill, tool cut, strictness up, synchronous judge, static fallback, whole stop, "
            "each one command and one click."
        ),
        aws="same through bundle and SCP switch.",
        code=(
            "zones/z5_control/orders.py",
            "policy/sessions.py",
        ),
        shown=(
            probe(
                ("a session is ended and the whole system is stopped within seconds, and what was recorded stays"),
                "sessions.revoked",
                "incident.stop",
            ),
            probe(
                "tool cut, strictness up, synchronous judge, static fallback",
                missing="not built in this version: `caisson contain`",
            ),
        ),
    ),
    Control(
        id="IR-04",
        title="Rollback and emergency update",
        tier=2,
        zones=(5,),
        seed=("S69", "S70", "S71", "S72"),
        need="Model, guardrail, judge, knowledge, tools, in minutes without redeploy.",
        embedded="bundle and index versions; one command; hot reload.",
        aws=(
            "pointer switch with guardrail version, enforced configuration and SCP together; pipeline "
            "with manual approval."
        ),
        code=(
            "zones/z5_control/control.py",
            "adapters/embedded/configuration/publisher.py",
        ),
        shown=(
            probe(
                "a rollback under load loses no request and takes effect within seconds",
                "incident.rollback",
            ),
            part(
                Kind.CHECK,
                "judge, knowledge and tools are rolled back as well",
                missing="not built in this version: these parts",
            ),
        ),
    ),
    Control(
        id="IR-05",
        title="Investigation",
        tier=2,
        zones=(6,),
        need="Reconstruct and replay despite non-determinism.",
        embedded="incident bundle with chain, decisions, versions; replay against any bundle version.",
        aws="Athena queries over the lake.",
        shown=(
            part(
                Kind.CHECK,
                "a replay from the forensic copy reproduces the decisions",
                missing="not built in this version: forensic copies and replay",
            ),
        ),
    ),
    Control(
        id="IR-06",
        title="Communication",
        tier=2,
        zones=(5,),
        need="Who is told what, when.",
        embedded="contact map in the system file, generated notices, deadlines.",
        aws="SNS.",
        shown=(
            part(
                Kind.MANUAL,
                "a person checks who is told what, when",
            ),
        ),
    ),
    Control(
        id="IR-07",
        title="Post-incident review",
        tier=1,
        zones=(5,),
        need="Gap analysis that feeds rules and baselines.",
        embedded="review record; new attack joins the corpus.",
        aws="same.",
        shown=(
            part(
                Kind.CHECK,
                "an incident cannot close without a review",
                missing="not built in this version: incidents",
            ),
        ),
    ),
    Control(
        id="IR-08",
        title="Enterprise integration",
        tier=1,
        zones=(6,),
        need="Taxonomy and ticket systems.",
        embedded="OCSF findings and webhooks.",
        aws="Security Hub, EventBridge.",
        shown=(
            part(
                Kind.CHECK,
                "events arrive in a real receiver",
                missing="not built in this version: streaming",
            ),
        ),
    ),
)
