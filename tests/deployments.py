"""System files that are deployed in tests: from one account with everything to one for each zone."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from caisson.deploy.landscape import Landscape, landscape
from caisson.deploy.policies.catalogue import OrganizationPolicy, catalogue
from caisson.deploy.synthesis import Deployment, synthesize
from caisson.system.loader import Reading, read
from system_files import minimal, reading

EXAMPLE = Path(__file__).parents[1] / "examples/aws/caisson.yaml"
ZONES = ("management", "control", "runtime", "evaluation", "ingestion", "logging", "network")
GROUP_ID = "90671234ab-12345678-1234-1234-1234-123456789012"
LONG = "a-system-of-a-very-long-name-xx"
"""As long as a name can be."""


NAMED_SIEM = "777777777777"
"""In the example."""


def aws(**accounts: str) -> dict[str, Any]:
    """The section aws, an account per zone unless said otherwise."""
    own = {zone: str(number) * 12 for number, zone in enumerate(ZONES, start=1)}
    return {"region": "eu-west-1", "organization": "o-exampleorg", "accounts": {**own, **accounts}}


def one_account() -> Reading:
    """Tier 1, everything in one member account."""
    member = "222222222222"
    return reading(minimal(tier=1, aws=aws(**dict.fromkeys(ZONES[1:], member))))


def management_only() -> Reading:
    """Tier 1, everything in the management account."""
    return reading(minimal(tier=1, aws=aws(**dict.fromkeys(ZONES, "111111111111"))))


def three_accounts() -> Reading:
    """Tier 2: control, logging, and one account for all that runs, with judge and a trial guardrail."""
    running = dict.fromkeys(("runtime", "evaluation", "ingestion", "network"), "333333333333")
    return reading(
        minimal(
            tier=2,
            aws=aws(**running),
            models__judge={"id": "amazon.nova-pro-v1:0"},
            guardrails__trial={"mode": "detect", "because": "a trial", "until": "2099-12-31", "credentials": "redact"},
            judge={"model": "judge", "guardrail": "trial", "criteria": ["safety"]},
        )
    )


def every_key() -> Reading:
    """Tier 4, an account and a unit per zone, the longest name, profiles of two kinds, people in another region."""
    section = aws()
    section["region"] = "ap-northeast-1"
    section["siem"] = section["accounts"]["runtime"]
    section["units"] = {zone: f"ou-exam-{zone:0<10}"[:20] for zone in ZONES[1:]}
    section["identity_center"] = {
        "instance": "ssoins-1234567890abcdef",
        "region": "us-east-1",
        "groups": {"users": GROUP_ID, "Operators of AWS": GROUP_ID.replace("90671234ab", "90671234ac")},
    }
    return reading(
        minimal(
            name=LONG,
            tier=4,
            aws=section,
            identity={
                "issuer": {"url": "https://idp.example.com", "audience": "x"},
                "groups": {"users": {"may": ["approve"]}, "Operators of AWS": {"may": ["configure"]}},
            },
            models={
                "assistant": {"id": "jp.anthropic.claude-sonnet-4-5-20250929-v1:0"},
                "small": {"id": "apac.amazon.nova-lite-v1:0"},
                "plain": {"id": "amazon.nova-micro-v1:0"},
            },
            guardrails={"main": {}, "second_one": {}, "second-one": {}},
            agents={
                name: {"model": model, "guardrail": guardrail, "tasks": {"answer": {}}}
                for name, model, guardrail in (
                    ("a", "assistant", "main"),
                    ("b", "small", "second_one"),
                    ("c", "plain", "second-one"),
                )
            },
            judge={"model": "plain", "guardrail": "main", "criteria": ["safety", "policy"]},
            sessions={"duration": "15m"},
        )
    )


@cache
def readings() -> dict[str, Reading]:
    """Every deployment by name."""
    return {
        "example": read(EXAMPLE),
        "one-account": one_account(),
        "three-accounts": three_accounts(),
        "every-key": every_key(),
        "management-only": management_only(),
    }


@cache
def deployed(name: str) -> Deployment:
    """The synthesis of a deployment, once for all tests of a process."""
    return synthesize(readings()[name])


def template(name: str, part: str) -> dict[str, Any]:
    """The template of a part."""
    (path,) = [stack["template"] for stack in deployed(name).manifest["stacks"] if stack["part"] == part]
    return dict(json.loads(deployed(name).files[path]))


def land_of(found: Reading) -> Landscape:
    """The landscape of a system file."""
    return landscape(found.require())


def policies_of(found: Reading) -> tuple[OrganizationPolicy, ...]:
    """The organization's policies of a system file."""
    return catalogue(land_of(found))


def with_models(count: int) -> Reading:
    """The smallest file for AWS with many models, all of them used."""
    data = copy.deepcopy(minimal(aws=aws()))
    data["models"] = {
        f"m{number}": {"id": f"provider.model-with-a-long-name-{number:04}-v1:0"} for number in range(count)
    }
    data["agents"] = {
        f"a{number}": {"model": f"m{number}", "guardrail": "main", "tasks": {"answer": {}}} for number in range(count)
    }
    return reading(data)
