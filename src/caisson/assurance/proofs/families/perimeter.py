"""The organization is closed: nobody outside reaches in, nobody inside leaves or keeps lasting credentials (IAM-01)."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared, Still
from caisson.deploy.landscape import Landscape

LASTING = (
    "bedrock:CallWithBearerToken",
    "bedrock-mantle:CallWithBearerToken",
    "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential",
    "iam:UpdateServiceSpecificCredential",
    "iam:CreateUser",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UploadSSHPublicKey",
    "iam:UploadSigningCertificate",
)
"""What gives, revives or uses a credential that does not expire by itself."""
REACHED = (
    "s3:GetObject", "s3:PutObject", "sqs:ReceiveMessage", "sqs:SendMessage", "kms:Decrypt", "dynamodb:GetItem",
    "secretsmanager:GetSecretValue", "logs:GetLogEvents", "ecr:BatchGetImage", "events:PutEvents",
    "aoss:APIAccessAll", "sts:AssumeRole", "sts:SetContext",
)  # fmt: skip
"""What somebody would do with a resource that its policy opens by mistake."""
DELIVERED = ("s3:PutObject", "sqs:SendMessage", "kms:GenerateDataKey", "secretsmanager:GetSecretValue")
"""What a service of AWS does for whoever set it up, in another organization perhaps."""
KINDS = (
    "s3:::*", "sqs:*:*:*", "kms:*:*:key/*", "secretsmanager:*:*:secret:*", "iam::*:role/*", "dynamodb:*:*:table/*",
    "logs:*:*:log-group:*", "ecr:*:*:repository/*", "events:*:*:event-bus/*", "aoss:*:*:collection/*",
)  # fmt: skip


def claims(land: Landscape) -> Iterator[Claim]:
    """About the organization as a whole."""
    members = tuple(place.account for place in land.places)
    yield Claim(
        id="perimeter.no-lasting-credentials",
        controls=("IAM-01", "SEC-07"),
        says="No principal of a member account makes or uses a lasting credential, Bedrock API keys included.",
        accounts=members,
        actions=LASTING,
    )
    yield Claim(
        id="perimeter.no-leaving",
        controls=("IAM-08",),
        says="No principal of a member account takes it out of the organization or closes it.",
        accounts=members,
        actions=("organizations:LeaveOrganization", "account:CloseAccount", "account:EnableRegion"),
    )
    yield Claim(
        id="perimeter.one-region",
        controls=("NET-01",),
        says=f"No principal of a member account stores anything outside {land.region}.",
        accounts=members,
        actions=(
            "s3:CreateBucket",
            "s3:PutObject",
            "sqs:CreateQueue",
            "dynamodb:CreateTable",
            "logs:CreateLogGroup",
            "secretsmanager:CreateSecret",
            "kms:CreateKey",
        ),
        but=(Spared(conditions={"StringEquals": {"aws:RequestedRegion": land.region}}),),
        still=(
            Still(
                principal=f"arn:{land.partition}:iam::{members[0]}:role/any",
                action="s3:PutObject",
                resource=f"arn:{land.partition}:s3:::any/thing",
                context={"aws:RequestedRegion": land.region, "aws:SecureTransport": "true"},
            ),
        ),
    )
    kinds = tuple(f"arn:{land.partition}:{kind}" for kind in KINDS)
    own = Spared(conditions={"StringEquals": {"aws:SourceOrgID": land.organization}})
    within = Spared(conditions={"Null": {"aws:SourceAccount": "true"}})
    encrypted = Spared(conditions={"Bool": {"aws:SecureTransport": "true"}})
    recent = Spared(conditions={"NumericGreaterThanEquals": {"s3:TlsVersion": "1.2"}})
    unsaid = Spared(conditions={"Null": {"s3:TlsVersion": "true"}})
    for place in land.places:
        account = place.account
        yield Claim(
            id=f"perimeter.no-outsider.{place.label}",
            controls=("IAM-01", "NET-01"),
            says=f"Nobody from outside reaches what {place.label} holds, however open its policy.",
            accounts=(account,),
            owner=account,
            by="outsiders",
            actions=REACHED,
            on=kinds,
        )
        yield Claim(
            id=f"perimeter.no-deputy.{place.label}",
            controls=("IAM-01",),
            says=f"No service of AWS acts on what {place.label} holds for another organization.",
            accounts=(account,),
            owner=account,
            by="services",
            actions=DELIVERED,
            on=kinds,
            but=(own, within),
        )
        yield Claim(
            id=f"perimeter.encrypted.{place.label}",
            controls=("DAT-05",),
            says=f"Nothing that {place.label} holds is reached over plain HTTP.",
            accounts=(account,),
            owner=account,
            actions=REACHED,
            on=kinds,
            but=(encrypted,),
        )
        yield Claim(
            id=f"perimeter.recent-tls.{place.label}",
            controls=("DAT-05",),
            says=f"No object of {place.label} is reached over a TLS before 1.2 that S3 tells.",
            accounts=(account,),
            owner=account,
            actions=("s3:GetObject", "s3:PutObject"),
            on=(f"arn:{land.partition}:s3:::*",),
            but=(recent, unsaid),
        )
