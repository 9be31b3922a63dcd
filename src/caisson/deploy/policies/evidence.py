"""What is recorded stays recorded: no account can stop, weaken or delete the evidence (LOG-07, IAM-08, row S77)."""

from __future__ import annotations

from collections.abc import Sequence

from caisson.deploy.names import TAG, Names
from caisson.deploy.policies.management import DEPLOYMENT, except_for, role_arn
from caisson.deploy.policies.statement import Statement

CHANGE_TRAIL = (
    "cloudtrail:DeleteTrail",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:PutInsightSelectors",
    "cloudtrail:RemoveTags",
)
CHANGE_LOG_GROUP = (
    "logs:DeleteLogGroup",
    "logs:DeleteLogStream",
    "logs:PutRetentionPolicy",
    "logs:DeleteRetentionPolicy",
    "logs:PutDataProtectionPolicy",
    "logs:DeleteDataProtectionPolicy",
    "logs:DisassociateKmsKey",
    "logs:AssociateKmsKey",
    "logs:PutSubscriptionFilter",
    "logs:DeleteSubscriptionFilter",
    "logs:DeleteMetricFilter",
)
CHANGE_BUCKET = (
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketOwnershipControls",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
    "s3:PutBucketNotification",
    "s3:PutBucketLogging",
)
DESTROY_OBJECT = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteObjectVersion",
    "s3:PutObjectRetention",
    "s3:PutObjectLegalHold",
)
CHANGE_KEY = (
    "kms:PutKeyPolicy",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:UpdateAlias",
    "kms:DeleteAlias",
    "kms:UntagResource",
)
DESTROY_KEY = ("kms:ScheduleKeyDeletion", "kms:DeleteImportedKeyMaterial")
WATCHERS = (
    "access-analyzer:DeleteAnalyzer",
    "config:DeleteConfigRule",
    "config:DeleteConfigurationRecorder",
    "config:DeleteDeliveryChannel",
    "config:DeleteEvaluationResults",
    "config:DeleteRetentionConfiguration",
    "config:PutConfigRule",
    "config:PutConfigurationRecorder",
    "config:PutDeliveryChannel",
    "config:PutRetentionConfiguration",
    "config:StopConfigurationRecorder",
    "ec2:DeleteFlowLogs",
    "guardduty:DeleteDetector",
    "guardduty:DeleteMembers",
    "guardduty:DisassociateFromAdministratorAccount",
    "guardduty:DisassociateMembers",
    "guardduty:StopMonitoringMembers",
    "guardduty:UpdateDetector",
    "macie2:DisableMacie",
    "macie2:DisassociateFromAdministratorAccount",
    "macie2:UpdateMacieSession",
    "securityhub:DeleteMembers",
    "securityhub:DisableSecurityHub",
    "securityhub:DisassociateFromAdministratorAccount",
    "securitylake:DeleteDataLake",
    "securitylake:DeleteCustomLogSource",
)
"""Ways to blind the services that watch."""
FINDINGS = "findings"
"""What the rule of EventBridge and the alarm over AWS Config's findings are called before the rule of names."""
CHECKS_FAILED = "ChecksFailed"
"""What the alarm over the function that AWS Config asks is called before the rule of names."""
CHANGE_FINDINGS = (
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DisableAlarmActions",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:SetAlarmState",
    "events:DeleteRule",
    "events:DisableRule",
    "events:PutRule",
)
"""Ways to keep a finding from becoming an alarm."""


def trail_arn(names: Names, partition: str, *, account: str = "*", region: str = "*") -> str:
    """The organization's trail."""
    return f"arn:{partition}:cloudtrail:{region}:{account}:trail/{names.of('trail')}"


def trail_stays(names: Names, partition: str) -> Statement:
    """Nobody in a member account touches the organization's trail; it changes in the management account."""
    return Statement(sid="TrailStays", effect="Deny", actions=CHANGE_TRAIL, resources=(trail_arn(names, partition),))


def logs_stay(names: Names, partition: str) -> Statement:
    """Log groups keep their retention, key, masking and filters."""
    return Statement(
        sid="LogsStay",
        effect="Deny",
        actions=CHANGE_LOG_GROUP,
        resources=(f"arn:{partition}:logs:*:*:log-group:{names.log_group('*')}",),
        conditions=except_for((role_arn(names, partition, DEPLOYMENT),)),
    )


def masks_stay(names: Names, partition: str) -> Statement:
    """What data protection masked stays masked, for everybody (LOG-09)."""
    return Statement(
        sid="MasksStay",
        effect="Deny",
        actions=("logs:Unmask",),
        resources=(f"arn:{partition}:logs:*:*:log-group:{names.log_group('*')}",),
    )


def buckets_stay(names: Names, partition: str, buckets: Sequence[str]) -> tuple[Statement, ...]:
    """Buckets of evidence keep their settings; their objects are destroyed by nobody."""
    return (
        Statement(
            sid="BucketsStay",
            effect="Deny",
            actions=CHANGE_BUCKET,
            resources=tuple(f"arn:{partition}:s3:::{bucket}" for bucket in buckets),
            conditions=except_for((role_arn(names, partition, DEPLOYMENT),)),
        ),
        Statement(
            sid="ObjectsStay",
            effect="Deny",
            actions=DESTROY_OBJECT,
            resources=tuple(f"arn:{partition}:s3:::{bucket}/*" for bucket in buckets),
        ),
    )


def keys_stay(names: Names, partition: str) -> tuple[Statement, ...]:
    """Keys of the system keep their policy, and nobody destroys them: what they encrypted would be gone with them."""
    return (
        Statement(
            sid="KeysStay",
            effect="Deny",
            actions=CHANGE_KEY,
            resources=("*",),
            conditions={
                "StringEquals": {f"aws:ResourceTag/{TAG}": (names.system,)},
                **except_for((role_arn(names, partition, DEPLOYMENT),)),
            },
        ),
        Statement(
            sid="NoKeyDestroyed",
            effect="Deny",
            actions=DESTROY_KEY,
            resources=("*",),
            conditions={"StringEquals": {f"aws:ResourceTag/{TAG}": (names.system,)}},
        ),
    )


def watchers_stay(names: Names, partition: str) -> Statement:
    """Services that watch cannot be switched off."""
    return Statement(
        sid="WatchersStay",
        effect="Deny",
        actions=WATCHERS,
        resources=("*",),
        conditions=except_for((role_arn(names, partition, DEPLOYMENT),)),
    )


def findings_stay(names: Names, partition: str) -> Statement:
    """What AWS Config finds goes on to be counted and to raise its alarm, and so does what cannot be looked at."""
    alarms = tuple(f"arn:{partition}:cloudwatch:*:*:alarm:{names.of(what)}" for what in (FINDINGS, CHECKS_FAILED))
    return Statement(
        sid="FindingsStay",
        effect="Deny",
        actions=CHANGE_FINDINGS,
        resources=(*alarms, f"arn:{partition}:events:*:*:rule/{names.of(FINDINGS)}"),
        conditions=except_for((role_arn(names, partition, DEPLOYMENT),)),
    )
