"""No model answers unguarded, unlisted, past the endpoint or outside the geography (rows S10, S41, S43, S44, S74, S76).

Service control policies for accounts in which models are invoked, and the denial for all others.

- Converse and ConverseStream are authorised as InvokeModel and InvokeModelWithResponseStream; there are no actions of
  their own (Bedrock user guide, inference-prereq).
- `bedrock:GuardrailIdentifier` is missing when a request names no guardrail. A missing key satisfies a negated
  operator, so each Deny here holds for a request that says nothing (IAM user guide, condition operators).
- Paths on which no guardrail can be named are denied altogether.
"""

from __future__ import annotations

from collections.abc import Sequence

from caisson.deploy.policies.models import Model
from caisson.deploy.policies.statement import Parameter, Statement

INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""Every invocation of a model on bedrock-runtime; the only actions that know the guardrail's condition key."""
DATA_PLANE = (
    *INVOKE,
    "bedrock:ApplyGuardrail",
    "bedrock:CountTokens",
    "bedrock:InvokeGuardrailChecks",
    "bedrock:Retrieve",
)
"""What carries a request's text to Bedrock."""
UNGUARDABLE = (
    "bedrock-mantle:*",  # a second namespace without guardrails and invocation log
    "bedrock:CreateModelInvocationJob",  # batch
    "bedrock:InvokeAgent",
    "bedrock:InvokeInlineAgent",
    "bedrock:InvokeFlow",
    "bedrock:StartFlowExecution",
    "bedrock:RetrieveAndGenerate",  # invokes the model by itself, without the caller's guardrail
    "bedrock:AgenticRetrieveStream",
    "bedrock:InvokeBuilder",
    "bedrock:InvokeTool",
    "bedrock:GetInvoke",
    "bedrock:OptimizePrompt",
    "bedrock:CreateEvaluationJob",
    "bedrock:CreateModelEvaluationJob",
    "bedrock:CreateAdvancedPromptOptimizationJob",
    "bedrock:InvokeDataAutomation",
    "bedrock:InvokeDataAutomationAsync",
    "bedrock-agentcore:InvokeHarness",  # its caller may replace model, prompt and tools
    "bedrock-agentcore:InvokeAgentRuntimeCommand",
    "bedrock-agentcore:InvokeAgentRuntimeCommandShell",
    "bedrock-agentcore:Evaluate",
    "bedrock-agentcore:StartBatchEvaluation",
)
"""Calls that make a model answer, or run commands beside one, and take no guardrail (Bedrock, AgentCore API models)."""


def no_unguardable_paths() -> Statement:
    """Paths on which no guardrail can be named, for everybody."""
    return Statement(sid="NoUnguardablePaths", effect="Deny", actions=UNGUARDABLE, resources=("*",))


def no_projects_no_async(partition: str) -> Statement:
    """The Responses API works on projects and skips guardrails; asynchronous invocation has no guardrail to name."""
    return Statement(
        sid="NoProjectsNoAsync",
        effect="Deny",
        actions=INVOKE,
        resources=(f"arn:{partition}:bedrock:*:*:project/*", f"arn:{partition}:bedrock:*:*:async-invoke/*"),
    )


def pinned_guardrail(pins: Sequence[Parameter | str]) -> Statement:
    """Every invocation names one of the guardrails, in exactly this version."""
    return Statement(
        sid="PinnedGuardrail",
        effect="Deny",
        actions=INVOKE,
        resources=("*",),  # models, profiles, imported and provisioned models, routers, endpoints, tools: all of them
        conditions={"StringNotEquals": {"bedrock:GuardrailIdentifier": tuple(pins)}},
    )


def approved_models(models: Sequence[str], *, partition: str, region: str) -> Statement:
    """Only these models; without one, no model at all."""
    approved = tuple(
        dict.fromkeys(arn for name in models for arn in Model.of(name).arns(partition=partition, region=region))
    )
    if not approved:
        return Statement(sid="NoModels", effect="Deny", actions=INVOKE, resources=("*",))
    return Statement(sid="ApprovedModels", effect="Deny", actions=INVOKE, not_resources=approved)


def through_endpoint(endpoints: Sequence[Parameter | str]) -> Statement:
    """Text reaches Bedrock through our interface endpoints only; what a service of AWS calls for us is spared."""
    return Statement(
        sid="ThroughEndpoint",
        effect="Deny",
        actions=DATA_PLANE,
        resources=("*",),
        conditions={
            "StringNotEquals": {"aws:SourceVpce": tuple(endpoints)},
            "BoolIfExists": {"aws:ViaAWSService": ("false",)},
        },
    )


def no_global_profiles(partition: str) -> Statement:
    """No inference outside the geography (Bedrock user guide, global-cross-region-inference)."""
    return Statement(
        sid="NoGlobalProfiles",
        effect="Deny",
        actions=("bedrock:*",),  # a Deny: nothing of Bedrock by way of a global profile
        resources=("*",),
        conditions={
            "StringEquals": {"aws:RequestedRegion": ("unspecified",)},
            "ArnLike": {"bedrock:InferenceProfileArn": (f"arn:{partition}:bedrock:*:*:inference-profile/global.*",)},
        },
    )


def invocation_regions(models: Sequence[str], *, partition: str, region: str) -> tuple[Statement, ...]:
    """Another region answers only for a geographic profile of the file, and only in that geography."""
    profiles = [model for model in map(Model.of, models) if model.geography]
    served = tuple(dict.fromkeys((region, *(pattern for model in profiles for pattern in model.regions(region)))))
    geography = Statement(
        sid="InvocationGeography",
        effect="Deny",
        actions=INVOKE,
        resources=("*",),
        conditions={"StringNotLike": {"aws:RequestedRegion": served}},
    )
    if not profiles:
        return (geography,)
    arns = tuple(model.profile_arn(partition=partition, region=region) for model in profiles)
    return (
        geography,
        Statement(
            sid="OtherRegionsByProfile",
            effect="Deny",
            actions=INVOKE,
            resources=("*",),
            conditions={
                "StringNotEquals": {"aws:RequestedRegion": (region,)},
                "ArnNotLike": {"bedrock:InferenceProfileArn": arns},
            },
        ),
    )


def no_data_retention() -> Statement:
    """Bedrock keeps no prompt: the only mode that may be set is none (Bedrock user guide, data-retention)."""
    return Statement(
        sid="NoDataRetention",
        effect="Deny",
        actions=("bedrock:PutAccountDataRetention",),
        resources=("*",),
        conditions={"StringNotEquals": {"bedrock:DataRetentionMode": ("none",)}},
    )
