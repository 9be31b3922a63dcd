"""What differs by service: where a resource policy is needed, and which services resource control policies cover."""

from __future__ import annotations

from caisson.assurance.iam import arn as arns
from caisson.assurance.iam.request import Request
from caisson.assurance.iam.truth import NO, YES, Truth, unknown

RESOURCE_CONTROL_SERVICES = frozenset({
    "aoss", "dynamodb", "ecr", "events", "kms", "logs", "s3", "secretsmanager", "sqs", "sts",
})  # fmt: skip
"""Services whose resources resource control policies cover (orgs_manage_policies_rcps, as of November 2026)."""
NO_RESOURCE_CONTROL_SERVICES = frozenset({"bedrock", "bedrock-agentcore", "bedrock-mantle"})
"""Services known not to be covered. AWS adds services, so that any other is unknown."""

_TRUST_OPERATIONS = frozenset({
    "assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "setsourceidentity", "tagsession",
})  # fmt: skip


def assumes_role(request: Request) -> bool:
    """The resource policy is a role's trust policy."""
    found = arns.parse(request.resource)
    return (
        request.service == "sts"
        and request.operation in _TRUST_OPERATIONS
        and found is not None
        and found.service == "iam"
        and found.resource.startswith("role/")
    )


def uses_key(request: Request) -> bool:
    """The resource policy is a key policy."""
    found = arns.parse(request.resource)
    return (
        request.service == "kms" and found is not None and found.service == "kms" and found.resource.startswith("key/")
    )


def needs_resource_policy(request: Request) -> bool:
    """Nothing is allowed unless the resource's own policy says so: key policies (kms key-policies) and trust policies
    (reference_policies_evaluation-logic_policy-eval-denyallow, "IAM role trust policies and KMS key policies")."""
    return uses_key(request) or assumes_role(request)


def covered_by_resource_control(request: Request) -> Truth:
    """Whether resource control policies can concern the request at all.

    Retiring a grant is excepted (kms resource-control-policies).
    """
    if request.service in NO_RESOURCE_CONTROL_SERVICES or (request.service, request.operation) == (
        "kms",
        "retiregrant",
    ):
        return NO
    if request.service in RESOURCE_CONTROL_SERVICES:
        return YES
    return unknown(f"whether resource control policies cover {request.service}")


def needs_no_permission(request: Request) -> bool:
    """Nobody can be kept from asking who they are, not by a Deny either (STS API_GetCallerIdentity)."""
    return (request.service, request.operation) == ("sts", "getcalleridentity")
