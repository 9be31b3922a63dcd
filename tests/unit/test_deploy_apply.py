"""A deployment against a played AWS: it ends the same however often it is cut off, and nothing done is done again."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from caisson.deploy.apply import FAILED_CREATION, STUCK, Interrupted
from caisson.deploy.lock import digest, render
from caisson.deploy.plan import stages_of
from caisson.errors import DeploymentError
from cloudformation_server import OWNER, World
from deployment_world import (
    MEMBER,
    REGION,
    STORE,
    Cut,
    always,
    deploy,
    deployer,
    lock_of,
    never,
    stages,
    world,
)
from deployments import deployed

NAMES = [stage.name for stage in stages()]
PIN_1 = "arn:aws:bedrock:eu-west-1:111111111111:guardrail/main1:1"


@pytest.fixture
def aws() -> World:
    return world()


def test_a_first_deployment_makes_everything_and_records_what_aws_assigned(aws: World, tmp_path: Path) -> None:
    plans = deployer(aws, tmp_path).plan()
    assert aws.stacks == {}
    assert not (tmp_path / "caisson.aws.lock").exists()
    assert [(one.state, one.basis, one.counts) for one in plans] == [("new", "template", {"add": 2})] * 3
    assert plans[2].waits_for == ("GuardrailMain",)
    deploy(aws, tmp_path)
    assert aws.executed == NAMES
    assert all(made.status == "CREATE_COMPLETE" and made.protected for made in aws.stacks.values())
    lock = lock_of(tmp_path)
    assert lock["stacks"]["tiny-guardrails"]["applied"]["outputs"] == {"GuardrailMain": PIN_1}
    assert lock["stacks"]["tiny-organization"]["applied"]["parameters"] == {"GuardrailMain": PIN_1}
    for stage in stages():
        entry = lock["stacks"][stage.name]
        assert (entry["account"], entry["id"]) == (
            stage.account,
            aws.stacks[(stage.account, REGION, stage.name)].id,
        )
        assert (entry["applied"]["template"], entry["applying"]) == (stage.digest, None)


def test_a_second_run_does_nothing(aws: World, tmp_path: Path) -> None:
    deploy(aws, tmp_path)
    before = (tmp_path / "caisson.aws.lock").stat().st_ino, aws.snapshot()
    aws.calls.clear()
    said: list[str] = []
    made = deployer(aws, tmp_path, said=said)
    assert [one.state for one in made.plan()] == ["same"] * 3
    made.apply(made.plan(), never)
    assert {operation for operation, _ in aws.calls} == {"DescribeStacks", "GetTemplate"}
    assert ((tmp_path / "caisson.aws.lock").stat().st_ino, aws.snapshot()) == before
    assert [text.endswith("nothing to do") for text in said] == [True] * 3


def test_a_changed_guardrail_is_a_new_version_that_the_pins_follow(aws: World, tmp_path: Path) -> None:
    deploy(aws, tmp_path)
    made = deployer(aws, tmp_path, stages(version=2))
    logging, guardrails, organization = made.plan()
    assert (logging.state, guardrails.state, organization.state) == ("same", "changed", "changed")
    assert (guardrails.basis, organization.basis) == ("change set", "template")
    (version,) = guardrails.changes
    assert (version.action, version.resource, version.kept) == ("replace", "MainVersion", True)
    (pinned,) = organization.changes
    assert (pinned.action, pinned.resource, pinned.note) == ("change", "Pinned", "follows GuardrailMain")
    assert all(one.change_set is None for one in aws.stacks.values())  # a plan leaves nothing behind
    made.apply((logging, guardrails, organization), never)
    pin = PIN_1.removesuffix("1") + "2"
    assert aws.stacks[(OWNER, REGION, "tiny-organization")].parameters == {"GuardrailMain": pin}
    assert lock_of(tmp_path)["stacks"]["tiny-organization"]["applied"]["parameters"] == {"GuardrailMain": pin}


def test_what_is_removed_is_deleted_or_left(aws: World, tmp_path: Path) -> None:
    deploy(aws, tmp_path)
    fewer = {"Resources": {"Other": {"Type": "AWS::SQS::Queue", "Properties": {}}}}
    plan = deployer(aws, tmp_path, stages(logging=fewer)).plan()[0]
    assert [(one.action, one.resource) for one in plan.changes] == [
        ("add", "Other"),
        ("leave", "Store"),
        ("delete", "Queue"),
    ]


@pytest.mark.parametrize("failing", NAMES)
def test_after_a_failure_a_second_run_ends_as_an_undisturbed_one(failing: str, tmp_path: Path) -> None:
    undisturbed, aws = world(), world(failing={failing: "Broken"})
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    deploy(undisturbed, tmp_path / "one")
    with pytest.raises(DeploymentError) as failed:
        deploy(aws, tmp_path / "two")
    text = str(failed.value)
    assert text.startswith(
        f"{failing}, account {aws_account(failing)}: failed: Broken (AWS::X::Z): Service limit exceeded."
    )
    assert "AWS removed what it had made of it" in text  # and what was merely cancelled is not blamed
    assert aws.executed == NAMES[: NAMES.index(failing) + 1]
    done = lock_of(tmp_path / "two")["stacks"]
    assert [name for name in done if done[name]["applied"]] == sorted(NAMES[: NAMES.index(failing)])
    aws.failing.clear()
    deploy(aws, tmp_path / "two")
    assert Counter(aws.executed) == Counter([*NAMES, failing])
    assert aws.snapshot() == undisturbed.snapshot()
    assert without_ids(tmp_path / "two") == without_ids(tmp_path / "one")


def aws_account(name: str) -> str:
    return next(stage.account for stage in stages() if stage.name == name)


def without_ids(folder: Path) -> Any:
    lock = lock_of(folder)
    for entry in lock["stacks"].values():
        del entry["id"]
    return lock


@pytest.mark.parametrize(("update", "looks"), [(False, 2), (True, 0)])
def test_cut_off_anywhere_it_goes_on(update: bool, looks: int, tmp_path: Path) -> None:
    """Cut before and after every call: the next run ends as an undisturbed one, each stage executed once."""

    def prepared(folder: Path) -> World:
        aws = world(looks=looks)
        if update:
            deploy(aws, folder)
            aws.executed.clear()
        return aws

    wanted = stages(version=2) if update else stages()
    reference = Path(tempfile.mkdtemp(dir=tmp_path))
    undisturbed = prepared(reference)
    ticks: list[int] = []
    deploy(undisturbed, reference, wanted, tick=lambda: ticks.append(1))
    assert len(ticks) > 30
    for cut in range(1, len(ticks) + 1):
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        aws = prepared(folder)
        left = [cut]

        def tick(left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Cut

        with pytest.raises(Cut):
            deploy(aws, folder, wanted, tick=tick)
        deploy(aws, folder, wanted)
        assert Counter(aws.executed) == Counter(undisturbed.executed), cut
        assert aws.snapshot() == undisturbed.snapshot(), cut
        assert without_ids(folder) == without_ids(reference), cut


def test_a_failed_update_goes_back_and_can_be_tried_again(aws: World, tmp_path: Path) -> None:
    deploy(aws, tmp_path)
    aws.failing["tiny-guardrails"] = "MainVersion"
    with pytest.raises(DeploymentError, match="AWS went back to what was there before"):
        deploy(aws, tmp_path, stages(version=2))
    assert aws.stacks[(MEMBER, REGION, "tiny-guardrails")].outputs == {"GuardrailMain": PIN_1}
    aws.failing.clear()
    deploy(aws, tmp_path, stages(version=2))
    assert aws.stacks[(MEMBER, REGION, "tiny-guardrails")].outputs == {"GuardrailMain": PIN_1[:-1] + "2"}


def test_interrupted_while_aws_works_says_so_and_goes_on(tmp_path: Path) -> None:
    aws = world(looks=3)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        deploy(aws, tmp_path, pause=interrupt)
    assert stopped.value.under_way
    assert "stopped while tiny-logging in account 111111111111 is under way" in str(stopped.value)
    assert lock_of(tmp_path)["stacks"]["tiny-logging"]["applying"]["template"] == digest(STORE)
    said: list[str] = []
    deploy(aws, tmp_path, said=said)
    assert "tiny-logging: CREATE_IN_PROGRESS is under way in AWS; waiting for its end" in said
    assert aws.executed == NAMES


def test_interrupted_before_a_stage_says_that_it_was_not_begun(aws: World, tmp_path: Path) -> None:
    made = deployer(aws, tmp_path)
    plans = made.plan()
    made.say = lambda text: (_ for _ in ()).throw(KeyboardInterrupt) if text.endswith("CREATE_COMPLETE") else None
    with pytest.raises(Interrupted) as stopped:
        made.apply(plans, never)
    assert not stopped.value.under_way
    assert lock_of(tmp_path)["stacks"]["tiny-logging"]["applied"]


@pytest.mark.parametrize("status", [*STUCK, "IMPORT_ROLLBACK_FAILED"])
def test_a_stack_in_a_bad_state_is_left_and_named(aws: World, tmp_path: Path, status: str) -> None:
    deploy(aws, tmp_path)
    stack = aws.stacks[(MEMBER, REGION, "tiny-guardrails")]
    stack.status = status
    before = (tmp_path / "caisson.aws.lock").read_text()
    with pytest.raises(
        DeploymentError, match=f"tiny-guardrails, account 111111111111: the stack is in {status}: "
    ) as no:
        deployer(aws, tmp_path, stages(version=2)).plan()
    if status in STUCK:
        assert STUCK[status].format(name="tiny-guardrails") in str(no.value)
    assert stack.status == status
    assert (tmp_path / "caisson.aws.lock").read_text() == before
    assert "delete-stack" in FAILED_CREATION


def test_an_empty_stack_that_a_change_set_left_is_taken(aws: World, tmp_path: Path) -> None:
    client = aws.client(MEMBER)
    client.create_change_set(
        StackName="tiny-logging", ChangeSetName="caisson-deploy", ChangeSetType="CREATE",
        TemplateBody=json.dumps(STORE), OnStackFailure="DELETE",
    )  # fmt: skip
    assert aws.stacks[(MEMBER, REGION, "tiny-logging")].status == "REVIEW_IN_PROGRESS"
    deploy(aws, tmp_path)
    assert aws.executed == NAMES


def test_a_wrong_organization_or_management_account_changes_nothing(tmp_path: Path) -> None:
    for wrong in ({"organization": "o-anotherone"}, {"management": "999999999999"}):
        aws = world(**wrong)
        with pytest.raises(DeploymentError, match="expected credentials of organization o-exampleorg with management"):
            deploy(aws, tmp_path)
        assert aws.calls == []


def test_a_missing_account_is_found_before_another_is_touched(tmp_path: Path) -> None:
    aws = world()
    aws.accounts.remove(OWNER)  # of the last stage
    with pytest.raises(DeploymentError, match=f"account {OWNER}"):
        deploy(aws, tmp_path)
    assert aws.calls == []
    assert list(tmp_path.iterdir()) == []


def test_a_stack_of_somebody_else_is_left_alone(aws: World, tmp_path: Path) -> None:
    deploy(aws, tmp_path)
    aws.stacks[(MEMBER, REGION, "tiny-logging")].tags.clear()
    (tmp_path / "caisson.aws.lock").unlink()
    with pytest.raises(DeploymentError, match="without the tag caisson:system=tiny: it is not Caisson's"):
        deploy(aws, tmp_path)


def test_a_lost_lock_is_made_again_from_aws(aws: World, tmp_path: Path) -> None:
    deploy(aws, tmp_path)
    path, aws.executed = tmp_path / "caisson.aws.lock", []
    before = path.read_text()
    path.unlink()
    deploy(aws, tmp_path)
    assert path.read_text() == before
    assert aws.executed == []


def drift_template(aws: World) -> None:
    aws.stacks[(MEMBER, REGION, "tiny-guardrails")].template = json.dumps({"Resources": {}})


def drift_id(aws: World) -> None:
    aws.stacks[(MEMBER, REGION, "tiny-guardrails")].id += "0"


def drift_deleted(aws: World) -> None:
    del aws.stacks[(MEMBER, REGION, "tiny-guardrails")]


@pytest.mark.parametrize(
    ("drift", "message"),
    [
        (drift_template, "the template that AWS has is none that the lock knows"),
        (drift_id, "made anew by something else"),
        (drift_deleted, "deleted by something else"),
    ],
)
def test_what_something_else_changed_is_named_and_taken_once_the_lock_forgets_it(
    aws: World, tmp_path: Path, drift: Any, message: str
) -> None:
    deploy(aws, tmp_path)
    drift(aws)
    with pytest.raises(DeploymentError, match=f"^tiny-guardrails: .*{message}"):
        deploy(aws, tmp_path)
    lock = lock_of(tmp_path)
    del lock["stacks"]["tiny-guardrails"]
    (tmp_path / "caisson.aws.lock").write_text(json.dumps(lock))
    deploy(aws, tmp_path)
    assert digest(json.loads(aws.stacks[(MEMBER, REGION, "tiny-guardrails")].template)) == stages()[1].digest


def test_a_stack_that_moves_to_another_account_is_refused(aws: World, tmp_path: Path) -> None:
    made = deploy(aws, tmp_path)
    entry = made.lock.stacks["tiny-logging"]
    text = render(made.lock).replace(f'"account": "{entry.account}"', '"account": "222222222222"')
    (tmp_path / "caisson.aws.lock").write_text(text)
    with pytest.raises(DeploymentError, match="a stack is not moved"):
        deploy(aws, tmp_path)


def test_a_replacement_that_no_plan_showed_needs_a_word_of_its_own(aws: World, tmp_path: Path) -> None:
    def organization(alias: str) -> dict[str, Any]:
        template: dict[str, Any] = json.loads(stages()[2].body)
        template["Resources"]["Alias"] = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": alias}}
        return template

    deploy(aws, tmp_path, stages(organization=organization("a")))
    wanted = stages(version=2, organization=organization("b"))
    made = deployer(aws, tmp_path, wanted)
    plans = made.plan()
    assert ("change", "Alias") in {(one.action, one.resource) for one in plans[2].changes}  # AWS will replace it
    aws.executed.clear()
    with pytest.raises(DeploymentError, match="AWS would also replace Alias, which the plan could not show"):
        made.apply(plans, never)
    assert aws.executed == ["tiny-guardrails"]
    assert aws.stacks[(OWNER, REGION, "tiny-organization")].change_set is None
    again = deployer(aws, tmp_path, wanted)
    assert ("replace", "Alias") in {(one.action, one.resource) for one in again.plan()[2].changes}
    again.apply(again.plan(), never)
    assert aws.executed == ["tiny-guardrails", "tiny-organization"]


def test_a_replacement_that_no_plan_showed_can_be_agreed_to(aws: World, tmp_path: Path) -> None:
    deploy(aws, tmp_path)
    made = deployer(aws, tmp_path, stages(version=2))
    logging, guardrails, organization = made.plan()
    unseeing = type(guardrails)(stage=guardrails.stage, state="changed", basis="template")
    made.apply((logging, unseeing, organization), always)
    assert aws.stacks[(MEMBER, REGION, "tiny-guardrails")].outputs == {"GuardrailMain": PIN_1[:-1] + "2"}


@pytest.mark.parametrize("operation", ["CreateChangeSet", "ExecuteChangeSet", "UpdateTerminationProtection"])
def test_a_refused_call_is_named_and_the_next_run_goes_on(aws: World, tmp_path: Path, operation: str) -> None:
    aws.refusing.append((operation, "AccessDenied", "User is not authorized to perform this"))
    with pytest.raises(
        DeploymentError, match=f"account {MEMBER}: AWS refused {operation}: AccessDenied: User is not authorized"
    ):
        deploy(aws, tmp_path)
    deploy(aws, tmp_path)
    assert aws.executed == NAMES
    assert all(made.protected for made in aws.stacks.values())


def test_a_template_that_aws_does_not_take_leaves_nothing_behind(aws: World, tmp_path: Path) -> None:
    aws.broken["tiny-guardrails"] = "Template error: no such function"
    with pytest.raises(DeploymentError, match="tiny-guardrails: AWS does not take the template: Template error"):
        deploy(aws, tmp_path)
    assert [name for _, _, name in aws.stacks] == ["tiny-logging"]  # not even an empty stack
    aws.broken.clear()
    deploy(aws, tmp_path)
    assert aws.executed == NAMES


def test_a_creation_that_cannot_be_removed_is_named(aws: World, tmp_path: Path) -> None:
    aws.failing["tiny-logging"], aws.sticky = "Store", True
    with pytest.raises(DeploymentError, match="the stack is in DELETE_FAILED: its deletion failed"):
        deploy(aws, tmp_path)
    with pytest.raises(DeploymentError, match="the stack is in DELETE_FAILED: its deletion failed"):
        deploy(aws, tmp_path)
    assert aws.executed == ["tiny-logging"]


def test_what_aws_does_not_see_as_a_change_is_nothing_to_do_each_time(aws: World, tmp_path: Path) -> None:
    deploy(aws, tmp_path)
    said: list[str] = []
    for _ in range(2):
        made = deployer(aws, tmp_path, stages(logging={**STORE, "Description": "another"}), said=said)
        plans = made.plan()
        assert plans[0].state == "same"
        made.apply(plans, never)
    assert aws.executed == NAMES
    assert all(text.endswith("nothing to do") for text in said)
    assert lock_of(tmp_path)["stacks"]["tiny-logging"]["applied"]["template"] == digest(STORE)


def test_a_template_that_no_call_takes_is_refused_before_anything(aws: World, tmp_path: Path) -> None:
    big = {"Resources": {"A": {"Type": "AWS::SQS::Queue", "Properties": {"x": "y" * 51_200}}}}
    with pytest.raises(DeploymentError, match="tiny-logging: expected a template of at most 51200 bytes"):
        deploy(aws, tmp_path, stages(logging=big))
    assert aws.calls == []


# What a person gives by hand, for a stage.
GIVEN = {
    "EgressAuthority": lambda stage: (
        f"arn:aws:acm:{stage.region}:{stage.account}:certificate/{'0' * 8}-0000-0000-0000-{'0' * 12}"
    ),
}


@pytest.mark.parametrize("name", ["example", "one-account", "three-accounts", "every-key", "management-only"])
def test_every_synthesized_deployment_can_be_deployed(name: str, tmp_path: Path) -> None:
    found = deployed(name)
    all_stages = stages_of(found.manifest, found.files)
    accounts = {stage.account for stage in all_stages}
    management = str(next(stage.account for stage in all_stages if stage.part == "organization"))
    aws = World(accounts=accounts, management=management)
    made = deployer(aws, tmp_path, all_stages)
    made.system, made.management = found.manifest["system"], management
    made.lock = type(made.lock)(
        system="tiny",
        organization="o-exampleorg",
        given={
            parameter.name: GIVEN[parameter.name](stage)
            for stage in all_stages
            for parameter in stage.parameters
            if parameter.output_of is None
        },
    )
    made.apply(made.plan(), never)
    assert aws.executed == [stage.name for stage in all_stages]
    assert [one.state for one in made.plan()] == ["same"] * len(all_stages)
