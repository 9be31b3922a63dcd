"""One verification: which checks run where, and what each control comes to.

Checks of the running system go to it. Checks that must break something, or need a hostile model, go to a rehearsal: the
same file, started beside it for as long as they take. With `rehearse`, all go there and nothing that runs is touched.

>>> found = verify(Plan(system_file=Path("caisson.yaml"), data=Path(".caisson")))  # doctest: +SKIP
>>> found.judged[0].verdict  # doctest: +SKIP
<Verdict.HOLDS: 'holds'>
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from caisson import __version__
from caisson.assurance.controls import CATALOGUE
from caisson.assurance.controls.judgement import Judged, Question, judge, wanted
from caisson.assurance.deployment import proved
from caisson.assurance.probes import CHECKS, Check, Outcome, run, unable
from caisson.assurance.probes.check import Lacking
from caisson.assurance.probes.configuration import in_force
from caisson.assurance.probes.target import NO_ENDPOINT, Target
from caisson.assurance.probes.wire import Wire
from caisson.assurance.proofs.search import Proof
from caisson.assurance.rehearsal.system import rehearsal
from caisson.errors import OperatorError, SystemFileError
from caisson.supervision import read_state
from caisson.system.loader import load, read
from caisson.system.schema import System

Progress = Callable[[int, int, str], None]
"""Told of checks done, checks in all, and what runs now."""
Waiting = Callable[[str], None]
"""Told why nothing happens for a while."""
NOT_IN_FORCE = (
    "what runs is not this file: put it in force with 'caisson up', or name the file or folder that belong together"
)
RUNNING_ALREADY = "the rehearsal did not start"


def _silent(_done: int, _all: int, _what: str) -> None:
    """Nobody looks."""


def _quiet(_why: str) -> None:
    """Nobody looks."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is asked for."""

    system_file: Path
    data: Path
    machine_only: bool = False
    """Leave the file's deployment to AWS out of the question."""
    rehearse: bool = False
    """Touch nothing that runs."""
    rehearsals: bool = True
    """Whether a rehearsal may be started at all."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was found."""

    system: System
    question: Question
    plan: Plan
    judged: tuple[Judged, ...]
    outcomes: Mapping[str, Outcome]
    began: float
    """Unix time in seconds."""
    seconds: float
    inputs: Mapping[str, str] = field(default_factory=dict)
    """What was looked at: name to SHA-256 or version."""


def verify(
    plan: Plan,
    *,
    progress: Progress = lambda _done, _all, _what: None,
    waiting: Callable[[str], None] = lambda _why: None,
) -> Verification:
    """Run what applies, and judge.

    Raises:
        SystemFileError: the file is wrong, or the data folder is another system's.
    """
    system = load(plan.system_file)
    began, clock = time.time(), time.monotonic()
    question = Question.about(system, machine_only=plan.machine_only)
    names = set(wanted(question))
    checks = [check for check in CHECKS.values() if check.name in names]
    live, why = (None, "") if plan.rehearse else running(system, plan.data, waiting=waiting)
    outcomes = run_checks(checks, plan, live, why or NO_ENDPOINT, progress=progress, waiting=waiting)
    proved, unproved = _proved(plan, question, waiting)
    judged = tuple(
        judge(control, question, outcomes, [one for one in proved if control.id in one.claim.controls], unproved)
        for control in CATALOGUE.values()
    )
    return Verification(
        system=system, question=question, plan=plan, judged=judged, outcomes=outcomes, began=began,
        seconds=time.monotonic() - clock, inputs=inputs(plan, live),
    )  # fmt: skip


def _proved(plan: Plan, question: Question, waiting: Waiting) -> tuple[tuple[Proof, ...], str]:
    """What is claimed of the file's organization, with verdicts; and why nothing could be proved."""
    if not question.aws:
        return (), ""
    waiting("proving what the organization's policies say")
    try:
        return tuple(proved(read(plan.system_file))[1]), ""
    except OperatorError as error:
        return (), f"nothing could be proved: {str(error).splitlines()[0]}"


def running(system: System, data: Path, *, waiting: Waiting = _quiet) -> tuple[Target | None, str]:
    """The system of a data folder as it is, running or not; None and the reason when it is not this file's.

    Raises:
        SystemFileError: the folder is another system's.
    """
    try:
        owner = json.loads((data / "layout.json").read_bytes())["system"]
    except (OSError, ValueError, KeyError, TypeError):
        return None, f"{data} holds no system; {NO_ENDPOINT}"
    if owner != system.name:
        raise SystemFileError(f"expected the data folder of {system.name!r}, found that of {owner!r} in {data}")
    target = Target(system=system, data=data.resolve(), waiting=waiting)
    state = read_state(data / "run") if (data / "run").is_dir() else None
    ready = state is not None and state.phase == "ready"
    try:
        if System.from_bundle(in_force(target)["system"]) != system:
            return None, NOT_IN_FORCE
    except Lacking as lacking:
        if ready:
            return None, str(lacking)
    if not ready:
        return target, ""
    found = json.loads((data / "run" / "endpoint.json").read_bytes())
    target.wire = Wire(f"https://{found['host']}:{found['port']}", ca_file=found["ca_bundle"])
    target.region = found["region"]
    return target, ""


def run_checks(
    checks: Iterable[Check], plan: Plan, live: Target | None, why: str,
    *, progress: Progress = _silent, waiting: Waiting = _quiet,
) -> dict[str, Outcome]:  # fmt: skip
    """Run each where it belongs: first what needs no rehearsal, then the others on one."""
    wanted_checks = list(checks)
    here = [
        check for check in wanted_checks if check.on != "rehearsal" and not (plan.rehearse and check.on == "system")
    ]
    there = [check for check in wanted_checks if check not in here]
    outcomes: dict[str, Outcome] = {}
    try:
        for check in here:
            progress(len(outcomes), len(wanted_checks), check.name)
            if live is None and check.on == "system":
                outcomes[check.name] = unable(check, why)
            else:
                outcomes[check.name] = run(check, live or Target(system=load(plan.system_file)))
    finally:
        if live is not None:
            live.finish()
    if there and not plan.rehearsals:
        reason = "it needs a rehearsal, and none was allowed"
        return outcomes | {check.name: unable(check, reason) for check in there}
    if there:
        progress(len(outcomes), len(wanted_checks), "starting a rehearsal")
        with ExitStack() as stack:
            try:
                target = stack.enter_context(rehearsal(plan.system_file, waiting=waiting))
            except (Lacking, SystemFileError, OSError) as error:
                reason = str(error).strip().splitlines()[0] if str(error).strip() else RUNNING_ALREADY
                return outcomes | {check.name: unable(check, f"no rehearsal: {reason}") for check in there}
            for check in there:
                progress(len(outcomes), len(wanted_checks), check.name)
                outcomes[check.name] = run(check, target, where="rehearsal")
    progress(len(wanted_checks), len(wanted_checks), "")
    return outcomes


def inputs(plan: Plan, live: Target | None) -> dict[str, str]:
    """What a verdict is about."""
    found = {
        "caisson": __version__,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "system file": sha256(plan.system_file.read_bytes()).hexdigest(),
    }
    if live is not None and live.data is not None:
        repository = live.data / "configuration" / "metadata" / "timestamp.json"
        if repository.is_file():
            found["configuration"] = sha256(repository.read_bytes()).hexdigest()
    return found
