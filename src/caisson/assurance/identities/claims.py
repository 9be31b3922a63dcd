"""What is claimed of every principal that templates make, whoever wrote them: no system file says more.

- Nobody makes a model answer without a guardrail (NET-02, IAM-04): not unguarded, not by a draft, not by a way around.
- What runs workloads does not change what governs it (IAM-03), nor its own rights (IAM-02).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from caisson.assurance.identities.holders import Holder
from caisson.assurance.identities.readings import Bounds
from caisson.assurance.proofs.claims import Claim, Spared
from caisson.assurance.proofs.families.guardrails import AROUND, INVOKE
from caisson.assurance.proofs.families.management import GOVERNS, GUARDRAILS

ANY = "*"
ACCOUNT = re.compile("::[0-9]{12}:")
KEY = "bedrock:GuardrailIdentifier"
ESCALATES = (
    "iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy",
    "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreatePolicyVersion", "iam:CreateRole",
    "iam:CreateServiceSpecificCredential", "iam:CreateUser", "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy", "iam:DeleteUserPermissionsBoundary", "iam:DetachRolePolicy", "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:PutUserPermissionsBoundary", "iam:PutUserPolicy",
    "iam:ResetServiceSpecificCredential", "iam:SetDefaultPolicyVersion", "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
)  # fmt: skip
"""Operations of IAM that give rights, credentials or a way to become somebody, or take a limit away."""
USES = (
    "bedrock:CreateSession", "bedrock:UpdateSession", "bedrock:EndSession", "bedrock:DeleteSession",
    "bedrock:CreateInvocation", "bedrock:PutInvocationStep", "bedrock:DeleteAgentMemory",
    "bedrock:CreateModelInvocationJob",
)  # fmt: skip
"""Operations with such names that govern nothing: a workload's own sessions, and batch, which is a way around."""
SETS = ("bedrock:PutModelInvocationLoggingConfiguration", "bedrock:PutAccountDataRetention")
"""Settings that CloudFormation has no type for: what serves custom resources alone (`Holder.deploys`) may set them."""
LOGGED = (
    "bedrock:PutModelInvocationLoggingConfiguration", "bedrock:DeleteModelInvocationLoggingConfiguration",
    "cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors",
)  # fmt: skip
"""Operations that end what is recorded of model use."""


def speaks_of_guardrails(found: Bounds) -> bool:
    """Whether policies say anything about guardrails."""
    return any(
        condition.key.lower() == KEY.lower()
        for policy in (*found.most, *found.least)
        for statement in policy.statements
        for condition in statement.conditions
    )


def guarded(owners: Sequence[str]) -> Spared:
    """With a guardrail of one of these accounts, and not its draft: a bare ARN is the draft, too."""
    return Spared(
        actions=INVOKE,
        conditions={
            "ArnLike": {KEY: [f"arn:*:bedrock:*:{owner}:guardrail/*:*" for owner in owners]},
            "ArnNotLike": {KEY: "arn:*:bedrock:*:*:guardrail/*:DRAFT"},
        },
    )


def unguarded(
    name: str, *, owners: Sequence[str], who: tuple[str, ...] = (), accounts: tuple[str, ...] = (), place: str = ""
) -> Claim:
    """No model without a guardrail."""
    return Claim(
        id=f"guardrail.pinned: {name}",
        controls=("NET-02", "SEC-04"),
        says="Invokes no model without a guardrail of these accounts in a numbered version.",
        who=who,
        accounts=accounts,
        about=name,
        place=place,
        actions=INVOKE,
        but=(guarded(owners),),
    )


def around(name: str, *, who: tuple[str, ...] = (), accounts: tuple[str, ...] = (), place: str = "") -> Claim:
    """No other way to a model."""
    return Claim(
        id=f"guardrail.no-way-around: {name}",
        controls=("NET-02", "SUP-01"),
        says="Makes no model answer on a path that takes no guardrail.",
        who=who,
        accounts=accounts,
        about=name,
        place=place,
        actions=AROUND,
    )


def claims(holder: Holder, owners: Sequence[str], roles: Collection[str]) -> Iterator[Claim]:
    """About one principal.

    Args:
        holder: the principal.
        owners: accounts whose guardrails count.
        roles: ARNs of the roles whose own claims say what passing them can lead to (`reach`); of account `ANY` where
            nobody says in which they are.
    """
    who = (holder.arn,)
    yield unguarded(holder.name, who=who, owners=owners, place=str(holder.place))
    yield around(holder.name, who=who, place=str(holder.place))
    if holder.workload:
        # what has wildcards names others, too
        known = tuple(arn for arn in _named(holder) if arn in roles or ACCOUNT.sub(f"::{ANY}:", arn) in roles)
        yield Claim(
            id=f"management.governs: {holder.name}",
            controls=("IAM-03",),
            says="Serves custom resources, and sets nothing but the invocation log and data retention."
            if holder.deploys
            else "Runs a workload, and changes no guardrail, no model and nothing of what is recorded of them.",
            who=who,
            accounts=(),
            about=holder.name,
            place=str(holder.place),
            actions=("bedrock:UpdateGuardrail", *GUARDRAILS, *LOGGED, *GOVERNS),
            but=(Spared(actions=(*USES, *SETS) if holder.deploys else USES),),
        )
        yield Claim(
            id=f"escalation.iam: {holder.name}",
            controls=("IAM-02",),
            says="Runs a workload, and gives nobody rights, itself included.",
            who=who,
            accounts=(),
            about=holder.name,
            place=str(holder.place),
            actions=ESCALATES,
        )
        yield Claim(
            id=f"escalation.pass-role: {holder.name}",
            controls=("IAM-02",),
            says="Runs a workload, and passes no role that is not in these templates.",
            who=who,
            accounts=(),
            about=holder.name,
            place=str(holder.place),
            actions=("iam:PassRole",),
            on=("arn:aws:iam::*:role/*",),
            but=(Spared(resources=known),) if known else (),
        )


def _named(holder: Holder) -> tuple[str, ...]:
    """Resources that the principal's policies name without wildcards."""
    statements = (one for policy in holder.identity.most for one in policy.statements)
    patterns = (pattern for one in statements if one.resource is not None for pattern in one.resource.patterns)
    return tuple(dict.fromkeys(one.text for one in patterns if all(isinstance(piece, str) for piece in one.pieces)))
