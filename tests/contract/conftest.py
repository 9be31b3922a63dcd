"""Services that the suites of the AWS adapters talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aws_gate import gate_in_thread
from aws_services import Moto
from bucket_world import Buckets
from queue_world import Queues


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """moto's server, started when the first test wants it."""
    server = Moto()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def queues(moto: Moto) -> Iterator[Queues]:
    """Queues of that server, behind a gate."""
    with gate_in_thread(moto.url) as opened:
        yield Queues(moto, opened)


@pytest.fixture(scope="module")
def buckets(moto: Moto) -> Iterator[Buckets]:
    """Buckets of that server, behind a gate."""
    with gate_in_thread(moto.url) as opened:
        yield Buckets(moto, opened)
