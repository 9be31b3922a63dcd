"""What the next orders are (IAM-06, IR-03). Pure: orders and a wish in, orders out.

- Revoking contains; it is never loosened by another order, only forgotten once nothing it refuses could still be valid.
- Orders are bounded, so that the metadata stays small enough for a refresh within a second.

>>> revoke_session(Orders(number=1), "s-1", until=None, now=0.0).revoked_sessions
{'s-1': 3600.0}
"""

from __future__ import annotations

import re
from dataclasses import replace

from caisson.errors import ConfigurationError
from caisson.policy.sessions import DURATION_MAX_S
from caisson.ports.configuration import Orders

REVOCATIONS_MAX = 10_000
"""Of sessions, and of users. Stopping the system contains any number."""
CLOCK_SLACK_S = 60.0
"""How far clocks may be apart: a session that ended by one clock may live by another."""
USER_CHARACTERS_MAX = 256
REASON_CHARACTERS_MAX = 500

_SESSION = re.compile(r"[0-9A-Za-z._:-]{1,128}")


def revoke_session(orders: Orders, session: str, *, until: float | None, now: float) -> Orders:
    """Refuse the session, and what it handed on. `until` is when it ends by itself; without it, the longest possible.

    Raises:
        ConfigurationError: no session id, a session that is over, an end that no session has, or too many revocations.
    """
    if _SESSION.fullmatch(session) is None:
        raise ConfigurationError(f"expected a session id, found {session[:32]!r}; `caisson session list` shows them")
    latest = now + DURATION_MAX_S
    end = latest if until is None else until
    if not now < end <= latest + CLOCK_SLACK_S:
        raise ConfigurationError(
            f"expected a session that ends within {DURATION_MAX_S} s, found one that ends in {end - now:.0f} s;"
            " a session that is over needs no revocation"
        )
    end = max(end, orders.revoked_sessions.get(session, 0.0))
    return replace(orders, revoked_sessions=_with(orders.revoked_sessions, session, end))


def revoke_user(orders: Orders, user: str, *, since: float | None, now: float) -> Orders:
    """Refuse what was issued to the user before `since`; without it, before now.

    Raises:
        ConfigurationError: no user name, a time to come, or too many revocations.
    """
    if not 1 <= len(user) <= USER_CHARACTERS_MAX or not user.isprintable():
        raise ConfigurationError(f"expected a user of 1 to {USER_CHARACTERS_MAX} printable characters")
    start = now if since is None else since
    if not now - DURATION_MAX_S <= start <= now:
        raise ConfigurationError(
            f"expected a time within the last {DURATION_MAX_S} s, the longest that a session lives,"
            f" found one {start - now:+.0f} s from now"
        )
    start = max(start, orders.revoked_users.get(user, 0.0))
    return replace(orders, revoked_users=_with(orders.revoked_users, user, start))


def stop(orders: Orders, reason: str) -> Orders:
    """Stop every request.

    Raises:
        ConfigurationError: no reason.
    """
    return replace(orders, stopped=checked_reason(reason))


def resume(orders: Orders) -> Orders:
    """Let requests through again.

    Raises:
        ConfigurationError: nothing is stopped.
    """
    if not orders.stopped:
        raise ConfigurationError("expected a system that an order stopped, found one that runs")
    return replace(orders, stopped="")


def forgotten(orders: Orders, *, now: float) -> Orders:
    """Without what can no longer refuse anything: sessions that are over, users whose revoked sessions all are."""
    sessions = {name: end for name, end in orders.revoked_sessions.items() if now <= end + CLOCK_SLACK_S}
    users = {
        name: start for name, start in orders.revoked_users.items() if now <= start + DURATION_MAX_S + CLOCK_SLACK_S
    }
    return replace(orders, revoked_sessions=sessions, revoked_users=users)


def checked_reason(reason: str) -> str:
    """The reason.

    Raises:
        ConfigurationError: there is none, or nobody can read it.
    """
    if not reason.strip() or len(reason) > REASON_CHARACTERS_MAX or not reason.isprintable():
        raise ConfigurationError(f"expected a reason of 1 to {REASON_CHARACTERS_MAX} printable characters")
    return reason


def _with(revoked: dict[str, float], name: str, time: float) -> dict[str, float]:
    if name not in revoked and len(revoked) >= REVOCATIONS_MAX:
        raise ConfigurationError(f"expected at most {REVOCATIONS_MAX} revocations; stop the system instead")
    return {**revoked, name: time}
