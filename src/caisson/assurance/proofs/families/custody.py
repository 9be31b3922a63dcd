"""Who reads and writes what the logging zone keeps (NET-01, LOG-07): by the policies of queue, buckets and keys."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared, Still
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import management
from caisson.deploy.retention import stores

READS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ChangeMessageVisibility")
WRITES = ("s3:PutObject", "s3:DeleteObject")
QUEUES = ("events", "events-aside")
READER = "reader"
"""Permission set of people who read the log."""
TRAIL = "trail"
"""CloudTrail writes its bucket, the logging zone the others."""


def claims(land: Landscape) -> Iterator[Claim]:
    """About the logging account's resources, for principals of every member account."""
    owner = land.accounts["logging"]
    members = tuple(place.account for place in land.places)
    if owner not in members:
        return  # in the management account, which no service control policy binds
    role = f"arn:{land.partition}:iam::{owner}:role{land.names.path}{land.names.role(management.LOGGING)}"
    logging = Spared(conditions={"ArnLike": {"aws:PrincipalArn": role}})
    system = Spared(conditions={"ArnLike": {"aws:PrincipalArn": f"arn:{land.partition}:iam::*:role{land.names.path}*"}})
    said = {"aws:RequestedRegion": land.region, "aws:SecureTransport": "true"}
    for queue in QUEUES:
        arn = f"arn:{land.partition}:sqs:{land.region}:{owner}:{land.names.of(queue)}"
        yield Claim(
            id=f"custody.read.{queue}",
            controls=("NET-01", "LOG-07"),
            says=f"Nobody but the logging zone reads or empties the queue {queue}.",
            accounts=members,
            owner=owner,
            actions=READS,
            on=(arn,),
            but=(logging,),
            still=(Still(principal=role, action=READS[0], resource=arn, context=said),),
        )
        yield Claim(
            id=f"custody.write.{queue}",
            controls=("NET-01",),
            says=f"From other accounts nothing but the system's roles writes to the queue {queue}.",
            accounts=tuple(member for member in members if member != owner),
            owner=owner,
            actions=("sqs:SendMessage",),
            on=(arn,),
            but=(system,),
        )
    for what in stores():
        if what == TRAIL:
            continue
        bucket = f"arn:{land.partition}:s3:::{land.names.bucket(what, owner)}/*"
        yield Claim(
            id=f"custody.write.{what}",
            controls=("LOG-07",),
            says=f"Nobody but the logging zone writes or removes anything in {what}.",
            accounts=members,
            owner=owner,
            actions=WRITES,
            on=(bucket,),
            but=(logging,),
            still=(Still(principal=role, action=WRITES[0], resource=bucket.replace("*", "1"), context=said),),
        )
    people = management.permission_set_role(land.names, land.partition, READER)
    yield Claim(
        id="custody.key.archive",
        controls=("LOG-07", "DAT-02"),
        says="Nobody but the logging zone and readers of the log decrypts the archive, its key's managers least.",
        accounts=members,
        owner=owner,
        actions=("kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"),
        on=(f"arn:{land.partition}:kms:{land.region}:{owner}:key/archivekey",),
        but=(logging, Spared(conditions={"ArnLike": {"aws:PrincipalArn": people}})),
        still=(
            Still(
                principal=role,
                action="kms:Decrypt",
                resource=f"arn:{land.partition}:kms:{land.region}:{owner}:key/archivekey",
                context={**said, "kms:ViaService": f"s3.{land.region}.amazonaws.com"},
            ),
        ),
    )
