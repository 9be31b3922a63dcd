"""Guardrails of the system file on AWS: what they evaluate, who may apply them, and that a pin is one version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from caisson.deploy import synthesis
from caisson.deploy.policies.guardrail import CONTENT, CREDENTIAL_RULES, OWN_PATTERNS_MAX, settings_of
from caisson.deploy.synthesis import synthesize
from caisson.errors import OperatorError
from caisson.system.entities import PII_TYPES
from caisson.system.guardrails import Guardrail
from caisson.system.loader import load
from deployments import aws, deployed, land_of, readings, template
from system_files import minimal, reading

ROOT = Path(__file__).parents[2]


def full() -> Guardrail:
    return load(ROOT / "examples/full/caisson.yaml").guardrails["main"]


def test_the_full_guardrail_is_its_golden_file() -> None:
    path = ROOT / "tests/golden/policies/guardrail-full.json"
    assert json.loads(path.read_text(encoding="utf-8")) == settings_of(full())


def test_a_guardrail_is_what_the_bedrock_api_takes() -> None:
    """CloudFormation's properties are the API's with a capital; botocore's model knows its bounds."""
    shape = botocore.session.get_session().get_service_model("bedrock").operation_model("CreateGuardrail").input_shape

    def lowered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key[:1].lower() + key[1:]: lowered(item) for key, item in value.items()}
        return [lowered(item) for item in value] if isinstance(value, list) else value

    from botocore.validate import ParamValidator

    report = ParamValidator().validate({"name": "x", **lowered(settings_of(full()))}, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("action", ["block", "pseudonymise", "flag"])
def test_every_type_of_aws_can_be_asked_for(action: str) -> None:
    expected = {"block": "BLOCK", "pseudonymise": "ANONYMIZE", "flag": "NONE"}[action]
    guardrail = Guardrail(prompt_attack="none", credentials="block", pii=dict.fromkeys(sorted(PII_TYPES), action))  # type: ignore[arg-type]
    types = settings_of(guardrail)["SensitiveInformationPolicyConfig"]["PiiEntitiesConfig"]
    assert len(types) == len(PII_TYPES) == 31
    for found in types:
        credential = found["Type"] in ("AWS_ACCESS_KEY", "AWS_SECRET_KEY", "PASSWORD")
        assert found["Action"] == ("BLOCK" if credential else expected), "no file loosens credentials by their type"


def test_types_that_aws_does_not_know_are_left_to_the_gateway() -> None:
    guardrail = Guardrail(prompt_attack="none", credentials="block", pii={"CH_AHV": "block"})
    types = settings_of(guardrail)["SensitiveInformationPolicyConfig"]["PiiEntitiesConfig"]
    assert "CH_AHV" not in {found["Type"] for found in types}


def actions(value: Any) -> set[str]:
    """Every action anywhere in the settings."""
    if isinstance(value, dict):
        own = {item for key, item in value.items() if key in ("Action", "InputAction", "OutputAction")}
        return own.union(*(actions(item) for item in value.values())) if value else own
    return set().union(*(actions(item) for item in value)) if isinstance(value, list) else set()


def test_a_guardrail_that_detects_acts_on_credentials_alone() -> None:
    enforcing = full()
    detecting = enforcing.model_copy(update={"mode": "detect"})
    settings = settings_of(detecting)
    sensitive = settings.pop("SensitiveInformationPolicyConfig")
    assert actions(settings) == {"NONE"}
    own = [found for found in sensitive["RegexesConfig"] if not found["Name"].startswith("credentials.")]
    assert actions(own) == {"NONE"}
    acted = [found for found in sensitive["PiiEntitiesConfig"] if found["Action"] != "NONE"]
    assert {found["Type"] for found in acted} == {"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "PASSWORD"}
    assert "BLOCK" in actions(settings_of(enforcing)["ContentPolicyConfig"])


def test_credentials_are_acted_on_as_the_file_says() -> None:
    for said, done in (("block", "BLOCK"), ("redact", "ANONYMIZE")):
        found = settings_of(Guardrail(prompt_attack="none", credentials=said))["SensitiveInformationPolicyConfig"]  # type: ignore[arg-type]
        assert actions(found) == {done}
        assert {rule["Name"] for rule in found["RegexesConfig"]} == {f"credentials.{name}" for name in CREDENTIAL_RULES}
        assert len(found["RegexesConfig"]) + OWN_PATTERNS_MAX == 30


def test_a_filter_that_is_off_is_not_there() -> None:
    settings = settings_of(Guardrail(prompt_attack="none", credentials="block"))
    assert set(settings) == {"BlockedInputMessaging", "BlockedOutputsMessaging", "SensitiveInformationPolicyConfig"}
    assert set(CONTENT.values()) == {"HATE", "INSULTS", "SEXUAL", "VIOLENCE", "MISCONDUCT"}


@pytest.mark.parametrize("name", sorted(readings()))
def test_every_pin_is_the_output_of_a_guardrail_that_is_used(name: str) -> None:
    made, land = template(name, "guardrails"), land_of(readings()[name])
    pins = {pin.name for place in land.places for pin in place.pins}
    assert set(made["Outputs"]) >= pins
    assert len(made["Outputs"]) == len(land.guardrails)
    for output in made["Outputs"].values():
        arn, version = output["Value"]["Fn::Join"][1]
        resource = made["Resources"][version["Fn::GetAtt"][0]]
        assert resource["Type"] == "AWS::Bedrock::GuardrailVersion"
        assert version["Fn::GetAtt"][1] == "Version"
        assert resource["Properties"]["GuardrailIdentifier"]["Fn::GetAtt"][0] == arn["Fn::GetAtt"][0]


def test_the_manifest_says_where_a_parameter_s_value_comes_from() -> None:
    manifest = deployed("example").manifest
    names = [found["name"] for found in manifest["stacks"]]
    assert names.index("caisson-claims-eu-guardrails") < names.index("caisson-claims-eu-organization")
    (organization,) = [found for found in manifest["stacks"] if found["part"] == "organization"]
    sources = {parameter["name"]: parameter["output_of"] for parameter in organization["parameters"]}
    assert sources == {
        "GuardrailMain": "caisson-claims-eu-guardrails",
        "GuardrailJudged": "caisson-claims-eu-guardrails",
        "RuntimeModelEndpoint": "caisson-claims-eu-runtime",
        "EvaluationModelEndpoint": "caisson-claims-eu-evaluation",
    }


def test_a_changed_guardrail_is_another_version() -> None:
    def version(**changes: Any) -> str:
        found = synthesize(reading(minimal(aws=aws(), **changes)))
        resources = json.loads(found.files["templates/caisson-tiny-guardrails.json"])["Resources"]
        return str(resources["MainVersion"]["Properties"]["Description"])

    assert version(guardrails__main__words=["falcon"]) != version(guardrails__main__blocked_input_message="No.")


def test_only_accounts_that_invoke_may_apply_a_guardrail() -> None:
    resources = template("example", "guardrails")["Resources"]
    invoking = ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]
    for name in ("Main", "Judged"):
        (statement,) = resources[f"{name}Policy"]["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Principal"] == {"AWS": invoking}
        assert statement["Action"] == ["bedrock:ApplyGuardrail", "bedrock:GetGuardrail"]
        assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg"}}
    statements = {s["Sid"]: s for s in resources["GuardrailsKey"]["Properties"]["KeyPolicy"]["Statement"]}
    assert statements["InvokersDecrypt"]["Principal"] == {"AWS": invoking}
    assert statements["InvokersDecrypt"]["Action"] == "kms:Decrypt"


def test_a_key_of_one_s_own_from_tier_3() -> None:
    for name, keyed in (("example", True), ("every-key", True), ("three-accounts", False), ("one-account", False)):
        resources = template(name, "guardrails")["Resources"]
        assert ("GuardrailsKey" in resources) is keyed
        made = [found["Properties"] for found in resources.values() if found["Type"] == "AWS::Bedrock::Guardrail"]
        assert all(("KmsKeyArn" in found) is keyed for found in made)


def test_no_guardrail_lets_text_leave_the_region() -> None:
    for name in readings():
        for part in ("guardrails", "organization"):
            for found in template(name, part).get("Resources", {}).values():
                if found["Type"] == "AWS::Bedrock::Guardrail":
                    assert "CrossRegionConfig" not in found["Properties"]
                    assert "TierConfig" not in json.dumps(found["Properties"])


def test_a_template_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "TEMPLATE_BYTES_MAX", 5_000)
    with pytest.raises(OperatorError, match=r"within CloudFormation's 5000 bytes, found \d+; declare fewer words"):
        synthesize(readings()["one-account"])
