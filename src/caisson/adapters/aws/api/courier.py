"""A thread with an event loop of its own: calls of AWS for callers on any loop or on none.

A thread is bound by what bound its maker, so one that starts before its process confines itself must end before, too,
with those that look names up for it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Courier:
    """Runs coroutines elsewhere, in the order given. Those that are given before it starts wait."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"courier-{name}", daemon=True)
        self._ended = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """What the coroutine will give."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    @property
    def runs(self) -> bool:
        """Whether it was started and not stopped."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the thread and those that it made; what is under way is given up."""
        if self._ended:
            return
        self._ended = True
        if self.runs:
            self._loop.call_soon_threadsafe(self._give_up)
            self._thread.join()
        self._loop.close()

    def _give_up(self) -> None:
        self._ending = self._loop.create_task(self._end())

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.shutdown_default_executor()
        self._loop.stop()
