"""The ledger's table, and the role that reaches one session's items (SESS-01, SESS-03, rows S19, S21).

Keys, indexes and the attribute of the time to live are what `adapters/aws/ledger/table.py` reads and writes.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import ledger, zone
from caisson.deploy.policies.statement import document, trust
from caisson.deploy.runtime_zone.arns import TABLE, table_arn
from caisson.deploy.runtime_zone.endpoints import Endpoints
from caisson.deploy.stacks import Built, suppress

ROLE_S = 3_600
"""Chained roles last an hour at most (IAM user guide, id_roles_terms-and-concepts)."""
INDEXES = {"opened": (("kind", "S"), ("opened", "N")), "due": (("due_shard", "S"), ("due", "N"))}
"""Index to its keys with their types. They hold keys only."""


def ledger_table(built: Built, land: Landscape, key: Any, ways: Endpoints, bound: Any) -> None:
    """Table and role."""
    account, arn = built.account, table_arn(built, land)
    gateway, session = (land.role(duty, account) for duty in (ledger.GATEWAY, ledger.SESSION))
    own = ledger.table_statements(table=arn, gateway=gateway, session=session, endpoint=ways.ledger.ref)
    name = land.names.of(TABLE)
    attributes = {"pk": "S", "sk": "S"} | {attribute: kind for keys in INDEXES.values() for attribute, kind in keys}
    table = dynamodb.CfnTable(
        built.stack,
        "Ledger",
        table_name=name,
        billing_mode="PAY_PER_REQUEST",
        attribute_definitions=[
            dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=attribute, attribute_type=kind)
            for attribute, kind in attributes.items()
        ],
        key_schema=_keys("pk", "sk"),
        global_secondary_indexes=[
            dynamodb.CfnTable.GlobalSecondaryIndexProperty(
                index_name=index,
                key_schema=_keys(*(attribute for attribute, _ in keys)),
                projection=dynamodb.CfnTable.ProjectionProperty(projection_type="KEYS_ONLY"),
            )
            for index, keys in INDEXES.items()
        ],
        time_to_live_specification=dynamodb.CfnTable.TimeToLiveSpecificationProperty(
            attribute_name="ttl", enabled=True
        ),
        point_in_time_recovery_specification=dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
            point_in_time_recovery_enabled=True
        ),
        sse_specification=dynamodb.CfnTable.SSESpecificationProperty(
            sse_enabled=True, sse_type="KMS", kms_master_key_id=key.attr_arn
        ),
        deletion_protection_enabled=True,
        resource_policy=dynamodb.CfnTable.ResourcePolicyProperty(policy_document=document(own)),
    )
    table.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # without it every budget would begin anew
    suppress(
        table,
        {
            "NIST.800.53.R5-DynamoDBInBackupPlan": "Budgets are worth nothing after a month; point in time recovery "
            "keeps them for thirty-five days, and a backup plan would keep them longer than anybody asks",
        },
    )
    takers = ledger.session_trust(
        account_root=zone.account_root(account, land.partition), gateway=gateway, endpoint=ways.tokens.ref
    )
    role = iam.CfnRole(
        built.stack,
        "SessionRole",
        path=land.names.path,
        role_name=land.names.role(ledger.SESSION),
        description="Reaches the items of one session",
        max_session_duration=ROLE_S,
        permissions_boundary=bound.ref,
        assume_role_policy_document=trust(takers),
    )
    iam.CfnManagedPolicy(
        built.stack,
        "SessionPolicy",
        path=land.names.path,
        managed_policy_name=land.names.role(ledger.SESSION),
        description="Items of one session, and the rates",
        roles=[role.ref],
        policy_document=document(
            (ledger.session_items(arn, ways.ledger.ref), ledger.key_of_the_table(key.attr_arn, land.region))
        ),
    )
    built.carries(table, ("S21",))
    built.carries(role, ("S11", "S19", "S20", "S21"))


def _keys(hash_: str, range_: str) -> list[Any]:
    return [
        dynamodb.CfnTable.KeySchemaProperty(attribute_name=hash_, key_type="HASH"),
        dynamodb.CfnTable.KeySchemaProperty(attribute_name=range_, key_type="RANGE"),
    ]
