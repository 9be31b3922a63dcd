"""Starts, watches, restarts and drains the zone processes of one machine. Knows nothing of what they do."""

from caisson.supervision.detach import detached
from caisson.supervision.readiness import Announcement, announce_failure, announce_ready
from caisson.supervision.service import alone, renew, running, serve
from caisson.supervision.spec import ProcessSpec, zone_environment
from caisson.supervision.state import State, ZoneState, read_state
from caisson.supervision.supervisor import Drained, Event, Supervisor

__all__ = [
    "Announcement",
    "Drained",
    "Event",
    "ProcessSpec",
    "State",
    "Supervisor",
    "ZoneState",
    "alone",
    "announce_failure",
    "announce_ready",
    "detached",
    "read_state",
    "renew",
    "running",
    "serve",
    "zone_environment",
]
