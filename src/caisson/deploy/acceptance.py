"""What `synth` cannot deploy although the file is sound, found before anything is made, with its key. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from caisson.deploy.destinations import unreachable
from caisson.deploy.landscape import PARTITIONS, partition_of
from caisson.deploy.policies.guardrail import OWN_PATTERNS_MAX, TOPIC_CHARACTERS_MAX
from caisson.deploy.policies.models import refusal
from caisson.system.carriers import Path
from caisson.system.document import shown
from caisson.system.guardrails import PATTERNS_MAX
from caisson.system.schema import System


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A reason why the file is not deployed."""

    path: Path
    message: str
    """`expected …, found …`."""


def refusals(system: System) -> Iterator[Refused]:
    """Every reason; none when the file can be deployed."""
    if system.aws is None:
        yield Refused(path=(), message="expected the section aws with region, organization and accounts, found none")
        return
    region = system.aws.region
    if not partition_of(region):
        yield Refused(
            path=("aws", "region"),
            message=f"expected a region with Bedrock in partition {' or '.join(PARTITIONS)}, found {shown(region)}",
        )
    yield from _guardrails(system)
    yield from (Refused(path=path, message=message) for path, message in unreachable(system))
    for alias in _used(system):
        found = system.models[alias].id
        if wanted := refusal(found, region):
            yield Refused(path=("models", alias, "id"), message=f"expected {wanted}, found {shown(found)}")


def _guardrails(system: System) -> Iterator[Refused]:
    """What the gateway can evaluate and a guardrail on AWS cannot hold."""
    for name, guardrail in system.guardrails.items():
        if len(guardrail.patterns) > OWN_PATTERNS_MAX:
            yield Refused(
                path=("guardrails", name, "patterns"),
                message=f"expected at most {OWN_PATTERNS_MAX} patterns: AWS takes {PATTERNS_MAX} with those for "
                f"credentials, found {len(guardrail.patterns)}",
            )
        for index, topic in enumerate(guardrail.topics):
            if len(topic.definition) > TOPIC_CHARACTERS_MAX:
                yield Refused(
                    path=("guardrails", name, "topics", index, "definition"),
                    message=f"expected at most {TOPIC_CHARACTERS_MAX} characters: the tier that stays in the region "
                    f"takes no more, found {len(topic.definition)}",
                )


def weakened(system: System) -> Iterator[str]:
    """What fewer accounts cost, a sentence each (NET-01). Nothing from tier 3, where each zone has its own."""
    if system.aws is None:
        return
    accounts = dict(system.aws.accounts)
    for zone, account in accounts.items():
        if zone != "management" and account == accounts["management"]:
            yield (
                f"zone {zone} is in the management account, which no control policy binds: "
                "rows S08, S10, S13, S14, S15, S41, S43, S44, S74 and S76 do not hold there"
            )
    shared: dict[str, list[str]] = {}
    for zone, account in accounts.items():
        if account != accounts["management"]:
            shared.setdefault(account, []).append(zone)
    for zones in shared.values():
        if len(zones) > 1:
            yield (
                f"zones {', '.join(zones)} share an account: row S12 weakens, and what one of them may invoke or "
                "change, policies let the others invoke or change too (S10, S13, S15, S43)"
            )


def _used(system: System) -> tuple[str, ...]:
    """Names of the models that something invokes."""
    named = [agent.model for agent in system.agents.values()]
    if system.judge is not None:
        named.append(system.judge.model)
    return tuple(dict.fromkeys(named))
