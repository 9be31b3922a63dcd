"""Tier defaults: the one table of what a system gets when its file says nothing.

Tiers are 1 low, 2 medium, 3 high, 4 critical.

- The file states only what differs. A value looser than its tier's default needs a reason.
- What no file can change is a fact of the tier.

>>> default("sessions.duration").at(3)
'30m'
>>> fact("orders_expiry_s", 3)
60
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from caisson.system.values import parse_duration, parse_rate

Value = str | int | float
"""As a system file writes it."""
STRENGTHS = ("none", "low", "medium", "high")
CREDENTIAL_ACTIONS = ("redact", "block")
PERMISSIONS = ("refuse", "allow")
LEAK_ACTIONS = ("flag", "block")


def more(value: Any, default: Any) -> bool:
    """A greater number is looser."""
    return bool(value > default)


def fewer(value: Any, default: Any) -> bool:
    """A smaller number is looser."""
    return bool(value < default)


def longer(value: Any, default: Any) -> bool:
    """A longer duration is looser."""
    return parse_duration(value) > parse_duration(default)


def faster(value: Any, default: Any) -> bool:
    """A rate is looser when some window of the default's length can hold more requests under it."""
    asked, allowed = parse_rate(value), parse_rate(default)
    windows = -(-allowed.window_s // asked.window_s)
    return asked.count * windows > allowed.count


def weaker(value: Any, default: Any) -> bool:
    """A strength nearer to none is looser."""
    return STRENGTHS.index(value) < STRENGTHS.index(default)


def milder(value: Any, default: Any) -> bool:
    """Redacting lets the rest of the text through; blocking does not."""
    return CREDENTIAL_ACTIONS.index(value) < CREDENTIAL_ACTIONS.index(default)


def laxer(value: Any, default: Any) -> bool:
    """Flagging lets an answer pass; blocking does not."""
    return LEAK_ACTIONS.index(value) < LEAK_ACTIONS.index(default)


def permitting(value: Any, default: Any) -> bool:
    """Allowing what nothing inspects is looser."""
    return PERMISSIONS.index(value) > PERMISSIONS.index(default)


@dataclass(frozen=True, kw_only=True)
class Default:
    """One key whose default depends on the tier."""

    key: str
    """Path in the file; `*` stands for every name."""
    tiers: tuple[Value, Value, Value, Value]
    """Default at tiers 1 to 4, from loose to tight."""
    looser: Callable[[Any, Any], bool]
    """Whether the first value lets through more than the second."""
    control: str
    """The control of the pattern that asks for it."""

    def at(self, tier: int) -> Value:
        """Default at a tier, 1 to 4."""
        return self.tiers[tier - 1]


DEFAULTS = (
    Default(key="models.*.output_tokens_max", tiers=(4_096, 4_096, 2_048, 1_024), looser=more, control="SESS-01"),
    Default(key="guardrails.*.prompt_attack", tiers=("low", "medium", "high", "high"), looser=weaker, control="LOG-06"),
    Default(
        key="guardrails.*.credentials", tiers=("redact", "redact", "block", "block"), looser=milder, control="IAM-07"
    ),
    Default(key="guardrails.*.prompt_leak", tiers=("flag", "block", "block", "block"), looser=laxer, control="DAT-06"),
    *(
        Default(key=f"guardrails.*.{kind}", tiers=("refuse",) * 4, looser=permitting, control="NET-02")
        for kind in ("images", "video", "audio")
    ),
    Default(key="sessions.duration", tiers=("1h", "1h", "30m", "15m"), looser=longer, control="IAM-06"),
    Default(key="sessions.tokens", tiers=(1_000_000, 500_000, 200_000, 100_000), looser=more, control="SESS-01"),
    Default(key="sessions.actions", tiers=(500, 200, 50, 25), looser=more, control="SESS-01"),
    Default(
        key="limits.body_bytes_max",
        tiers=(10_485_760, 10_485_760, 10_485_760, 4_194_304),
        looser=more,
        control="NET-07",
    ),
    Default(
        key="limits.requests_per_user",
        tiers=("120/minute", "60/minute", "60/minute", "30/minute"),
        looser=faster,
        control="NET-07",
    ),
    Default(
        key="limits.requests_total",
        tiers=("1200/minute", "600/minute", "600/minute", "300/minute"),
        looser=faster,
        control="NET-07",
    ),
    Default(key="limits.concurrency_max", tiers=(256, 256, 128, 64), looser=more, control="NET-07"),
    Default(key="limits.request_timeout", tiers=("5m", "5m", "2m", "1m"), looser=longer, control="SESS-02"),
    Default(key="judge.sample", tiers=(0.1, 0.25, 1.0, 1.0), looser=fewer, control="LOG-03"),
)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What a tier means whatever the file says."""

    name: str
    meaning: str
    tiers: tuple[int, int, int, int]
    """At tiers 1 to 4; 0 and 1 stand for no and yes."""
    control: str
    """The control of the pattern that asks for it."""


FACTS = (
    Fact(
        name="fsync",
        meaning="Events are on stable storage before an answer's last byte leaves (1 yes)",
        tiers=(0, 0, 1, 1),
        control="LOG-01",
    ),
    Fact(
        name="orders_expiry_s",
        meaning="Seconds until unrenewed orders stop requests",
        tiers=(300, 300, 60, 60),
        control="IAM-03",
    ),
    Fact(
        name="configuration_signatures",
        meaning="Signatures that a configuration needs",
        tiers=(1, 1, 2, 2),
        control="IAM-03",
    ),
    Fact(
        name="distinct_accounts",
        meaning="On AWS each zone has an account of its own (1 yes)",
        tiers=(0, 0, 1, 1),
        control="NET-01",
    ),
    Fact(
        name="local_approvers",
        meaning="Local users count toward dual approval (1 yes)",
        tiers=(1, 1, 0, 0),
        control="IAM-05",
    ),
)
"""What no file can change."""


def default(key: str) -> Default:
    """The row of a key pattern."""
    (row,) = (row for row in DEFAULTS if row.key == key)
    return row


def fact(name: str, tier: int) -> int:
    """A fact of a tier, 1 to 4."""
    (row,) = (row for row in FACTS if row.name == name)
    return row.tiers[tier - 1]
