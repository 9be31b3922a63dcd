"""`caisson deploy`: a synthesized deployment joined to its lock file and to AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from caisson.adapters.aws.cloudformation.accounts import AwsAccounts
from caisson.deploy.apply import Deployer
from caisson.deploy.landscape import partition_of
from caisson.deploy.lock import LockFile
from caisson.deploy.names import Names
from caisson.deploy.plan import Stage, check_given, stages_of, ungiven
from caisson.deploy.policies.management import DEPLOYMENT
from caisson.deploy.synthesis import Deployment, synthesize
from caisson.errors import DeploymentError, DeveloperError
from caisson.system.loader import read


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user asked for."""

    system: Path
    lock: Path
    profile: str
    role: str = ""
    """Role to take in each account, with its path; empty: the system's deployment role."""
    given: Mapping[str, str]
    stack: str = ""
    """Only this stack; empty: all."""
    endpoint: str = ""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What can be planned."""

    deployment: Deployment
    deployer: Deployer
    all_stages: tuple[Stage, ...]

    @property
    def removed(self) -> tuple[str, ...]:
        """Stacks of the lock that the system file does not ask for any more."""
        names = {stage.name for stage in self.all_stages}
        return tuple(sorted(set(self.deployer.lock.stacks) - names))


def prepare(asked: Asked, say: Callable[[str], None]) -> Prepared:
    """Everything that can be checked without AWS, in the order in which it is cheap.

    Raises:
        SystemFileError: the file is wrong.
        DeploymentError: the lock, a given value or the profile is.
    """
    reading = read(asked.system)
    system = reading.require()
    deployment = synthesize(reading)
    if system.aws is None:
        raise DeveloperError("expected synthesize to refuse a file without the section aws")
    everything = stages_of(deployment.manifest, deployment.files)
    stages = tuple(stage for stage in everything if asked.stack in ("", stage.name))
    if not stages:
        there_are = ", ".join(stage.name for stage in everything)
        raise DeploymentError(f"--stack: expected one of {there_are}, found {asked.stack!r}")
    file = LockFile(asked.lock)
    lock = file.read(system=system.name, organization=system.aws.organization)
    check_given(everything, asked.given)
    lock = replace(lock, given={**lock.given, **asked.given})
    missing = ungiven(stages, lock.given)
    if missing:
        wanted = "; ".join(f"--parameter {one.name}=… ({one.description})" for one in missing)
        raise DeploymentError(
            f"expected values that no stack of this version puts out, found none: {wanted}. Nothing was changed"
        )
    names = Names(system.name)
    accounts = AwsAccounts(
        profile=asked.profile,
        region=system.aws.region,
        partition=partition_of(system.aws.region),
        role=(asked.role or f"{names.path}{names.role(DEPLOYMENT)}").strip("/"),
        endpoint=asked.endpoint,
    )
    deployer = Deployer(
        system=system.name,
        organization=system.aws.organization,
        management=dict(system.aws.accounts)["management"],
        stages=stages,
        accounts=accounts,
        file=file,
        lock=lock,
        say=say,
    )
    return Prepared(deployment=deployment, deployer=deployer, all_stages=everything)
