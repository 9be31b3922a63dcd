"""No model answers without the guardrail that the system file names, in its version (NET-02, IAM-04)."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared, Still
from caisson.assurance.proofs.estate import pinned, stand_in
from caisson.deploy.landscape import Landscape, Place
from caisson.deploy.policies.models import Model

INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""Converse and ConverseStream are authorised as these (Bedrock user guide, inference-prereq)."""
AROUND = (
    "bedrock:CreateModelInvocationJob",
    "bedrock-mantle:*",
    "bedrock:InvokeAgent",
    "bedrock:InvokeInlineAgent",
    "bedrock:InvokeFlow",
    "bedrock:StartFlowExecution",
    "bedrock:RetrieveAndGenerate",
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
    "bedrock-agentcore:InvokeHarness",
    "bedrock-agentcore:InvokeAgentRuntimeCommand",
    "bedrock-agentcore:InvokeAgentRuntimeCommandShell",
    "bedrock-agentcore:Evaluate",
    "bedrock-agentcore:StartBatchEvaluation",
)
"""Ways to make a model answer on which no guardrail can be named: batch, agents, flows, retrieval with generation, the
second namespace, evaluation, optimisation, the harness whose caller may replace its model (AWS's API models)."""


def claims(land: Landscape) -> Iterator[Claim]:
    """For every account that invokes models, and for all of them."""
    for place in land.places:
        if place.invokes:
            yield Claim(
                id=f"guardrail.pinned.{place.label}",
                controls=("NET-02", "SEC-04"),
                says=f"Nobody in {place.label} invokes a model without a guardrail of the file in its version.",
                accounts=(place.account,),
                actions=INVOKE,
                but=(Spared(conditions={"StringEquals": {"bedrock:GuardrailIdentifier": list(pins(land, place))}}),),
                still=(invocation(land, place),),
            )
            yield Claim(
                id=f"guardrail.no-projects.{place.label}",
                controls=("NET-02",),
                says=f"Nobody in {place.label} invokes on projects or asynchronously, which skips guardrails.",
                accounts=(place.account,),
                actions=INVOKE,
                on=(f"arn:{land.partition}:bedrock:*:*:project/*", f"arn:{land.partition}:bedrock:*:*:async-invoke/*"),
            )
    yield Claim(
        id="guardrail.no-way-around",
        controls=("NET-02", "SUP-01"),
        says="No principal of a member account makes a model answer on a path that takes no guardrail.",
        accounts=tuple(place.account for place in land.places),
        actions=AROUND,
    )


def pins(land: Landscape, place: Place) -> tuple[str, ...]:
    """What may stand in `bedrock:GuardrailIdentifier`."""
    owner = land.accounts["control"]
    return tuple(pinned(pin.name, partition=land.partition, region=land.region, owner=owner) for pin in place.pins)


def invocation(land: Landscape, place: Place) -> Still:
    """A legitimate invocation: the zone's own role, an approved model, the pin, the endpoint."""
    model = Model.of(place.models[0])
    resource = model.arns(partition=land.partition, region=land.region)[0].replace("*", place.account)
    return Still(
        principal=land.role("runtime", place.account),
        action=INVOKE[0],
        resource=resource,
        context={
            "bedrock:GuardrailIdentifier": pins(land, place)[0],
            "aws:SourceVpce": stand_in(place.endpoints[0].name),
            "aws:RequestedRegion": land.region,
            "aws:SecureTransport": "true",
            "aws:ViaAWSService": "false",
        },
    )
