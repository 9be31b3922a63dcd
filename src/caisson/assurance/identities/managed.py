"""What AWS's own managed policies allow, for the few that are known here: at most and at least.

At most may be coarser than the policy (whole services), at least finer (what matters here). AWS changes them; what this
version says of them is of the AWS managed policy reference, read in 2026.

>>> managed("arn:aws:iam::aws:policy/AdministratorAccess", "x").doubts
()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caisson.assurance.iam.document import Kind, Policy
from caisson.assurance.iam.grammar import policy
from caisson.assurance.identities.readings import Bounds, unknown

Json = dict[str, Any]

MARK = ":iam::aws:policy/"


@dataclass(frozen=True, kw_only=True)
class _Known:
    """A managed policy."""

    most: Json | None = None
    """The statement that allows everything it may; None: not known."""
    least: Json | None = None
    """The statement that allows what it surely does; None: nothing that matters here."""


def _allow(*actions: str) -> Json:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


_POWER: Json = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}
_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_KNOWN: Mapping[str, _Known] = {
    "AdministratorAccess": _Known(most=_allow("*"), least=_allow("*")),
    "PowerUserAccess": _Known(
        most={
            "Effect": "Allow",
            "NotAction": ["iam:A*", "iam:P*", "iam:U*", "iam:CreateR*", "iam:CreateP*", "iam:CreateA*", "iam:CreateU*"],
            "Resource": "*",
        },
        least=_POWER,
    ),
    "IAMFullAccess": _Known(most=_allow("iam:*", "organizations:*"), least=_allow("iam:*")),
    "AmazonBedrockFullAccess": _Known(least=_allow("bedrock:*")),
    "service-role/AWSLambdaBasicExecutionRole": _Known(most=_allow(*_LOGS), least=_allow(*_LOGS)),
    "service-role/AWSLambdaVPCAccessExecutionRole": _Known(most=_allow("logs:*", "ec2:*")),
    "service-role/AmazonECSTaskExecutionRolePolicy": _Known(most=_allow("ecr:*", "logs:*")),
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs": _Known(most=_allow("logs:*")),
    "AWSXRayDaemonWriteAccess": _Known(most=_allow("xray:*")),
    "AmazonSSMManagedInstanceCore": _Known(most=_allow("ssm:*", "ssmmessages:*", "ec2messages:*")),
}


def managed(arn: str, used_at: str) -> Bounds:
    """What a policy of AWS allows.

    Args:
        arn: `arn:aws:iam::aws:policy/…`.
        used_at: where it is attached, for the doubt about one that is not known.
    """
    name = arn.partition(MARK)[2]
    found = _KNOWN.get(name)
    if found is None:
        return unknown(Kind.IDENTITY, f"{used_at}: what AWS's policy {name} allows")
    whole = unknown(Kind.IDENTITY, f"{used_at}: what else AWS's policy {name} allows")
    return Bounds(
        most=whole.most if found.most is None else (_policy(found.most, arn),),
        least=() if found.least is None else (_policy(found.least, arn),),
        doubts=whole.doubts if found.most is None else (),
    )


def _policy(statement: Json, arn: str) -> Policy:
    return policy({"Version": "2012-10-17", "Statement": [statement]}, Kind.IDENTITY, arn)
