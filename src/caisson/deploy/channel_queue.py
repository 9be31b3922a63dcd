"""A channel on AWS that SQS carries: a queue of the reading zone's account, and one for what cannot be read (NET-01).

The channel table says who writes and who reads. Both sides know a queue by its name before anything is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

from caisson.channels.table import CHANNELS, Zone
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import ledger, management, zone
from caisson.deploy.policies.statement import Statement, document
from caisson.deploy.stacks import Built
from caisson.deploy.zone_network import CALLERS

EVENTS, EVALUATIONS = "events", "evaluations"
READERS = {EVENTS: management.LOGGING, EVALUATIONS: CALLERS["evaluation"]}
"""Channel to the duty of the role that reads it."""
WRITERS = {EVENTS: ("*", None), EVALUATIONS: (ledger.GATEWAY, "runtime")}
"""Channel to the duty of the roles that write it, and their zone; None: every zone that the table lets write."""
ASIDE = "aside"
KEPT_S = 1_209_600
"""Longest time that SQS keeps a message: fourteen days for a reader that is down (SQS API reference)."""
VISIBILITY_S = 300
"""Time in which the reader keeps what it took, before the queue gives it out again."""
RECEIVES_MAX = 10
"""Tries before a message is set aside. Set aside is not lost: an alarm says so."""
SENDER_USES = ("kms:Decrypt", "kms:GenerateDataKey")
"""SQS asks both of a sender; the queue's policy lets none receive (SQS developer guide, sqs-key-management)."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Who is at the ends of a channel."""

    owner: str
    """Account of the reader, and of the queue."""
    reader: str
    """ARN of its role."""
    writers: tuple[str, ...]
    """Accounts that write."""
    roles: tuple[str, ...]
    """ARNs of their roles, patterns among them."""


def ends(land: Landscape, channel: str) -> Ends:
    """The ends of a channel, by the channel table. Ingress runs in the runtime account."""
    table = CHANNELS[channel]
    zones = ["runtime" if found is Zone.INGRESS else found.label for found in table.writers]
    owner = land.accounts[table.reader.label]
    duty, zone_ = WRITERS[channel]
    return Ends(
        owner=owner,
        reader=land.role(READERS[channel], owner),
        writers=tuple(dict.fromkeys(land.accounts[label] for label in zones)),
        roles=(land.role(duty, land.accounts[zone_] if zone_ else "*"),),
    )


def queue_name(land: Landscape, what: str) -> str:
    """The name of a queue."""
    return land.names.of(what, longest=80)


def queue_arn(land: Landscape, channel: str) -> str:
    """The queue of a channel."""
    return f"arn:{land.partition}:sqs:{land.region}:{ends(land, channel).owner}:{queue_name(land, channel)}"


def key_uses(land: Landscape, channel: str) -> Statement:
    """What the key of a channel's queue lets writers do."""
    found = ends(land, channel)
    return zone.used_through(
        "ZonesSend",
        SENDER_USES,
        accounts=found.writers,
        roles=found.roles,
        service=f"sqs.{land.region}.amazonaws.com",
        partition=land.partition,
    )


def channel_queue(built: Built, land: Landscape, channel: str, key: Any, rows: Sequence[str]) -> tuple[str, str]:
    """The queue, the queue for what cannot be read, and their policies. Returns their names."""
    at, id_ = ends(land, channel), channel.capitalize()
    names = (queue_name(land, channel), queue_name(land, f"{channel}-{ASIDE}"))
    aside = sqs.CfnQueue(
        built.stack, f"{id_}Aside", queue_name=names[1], kms_master_key_id=key.ref, message_retention_period=KEPT_S
    )
    queue = sqs.CfnQueue(
        built.stack,
        id_,
        queue_name=names[0],
        kms_master_key_id=key.ref,
        message_retention_period=KEPT_S,
        visibility_timeout=VISIBILITY_S,
        redrive_policy={"deadLetterTargetArn": aside.attr_arn, "maxReceiveCount": RECEIVES_MAX},
    )
    for made in (queue, aside):
        made.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # what is under way is evidence
    for made, name, sending, roles in (
        (queue, names[0], at.writers, at.roles),
        (aside, names[1], (at.owner,), (land.role("*"),)),
    ):
        policy = sqs.CfnQueuePolicy(
            built.stack,
            f"{made.node.id}Policy",
            queues=[made.ref],
            policy_document=document(
                zone.queue_statements(
                    f"arn:{land.partition}:sqs:{land.region}:{at.owner}:{name}",
                    writers=sending,
                    roles=roles,
                    reader=at.reader,
                    partition=land.partition,
                )
            ),
        )
        for resource in (made, policy):
            built.carries(resource, rows)
    return names
