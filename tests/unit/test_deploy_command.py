"""`caisson deploy` over HTTP against a played AWS: roles, accounts, exit codes, and the plan as people read it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from caisson.adapters.aws.cloudformation.accounts import AwsAccounts
from caisson.cli.deploy_view import as_document, show
from caisson.cli.main import main
from caisson.deploy.quantities import money, parse_prices, quantities
from caisson.deploy.synthesis import Deployment
from caisson.errors import DeploymentError, StartError
from caisson.wiring.deployment import Prepared
from cloudformation_server import World, serve
from deployment_world import REGION, deploy, deployer, lock_of, stages, world
from deployments import ZONES, aws
from running_system import CAISSON, clean_environment
from system_files import minimal, text_of

GOLDEN = Path(__file__).parents[1] / "golden/deploy/plan.txt"
MANAGEMENT, MEMBER = "111111111111", "222222222222"
PRICES = '{"caisson_prices": 1, "currency": "USD", "prices": {"kms.key": "1.5", "kms.request": "0.03"}}'
Run = Callable[..., tuple[int, str, str]]


class Played:
    """A system of one member account at tier 1 in a folder, and the world it is deployed to."""

    def __init__(self, folder: Path, url: str, aws_: World) -> None:
        self.folder, self.url, self.aws = folder, url, aws_
        self.file, self.lock = folder / "caisson.yaml", folder / "caisson.aws.lock"
        self.file.write_text(text_of(minimal(tier=1, aws=aws(**dict.fromkeys(ZONES[1:], MEMBER)))))
        (folder / "credentials").write_text(
            "[default]\naws_access_key_id = AKIAOWN00000000000000\naws_secret_access_key = x\n"
        )
        self.environment = {
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
            "AWS_CONFIG_FILE": str(folder / "none"),
        }

    def arguments(self, *more: str) -> list[str]:
        asked = ["caisson", "deploy", "--system", str(self.file), "--endpoint", self.url]
        return [*asked, *more]


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    for name in ("AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    aws_ = World(accounts={MANAGEMENT, MEMBER}, management=MANAGEMENT)
    with serve(aws_) as url:
        made = Played(tmp_path, url, aws_)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENT000000000")  # never used: the profile is named
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient")
        yield made


@pytest.fixture
def run(played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*more: str, plain: bool = False) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", list(more) if plain else played.arguments(*more))
        with pytest.raises(SystemExit) as raised:
            main()
        out, err = capsys.readouterr()
        return int(raised.value.code or 0), out, err

    return call


def test_plan_then_deploy_then_nothing_to_do(played: Played, run: Run) -> None:
    code, out, err = run("--plan")
    assert (code, err) == (0, "")
    assert "caisson-tiny-logging (222222222222, eu-west-1) is made" in out
    assert "no money is shown without --prices" in out
    assert played.aws.stacks == {}
    assert not played.lock.exists()
    code, out, err = run("--yes")
    assert (code, err.splitlines()[-1]) == (0, "deployed")
    names = [name for _, _, name in played.aws.stacks]
    assert names == played.aws.executed
    lock = lock_of(played.folder)
    assert sorted(lock["stacks"]) == sorted(names)
    assert lock["given"] == {}  # every value is the output of a stack
    before = played.lock.read_bytes()
    code, out, err = run(
        "caisson", "deploy", "--system", str(played.file), "--endpoint", played.url, "--yes", plain=True
    )
    assert (code, err.splitlines()[-1]) == (0, "nothing to do")
    assert "stays as it is" in out
    assert (played.lock.read_bytes(), len(played.aws.executed)) == (before, len(names))


def test_the_plan_as_json_counts_what_is_billed(played: Played, run: Run) -> None:
    (played.folder / "prices.json").write_text(PRICES)
    code, out, err = run("--plan", "--json", "--prices", str(played.folder / "prices.json"))
    assert (code, err) == (0, "")
    plan = json.loads(out)
    assert (plan["system"], plan["organization"]) == ("tiny", "o-exampleorg")
    assert {one["state"] for one in plan["stacks"]} == {"new"}
    assert all(change["action"] == "add" for one in plan["stacks"] for change in one["changes"])
    keys = sum(change["type"] == "AWS::KMS::Key" for one in plan["stacks"] for change in one["changes"])
    assert plan["quantities"]["standing"]["kms.key"] == str(keys)
    assert plan["money"]["by"]["kms.key"] == str(keys * 3 / 2)
    assert plan["quantities"]["unknown"] == {}


def test_without_a_terminal_nothing_is_applied_unasked(played: Played, run: Run) -> None:
    code, out, err = run()
    assert (code, out) == (2, "")
    assert err.startswith("expected --yes, --plan or a terminal")
    assert run("--plan", "--yes")[0] == 2
    assert played.aws.calls == []


def test_a_value_that_nothing_asks_for_is_refused_before_aws_is_asked(played: Played, run: Run) -> None:
    base = ("caisson", "deploy", "--system", str(played.file), "--endpoint", played.url, "--yes")
    code, _, err = run(*base, "--parameter", "RuntimeModelEndpoint=vpce-12345678", plain=True)
    assert code == 1
    assert "parameter 'RuntimeModelEndpoint': expected one of none, which no stack puts out" in err
    assert run(*base, "--parameter", "RuntimeModelEndpoint", plain=True)[0] == 2
    assert played.aws.calls == []


def test_one_stack_alone_needs_what_it_needs(played: Played, run: Run) -> None:
    code, _, err = run("--yes", "--stack", "caisson-tiny-organization")
    assert code == 1
    assert "from the output of caisson-tiny-guardrails, which is to be deployed first, found none" in err
    assert run("--yes", "--stack", "caisson-tiny-guardrails")[0] == 0
    code, _, err = run("--yes", "--stack", "caisson-tiny-organization")
    assert code == 1
    assert "from the output of caisson-tiny-runtime, which is to be deployed first, found none" in err
    assert run("--yes", "--stack", "caisson-tiny-runtime")[0] == 0
    assert run("--yes", "--stack", "caisson-tiny-organization")[0] == 0
    assert played.aws.executed == [f"caisson-tiny-{part}" for part in ("guardrails", "runtime", "organization")]
    code, _, err = run("--yes", "--stack", "other")
    assert code == 1
    assert "--stack: expected one of caisson-tiny-logging, " in err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda one: one.aws.accounts.remove(MEMBER), "account 222222222222: taking the role arn:aws:iam::222222222222:"
         "role/caisson/tiny/caisson-tiny-deployment: AWS refused: AccessDenied"),
        (lambda one: setattr(one.aws, "confused", True), "expected credentials of account 222222222222, AWS says they "
         "are of '999999999999'"),
        (lambda one: setattr(one.aws, "organization", "o-anotherone"), "expected credentials of organization "
         "o-exampleorg"),
        (lambda one: one.aws.refusing.append(("DescribeOrganization", "AccessDeniedException", "no")),
         "asking which organization this is: AWS refused: AccessDeniedException: no"),
        (lambda one: one.lock.write_text("{}"), "expected the key 'caisson_lock', found none"),
        (lambda one: one.lock.write_text('{"caisson_lock": 1, "system": "other", "organization": "o-exampleorg", '
                                         '"given": {}, "stacks": {}}'), "expected the lock of system 'tiny'"),
        (lambda one: (one.folder / "credentials").write_text(""), "AWS profile 'default'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_made(played: Played, run: Run, wrong: Any, message: str) -> None:
    wrong(played)
    before = played.lock.read_bytes() if played.lock.exists() else None
    code, out, err = run("--yes")
    assert (code, out) == (1, "")
    assert message in err
    assert "Traceback" not in err
    assert played.aws.stacks == {}
    assert (played.lock.read_bytes() if played.lock.exists() else None) == before


def test_a_wrong_system_file_is_exit_2(played: Played, run: Run) -> None:
    played.file.write_text("caisson: 1\n")
    code, _, err = run("--yes")
    assert code == 2
    assert "caisson.yaml:1" in err
    assert played.aws.calls == []


def test_throttling_is_waited_out(played: Played, run: Run) -> None:
    played.aws.refusing += [("CreateChangeSet", "Throttling", "Rate exceeded"), ("AssumeRole", "Throttling", "Rate")]
    assert run("--yes")[0] == 0
    assert played.aws.refusing == []


def test_a_failed_stage_says_why_and_the_next_run_goes_on(played: Played, run: Run) -> None:
    played.aws.failing["caisson-tiny-guardrails"] = "Main"
    code, _, err = run("--yes")
    assert code == 1
    assert "caisson-tiny-guardrails, account 222222222222: failed: Main (AWS::X::Z): Service limit exceeded." in err
    played.aws.failing.clear()
    assert run("--yes")[0] == 0
    assert played.aws.executed.count("caisson-tiny-logging") == 1
    assert played.aws.executed.count("caisson-tiny-guardrails") == 2


def test_another_role_can_be_taken(played: Played, run: Run) -> None:
    played.aws.accounts.clear()
    _, _, err = run("--yes", "--role-name", "OrganizationAccountAccessRole")
    assert "role/OrganizationAccountAccessRole: AWS refused" in err


def test_interrupted_it_says_what_goes_on_in_aws(played: Played, run: Run) -> None:
    played.aws.looks = 10_000
    process = subprocess.Popen(
        [CAISSON, *played.arguments("--yes")[1:]], text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env={**clean_environment(), **played.environment},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    assert process.stderr is not None
    assert any("making it" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    try:
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 3
    assert "stopped while caisson-tiny-logging in account 222222222222 is under way" in rest
    assert "Traceback" not in rest
    assert lock_of(played.folder)["stacks"]["caisson-tiny-logging"]["applied"] is None
    made = played.aws.stacks[(MEMBER, REGION, "caisson-tiny-logging")]
    made.looks = played.aws.looks = 0
    assert run("--yes")[0] == 0
    assert played.aws.executed.count("caisson-tiny-logging") == 1


def test_an_endpoint_elsewhere_is_refused(played: Played) -> None:
    with pytest.raises(StartError, match="found another address"):
        AwsAccounts(profile="default", region=REGION, partition="aws", role="r", endpoint="http://192.0.2.1:80")
    with pytest.raises(DeploymentError, match="expected the AWS profile 'none'"):
        AwsAccounts(profile="none", region=REGION, partition="aws", role="r")


def test_the_plan_reads_as_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aws_ = world()
    made = deploy(aws_, tmp_path)
    fewer = {"Resources": {"Other": {"Type": "AWS::KMS::Key", "Properties": {}}}}
    for found, costs in ((stages(), None), (stages(version=2, logging=fewer), PRICES)):
        aim = deployer(aws_ if costs else world(), tmp_path, found)
        aim.lock = made.lock if costs else type(made.lock)(system="tiny", organization="o-exampleorg")
        if costs:
            aim.lock = aim.lock.with_stack("tiny-people", made.lock.stacks["tiny-logging"])
        manifest = {"weakened": ["zone x shares an account"], "not_built": ["ingress"]}
        prepared = Prepared(deployment=Deployment(files={}, manifest=manifest), deployer=aim, all_stages=found)
        counted = quantities(stage.template for stage in found)
        costing = money(counted, parse_prices(costs, name="p")) if costs else None
        plans = aim.plan()
        show(prepared, plans, counted, costing)
        document = as_document(prepared, plans, counted, costing)
        assert json.loads(json.dumps(document)) == document
        print()
    assert capsys.readouterr().out == GOLDEN.read_text()


def test_no_account_is_changed_whose_number_is_not_asked_for(played: Played, run: Run) -> None:
    run("--yes")
    roles = [name for operation, name in played.aws.calls if operation == "GetCallerIdentity"]
    assert len(roles) >= 2
    first_change = next(n for n, (operation, _) in enumerate(played.aws.calls) if operation == "CreateChangeSet")
    asked = [n for n, (operation, _) in enumerate(played.aws.calls) if operation == "GetCallerIdentity"]
    text = (Path(__file__).parents[2] / "docs/deploy.md").read_text()
    services = {"DescribeOrganization": "organizations", "AssumeRole": "sts", "GetCallerIdentity": ""}
    for operation, _ in played.aws.calls:
        service = services.get(operation, "cloudformation")
        assert not service or f"`{service}:{operation}`" in text  # GetCallerIdentity needs no permission
    assert sum(n < first_change for n in asked) >= 2  # both accounts, before the first of them is touched
    assert re.fullmatch(r"(DescribeOrganization|AssumeRole|GetCallerIdentity)", played.aws.calls[0][0])
