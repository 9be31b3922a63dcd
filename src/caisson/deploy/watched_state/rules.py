"""Managed rules of AWS Config, each because a control asks for what it looks at (row S05). Pure.

- A rule stands where the deployment has what it looks at, and what the deployment makes complies.
- Left out on purpose: VPC_DEFAULT_SECURITY_GROUP_CLOSED (CloudFormation cannot empty a network's default group, which
  nothing uses), IAM_NO_INLINE_POLICY_CHECK (Identity Center writes permission sets as inline policies), and
  S3_BUCKET_DEFAULT_LOCK_ENABLED (Config and Bedrock do not deliver into locked buckets).
- No managed rule looks at enforced guardrails, data retention or the invocation log: `checks` has rules of our own.

>>> land = landscape(load(Path("examples/aws/caisson.yaml")))
>>> [rule.identifier for rule in rules(land, land.place("logging"))][-1]
'SNS_ENCRYPTED_KMS'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from caisson.channels.retention import DAYS
from caisson.deploy.destinations import leaves
from caisson.deploy.landscape import Landscape, Place
from caisson.deploy.retention import TRAIL

What = Literal["account", "network", "closed network", "firewall", "function", "ledger", "topic"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A managed rule."""

    identifier: str
    """As AWS calls it (Config developer guide, managed-rules-by-aws-config)."""
    controls: tuple[str, ...]
    """Controls that ask for it."""
    looks_at: What
    """What an account must have of the deployment."""
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called before the rule of names."""
        return self.identifier.lower().replace("_", "-")


def rules(land: Landscape, place: Place) -> tuple[Rule, ...]:
    """The rules of an account."""
    here = _holds(land, place)
    trail = land.names.bucket(TRAIL, land.accounts["logging"])
    return tuple(rule for rule in _all(trail) if rule.looks_at in here)


def _holds(land: Landscape, place: Place) -> set[What]:
    """What of the deployment an account has."""
    found: set[What] = {"account"}
    firewall = "network" in place.zones and leaves(land)
    if place.invokes or firewall:
        found.add("network")
    if firewall:
        found.add("firewall")
    elif place.invokes:
        found.add("closed network")
    if place.invokes:
        found.add("function")
    if "runtime" in place.zones and land.models_of("runtime"):
        found.add("ledger")
    if "logging" in place.zones:
        found.add("topic")
    return found


def _all(trail: str) -> tuple[Rule, ...]:
    """Every rule; `trail` is the bucket of the organization's trail."""
    return (
        Rule(identifier="S3_BUCKET_PUBLIC_READ_PROHIBITED", controls=("LOG-07", "NET-07"), looks_at="account"),
        Rule(identifier="S3_BUCKET_PUBLIC_WRITE_PROHIBITED", controls=("LOG-07", "NET-07"), looks_at="account"),
        Rule(identifier="S3_BUCKET_SSL_REQUESTS_ONLY", controls=("DAT-05",), looks_at="account"),
        Rule(identifier="S3_DEFAULT_ENCRYPTION_KMS", controls=("DAT-05",), looks_at="account"),
        Rule(identifier="S3_BUCKET_VERSIONING_ENABLED", controls=("LOG-07",), looks_at="account"),
        Rule(
            identifier="CLOUD_TRAIL_ENABLED", controls=("IAM-08", "LOG-07"), looks_at="account",
            parameters={"s3BucketName": trail},
        ),
        Rule(identifier="CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED", controls=("LOG-07",), looks_at="account"),
        Rule(identifier="CLOUD_TRAIL_ENCRYPTION_ENABLED", controls=("DAT-05",), looks_at="account"),
        Rule(identifier="CMK_BACKING_KEY_ROTATION_ENABLED", controls=("DAT-05",), looks_at="account"),
        Rule(identifier="KMS_CMK_NOT_SCHEDULED_FOR_DELETION", controls=("DAT-05", "LOG-07"), looks_at="account"),
        Rule(identifier="CLOUDWATCH_LOG_GROUP_ENCRYPTED", controls=("DAT-05",), looks_at="account"),
        Rule(
            identifier="CW_LOGGROUP_RETENTION_PERIOD_CHECK", controls=("LOG-08",), looks_at="account",
            parameters={"MinRetentionTime": str(DAYS["text"])},
        ),
        Rule(identifier="IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", controls=("IAM-02",), looks_at="account"),
        Rule(identifier="IAM_USER_NO_POLICIES_CHECK", controls=("IAM-01", "IAM-02"), looks_at="account"),
        Rule(identifier="IAM_ROOT_ACCESS_KEY_CHECK", controls=("IAM-01",), looks_at="account"),
        Rule(identifier="GUARDDUTY_ENABLED_CENTRALIZED", controls=("LOG-06",), looks_at="account"),
        Rule(
            identifier="VPC_FLOW_LOGS_ENABLED", controls=("NET-08",), looks_at="network",
            parameters={"trafficType": "ALL"},
        ),
        Rule(identifier="VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS", controls=("NET-07",), looks_at="network"),
        Rule(identifier="SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED", controls=("NET-04", "NET-07"), looks_at="network"),
        Rule(identifier="INTERNET_GATEWAY_AUTHORIZED_VPC_ONLY", controls=("NET-04",), looks_at="closed network"),
        Rule(
            identifier="NETFW_POLICY_DEFAULT_ACTION_FULL_PACKETS", controls=("NET-04",), looks_at="firewall",
            parameters={"statelessDefaultActions": "aws:drop,aws:forward_to_sfe"},
        ),
        Rule(identifier="LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED", controls=("IAM-03",), looks_at="function"),
        Rule(identifier="LAMBDA_INSIDE_VPC", controls=("NET-06",), looks_at="function"),
        Rule(identifier="DYNAMODB_TABLE_ENCRYPTED_KMS", controls=("DAT-05",), looks_at="ledger"),
        Rule(identifier="DYNAMODB_PITR_ENABLED", controls=("SESS-01",), looks_at="ledger"),
        Rule(identifier="SNS_ENCRYPTED_KMS", controls=("DAT-05",), looks_at="topic"),
    )  # fmt: skip
