"""The organization is closed: nobody outside reaches in, nobody inside leaves or keeps lasting credentials (IAM-01)."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared, Still
from caisson.deploy.landscape import Landscape

LASTING = (
    "bedrock:CallWithBearerToken",
    "bedrock-mantle:CallWithBearerToken",
    "iam:CreateServiceSpecificCredential",
    "iam:CreateUser",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
)
"""What gives or uses a credential that does not expire by itself."""
REACHED = ("s3:GetObject", "s3:PutObject", "sqs:ReceiveMessage", "sqs:SendMessage", "kms:Decrypt",
           "secretsmanager:GetSecretValue", "sts:AssumeRole")  # fmt: skip
"""What an outsider would do with a resource that its policy opens by mistake."""
KINDS = ("s3:::*", "sqs:*:*:*", "kms:*:*:key/*", "secretsmanager:*:*:secret:*", "iam::*:role/*")


def claims(land: Landscape) -> Iterator[Claim]:
    """About the organization as a whole."""
    members = tuple(place.account for place in land.places)
    yield Claim(
        id="perimeter.no-lasting-credentials",
        controls=("IAM-01",),
        says="No principal of a member account makes or uses a lasting credential, Bedrock API keys included.",
        accounts=members,
        actions=LASTING,
    )
    yield Claim(
        id="perimeter.no-leaving",
        controls=("IAM-08",),
        says="No principal of a member account takes it out of the organization or closes it.",
        accounts=members,
        actions=("organizations:LeaveOrganization", "account:CloseAccount"),
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
    for member in members:
        yield Claim(
            id=f"perimeter.no-outsider.{_label(land, member)}",
            controls=("IAM-01", "NET-01"),
            says=f"Nobody from outside reaches what {_label(land, member)} holds, however open its policy.",
            accounts=(member,),
            owner=member,
            outsiders=True,
            actions=REACHED,
            on=tuple(f"arn:{land.partition}:{kind}" for kind in KINDS),
        )


def _label(land: Landscape, account: str) -> str:
    return next(place.label for place in land.places if place.account == account)
