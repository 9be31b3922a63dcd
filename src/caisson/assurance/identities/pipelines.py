"""Pipelines of templates: what they do in which order, where somebody approves, and who may change what they deploy.

Stages follow one another, and the actions of a stage by their order (CodePipeline user guide,
reference-pipeline-structure).

>>> [one.name for one in pipelines(read(Path("cdk.out")))]  # doctest: +SKIP
['Delivery/Pipeline']
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from caisson.assurance.identities.fields import why
from caisson.assurance.identities.holders import account_of
from caisson.assurance.templates import Place, Resource, Symbol, Templates, Value, integer, placeholder

TYPE = "AWS::CodePipeline::Pipeline"
DEPLOYS = frozenset({"Deploy", "Invoke"})
"""Categories of actions that change something outside of the pipeline."""
APPROVAL, SOURCE = "Approval", "Source"
_WRITES = {
    "S3": (("s3:PutObject",), "arn:*:s3:::{S3Bucket}/{S3ObjectKey}"),
    "CodeCommit": (
        (
            "codecommit:GitPush",
            "codecommit:PutFile",
            "codecommit:CreateCommit",
            "codecommit:MergeBranchesByFastForward",
            "codecommit:MergeBranchesBySquash",
            "codecommit:MergeBranchesByThreeWay",
            "codecommit:MergePullRequestByFastForward",
            "codecommit:MergePullRequestBySquash",
            "codecommit:MergePullRequestByThreeWay",
        ),
        "arn:*:codecommit:*:*:{RepositoryName}",
    ),
    "ECR": (("ecr:PutImage",), "arn:*:ecr:*:*:repository/{RepositoryName}"),
}
"""Provider of a source to the operations that write it, and the resource that they are on."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """One action."""

    stage: str
    name: str
    category: str
    provider: str
    order: tuple[int, int]
    """Number of its stage, and its order in that."""
    settings: dict[str, Value]

    def __str__(self) -> str:
        return f"{self.stage}/{self.name} ({self.category}, {self.provider})"


@dataclass(frozen=True, kw_only=True)
class Write:
    """How what a pipeline deploys, or the pipeline itself, can be changed."""

    actions: tuple[str, ...]
    on: str


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline."""

    name: str
    arn: str
    account: str
    place: Place
    actions: tuple[Action, ...]
    """In the order in which they start."""
    doubts: tuple[str, ...] = ()

    @property
    def approvals(self) -> tuple[str, ...]:
        """ARNs of its approvals (service authorization reference, list_awscodepipeline)."""
        return tuple(f"{self.arn}/{one.stage}/{one.name}" for one in self.actions if one.category == APPROVAL)

    def unapproved(self) -> Action | None:
        """The first action that changes something, although nobody approved it.

        What is approved afterwards counts as its rehearsal, unless nothing is deployed after that.
        """
        deploying = [one for one in self.actions if one.category in DEPLOYS]
        approving = [one for one in self.actions if one.category == APPROVAL]
        if not deploying:
            return None
        last = max(one.order for one in deploying)
        before = [one.order for one in approving if one.order < last]
        if not before:
            return deploying[0]
        return next((one for one in deploying if one.order == max(before)), None)

    def writes(self) -> Iterator[Write | str]:
        """Each way to change it; as text, one that IAM does not decide about."""
        change = ("codepipeline:UpdatePipeline", "codepipeline:StartPipelineExecution")
        yield Write(actions=change, on=self.arn)
        for one in self.actions:
            if one.category != SOURCE:
                continue
            known = _WRITES.get(one.provider)
            if known is None:
                yield f"{self.place}: who writes the source {one}"
                continue
            actions, form = known
            settings = {key: placeholder(value) for key, value in one.settings.items()}
            try:
                on = form.format_map({key: value for key, value in settings.items() if value is not None})
            except KeyError as missing:
                yield f"{self.place}: {missing.args[0]} of the source {one}"
                continue
            yield Write(actions=actions, on=on)


def pipelines(templates: Templates) -> tuple[Pipeline, ...]:
    """Every pipeline."""
    return tuple(_pipeline(templates, one) for one in templates.resources(TYPE))


def _pipeline(templates: Templates, one: Resource) -> Pipeline:
    doubts: list[str] = []
    actions = sorted(_actions(one, doubts), key=lambda action: action.order)
    if one.condition:
        doubts.append(f"{one.place}: it is there on the condition {one.condition}")
    account = account_of(templates, one)
    region = placeholder(templates.stack(one.stack).region) or "*"
    name = placeholder(one.properties.get("Name")) or placeholder(one.ref) or one.id
    return Pipeline(
        name=one.name, arn=f"arn:aws:codepipeline:{region}:{account}:{name}", account=account, place=one.place,
        actions=tuple(actions), doubts=tuple(doubts),
    )  # fmt: skip


def _actions(one: Resource, doubts: list[str]) -> Iterator[Action]:
    for number, stage in enumerate(_list(one.properties.get("Stages"), one.at("Stages"), doubts)):
        at = one.at("Stages", number)
        held = _object(stage, at, doubts)
        for action in _list(held.get("Actions"), at, doubts):
            found = _object(action, at, doubts)
            kind = _object(found.get("ActionTypeId"), at, doubts)
            order = integer(found["RunOrder"]) if "RunOrder" in found else 1
            category, provider = (placeholder(kind.get(key)) for key in ("Category", "Provider"))
            stage_name, name = placeholder(held.get("Name")), placeholder(found.get("Name"))
            if order is None or None in (category, provider, stage_name, name):
                doubts.append(f"{at}: what one of its actions is")
                continue
            yield Action(
                stage=str(stage_name), name=str(name), category=str(category), provider=str(provider),
                order=(number, order), settings=_object(found.get("Configuration", {}), at, doubts),
            )  # fmt: skip


def _list(value: Value, place: Place, doubts: list[str]) -> list[Value]:
    if isinstance(value, list):
        return value
    doubts.append(why(value, place) if isinstance(value, Symbol) else f"{place}: expected a list, found {value!r}")
    return []


def _object(value: Value, place: Place, doubts: list[str]) -> dict[str, Value]:
    if isinstance(value, dict):
        return value
    doubts.append(why(value, place) if isinstance(value, Symbol) else f"{place}: expected an object, found {value!r}")
    return {}
