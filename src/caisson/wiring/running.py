"""What `caisson up` does for a system that runs already: hand it the file as it is now, renew its certificate.

>>> publish(asked)  # doctest: +SKIP
{'unchanged': 3}
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.isolation.users import UserPlan
from caisson.adapters.embedded.layout import Layout, claim, layout, recorded_users
from caisson.errors import StartError
from caisson.policy.exposure import LOOPBACK
from caisson.wiring.interface import certificates, require_identities
from caisson.wiring.system import OPTIONS, PUBLICS, Asked, bundle_of
from caisson.zones.z5_control.client import ControlClient
from caisson.zones.z5_control.handover import digest


@dataclass(frozen=True, kw_only=True)
class _Remembered:
    """What `up` left for later calls."""

    where: Layout
    publics: dict[str, dict[str, str]]
    address: str
    name: str


def publish(asked: Asked) -> dict[str, Any]:
    """Give the running system the file as it is now; what the control zone made of it.

    Raises:
        ConfigurationError: the control zone refused it, or nothing differs.
        StartError: the folder is another system's, or what `up` remembers of it is gone.
    """
    found = _remembered(asked)
    require_identities(asked.system, found.address)
    client, bundle = ControlClient(found.where.sockets / "control.sock"), bundle_of(asked.system, found.publics)
    status = client.call("status")
    if status["in_force"] == digest(bundle):
        return {"unchanged": status["configuration"]["version"]}
    return client.call("publish", bundle=bundle, reason="caisson up on a running system")


def not_taken_up(asked: Asked, given: Collection[str]) -> str:
    """Why a running system does not take up what is asked for; empty: it does.

    Args:
        asked: what the command line asks for.
        given: the options that it names, `--ledger`; a running system keeps the others.
    """
    try:
        runs = json.loads((asked.data.resolve() / "run" / OPTIONS).read_bytes())
    except (OSError, ValueError):
        runs = {}
    for option, value in asked.options().items():
        if option in given and runs.get(option) != value:
            return (
                f"{option}: expected {runs.get(option) or 'none'}, with which the system runs, found {value}; "
                "stop it with 'caisson down' to change that."
            )
    return ""


def renew_certificate(asked: Asked) -> None:
    """Put the operator's certificate in force for workers that start from now on. Those that run keep theirs.

    Raises:
        StartError: the files do not fit, or the system runs with another address or name.
    """
    found = _remembered(asked)
    if (asked.interface.address, asked.interface.name) != (found.address, found.name):
        raise StartError(
            f"expected --host {found.address} and --name {found.name}, with which the system runs; "
            "stop it to change them"
        )
    certificates(found.where, asked.interface, SystemClock())


def _remembered(asked: Asked) -> _Remembered:
    data = asked.data.resolve()
    run = claim(data, system=asked.system.name)
    try:
        publics = json.loads((data / PUBLICS).read_bytes())
        endpoint = json.loads((run / "endpoint.json").read_bytes())
        return _Remembered(
            where=layout(data, UserPlan(first=recorded_users(data), reason="")),
            publics=publics,
            address=endpoint.get("address", LOOPBACK),
            name=endpoint["host"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise StartError(
            f"expected the zones' public keys and the endpoint in {str(data)!r}, found none; restart the system"
        ) from error
