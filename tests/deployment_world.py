"""A small deployment of three stacks in two accounts, and a deployer over a played AWS."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from caisson.adapters.aws.cloudformation.stacks import CloudFormationStacks
from caisson.deploy.apply import Deployer
from caisson.deploy.lock import LockFile
from caisson.deploy.plan import Parameter, Stage
from caisson.errors import DeploymentError
from caisson.ports.stacks import Accounts, Change, Organization, Stacks
from cloudformation_server import OWNER, World

REGION, MEMBER = "eu-west-1", "111111111111"
PIN = Parameter(
    name="GuardrailMain", description="a pin",
    pattern=r"^arn:aws:bedrock:eu-west-1:111111111111:guardrail/[a-z0-9]+:[1-9][0-9]*$",
    output_of="tiny-guardrails",
)  # fmt: skip
RETAINED = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
STORE: dict[str, Any] = {
    "Resources": {
        "Store": {"Type": "AWS::S3::Bucket", "Properties": {}, **RETAINED},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
    }
}  # fmt: skip
GUARDRAILS: dict[str, Any] = {
    "Resources": {
        "Main": {"Type": "AWS::Bedrock::Guardrail", "Properties": {"Name": "main"}},
        "MainVersion": {
            "Type": "AWS::Bedrock::GuardrailVersion", "Properties": {"Description": "Configuration 1"},
            **RETAINED,
        },
    },
    "Outputs": {
        "GuardrailMain": {
            "Value": {
                "Fn::Join": [
                    ":", [{"Fn::GetAtt": ["Main", "GuardrailArn"]}, {"Fn::GetAtt": ["MainVersion", "Version"]}],
                ]
            }
        }
    },
}  # fmt: skip
POLICIES: dict[str, Any] = {
    "Parameters": {"GuardrailMain": {"Type": "String", "AllowedPattern": PIN.pattern}},
    "Resources": {
        "Pinned": {"Type": "AWS::Organizations::Policy", "Properties": {"Content": {"Ref": "GuardrailMain"}}},
        "Plain": {"Type": "AWS::Organizations::Policy", "Properties": {"Content": "x"}},
    },
}


def stages(*, version: int = 1, **changed: dict[str, Any]) -> tuple[Stage, ...]:
    """The stages; `version`: of the guardrail's configuration."""
    guardrails = copy.deepcopy(GUARDRAILS)
    guardrails["Resources"]["MainVersion"]["Properties"]["Description"] = f"Configuration {version}"
    found = {"logging": STORE, "guardrails": guardrails, "organization": POLICIES} | changed
    return tuple(
        Stage(
            name=f"tiny-{part}", part=part, account=OWNER if part == "organization" else MEMBER, region=REGION,
            template=copy.deepcopy(template), parameters=(PIN,) if part == "organization" else (),
        )
        for part, template in found.items()
    )  # fmt: skip


class Cut(BaseException):
    """The process ends here."""


class PlayedAccounts(Accounts):
    """Ways into a played AWS, in-process. `tick` is called before and after every call of CloudFormation."""

    def __init__(self, world: World, tick: Callable[[], None] = lambda: None) -> None:
        self.world, self.tick = world, tick

    def organization(self) -> Organization:
        return Organization(id=self.world.organization, management=self.world.management)

    def stacks(self, account: str, region: str) -> Stacks:
        if account not in self.world.accounts:
            raise DeploymentError(f"account {account}: no such account")
        client, tick = self.world.client(account, region), self.tick

        class Ticking:
            def __getattr__(self, method: str) -> Any:
                def call(**given: Any) -> Any:
                    tick()
                    answer = getattr(client, method)(**given)
                    tick()
                    return answer

                return call

        return CloudFormationStacks(Ticking(), account=account, pause=lambda _: None)


def world(**more: Any) -> World:
    return World(accounts={OWNER, MEMBER}, **more)


def deployer(
    aws: World,
    folder: Path,
    found: tuple[Stage, ...] | None = None,
    *,
    tick: Callable[[], None] = lambda: None,
    pause: Callable[[float], None] = lambda _: None,
    said: list[str] | None = None,
) -> Deployer:
    file = LockFile(folder / "caisson.aws.lock")
    return Deployer(
        system="tiny", organization="o-exampleorg", management=OWNER, stages=found or stages(),
        accounts=PlayedAccounts(aws, tick), file=file, lock=file.read(system="tiny", organization="o-exampleorg"),
        say=(said if said is not None else []).append, pause=pause,
    )  # fmt: skip


def never(name: str, changes: tuple[Change, ...]) -> bool:
    return False


def always(name: str, changes: tuple[Change, ...]) -> bool:
    return True


def deploy(aws: World, folder: Path, found: tuple[Stage, ...] | None = None, **more: Any) -> Deployer:
    """Plan and apply."""
    made = deployer(aws, folder, found, **more)
    made.apply(made.plan(), never)
    return made


def lock_of(folder: Path) -> Any:
    return json.loads((folder / "caisson.aws.lock").read_text())
