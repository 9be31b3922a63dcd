"""Who publishes configuration and orders, and who reads them (IAM-03, IR-02, rows S05, S69, S70).

What lies in the repository is signed, and zones verify it: these policies keep it there, whole, and from strangers.
"""

from __future__ import annotations

from collections.abc import Sequence

from caisson.deploy.policies import zone
from caisson.deploy.policies.statement import Condition, Statement

CONTROL = "control"
"""Duty of the role that the control zone runs as."""
PUBLISH = ("s3:DeleteObject", "s3:PutObject")
"""`adapters/aws/configuration/upload.py`: put what is new, take what was swept. Earlier versions stay."""
READ = ("s3:GetObject",)
LIST = ("s3:ListBucket",)
"""Without it S3 answers 403 for an object that is missing (S3 API reference, GetObject)."""
OTHER_VERSIONS = ("s3:GetObjectVersion", "s3:ListBucketVersions")
PUBLISHER_KEY = ("kms:Decrypt", "kms:GenerateDataKey")


def bucket_statements(
    bucket: str, *, publisher: str, reader: str, readers: str, organization: str, partition: str
) -> tuple[Statement, ...]:
    """The bucket's policy.

    Args:
        bucket: its name.
        publisher: ARN of the role that publishes, in the bucket's account.
        reader: ARN of the role that reads, in the account `readers`.
        readers: number of an account.
        organization: that the reader must be of.
        partition: of AWS.
    """
    here = f"arn:{partition}:s3:::{bucket}"
    return (
        *zone.evidence_bucket(bucket, partition),  # what was in force stays, as a version: it is evidence, too
        Statement(
            sid="OnePublisher",
            effect="Deny",
            principals="*",  # a Deny for everybody but the control zone
            actions=PUBLISH,
            resources=(f"{here}/*",),
            conditions={"ArnNotLike": {"aws:PrincipalArn": (publisher,)}},
        ),
        Statement(
            sid="PublisherAndReader",
            effect="Deny",
            principals="*",  # a Deny for everybody but the two
            actions=(*READ, *LIST, *OTHER_VERSIONS),
            resources=(here, f"{here}/*"),
            conditions={"ArnNotLike": {"aws:PrincipalArn": (publisher, reader)}},
        ),
        Statement(
            sid="RuntimeReads",
            effect="Allow",
            principals={"AWS": (zone.account_root(readers, partition),)},
            actions=READ,
            resources=(f"{here}/*",),
            conditions=_only(reader, organization),
        ),
        Statement(
            sid="RuntimeLists",
            effect="Allow",
            principals={"AWS": (zone.account_root(readers, partition),)},
            actions=LIST,
            resources=(here,),
            conditions=_only(reader, organization),
        ),
    )


def key_statements(
    *, account: str, deployment: str, publisher: str, reader: str, readers: str, region: str, partition: str
) -> tuple[Statement, ...]:
    """The key's policy: used through S3 by the two, managed by the deployment."""
    s3 = f"s3.{region}.amazonaws.com"
    return (
        zone.administration(account, [deployment], partition),
        zone.used_through(
            "Publishing", PUBLISHER_KEY, accounts=[account], roles=[publisher], service=s3, partition=partition
        ),
        zone.used_through(
            "Reading", ("kms:Decrypt",), accounts=[readers], roles=[reader], service=s3, partition=partition
        ),
    )


def publishing(bucket: str, key: str, *, region: str, partition: str) -> tuple[Statement, ...]:
    """What the control zone does."""
    here = f"arn:{partition}:s3:::{bucket}"
    return (
        Statement(sid="Publish", effect="Allow", actions=(*PUBLISH, *READ), resources=(f"{here}/*",)),
        Statement(sid="ListPublished", effect="Allow", actions=LIST, resources=(here,)),
        Statement(
            sid="KeyOfTheRepository",
            effect="Allow",
            actions=PUBLISHER_KEY,
            resources=(key,),
            conditions={"StringEquals": {"kms:ViaService": (f"s3.{region}.amazonaws.com",)}},
        ),
    )


def reading(bucket: str, *, endpoint: str, keys: str, alias: str, region: str, partition: str) -> tuple[Statement, ...]:
    """What the gateway does, through its zone's endpoint.

    `keys`, `alias`: of the repository's key, whose id is AWS's.
    """
    here = f"arn:{partition}:s3:::{bucket}"
    through: Condition = {"StringEquals": {"aws:SourceVpce": (endpoint,)}}
    return (
        Statement(sid="ReadConfiguration", effect="Allow", actions=READ, resources=(f"{here}/*",), conditions=through),
        Statement(sid="ListConfiguration", effect="Allow", actions=LIST, resources=(here,), conditions=through),
        Statement(
            sid="KeyOfConfiguration",
            effect="Allow",
            actions=("kms:Decrypt",),
            resources=(keys,),
            conditions={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": (alias,)},
                "StringEquals": {"kms:ViaService": (f"s3.{region}.amazonaws.com",)},
            },
        ),
    )


def boundary() -> tuple[Statement, ...]:
    """The most that any role of the control zone may do; it grants nothing by itself."""
    return (
        Statement(
            sid="AtMost",
            effect="Allow",
            actions=(*PUBLISH, *READ, *LIST, *PUBLISHER_KEY),
            resources=("*",),  # of a boundary: which resources is for each role's own policy to say
        ),
    )


def endpoint_statements(*, caller: str, organization: str, bucket: str, partition: str) -> Sequence[Statement]:
    """Of the runtime's endpoint for s3: one role reads the repository."""
    here = f"arn:{partition}:s3:::{bucket}"
    return [
        Statement(
            sid=sid,
            effect="Allow",
            principals="*",  # narrowed by the condition, as AWS documents for endpoints
            actions=actions,
            resources=(on,),
            conditions=_only(caller, organization),
        )
        for sid, actions, on in (
            ("ZoneReadsConfiguration", READ, f"{here}/*"),
            ("ZoneListsConfiguration", LIST, here),
        )
    ]


def _only(role: str, organization: str) -> Condition:
    return {
        "ArnLike": {"aws:PrincipalArn": (role,)},
        "StringEquals": {"aws:PrincipalOrgID": (organization,)},
    }
