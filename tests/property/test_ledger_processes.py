"""Several workers with one ledger file, some of which die at any write: never over a limit, never a false refusal.

Acts come in rounds. In a round every worker gets a batch at once and so races with the others; a fuse kills it in the
middle, after the n-th write to the file that it makes. Between rounds nothing moves, and three accounts are compared:

- what workers were told, from their answers; what a dead one was not told has happened whole or not at all;
- what the limits allow: at no moment of a round more than the limit was held;
- what the limits must allow: what was refused would not have fitted beside all that was held in its round. Where one
  worker acts alone that is exact.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.errors import Refusal
from caisson.ports.ledger import Account, Rate

WORKERS = 3
TOKENS_MAX = 400
ACTIONS_MAX = 24
RATE_MAX = 9
WINDOW_S = 30.0
DEADLINE_S = 60.0
BUSY_S = 60.0
"""Longer than any wait here: a refusal because others are busy would be a false one."""
ACCOUNT = Account(
    session_id="s", user="u", agent="a", task="t", opened=0.0, expires=1e9, tokens_max=TOKENS_MAX,
    actions_max=ACTIONS_MAX,
)  # fmt: skip
RATE = Rate(key="user:u", count=RATE_MAX, window_s=WINDOW_S)
BASE = "unix"
"""SQLite's own file system layer."""
Act = tuple[str, str, int, int]
"""`reserve` or `settle`, a reservation's name, tokens, and turns of the loop to wait before; or `sweep`."""


class Fuse(apsw.VFS):
    """Kills this process at a write to the ledger or its log."""

    def __init__(self) -> None:
        self.left: int | None = None
        super().__init__("fuse", BASE, makedefault=True)

    def xOpen(self, name: Any, flags: Any) -> Any:
        return _Fused(self, name, flags)


class _Fused(apsw.VFSFile):
    def __init__(self, fuse: Fuse, name: Any, flags: Any) -> None:
        self._fuse = fuse
        super().__init__(BASE, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        super().xWrite(data, offset)
        if self._fuse.left is not None:
            self._fuse.left -= 1
            if self._fuse.left < 0:
                os.kill(os.getpid(), signal.SIGKILL)


def work(path: Path, hears: int, says: int) -> None:
    """A worker: a batch a line in, a line out for every act that has returned, and one when all have."""
    fuse = Fuse()
    ledger = EmbeddedLedger(path, busy_s=BUSY_S)

    def say(what: object) -> None:
        os.write(says, json.dumps(what).encode() + b"\n")

    async def act(kind: str, name: str, tokens: int, turns: int, now: float) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        if kind == "sweep":
            await ledger.forget(await ledger.lapsed(before=now))
            return
        if kind == "settle":
            await ledger.settle(name, tokens=tokens, cost_micro_usd=1)
            say([name, "settled"])
            return
        result = await ledger.reserve(
            reservation_id=name, session_id="s", tokens=tokens, actions=1, rates=(RATE,), now=now,
            deadline=now + DEADLINE_S,
        )  # fmt: skip
        say([name, result.rule if isinstance(result, Refusal) else "granted"])

    async def batch(acts: Sequence[Act], now: float) -> None:
        await asyncio.gather(*(act(*one, now) for one in acts))

    with asyncio.Runner() as runner, open(hears, "rb") as commands:
        say("open")
        for line in commands:
            acts, now, fuse.left = json.loads(line)
            runner.run(batch(acts, now))
            fuse.left = None
            say("done")


class Worker:
    """A process of its own. Only one thread of the parent's may start it."""

    def __init__(self, path: Path) -> None:
        hears, tells = os.pipe()
        listens, says = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            for number in os.listdir("/proc/self/fd"):
                if int(number) > 2 and int(number) not in (hears, says):
                    with suppress(OSError):  # the listing's own
                        os.close(int(number))
            try:
                work(path, hears, says)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(hears)
        os.close(says)
        self._tells = tells
        self._answers = os.fdopen(listens, "rb")
        assert json.loads(self._answers.readline()) == "open"

    def ask(self, acts: Sequence[Act], now: float, fuse: int | None) -> None:
        os.write(self._tells, json.dumps([acts, now, fuse]).encode() + b"\n")

    def answers(self) -> tuple[dict[str, str], bool]:
        """What its acts returned, and whether it lives."""
        found: dict[str, str] = {}
        for line in self._answers:
            said = json.loads(line)
            if said == "done":
                return found, True
            found[said[0]] = said[1]
        return found, False

    def end(self) -> int:
        os.close(self._tells)
        self._answers.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@dataclass
class Model:
    """What must be on file, worked out from what workers were told."""

    held: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Unsettled reservations: tokens and deadline."""
    used: int = 0
    settled: int = 0
    granted_at: list[float] = field(default_factory=list)

    def tokens(self, now: float) -> int:
        return self.used + sum(tokens for tokens, deadline in self.held.values() if deadline > now)

    def in_window(self, now: float) -> int:
        return sum(now - at < WINDOW_S for at in self.granted_at)


def on_file(path: Path) -> tuple[tuple[int, ...], dict[str, int]]:
    """Tokens used, tokens reserved, actions, settled; and every reservation with its tokens."""
    db = apsw.Connection(str(path))
    try:
        account = db.execute(
            "SELECT tokens_used, tokens_reserved, actions_used, cost_micro_usd FROM accounts WHERE session_id = 's'"
        ).fetchall()[0]
        return account, dict(db.execute("SELECT reservation_id, tokens FROM reservations"))
    finally:
        db.close()


reserves = st.tuples(st.integers(1, 160), st.integers(0, 3))
settles = st.tuples(st.integers(0, 160), st.integers(0, 3))
rounds = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.lists(reserves, max_size=4), st.none() | st.integers(0, 40)),
            min_size=WORKERS,
            max_size=WORKERS,
        ),
        st.lists(settles, max_size=4),
        st.sampled_from([0.0, 1.0, 8.0, 31.0, 61.0]),
    ),
    min_size=1,
    max_size=8,
)
NOBODY: tuple[list[Any], None] = ([], None)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(played=rounds)
@example(played=[([([(100, 0)] * 4, None)] * WORKERS, [], 0.0)])  # 12 times 100 of 400 at once
@example(played=[([([(1, 0)] * 4, None)] * WORKERS, [], 0.0)])  # 12 of 9 in the window at once
@example(
    played=[
        ([([(160, 0), (160, 1)], 9), NOBODY, NOBODY], [], 61.0),
        ([([(150, 0)] * 2, None), NOBODY, NOBODY], [], 0.0),
    ]
)
def test_never_over_and_never_a_false_refusal(
    tmp_path_factory: pytest.TempPathFactory, played: list[tuple[list[Any], list[Any], float]]
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    first = EmbeddedLedger(path)
    asyncio.run(first.open(ACCOUNT))
    first.close()
    workers = [Worker(path) for _ in range(WORKERS)]
    model, now = Model(), 1000.0
    try:
        for number, (batches, settled, step) in enumerate(played):
            asked = plan(number, batches, settled, model, now)
            for worker, (acts, fuse) in zip(workers, asked, strict=True):
                worker.ask(acts, now, fuse)
            said: dict[str, str] = {}
            for index, worker in enumerate(workers):
                answers, lives = worker.answers()
                said |= answers
                if not lives:
                    assert worker.end() == -signal.SIGKILL
                    workers[index] = Worker(path)
            check(path, model, [act for acts, _ in asked for act in acts], said, now)
            now += step
    finally:
        for worker in workers:
            worker.end()


def plan(
    number: int, batches: list[Any], settled: list[Any], model: Model, now: float
) -> list[tuple[list[Act], int | None]]:
    """Each worker's acts. What is held is settled by the first ones, whoever reserved it, until its deadline, which a
    request never outlives. What has lapsed is swept by one of them, as the gateway's first worker does."""
    asked: list[tuple[list[Act], int | None]] = [
        ([("reserve", f"{number}-{index}-{place}", *one) for place, one in enumerate(acts)], fuse)
        for index, (acts, fuse) in enumerate(batches)
    ]
    held = sorted(name for name, (_, deadline) in model.held.items() if deadline > now)
    for place, (name, (tokens, turns)) in enumerate(zip(held, settled, strict=False)):
        asked[place % WORKERS][0].append(("settle", name, tokens, turns))
    if number % 2:
        asked[0][0].append(("sweep", "", 0, 0))
    return asked


def check(path: Path, model: Model, acts: list[Act], said: dict[str, str], now: float) -> None:
    (used, reserved, actions, settled), rows = on_file(path)
    held_before, actions_before, in_window_before = model.tokens(now), len(model.granted_at), model.in_window(now)
    granted: list[int] = []
    for kind, name, tokens, _ in acts:
        if kind == "sweep":
            swept = [name for name, (_, deadline) in model.held.items() if deadline < now and name not in rows]
            for name in swept:
                del model.held[name]
        elif kind == "settle":
            assert said.get(name) in ("settled", None)
            assert said.get(name) is None or name not in rows
            if name not in rows:
                model.used += min(tokens, model.held.pop(name)[0])
                model.settled += 1
        elif said.get(name) == "granted" or (name not in said and name in rows):
            assert name in rows  # acknowledged means committed
            granted.append(tokens)
            model.held[name] = (tokens, now + DEADLINE_S)
            model.granted_at.append(now)
    # nothing else is on file, and nothing by halves
    assert rows == {name: tokens for name, (tokens, _) in model.held.items()}
    assert (used, reserved, actions, settled) == (
        model.used, sum(rows.values()), len(model.granted_at), model.settled,
    )  # fmt: skip
    # never over
    assert model.tokens(now) <= TOKENS_MAX
    assert actions <= ACTIONS_MAX
    assert model.in_window(now) <= RATE_MAX
    # never a false refusal
    for kind, name, tokens, _ in acts:
        outcome = said.get(name, "granted")
        if kind != "reserve" or outcome == "granted":
            continue
        fits = {
            "ledger.tokens": held_before + sum(granted) + tokens <= TOKENS_MAX,
            "ledger.actions": actions_before + len(granted) + 1 <= ACTIONS_MAX,
            "ledger.rate.user": in_window_before + len(granted) + 1 <= RATE_MAX,
        }
        assert not fits.get(outcome, True), (outcome, tokens)
