"""Endpoints of the runtime beside that for models: of the services that its code calls, and of no others (row S39).

    dynamodb   the ledger's table (adapters/aws/ledger)
    sts        the role of a session, assumed once a session (adapters/aws/api/identity.py)
    sqs        the channels `events` and `evaluations`, whose queues are in the accounts of who reads them
    s3         the repository of configuration and orders, in the control account (adapters/aws/configuration)

None for what nothing here calls: kms (DynamoDB and SQS call it for their callers), monitoring (metrics are counted from
the log), secretsmanager (there is no vault on AWS). Those that only start a container (ecr.api, ecr.dkr, logs, and more
of s3) come with the service that runs one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from caisson.deploy.channel_queue import queue_arn
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import ledger, network, repository
from caisson.deploy.runtime_zone.arns import table_arn
from caisson.deploy.runtime_zone.channels import written
from caisson.deploy.stacks import Built
from caisson.deploy.zone_network import Network, gateway_endpoint, interface_endpoint


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Endpoints that policies of roles name."""

    ledger: Any
    configuration: Any
    tokens: Any
    queues: Any


def endpoints(built: Built, land: Landscape, made: Network) -> Endpoints:
    """The endpoints."""
    gateway, session = (land.role(duty, built.account) for duty in (ledger.GATEWAY, ledger.SESSION))
    own = land.organization
    of_ledger = network.ledger_endpoint(
        caller=gateway, organization=own, sessions=session, table=table_arn(built, land)
    )
    of_tokens = network.token_endpoint(caller=gateway, organization=own, sessions=session)
    queues = [queue_arn(land, channel) for channel in written(land)]
    of_queues = network.queue_endpoint(caller=gateway, organization=own, queues=queues)
    of_configuration = repository.endpoint_statements(
        caller=gateway, organization=own, bucket=land.repository_bucket, partition=land.partition
    )
    return Endpoints(
        configuration=gateway_endpoint(built, land, made, "ConfigurationEndpoint", "s3", of_configuration),
        ledger=gateway_endpoint(built, land, made, "LedgerEndpoint", "dynamodb", of_ledger),
        tokens=interface_endpoint(built, land, made, "TokenEndpoint", "sts", of_tokens),
        queues=interface_endpoint(built, land, made, "QueueEndpoint", "sqs", of_queues),
    )
