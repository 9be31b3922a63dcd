"""The runtime's network and ledger: one way to models, and a session's credentials that reach its own items alone."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aws_services import LEDGER_KEYS
from caisson.assurance.iam.context import Context, Values
from caisson.assurance.iam.decision import Outcome, decide
from caisson.assurance.iam.document import Kind
from caisson.assurance.iam.grammar import policy
from caisson.assurance.iam.principals import identity
from caisson.assurance.iam.request import Policies, Request
from caisson.assurance.network.building import network
from caisson.assurance.network.model import Role
from caisson.assurance.proofs.estate import ADMINISTRATOR
from caisson.assurance.templates import read
from caisson.deploy.output import write
from deployments import deployed, land_of, readings, template

PIN = "arn:aws:bedrock:eu-west-1:111111111111:guardrail/gr1a2b3c4d5e:3"
MODEL = "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"
ROLES = "arn:aws:iam::222222222222:role/caisson/claims-eu/caisson-claims-eu-"
TABLE = "arn:aws:dynamodb:eu-west-1:222222222222:table/caisson-claims-eu-ledger"


@cache
def resources(part: str = "runtime") -> dict[str, dict[str, Any]]:
    """Of the example, with the pin that a deployment fills in."""
    text = json.dumps(template("example", part)["Resources"])
    for name in ("GuardrailMain", "GuardrailJudged"):
        text = text.replace(json.dumps({"Ref": name}), json.dumps(PIN))
    owner, resource = PIN.rpartition(":guardrail/")[0], PIN.split(":")[5]
    bare = {"Fn::Join": [":", [owner, {"Fn::Select": [5, {"Fn::Split": [":", PIN]}]}]]}
    text = text.replace(json.dumps(bare), json.dumps(f"{owner}:{resource}"))
    return dict(json.loads(text.replace(json.dumps({"Fn::GetAtt": ["RuntimeKey", "Arn"]}), '"arn:of:a:key:x:y"')))


def outcome(principal: str, action: str, on: str, context: dict[str, Any], **documents: Any) -> Outcome:
    asking = identity(principal)
    assert asking is not None
    said = {"aws:principalarn": principal, "aws:principalaccount": asking.account} | context
    values = {
        key.lower(): Values(tuple(one), single=False) if isinstance(one, list) else Values((one,), single=True)
        for key, one in said.items()
        if one is not None
    }
    request = Request(
        principal=asking, action=action, resource=on, resource_account="222222222222", context=Context(values)
    )
    return decide(request, Policies(**{"identity": (ADMINISTRATOR,), **documents})).outcome


class TestEndpoint:
    PINNED = {"aws:PrincipalOrgID": "o-exampleorg", "bedrock:GuardrailIdentifier": PIN}  # noqa: RUF012

    def asked(self, who: str, action: str, resource: str, **context: Any) -> Outcome:
        document = resources()["ModelEndpoint"]["Properties"]["PolicyDocument"]
        return outcome(who, action, resource, self.PINNED | context, endpoint=(policy(document, Kind.ENDPOINT),))

    @pytest.mark.parametrize("action", ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"])
    def test_the_gateway_invokes_with_the_pin(self, action: str) -> None:
        assert self.asked(f"{ROLES}gateway", action, MODEL) is Outcome.ALLOW

    def test_it_applies_the_pinned_guardrail(self) -> None:
        own = PIN.rpartition(":")[0]
        assert self.asked(f"{ROLES}gateway", "bedrock:ApplyGuardrail", own) is Outcome.ALLOW
        for other in (own.replace("1" * 12, "9" * 12), own + "x"):
            assert self.asked(f"{ROLES}gateway", "bedrock:ApplyGuardrail", other) is Outcome.DENY_IMPLICIT

    @pytest.mark.parametrize(
        ("who", "resource", "context", "expected"),
        [
            (f"{ROLES}gateway", MODEL, {"bedrock:GuardrailIdentifier": None}, Outcome.DENY_EXPLICIT),
            (f"{ROLES}gateway", MODEL, {"bedrock:GuardrailIdentifier": PIN.rpartition(":")[0]}, Outcome.DENY_EXPLICIT),
            (f"{ROLES}gateway", MODEL, {"bedrock:GuardrailIdentifier": f"{PIN}0"}, Outcome.DENY_EXPLICIT),
            (f"{ROLES}session", MODEL, {}, Outcome.DENY_IMPLICIT),
            ("arn:aws:iam::222222222222:role/gateway", MODEL, {}, Outcome.DENY_IMPLICIT),
            (f"{ROLES}gateway", MODEL.replace("anthropic", "meta"), {}, Outcome.DENY_IMPLICIT),
            (f"{ROLES}gateway", MODEL, {"aws:PrincipalOrgID": "o-another"}, Outcome.DENY_IMPLICIT),
        ],
    )  # fmt: skip
    def test_nobody_else_and_nothing_else(self, who: str, resource: str, context: Any, expected: Outcome) -> None:
        assert self.asked(who, "bedrock:InvokeModel", resource, **context) is expected

    def test_the_judge_has_its_own(self) -> None:
        document = resources("evaluation")["ModelEndpoint"]["Properties"]["PolicyDocument"]
        (caller,) = {
            statement["Condition"]["ArnLike"]["aws:PrincipalArn"]
            for statement in document["Statement"]
            if statement["Effect"] == "Allow"
        }
        assert caller.endswith("/caisson-claims-eu-judge")


class TestSession:
    def documents(self) -> dict[str, Any]:
        found = resources()["SessionPolicy"]["Properties"]["PolicyDocument"]
        items = {**found, "Statement": [one for one in found["Statement"] if one["Sid"] == "OwnItems"]}
        return {"identity": (policy(items, Kind.IDENTITY),)}

    @pytest.mark.parametrize(
        ("action", "keys", "tag", "allowed"),
        [
            ("GetItem", ["s-1"], "s-1", True),
            ("PutItem", ["s-1"], "s-1", True),
            ("BatchGetItem", ["s-1", "rate#user#1"], "s-1", True),
            ("PutItem", ["rate#total"], "s-1", True),
            ("GetItem", ["s-2"], "s-1", False),
            ("BatchGetItem", ["s-1", "s-2"], "s-1", False),
            ("PutItem", ["s-1"], None, False),
            ("GetItem", None, "s-1", False),
            ("DeleteItem", ["s-1"], "s-1", False),
            ("Query", ["s-1"], "s-1", False),
            ("Scan", None, "s-1", False),
        ],
    )
    def test_reaches_its_own_items(self, action: str, keys: Any, tag: str | None, allowed: bool) -> None:
        said = {"dynamodb:LeadingKeys": keys, "aws:PrincipalTag/SessionId": tag}
        found = outcome(f"{ROLES}session", f"dynamodb:{action}", TABLE, said, **self.documents())
        assert (found is Outcome.ALLOW) is allowed

    @pytest.mark.parametrize(
        ("who", "tag", "allowed"),
        [
            (f"{ROLES}gateway", "s-1", True),
            (f"{ROLES}gateway", None, False),
            (f"{ROLES}gateway", "", False),
            (f"{ROLES}session", "s-1", False),
            ("arn:aws:iam::222222222222:role/anybody", "s-1", False),
            ("arn:aws:iam::999999999999:role/caisson/claims-eu/caisson-claims-eu-gateway", "s-1", False),
        ],
    )
    def test_is_the_gateway_s_to_assume_with_a_tag(self, who: str, tag: str | None, allowed: bool) -> None:
        document = resources()["SessionRole"]["Properties"]["AssumeRolePolicyDocument"]
        trusted = policy(document, Kind.TRUST)
        role = f"{ROLES}session"
        found = outcome(who, "sts:AssumeRole", role, {"aws:RequestTag/SessionId": tag}, resource=(trusted,))
        assert (found is Outcome.ALLOW) is allowed

    def test_lasts_an_hour_at_most(self) -> None:
        assert resources()["SessionRole"]["Properties"]["MaxSessionDuration"] == 3600


def test_only_the_deployment_gives_grants_of_the_key() -> None:
    document = policy(resources()["RuntimeKey"]["Properties"]["KeyPolicy"], Kind.RESOURCE)
    said = {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com"}
    for duty, action, allowed in (
        ("deployment", "kms:CreateGrant", True),
        ("deployment", "kms:ReEncryptFrom", True),
        ("gateway", "kms:Decrypt", True),
        ("session", "kms:ReEncryptTo", True),
        ("gateway", "kms:CreateGrant", False),
        ("session", "kms:CreateGrant", False),
        ("logging", "kms:Decrypt", False),
    ):
        key = "arn:aws:kms:eu-west-1:222222222222:key/x"
        found = outcome(f"{ROLES}{duty}", action, key, said, resource=(document,))
        assert (found is Outcome.ALLOW) is allowed, (duty, action)
        aside = outcome(f"{ROLES}{duty}", action, key, {}, resource=(document,))
        assert aside is not Outcome.ALLOW


def test_the_table_is_the_one_that_the_adapter_reads_and_writes() -> None:
    """As the suite of the ledger makes it on moto's server."""
    table = resources()["Ledger"]["Properties"]
    assert table["AttributeDefinitions"] == LEDGER_KEYS["AttributeDefinitions"]
    assert table["KeySchema"] == LEDGER_KEYS["KeySchema"]
    assert table["GlobalSecondaryIndexes"] == LEDGER_KEYS["GlobalSecondaryIndexes"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["SSESpecification"]["SSEType"] == "KMS" and table["DeletionProtectionEnabled"] is True
    assert resources()["Ledger"]["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize("name", ["example", "one-account", "three-accounts", "every-key"])
def test_the_networks_have_no_way_out_and_one_way_to_models(name: str, tmp_path: Path) -> None:
    write(tmp_path / "out", deployed(name).files, deployed(name).manifest)
    made = network(read(tmp_path / "out"))
    zones = 2 if readings()[name].require().judge is not None else 1
    functions = sum(place.invokes for place in land_of(readings()[name]).places)  # each in a network of its own
    assert len(made.vpcs) == zones + functions and not any(vpc.gateway for vpc in made.vpcs.values())
    assert not any(table.routes for table in made.tables.values())
    assert not (made.nats or made.peerings or made.attachments)
    ends = [one for one in made.interfaces.values() if one.role is Role.ENDPOINT]
    assert sorted(one.service for one in ends) == ["bedrock"] * functions + ["bedrock-runtime"] * zones
    others = [one for one in made.interfaces.values() if one.role is not Role.ENDPOINT]
    assert [one.id.rpartition("/")[2] for one in others] == ["Settings"] * functions
    models = {subnet for one in ends if one.service == "bedrock-runtime" for subnet in one.subnets}
    assert not models & {
        subnet for one in (*others, *ends) if one.service != "bedrock-runtime" for subnet in one.subnets
    }
    opened = [rule for group in made.groups.values() for rule in group.rules if not rule.egress and not rule.group]
    assert opened == []
