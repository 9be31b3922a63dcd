"""Services of AWS on loopback for tests: moto's server in a process of its own, and the ledger's table in it.

The server starts once a test session. It checks no signatures and no policies; `tests/aws_gate.py` does, where a test
needs that.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from caisson.adapters.aws.api.calls import Bounds, Calls
from caisson.adapters.aws.api.endpoint import service_endpoint
from caisson.adapters.aws.api.identity import Identities, OwnIdentity
from caisson.adapters.aws.ledger import DynamoLedger
from caisson.adapters.embedded.clock import SystemClock
from caisson.protocol.sigv4 import Keys

REGION = "eu-west-1"
OWN = Keys(access_key_id="AKIATESTTESTTESTTEST", secret_access_key="of-the-test")
START_SECONDS_MAX = 30.0


class Moto:
    """A running server."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._owner = os.getpid()
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("moto_server.py")), str(self.port)],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ends = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > ends:
                    self.stop()
                    raise RuntimeError("moto's server does not start") from None
                time.sleep(0.05)

    def client(self, service: str) -> Any:
        """boto3's client of a service of it."""
        own = boto3.Session(  # of its own: the default one would go on to the next test
            region_name=REGION, aws_access_key_id=OWN.access_key_id, aws_secret_access_key=OWN.secret_access_key
        )
        return own.client(service, endpoint_url=self.url, config=Config(proxies={}))

    def stop(self) -> None:
        if os.getpid() == self._owner and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)


LEDGER_KEYS: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": one, "AttributeType": kind}
        for one, kind in (
            ("pk", "S"), ("sk", "S"), ("kind", "S"), ("opened", "N"), ("due_shard", "S"), ("due", "N"),
        )
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": index,
            "KeySchema": [{"AttributeName": first, "KeyType": "HASH"}, {"AttributeName": second, "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        for index, first, second in (("opened", "kind", "opened"), ("due", "due_shard", "due"))
    ],
}  # fmt: skip
"""The ledger's table as the adapter wants it, and as `synth` makes it."""


@cache
def _ledger_table(moto: Moto, name: str) -> str:
    client = moto.client("dynamodb")
    with suppress(client.exceptions.ResourceInUseException):  # a process that this one forked made it
        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **LEDGER_KEYS)
    return name


def table_of(moto: Moto, path: Path) -> str:
    """The table that stands for this file, made when it is asked for first."""
    return _ledger_table(moto, f"ledger-{sha256(str(path).encode()).hexdigest()[:32]}")


def ledger_maker(moto: Moto) -> Callable[[Path], DynamoLedger]:
    """Ledgers in tables that stand for files."""
    return lambda path: ledger_at(moto.url, table_of(moto, path))


def ledger_at(
    url: str, table: str, identities: Identities | None = None, *, bounds: Bounds | None = None, **more: Any
) -> DynamoLedger:
    """A ledger that finds DynamoDB there."""
    clock = SystemClock()
    calls = Calls(
        service_endpoint("dynamodb", REGION, url),
        service="dynamodb",
        region=REGION,
        clock=clock,
        bounds=bounds or Bounds(total_s=20.0),
    )
    return DynamoLedger(calls, table=table, identities=identities or OwnIdentity(lambda: OWN), clock=clock, **more)
