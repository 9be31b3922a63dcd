"""Changes of an organization's policies that weaken them, by a list of operators, and changes that must not matter.

>>> [name for name, _ in changes({"Sid": "A", "Effect": "Deny", "Action": "s3:*", "Resource": "*"})]
['allowed', 'on one resource']
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

POLICY = "AWS::Organizations::Policy"
KINDS = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotLike": "StringLike",
    "ArnNotLike": "ArnLike",
    "StringNotEqualsIfExists": "StringEqualsIfExists",
}
MORE = {
    "aws:PrincipalArn": "arn:aws:iam::*:role/*",
    "aws:RequestedRegion": "us-east-1",
    "aws:PrincipalOrgID": "*",
    "bedrock:GuardrailIdentifier": "arn:aws:bedrock:eu-west-1:999999999999:guardrail/other:1",
}
"""What a condition is made to spare besides; anything for other keys."""
ONE_RESOURCE = "arn:aws:example:::nothing"
FOUNDATION_MODELS = "arn:aws:bedrock:*::foundation-model/*"
DRAFT = r"arn:aws:bedrock:[a-z0-9-]+:\d{12}:guardrail/[a-z0-9]+(:DRAFT)?"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """Templates with one change."""

    name: str
    templates: dict[str, Json]
    actions: tuple[str, ...] = ()
    """Of the statement that was changed; empty for all."""
    targets: tuple[str, ...] = ()
    """Of the policy that was changed; empty for all."""
    denied: tuple[Json, ...] = ()
    """What was changed, as it was."""
    kind: str = ""
    """Of the policy."""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def policies(templates: dict[str, Json]) -> Iterator[tuple[str, str, Json]]:
    """File, logical id and properties of each service and resource control policy."""
    for file, template in templates.items():
        for id_, resource in template["Resources"].items():
            if resource["Type"] == POLICY and resource["Properties"]["Type"] in KINDS:
                yield file, id_, resource["Properties"]


def weakened(templates: dict[str, Json]) -> Iterator[Mutant]:
    """Every change, one at a time."""
    for file, id_, properties in policies(templates):
        targets = tuple(properties["TargetIds"])

        def changed(change: Callable[[Json], None], file: str = file, id_: str = id_) -> dict[str, Json]:
            made = copy.deepcopy(templates)
            change(made[file]["Resources"][id_]["Properties"])
            return made

        for target in targets:
            rest = [one for one in targets if one != target]
            made = changed(lambda one, rest=rest: one.update(TargetIds=rest))
            statements = properties["Content"]["Statement"]
            about = {"targets": (target,), "denied": tuple(statements), "kind": properties["Type"]}
            yield Mutant(name=f"{id_} detached from {target}", templates=made, **about)
        for at, statement in enumerate(statements):
            actions = tuple(as_list(statement.get("Action", [])))
            about = {"targets": targets, "actions": actions, "denied": (statement,), "kind": properties["Type"]}
            rest = [one for number, one in enumerate(statements) if number != at] or [nothing()]
            made = changed(lambda one, rest=rest: one["Content"].update(Statement=rest))
            yield Mutant(name=f"{id_}: {statement['Sid']} dropped", templates=made, **about)
            for name, other in changes(statement):
                made = changed(lambda one, at=at, other=other: one["Content"]["Statement"].__setitem__(at, other))
                yield Mutant(name=f"{id_}: {statement['Sid']} {name}", templates=made, **about)
    for file, template in templates.items():
        if not any(resource["Type"] == POLICY for resource in template["Resources"].values()):
            continue  # its parameters are in no policy of the organization
        for name in template.get("Parameters", {}):
            for what, pattern in (("anything", ".*"), ("a draft", DRAFT)):
                if what == "anything" or "Guardrail" in name:
                    made = copy.deepcopy(templates)
                    made[file]["Parameters"][name]["AllowedPattern"] = pattern
                    yield Mutant(name=f"{name} takes {what}", templates=made, actions=("bedrock:InvokeModel",))


OWN = {
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
}


def opened(templates: dict[str, Json], file: str) -> Iterator[Mutant]:
    """Policies of a template's own resources, made looser one at a time."""
    for id_, resource in templates[file]["Resources"].items():
        element = OWN.get(resource["Type"])
        if element is None:
            continue
        statements = resource["Properties"][element]["Statement"]
        for at, statement in enumerate(statements):
            others = [one for number, one in enumerate(statements) if number != at]
            looser = [("dropped", [*others, nothing() | {"Principal": "*"}])] if statement["Effect"] == "Deny" else []
            for name, other in changes(statement) if statement["Effect"] == "Deny" else widened(statement):
                looser.append((name, [*statements[:at], other, *statements[at + 1 :]]))
            for name, changed in looser:
                made = copy.deepcopy(templates)
                made[file]["Resources"][id_]["Properties"][element]["Statement"] = changed
                yield Mutant(name=f"{id_}: {statement['Sid']} {name}", templates=made, denied=(statement,), kind=id_)


def widened(statement: Json) -> Iterator[tuple[str, Json]]:
    """An Allow made wider."""
    if "AWS" in statement.get("Principal", {}):
        yield "to everybody", {**copy.deepcopy(statement), "Principal": "*"}
        yield "whoever asks", {key: value for key, value in copy.deepcopy(statement).items() if key != "Condition"}
        if "sqs:SendMessage" in as_list(statement["Action"]):
            yield "to receive as well", {**copy.deepcopy(statement), "Action": "sqs:*"}


def nothing() -> Json:
    """A policy must say something."""
    return {"Sid": "Nothing", "Effect": "Deny", "Action": "example:Nothing", "Resource": "*"}


def changes(statement: Json) -> Iterator[tuple[str, Json]]:
    """A Deny made weaker in every way of this list: what was done, and the new statement."""

    def with_(**elements: Any) -> Json:
        return {**copy.deepcopy(statement), **elements}

    def conditions(operator: str, block: Json | None, other: str = "") -> Json:
        kept = {name: copy.deepcopy(found) for name, found in statement["Condition"].items() if name != operator}
        return with_(Condition=kept if block is None else {**kept, other or operator: block})

    if "Principal" not in statement:
        yield "allowed", with_(Effect="Allow")
    for element in ("Action", "Resource"):
        values = as_list(statement.get(element, []))
        if len(values) > 1:
            for value in values:
                yield f"without {str(value)[:60]}", with_(**{element: [one for one in values if one != value]})
    if "NotAction" in statement:
        yield "spares every action", with_(NotAction="*")
    if as_list(statement.get("Resource", [])) == ["*"]:
        yield "on one resource", with_(Resource=ONE_RESOURCE)
        if "bedrock:InvokeModel" in as_list(statement.get("Action", [])):
            yield "on foundation models alone", with_(Resource=FOUNDATION_MODELS)
    if "NotResource" in statement:
        yield "approves every model", with_(NotResource=[*as_list(statement["NotResource"]), FOUNDATION_MODELS])
    for operator, block in statement.get("Condition", {}).items():
        if operator in NEGATED:
            yield f"{operator} turned round", conditions(operator, block, NEGATED[operator])
        elif not operator.endswith("IfExists") and operator != "Null":
            yield f"{operator} made stricter than it can be", conditions(operator, dict.fromkeys(block, "nothing"))
        for key, values in block.items():
            if "Not" in operator:
                more = MORE.get(key, "anything")
                if more == "*":
                    like = operator.replace("Equals", "Like")
                    yield f"{key} spares everybody", conditions(operator, {**block, key: "*"}, like)
                    continue
                yield f"{key} spares one more", conditions(operator, {**block, key: [*as_list(values), more]})
            elif operator.startswith("Bool"):
                turned = "false" if values == "true" else "true"
                yield f"{key} turned round", conditions(operator, {**block, key: turned})
    if "Condition" in statement:
        tagged = {"StringEquals": {**statement["Condition"].get("StringEquals", {}), "aws:PrincipalTag/team": "red"}}
        yield "with one condition more", with_(Condition={**copy.deepcopy(statement["Condition"]), **tagged})


INVERSE = {
    "StringEquals": "StringNotEquals", "StringNotEquals": "StringEquals", "StringNotEqualsIfExists": "StringEquals",
    "StringNotLike": "StringLike", "ArnLike": "ArnNotLike", "ArnNotLike": "ArnLike",
}  # fmt: skip
OTHER = {"true": "false", "false": "true"}


def spared_by(statement: Json) -> list[dict[str, dict[str, Any]]] | None:
    """Conditions of which each keeps a request from a Deny; None where this table does not know."""
    found: list[dict[str, dict[str, Any]]] = []
    for operator, block in statement.get("Condition", {}).items():
        for key, values in block.items():
            if operator in INVERSE:
                found.append({INVERSE[operator]: {key: values}})
            elif operator == "Null":
                found.append({"Null": {key: OTHER[values]}})
            elif operator == "BoolIfExists":
                found.append({"Bool": {key: OTHER[values]}})
            elif operator == "Bool":
                found += [{"Bool": {key: OTHER[values]}}, {"Null": {key: "true"}}]
            elif operator == "NumericLessThan":
                found += [{"NumericGreaterThanEquals": {key: values}}, {"Null": {key: "true"}}]
            else:
                return None
    return found


def harmless(templates: dict[str, Json]) -> Iterator[tuple[str, dict[str, Json]]]:
    """The same policies, written otherwise."""

    def each(change: Callable[[Json], list[Json]]) -> dict[str, Json]:
        made = copy.deepcopy(templates)
        for _, _, properties in policies(made):
            properties["Content"]["Statement"] = change(properties["Content"])
        return made

    def backwards(one: Json) -> Json:
        return {key: value[::-1] if isinstance(value, list) else value for key, value in one.items()}

    def apart(one: Json) -> list[Json]:
        if "Action" not in one:
            return [one]
        return [{**one, "Sid": f"{one['Sid']}{at}", "Action": each} for at, each in enumerate(as_list(one["Action"]))]

    yield "order", each(lambda content: [backwards(one) for one in content["Statement"][::-1]])
    yield "names", each(lambda content: [{**one, "Sid": f"S{at}"} for at, one in enumerate(content["Statement"])])
    yield "a statement an action", each(lambda content: [part for one in content["Statement"] for part in apart(one)])
    yield (
        "lists of one",
        each(
            lambda content: [
                {key: as_list(value) if key in ("Action", "Resource") else value for key, value in one.items()}
                for one in content["Statement"]
            ]
        ),
    )
