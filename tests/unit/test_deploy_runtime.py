"""The runtime's network and ledger: one way to models, and a session's credentials that reach its own items alone."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from aws_services import LEDGER_KEYS, OWN
from caisson.adapters.aws.api.calls import Calls
from caisson.adapters.aws.api.endpoint import service_endpoint
from caisson.adapters.aws.api.identity import SessionIdentities
from caisson.adapters.embedded.clock import SystemClock
from caisson.assurance.iam.decision import Outcome
from caisson.assurance.iam.document import Kind
from caisson.assurance.iam.grammar import policy
from caisson.assurance.network.building import network
from caisson.assurance.network.model import Role, Via
from caisson.assurance.templates import read
from caisson.deploy.output import write
from caisson.ports.ledger import Account
from caisson.protocol.sigv4 import Keys
from deployments import deployed, land_of, readings, template
from iam_outcome import outcome

PIN = "arn:aws:bedrock:eu-west-1:111111111111:guardrail/gr1a2b3c4d5e:3"
MODEL = "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"
ROLES = "arn:aws:iam::222222222222:role/caisson/claims-eu/caisson-claims-eu-"
ENDPOINTS = {"ModelEndpoint": "vpce-0models0", "LedgerEndpoint": "vpce-0ledger0", "TokenEndpoint": "vpce-0tokens0",
             "QueueEndpoint": "vpce-0queues0", "ConfigurationEndpoint": "vpce-0bucket0"}  # fmt: skip
VIA = {name: {"aws:SourceVpce": id_, "aws:PrincipalOrgID": "o-exampleorg"} for name, id_ in ENDPOINTS.items()}
QUEUE = "arn:aws:sqs:eu-west-1:555555555555:caisson-claims-eu-events"
EVALUATIONS = "arn:aws:sqs:eu-west-1:333333333333:caisson-claims-eu-evaluations"
REPOSITORY = "arn:aws:s3:::caisson-claims-eu-configuration-111111111111"
JUDGE = "arn:aws:iam::333333333333:role/caisson/claims-eu/caisson-claims-eu-judge"
TAGS = {"SessionId": "s-1", "User": "alice", "Agent": "claims", "Task": "answer"}
TABLE = "arn:aws:dynamodb:eu-west-1:222222222222:table/caisson-claims-eu-ledger"

STS_ANSWER = b"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey><SessionToken>C</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@cache
def resources(part: str = "runtime") -> dict[str, dict[str, Any]]:
    """Of the example, with the pin that a deployment fills in."""
    text = json.dumps(template("example", part)["Resources"])
    for name in ("GuardrailMain", "GuardrailJudged"):
        text = text.replace(json.dumps({"Ref": name}), json.dumps(PIN))
    owner, resource = PIN.rpartition(":guardrail/")[0], PIN.split(":")[5]
    for name, endpoint in ENDPOINTS.items():
        text = text.replace(json.dumps({"Ref": name}), json.dumps(endpoint))
    bare = {"Fn::Join": [":", [owner, {"Fn::Select": [5, {"Fn::Split": [":", PIN]}]}]]}
    text = text.replace(json.dumps(bare), json.dumps(f"{owner}:{resource}"))
    return dict(json.loads(text.replace(json.dumps({"Fn::GetAtt": ["RuntimeKey", "Arn"]}), '"arn:of:a:key:x:y"')))


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


def requested() -> dict[str, Any]:
    """A request for a session's credentials as it is to be."""
    tags = {f"aws:RequestTag/{key}": value for key, value in TAGS.items()}
    return {**VIA["TokenEndpoint"], **tags, "aws:TagKeys": list(TAGS), "sts:TransitiveTagKeys": list(TAGS)}


def own_statements(role: str = "Gateway") -> list[dict[str, Any]]:
    """Of a role's policy, those that name no value which only AWS knows."""
    found = resources()[f"{role}Policy"]["Properties"]["PolicyDocument"]["Statement"]
    return [one for one in found if one["Sid"] != "KeyOfTheTable"]


async def sent_to_sts(*, user: str, agent: str, task: str) -> dict[str, str]:
    """What the adapter asks for a session."""
    forms: list[bytes] = []

    class Sts(Calls):
        async def form(self, body: bytes, keys: Keys) -> bytes:
            forms.append(body)
            return STS_ANSWER

    endpoint = service_endpoint("sts", "eu-west-1")
    sts = Sts(endpoint, service="sts", region="eu-west-1", clock=SystemClock())
    made = SessionIdentities(lambda: OWN, sts, role=f"{ROLES}session", clock=SystemClock())
    made.introduce(
        Account(
            session_id="s-1", user=user, agent=agent, task=task, opened=0.0, expires=1.0, tokens_max=1, actions_max=1
        )
    )  # fmt: skip
    await made.of("s-1")
    return {name: values[0] for name, values in parse_qs(forms[0].decode()).items()}


def consent(action: str, kind: Kind) -> dict[str, Any]:
    """A resource that leaves an action to what the account's own policies say."""
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"}, "Action": action}
    return {"Version": "2012-10-17", "Statement": statement | ({} if kind is Kind.TRUST else {"Resource": "*"})}


class TestGateway:
    """What the role that the runtime's code runs as may do, within its boundary and through its endpoints."""

    ITEMS = (
        ("bedrock:InvokeModel", MODEL, "ModelEndpoint"),
        ("bedrock:InvokeModelWithResponseStream", MODEL, "ModelEndpoint"),
        ("bedrock:CountTokens", MODEL, "ModelEndpoint"),
        ("bedrock:ApplyGuardrail", PIN.rpartition(":")[0], "ModelEndpoint"),
        ("dynamodb:GetItem", TABLE, "LedgerEndpoint"),
        ("dynamodb:BatchGetItem", TABLE, "LedgerEndpoint"),
        ("dynamodb:Query", f"{TABLE}/index/due", "LedgerEndpoint"),
        ("dynamodb:Query", f"{TABLE}/index/opened", "LedgerEndpoint"),
        ("s3:GetObject", f"{REPOSITORY}/metadata/timestamp.json", "ConfigurationEndpoint"),
        ("s3:ListBucket", REPOSITORY, "ConfigurationEndpoint"),
        ("sqs:SendMessage", QUEUE, "QueueEndpoint"),
        ("sqs:SendMessage", EVALUATIONS, "QueueEndpoint"),
        ("sts:AssumeRole", f"{ROLES}session", "TokenEndpoint"),
        ("sts:TagSession", f"{ROLES}session", "TokenEndpoint"),
    )
    OTHERS = (
        ("bedrock:InvokeModel", MODEL.replace("anthropic", "meta")),
        ("bedrock:UpdateGuardrail", PIN.rpartition(":")[0]),
        ("dynamodb:PutItem", TABLE),
        ("dynamodb:Scan", TABLE),
        ("dynamodb:Query", TABLE),
        ("dynamodb:GetItem", f"{TABLE}-other"),
        ("s3:PutObject", f"{REPOSITORY}/metadata/timestamp.json"),
        ("s3:DeleteObject", f"{REPOSITORY}/metadata/timestamp.json"),
        ("s3:GetObject", f"{REPOSITORY}-other/metadata/timestamp.json"),
        ("s3:GetObject", "arn:aws:s3:::caisson-claims-eu-archive-text-555555555555/x"),
        ("sqs:ReceiveMessage", QUEUE),
        ("sqs:SendMessage", f"{QUEUE}-aside"),
        ("sqs:SendMessage", f"{EVALUATIONS}-aside"),
        ("sqs:ReceiveMessage", EVALUATIONS),
        ("sqs:DeleteMessage", EVALUATIONS),
        ("sts:AssumeRole", f"{ROLES}deployment"),
        ("iam:PassRole", f"{ROLES}session"),
        ("kms:CreateGrant", "arn:aws:kms:eu-west-1:222222222222:key/x"),
    )

    def allowed(self, action: str, on: str, asked: dict[str, Any], **documents: Any) -> bool:
        own = policy({"Version": "2012-10-17", "Statement": own_statements()}, Kind.IDENTITY)
        bound = policy(resources()["Boundary"]["Properties"]["PolicyDocument"], Kind.BOUNDARY)
        said = {"bedrock:GuardrailIdentifier": PIN} | asked
        layers = {"identity": (own,), "boundary": (bound,)} | documents
        if action.startswith(("sts:", "kms:")):  # both want the resource's own consent, too
            kind = Kind.TRUST if action.startswith("sts:") else Kind.RESOURCE
            layers["resource"] = (policy(consent(action, kind), kind),)
        return outcome(f"{ROLES}gateway", action, on, said, **layers) is Outcome.ALLOW

    @pytest.mark.parametrize(("action", "on", "endpoint"), ITEMS)
    def test_does_what_it_is_there_for_through_the_endpoint(self, action: str, on: str, endpoint: str) -> None:
        through = policy(resources()[endpoint]["Properties"]["PolicyDocument"], Kind.ENDPOINT)
        assert self.allowed(action, on, VIA[endpoint], endpoint=(through,))
        for other in VIA:
            assert other == endpoint or not self.allowed(action, on, VIA[other])
        assert not self.allowed(action, on, {})

    @pytest.mark.parametrize(("action", "on"), OTHERS)
    def test_does_nothing_else(self, action: str, on: str) -> None:
        for via in VIA.values():
            assert not self.allowed(action, on, via)

    def test_invokes_with_the_pin_alone(self) -> None:
        via = VIA["ModelEndpoint"]
        for found in (None, f"{PIN}0", PIN.rpartition(":")[0]):
            assert not self.allowed("bedrock:InvokeModel", MODEL, via | {"bedrock:GuardrailIdentifier": found})

    def test_uses_keys_of_other_accounts_by_alias(self) -> None:
        for account, alias, action, service in (
            ("111111111111", "guardrails", "kms:Decrypt", "bedrock"),
            ("111111111111", "configuration", "kms:Decrypt", "s3"),
            ("555555555555", "logging", "kms:GenerateDataKey", "sqs"),
            ("333333333333", "evaluation", "kms:GenerateDataKey", "sqs"),
        ):
            key = f"arn:aws:kms:eu-west-1:{account}:key/x"
            said = {"kms:ViaService": f"{service}.eu-west-1.amazonaws.com"}
            for name, expected in ((alias, True), ("archive", False)):
                aliases = {"kms:ResourceAliases": [f"alias/caisson-claims-eu-{name}"]}
                assert self.allowed(action, key, said | aliases) is expected
            assert not self.allowed("kms:ScheduleKeyDeletion", key, said | aliases)

    @pytest.mark.parametrize("part", ["runtime", "evaluation"])
    def test_every_role_has_the_boundary_and_no_way_past_it(self, part: str) -> None:
        found = resources(part)
        roles = {name: one for name, one in found.items() if one["Type"] == "AWS::IAM::Role"}
        assert len(roles) == {"runtime": 3, "evaluation": 2}[part]
        assert {json.dumps(one["Properties"]["PermissionsBoundary"]) for one in roles.values()} == {
            json.dumps({"Ref": "Boundary"})
        }
        bound = policy(found["Boundary"]["Properties"]["PolicyDocument"], Kind.BOUNDARY)
        for action in (
            "iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole", "bedrock:PutEnforcedGuardrailConfiguration",
            "bedrock:DeleteGuardrail", "dynamodb:DeleteTable", "kms:PutKeyPolicy", "sqs:PurgeQueue",
            *(() if part == "evaluation" else ("sqs:ReceiveMessage",)),
        ):  # fmt: skip
            found_ = outcome(f"{ROLES}gateway", action, "*", {}, boundary=(bound,))
            assert found_ is Outcome.DENY_IMPLICIT, action

    def test_is_taken_by_tasks_of_the_account(self) -> None:
        (statement,) = resources()["GatewayRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "222222222222"}


class TestEvaluations:
    """The queue of what is to be evaluated: who is at its ends, by the policies of queue, key, role and endpoint."""

    def sent(self, who: str, action: str = "sqs:SendMessage") -> bool:
        """By the queue alone, of somebody whom his own account allows everything."""
        own = policy(resources("evaluation")["EvaluationsPolicy"]["Properties"]["PolicyDocument"], Kind.RESOURCE)
        return (
            outcome(
                who,
                action,
                EVALUATIONS,
                VIA["QueueEndpoint"] | {"aws:SecureTransport": "true"},
                account="333333333333",
                resource=(own,),
            )
            is Outcome.ALLOW
        )

    def test_the_gateway_sends_and_nobody_else_of_its_account(self) -> None:
        assert self.sent(f"{ROLES}gateway")
        for who in (f"{ROLES}session", f"{ROLES}deployment", "arn:aws:iam::222222222222:role/admin",
                    "arn:aws:iam::555555555555:role/caisson/claims-eu/caisson-claims-eu-gateway"):  # fmt: skip
            assert not self.sent(who), who

    @pytest.mark.parametrize("action", ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"])
    def test_the_judge_alone_receives(self, action: str) -> None:
        assert self.sent(JUDGE, action)
        for who in ("arn:aws:iam::333333333333:role/admin", f"{ROLES}gateway", JUDGE.replace("judge", "settings")):
            assert not self.sent(who, action), who

    @pytest.mark.parametrize(
        ("action", "on", "expected"),
        [
            ("sqs:ReceiveMessage", EVALUATIONS, True),
            ("sqs:DeleteMessage", EVALUATIONS, True),
            ("sqs:SendMessage", QUEUE, True),
            ("sqs:SendMessage", EVALUATIONS, False),
            ("sqs:ReceiveMessage", QUEUE, False),
            ("sqs:PurgeQueue", EVALUATIONS, False),
            ("sqs:ReceiveMessage", f"{EVALUATIONS}-aside", False),
        ],
    )
    def test_what_the_judge_s_role_does(self, action: str, on: str, expected: bool) -> None:
        found = resources("evaluation")
        own = policy(found["JudgePolicy"]["Properties"]["PolicyDocument"], Kind.IDENTITY)
        bound = policy(found["Boundary"]["Properties"]["PolicyDocument"], Kind.BOUNDARY)
        through = policy(found["QueueEndpoint"]["Properties"]["PolicyDocument"], Kind.ENDPOINT)
        layers = {"identity": (own,), "boundary": (bound,), "endpoint": (through,)}
        account = "333333333333"
        via = VIA["QueueEndpoint"]
        assert (outcome(JUDGE, action, on, via, account=account, **layers) is Outcome.ALLOW) is expected
        assert (
            outcome(JUDGE, action, on, {"aws:PrincipalOrgID": "o-exampleorg"}, account=account, **layers)
            is not Outcome.ALLOW
        )
        gateway = outcome(f"{ROLES}gateway", action, on, via, **layers)
        assert gateway is not Outcome.ALLOW  # not through the judge's endpoint

    def test_the_key_is_used_by_both_ends_through_sqs_alone(self) -> None:
        own = policy(resources("evaluation")["EvaluationKey"]["Properties"]["KeyPolicy"], Kind.RESOURCE)
        key = "arn:aws:kms:eu-west-1:333333333333:key/x"
        for who, action, service, expected in (
            (f"{ROLES}gateway", "kms:GenerateDataKey", "sqs", True),
            (JUDGE, "kms:Decrypt", "sqs", True),
            (JUDGE, "kms:GenerateDataKey", "sqs", False),
            (JUDGE, "kms:Decrypt", "s3", False),
            (f"{ROLES}session", "kms:Decrypt", "sqs", False),
            ("arn:aws:iam::333333333333:role/admin", "kms:Decrypt", "sqs", False),
        ):
            said = {"kms:ViaService": f"{service}.eu-west-1.amazonaws.com"}
            found = outcome(who, action, key, said, account="333333333333", resource=(own,))
            assert (found is Outcome.ALLOW) is expected, (who, action, service)

    def test_where_nobody_judges_there_is_none(self) -> None:
        assert not any("-evaluations" in text for text in deployed("one-account").files.values())
        assert any("-evaluations" in text for text in deployed("three-accounts").files.values())


class TestTable:
    """Its own policy, against somebody whom a policy of theirs allows everything."""

    @pytest.mark.parametrize(
        ("who", "action", "via", "allowed"),
        [
            ("gateway", "GetItem", "LedgerEndpoint", True),
            ("gateway", "PutItem", "LedgerEndpoint", False),
            ("session", "PutItem", "LedgerEndpoint", True),
            ("session", "DeleteItem", "LedgerEndpoint", True),  # by the table; not by its own policy
            ("session", "PutItem", "ModelEndpoint", False),
            ("deployment", "GetItem", "LedgerEndpoint", False),
            ("deployment", "Scan", "LedgerEndpoint", False),
            ("deployment", "UpdateTable", "ModelEndpoint", True),
        ],
    )
    def test_lets_in_the_two_roles_through_the_endpoint(self, who: str, action: str, via: str, allowed: bool) -> None:
        own = policy(resources()["Ledger"]["Properties"]["ResourcePolicy"]["PolicyDocument"], Kind.RESOURCE)
        found = outcome(f"{ROLES}{who}", f"dynamodb:{action}", TABLE, VIA[via], resource=(own,))
        assert (found is Outcome.ALLOW) is allowed


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
        for via, through in ((VIA["LedgerEndpoint"], True), (VIA["TokenEndpoint"], False), ({}, False)):
            found = outcome(f"{ROLES}session", f"dynamodb:{action}", TABLE, said | via, **self.documents())
            assert (found is Outcome.ALLOW) is (allowed and through)

    def assumed(self, who: str, asked: dict[str, Any], **documents: Any) -> bool:
        trusted = policy(resources()["SessionRole"]["Properties"]["AssumeRolePolicyDocument"], Kind.TRUST)
        found = outcome(who, "sts:AssumeRole", f"{ROLES}session", asked, resource=(trusted,), **documents)
        return found is Outcome.ALLOW

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
        assert self.assumed(who, requested() | {"aws:RequestTag/SessionId": tag}) is allowed

    @pytest.mark.parametrize("tag", TAGS)
    def test_every_tag_is_there_and_transitive_and_there_is_no_other(self, tag: str) -> None:
        who, asked = f"{ROLES}gateway", requested()
        others = [one for one in TAGS if one != tag]
        assert self.assumed(who, asked)
        assert not self.assumed(who, asked | {f"aws:RequestTag/{tag}": None, "aws:TagKeys": others})
        assert not self.assumed(who, asked | {"sts:TransitiveTagKeys": others})
        assert not self.assumed(who, asked | {"sts:TransitiveTagKeys": None})
        assert not self.assumed(who, asked | {"aws:RequestTag/Other": "x", "aws:TagKeys": [*TAGS, "Other"]})

    def test_the_zone_s_endpoint_is_the_only_way_to_it(self) -> None:
        for via in (VIA["LedgerEndpoint"], {"aws:SourceVpce": None}):
            assert not self.assumed(f"{ROLES}gateway", requested() | via)

    def test_what_the_adapter_asks_of_sts_is_what_the_role_wants(self) -> None:
        """The form that `SessionIdentities` sends, as IAM sees it; anything less is refused above."""
        sent = asyncio.run(sent_to_sts(user="auth0|alice", agent="claims", task="answer"))
        keys = [sent[f"Tags.member.{n}.Key"] for n in range(1, 5)]
        transitive = [value for name, value in sent.items() if name.startswith("TransitiveTagKeys.member.")]
        assert len([name for name in sent if name.startswith("Tags.")]) == 8
        tags = {f"aws:RequestTag/{key}": sent[f"Tags.member.{n}.Value"] for n, key in enumerate(keys, start=1)}
        asked = {**VIA["TokenEndpoint"], **tags, "aws:TagKeys": keys, "sts:TransitiveTagKeys": transitive}
        own = policy(resources()["GatewayPolicy"]["Properties"]["PolicyDocument"] | {"Statement": own_statements()},
                     Kind.IDENTITY)  # fmt: skip
        endpoint = policy(resources()["TokenEndpoint"]["Properties"]["PolicyDocument"], Kind.ENDPOINT)
        assert self.assumed(f"{ROLES}gateway", asked, identity=(own,), endpoint=(endpoint,))
        assert sent["RoleArn"] == f"{ROLES}session"
        assert sent["DurationSeconds"] == "900"

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


@pytest.mark.parametrize("name", ["one-account", "three-accounts"])
def test_the_networks_have_no_way_out_and_endpoints_for_what_is_called(name: str, tmp_path: Path) -> None:
    write(tmp_path / "out", deployed(name).files, deployed(name).manifest)
    made = network(read(tmp_path / "out"))
    zones = 2 if readings()[name].require().judge is not None else 1
    functions = sum(place.invokes for place in land_of(readings()[name]).places)  # each in a network of its own
    assert len(made.vpcs) == zones + functions and not any(vpc.gateway for vpc in made.vpcs.values())
    assert not any(table.routes for table in made.tables.values())
    assert not (made.nats or made.peerings or made.attachments)
    ends = [one for one in made.interfaces.values() if one.role is Role.ENDPOINT]
    of_functions, of_zones = ["bedrock", "config"], ["bedrock-runtime", "sqs"]
    assert sorted(one.service for one in ends) == sorted(of_functions * functions + of_zones * zones + ["sts"])
    others = [one for one in made.interfaces.values() if one.role is not Role.ENDPOINT]
    assert sorted(one.id.rpartition("/")[2] for one in others) == sorted(["Checks", "Settings"] * functions)
    apart = {subnet for one in ends if one.service not in of_functions for subnet in one.subnets}
    theirs = [*others, *(one for one in ends if one.service in of_functions)]
    assert not apart & {subnet for one in theirs for subnet in one.subnets}
    opened = [rule for group in made.groups.values() for rule in group.rules if not rule.egress and not rule.group]
    assert opened == []


class TestEnforcement:
    def stacks(self, name: str) -> dict[str, dict[str, Any]]:
        return {
            stack["part"]: stack
            for stack in deployed(name).manifest["stacks"]
            if stack["part"].startswith("enforcement-")
        }

    @pytest.mark.parametrize(
        ("name", "parts"),
        [
            ("example", {"enforcement-runtime", "enforcement-evaluation"}),
            ("one-account", {"enforcement-control-runtime-evaluation-ingestion-logging-network"}),
            ("three-accounts", set()),  # one account, two guardrails: one of them would bind who names the other
            ("every-key", {"enforcement-evaluation"}),
            ("management-only", set()),
        ],
    )
    def test_an_account_with_a_single_guardrail_enforces_it(self, name: str, parts: set[str]) -> None:
        assert set(self.stacks(name)) == parts
        rows = json.loads(deployed(name).files["rows.json"])["S42"]
        assert sorted(rows) == sorted(f"{stack['name']}/Enforced" for stack in self.stacks(name).values())

    @pytest.mark.parametrize("part", ["runtime", "evaluation"])
    def test_in_the_version_that_the_organization_s_policy_pins(self, part: str) -> None:
        made = template("example", f"enforcement-{part}")
        (pin,) = made["Parameters"]
        models = template("example", "organization")["Resources"][f"Models{part.capitalize()}"]["Properties"]["Content"]
        (pinned,) = [one for one in models["Statement"] if one["Sid"] == "PinnedGuardrail"]
        assert pinned["Condition"]["StringNotEquals"]["bedrock:GuardrailIdentifier"] == {"Ref": pin}
        found = made["Resources"]["Enforced"]["Properties"]
        assert joined(found["GuardrailIdentifier"], pin) == PIN.rpartition(":")[0]
        assert joined(found["GuardrailVersion"], pin) == "3"
        assert set(found["SelectiveContentGuarding"].values()) == {"COMPREHENSIVE"}
        assert "ModelEnforcement" not in found, "all models"

    def test_after_the_guardrails_and_holding_up_nothing_else(self) -> None:
        order = [stack["part"] for stack in deployed("example").manifest["stacks"]]
        own = self.stacks("example")
        assert set(order[-len(own) :]) == set(own)
        guardrails = next(one["name"] for one in deployed("example").manifest["stacks"] if one["part"] == "guardrails")
        for stack in own.values():
            assert [parameter["output_of"] for parameter in stack["parameters"]] == [guardrails]


def joined(value: Any, pin: str) -> str:
    """What CloudFormation makes of Ref, Join, Split and Select."""
    if isinstance(value, str):
        return value
    ((function, given),) = value.items()
    if function == "Ref":
        assert given == pin
        return PIN
    if function == "Fn::Join":
        return str(given[0]).join(joined(one, pin) for one in given[1])
    assert function == "Fn::Select", function
    return joined(given[1]["Fn::Split"][1], pin).split(given[1]["Fn::Split"][0])[int(given[0])]


def test_a_row_without_a_resource_says_precisely_why() -> None:
    missing = {name: json.loads(deployed(name).files["rows.missing.json"]) for name in ("example", "three-accounts")}
    assert "cannot start there" in missing["example"]["S02"]
    assert "S42" not in missing["example"]
    assert "single guardrail" in missing["three-accounts"]["S42"]


@pytest.mark.parametrize("name", ["example", "every-key"])
def test_where_the_file_names_hosts_the_runtime_has_one_way_to_the_transit_gateway(name: str, tmp_path: Path) -> None:
    """The judge has none. Where the way leads is walked in `test_deploy_egress`."""
    write(tmp_path / "out", deployed(name).files, deployed(name).manifest)
    made = network(read(tmp_path / "out"))
    parts = {stack["name"]: stack["part"] for stack in deployed(name).manifest["stacks"]}
    zones = {"runtime", "evaluation"}
    vpcs = {id_: vpc for id_, vpc in made.vpcs.items() if parts[id_.partition("/")[0]] in zones}
    assert len(vpcs) == 2 and not any(vpc.gateway for vpc in vpcs.values())
    routes = [
        (parts[id_.partition("/")[0]], route.via)
        for id_, table in made.tables.items()
        if parts[id_.partition("/")[0]] in zones
        for route in table.routes
    ]
    assert routes == [("runtime", Via.TRANSIT)]
    assert [one for one in made.attachments.values() if one.vpc in vpcs and not one.vpc.endswith("runtime/Vpc")] == []
    assert not made.peerings and not any(nat.subnet.partition("/")[0] in vpcs for nat in made.nats.values())
    endpoints = [one for one in made.interfaces.values() if one.role is Role.ENDPOINT and one.vpc in vpcs]
    assert {one.service for one in endpoints} == {"bedrock-runtime", "sts", "sqs"} and len(endpoints) == 5
    opened = [
        rule
        for group in made.groups.values()
        if group.vpc in vpcs
        for rule in group.rules
        if not rule.egress and not rule.group
    ]
    assert opened == []
