"""docs/advice-taken-literally.md: what common advice about guardrails lets through, as `prove` finds it.

Run: python -m bench.advice
"""

# ruff: noqa: E501  (prose of a page)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from caisson.assurance.proofs.claims import Claim, Spared
from caisson.assurance.proofs.estate import Estate, policies_of
from caisson.assurance.proofs.families.guardrails import AROUND, INVOKE
from caisson.assurance.proofs.search import Proof, prove
from caisson.assurance.proofs.universe import Universe, regions_of

PAGE = Path(__file__).parents[1] / "docs/advice-taken-literally.md"
ACCOUNT, MANAGEMENT = "222222222222", "111111111111"
PIN = f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:guardrail/main:1"
FOUNDATION_MODELS = "arn:aws:bedrock:*::foundation-model/*"
UNPINNED = {"StringNotEquals": {"bedrock:GuardrailIdentifier": PIN}}

Json = dict[str, Any]


def deny(*actions: str, resource: str = "*", condition: Json | None = None) -> Json:
    """A statement."""
    found: Json = {"Sid": "Advice", "Effect": "Deny", "Action": list(actions), "Resource": resource}
    return {**found, "Condition": condition} if condition else found


PINNED = Claim(
    id="pinned", controls=("NET-02",), says="Nobody invokes a model without the pinned guardrail in its version.",
    accounts=(ACCOUNT,), actions=INVOKE,
    but=(Spared(conditions={"StringEquals": {"bedrock:GuardrailIdentifier": PIN}}),),
)  # fmt: skip
NO_WAY_AROUND = Claim(
    id="no way around", controls=("NET-02",), says="Nobody makes a model answer on a path that takes no guardrail.",
    accounts=(ACCOUNT,), actions=AROUND,
)  # fmt: skip
ADVICE: tuple[tuple[str, str, list[Json], Claim], ...] = (
    (
        "Deny `bedrock:InvokeModel` without the guardrail",
        "Streaming has an action of its own. Converse is authorised as the one or the other.",
        [deny("bedrock:InvokeModel", condition=UNPINNED)],
        PINNED,
    ),
    (
        "Require that some guardrail is named (`Null`)",
        "Any guardrail will do, one without filters or another account's too. A bare ARN is the draft, which changes.",
        [deny(*INVOKE, condition={"Null": {"bedrock:GuardrailIdentifier": "true"}})],
        PINNED,
    ),
    (
        "Pin the guardrail whatever its version (`ArnNotLike …:*`)",
        "Every version that was ever made passes, the first and loosest one too.",
        [deny(*INVOKE, condition={"ArnNotLike": {"bedrock:GuardrailIdentifier": PIN.rpartition(":")[0] + ":*"}})],
        PINNED,
    ),
    (
        "Pin it where it is named (`StringNotEqualsIfExists` beside `Null: false`)",
        "A request that names no guardrail is not covered at all.",
        [deny(*INVOKE, condition={**UNPINNED, "Null": {"bedrock:GuardrailIdentifier": "false"}})],
        PINNED,
    ),
    (
        "Deny it on `foundation-model/*`, as AWS's example does",
        "InvokeModel is authorised on provisioned, imported and deployed models, projects and endpoints as well.",
        [deny(*INVOKE, resource=FOUNDATION_MODELS, condition=UNPINNED)],
        PINNED,
    ),
    (
        "Pin every invocation, and stop there",
        "Batch, agents, flows, retrieval with generation and the second namespace know no such key.",
        [deny(*INVOKE, condition=UNPINNED)],
        NO_WAY_AROUND,
    ),
    (
        "Pin every invocation, and deny the paths that take no guardrail",
        "What Caisson deploys, as far as the guardrail goes.",
        [deny(*INVOKE, condition=UNPINNED), deny(*AROUND)],
        PINNED,
    ),
    (
        "The same",
        "And nothing else makes a model answer.",
        [deny(*INVOKE, condition=UNPINNED), deny(*AROUND)],
        NO_WAY_AROUND,
    ),
)


def organization(statements: list[Json]) -> Estate:
    """One account under one service control policy."""
    universe = Universe(
        partition="aws", region="eu-west-1", accounts=(MANAGEMENT, ACCOUNT), regions=regions_of("aws")
    )  # fmt: skip
    properties = {
        "Name": "advice", "Type": "SERVICE_CONTROL_POLICY", "TargetIds": [ACCOUNT],
        "Content": {"Version": "2012-10-17", "Statement": statements},
    }  # fmt: skip
    template = {"Resources": {"Advice": {"Type": "AWS::Organizations::Policy", "Properties": properties}}}
    attached = tuple(policies_of({"advice.json": template}, universe, (ACCOUNT,)))
    return Estate(
        organization="o-exampleorg", management=MANAGEMENT, universe=universe, levels={ACCOUNT: (ACCOUNT,)},
        attached=attached, values={},
    )  # fmt: skip


def proved() -> list[tuple[str, str, list[Json], Proof]]:
    """Each advice with its verdict."""
    return [
        (title, why, statements, prove(claim, organization(statements))) for title, why, statements, claim in ADVICE
    ]


def page() -> str:
    """The page."""
    lines = [
        "# The usual advice, taken literally",
        "",
        "Written by `python -m bench.advice`; a test holds the page to what the proofs say. Each advice is the only service",
        "control policy of an account whose principals have `AdministratorAccess`. Where it does not hold, `caisson prove` prints a",
        "request that AWS's rules allow all the same. Nothing here was run against live AWS.",
        "",
    ]
    for title, why, statements, proof in proved():
        lines += [f"## {title}", proof.claim.says, "", "```json"]
        lines += [json.dumps(one, ensure_ascii=False) for one in statements if len(one["Action"]) < 5]
        lines += [f"… and Deny on {len(one['Action'])} more actions" for one in statements if len(one["Action"]) >= 5]
        lines += ["```", f"**{proof.verdict.value}**. {why}", ""]
        if proof.counterexample is not None:
            request = proof.counterexample.request
            said = request.context.get("bedrock:GuardrailIdentifier")
            guardrail = f"`{', '.join(said.all)}`" if said else "none"
            lines += [
                "| | allowed all the same |",
                "|---|---|",
                f"| action | `{request.action}` |",
                f"| resource | `{request.resource}` |",
                f"| guardrail | {guardrail} |",
                "",
            ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
