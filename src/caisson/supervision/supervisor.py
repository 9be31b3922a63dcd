"""Runs the zone processes: in order up, watched, in reverse order down.

- Each gets its turn when those that it needs are ready. Those that wait for it are started at once, all together: most
  of a start is loading the program. At the first start a failure stops everything with the process's own words.
- After that a process that ends is started again, for as long as the supervisor lives (see `backoff`).
- To stop, each is asked in reverse order and waited for, those of a group together: the gateway finishes what is under
  way, the logging zone then empties its spools. What does not end in its time is killed, and the result says so.
- A group is renewed one process at a time: the next one retires when the successor of this one is ready.

>>> supervisor = Supervisor(specs, run=run, clock=clock, prepare=leave_with_parent, on_event=print)  # doctest: +SKIP
>>> await supervisor.start(); await supervisor.stop()  # doctest: +SKIP
Drained(unfinished=())
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from caisson.errors import DeveloperError, StartError
from caisson.ports.clock import Clock
from caisson.supervision.backoff import delay_s, drain_deadlines, failures_after
from caisson.supervision.child import Child, Prepare, described
from caisson.supervision.identity import ProcessIdentity
from caisson.supervision.process_log import ProcessLog
from caisson.supervision.readiness import Announcement
from caisson.supervision.spec import ProcessSpec
from caisson.supervision.state import Phase, Renewal, RenewalPhase, State, ZonePhase, ZoneState, write_state

DRAIN_SECONDS = 60.0
KILL_SECONDS_MAX = 5.0
"""SIGKILL needs no consent; what survives this long hangs in the kernel."""
STARTS_FAILED_DRAIN_SECONDS = 10.0
READY_LOOK_S = 0.02
RETIRE_SECONDS = 80.0
"""A process that retires may finish what is under way for this long; more than the gateway allows itself."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something happened to a process."""

    process: str
    change: Literal["started", "ready", "failed", "restarting", "stopped"]
    at: float
    """Unix time in seconds."""
    detail: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    """With `ready`: what the process said of itself."""


@dataclass(frozen=True, kw_only=True)
class Drained:
    """How stopping went."""

    unfinished: tuple[str, ...]
    """Processes that were ready and then did not end in time by themselves, and well."""


class _Process:
    """One spec with its current run."""

    def __init__(self, spec: ProcessSpec, log: ProcessLog) -> None:
        self.spec = spec
        self.log = log
        self.child: Child | None = None
        self.begun = False
        """`child` was given its turn."""
        self.state = ZoneState()
        self.failures = 0
        self.ready_since: float | None = None
        """Monotonic; None: this run was never ready."""
        self.watch: asyncio.Task[None] | None = None


class Supervisor:
    """See the module. `sleep` is how restarts wait, so that tests need not."""

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        run: Path,
        clock: Clock,
        prepare: Prepare,
        on_event: Callable[[Event], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        identity = ProcessIdentity.of(os.getpid())
        if identity is None or len({spec.name for spec in specs}) != len(specs):
            raise DeveloperError("expected /proc and processes with different names")
        self._identity = identity
        self._run = run
        self._clock = clock
        self._prepare = prepare
        self._on_event = on_event
        self._sleep = sleep
        self._processes = [_Process(spec, ProcessLog(run / f"{spec.name}.log", clock)) for spec in specs]
        self._hurry = asyncio.Event()
        self._phase: Phase = "starting"
        self._since = clock.now()
        self._renewal = Renewal()
        self._renewing: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """What runs."""
        zones = {process.spec.name: process.state for process in self._processes}
        return State(
            phase=self._phase, supervisor=self._identity, since=self._since, zones=zones, renewal=self._renewal
        )

    async def start(self) -> None:
        """Return when all are ready.

        Raises:
            StartError: one failed; those before it were stopped again.
        """
        self._publish("starting")
        failures: list[BaseException] = []
        for process in self._processes:
            if process.spec.waits:
                with suppress(StartError):  # tried again, and said, in its turn
                    self._spawn(process, "waiting")
        try:
            async with asyncio.TaskGroup() as group:
                began: dict[str, asyncio.Task[None]] = {}
                for process in self._processes:
                    needed = tuple(began) if process.spec.after is None else process.spec.after
                    began[process.spec.name] = group.create_task(self._start(process, [began[name] for name in needed]))
        except* StartError as group_of_failures:
            failures += group_of_failures.exceptions
        if failures:
            await self.stop(STARTS_FAILED_DRAIN_SECONDS)
            self._publish("failed")
            raise failures[0]
        for process in self._processes:
            process.watch = asyncio.create_task(self._watch(process), name=f"watch {process.spec.name}")
        self._publish("ready")

    async def stop(self, seconds: float = DRAIN_SECONDS) -> Drained:
        """Stop all in reverse order, within about that time; `hurry` cuts it short."""
        self._publish("stopping")
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait({self._renewing})
        for process in self._processes:
            if process.watch is not None:
                process.watch.cancel()
            for listener in process.spec.listens.values():
                listener.close()  # what comes now is refused, not kept waiting for nobody
        watches = [process.watch for process in self._processes if process.watch is not None]
        await asyncio.gather(*watches, return_exceptions=True)
        began = self._clock.monotonic()
        groups = self._groups()
        for group, deadline in zip(reversed(groups), drain_deadlines(len(groups), seconds), strict=True):
            left = began + deadline - self._clock.monotonic()
            await asyncio.gather(*(self._end(process, left) for process in group))
            for process in group:
                process.log.close()
        self._publish("stopped")
        return Drained(unfinished=tuple(name for name, zone in self.state.zones.items() if zone.unfinished))

    def hurry(self) -> None:
        """Stop waiting for what is under way: from now on `stop` kills."""
        self._hurry.set()

    def renew(self, group: str) -> None:
        """Begin to put a fresh process in the place of each of the group; `state.renewal` says how it goes.

        Nothing happens unless everything was started, or while such a renewal is under way.
        """
        if self._phase == "ready" and (self._renewing is None or self._renewing.done()):
            self._note_renewal("under way", number=self._renewal.number + 1)
            self._renewing = asyncio.create_task(self._renew(group), name=f"renew {group}")

    def _groups(self) -> list[list[_Process]]:
        groups: list[list[_Process]] = []
        for process in self._processes:
            if groups and process.spec.group and groups[-1][-1].spec.group == process.spec.group:
                groups[-1].append(process)
            else:
                groups.append([process])
        return groups

    def _note_renewal(self, phase: RenewalPhase, **changes: Any) -> None:
        self._renewal = replace(self._renewal, phase=phase, **{"detail": "", **changes})
        self._publish(self._phase)

    async def _renew(self, group: str) -> None:
        for process in self._processes:
            if process.spec.group == group:
                try:
                    await self._renew_one(process)
                except StartError as error:  # the others stay as they are
                    self._note_renewal("failed", detail=str(error))
                    return
                except asyncio.CancelledError:
                    self._note_renewal("failed", detail="the system was stopped")
                    raise
        self._note_renewal("done")

    async def _renew_one(self, process: _Process) -> None:
        """Its successor loads the program while it retires, and has its turn when it has ended.

        Raises:
            StartError: the successor did not start; it is tried again like any process that ended.
        """
        await self._until_ready(process)
        successor = Child.spawn(process.spec, log=process.log, prepare=self._prepare) if process.spec.waits else None
        try:
            if process.watch is not None:
                process.watch.cancel()
                await asyncio.wait({process.watch})
            await self._retire(process)
        except BaseException:
            if successor is not None:
                successor.kill()
            raise
        process.begun = successor is None
        if successor is not None:
            process.child = successor
            self._update(process, "waiting", identity=successor.identity)
        try:
            announcement = await self._begin(process)
        except StartError as error:
            process.child = None
            announcement = Announcement(failure=str(error))
        process.watch = asyncio.create_task(self._watch(process), name=f"watch {process.spec.name}")
        if announcement.failure:
            self._report(process, "failed", announcement.failure)
            raise StartError(f"{process.spec.name} did not start again: {announcement.failure}")

    async def _until_ready(self, process: _Process) -> None:
        """One that is starting again by itself is not taken away before it serves.

        Raises:
            StartError: it is not ready in its time.
        """
        ends = self._clock.monotonic() + process.spec.ready_seconds_max
        while process.state.phase != "ready":
            if self._clock.monotonic() >= ends:
                raise StartError(f"{process.spec.name} is not ready: it {process.state.last_exit or 'is starting'}")
            await asyncio.sleep(READY_LOOK_S)

    async def _retire(self, process: _Process) -> None:
        child = process.child
        if child is None:
            return
        self._update(process, "retiring")
        child.retire()
        await asyncio.wait({child.ended}, timeout=RETIRE_SECONDS)
        if not child.ended.done():
            await self._kill(process)
        status = child.ended.result() if child.ended.done() else None
        detail = "cannot be killed" if status is None else described(status)
        self._update(process, "retiring", last_exit=detail)
        self._report(process, "stopped", f"it retired and {detail}")
        if status is None:
            raise StartError(f"{process.spec.name} cannot be killed")

    async def _start(self, process: _Process, needed: Sequence[asyncio.Task[None]]) -> None:
        """The first run of one process, once those that it needs are ready.

        Raises:
            StartError: it failed, in its own words.
        """
        if needed:
            await asyncio.wait(needed)  # one that fails cancels this task with its group
        try:
            announcement = await self._begin(process)
        except StartError as error:
            announcement = Announcement(failure=str(error))
        if announcement.failure:
            self._report(process, "failed", announcement.failure)
            raise StartError(
                f"{process.spec.name} did not start: {announcement.failure}; more in {str(process.log.path)!r}"
            )

    def _spawn(self, process: _Process, phase: ZonePhase) -> Child:
        process.begun = False
        process.child = Child.spawn(process.spec, log=process.log, prepare=self._prepare)
        self._update(process, phase, identity=process.child.identity)
        return process.child

    async def _begin(self, process: _Process) -> Announcement:
        """One run up to its announcement. A run that failed has ended when this returns."""
        process.ready_since = None
        child = process.child
        if child is None or process.begun:
            child = self._spawn(process, "starting")
        else:
            self._update(process, "starting")
        process.begun = True
        child.give_turn()
        self._report(process, "started", f"process {child.pid}")
        try:
            announcement = await asyncio.wait_for(asyncio.shield(child.ready), process.spec.ready_seconds_max)
        except TimeoutError:
            announcement = Announcement(failure=f"it was not ready after {process.spec.ready_seconds_max:g} s")
        if announcement.failure:
            await self._kill(process)
            return announcement
        process.ready_since = self._clock.monotonic()
        self._update(process, "ready", ready_at=self._clock.now())
        self._report(process, "ready", f"process {child.pid}", announcement.info)
        return announcement

    async def _watch(self, process: _Process) -> None:
        """Keep it running until this task is cancelled."""
        while True:
            if process.child is not None:
                status = await asyncio.shield(process.child.ended)
                self._update(process, "restarting", last_exit=described(status), restarts=process.state.restarts + 1)
            ready_s = None if process.ready_since is None else self._clock.monotonic() - process.ready_since
            process.failures = failures_after(process.failures, ready_s)
            delay = delay_s(process.failures, was_ready=ready_s is not None)
            self._report(process, "restarting", f"it {process.state.last_exit}; again in {delay:g} s")
            await self._sleep(delay)
            try:
                announcement = await self._begin(process)
            except StartError as error:
                process.child = None
                announcement = Announcement(failure=str(error))
            if announcement.failure:
                self._report(process, "failed", announcement.failure)

    async def _end(self, process: _Process, seconds: float) -> None:
        """Ask, wait, then kill."""
        child = process.child
        if child is None:
            return
        asked = not child.ended.done()
        if asked:
            child.terminate()
            hurry = asyncio.create_task(self._hurry.wait())
            either: set[asyncio.Future[Any]] = {child.ended, hurry}
            await asyncio.wait(either, timeout=max(seconds, 0.0), return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()
        if not child.ended.done():
            await self._kill(process)
        status = child.ended.result() if child.ended.done() else None
        detail = "cannot be killed" if status is None else described(status)
        unfinished = asked and process.ready_since is not None and status != 0
        self._update(process, "stopped", last_exit=detail, unfinished=unfinished)
        if process.begun:
            self._report(process, "stopped", f"it {detail}")

    async def _kill(self, process: _Process) -> None:
        if process.child is not None:
            process.child.kill()
            await asyncio.wait({process.child.ended}, timeout=KILL_SECONDS_MAX)

    def _update(self, process: _Process, phase: ZonePhase, **changes: Any) -> None:
        process.state = replace(process.state, phase=phase, **changes)
        self._publish(self._phase)

    def _publish(self, phase: Phase) -> None:
        if phase != self._phase:
            self._phase, self._since = phase, self._clock.now()
        try:
            write_state(self._run, self.state)
        except OSError:  # a full disk must not end the supervisor; what it says is then late
            return

    def _report(self, process: _Process, change: Any, detail: str, info: Mapping[str, Any] | None = None) -> None:
        self._on_event(
            Event(process=process.spec.name, change=change, at=self._clock.now(), detail=detail, info=info or {})
        )
