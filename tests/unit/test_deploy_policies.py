"""The organization's policies: golden documents, sizes, names that AWS knows, and what they deny and spare."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from caisson.deploy.policies import (
    checks,
    delivery,
    floor,
    function,
    inference,
    invocations,
    ledger,
    management,
    network,
    people,
    recordings,
    repository,
    stream,
    workload,
    zone,
)
from caisson.deploy.policies.catalogue import OrganizationPolicy
from caisson.deploy.policies.events import selectors
from caisson.deploy.policies.packing import INLINE_CHARACTERS_MAX, LIMITS, check_attachments, check_inline
from caisson.deploy.policies.statement import Parameter, Statement, characters, document, minified
from caisson.errors import OperatorError
from deployments import every_key, land_of, management_only, one_account, policies_of, readings, with_models
from policy_evaluator import Request, denied_by

GOLDEN = Path(__file__).parents[1] / "golden/policies"
ACCOUNTS = {"runtime": "222222222222", "control": "111111111111"}
PINS = {"GuardrailMain": "arn:aws:bedrock:eu-west-1:111111111111:guardrail/gr1a2b3c4d5e:3"}
ENDPOINTS = {"RuntimeModelEndpoint": "vpce-0123456789abcdef0"}
MODEL = "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"
GATEWAY = "arn:aws:iam::222222222222:role/caisson/claims-eu/caisson-claims-eu-gateway"
DEPLOYMENT = "arn:aws:iam::222222222222:role/caisson/claims-eu/caisson-claims-eu-deployment"
OPERATOR = (
    "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/"
    "AWSReservedSSO_caisson-claims-eu-operator_0123456789abcdef"
)


def others() -> dict[str, dict[str, Any]]:
    """Documents that are attached to a resource or a permission set, of the example."""
    land = land_of(readings()["example"])
    sets = people.permission_sets(land.names, partition="aws", region="eu-west-1", accounts=land.accounts)
    return {
        **{f"people-{found.duty}": document(found.statements) for found in sets},
        "floor": floor.bedrock_policy("eu-west-1", PINS["GuardrailMain"]),
        "floor-resource": document((floor.applied_by_members("arn:of:the:floor", "o-exampleorg"),)),
        "trail-bucket": document(
            delivery.bucket_statements(
                bucket="caisson-trail", trail="arn:of:the:trail", management="000000000000",
                organization="o-exampleorg", partition="aws",
            )
        ),
        "trail-key": document(
            delivery.key_statements(
                account="555555555555", administrators=["arn:of:a:deployer"], trail="arn:of:the:trail",
                management="000000000000", readers=["arn:of:a:reader"], partition="aws",
            )
        ),
        "endpoint-runtime": document(
            network.endpoint_statements(
                caller="arn:of:the:gateway", organization="o-exampleorg", models=land.models_of("runtime"),
                pins=land.place("runtime").pins, guardrails=["arn:of:the:guardrail"], partition="aws",
                region="eu-west-1",
            )
        ),
        "endpoint-ledger": document(
            network.ledger_endpoint(
                caller="arn:of:the:gateway", organization="o-exampleorg", sessions="arn:of:sessions",
                table="arn:of:the:table",
            )
        ),
        "endpoint-queues": document(
            network.queue_endpoint(
                caller="arn:of:the:gateway", organization="o-exampleorg", queues=["arn:of:a:queue"]
            )
        ),
        "endpoint-queues-read": document(
            network.queue_endpoint(
                caller="arn:of:the:judge", organization="o-exampleorg", queues=["arn:of:a:queue"],
                reads=["arn:of:another"],
            )
        ),
        "receiving": document(
            workload.receiving(channel="evaluations", queue="arn:of:a:queue", endpoint="vpce-1")
        ),
        "queue-evaluations": document(
            zone.queue_statements(
                "arn:of:a:queue", writers=["222222222222"], roles=["arn:of:the:gateway"], reader="arn:of:the:judge",
                partition="aws",
            )
        ),
        "endpoint-tokens": document(
            network.token_endpoint(
                caller="arn:of:the:gateway", organization="o-exampleorg", sessions="arn:of:sessions"
            )
        ),
        "gateway": document(
            (
                *workload.invoking(
                    models=land.models_of("runtime"), pins=land.place("runtime").pins,
                    guardrails=["arn:of:the:guardrail"], endpoint="vpce-1", partition="aws", region="eu-west-1",
                ),
                workload.guardrail_key(keys="arn:of:keys", alias="alias/guardrails"),
                *workload.reading_ledger(table="arn:of:the:table", endpoint="vpce-2"),
                workload.assuming_sessions(sessions="arn:of:sessions", endpoint="vpce-3"),
                *workload.sending(
                    channel="events", queue="arn:of:a:queue", endpoint="vpce-4", keys="arn:of:keys",
                    alias="alias/logging", region="eu-west-1",
                ),
            )
        ),
        "boundary": document(workload.boundary()),
        "boundary-configured": document(workload.boundary(configured=True)),
        "boundary-control": document(repository.boundary()),
        "stream-bucket": document(
            stream.bucket_statements("a-bucket", writer="arn:of:firehose", reader="arn:of:the:siem", partition="aws")
        ),
        "stream-key": document(
            stream.key_statements(
                account="555555555555", deployment="arn:of:a:deployer", writer="arn:of:firehose",
                reader="arn:of:the:siem", region="eu-west-1", partition="aws",
            )
        ),
        "stream-delivering": document(
            stream.delivering("a-bucket", "arn:of:a:key", "arn:of:a:line", region="eu-west-1", partition="aws")
        ),
        "stream-reading": document(stream.reading("a-bucket", "arn:of:a:key", region="eu-west-1", partition="aws")),
        "stream-trust": document((stream.delivery_trust("555555555555"),)),
        "subscription-trust": document((stream.subscription_trust("555555555555", "eu-west-1", "aws"),)),
        "subscribing": document((stream.subscribing("arn:of:the:stream"),)),
        "siem-trust": document((stream.siem_trust("777777777777", "o-exampleorg", "aws"),)),
        "repository-bucket": document(
            repository.bucket_statements(
                "a-bucket", publisher="arn:of:the:control-zone", reader="arn:of:the:gateway", readers="222222222222",
                organization="o-exampleorg", partition="aws",
            )
        ),
        "repository-key": document(
            repository.key_statements(
                account="111111111111", deployment="arn:of:a:deployer", publisher="arn:of:the:control-zone",
                reader="arn:of:the:gateway", readers="222222222222", region="eu-west-1", partition="aws",
            )
        ),
        "repository-publishing": document(
            repository.publishing("a-bucket", "arn:of:a:key", region="eu-west-1", partition="aws")
        ),
        "repository-reading": document(
            repository.reading(
                "a-bucket", endpoint="vpce-5", keys="arn:of:keys", alias="alias/configuration", region="eu-west-1",
                partition="aws",
            )
        ),
        "endpoint-configuration": document(
            repository.endpoint_statements(
                caller="arn:of:the:gateway", organization="o-exampleorg", bucket="a-bucket", partition="aws"
            )
        ),
        "boundary-receives": document(workload.boundary(receives=True)),
        "ledger-table": document(
            ledger.table_statements(
                table="arn:of:the:table", gateway="arn:of:the:gateway", session="arn:of:sessions", endpoint="vpce-1"
            )
        ),
        "task-trust": document(
            workload.task_trust(account="222222222222", region="eu-west-1", partition="aws")
        ),
        "invocations-bucket": document(
            invocations.bucket_statements("a-bucket", "222222222222", "eu-west-1", "aws")
        ),
        "invocations-key": document((invocations.bucket_encryption("222222222222", "eu-west-1", "aws"),)),
        "recordings-bucket": document(
            recordings.bucket_statements(
                bucket="a-bucket", accounts=["222222222222", "333333333333"], organization="o-exampleorg",
                partition="aws",
            )
        ),
        "recordings-key": document(
            (recordings.bucket_encryption(["222222222222", "333333333333"], "o-exampleorg"),)
        ),
        "delivery-trust": document((invocations.delivery_trust("222222222222", "eu-west-1", "aws"),)),
        "delivery-writing": document((invocations.delivery_writing("arn:of:a:log-group"),)),
        "checks-doing": document(
            checks.checks_doing(log_group="arn:of:a:log-group", function="arn:of:a:function")
        ),
        "checks-looking": document((checks.looking_endpoint("arn:of:the:function-role", "o-exampleorg"),)),
        "checks-verdicts": document((checks.verdicts_endpoint("arn:of:the:function-role", "o-exampleorg"),)),
        "function-trust": document((function.taken(),)),
        "settings-doing": document(
            invocations.settings_doing(
                log_group="arn:of:a:log-group", delivery_role="arn:of:a:role", function="arn:of:a:function"
            )
        ),
        "settings-endpoint": document((invocations.settings_endpoint("arn:of:the:function-role", "o-exampleorg"),)),
        "settings-answers": document((invocations.answers_endpoint("eu-west-1", "aws"),)),
        "flows-trust": document((network.flow_log_trust("222222222222"),)),
        "log-delivery": document(
            (network.log_delivery("arn:of:a:log-group:log-stream:*", "666666666666", "eu-west-1"),)
        ),
        "flows-writing": document((network.flow_log_writing("arn:of:a:log-group"),)),
        "session-items": document(
            (ledger.session_items("arn:of:the:table", "vpce-1"), ledger.key_of_the_table("arn:of:a:key", "eu-west-1"))
        ),
        "session-trust": document(
            ledger.session_trust(account_root="arn:of:the:account", gateway="arn:of:the:gateway", endpoint="vpce-1")
        ),
    }  # fmt: skip


@cache
def example() -> dict[str, OrganizationPolicy]:
    return {policy.id: policy for policy in policies_of(readings()["example"])}


def golden(name: str, found: dict[str, Any]) -> None:
    path = GOLDEN / f"{name}.json"
    text = json.dumps(found, indent=2) + "\n"
    assert path.read_text(encoding="utf-8") == text, (
        f"{path} differs; write it anew only when a policy changes on purpose"
    )


@pytest.mark.parametrize("kind", ["example", "every-key", "three-accounts"])
def test_each_policy_is_its_golden_file(kind: str) -> None:
    found = policies_of(readings()[kind])
    for policy in found:
        golden(f"{kind}/{policy.id}", policy.document())
    assert {path.stem for path in (GOLDEN / kind).iterdir()} == {policy.id for policy in found}


@pytest.mark.parametrize("name", sorted(others()))
def test_each_other_document_is_its_golden_file(name: str) -> None:
    golden(name, others()[name])


@pytest.mark.parametrize("name", sorted(readings()))
def test_every_policy_and_target_keeps_within_aws_s_limits(name: str) -> None:
    found = policies_of(readings()[name])
    for policy in found:
        assert policy.characters <= LIMITS[policy.kind].characters
        assert policy.characters >= len(minified(policy.document()).encode()), "a parameter counts at its longest"
        assert len(policy.name) <= 128
        assert len(policy.description) <= 512
        assert set(policy.rows) <= {f"S{row:02d}" for row in range(1, 78)}
    attached = check_attachments((policy.kind, target) for policy in found for target in policy.targets)
    for kind, targets in attached.items():
        assert max(targets.values()) <= LIMITS[kind].per_target - LIMITS[kind].standing
    names = [policy.name for policy in found]
    assert len(set(names)) == len(names)


def test_permission_sets_keep_within_aws_s_limits() -> None:
    for reading in (readings()["example"], every_key()):
        land = land_of(reading)
        for found in people.permission_sets(land.names, partition="aws", region="eu-west-1", accounts=land.accounts):
            assert characters(found.statements) <= INLINE_CHARACTERS_MAX
            assert len(land.names.permission_set(found.duty)) <= 32


def test_a_permission_set_that_is_too_long_is_refused() -> None:
    wide = Statement(
        sid="Wide", effect="Allow", actions=("s3:GetObject",), resources=tuple(f"arn:{n:0>500}" for n in range(21))
    )
    with pytest.raises(OperatorError, match="permission set 'reader' within 10240 characters, found 1"):
        check_inline("reader", (wide,))


def test_more_models_than_fit_are_refused_not_split() -> None:
    assert policies_of(with_models(40))
    with pytest.raises(OperatorError, match=r"'ApprovedModels' within AWS's 10240 characters, found \d+; name fewer"):
        policies_of(with_models(150))


def test_more_policies_than_a_target_takes_are_refused() -> None:
    with pytest.raises(
        OperatorError, match="at most 9 policies of type SERVICE_CONTROL_POLICY on 222222222222, found 10"
    ):
        check_attachments([("SERVICE_CONTROL_POLICY", "222222222222")] * 10)


def known_actions() -> dict[str, set[str]]:
    """Actions by service, lower-case, of the service authorization reference as cfn-lint carries it."""
    text = (files("cfnlint") / "data/AdditionalSpecs/Policies.json").read_text(encoding="utf-8")
    return {service: set(found["Actions"]) for service, found in json.loads(text).items()}


def statements() -> list[dict[str, Any]]:
    documents = [policy.document() for reading in readings().values() for policy in policies_of(reading)]
    documents += [found for name, found in others().items() if name != "floor"]
    return [statement for found in documents for statement in found["Statement"]]


def listed(statement: dict[str, Any], key: str) -> list[str]:
    value = statement.get(key, [])
    return value if isinstance(value, list) else [value]


def test_aws_knows_every_action_that_a_policy_names() -> None:
    known = known_actions()
    for statement in statements():
        for action in listed(statement, "Action") + listed(statement, "NotAction"):
            service, _, name = action.partition(":")
            prefix, star, rest = name.lower().partition("*")
            assert not rest, action
            names = known[service]
            assert any(found.startswith(prefix) for found in names) if star else prefix in names, action


def test_wildcards_stand_only_where_they_are_explained() -> None:
    """`*` as principal or as a whole service's actions: in a Deny, or where AWS asks for it."""
    aws_asks_for = {
        "AppliedByMembers", "ZoneInvokes", "ZoneAppliesGuardrails", "ZoneAssumes", "ZoneSends", "ZoneReadsLedger",
        "SessionsKeepBudgets", "FunctionSets", "FunctionLooks",
        "FunctionSays", "ZoneReceives", "ZoneReadsConfiguration", "ZoneListsConfiguration",
    }  # fmt: skip
    without_resource = {
        "Settings": management.SETS, "Interface": management.ELASTIC_INTERFACES, "Looks": checks.LOOKS,
        "Says": checks.SAYS,
    }  # fmt: skip
    for statement in statements():
        allows = statement["Effect"] == "Allow"
        for action in listed(statement, "Action"):
            assert not (allows and action.endswith(":*")), statement["Sid"]
            assert action != "*"
        if statement["Sid"] == "Answers":  # signed by CloudFormation: one action on its own bucket
            assert listed(statement, "Action") == ["s3:PutObject"]
            assert statement["Resource"] == "arn:aws:s3:::cloudformation-custom-resource-response-euwest1/*"
        elif allows and statement.get("Principal") == "*":
            assert statement["Sid"] in aws_asks_for
            assert statement["Condition"]["StringEquals"] == {"aws:PrincipalOrgID": "o-exampleorg"}
            if statement["Sid"].startswith("Zone"):  # of an endpoint: one role
                assert statement["Condition"]["ArnLike"]["aws:PrincipalArn"] in (
                    "arn:of:the:gateway",
                    "arn:of:the:judge",
                )
            if statement["Sid"].startswith("Sessions"):
                assert statement["Condition"]["ArnLike"] == {"aws:PrincipalArn": "arn:of:sessions"}
            if statement["Sid"].startswith("Function"):
                assert statement["Condition"]["ArnLike"] == {"aws:PrincipalArn": "arn:of:the:function-role"}
        if allows and "Principal" not in statement and statement["Sid"] != "AtMost":  # a boundary grants nothing
            if statement["Sid"] in without_resource:  # the account's settings; interfaces that Lambda makes
                assert set(listed(statement, "Action")) == set(without_resource[statement["Sid"]])
            else:
                assert "*" not in listed(statement, "Resource"), statement["Sid"]


def test_no_account_number_or_arn_of_ours_stands_in_the_code() -> None:
    import re

    for path in (Path(__file__).parents[2] / "src/caisson/deploy").rglob("*.py"):
        text = re.sub(r'"""[^"]*>>>.*?"""', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.findall(r"[0-9]{12}|arn:aws:", text), path


TRAIL = "arn:aws:cloudtrail:eu-west-1:000000000000:trail/caisson-claims-eu-trail"
LOG_GROUP = "arn:aws:logs:eu-west-1:222222222222:log-group:/caisson/claims-eu/events"


class InAccount:
    """The example's policies as one account meets them, with the values that AWS would have assigned."""

    def __init__(self, zone: str) -> None:
        land = land_of(readings()["example"])
        target = land.place(zone).target
        values = {**PINS, **ENDPOINTS}

        def assigned(parameter: Parameter) -> str:
            return values[parameter.name]

        self.documents = [
            policy.document(assigned)
            for policy in policies_of(readings()["example"])
            if policy.kind == "SERVICE_CONTROL_POLICY" and target in policy.targets
        ]

    def denied(self, action: str, resource: str = "*", **context: str) -> set[str]:
        here = {"aws:requestedregion": "eu-west-1", "aws:principalarn": GATEWAY}
        here |= {key.replace("__", ":").lower(): value for key, value in context.items()}
        missing = {key for key, value in here.items() if value == "missing"}
        return denied_by(
            self.documents,
            Request(action=action, resource=resource, context={k: v for k, v in here.items() if k not in missing}),
        )

    def invocation(self, resource: str = MODEL, action: str = "bedrock:InvokeModel", **context: str) -> set[str]:
        guarded = {
            "bedrock__GuardrailIdentifier": PINS["GuardrailMain"],
            "aws__SourceVpce": ENDPOINTS["RuntimeModelEndpoint"],
        }
        return self.denied(action, resource, **{**guarded, **context})


@cache
def in_control() -> InAccount:
    return InAccount("control")


@pytest.fixture(scope="module")
def runtime() -> InAccount:
    return InAccount("runtime")


def test_the_gateway_s_own_call_is_not_denied(runtime: InAccount) -> None:
    for action in inference.INVOKE:
        assert runtime.invocation(action=action) == set()
    assert runtime.denied("bedrock:ApplyGuardrail", aws__SourceVpce=ENDPOINTS["RuntimeModelEndpoint"]) == set()


@pytest.mark.parametrize(
    ("changed", "sid"),
    [
        ({"bedrock__GuardrailIdentifier": "missing"}, "PinnedGuardrail"),
        ({"bedrock__GuardrailIdentifier": PINS["GuardrailMain"].replace(":3", ":4")}, "PinnedGuardrail"),
        ({"bedrock__GuardrailIdentifier": PINS["GuardrailMain"].removesuffix(":3")}, "PinnedGuardrail"),
        (
            {"bedrock__GuardrailIdentifier": PINS["GuardrailMain"].replace("111111111111", "222222222222")},
            "PinnedGuardrail",
        ),
        ({"aws__SourceVpce": "missing"}, "ThroughEndpoint"),
        ({"aws__SourceVpce": "vpce-00000000"}, "ThroughEndpoint"),
        ({"aws__RequestedRegion": "us-east-1"}, "InvocationGeography"),
        ({"aws__RequestedRegion": "eu-central-1"}, "InvocationGeography"),
        ({"aws__RequestedRegion": "unspecified"}, "InvocationGeography"),
        ({"resource": MODEL.replace("sonnet", "opus")}, "ApprovedModels"),
        ({"resource": "arn:aws:bedrock:eu-west-1:222222222222:imported-model/x"}, "ApprovedModels"),
        ({"resource": "arn:aws:bedrock:eu-west-1:222222222222:provisioned-model/x"}, "ApprovedModels"),
        ({"resource": "arn:aws:bedrock:eu-west-1:222222222222:project/x"}, "NoProjectsNoAsync"),
        ({"resource": "arn:aws:bedrock:eu-west-1:222222222222:async-invoke/x"}, "NoProjectsNoAsync"),
    ],
    ids=str,
)
@pytest.mark.parametrize("action", inference.INVOKE)
def test_any_other_invocation_is_denied(runtime: InAccount, action: str, changed: dict[str, str], sid: str) -> None:
    assert sid in runtime.invocation(action=action, **changed)


def test_what_aws_calls_on_our_behalf_passes_by_the_endpoint(runtime: InAccount) -> None:
    assert runtime.invocation(aws__SourceVpce="missing", aws__ViaAWSService="true") == set()
    assert "ThroughEndpoint" in runtime.invocation(aws__SourceVpce="missing", aws__ViaAWSService="false")


def test_a_global_profile_is_denied_whatever_is_asked(runtime: InAccount) -> None:
    profile = (
        "arn:aws:bedrock:eu-west-1:222222222222:inference-profile/global.anthropic.claude-sonnet-4-5-20250929-v1:0"
    )
    assert "NoGlobalProfiles" in runtime.denied(
        "bedrock:GetInferenceProfile", aws__RequestedRegion="unspecified", bedrock__InferenceProfileArn=profile
    )
    assert "ApprovedModels" in runtime.invocation(profile)


@pytest.mark.parametrize("action", inference.UNGUARDABLE + management.STATIC_CREDENTIALS + management.CUSTOMISE)
@pytest.mark.parametrize("principal", [GATEWAY, DEPLOYMENT, OPERATOR])
def test_unguardable_paths_and_static_credentials_are_denied_to_everybody(
    runtime: InAccount, action: str, principal: str
) -> None:
    for account in (runtime, in_control()):
        assert account.denied(action.replace("*", "CreateInference"), aws__PrincipalArn=principal)


LISTED_CHANGES = (
    "CreateGuardrail", "UpdateGuardrail", "DeleteGuardrail", "CreateGuardrailVersion",
    "PutEnforcedGuardrailConfiguration", "DeleteEnforcedGuardrailConfiguration",
    "PutModelInvocationLoggingConfiguration", "DeleteModelInvocationLoggingConfiguration", "PutResourcePolicy",
    "DeleteResourcePolicy", "PutAccountDataRetention", "CreateFoundationModelAgreement",
    "DeleteFoundationModelAgreement", "PutUseCaseForModelAccess",
)  # fmt: skip
"""AWS-FACTS C, IAM-03."""


@pytest.mark.parametrize("change", LISTED_CHANGES)
def test_no_workload_changes_what_governs_it(runtime: InAccount, change: str) -> None:
    none = {"bedrock__DataRetentionMode": "none"}
    assert "NoManagement" in runtime.denied(f"bedrock:{change}", **none)
    assert "NoManagement" in runtime.denied(f"bedrock:{change}", aws__PrincipalArn=OPERATOR, **none)
    assert runtime.denied(f"bedrock:{change}", aws__PrincipalArn=DEPLOYMENT, **none) == set()
    control = in_control()
    assert control.denied(f"bedrock:{change}", aws__PrincipalArn=OPERATOR, **none) == set()
    assert "NoManagement" in control.denied(f"bedrock:{change}", aws__PrincipalArn=GATEWAY, **none)
    lookalike = OPERATOR.replace("operator_0123456789abcdef", "operator_of-another_0123456789abcdef")
    assert "NoManagement" in control.denied(f"bedrock:{change}", aws__PrincipalArn=lookalike, **none)


def test_not_even_the_deployment_keeps_prompts_at_aws(runtime: InAccount) -> None:
    for mode in ("default", "aws_review", "missing"):
        assert "NoDataRetention" in runtime.denied(
            "bedrock:PutAccountDataRetention", aws__PrincipalArn=DEPLOYMENT, bedrock__DataRetentionMode=mode
        )


@pytest.mark.parametrize("action", management.CHANGE_ROLE)
def test_nobody_makes_or_takes_a_role_that_is_spared(runtime: InAccount, action: str) -> None:
    sso = "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x_0123456789abcdef"
    for role in (DEPLOYMENT, GATEWAY, sso):
        assert "OwnRoles" in runtime.denied(action, role)
        assert runtime.denied(action, role, aws__PrincipalArn=DEPLOYMENT) == set()
    assert runtime.denied(action, "arn:aws:iam::222222222222:role/somebody-elses") == set()
    assert runtime.denied(action, DEPLOYMENT.replace("/claims-eu/", "/claims-eu-2/")) == set()


@pytest.mark.parametrize("zone", ["control", "ingestion", "logging", "network"])
def test_no_model_answers_where_none_belongs(zone: str) -> None:
    account = InAccount(zone)
    for principal in (GATEWAY, DEPLOYMENT, OPERATOR):
        assert "NoModels" in account.invocation(aws__PrincipalArn=principal)


def test_the_judge_has_its_own_pin_and_model() -> None:
    found = example()["ModelsEvaluation"].document()
    by_sid = {statement["Sid"]: statement for statement in found["Statement"]}
    pinned = by_sid["PinnedGuardrail"]["Condition"]["StringNotEquals"]["bedrock:GuardrailIdentifier"]
    assert pinned == {"Ref": "GuardrailJudged"}
    assert MODEL not in by_sid["ApprovedModels"]["NotResource"]
    assert example()["ModelsEvaluation"].targets == ("333333333333",)
    assert example()["ModelsRuntime"].targets == ("ou-exam-runtime1",)


def test_a_geographic_profile_is_served_in_its_geography_only_and_only_as_profile() -> None:
    profile = "arn:aws:bedrock:eu-west-1:333333333333:inference-profile/eu.amazon.nova-pro-v1:0"
    model = "arn:aws:bedrock:{}::foundation-model/amazon.nova-pro-v1:0"
    policy = example()["ModelsEvaluation"].document(lambda parameter: parameter.example)
    guarded = {
        "bedrock:guardrailidentifier": land_of(readings()["example"]).place("evaluation").pins[0].example,
        "aws:sourcevpce": "vpce-" + "f" * 17,
        "bedrock:inferenceprofilearn": profile,
    }

    def denied(region: str, resource: str, **changed: str) -> set[str]:
        context = {**guarded, "aws:requestedregion": region, **{k.replace("__", ":"): v for k, v in changed.items()}}
        context = {key: value for key, value in context.items() if value != "missing"}
        return denied_by([policy], Request(action="bedrock:InvokeModel", resource=resource, context=context))

    for region in ("eu-west-1", "eu-central-1"):
        assert denied(region, profile) == denied(region, model.format(region)) == set()
    assert "InvocationGeography" in denied("us-east-1", model.format("us-east-1"))
    assert "ApprovedModels" in denied("us-east-1", model.format("us-east-1"))
    direct = {"bedrock__inferenceprofilearn": "missing"}
    assert denied("eu-west-1", model.format("eu-west-1"), **direct) == set()
    assert denied("eu-central-1", model.format("eu-central-1"), **direct) == {"OtherRegionsByProfile"}


@pytest.mark.parametrize(
    ("action", "spared"),
    [("s3:PutObject", False), ("ec2:RunInstances", False), ("iam:GetRole", True), ("sts:AssumeRole", True)],
)
def test_one_region(runtime: InAccount, action: str, spared: bool) -> None:
    assert runtime.denied(action) == set()
    assert runtime.denied(action, aws__RequestedRegion="us-east-1") == (set() if spared else {"OneRegion"})


@pytest.mark.parametrize(
    ("action", "resource", "context", "spares_deployment"),
    [
        ("cloudtrail:StopLogging", TRAIL, {}, False),
        ("logs:PutRetentionPolicy", LOG_GROUP, {}, True),
        ("logs:Unmask", LOG_GROUP, {}, False),
        ("s3:PutLifecycleConfiguration", "arn:aws:s3:::caisson-claims-eu-trail-555555555555", {}, True),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::caisson-claims-eu-trail-555555555555/AWSLogs/x", {}, False),
        ("s3:BypassGovernanceRetention", "arn:aws:s3:::caisson-claims-eu-trail-555555555555/AWSLogs/x", {}, False),
        ("kms:PutKeyPolicy", "arn:aws:kms:eu-west-1:555555555555:key/x",
         {"aws__ResourceTag/caisson:system": "claims-eu"}, True),
        ("kms:ScheduleKeyDeletion", "arn:aws:kms:eu-west-1:555555555555:key/x",
         {"aws__ResourceTag/caisson:system": "claims-eu"}, False),
        ("guardduty:DeleteDetector", "*", {}, True),
        ("config:StopConfigurationRecorder", "*", {}, True),
        ("config:PutConfigurationRecorder", "*", {}, True),
        ("config:PutDeliveryChannel", "*", {}, True),
        ("config:PutConfigRule", "*", {}, True),
        ("events:DisableRule", "arn:aws:events:eu-west-1:222222222222:rule/caisson-claims-eu-findings", {}, True),
        ("cloudwatch:DisableAlarmActions",
         "arn:aws:cloudwatch:eu-west-1:222222222222:alarm:caisson-claims-eu-findings", {}, True),
        ("cloudwatch:DeleteAlarms",
         "arn:aws:cloudwatch:eu-west-1:222222222222:alarm:caisson-claims-eu-ChecksFailed", {}, True),
        ("s3:PutBucketPolicy", "arn:aws:s3:::caisson-claims-eu-recordings-555555555555", {}, True),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::caisson-claims-eu-recordings-555555555555/AWSLogs/x", {}, False),
        ("organizations:LeaveOrganization", "*", {}, False),
    ],
    ids=str,
)  # fmt: skip
def test_evidence_stays(
    runtime: InAccount, action: str, resource: str, context: dict[str, str], spares_deployment: bool
) -> None:
    assert runtime.denied(action, resource, **context)
    by_deployment = runtime.denied(action, resource, aws__PrincipalArn=DEPLOYMENT, **context)
    assert bool(by_deployment) is not spares_deployment


def test_a_key_that_is_not_ours_is_not_our_business(runtime: InAccount) -> None:
    assert runtime.denied("kms:ScheduleKeyDeletion", "arn:aws:kms:eu-west-1:222222222222:key/x") == set()


@pytest.mark.parametrize(
    ("action", "context", "sids"),
    [
        ("s3:GetObject", {"aws:principalorgid": "o-exampleorg"}, set()),
        ("s3:GetObject", {"aws:principalorgid": "o-stranger00"}, {"OwnPrincipals"}),
        ("s3:GetObject", {}, {"OwnPrincipals", "EncryptedTransport"}),
        ("kms:Decrypt", {"aws:principalorgid": "o-stranger00"}, {"OwnPrincipals"}),
        ("sts:AssumeRole", {"aws:principalorgid": "o-stranger00"}, {"OwnPrincipals"}),
        ("sts:AssumeRoleWithWebIdentity", {"aws:securetransport": "true"}, set()),
        (
            "s3:GetObject",
            {"aws:principalorgid": "o-exampleorg", "aws:securetransport": "false"},
            {"EncryptedTransport"},
        ),
        ("s3:GetObject", {"aws:principalorgid": "o-exampleorg", "s3:tlsversion": "1.1"}, {"NoOldTls"}),
        ("s3:GetObject", {"aws:principalorgid": "o-exampleorg", "s3:tlsversion": "1.3"}, set()),
        (
            "s3:PutObject",
            {"aws:principalisawsservice": "true", "aws:sourceaccount": "1", "aws:sourceorgid": "o-exampleorg"},
            set(),
        ),
        (
            "s3:PutObject",
            {"aws:principalisawsservice": "true", "aws:sourceaccount": "1", "aws:sourceorgid": "o-stranger00"},
            {"OwnDeliveries"},
        ),
        ("s3:PutObject", {"aws:principalisawsservice": "true", "aws:sourceaccount": "1"}, {"OwnDeliveries"}),
        ("s3:PutObject", {"aws:principalisawsservice": "true"}, set()),
    ],
    ids=str,
)
def test_resources_answer_the_organization_only(action: str, context: dict[str, str], sids: set[str]) -> None:
    policy = example()["Resources"]
    assert policy.kind == "RESOURCE_CONTROL_POLICY"
    here = context if not context or "aws:securetransport" in context else {"aws:securetransport": "true", **context}
    here = {"aws:principalisawsservice": "false", **here} if "aws:principalorgid" in here else here
    assert denied_by([policy.document()], Request(action=action, context=here)) == sids


def test_resource_control_policies_have_the_only_form_that_aws_takes() -> None:
    for statement in example()["Resources"].document()["Statement"]:
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert "NotAction" not in statement


def test_whoever_invokes_manages_nothing_and_the_other_way_round() -> None:
    """S15: no permission set invokes; no action of the data plane is one of management."""
    land = land_of(readings()["example"])
    granted = {
        action
        for found in people.permission_sets(land.names, partition="aws", region="eu-west-1", accounts=land.accounts)
        for statement in found.statements
        for action in statement.actions
    }
    assert not any("*" in action for action in granted)
    deny = [document((Statement(sid="All", effect="Deny", actions=management.MANAGE, resources=("*",)),))]
    for action in (*granted, *inference.DATA_PLANE):
        assert denied_by(deny, Request(action=action)) == set(), action
    assert not {action for action in granted if action.startswith("bedrock")}


def test_who_changes_does_not_approve() -> None:
    land = land_of(readings()["example"])
    sets = people.permission_sets(land.names, partition="aws", region="eu-west-1", accounts=land.accounts)
    by_right: dict[str, set[str]] = {}
    for found in sets:
        by_right.setdefault(found.right, set()).update(a for s in found.statements for a in s.actions)
    deciding = {"codepipeline:PutApprovalResult", "states:SendTaskSuccess", "states:SendTaskFailure"}
    assert deciding <= by_right["approve"]
    assert not deciding & by_right["configure"]
    assert "codepipeline:StartPipelineExecution" not in by_right["approve"]


def test_one_account_is_bound_by_everything_at_once() -> None:
    found = policies_of(one_account())
    assert {target for policy in found for target in policy.targets} == {"222222222222"}
    (models,) = [policy for policy in found if "S43" in policy.rows]
    assert models.id == "ModelsControlRuntimeEvaluationIngestionLoggingNetwork"


def test_the_management_account_gets_no_policy_because_none_binds_it() -> None:
    assert policies_of(management_only()) == ()


def test_names_that_look_alike_are_pinned_apart() -> None:
    names = [pin.name for pin in land_of(every_key()).place("runtime").pins]
    assert len(set(names)) == 3
    assert all(name.isalnum() for name in names)


def test_the_trail_records_what_a_management_trail_misses() -> None:
    found = selectors(["arn:of:evidence/"])
    types = {
        value for selector in found for c in selector.conditions if c.field == "resources.type" for value in c.equals
    }
    assert types >= {
        "AWS::Bedrock::Guardrail", "AWS::Bedrock::KnowledgeBase", "AWS::Bedrock::Model", "AWS::Bedrock::AsyncInvoke",
        "AWS::Bedrock::AgentAlias", "AWS::Bedrock::InlineAgent", "AWS::Bedrock::FlowAlias",
        "AWS::BedrockMantle::Project", "AWS::BedrockAgentCore::Gateway", "AWS::BedrockAgentCore::Runtime",
    }  # fmt: skip
    conditions = sum(len(c.equals) + len(c.starts_with) for selector in found for c in selector.conditions)
    assert conditions <= 500, "CloudTrail user guide: 500 conditions a trail"


SETTER = DEPLOYMENT.replace("-deployment", "-settings")
DELIVERY = DEPLOYMENT.replace("-deployment", "-delivery")
FUNCTION = "arn:aws:lambda:eu-west-1:222222222222:function:caisson-claims-eu-settings"


@pytest.mark.parametrize("action", [*management.SETS, "logs:PutLogEvents", "ec2:CreateNetworkInterface"])
def test_the_function_s_role_sets(action: str) -> None:
    context = {"bedrock__DataRetentionMode": "none"}
    assert InAccount("runtime").denied(action, aws__PrincipalArn=SETTER, **context) == set()


@pytest.mark.parametrize(
    "action",
    ["bedrock:DeleteModelInvocationLoggingConfiguration", "bedrock:UpdateGuardrail", "bedrock:InvokeModel",
     "s3:GetObject", "kms:Decrypt", "iam:CreateRole", "sts:AssumeRole", "logs:GetLogEvents", "lambda:InvokeFunction"],
)  # fmt: skip
def test_it_does_nothing_else(action: str) -> None:
    assert "SettingsOnly" in InAccount("runtime").denied(action, aws__PrincipalArn=SETTER)
    assert "SettingsOnly" not in InAccount("runtime").denied(action, aws__PrincipalArn=DEPLOYMENT)


def test_it_passes_one_role() -> None:
    account = InAccount("runtime")
    assert account.denied("iam:PassRole", DELIVERY, aws__PrincipalArn=SETTER) == set()
    for other in (DEPLOYMENT, SETTER, "arn:aws:iam::222222222222:role/somebody-elses"):
        assert account.denied("iam:PassRole", other, aws__PrincipalArn=SETTER) == {"SettingsPassDelivery"}
    assert account.denied("iam:PassRole", DELIVERY) == {"OwnRolesPassed"}


@pytest.mark.parametrize("action", management.CHANGE_FUNCTION)
def test_the_deployment_alone_calls_and_changes_its_function(action: str) -> None:
    for called in (FUNCTION, f"{FUNCTION}:1"):
        assert InAccount("runtime").denied(action, called) == {"SettingsFunction"}
        assert InAccount("runtime").denied(action, called, aws__PrincipalArn=DEPLOYMENT) == set()
    assert InAccount("runtime").denied(action, FUNCTION.replace("settings", "other")) == set()


def test_where_nothing_is_invoked_by_the_control_account_nobody_is_spared() -> None:
    assert "NoManagement" in InAccount("control").denied(
        "bedrock:PutModelInvocationLoggingConfiguration", aws__PrincipalArn=SETTER
    )
