"""Time limits of many tasks, kept by one timer: every request has several, and almost none is ever reached.

What `asyncio.timeout` does, to the nearest `TICK_S` and at a fraction of its cost. A limit that is over cancels its
task, and turns that cancellation, and no other, into TimeoutError.

>>> import asyncio
>>> async def slow() -> str:
...     with Deadlines().within(0.01):
...         await asyncio.sleep(60)
>>> asyncio.run(slow())
Traceback (most recent call last):
...
TimeoutError
"""

from __future__ import annotations

import asyncio
from types import TracebackType

TICK_S = 0.1


class Deadlines:
    """Of one event loop."""

    def __init__(self) -> None:
        self._running: set[_Limit] = set()
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> _Limit:
        """A context whose body may take that long."""
        return _Limit(self, seconds)

    def _start(self, limit: _Limit) -> None:
        self._running.add(limit)
        if self._timer is None:
            self._timer = limit.loop.call_later(TICK_S, self._tick, limit.loop)

    def _stop(self, limit: _Limit) -> None:
        self._running.discard(limit)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for limit in [each for each in self._running if each.ends_at <= now]:
            self._running.discard(limit)
            limit.expire()
        self._timer = loop.call_later(TICK_S, self._tick, loop) if self._running else None


class _Limit:
    """One limit of the task that enters it."""

    __slots__ = ("_cancelling", "_expired", "_owner", "_seconds", "_task", "ends_at", "loop")

    def __init__(self, owner: Deadlines, seconds: float) -> None:
        self._owner = owner
        self._seconds = seconds
        self._expired = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit needs a task")
        self._task, self._cancelling = task, task.cancelling()
        self.loop = task.get_loop()
        self.ends_at = self.loop.time() + self._seconds
        self._owner._start(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._owner._stop(self)
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        """The time is up."""
        self._expired = True
        self._task.cancel()
