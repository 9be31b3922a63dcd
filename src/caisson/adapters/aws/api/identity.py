"""Credentials that sign calls: the process's own, or those of one session (SESS-03, IAM-06).

A session's are those of the ledger's role, assumed with the session's id, user, agent and task as session tags, all of
them transitive: what the role's policy allows to `${aws:PrincipalTag/SessionId}` it allows to this session and no
other, and CloudTrail shows whose call it was. They are kept in memory while they hold, and never longer than they were
asked for. Whose session it is, its account says (`introduce`).

>>> SessionIdentities(own, calls, role="arn:…", clock=clock)  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlencode

from caisson.adapters.aws.api.calls import CallFailed, Calls, Passing
from caisson.adapters.aws.api.markup import parsed
from caisson.errors import LedgerError
from caisson.ports.clock import Clock
from caisson.ports.ledger import Account
from caisson.protocol.sigv4 import Keys

SESSION_TAG = "SessionId"
"""Key of the session tag, as policies name it: `${aws:PrincipalTag/SessionId}`."""
TAGS = (SESSION_TAG, "User", "Agent", "Task")
"""Keys of all session tags, as the role's trust policy asks for them."""
DURATION_S = 900
"""The shortest that STS gives (API reference, AssumeRole)."""
RENEW_BEFORE_S = 120.0
KEPT_MAX = 10_000
_TAG_VALUE = re.compile(r"[\w\s.:/=+@-]{1,256}")
"""STS API reference, Tag."""
_TAG_VALUE_MAX = 256
_TAG_OTHERS = re.compile(r"[^A-Za-z0-9 _.:/+@-]")
_SESSION_NAME_OTHERS = re.compile(r"[^\w+=,.@-]")
_NS = {"s": "https://sts.amazonaws.com/doc/2011-06-15/"}


class Identities(ABC):
    """Who signs for a session."""

    per_session: bool
    """Whether each session's calls are signed by credentials of its own, so that they cannot be one call."""

    @abstractmethod
    def own(self) -> Keys:
        """The process's own credentials, for what concerns no single session.

        Raises:
            OperatorError: there are none that hold.
        """

    @abstractmethod
    async def of(self, session_id: str) -> Keys:
        """Credentials for one session's account.

        Raises:
            Passing: not at the moment.
            LedgerError: they cannot be had.
        """

    def knows(self, session_id: str) -> bool:
        """Whether `of` can be asked for it: whose session it is was said, or does not matter."""
        return True

    def introduce(self, account: Account) -> None:  # noqa: B027  (it may not matter)
        """Say whose session it is."""

    @abstractmethod
    def drop(self, session_id: str) -> None:
        """AWS says that the session's credentials have ended: get others next time."""

    async def close(self) -> None:  # noqa: B027  (an identity need not have any)
        """Release connections."""


class OwnIdentity(Identities):
    """The process's own credentials for every session. What keeps sessions apart is then our code alone."""

    per_session = False

    def __init__(self, own: Callable[[], Keys]) -> None:
        self._own = own

    def own(self) -> Keys:
        return self._own()

    async def of(self, session_id: str) -> Keys:
        return self._own()

    def drop(self, session_id: str) -> None:
        pass


class SessionIdentities(Identities):
    """A role assumed once a session."""

    per_session = True

    def __init__(self, own: Callable[[], Keys], sts: Calls, *, role: str, clock: Clock) -> None:
        """`own` signs AssumeRole; `role` is the ARN of the role that sessions get."""
        self._own = own
        self._sts = sts
        self._role = role
        self._clock = clock
        self._held: OrderedDict[str, tuple[Keys, float]] = OrderedDict()
        self._whose: OrderedDict[str, tuple[str, str, str]] = OrderedDict()
        """Session id to user, agent and task."""
        self._coming: dict[str, asyncio.Task[Keys]] = {}

    def own(self) -> Keys:
        return self._own()

    async def of(self, session_id: str) -> Keys:
        held = self._held.get(session_id)
        if held is not None and self._clock.now() < held[1] - RENEW_BEFORE_S:
            self._held.move_to_end(session_id)
            return held[0]
        coming = self._coming.get(session_id)
        if coming is None:
            coming = self._coming[session_id] = asyncio.create_task(self._assume(session_id))
            coming.add_done_callback(lambda _: self._coming.pop(session_id, None))
        return await asyncio.shield(coming)

    def knows(self, session_id: str) -> bool:
        return session_id in self._whose

    def introduce(self, account: Account) -> None:
        self._whose.setdefault(account.session_id, (account.user, account.agent, account.task))
        self._whose.move_to_end(account.session_id)
        while len(self._whose) > KEPT_MAX:
            self._whose.popitem(last=False)

    def drop(self, session_id: str) -> None:
        self._held.pop(session_id, None)

    async def close(self) -> None:
        await self._sts.close()

    async def _assume(self, session_id: str) -> Keys:
        if not _TAG_VALUE.fullmatch(session_id):
            raise LedgerError("expected a session id that a session tag can hold, found another")
        if session_id not in self._whose:
            raise LedgerError("expected a session whose account was read, found another")
        values = (session_id, *(tag_value(one) for one in self._whose[session_id]))
        tags: dict[str, str] = {}
        for number, (key, value) in enumerate(zip(TAGS, values, strict=True), start=1):
            tags |= {f"Tags.member.{number}.Key": key, f"Tags.member.{number}.Value": value}
            tags[f"TransitiveTagKeys.member.{number}"] = key
        asked = urlencode(
            {
                "Action": "AssumeRole",
                "Version": "2011-06-15",
                "RoleArn": self._role,
                "RoleSessionName": _SESSION_NAME_OTHERS.sub("-", session_id)[:64].ljust(2, "-"),
                "DurationSeconds": str(DURATION_S),
                **tags,
            }
        )
        try:
            keys, ends = _credentials(await self._sts.form(asked.encode(), self._own()))
        except CallFailed as error:
            if error.passing:
                raise Passing(f"AssumeRole for a session: {error}", perhaps_done=False) from error
            raise LedgerError(f"the role of the ledger could not be assumed for a session: {error}") from error
        self._held[session_id] = (keys, ends)
        while len(self._held) > KEPT_MAX:
            self._held.popitem(last=False)
        return keys


def tag_value(text: str) -> str:
    """A text as a tag can hold it, never two of them alike: other characters as `=HH` of their UTF-8, a long one as
    its SHA-256.

    >>> tag_value("alice@example.com"), tag_value("auth0|a=b"), tag_value("")
    ('alice@example.com', 'auth0=7Ca=3Db', '=')
    """
    made = _TAG_OTHERS.sub(lambda found: "".join(f"={byte:02X}" for byte in found[0].encode()), text) or "="
    return made if len(made) <= _TAG_VALUE_MAX else f"=sha256={sha256(text.encode()).hexdigest()}"


def _credentials(answer: bytes) -> tuple[Keys, float]:
    """The credentials in an answer of AssumeRole, with their end as Unix time.

    Raises:
        LedgerError: there are none.
    """
    try:
        document = parsed(answer)
        found = document.find(".//s:Credentials", _NS) if document is not None else None
        if found is None:
            raise ValueError("no Credentials")
        value = {part: found.findtext(f"s:{part}", "", _NS) for part in _PARTS}
        if not all(value.values()):
            raise ValueError("empty Credentials")
        ends = datetime.fromisoformat(value["Expiration"].replace("Z", "+00:00")).timestamp()
    except ValueError as error:
        raise LedgerError(
            f"expected credentials from AssumeRole, found something else: {type(error).__name__}"
        ) from None
    return (
        Keys(
            access_key_id=value["AccessKeyId"],
            secret_access_key=value["SecretAccessKey"],
            session_token=value["SessionToken"],
        ),
        ends,
    )


_PARTS = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
