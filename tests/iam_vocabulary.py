"""Names that generated cases draw from: small pools, so that policies and requests meet often."""

from __future__ import annotations

import base64
from dataclasses import dataclass

HOME, OTHER, THIRD = "111111111111", "222222222222", "333333333333"


@dataclass(frozen=True)
class Target:
    """An action on a resource, and how policies may speak of both."""

    action: str
    resource: str
    """`OWNER` stands for the account."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]


RECORDS = "arn:aws:s3:::records"
TARGETS = (
    Target(
        "s3:GetObject", f"{RECORDS}/2026/a.txt",
        ("s3:GetObject", "s3:*", "s3:Get*", "S3:getobject", "s3:GetObjec?", "s3:PutObject", "s3:*Object*"),
        (f"{RECORDS}/*", "arn:aws:s3:::*", f"{RECORDS}/2026/a.txt", RECORDS, "arn:aws:s3:::Records/*",
         RECORDS + "/${aws:username}/*", RECORDS + "/${aws:PrincipalTag/year}/*", "arn:aws:s3:::rec*/a.txt",
         RECORDS + "/${aws:PrincipalTag/year, '2026'}/?.txt", RECORDS + "/2026/a${*}txt"),
    ),
    Target(
        "s3:ListBucket", RECORDS, ("s3:ListBucket", "s3:List*", "s3:*", "s3:listbucket", "s3:GetObject"),
        (RECORDS, "arn:aws:s3:::*", "arn:aws:s3:::rec?rds", f"{RECORDS}/*", "arn:aws:s3:::${aws:username}"),
    ),
    Target("s3:ListAllMyBuckets", "*", ("s3:ListAllMyBuckets", "s3:List*", "s3:*", "s3:GetObject"), ("*",)),
    Target(
        "dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:OWNER:table/claims",
        ("dynamodb:GetItem", "dynamodb:*", "dynamodb:Get*", "dynamodb:PutItem", "DynamoDB:*Item"),
        ("arn:aws:dynamodb:*:*:table/claims", "arn:aws:dynamodb:eu-west-1:*:table/*",
         "arn:aws:dynamodb:us-*:*:table/claims", "arn:aws:dynamodb:eu-west-?:*:table/cl*ms",
         f"arn:aws:dynamodb:*:{THIRD}:table/claims"),
    ),
    Target(
        "kms:Decrypt", "arn:aws:kms:eu-west-1:OWNER:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        ("kms:Decrypt", "kms:*", "kms:De*", "kms:Encrypt", "KMS:decrypt"),
        ("arn:aws:kms:eu-west-1:*:key/*", "arn:aws:kms:*:*:key/1234abcd-12ab-34cd-56ef-1234567890ab",
         "arn:aws:kms:eu-west-1:*:key/ffff*", "arn:aws:kms:*:*:alias/*"),
    ),
    Target(
        "sts:AssumeRole", "arn:aws:iam::OWNER:role/target",
        ("sts:AssumeRole", "sts:*", "sts:Assume*", "sts:TagSession", "STS:assumerole"),
        ("arn:aws:iam::*:role/target", "arn:aws:iam::*:role/*", f"arn:aws:iam::{HOME}:role/t*",
         "arn:aws:iam::*:user/*"),
    ),
    Target(
        "sqs:SendMessage", "arn:aws:sqs:eu-west-1:OWNER:events",
        ("sqs:SendMessage", "sqs:*", "sqs:Send*", "sqs:ReceiveMessage"),
        ("arn:aws:sqs:eu-west-1:*:events", "arn:aws:sqs:*:*:*", "arn:aws:sqs:us-east-1:*:events",
         "arn:aws:sqs:eu-west-1:*:${aws:username}"),
    ),
    Target(
        "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:OWNER:secret:vault/api-AbCdEf",
        ("secretsmanager:GetSecretValue", "secretsmanager:*", "secretsmanager:Get*", "secretsmanager:PutSecretValue"),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:vault/*", "arn:aws:secretsmanager:*:*:secret:*",
         "arn:aws:secretsmanager:eu-west-1:*:secret:other-*"),
    ),
    Target(
        "lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:OWNER:function:refund",
        ("lambda:InvokeFunction", "lambda:*", "lambda:Invoke*", "lambda:GetFunction"),
        ("arn:aws:lambda:eu-west-1:*:function:refund", "arn:aws:lambda:*:*:function:*",
         "arn:aws:lambda:eu-west-1:*:function:refund:*"),
    ),
    Target(
        "bedrock:InvokeModel", "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0",
        ("bedrock:InvokeModel", "bedrock:InvokeModel*", "bedrock:*", "bedrock:ApplyGuardrail"),
        ("arn:aws:bedrock:*::foundation-model/*", "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0",
         "arn:aws:bedrock:*::foundation-model/amazon.nova-*:0", "arn:aws:bedrock:*::foundation-model/anthropic.*"),
    ),
)  # fmt: skip
"""Services with and without resource policies, those that insist on theirs, and one action without resource."""

STRINGS = {
    "aws:SourceVpc": ("vpc-1", "vpc-2", "VPC-1"), "aws:PrincipalTag/team": ("red", "blue", "Red"),
    "aws:RequestedRegion": ("eu-west-1", "us-east-1", "eu-west-2"), "aws:username": ("ana", "bob"),
    "aws:SourceVpce": ("vpce-1", "vpce-2"), "aws:PrincipalOrgID": ("o-exampleorg", "o-other"),
    "aws:SourceIdentity": ("ana", "bob"),
}  # fmt: skip
"""Keys with text, and what requests have in them. The simulator knows these and the following for every action."""
STRING_VALUES = (
    "vpc-1", "vpc-2", "red", "blue", "eu-west-1", "ana", "o-exampleorg", "VPC-1", "RED", "vpce-1", "nowhere",
    "${aws:username}", "${aws:PrincipalTag/team}", "${aws:PrincipalTag/none, 'red'}", "${aws:PrincipalTag/none}",
)  # fmt: skip
STRING_PATTERNS = (
    *STRING_VALUES, "*", "vpc-?", "eu-*", "*e*", "r*d", "vp*-*", "?", "o-*org", "v${*}c", "${aws:username}*",
)  # fmt: skip
SERVICE_STRINGS = {
    "s3:ListBucket": ("s3:prefix", ("home/ana/", "home/bob/", ""), ("home/*", "home/${aws:username}/*", "home/ana/")),
    "kms:Decrypt": ("kms:ViaService", ("s3.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"), ("s3.*", "sqs.*")),
    "sts:AssumeRole": ("sts:ExternalId", ("7", "8"), ("7", "?", "9")),
    "bedrock:InvokeModel": (
        "bedrock:GuardrailIdentifier",
        (f"arn:aws:bedrock:eu-west-1:{HOME}:guardrail/g:1", f"arn:aws:bedrock:eu-west-1:{HOME}:guardrail/g"),
        (f"arn:aws:bedrock:eu-west-1:{HOME}:guardrail/g:1", f"arn:aws:bedrock:eu-west-1:{HOME}:guardrail/g:*"),
    ),
}  # fmt: skip
"""A key of the service by action: its name, the request's values, the policies' values."""
NUMBERS = ("0", "5", "10", "10.5", "3600", "-1", "5.0")
DATES = ("2026-01-01T00:00:00Z", "2026-06-30T12:00:00Z", "2026-01-01T02:00:00Z", "2025-12-31T23:59:59Z", "2026-01-01")
EPOCHS = ("1767225600", "1782820800", "1767225599")
ADDRESSES = ("192.0.2.1", "192.0.2.200", "198.51.100.7", "2001:db8::1", "2001:db8:1::2")
RANGES = (
    "192.0.2.0/24", "192.0.2.1", "192.0.2.1/32", "198.51.100.0/25", "2001:db8::/32", "2001:db8::1/128",
    "192.0.2.128/25", "192.0.2.77/24", "2001:db8:1::/48",
)  # fmt: skip
"""Without `/0`, which the simulator takes for an empty range."""
ARNS = (
    f"arn:aws:iam::{HOME}:user/ana", f"arn:aws:iam::{HOME}:role/app", f"arn:aws:iam::{OTHER}:role/service/app",
    f"arn:aws:sns:eu-west-1:{HOME}:topic", RECORDS, f"arn:aws:lambda:eu-west-1:{HOME}:function:refund:7",
)  # fmt: skip
ARN_PATTERNS = (
    *ARNS, "arn:aws:iam::*:role/*", f"arn:aws:iam::{HOME}:*", "arn:aws:*:*:*:*", "arn:aws:iam::*:role/app",
    "arn:aws:sns:eu-west-?:*:top*", "arn:aws:iam::11111111111?:user/${aws:username}", "arn:aws:s3:::*",
    "arn:*:iam::*:user/ana", "arn:aws:lambda:*:function:refund:7", "arn:aws:lambda:*:*:function:*",
)  # fmt: skip
SETS = {
    "aws:TagKeys": ("team", "cost", "Team"), "aws:CalledVia": ("athena.amazonaws.com", "cloudformation.amazonaws.com"),
    "aws:PrincipalOrgPaths": ("o-exampleorg/r-1/ou-1/", "o-exampleorg/r-1/ou-2/"),
}  # fmt: skip
SET_PATTERNS = (
    "team", "cost", "te*", "*", "athena.amazonaws.com", "o-exampleorg/*", "o-exampleorg/r-1/ou-1/", "TEAM",
)  # fmt: skip
SWITCHES = ("aws:SecureTransport", "aws:ViaAWSService", "aws:MultiFactorAuthPresent")
BYTES = tuple(base64.b64encode(text).decode() for text in (b"ana", b"bob"))
