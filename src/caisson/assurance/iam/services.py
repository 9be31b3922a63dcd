"""What differs by service: where a resource policy is needed, and which services resource control policies cover."""

from __future__ import annotations

from caisson.assurance.iam import arn as arns
from caisson.assurance.iam.request import Request
from caisson.assurance.iam.truth import NO, YES, Truth, unknown

RESOURCE_CONTROL_SERVICES = frozenset({
    "aoss", "appconfig", "appstream", "autoscaling", "autoscaling-plans", "budgets", "clouddirectory", "cloudfront",
    "cloudsearch", "cloudtrail-data", "codeartifact", "codebuild", "codecommit", "codepipeline", "cognito-identity",
    "cognito-idp", "comprehend", "comprehendmedical", "compute-optimizer", "cost-optimization-hub", "dax", "dsql",
    "dynamodb", "ecr", "ecr-public", "events", "firehose", "fis", "fms", "gamelift", "health", "inspector-scan",
    "kendra", "kinesisvideo", "kms", "logs", "memorydb", "networkmonitor", "notifications", "opensearch",
    "pca-connector-ad", "personalize", "polly", "pricing", "resource-groups", "rolesanywhere", "s3", "secretsmanager",
    "servicediscovery", "signin", "sqs", "sts", "support", "swf", "textract", "timestream-influxdb", "transcribe",
    "transfer", "translate", "wafv2", "workspaces", "xray",
})  # fmt: skip
"""Prefixes of the services whose resources resource control policies cover (orgs_manage_policies_rcps, "List of AWS
services that support RCPs", as of 2026)."""
NO_RESOURCE_CONTROL_SERVICES = frozenset({"bedrock", "bedrock-agentcore", "bedrock-mantle"})
"""Services known not to be covered. AWS adds services, so that any other is unknown."""

SERVICE_LINKED_PATH = "/aws-service-role/"
"""Path of the roles that are linked to a service, in their ARN (using-service-linked-roles)."""

_TRUST_OPERATIONS = frozenset({
    "assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "setsourceidentity", "tagsession",
})  # fmt: skip

_WITHOUT_KEY = frozenset({
    "connectcustomkeystore", "createcustomkeystore", "createkey", "deletecustomkeystore", "describecustomkeystores",
    "disconnectcustomkeystore", "generaterandom", "listaliases", "listkeys", "listretirablegrants",
    "updatecustomkeystore",
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


def names_no_owner(request: Request) -> str:
    """Why the policy that must allow is unknown: no one role or key is named. Empty when one is, or none must be.

    A request of KMS that is about no key is decided without a key policy (kms kms-api-permissions-reference).
    """
    if request.service == "sts" and request.operation in _TRUST_OPERATIONS and not assumes_role(request):
        return "which role is meant, and so which trust policy, is not given"
    if (request.service, request.operation) == ("sts", "setcontext"):
        return "whether sts:SetContext needs the role's trust policy is not settled"
    if request.service == "kms" and request.operation not in _WITHOUT_KEY and not uses_key(request):
        return "which key is meant, and so which key policy, is not given"
    return ""


def covered_by_resource_control(request: Request) -> Truth:
    """Whether resource control policies can concern the request at all (orgs_manage_policies_rcps).

    They concern resources that a request names, in services that support them. Retiring a grant is excepted, and so is
    the trust of service-linked roles in their services.
    """
    if request.service in NO_RESOURCE_CONTROL_SERVICES or (request.service, request.operation) == (
        "kms",
        "retiregrant",
    ):
        return NO
    if assumes_role(request) and f":role{SERVICE_LINKED_PATH}" in request.resource:
        return NO
    if request.service not in RESOURCE_CONTROL_SERVICES:
        return unknown(f"whether resource control policies cover {request.service}")
    if request.resource == "*":
        return unknown(f"whether resource control policies concern {request.action}, which names no resource")
    return YES


def needs_no_permission(request: Request) -> bool:
    """Nobody can be kept from asking who they are, not by a Deny either (STS API_GetCallerIdentity)."""
    return (request.service, request.operation) == ("sts", "getcalleridentity")
