"""What every zone process does: stop when told to, follow the signed configuration."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from caisson.supervision.child import RETIRE_SIGNAL

POLL_S = 0.1
"""How often a process looks for a new configuration or orders; a revocation takes effect within a second (IAM-06)."""


def stop_on_signals() -> asyncio.Event:
    """Set when the supervisor says stop. The terminal's Ctrl-C is the supervisor's to handle."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    return stop


def retire_on_signal() -> asyncio.Event:
    """Set when the supervisor has a successor for this process."""
    retire = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(RETIRE_SIGNAL, retire.set)
    return retire


async def every(seconds: float, stop: asyncio.Event, act: Callable[[], Awaitable[object] | object]) -> None:
    """Call `act` until stopped."""
    while not stop.is_set():
        result = act()
        if isinstance(result, Awaitable):
            await result
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            continue


def settle_memory() -> None:
    """What starting left behind goes back to the system; what stays is not searched for garbage again.

    Compiling patterns takes tens of megabytes for a moment, which the C library would keep.
    """
    gc.collect()
    gc.freeze()
    with suppress(AttributeError):  # not in every C library (malloc_trim(3) is glibc's)
        ctypes.CDLL(None).malloc_trim(0)
