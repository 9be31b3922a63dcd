"""Requests and their responses: N requests give N request and N response events (LOG-01)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from caisson.ports.archive import Entry
from caisson.zones.z6_logging.problems import Problems


class _Open(NamedTuple):
    entry: int
    deadline: float


@dataclass(kw_only=True)
class Exchanges:
    """Takes the log's entries in order; remembers requests without a response only."""

    problems: Problems
    requests: int = 0
    responses: int = 0
    _open: dict[str, _Open] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Check one entry."""
        kind, request_id = entry.event.get("kind"), str(entry.event.get("request_id", ""))
        if kind == "model.request.v1":
            self.requests += 1
            if request_id in self._open:
                self.problems.add("replayed", "entry", entry.index, detail=f"request {request_id} begins a second time")
            deadline = entry.event.get("deadline")
            self._open[request_id] = _Open(entry.index, deadline if isinstance(deadline, int | float) else 0.0)
        elif kind == "model.response.v1":
            # A survivor declares a dead worker's request lost. The worker may have died just after it had recorded the
            # answer, so a `lost` beside an answer is no second response.
            if request_id not in self._open and entry.event.get("outcome") == "lost":
                return
            self.responses += 1
            if self._open.pop(request_id, None) is None:
                detail = f"response to {request_id}, of which no open request is logged"
                self.problems.add("incomplete", "entry", entry.index, detail=detail)

    def finish(self, now: float) -> int:
        """Nothing follows: tell requests that should have ended before Unix time `now`; how many are still open."""
        open_requests = 0
        for request_id, request in self._open.items():
            if request.deadline >= now:
                open_requests += 1
            else:
                detail = f"request {request_id} has no response and its deadline has passed"
                self.problems.add("incomplete", "entry", request.entry, detail=detail)
        return open_requests
