"""Who reads and writes what is recorded (NET-01, LOG-07): by the policies of queues and buckets.

The logging zone keeps the evidence; the invocation log is AWS's word beside it, in each account that invokes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from caisson.assurance.proofs.claims import Claim, Spared, Still
from caisson.deploy.landscape import CONFIGURATION, INVOCATIONS, Landscape
from caisson.deploy.policies import evidence, ledger, management, repository, stream
from caisson.deploy.retention import RECORDINGS, stores

READS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ChangeMessageVisibility")
WRITES = ("s3:PutObject", "s3:DeleteObject")
READS_OF_BUCKET = ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions")
NEW = {"s3:if-none-match": "*"}
"""What a writer says who replaces nothing (S3 user guide, conditional-writes-enforce)."""
QUEUES = {"events": ("logging", management.LOGGING), "evaluations": ("evaluation", "judge")}
"""Channel to the zone that reads it and the duty of its role; each has a queue for what cannot be read, too."""
TRAIL = "trail"
"""CloudTrail writes its bucket, AWS Config its own, the logging zone the others."""
Said = Mapping[str, str | list[str]]
"""Context keys with which a service says for whom it acts, and what they hold then."""


def claims(land: Landscape) -> Iterator[Claim]:
    """For principals of every member account."""
    members = tuple(place.account for place in land.places)
    if land.accounts["logging"] in members:  # no service control policy binds the management account
        yield from _logging(land, members)
    if "evaluation" in land.invoking and land.accounts["evaluation"] in members:
        yield from _queues(land, members, "evaluations")
    if land.accounts["control"] in members:
        yield from _repository(land, members)
    for place in land.places:
        if place.invokes:
            what = f"{INVOCATIONS}-{place.label}"
            bucket = f"arn:{land.partition}:s3:::{land.names.bucket(INVOCATIONS, place.account)}"
            of_its_own = {"aws:SourceAccount": place.account}
            yield from _by_aws(members, place.account, what, bucket, "invocations of its account", of_its_own)
            yield _read(members, place.account, what, bucket)


def _logging(land: Landscape, members: tuple[str, ...]) -> Iterator[Claim]:
    owner = land.accounts["logging"]
    role = land.role(management.LOGGING, owner)
    logging = Spared(
        actions=("s3:PutObject",),
        conditions={"ArnLike": {"aws:PrincipalArn": role}, "Null": {"s3:if-none-match": "false"}},
    )
    said = {"aws:RequestedRegion": land.region, "aws:SecureTransport": "true", **NEW}
    yield from _queues(land, members, "events")
    source = evidence.trail_arn(land.names, land.partition, account=land.management, region=land.region)
    bucket = f"arn:{land.partition}:s3:::{land.names.bucket(TRAIL, owner)}"
    yield from _by_aws(members, owner, TRAIL, bucket, "the organization's trail", {"aws:SourceArn": source})
    bucket = f"arn:{land.partition}:s3:::{land.names.bucket(RECORDINGS, owner)}"
    of_members: Said = {"aws:SourceAccount": list(members), "aws:SourceOrgID": land.organization}
    yield from _by_aws(members, owner, RECORDINGS, bucket, "accounts of the organization", of_members)
    yield _read(members, owner, RECORDINGS, bucket)
    for place in land.places:
        at = f"{bucket}/AWSLogs/{place.account}"
        what, of_its_own = f"{RECORDINGS}.{place.label}", {"aws:SourceAccount": place.account}
        yield _deliver(members, owner, what, at, "its account", of_its_own)
    if land.siem:
        yield from _stream(land, members)
    for what in stores():
        bucket = f"arn:{land.partition}:s3:::{land.names.bucket(what, owner)}/*"
        yield _read(members, owner, what, bucket.removesuffix("/*"))
        if what == TRAIL:
            continue
        yield Claim(
            id=f"custody.write.{what}",
            controls=("LOG-07",),
            says=f"Nobody but the logging zone writes in {what}, and it only what is new; nobody removes anything.",
            accounts=members,
            owner=owner,
            actions=WRITES,
            on=(bucket,),
            but=(logging,),
            still=(Still(principal=role, action=WRITES[0], resource=bucket.replace("*", "1"), context=said),),
        )


def _stream(land: Landscape, members: tuple[str, ...]) -> Iterator[Claim]:
    """Of the bucket in which a SIEM finds the log as it comes."""
    owner = land.accounts["logging"]
    writer, reader = (land.role(duty, owner) for duty in (stream.STREAM, stream.SIEM))
    bucket = f"arn:{land.partition}:s3:::{land.names.bucket(stream.STREAM, owner)}"
    said = {"aws:RequestedRegion": land.region, "aws:SecureTransport": "true"}
    yield Claim(
        id=f"custody.write.{stream.STREAM}",
        controls=("LOG-10",),
        says="Nobody but Firehose's role writes what a SIEM reads.",
        accounts=members,
        owner=owner,
        actions=("s3:PutObject",),
        on=(f"{bucket}/*",),
        but=(Spared(conditions={"ArnLike": {"aws:PrincipalArn": writer}}),),
        still=(Still(principal=writer, action="s3:PutObject", resource=f"{bucket}/1", context=said),),
    )
    yield Claim(
        id=f"custody.read.{stream.STREAM}",
        controls=("NET-01", "LOG-10"),
        says="Nobody but the SIEM's role reads it.",
        accounts=members,
        owner=owner,
        actions=("s3:GetObject", "s3:GetObjectVersion"),
        on=(f"{bucket}/*",),
        but=(Spared(conditions={"ArnLike": {"aws:PrincipalArn": reader}}),),
        still=(Still(principal=reader, action="s3:GetObject", resource=f"{bucket}/1", context=said),),
    )
    yield Claim(
        id=f"custody.{stream.STREAM}.afar",
        controls=("NET-01",),
        says="From other accounts nobody does anything there: a SIEM becomes a role of this one.",
        accounts=tuple(member for member in members if member != owner),
        owner=owner,
        actions=("s3:*",),
        on=(f"{bucket}/*", bucket),
    )
    yield Claim(
        id=f"custody.deliver.{stream.STREAM}",
        controls=("NET-01",),
        says="No service of AWS reads or writes there but as a role.",
        accounts=members,
        owner=owner,
        by="services",
        actions=(*WRITES, *READS_OF_BUCKET),
        on=(f"{bucket}/*", bucket),
    )


def _repository(land: Landscape, members: tuple[str, ...]) -> Iterator[Claim]:
    """Of the bucket through which configuration and orders reach the zones."""
    owner = land.accounts["control"]
    publisher = land.role(repository.CONTROL, owner)
    reader = land.role(ledger.GATEWAY, land.accounts["runtime"])
    bucket = f"arn:{land.partition}:s3:::{land.repository_bucket}"
    said = {"aws:RequestedRegion": land.region, "aws:SecureTransport": "true"}
    yield Claim(
        id=f"custody.write.{CONFIGURATION}",
        controls=("IAM-03", "NET-01"),
        says="Nobody but the control zone publishes configuration and orders, or takes them away.",
        accounts=members,
        owner=owner,
        actions=WRITES,
        on=(f"{bucket}/*",),
        but=(Spared(conditions={"ArnLike": {"aws:PrincipalArn": publisher}}),),
        still=(Still(principal=publisher, action=WRITES[0], resource=f"{bucket}/1", context=said),),
    )
    yield Claim(
        id=f"custody.read.{CONFIGURATION}",
        controls=("NET-01",),
        says="Nobody but the control zone and the gateway reads configuration and orders, or lists them.",
        accounts=members,
        owner=owner,
        actions=READS_OF_BUCKET,
        on=(f"{bucket}/*", bucket),
        but=(Spared(conditions={"ArnLike": {"aws:PrincipalArn": [publisher, reader]}}),),
        still=(Still(principal=reader, action=READS_OF_BUCKET[0], resource=f"{bucket}/1", context=said),),
    )
    reads = ("s3:GetObject", "s3:ListBucket")
    yield Claim(
        id=f"custody.read.{CONFIGURATION}.afar",
        controls=("NET-01",),
        says="From other accounts the gateway reads configuration and orders, and nobody does anything else there.",
        accounts=tuple(member for member in members if member != owner),
        owner=owner,
        actions=("s3:*",),
        on=(f"{bucket}/*", bucket),
        but=(Spared(actions=reads, conditions={"ArnLike": {"aws:PrincipalArn": reader}}),),
    )
    yield Claim(
        id=f"custody.deliver.{CONFIGURATION}",
        controls=("NET-01",),
        says="No service of AWS reads or writes configuration and orders by itself.",
        accounts=members,
        owner=owner,
        by="services",
        actions=(*WRITES, *READS_OF_BUCKET),
        on=(f"{bucket}/*", bucket),
    )
    yield Claim(
        id=f"custody.kept.{CONFIGURATION}",
        controls=("IAM-08", "LOG-07"),
        says="Nobody destroys an earlier version of configuration and orders.",
        accounts=members,
        owner=owner,
        actions=("s3:DeleteObjectVersion",),
        on=(f"{bucket}/*",),
    )


def _queues(land: Landscape, members: tuple[str, ...], channel: str) -> Iterator[Claim]:
    """Of a channel's queue, and of what was set aside there."""
    zone, duty = QUEUES[channel]
    owner = land.accounts[zone]
    role = land.role(duty, owner)
    reader = Spared(conditions={"ArnLike": {"aws:PrincipalArn": role}})
    own = f"arn:{land.partition}:iam::*:role{land.names.path}*"
    writers = own if channel == "events" else land.role(ledger.GATEWAY, land.accounts["runtime"])
    system = Spared(actions=("sqs:SendMessage",), conditions={"ArnLike": {"aws:PrincipalArn": writers}})
    said = {"aws:RequestedRegion": land.region, "aws:SecureTransport": "true"}
    for queue in (channel, f"{channel}-aside"):
        arn = f"arn:{land.partition}:sqs:{land.region}:{owner}:{land.names.of(queue)}"
        yield Claim(
            id=f"custody.read.{queue}",
            controls=("NET-01", "LOG-07") if channel == "events" else ("NET-01",),
            says=f"Nobody but the zone {zone} reads or empties the queue {queue}.",
            accounts=members,
            owner=owner,
            actions=READS,
            on=(arn,),
            but=(reader,),
            still=(Still(principal=role, action=READS[0], resource=arn, context=said),),
        )
        yield Claim(
            id=f"custody.write.{queue}",
            controls=("NET-01",),
            says=f"From other accounts writers of the channel send to the queue {queue}, and nobody does more there.",
            accounts=tuple(member for member in members if member != owner),
            owner=owner,
            actions=("sqs:*",),
            on=(arn,),
            but=(system,),
        )


def _by_aws(members: tuple[str, ...], owner: str, what: str, bucket: str, of: str, said: Said) -> Iterator[Claim]:
    """Of a store that services of AWS alone write, on behalf of who says this."""
    yield Claim(
        id=f"custody.write.{what}",
        controls=("LOG-07",),
        says=f"No principal of the organization writes or removes anything in the store {what}.",
        accounts=members,
        owner=owner,
        actions=WRITES,
        on=(f"{bucket}/*",),
    )
    yield _deliver(members, owner, what, bucket, of, said)


def _deliver(members: tuple[str, ...], owner: str, what: str, at: str, of: str, said: Said) -> Claim:
    return Claim(
        id=f"custody.deliver.{what}",
        controls=("LOG-07",),
        says=f"No service of AWS writes to the store {what} but for {of}.",
        accounts=members,
        owner=owner,
        by="services",
        actions=WRITES,
        on=(f"{at}/*",),
        but=(Spared(conditions={"StringEquals": dict(said)}),),
    )


def _read(members: tuple[str, ...], owner: str, what: str, bucket: str) -> Claim:
    return Claim(
        id=f"custody.read.{what}",
        controls=("NET-01", "LOG-07"),
        says=f"Nobody of another account reads or lists {what}.",
        accounts=tuple(member for member in members if member != owner),
        owner=owner,
        actions=READS_OF_BUCKET,
        on=(f"{bucket}/*", bucket),
    )
