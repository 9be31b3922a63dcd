"""A thread with an event loop of its own: the queue's calls, for callers on any loop or on none."""

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
        """Begin. A process that confines itself does so before: a thread is bound by what its maker was bound by."""
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """What the coroutine will give."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    @property
    def runs(self) -> bool:
        """Whether it was started and not stopped."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the thread; what is under way is given up."""
        if self._ended:
            return
        self._ended = True
        if self.runs:
            self._loop.call_soon_threadsafe(self._give_up)
            self._thread.join()
        self._loop.close()

    def _give_up(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        ended = asyncio.gather(*tasks, return_exceptions=True)
        ended.add_done_callback(lambda _: self._loop.stop())
        if not tasks:
            self._loop.stop()
