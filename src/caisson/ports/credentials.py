"""Session credentials: minted, verified, narrowed (IAM-01, IAM-06, SEC-02)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

from caisson.errors import Refusal


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who stands behind a request, as verified."""

    session_id: str
    chain: tuple[str, ...]
    """Session ids from the root to this one's parent; empty for a root session. Revoking any revokes this one."""
    user: str
    groups: tuple[str, ...]
    agent: str
    task: str
    issued: float
    expires: float
    method: Literal["socket", "oidc"]
    """How the user was verified at the root of the chain."""

    @property
    def root_session_id(self) -> str:
        """The session whose account is spent."""
        return self.chain[0] if self.chain else self.session_id


@dataclass(frozen=True, kw_only=True)
class SessionCredentials:
    """AWS-shaped credentials of one session."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expiration: float
    """Unix time in seconds."""
    principal: Principal


class Credentials(ABC):
    """Mints and verifies session tokens. Verification needs no lookup, so any worker can do it."""

    @abstractmethod
    def mint(self, principal: Principal) -> SessionCredentials:
        """SigV4 credentials for the principal."""

    @abstractmethod
    def mint_bearer(self, principal: Principal) -> str:
        """A bearer token: another type and audience than a SigV4 session token, never interchangeable with it."""

    @abstractmethod
    def verify_session_token(self, token: str, now: float) -> SessionCredentials | Refusal:
        """The credentials that a SigV4 session token stands for, secret included."""

    @abstractmethod
    def verify_bearer(self, token: str, now: float) -> Principal | Refusal:
        """The principal of a bearer token of ours."""
