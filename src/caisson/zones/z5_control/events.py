"""The events that this zone writes (IAM-08). Pure.

>>> orders_published(Orders(number=2), at=0.0, author="uid:1000", reason="drill", changes=("stopped",)).version
2
"""

from __future__ import annotations

from caisson.channels.messages import ConfigurationEvent, FaultEvent, SessionEvent
from caisson.channels.table import Zone
from caisson.ports.configuration import Orders, Published

ZONE = Zone.CONTROL.label


def version_published(version: Published, *, at: float) -> ConfigurationEvent:
    """A configuration version is in force: who, why, before and after, whom it affects, who signed."""
    change = version.change
    restored = (f"restores version {change.restores}",) if change.restores else ()
    return ConfigurationEvent(
        timestamp=at,
        zone=ZONE,
        change="published",
        role="configuration",
        version=version.version,
        sha256=version.sha256,
        author=change.author,
        reason=change.reason,
        approvers=version.approvers,
        changes=(*restored, *change.differences),
        affected_agents=change.affected_agents,
    )


def orders_published(
    orders: Orders, *, at: float, author: str, reason: str, changes: tuple[str, ...] = ()
) -> ConfigurationEvent:
    """Orders with other content are in force."""
    return ConfigurationEvent(
        timestamp=at,
        zone=ZONE,
        change="published",
        role="orders",
        version=orders.number,
        author=author,
        reason=reason,
        changes=changes,
    )


def revoked(*, at: float, session: str = "", user: str = "", reason: str) -> SessionEvent:
    """A session, or all that a user had, is refused from now on."""
    return SessionEvent(timestamp=at, change="revoked", session_id=session, user_identity=user, reason=reason)


def fault_found(*, at: float, fault: str, writer: str, where: str, detail: str) -> FaultEvent:
    """Something on the findings channel that no honest writer wrote."""
    return FaultEvent(timestamp=at, fault=fault, writer=writer, where=f"findings/{where}", detail=detail)
