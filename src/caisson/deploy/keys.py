"""Keys: rotated, named by an alias, kept when their stack goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from caisson.deploy.landscape import Landscape
from caisson.deploy.policies.statement import Statement, document
from caisson.deploy.stacks import Built

PENDING_DAYS = 30
"""Longest time in which a key's deletion can be taken back (KMS API reference, ScheduleKeyDeletion)."""


def make_key(built: Built, land: Landscape, what: str, statements: Sequence[Statement], *, description: str) -> Any:
    """A key with its alias `caisson-<system>-<what>`."""
    id_ = f"{what.capitalize()}Key"
    key = kms.CfnKey(
        built.stack,
        id_,
        description=description,
        enable_key_rotation=True,
        pending_window_in_days=PENDING_DAYS,
        key_policy=document(statements),
    )
    key.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # what it encrypted could not be read any more
    kms.CfnAlias(built.stack, f"{id_}Alias", alias_name=key_alias(land, what), target_key_id=key.ref)
    return key


def key_alias(land: Landscape, what: str) -> str:
    """Alias of a key."""
    return f"alias/{land.names.of(what)}"
