"""What is recorded stays recorded (LOG-07, LOG-08, LOG-09, IAM-08)."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared
from caisson.deploy.landscape import Landscape
from caisson.deploy.names import TAG
from caisson.deploy.policies import management
from caisson.deploy.policies.stream import STREAM
from caisson.deploy.retention import buckets as logging_buckets

TRAIL = (
    "cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors",
    "cloudtrail:PutInsightSelectors", "cloudtrail:RemoveTags",
)  # fmt: skip
"""Every way to stop, narrow or delete a trail, or to lose it from sight."""
LOG_GROUPS = (
    "logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy",
    "logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy", "logs:AssociateKmsKey",
    "logs:DisassociateKmsKey", "logs:PutSubscriptionFilter", "logs:DeleteSubscriptionFilter",
    "logs:DeleteMetricFilter",
)  # fmt: skip
"""Every way to delete what a log group holds, to shorten its life, to unmask it, or to send it elsewhere."""
OBJECTS = (
    "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:PutObjectRetention", "s3:PutObjectLegalHold",
)  # fmt: skip
BUCKETS = (
    "s3:DeleteBucket", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration", "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketOwnershipControls", "s3:PutEncryptionConfiguration", "s3:PutReplicationConfiguration",
    "s3:PutBucketNotification", "s3:PutBucketLogging",
)  # fmt: skip
"""Every way to open a bucket, to end what it keeps, or to lead it elsewhere."""
KEYS = (
    "kms:PutKeyPolicy", "kms:DisableKey", "kms:DisableKeyRotation", "kms:UpdateAlias", "kms:DeleteAlias",
    "kms:UntagResource",
)  # fmt: skip
KEYS_DESTROYED = ("kms:ScheduleKeyDeletion", "kms:DeleteImportedKeyMaterial")
WATCHERS = (
    "access-analyzer:DeleteAnalyzer", "config:DeleteConfigRule", "config:DeleteConfigurationRecorder",
    "config:DeleteDeliveryChannel", "config:DeleteEvaluationResults", "config:DeleteRetentionConfiguration",
    "config:PutConfigRule", "config:PutConfigurationRecorder", "config:PutDeliveryChannel",
    "config:PutRetentionConfiguration", "config:StopConfigurationRecorder", "ec2:DeleteFlowLogs",
    "guardduty:DeleteDetector", "guardduty:UpdateDetector", "guardduty:DeleteMembers", "guardduty:DisassociateMembers",
    "guardduty:DisassociateFromAdministratorAccount", "guardduty:StopMonitoringMembers", "macie2:DisableMacie",
    "macie2:UpdateMacieSession", "macie2:DisassociateFromAdministratorAccount", "securityhub:DisableSecurityHub",
    "securityhub:DeleteMembers", "securityhub:DisassociateFromAdministratorAccount", "securitylake:DeleteDataLake",
    "securitylake:DeleteCustomLogSource",
)  # fmt: skip
"""Ways to blind the services that watch (their API references)."""
FINDINGS = (
    "cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:PutMetricAlarm",
    "cloudwatch:SetAlarmState", "events:DeleteRule", "events:DisableRule", "events:PutRule",
)  # fmt: skip
"""Ways to have what AWS Config finds raise no alarm."""


def claims(land: Landscape) -> Iterator[Claim]:
    """For all member accounts."""
    members = tuple(place.account for place in land.places)
    deployment = [land.role(management.DEPLOYMENT, member) for member in members]
    spared = Spared(conditions={"ArnLike": {"aws:PrincipalArn": deployment}})
    other_key = Spared(conditions={"StringNotEquals": {f"aws:ResourceTag/{TAG}": land.names.system}})
    groups = f"arn:{land.partition}:logs:*:*:log-group:{land.names.log_group('*')}"
    logging = land.accounts["logging"]
    buckets = [f"arn:{land.partition}:s3:::{land.names.bucket(what, logging)}" for what in logging_buckets()]
    buckets += [f"arn:{land.partition}:s3:::{bucket}" for bucket in (*land.invocation_buckets, land.repository_bucket)]
    if land.siem:
        buckets.append(f"arn:{land.partition}:s3:::{land.names.bucket(STREAM, logging)}")
    trail = f"arn:{land.partition}:cloudtrail:*:*:trail/{land.names.of('trail')}"

    def claim(
        what: str,
        controls: tuple[str, ...],
        says: str,
        actions: tuple[str, ...],
        *but: Spared,
        on: tuple[str, ...] = ("*",),
    ) -> Claim:
        return Claim(
            id=f"evidence.{what}", controls=controls, says=says, accounts=members, actions=actions, on=on, but=but
        )

    yield claim("trail", ("LOG-07",), "Nobody stops, narrows or deletes the organization's trail.", TRAIL, on=(trail,))
    yield claim(
        "log-groups", ("LOG-07", "LOG-08"), "Nobody but the deployment shortens, unmasks or redirects a log group.",
        LOG_GROUPS, spared, on=(groups,),
    )  # fmt: skip
    yield claim("masks", ("LOG-09",), "Nobody reads what the log groups mask.", ("logs:Unmask",), on=(groups,))
    yield claim(
        "objects", ("LOG-07",), "Nobody destroys what the evidence buckets hold, or shortens its lock.",
        OBJECTS, on=tuple(f"{bucket}/*" for bucket in buckets),
    )  # fmt: skip
    yield claim(
        "buckets", ("LOG-07",), "Nobody but the deployment deletes an evidence bucket or changes its settings.",
        BUCKETS, spared, on=tuple(buckets),
    )  # fmt: skip
    yield claim("keys", ("DAT-05",), "Nobody but the deployment changes a key of the system.", KEYS, spared, other_key)
    yield claim("keys-live", ("LOG-07", "DAT-05"), "Nobody destroys a key of the system.", KEYS_DESTROYED, other_key)
    yield claim("watchers", ("LOG-07",), "Nobody but the deployment blinds the services that watch.", WATCHERS, spared)
    alarm = f"arn:{land.partition}:cloudwatch:*:*:alarm:"
    alarms = tuple(f"{alarm}{land.names.of(what)}" for what in ("findings", "ChecksFailed"))
    rule = f"arn:{land.partition}:events:*:*:rule/{land.names.of('findings')}"
    yield claim(
        "findings", ("LOG-07", "NET-08"), "Nobody but the deployment silences what AWS Config finds.",
        FINDINGS, spared, on=(*alarms, rule),
    )  # fmt: skip
