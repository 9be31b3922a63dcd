"""A small system and the ports that identity needs, for the tests of the ingress zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from caisson.adapters.embedded.credentials import EmbeddedCredentials
from caisson.adapters.embedded.keyring import session_keys
from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.channels.messages import Message, SessionEvent
from caisson.errors import ChannelError
from caisson.policy.sessions import Role
from caisson.ports.channel import ChannelWriter
from caisson.ports.clock import Clock
from caisson.ports.configuration import Orders
from caisson.ports.credentials import Principal, SessionCredentials
from caisson.system.schema import System
from caisson.zones.z1_ingress.http import HttpRequest
from caisson.zones.z1_ingress.identity import Identity
from caisson.zones.z1_ingress.sessions import Sessions
from caisson.zones.z1_ingress.signin import SignIn
from caisson.zones.z1_ingress.sts import TokenService

NOW = 1_800_000_000.0
PATH = "/model/amazon.nova-lite-v1%3A0/converse"
REGION = "eu-west-1"
ROLE = "arn:aws:iam::000000000000:role/claims-assistant/claims/answer"


def bundle() -> dict[str, Any]:
    """Two agents; `refund` reaches a tool that `answer` does not."""
    return {
        "caisson": 1,
        "name": "claims-assistant",
        "tier": 2,
        "identity": {
            "local": {
                "users": {
                    "alice": {"uid": "owner", "groups": ["adjusters"]},
                    "bob": {"uid": 4242, "groups": ["approvers"]},
                }
            },
            "groups": {"adjusters": {}, "approvers": {}},
        },
        "models": {
            "assistant": {"id": "anthropic.claude-sonnet-4-5-20250929-v1:0", "output_tokens_max": 2048},
            "small": {"id": "amazon.nova-lite-v1:0", "output_tokens_max": 1024},
        },
        "guardrails": {name: {"prompt_attack": "high", "credentials": "redact"} for name in ("main", "lax")},
        "agents": {
            "claims": {
                "model": "assistant",
                "guardrail": "main",
                "tasks": {"answer": {}, "refund": {"tools": ["payments.refund"]}},
            },
            "twin": {"model": "assistant", "guardrail": "main", "tasks": {"answer": {}}},
            "small": {"model": "small", "guardrail": "main", "tasks": {"answer": {}}},
            "lax": {"model": "assistant", "guardrail": "lax", "tasks": {"answer": {}}},
        },
        "sessions": {"duration": "30m", "tokens": 1000, "actions": 5},
        "limits": {
            "body_bytes_max": 10_000_000,
            "requests_per_user": "60/minute",
            "requests_total": "600/minute",
            "concurrency_max": 64,
            "request_timeout": "1m",
        },
    }


def system(**changes: Any) -> System:
    """The system with top-level keys replaced."""
    return System.from_bundle(bundle() | changes)


def with_issuer(url: str) -> System:
    """The system with an identity provider and one agent with one task."""
    base = bundle()
    base["identity"]["issuer"] = {"url": url, "audience": "claims"}
    base["agents"] = {"claims": {"model": "assistant", "guardrail": "main", "tasks": {"answer": {}}}}
    return System.from_bundle(base)


class HeldClock(Clock):
    def __init__(self, now: float = NOW) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class RecordedEvents(ChannelWriter):
    """Keeps what is appended; `broken` makes it refuse."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.broken = False
        self.synced = 0

    def append(self, message: Message) -> str:
        if self.broken:
            raise ChannelError("the spool is full")
        self.messages.append(message)
        return str(len(self.messages))

    async def durable(self) -> None:
        self.synced = len(self.messages)

    def close(self) -> None:
        pass

    @property
    def sessions(self) -> list[SessionEvent]:
        return [message for message in self.messages if isinstance(message, SessionEvent)]


@dataclass
class World:
    """Everything wired as the gateway does it."""

    folder: Path
    clock: HeldClock = field(default_factory=HeldClock)
    owner_uid: int = 1000

    def __post_init__(self) -> None:
        self.refusals: list[Any] = []
        self.events = RecordedEvents()
        self.ledger = EmbeddedLedger(self.folder / "ledger.db")
        self.credentials = EmbeddedCredentials(
            open_keys=session_keys(self.folder / "keys"), system="claims-assistant", clock=self.clock
        )
        self.sessions = Sessions(ledger=self.ledger, events=self.events, clock=self.clock)
        self.identity = Identity(sessions=self.sessions, credentials=self.credentials, region=REGION, clock=self.clock)
        self.sts = TokenService(
            identity=self.identity,
            sessions=self.sessions,
            credentials=self.credentials,
            on_refusal=lambda refusal, request, request_id: self.refusals.append(refusal),
        )
        self.signin = SignIn(
            sessions=self.sessions,
            credentials=self.credentials,
            ledger=self.ledger,
            clock=self.clock,
            owner_uid=self.owner_uid,
        )
        self.govern()

    def govern(self, found: System | None = None, **orders: Any) -> None:
        """Put a configuration and orders in force."""
        self.identity.set_state(
            found or system(), Orders(**{"number": 1, "expires": self.clock.time + 1_000_000} | orders)
        )

    async def open(self, user: str = "alice", task: str = "answer", agent: str = "claims") -> Principal:
        """A root session."""
        opened = await self.sessions.open(
            user=user, groups=("adjusters",), role=Role(agent, task), lifetime_s=None, method="socket"
        )
        assert isinstance(opened, Principal), opened
        return opened


def signed(
    world: World, minted: SessionCredentials, *, service: str = "bedrock", path: str = PATH, body: bytes = b"{}",
    content_type: str = "application/json",
) -> HttpRequest:  # fmt: skip
    """A request as botocore signs it at the world's time."""
    request = AWSRequest("POST", f"https://localhost:8443{path}", data=body, headers={"Content-Type": content_type})
    boto = BotoCredentials(minted.access_key_id, minted.secret_access_key, minted.session_token)
    with patch("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(world.clock.now(), UTC)):
        SigV4Auth(boto, service, REGION).add_auth(request)
    sent = tuple((name.lower().encode(), value.encode()) for name, value in request.headers.items())
    return HttpRequest(
        method="POST", raw_path=path.encode(), query=b"", headers=(*sent, (b"host", b"localhost:8443")), body=body,
        client="127.0.0.1", secure=True,
    )  # fmt: skip
