"""What people may do in the accounts, by the rights that the system file gives their groups (rows S07, S14, S15).

- `configure` starts a deployment and reads its state, and reads the log. `approve` decides on deployments and on tool
  calls. Nobody who changes may approve: the sets share no deciding action.
- No set holds an action that invokes a model, and none that changes one: changes are made by the pipeline's roles.
"""

from __future__ import annotations

from dataclasses import dataclass

from caisson.deploy.names import Names
from caisson.deploy.policies.management import OPERATOR
from caisson.deploy.policies.statement import Statement
from caisson.deploy.retention import stores

APPROVER = "approver"
READER = "reader"
SESSION = "PT1H"
"""Shortest session of a permission set (IAM Identity Center user guide, howtosessionduration)."""


@dataclass(frozen=True, kw_only=True)
class Set:
    """A permission set, and who gets it where."""

    duty: str
    description: str
    right: str
    """The right in `identity.groups.*.may` whose groups get it."""
    zone: str
    """The zone whose account it is for."""
    statements: tuple[Statement, ...]


def permission_sets(names: Names, *, partition: str, region: str, accounts: dict[str, str]) -> tuple[Set, ...]:
    """Every permission set."""
    control, logging = accounts["control"], accounts["logging"]
    pipeline = f"arn:{partition}:codepipeline:{region}:{control}:{names.of('pipeline')}"
    approvals = f"arn:{partition}:states:{region}:{control}:stateMachine:{names.of('approvals')}"
    buckets = [names.bucket(what, logging) for what in stores()]
    log_groups = f"arn:{partition}:logs:{region}:{logging}:log-group:{names.log_group('*')}"
    return (
        Set(
            duty=OPERATOR,
            description="Starts deployments of the system and follows them",
            right="configure",
            zone="control",
            statements=(
                Statement(
                    sid="StartDeployments",
                    effect="Allow",
                    actions=(
                        "codepipeline:GetPipeline",
                        "codepipeline:GetPipelineExecution",
                        "codepipeline:GetPipelineState",
                        "codepipeline:ListPipelineExecutions",
                        "codepipeline:StartPipelineExecution",
                        "codepipeline:StopPipelineExecution",
                    ),
                    resources=(pipeline,),
                ),
            ),
        ),
        Set(
            duty=APPROVER,
            description="Decides on deployments and on tool calls of the system",
            right="approve",
            zone="control",
            statements=(
                Statement(
                    sid="DecideOnDeployments",
                    effect="Allow",
                    actions=("codepipeline:GetPipelineState", "codepipeline:PutApprovalResult"),
                    resources=(pipeline, f"{pipeline}/*"),
                ),
                Statement(
                    sid="DecideOnToolCalls",
                    effect="Allow",
                    actions=("states:SendTaskFailure", "states:SendTaskSuccess"),
                    resources=(approvals,),
                ),
            ),
        ),
        Set(
            duty=READER,
            description="Reads what the system logged, redacted",
            right="configure",
            zone="logging",
            statements=(
                Statement(
                    sid="ReadLogGroups",
                    effect="Allow",
                    actions=(
                        "logs:DescribeLogStreams",
                        "logs:FilterLogEvents",
                        "logs:GetLogEvents",
                        "logs:StartQuery",
                    ),
                    resources=(log_groups, f"{log_groups}:log-stream:*"),
                ),
                Statement(
                    sid="ReadEvidence",
                    effect="Allow",
                    actions=("s3:GetObject", "s3:ListBucket"),
                    resources=tuple(
                        f"arn:{partition}:s3:::{bucket}{what}" for bucket in buckets for what in ("", "/*")
                    ),
                ),
                Statement(
                    sid="DecryptEvidence",
                    effect="Allow",
                    actions=("kms:Decrypt",),
                    resources=(f"arn:{partition}:kms:{region}:{logging}:key/*",),  # the alias below tells which
                    conditions={
                        "ForAnyValue:StringEquals": {
                            "kms:ResourceAliases": tuple(f"alias/{names.of(what)}" for what in ("trail", "archive"))
                        },
                        "StringEquals": {"kms:ViaService": (f"s3.{region}.amazonaws.com",)},
                    },
                ),
            ),
        ),
    )
