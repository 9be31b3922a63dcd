"""Who reads and writes what the logging zone keeps (NET-01, LOG-07): by the policies of queue, buckets and keys."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared, Still
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import evidence, management
from caisson.deploy.retention import stores

READS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ChangeMessageVisibility")
WRITES = ("s3:PutObject", "s3:DeleteObject")
QUEUES = ("events", "events-aside")
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
    trail = f"arn:{land.partition}:s3:::{land.names.bucket(TRAIL, owner)}/*"
    yield Claim(
        id=f"custody.write.{TRAIL}",
        controls=("LOG-07",),
        says="No principal of the organization writes or removes anything in the store of the trail.",
        accounts=members,
        owner=owner,
        actions=WRITES,
        on=(trail,),
    )
    source = evidence.trail_arn(land.names, land.partition, account=land.management, region=land.region)
    yield Claim(
        id=f"custody.deliver.{TRAIL}",
        controls=("LOG-07",),
        says="No service of AWS writes there but for the organization's trail.",
        accounts=members,
        owner=owner,
        by="services",
        actions=WRITES,
        on=(trail,),
        but=(Spared(conditions={"StringEquals": {"aws:SourceArn": source}}),),
    )
    for what in stores():
        bucket = f"arn:{land.partition}:s3:::{land.names.bucket(what, owner)}/*"
        yield Claim(
            id=f"custody.read.{what}",
            controls=("NET-01", "LOG-07"),
            says=f"Nobody of another account reads or lists {what}.",
            accounts=tuple(member for member in members if member != owner),
            owner=owner,
            actions=("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions"),
            on=(bucket, bucket.removesuffix("/*")),
        )
        if what == TRAIL:
            continue
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
