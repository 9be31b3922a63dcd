"""The upstream's credentials as the gateway holds them: until they end, or until told why there are none (SEC-07).

- They arrive as lines of JSON from the process that resolves the profile, and exist in memory only.
- Without valid ones every call is refused; the operator reads why, the client reads that the model is unavailable.

>>> decode(encode(Lease(problem="the profile is gone"))).problem
'the profile is gone'
"""

from __future__ import annotations

import msgspec

from caisson.adapters.embedded.model import failures
from caisson.errors import ConfigurationError
from caisson.ports.clock import Clock
from caisson.protocol.sigv4 import Keys

LINE_BYTES_MAX = 32_768
"""A session token of AWS has some kilobytes at the most; there is no published bound."""


class Lease(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Credentials for a time, or the reason for having none."""

    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    expires: float | None = None
    """Unix time in seconds; None: they do not expire by themselves."""
    problem: str = ""
    """For the operator; empty when there are credentials."""

    def __repr__(self) -> str:
        return f"Lease(access_key_id={self.access_key_id!r}, expires={self.expires!r}, problem={self.problem!r})"


class Access:
    """The lease in force."""

    def __init__(self, clock: Clock, whose: str = "upstream") -> None:
        """`whose`: what the credentials are for, in messages."""
        self._clock = clock
        self._whose = whose
        self._lease = Lease(problem="no credentials have arrived yet")
        self._keys: Keys | None = None

    def put(self, lease: Lease) -> None:
        """Put a lease in force."""
        self._lease = lease
        self._keys = None
        if not lease.problem and lease.access_key_id and lease.secret_access_key:
            self._keys = Keys(
                access_key_id=lease.access_key_id,
                secret_access_key=lease.secret_access_key,
                session_token=lease.session_token,
            )

    def keys(self) -> Keys:
        """What signs now.

        Raises:
            UpstreamError: nothing does.
        """
        if self._keys is None:
            raise failures.unavailable(
                f"no credentials of the {self._whose}: {self._lease.problem or 'the profile has none'}"
            )
        if self._lease.expires is not None and self._lease.expires <= self._clock.now():
            raise failures.unavailable(f"the credentials of the {self._whose} have expired and were not refreshed")
        return self._keys


def encode(lease: Lease) -> bytes:
    """One line."""
    return msgspec.json.encode(lease) + b"\n"


def decode(line: bytes) -> Lease:
    """The lease of a line.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        return msgspec.json.decode(line, type=Lease)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ConfigurationError("expected a lease of credentials, found something else") from None
