"""The channel `events` on AWS: a queue that all zones write and the logging zone alone reads (row S06)."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

from caisson.channels.table import CHANNELS, Zone
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import management, zone
from caisson.deploy.policies.statement import document
from caisson.deploy.stacks import Built

EVENTS = "events"
ROWS = ("S06",)
KEPT_S = 1_209_600
"""Longest time that SQS keeps a message: fourteen days for a reader that is down (SQS API reference)."""
VISIBILITY_S = 300
"""Time in which the reader archives what it took, before the queue gives it out again."""
RECEIVES_MAX = 10
"""Tries before a message is set aside. Set aside is not lost: an alarm says so."""


def writers(land: Landscape) -> tuple[str, ...]:
    """Accounts of the zones that the channel table lets write. Ingress runs in the runtime account."""
    zones = ["runtime" if found is Zone.INGRESS else found.label for found in CHANNELS[EVENTS].writers]
    return tuple(dict.fromkeys(land.accounts[label] for label in zones))


def queue_name(land: Landscape, what: str) -> str:
    """The name of a queue."""
    return land.names.of(what, longest=80)


def event_queue(built: Built, land: Landscape, key: Any) -> tuple[str, str]:
    """The queue, the queue for what cannot be read, and their policies. Returns their names."""
    names = (queue_name(land, EVENTS), queue_name(land, f"{EVENTS}-aside"))
    aside = sqs.CfnQueue(
        built.stack, "EventsAside", queue_name=names[1], kms_master_key_id=key.ref, message_retention_period=KEPT_S
    )
    queue = sqs.CfnQueue(
        built.stack,
        "Events",
        queue_name=names[0],
        kms_master_key_id=key.ref,
        message_retention_period=KEPT_S,
        visibility_timeout=VISIBILITY_S,
        redrive_policy={"deadLetterTargetArn": aside.attr_arn, "maxReceiveCount": RECEIVES_MAX},
    )
    for made in (queue, aside):
        made.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # what is under way is evidence
    reader = land.role(management.LOGGING)
    for made, name, sending in ((queue, names[0], writers(land)), (aside, names[1], (land.accounts["logging"],))):
        policy = sqs.CfnQueuePolicy(
            built.stack,
            f"{made.node.id}Policy",
            queues=[made.ref],
            policy_document=document(
                zone.queue_statements(
                    f"arn:{land.partition}:sqs:{land.region}:{land.accounts['logging']}:{name}",
                    writers=sending,
                    roles=[land.role("*")],
                    reader=reader,
                    partition=land.partition,
                )
            ),
        )
        for resource in (made, policy):
            built.carries(resource, ROWS)
    return names
