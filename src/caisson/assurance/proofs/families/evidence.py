"""What is recorded stays recorded (LOG-07, IAM-08)."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared
from caisson.deploy.landscape import Landscape
from caisson.deploy.names import TAG
from caisson.deploy.policies import management
from caisson.deploy.retention import stores


def claims(land: Landscape) -> Iterator[Claim]:
    """For all member accounts."""
    members = tuple(place.account for place in land.places)
    deployment = tuple(
        f"arn:{land.partition}:iam::{member}:role{land.names.path}{land.names.role(management.DEPLOYMENT)}"
        for member in members
    )
    spared = Spared(conditions={"ArnLike": {"aws:PrincipalArn": list(deployment)}})
    groups = f"arn:{land.partition}:logs:*:*:log-group:{land.names.log_group('*')}"
    buckets = [land.names.bucket(what, land.accounts["logging"]) for what in stores()]
    yield Claim(
        id="evidence.trail",
        controls=("LOG-07", "IAM-08"),
        says="No principal of a member account stops, changes or deletes the organization's trail.",
        accounts=members,
        actions=(
            "cloudtrail:StopLogging",
            "cloudtrail:DeleteTrail",
            "cloudtrail:UpdateTrail",
            "cloudtrail:PutEventSelectors",
            "cloudtrail:PutInsightSelectors",
        ),
        on=(f"arn:{land.partition}:cloudtrail:*:*:trail/{land.names.of('trail')}",),
    )
    yield Claim(
        id="evidence.log-groups",
        controls=("LOG-07", "LOG-08"),
        says="Nobody but the deployment deletes, shortens or unmasks a log group of the system.",
        accounts=members,
        actions=(
            "logs:DeleteLogGroup",
            "logs:DeleteLogStream",
            "logs:PutRetentionPolicy",
            "logs:DeleteDataProtectionPolicy",
            "logs:PutDataProtectionPolicy",
        ),
        on=(groups,),
        but=(spared,),
    )
    yield Claim(
        id="evidence.masks",
        controls=("LOG-09",),
        says="Nobody in a member account reads what the log groups mask.",
        accounts=members,
        actions=("logs:Unmask",),
        on=(groups,),
    )
    yield Claim(
        id="evidence.objects",
        controls=("LOG-07",),
        says="Nobody in a member account destroys a version of what the evidence buckets hold, or shortens its lock.",
        accounts=members,
        actions=(
            "s3:DeleteObjectVersion",
            "s3:BypassGovernanceRetention",
            "s3:PutObjectRetention",
            "s3:PutObjectLegalHold",
        ),
        on=tuple(f"arn:{land.partition}:s3:::{bucket}/*" for bucket in buckets),
    )
    yield Claim(
        id="evidence.buckets",
        controls=("LOG-07",),
        says="Nobody in a member account deletes an evidence bucket or changes its policy or lock, but the deployment.",
        accounts=members,
        actions=(
            "s3:DeleteBucket",
            "s3:PutBucketPolicy",
            "s3:DeleteBucketPolicy",
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketVersioning",
            "s3:PutLifecycleConfiguration",
        ),
        on=tuple(f"arn:{land.partition}:s3:::{bucket}" for bucket in buckets),
        but=(spared,),
    )
    yield Claim(
        id="evidence.keys",
        controls=("LOG-07", "DAT-02"),
        says="Nobody in a member account destroys a key of the system.",
        accounts=members,
        actions=("kms:ScheduleKeyDeletion", "kms:DeleteImportedKeyMaterial"),
        but=(Spared(conditions={"StringNotEquals": {f"aws:ResourceTag/{TAG}": land.names.system}}),),
    )
    yield Claim(
        id="evidence.watchers",
        controls=("LOG-07",),
        says="Nobody in a member account switches off GuardDuty or Macie, but the deployment.",
        accounts=members,
        actions=("guardduty:DeleteDetector", "guardduty:UpdateDetector", "macie2:DisableMacie"),
        but=(spared,),
    )
