"""A Bedrock client wired to the local server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bedrock_server import KEY_ID, REGION, SECRET, TOKEN, Server
from caisson.adapters.aws.bedrock.calls import BedrockCalls
from caisson.adapters.aws.bedrock.endpoint import endpoint_of
from caisson.adapters.aws.bedrock.lease import Access, Lease
from caisson.adapters.aws.model import BedrockModel
from caisson.adapters.embedded.clock import SystemClock

LEASE = Lease(access_key_id=KEY_ID, secret_access_key=SECRET, session_token=TOKEN)
PSEUDONYM_SECRET = b"p" * 32


class Pauses:
    """Instead of sleeping."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def calls_to(server: Server, lease: Lease = LEASE, **settings: Any) -> BedrockCalls:
    clock = SystemClock()
    access = Access(clock)
    access.put(lease)
    settings.setdefault("sleep", Pauses())
    return BedrockCalls(endpoint_of(REGION, server.url), region=REGION, access=access, clock=clock, **settings)


Connect = Callable[..., BedrockModel]


@asynccontextmanager
async def connecting(server: Server) -> AsyncIterator[Connect]:
    """A maker of models, all closed at the end."""
    made: list[BedrockModel] = []

    def make(lease: Lease = LEASE, **settings: Any) -> BedrockModel:
        calls = calls_to(server, lease, **settings)
        made.append(BedrockModel(calls, SystemClock(), pseudonym_secret=PSEUDONYM_SECRET))
        return made[-1]

    yield make
    for model in made:
        await model.close()
