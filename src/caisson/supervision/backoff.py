"""When a process that ended is started again. Pure.

- Each run that was not stable doubles the wait; a stable run begins anew.
- A process that had been ready waits less at most: whatever killed it came from outside or from one request, and the
  service must be back within seconds. One that cannot even get ready waits longer, as trying costs a start each time.

>>> [delay_s(failures, was_ready=False) for failures in (1, 2, 3, 7)]
[0.1, 0.2, 0.4, 5.0]
>>> delay_s(7, was_ready=True)
1.0
"""

from __future__ import annotations

DELAY_MIN_S = 0.1
DELAY_MAX_S = 5.0
DELAY_MAX_AFTER_READY_S = 1.0
STABLE_S = 30.0
"""A run this long after it was ready was no part of a series of failures."""
_DOUBLINGS_MAX = 10


def failures_after(failures: int, ready_s: float | None) -> int:
    """How many runs in a row were not stable, after one that was ready for `ready_s` (None: never)."""
    return 1 if ready_s is not None and ready_s >= STABLE_S else failures + 1


def delay_s(failures: int, *, was_ready: bool) -> float:
    """Seconds to wait after that many runs in a row."""
    most = DELAY_MAX_AFTER_READY_S if was_ready else DELAY_MAX_S
    return min(DELAY_MIN_S * 2.0 ** min(max(failures, 1) - 1, _DOUBLINGS_MAX), most)


def drain_deadlines(count: int, seconds: float) -> tuple[float, ...]:
    """Seconds from now by which each of `count` processes, stopped one after the other, must have ended.

    A later one keeps time of its own even when those before it use all of theirs.

    >>> drain_deadlines(3, 60.0)
    (50.0, 55.0, 60.0)
    """
    kept = min(DRAIN_KEPT_S, seconds / (2 * max(count, 1)))
    return tuple(seconds - kept * (count - 1 - index) for index in range(count))


DRAIN_KEPT_S = 5.0
"""Seconds that each later process keeps for itself."""
