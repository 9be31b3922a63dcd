"""Stacks of CloudFormation, one account and region at a time, and the organization that the accounts belong to.

`Accounts` gives the stacks of an account only after AWS has said that the credentials are of that account.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["add", "change", "replace", "may replace", "delete", "leave"]
"""What happens to a resource. `leave`: it is no longer in the stack and goes on to exist."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one resource."""

    action: Action
    resource: str
    """Logical id."""
    type: str
    kept: bool = False
    """Replaced or removed, the former resource goes on to exist."""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack as AWS has it."""

    id: str
    """ARN."""
    status: str
    """CloudFormation API reference, Stack, StackStatus."""
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False


@dataclass(frozen=True, kw_only=True)
class ChangeSet:
    """What AWS would do."""

    id: str
    stack_id: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class Organization:
    """Who governs."""

    id: str
    management: str
    """Number of the management account."""


class Stacks(ABC):
    """The stacks of one account in one region. Each call raises DeploymentError when AWS refuses or does not answer."""

    @abstractmethod
    def find(self, name: str) -> Stack | None:
        """A stack by its name or ARN; None when there is none, or it was deleted."""

    @abstractmethod
    def template(self, name: str) -> dict[str, Any]:
        """The template that a stack was last changed with, as it was sent; empty when there is none yet."""

    @abstractmethod
    def propose(
        self, name: str, *, new: bool, template: str, parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> ChangeSet | None:
        """Have AWS work out what a template would change; None when nothing. Nothing is changed yet."""

    @abstractmethod
    def discard(self, name: str, *, new: bool) -> None:
        """Take back what was proposed; `new`: with the empty stack that AWS made to hold it."""

    @abstractmethod
    def execute(self, change_set: ChangeSet) -> None:
        """Start what was proposed."""

    @abstractmethod
    def failures(self, stack_id: str) -> tuple[str, ...]:
        """`resource: reason` of what failed in the last operation, the first failure first."""

    @abstractmethod
    def protect(self, name: str) -> None:
        """Switch on protection against deletion."""


class Accounts(ABC):
    """Ways into accounts. Each call raises DeploymentError when there is none."""

    @abstractmethod
    def organization(self) -> Organization:
        """The organization that the credentials belong to."""

    @abstractmethod
    def stacks(self, account: str, region: str) -> Stacks:
        """The stacks of an account, once AWS has confirmed that it is this account."""
