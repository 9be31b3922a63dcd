"""A thread with an event loop of its own: the queue's calls, for callers on any loop or on none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Courier:
    """Runs coroutines elsewhere, in the order given."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"courier-{name}", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """What the coroutine will give."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    @property
    def stopped(self) -> bool:
        """Whether nothing runs any more."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End the thread; what is under way is given up."""
        if self.stopped:
            return
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
