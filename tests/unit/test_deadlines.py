"""Time limits that share a timer behave as asyncio's own."""

from __future__ import annotations

import asyncio

import pytest

from caisson.zones.z2_runtime.deadlines import Deadlines

SHORT, LONG = 0.01, 60.0


async def test_what_is_in_time_is_left_alone() -> None:
    deadlines = Deadlines()
    for _ in range(3):
        with deadlines.within(LONG):
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not deadlines._running


async def test_what_takes_too_long_ends() -> None:
    deadlines = Deadlines()
    with pytest.raises(TimeoutError), deadlines.within(SHORT):
        await asyncio.sleep(LONG)
    await asyncio.sleep(0)  # nothing of the cancellation is left
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_each_of_many_has_its_own() -> None:
    deadlines = Deadlines()

    async def run(seconds: float, takes: float) -> bool:
        try:
            with deadlines.within(seconds):
                await asyncio.sleep(takes)
        except TimeoutError:
            return False
        return True

    found = await asyncio.gather(run(SHORT, LONG), run(LONG, 0.3), run(SHORT, LONG), run(LONG, 0.0))
    assert found == [False, True, False, True]
    assert deadlines._running == set()


async def test_somebody_elses_cancellation_stays_one() -> None:
    deadlines = Deadlines()

    async def run() -> None:
        with deadlines.within(LONG):
            await asyncio.sleep(LONG)

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert deadlines._running == set()


async def test_a_cancellation_beside_the_limit_is_not_swallowed() -> None:
    deadlines = Deadlines()

    async def run() -> None:
        with deadlines.within(SHORT):
            try:
                await asyncio.sleep(LONG)
            finally:
                task.cancel()

    task = asyncio.create_task(run())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_inner_of_two_limits_is_the_inner_ones() -> None:
    deadlines = Deadlines()
    with deadlines.within(LONG), pytest.raises(TimeoutError), deadlines.within(SHORT):
        await asyncio.sleep(LONG)


async def test_an_error_inside_stays_itself() -> None:
    deadlines = Deadlines()
    with pytest.raises(KeyError), deadlines.within(LONG):
        raise KeyError


async def test_no_timer_runs_when_nobody_waits() -> None:
    deadlines = Deadlines()
    with deadlines.within(LONG):
        assert deadlines._timer is not None
    await asyncio.sleep(0.25)
    assert deadlines._timer is None
