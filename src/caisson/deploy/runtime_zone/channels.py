"""The channels of the zones that invoke models: what each writes and reads, through its endpoint for sqs (NET-01)."""

from __future__ import annotations

from typing import Any

from caisson.deploy.alarms import Metric, above
from caisson.deploy.channel_queue import EVALUATIONS, EVENTS, channel_queue, ends, queue_arn
from caisson.deploy.keys import key_alias
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import network, workload
from caisson.deploy.policies.statement import Statement
from caisson.deploy.stacks import Built
from caisson.deploy.zone_network import CALLERS, Network, interface_endpoint

KEYS = {EVENTS: "logging", EVALUATIONS: "evaluation"}
"""Channel to the key of its queue."""
ROWS = ("S46", "S47")


def written(land: Landscape) -> tuple[str, ...]:
    """The channels that the runtime writes: what is evaluated, where somebody evaluates."""
    return (EVENTS, *((EVALUATIONS,) if EVALUATIONS in read(land) else ()))


def read(land: Landscape) -> tuple[str, ...]:
    """The channels that the evaluation reads."""
    return (EVALUATIONS,) if "evaluation" in land.invoking else ()


def sending(land: Landscape, channel: str, endpoint: str) -> tuple[Statement, ...]:
    """What a role that writes a channel does."""
    return workload.sending(
        channel=channel,
        queue=queue_arn(land, channel),
        endpoint=endpoint,
        keys=f"arn:{land.partition}:kms:{land.region}:{ends(land, channel).owner}:key/*",
        alias=key_alias(land, KEYS[channel]),
        region=land.region,
    )


def of_evaluation(built: Built, land: Landscape, key: Any, made: Network) -> tuple[Statement, ...]:
    """The queue of what is to be evaluated, its alarm and the endpoint; what the judge does there, and its events."""
    _, aside = channel_queue(built, land, EVALUATIONS, key, ROWS)
    _alarm(built, land, aside)
    queue, events = queue_arn(land, EVALUATIONS), queue_arn(land, EVENTS)
    judge = land.role(CALLERS["evaluation"], built.account)
    ways = network.queue_endpoint(caller=judge, organization=land.organization, queues=[events], reads=[queue])
    endpoint = interface_endpoint(built, land, made, "QueueEndpoint", "sqs", ways)
    built.carries(endpoint, ("S45", "S47"))
    return (
        *workload.receiving(channel=EVALUATIONS, queue=queue, endpoint=endpoint.ref),
        *sending(land, EVENTS, endpoint.ref),
    )


def _alarm(built: Built, land: Landscape, aside: str) -> None:
    """What nobody could evaluate says so."""
    waiting = Metric(
        namespace="AWS/SQS",
        name="ApproximateNumberOfMessagesVisible",
        statistic="Maximum",
        dimensions={"QueueName": aside},
    )
    meaning = "Interactions could not be evaluated and were set aside: read them with the judge's role"
    alarm = above(built, land, "EvaluationsSetAside", waiting, meaning)
    built.carries(alarm, ROWS)
