"""Services that the suites of the AWS adapters talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aws_services import Moto


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """moto's server, started when the first test wants it."""
    server = Moto()
    yield server
    server.stop()
