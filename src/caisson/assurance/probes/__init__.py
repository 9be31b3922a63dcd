"""Attacks whose success would be seen, one module a family.

check.py    what a check is and what comes of it      target.py  the system that is tried
wire.py     requests by hand                          routes.py  every way to a model, as requests

>>> CHECKS["identity.unsigned"].on
'system'
"""

from __future__ import annotations

from caisson.assurance.probes import (
    configuration,
    credentials,
    data,
    guardrails,
    identity,
    incident,
    log,
    network,
    sessions,
    supply,
)
from caisson.assurance.probes.check import Check, Outcome, Transcript, run, unable

_MODULES = (identity, sessions, configuration, network, guardrails, data, credentials, supply, incident, log)
CHECKS: dict[str, Check] = {check.name: check for module in _MODULES for check in module.CHECKS}
"""All of them, in the order in which they run: what kills processes comes last."""

__all__ = ["CHECKS", "Check", "Outcome", "Transcript", "run", "unable"]
