"""Buckets of moto's behind the gate."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from aws_gate import Gate
from aws_services import OWN, REGION, Moto
from caisson.adapters.aws.api.calls import Bounds, Calls
from caisson.adapters.aws.api.objects import Objects, bucket_at
from caisson.adapters.embedded.clock import SystemClock


class Buckets:
    """They stand for folders."""

    def __init__(self, moto: Moto, gate: Gate) -> None:
        self.gate = gate
        self.client = moto.client("s3")

    def made(self, root: Path) -> str:
        """The bucket that stands for a folder."""
        name = f"caisson-{sha256(str(root).encode()).hexdigest()[:32]}"
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def objects(self, name: str, *, busy_s: float = 0.5) -> Objects:
        clock, bucket = SystemClock(), bucket_at(name, REGION, self.gate.url)
        calls = Calls(bucket.endpoint, service="s3", region=REGION, clock=clock, bounds=Bounds(total_s=20.0))
        return Objects(calls, bucket=bucket, keys=lambda: OWN, clock=clock, busy_s=busy_s)
