"""`caisson prove`: the example holds, what weakens it is noticed, what rewrites it is not, and bad input is named."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from bench import advice
from bench.prove_mutations import about, redundant, unnoticed
from typer.testing import CliRunner

from caisson.assurance.controls import CATALOGUE
from caisson.assurance.evidence.claims import request_of
from caisson.assurance.iam.cases import Case, cases
from caisson.assurance.iam.decision import Outcome, decide
from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.deciding import policies_of
from caisson.assurance.proofs.estate import stand_in
from caisson.assurance.proofs.families import claims, roles
from caisson.assurance.proofs.organization import estate, read_templates, synthesized
from caisson.assurance.proofs.principals import principals
from caisson.assurance.proofs.search import prove
from caisson.assurance.verdict import Verdict
from caisson.cli import prove as command
from caisson.deploy.landscape import Landscape, landscape
from caisson.errors import OperatorError
from caisson.system.loader import read
from deployments import EXAMPLE, every_key, one_account, three_accounts
from policy_mutations import Mutant, harmless, opened, weakened

single = typer.Typer()
single.command()(command.prove)
LOGGING = "templates/caisson-claims-eu-logging.json"
ORGANIZATION = "templates/caisson-claims-eu-organization.json"


@cache
def example() -> tuple[Landscape, dict[str, Any]]:
    reading = read(EXAMPLE)
    return landscape(reading.require()), synthesized(reading)


@cache
def mutants() -> tuple[Mutant, ...]:
    return tuple(weakened(example()[1]))


def verdicts(land: Landscape, templates: dict[str, Any]) -> dict[str, Verdict]:
    made = estate(land, templates)
    return {claim.id: prove(claim, made).verdict for claim in (*claims(land), *roles.claims(land, made))}


def test_every_claim_about_the_example_holds() -> None:
    found = verdicts(*example())
    assert len(found) > 50 and set(found.values()) == {Verdict.HOLDS}
    assert {name.partition(".")[0] for name in found} == {
        "guardrail",
        "models",
        "perimeter",
        "management",
        "evidence",
        "custody",
        "keys",
        "sessions",
        "roles",
    }


@pytest.mark.parametrize("make", [one_account, three_accounts, every_key])
def test_other_landscapes_hold(make: Any) -> None:
    reading = make()
    found = verdicts(landscape(reading.require()), synthesized(reading))
    assert set(found.values()) == {Verdict.HOLDS}, {name: found[name] for name in found if found[name] != "holds"}


@pytest.mark.parametrize("at", range(3, 440, 48))
def test_a_weaker_policy_is_noticed(at: int) -> None:
    """`make prove-mutations` tries all; one in twenty-three here."""
    land, _ = example()
    mutant = mutants()[at]
    assert about(land, claims(land), mutant)
    assert not unnoticed(land, claims(land), mutant) or redundant(land, mutant), mutant.name


def test_who_keeps_the_log_is_noticed_when_its_own_policies_open() -> None:
    """What the organization's policies deny anyway (plain HTTP, destroyed objects) is not asked here."""
    land, templates = example()
    kept = (
        "OneReader",
        "OneWriter",
        "NothingHidden",
        "NothingReplaced",
        "ArchiveKey: Reading",
        "ArchiveKey: Writing",
        "EventsPolicy: ZonesSend to receive",
    )
    some = [claim for claim in claims(land) if claim.id.startswith(("custody", "keys"))]
    tried = [one for one in opened(templates, LOGGING) if any(name in one.name for name in kept)]
    assert len(tried) > 35
    for mutant in tried:
        made = estate(land, mutant.templates)
        assert any(prove(claim, made).verdict is not Verdict.HOLDS for claim in some), mutant.name


def test_hundreds_of_ways_to_weaken() -> None:
    assert len(mutants()) >= 400 and len({mutant.name for mutant in mutants()}) == len(mutants())


def test_the_same_written_otherwise_changes_nothing() -> None:
    land, templates = example()
    for name, same in harmless(templates):
        made = estate(land, same)
        some = [claim for claim in claims(land) if claim.id.startswith(("guardrail", "models"))]
        assert {prove(claim, made).verdict for claim in some} == {Verdict.HOLDS}, name


def test_a_parameter_that_takes_a_draft_is_as_bad_as_a_draft() -> None:
    land, templates = example()
    changed = copy.deepcopy(templates)
    changed[ORGANIZATION]["Parameters"]["GuardrailMain"]["AllowedPattern"] = r"arn:aws:bedrock:[a-z0-9:/-]+"
    claim = next(claim for claim in claims(land) if claim.id == "guardrail.pinned.runtime")
    proof = prove(claim, estate(land, changed))
    assert proof.verdict is Verdict.BROKEN


def test_a_parameter_takes_the_values_that_it_lists() -> None:
    land, templates = example()
    changed = copy.deepcopy(templates)
    parameter = changed[ORGANIZATION]["Parameters"]["RuntimeModelEndpoint"]
    del parameter["AllowedPattern"]
    claim = next(claim for claim in claims(land) if claim.id == "models.endpoint.runtime")
    assert prove(claim, estate(land, changed)).verdict is Verdict.BROKEN
    parameter["AllowedValues"] = [stand_in("RuntimeModelEndpoint")]
    assert prove(claim, estate(land, changed)).verdict is Verdict.HOLDS
    parameter["AllowedValues"] = ["vpce-1"]
    with pytest.raises(OperatorError, match=r"RuntimeModelEndpoint.*vpce-1"):
        estate(land, changed)


class TestOwnPolicies:
    """A policy is of what it is attached to, whatever its statements name."""

    def changed(self, **properties: Any) -> dict[str, Any]:
        templates = copy.deepcopy(example()[1])
        for id_, change in properties.items():
            templates[LOGGING]["Resources"][id_]["Properties"].update(change)
        return templates

    def verdict(self, templates: dict[str, Any], id_: str) -> Verdict:
        land = example()[0]
        return prove(next(claim for claim in claims(land) if claim.id == id_), estate(land, templates)).verdict

    def test_of_another_queue_guards_nothing(self) -> None:
        assert self.verdict(self.changed(EventsPolicy={"Queues": ["another"]}), "custody.read.events") is Verdict.BROKEN

    def test_by_the_url(self) -> None:
        url = "https://sqs.eu-west-1.amazonaws.com/555555555555/caisson-claims-eu-events"
        assert self.verdict(self.changed(EventsPolicy={"Queues": [url]}), "custody.read.events") is Verdict.HOLDS

    def test_of_another_bucket_guards_nothing(self) -> None:
        templates = self.changed(ArchiveTextBucketPolicy={"Bucket": "another"})
        assert self.verdict(templates, "custody.write.archive-text") is Verdict.BROKEN

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"Queues": [{"Ref": "EventsAside"}]}, "EventsAsidePolicy.*expected one policy of arn:aws:sqs.*aside"),
            ({"Queues": [{"Ref": "ArchiveKey"}]}, "EventsPolicy/Properties/Queues: expected AWS::SQS::Queue"),
            ({"Queues": [{"Fn::GetAtt": ["Events", "Arn"]}]}, "EventsPolicy/Properties/Queues.*Fn::GetAtt"),
            ({"Queues": [1]}, "EventsPolicy/Properties/Queues: expected AWS::SQS::Queue with a QueueName"),
        ],
    )
    def test_of_what_is_not_known(self, change: Any, message: str) -> None:
        with pytest.raises(OperatorError, match=message):
            estate(example()[0], self.changed(EventsPolicy=change))


def test_a_policy_within_a_queue_is_refused() -> None:
    land, templates = example()
    changed = copy.deepcopy(templates)
    changed[LOGGING]["Resources"]["Inline"] = {"Type": "AWS::SQS::QueueInlinePolicy", "Properties": {}}
    with pytest.raises(OperatorError, match=r"Resources/Inline: expected AWS::SQS::QueuePolicy"):
        estate(land, changed)


def test_principals_are_of_the_partition() -> None:
    found = [one.text for one in principals("222222222222", (), "aws-us-gov")]
    assert found and all(text.startswith("arn:aws-us-gov:iam::222222222222:") for text in found)


def test_a_counterexample_is_a_case_of_explain() -> None:
    land, templates = example()
    changed = copy.deepcopy(templates)
    changed[ORGANIZATION]["Resources"]["Perimeter"]["Properties"]["TargetIds"] = ["444444444444"]
    made = estate(land, changed)
    found = [one.counterexample for one in (prove(claim, made) for claim in claims(land)) if one.counterexample]
    assert found
    for one in found:
        line = json.dumps({"id": "1", "request": request_of(one)})
        (case,) = cases([line.encode()])
        assert isinstance(case, Case) and case.request == one.request


def test_a_counterexample_is_a_request_that_explain_allows() -> None:
    land, templates = example()
    changed = copy.deepcopy(templates)
    statements = changed[ORGANIZATION]["Resources"]["ModelsRuntime"]["Properties"]["Content"]["Statement"]
    statements[:] = [one for one in statements if one["Sid"] != "PinnedGuardrail"]
    made = estate(land, changed)
    proof = prove(next(claim for claim in claims(land) if claim.id == "guardrail.pinned.runtime"), made)
    assert proof.counterexample is not None
    request = proof.counterexample.request
    assert decide(request, policies_of(request, made)).outcome is Outcome.ALLOW
    shown = request_of(proof.counterexample)
    assert shown["action"] == "bedrock:InvokeModel" and ":foundation-model/anthropic.claude" in shown["resource"]
    assert "bedrock:guardrailidentifier" not in shown["context"]


def test_denying_everything_keeps_no_claim() -> None:
    """A claim that the legitimate request does not survive is broken, whatever else it says."""
    land, templates = example()
    changed = copy.deepcopy(templates)
    content = changed[ORGANIZATION]["Resources"]["Perimeter"]["Properties"]["Content"]
    content["Statement"] = [{"Sid": "Nothing", "Effect": "Deny", "Action": "*", "Resource": "*"}]
    found = verdicts(land, changed)
    lively = {claim.id for claim in claims(land) if claim.still}
    assert lively and {found[name] for name in lively} == {Verdict.BROKEN}


def test_what_is_not_modelled_is_undetermined() -> None:
    land, templates = example()
    changed = copy.deepcopy(templates)
    statements = changed[ORGANIZATION]["Resources"]["ModelsRuntime"]["Properties"]["Content"]["Statement"]
    pinned = next(one for one in statements if one["Sid"] == "PinnedGuardrail")
    pinned["Condition"] = {"StringRhymes": {"bedrock:GuardrailIdentifier": "x"}}
    claim = next(claim for claim in claims(land) if claim.id == "guardrail.pinned.runtime")
    proof = prove(claim, estate(land, changed))
    assert proof.verdict is Verdict.UNDETERMINED and "StringRhymes" in proof.reason


def test_every_claim_names_controls_of_the_catalogue() -> None:
    known = set(CATALOGUE)
    for claim in claims(example()[0]):
        assert isinstance(claim, Claim) and claim.controls and set(claim.controls) <= known, claim.id


def test_iam_knows_every_action_that_a_claim_names() -> None:
    from caisson.assurance.proofs.actions import expanded, known

    for claim in claims(example()[0]):
        for action in claim.actions:
            assert action.lower() in known() or ("*" in action and expanded((action,), ())), action


def test_the_page_of_advice_says_what_is_proved() -> None:
    assert advice.PAGE.read_text(encoding="utf-8") == advice.page()
    found = [proof.verdict.value for _, _, _, proof in advice.proved()]
    assert found == ["broken"] * 6 + ["holds"] * 2


class TestCommand:
    def run(self, *arguments: str) -> Any:
        return CliRunner().invoke(single, ["--system", str(EXAMPLE), *arguments])

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name, template in example()[1].items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(template))
        return tmp_path

    def change(self, folder: Path, change: Any) -> None:
        path = folder / ORGANIZATION
        template = json.loads(path.read_text())
        change(template["Resources"])
        path.write_text(json.dumps(template))

    def test_the_deployment_s_own_principals_are_asked_about(self, folder: Path) -> None:
        """Beside the claims about the organization; of what runs in a folder, too."""
        for more in ((), ("--templates", str(folder))):
            done = self.run(*more, "--json")
            found = {line["id"]: line["verdict"] for line in map(json.loads, done.stdout.splitlines())}
            assert done.exit_code == (3 if more else 0)  # without a manifest nobody knows whose account a stack is in
            unknown = ("network.", "isolation.", "endpoint.", "guardrail.", "templates.") if more else ()
            assert {found[name] for name in found if not name.startswith(unknown)} == {"holds"}
            assert "isolation.tags: caisson-claims-eu-runtime/SessionRole by SessionId" in found or more
            assert "broken" not in found.values()
            assert any(name.startswith("guardrail.pinned: ") and name.endswith("/Operator") for name in found)
            assert "keys.used.archive" in found and "templates.read" in found
            zones = {name.partition(": ")[0] for name in found if name.startswith("network.")}
            assert zones <= {"network." + one for one in ("apart", "inside", "endpoint", "still", "egress", "exposed")}
            assert more or len(zones) == 6

    def test_broken_templates(self, folder: Path) -> None:
        self.change(folder, lambda resources: resources["Unguardable"]["Properties"].update(TargetIds=["444444444444"]))
        done = self.run("--templates", str(folder), "--json")
        assert done.exit_code == 1
        lines = [json.loads(line) for line in done.output.splitlines()]
        broken = [line for line in lines if line["verdict"] == "broken"]
        assert "guardrail.no-way-around" in {line["id"] for line in broken}
        assert all(
            line["counterexample"]["principal"].startswith("arn:aws:iam::") for line in broken if line["counterexample"]
        )

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda one: one["Perimeter"]["Properties"]["Content"].update(Statment=[]), "Statment"),
            (lambda one: one["Perimeter"]["Properties"].update(Content={"Fn::GetAtt": ["A", "B"]}), "Fn::GetAtt"),
            (lambda one: one["Perimeter"]["Properties"].update(TargetIds=[{"Ref": "Nobody"}]), "TargetIds/0"),
            (lambda one: one["Perimeter"]["Properties"].update(TargetIds="444444444444"), "TargetIds: expected a list"),
            (lambda one: one["Perimeter"].update(Condition="Sometimes"), "Perimeter/Condition.*'Sometimes'"),
            (lambda one: one["Perimeter"].update(Properties=[]), "Perimeter/Properties: expected an object"),
            (lambda one: one.update(Perimeter=1), "Perimeter: expected a resource with a Type"),
            (lambda one: one["Perimeter"].update(Type=["x"]), "Perimeter: expected a resource with a Type"),
        ],
    )
    def test_unreadable_policies_are_named(self, folder: Path, change: Any, message: str) -> None:
        self.change(folder, change)
        with pytest.raises(OperatorError, match=message):
            estate(example()[0], read_templates(folder))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "as JSON"),
            ("[]", "Resources"),
            ('{"Resources": {}, "Resources": {}}', "'Resources' again"),
            ('{"Resources": {}, "Transform": "AWS::LanguageExtensions"}', "Transform"),
            ('{"Resources": {}, "Parameters": []}', "Parameters: expected an object"),
            ('{"Resources": {}, "Parameters": {"A": 1}}', "Parameters/A: expected an object"),
            ('{"Resources": {}, "Parameters": {"A": {"AllowedPattern": 1}}}', "A/AllowedPattern: expected a string"),
            ('{"Resources": {}, "Parameters": {"A": {"AllowedValues": 1}}}', "A/AllowedValues: expected a list"),
            ("\x80", "as JSON"),
        ],
    )
    def test_unreadable_templates_are_named(self, folder: Path, text: str, message: str) -> None:
        (folder / ORGANIZATION).write_text(text, encoding="latin-1")
        with pytest.raises(OperatorError, match=message):
            read_templates(folder)

    def test_no_templates(self, tmp_path: Path) -> None:
        with pytest.raises(OperatorError, match="found no templates"):
            read_templates(tmp_path)

    def test_a_file_without_aws(self) -> None:
        from caisson.errors import SystemFileError

        done = CliRunner().invoke(single, ["--system", str(EXAMPLE.parents[1] / "claims/caisson.yaml")])
        assert isinstance(done.exception, SystemFileError) and "section aws" in str(done.exception)
