"""Stage by stage: look, plan, then bring each stack to its template, with the lock written after every step.

- The account of every stage is confirmed before the first is changed.
- What AWS has already is not done again; what an interrupted run left under way is waited for.
- Before AWS is told to begin, the lock says what is being applied. So a run that is cut off at any point goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from caisson.deploy.lock import Applied, Applying, Entry, Lock, LockFile, digest
from caisson.deploy.names import TAG
from caisson.deploy.plan import (
    Found,
    Stage,
    StagePlan,
    State,
    check_known,
    compare,
    is_same,
    unseen,
    values,
    waiting,
)
from caisson.errors import DeploymentError
from caisson.ports.stacks import Accounts, Change, ChangeSet, Stack, Stacks

TEMPLATE_BYTES_MAX = 51_200
"""Largest template in a call (CloudFormation user guide, cloudformation-limits); more would need a bucket."""
POLL_SECONDS = 5.0
POLLS_MAX = 2_880
"""Four hours: CloudFormation itself gives up on a resource sooner."""
RENEW_POLLS = 360
"""Half an hour: a role that was taken by another role holds for one (STS API reference, AssumeRole)."""
RESUMABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
"""From these a stack can be changed."""
FAILED_CREATION = (
    "its creation failed and AWS keeps what is left of it: delete the stack "
    "('aws cloudformation delete-stack --stack-name {name}'), and deploy again"
)
STUCK = {
    "CREATE_FAILED": FAILED_CREATION,
    "ROLLBACK_COMPLETE": FAILED_CREATION,
    "ROLLBACK_FAILED": FAILED_CREATION,
    "UPDATE_ROLLBACK_FAILED": "going back failed: find what blocks it, then "
    "'aws cloudformation continue-update-rollback --stack-name {name}', and deploy again",
    "UPDATE_FAILED": "an update stopped half-way: 'aws cloudformation rollback-stack --stack-name {name}', "
    "and deploy again",
    "DELETE_FAILED": "its deletion failed: see what blocks it, delete the stack, and deploy again",
}
UNEXPECTED = "caisson deploy knows no way on from there: see the stack's events, and bring it to a completed state"
Say = Callable[[str], None]


class Interrupted(DeploymentError):  # noqa: N818
    """Stopped by whoever deploys; says what goes on in AWS."""

    def __init__(self, message: str, *, under_way: bool) -> None:
        super().__init__(message)
        self.under_way = under_way


@dataclass(kw_only=True)
class Deployer:
    """One system's deployment."""

    system: str
    organization: str
    management: str
    stages: tuple[Stage, ...]
    accounts: Accounts
    file: LockFile
    lock: Lock
    say: Say
    pause: Callable[[float], None] = time.sleep
    found: dict[str, Found] = field(default_factory=dict)
    _ways: dict[tuple[str, str], Stacks] = field(default_factory=dict)
    _begun: str = ""
    """The stack that AWS was told to change, until it has ended."""

    def plan(self) -> tuple[StagePlan, ...]:
        """Look at every account, and work out what would be done. Nothing is changed.

        Raises:
            DeploymentError: an account, the organization, a stack or the lock is not as it must be.
        """
        for stage in self.stages:
            size = len(stage.body.encode())
            if size > TEMPLATE_BYTES_MAX:
                raise DeploymentError(
                    f"{stage.name}: expected a template of at most {TEMPLATE_BYTES_MAX} bytes, found {size}"
                )
        found = self.accounts.organization()
        if (found.id, found.management) != (self.organization, self.management):
            raise DeploymentError(
                f"expected credentials of organization {self.organization} with management account "
                f"{self.management}, AWS says {found.id} with {found.management}; nothing was changed"
            )
        for stage in self.stages:
            self._stacks(stage)  # every account, before a stack of any is touched
        for stage in self.stages:
            self._look(stage)
        plans: list[StagePlan] = []
        states: dict[str, State] = {}
        for stage in self.stages:
            planned = self._plan(stage, states)
            states[stage.name] = planned.state
            plans.append(planned)
        return tuple(plans)

    def apply(self, plans: tuple[StagePlan, ...], confirm: Callable[[str, tuple[Change, ...]], bool]) -> None:
        """Do what was planned. `confirm` is asked about replacements and deletions that the plan could not show.

        Raises:
            DeploymentError: a stage failed; earlier stages stay, and the lock says so.
            Interrupted: the user stopped it.
        """
        for number, planned in enumerate(plans, start=1):
            stage = planned.stage
            head = f"[{number}/{len(plans)}] {stage.name}"
            self._ways.pop((stage.account, stage.region), None)  # credentials of a role end after an hour
            try:
                self._bring(planned, head, confirm)
            except KeyboardInterrupt:
                raise Interrupted(self._under_way(stage), under_way=self._begun == stage.name) from None

    def _stacks(self, stage: Stage) -> Stacks:
        key = (stage.account, stage.region)
        if key not in self._ways:
            self._ways[key] = self.accounts.stacks(*key)
        return self._ways[key]

    def _look(self, stage: Stage) -> Found:
        stacks = self._stacks(stage)
        stack = self._settled(stage, stacks.find(stage.name))
        template = stacks.template(stage.name) if stack is not None and stack.status != "REVIEW_IN_PROGRESS" else {}
        found = Found(stack=stack, template=template)
        check_known(stage, found, self.lock, system=self.system, tag=TAG)
        self.found[stage.name] = found
        return found

    def _settled(self, stage: Stage, stack: Stack | None) -> Stack | None:
        """The stack once nothing is under way in it.

        Raises:
            DeploymentError: it is in a state that only a person can end.
        """
        told = False
        for _ in range(POLLS_MAX):
            if stack is None or stack.status in RESUMABLE or stack.status == "REVIEW_IN_PROGRESS":
                return stack
            if not stack.status.endswith("_IN_PROGRESS"):
                advice = STUCK.get(stack.status, UNEXPECTED).format(name=stage.name)
                raise DeploymentError(
                    f"{stage.name}, account {stage.account}: the stack is in {stack.status}: {advice}"
                )
            if not told:
                self.say(f"{stage.name}: {stack.status} is under way in AWS; waiting for its end")
                told = True
            self.pause(POLL_SECONDS)
            stack = self._stacks(stage).find(stack.id)
        raise DeploymentError(f"{stage.name}: still under way after {POLLS_MAX * POLL_SECONDS / 3600:.0f} hours")

    def _plan(self, stage: Stage, states: Mapping[str, State]) -> StagePlan:
        found = self.found[stage.name]
        if found.stack is None or found.stack.status == "REVIEW_IN_PROGRESS":
            added = tuple(compare({}, stage.template))
            return StagePlan(
                stage=stage, state="new", basis="template", changes=added, waits_for=waiting(stage, states)
            )
        waits = waiting(stage, states)
        if waits:
            changes = tuple(compare(found.template, stage.template, follows=waits))
            return StagePlan(stage=stage, state="changed", basis="template", changes=changes, waits_for=waits)
        parameters = self._values(stage)
        if is_same(stage, found, parameters):
            return StagePlan(stage=stage, state="same", basis="template")
        proposed = self._propose(stage, parameters, new=False)
        if proposed is None:
            return StagePlan(stage=stage, state="same", basis="change set")
        self._stacks(stage).discard(stage.name, new=False)
        return StagePlan(stage=stage, state="changed", basis="change set", changes=proposed.changes)

    def _values(self, stage: Stage) -> dict[str, str]:
        outputs = {name: found.stack.outputs for name, found in self.found.items() if found.stack is not None}
        outputs |= {
            name: entry.applied.outputs
            for name, entry in self.lock.stacks.items()
            if name not in self.found and entry.applied is not None
        }
        return values(stage, outputs, self.lock.given)

    def _propose(self, stage: Stage, parameters: Mapping[str, str], *, new: bool) -> ChangeSet | None:
        return self._stacks(stage).propose(
            stage.name, new=new, template=stage.body, parameters=parameters, tags={TAG: self.system}
        )

    def _bring(self, planned: StagePlan, head: str, confirm: Callable[[str, tuple[Change, ...]], bool]) -> None:
        stage = planned.stage
        stacks, found = self._stacks(stage), self._look(stage)
        parameters = self._values(stage)
        new = found.stack is None or found.stack.status == "REVIEW_IN_PROGRESS"
        if not new and is_same(stage, found, parameters):
            self._done(stage, found.stack)
            self.say(f"{head}: nothing to do")
            return
        proposed = self._propose(stage, parameters, new=new)
        if proposed is None:  # AWS keeps its template, which differs in nothing that it acts on
            self._done(stage, stacks.find(stage.name), found.template)
            self.say(f"{head}: nothing to do")
            return
        surprising = unseen(planned, proposed)
        if surprising and not confirm(stage.name, surprising):
            stacks.discard(stage.name, new=new)
            what = ", ".join(f"{change.action} {change.resource}" for change in surprising)
            raise DeploymentError(
                f"{stage.name}: AWS would also {what}, which the plan could not show and nobody confirmed; "
                "this stage was not begun. Run caisson deploy again: its plan shows it now"
            )
        self._beginning(stage, proposed, parameters)
        self._begun = stage.name
        stacks.execute(proposed)
        self.say(f"{head}: {'making' if new else 'changing'} it")
        ended = self._ended(stage, proposed, head)
        if ended is None or ended.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise DeploymentError(self._failed(stage, proposed, ended))
        self._begun = ""
        self._done(stage, ended)
        self.say(f"{head}: {ended.status}")

    def _ended(self, stage: Stage, proposed: ChangeSet, head: str) -> Stack | None:
        last = ""
        for number in range(1, POLLS_MAX + 1):
            stack = self._stacks(stage).find(proposed.stack_id)
            if stack is None:
                return None
            if stack.status != "REVIEW_IN_PROGRESS" and not stack.status.endswith("_IN_PROGRESS"):
                return stack
            if stack.status != last:
                last = stack.status
                self.say(f"{head}: {last}")
            if number % RENEW_POLLS == 0:
                self._ways.clear()
            self.pause(POLL_SECONDS)
        raise DeploymentError(f"{stage.name}: still under way after {POLLS_MAX * POLL_SECONDS / 3600:.0f} hours")

    def _failed(self, stage: Stage, proposed: ChangeSet, ended: Stack | None) -> str:
        reasons = "; ".join(self._stacks(stage).failures(proposed.stack_id)) or (ended.reason if ended else "")
        if ended is None:
            became = "AWS removed what it had made of it"
        elif ended.status == "UPDATE_ROLLBACK_COMPLETE":
            became = "AWS went back to what was there before"
        else:
            became = f"the stack is in {ended.status}: " + STUCK.get(ended.status, UNEXPECTED).format(name=stage.name)
        return (
            f"{stage.name}, account {stage.account}: failed: {reasons or 'AWS gives no reason'}. {became}. Stages "
            "before it stay as they are; put right what failed and run caisson deploy again: it goes on here"
        )

    def _beginning(self, stage: Stage, proposed: ChangeSet, parameters: Mapping[str, str]) -> None:
        before = self.lock.stacks.get(stage.name)
        self._write(
            stage,
            Entry(
                account=stage.account,
                region=stage.region,
                id=proposed.stack_id,
                applied=before.applied if before is not None else None,
                applying=Applying(template=stage.digest, parameters=parameters),
            ),
        )

    def _done(self, stage: Stage, stack: Stack | None, template: dict[str, Any] | None = None) -> None:
        has = stage.template if template is None else template
        if stack is None:
            raise DeploymentError(f"{stage.name}: expected the stack, found none; somebody deleted it meanwhile")
        entry = self.lock.stacks.get(stage.name)
        if (
            not stack.protected and entry is not None and entry.applying is not None
        ):  # this run, or one cut off, made it
            self._stacks(stage).protect(stage.name)
            stack = replace(stack, protected=True)
        self.found[stage.name] = Found(stack=stack, template=has)
        applied = Applied(template=digest(has), parameters=stack.parameters, outputs=stack.outputs)
        self._write(stage, Entry(account=stage.account, region=stage.region, id=stack.id, applied=applied))

    def _write(self, stage: Stage, entry: Entry) -> None:
        if self.lock.stacks.get(stage.name) != entry:
            self.lock = self.lock.with_stack(stage.name, entry)
            self.file.write(self.lock)

    def _under_way(self, stage: Stage) -> str:
        if self._begun != stage.name:
            return f"stopped before {stage.name} was begun; run caisson deploy again to go on"
        return (
            f"stopped while {stage.name} in account {stage.account} is under way: AWS goes on with it by itself "
            f"(aws cloudformation describe-stacks --stack-name {stage.name}). Run caisson deploy again: it waits for "
            "the end and goes on"
        )
