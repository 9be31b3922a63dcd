"""Isolation of zone processes on one machine: Landlock, a socket filter, own users (NET-01, LOG-07)."""

from caisson.adapters.embedded.isolation.confine import Enforced, restrict
from caisson.adapters.embedded.isolation.landlock import Rules
from caisson.adapters.embedded.isolation.process import leave_with_parent
from caisson.adapters.embedded.isolation.users import User, UserPlan, plan_users
from caisson.adapters.embedded.isolation.verdict import Isolation, Mechanism, isolation

__all__ = [
    "Enforced",
    "Isolation",
    "Mechanism",
    "Rules",
    "User",
    "UserPlan",
    "isolation",
    "leave_with_parent",
    "plan_users",
    "restrict",
]
