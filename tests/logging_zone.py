"""A logging zone to test with: honest writers, a reader that can be killed, keys and a clock that the test holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from caisson.adapters.embedded.archive import EmbeddedArchive, EmbeddedArchiveReader
from caisson.channels.chain import GENESIS, extend
from caisson.channels.messages import GuardrailAction, Message, RequestEvent, ResponseEvent
from caisson.errors import ChannelError
from caisson.ports.channel import ChainHead, ChannelReader, ChannelWriter, Fault, Item, Received
from caisson.ports.clock import Clock
from caisson.ports.keys import Keys, SealingKey, SigningKey
from caisson.zones.z6_logging.service import serve

ORIGIN = "caisson/test"
START = 1_800_000_000.0
STORE = b"s" * 32


class HeldClock(Clock):
    """Moves when told."""

    def __init__(self, now: float = START) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


class Signer(SigningKey):
    """A key from a name."""

    def __init__(self, name: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())

    @property
    def key_id(self) -> str:
        return sha256(self.public_bytes).hexdigest()[:16]

    @property
    def public_bytes(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data)


class NamedKeys(Keys):
    """Keys of the logging zone."""

    def signing(self, name: str) -> SigningKey:
        return Signer(f"logging {name}")

    def sealing(self, name: str) -> SealingKey:
        raise NotImplementedError(name)

    def secret(self, name: str) -> bytes:
        return STORE if name == "store" else sha256(name.encode()).digest()


LOG_KEY = NamedKeys().signing("checkpoints").public_bytes
RUNTIME_KEY = Signer("runtime channel")
WRITER_KEYS = {"runtime": [RUNTIME_KEY.public_bytes]}


class MarkingRedactor:
    """Replaces one known secret, so that tests see where redaction was at work."""

    def redact(self, text: str, pseudonym_key: bytes) -> tuple[str, int]:
        mark = f"[SECRET_{pseudonym_key.hex()[:6]}]"
        return text.replace("hunter2", mark), text.count("hunter2")


class Run:
    """One run of an honest writer; makes the items that its reader would deliver."""

    def __init__(self, incarnation: int = 0, writer: str = "runtime-0", previous: Run | None = None) -> None:
        self.writer, self.incarnation, self.previous = writer, f"{incarnation:016x}", previous
        self.sequence, self.chain = 0, GENESIS

    def record(self, message: Message) -> Received:
        digest = sha256(f"{self.writer}{self.incarnation}{self.sequence}".encode()).digest()
        self.chain = extend(self.chain, digest)
        self.sequence += 1
        return Received(
            message=message, writer=self.writer, incarnation=self.incarnation, sequence=self.sequence - 1,
            digest=digest.hex(), chain=self.chain.hex(),
        )  # fmt: skip

    def head(self, *, closed: bool = False, key: SigningKey = RUNTIME_KEY, **lies: Any) -> ChainHead:
        previous = self.previous
        fields: dict[str, Any] = {
            "writer": self.writer, "incarnation": self.incarnation,
            "previous_incarnation": previous.incarnation if previous else "",
            "previous_length": previous.sequence if previous else 0,
            "previous_chain": (previous.chain if previous else GENESIS).hex(),
            "length": self.sequence, "chain": self.chain.hex(), "closed": closed, "key_id": key.key_id, **lies,
        }  # fmt: skip
        unsigned = ChainHead(**fields, signature="")
        return ChainHead(**fields, signature=key.sign(unsigned.signed_text).hex())

    def exchange(self, number: int, **answer: Any) -> list[Item]:
        return [self.record(request_event(number)), self.record(response_event(number, **answer)), self.head()]


def request_event(number: int, **fields: Any) -> RequestEvent:
    given: dict[str, Any] = {
        "timestamp": START + number, "request_id": f"request-{number}", "user_identity": "alice",
        "service_identity": "arn:aws:iam::000000000000:role/test/claims/answer", "session_id": f"session-{number % 2}",
        "model_id": "amazon.nova-lite-v1:0", "system_prompt_hash": "", "risk_tier": 2, "operation": "Converse",
        "configuration_version": 1, "input_text": f"[user] question {number} hunter2", "deadline": START + number + 60,
        "metadata": {"note hunter2": "hunter2"},
    }  # fmt: skip
    return RequestEvent(**given | fields)


def response_event(number: int, **fields: Any) -> ResponseEvent:
    action = GuardrailAction(
        guardrail_id="main", guardrail_version="1", stage="output", decision="masked", rule="pii.EMAIL",
        rationale="hunter2 seen", location="output",
    )  # fmt: skip
    given: dict[str, Any] = {
        "timestamp": START + number + 1, "request_id": f"request-{number}", "user_identity": "alice",
        "service_identity": "arn:aws:iam::000000000000:role/test/claims/answer", "session_id": f"session-{number % 2}",
        "model_id": "amazon.nova-lite-v1:0", "system_prompt_hash": "", "risk_tier": 2, "operation": "Converse",
        "configuration_version": 1, "output_text": f"answer {number} hunter2", "outcome": "answered",
        "guardrail_actions": (action,), "input_tokens": 3, "output_tokens": 4,
    }  # fmt: skip
    return ResponseEvent(**given | fields)


class ListReader(ChannelReader):
    """Delivers a list at least once."""

    def __init__(self, items: list[Item] | None = None) -> None:
        self.items = items or []
        self._given = 0

    def poll(self, limit: int) -> Iterator[Item]:
        self._given = 0
        for item in self.items[:limit]:
            self._given += 1
            yield item

    def commit(self) -> None:
        del self.items[: self._given]
        self._given = 0


class ListWriter(ChannelWriter):
    """Keeps what was written; refuses while `full`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.full = False

    def append(self, message: Message) -> str:
        if self.full:
            raise ChannelError("full")
        self.messages.append(message)
        return str(len(self.messages))

    async def durable(self) -> None:
        return None

    def close(self) -> None:
        return None


class Zone:
    """A logging zone over a folder."""

    def __init__(self, folder: Path) -> None:
        self.data, self.clock, self.findings = folder, HeldClock(), ListWriter()
        self.zone = folder / "zones" / "logging"

    @property
    def tree(self) -> Path:
        return self.zone / "tree"

    @property
    def archive_folder(self) -> Path:
        return self.zone / "archive"

    def archive(self) -> EmbeddedArchive:
        return EmbeddedArchive(self.archive_folder, self.tree, STORE, region="eu-west-1", clock=self.clock)

    def reader(self) -> EmbeddedArchiveReader:
        return EmbeddedArchiveReader(self.archive_folder, self.tree, STORE)

    def take(self, items: list[Item], reader: ChannelReader | None = None) -> None:
        """Run the zone's process over the items, to its orderly end."""
        asyncio.run(self.serve(reader or ListReader(list(items))))

    async def serve(self, reader: ChannelReader) -> None:
        stop = asyncio.Event()
        stop.set()
        await serve(
            reader=reader, archive=self.archive(), keys=NamedKeys(), findings=self.findings, redactor=MarkingRedactor(),
            clock=self.clock, stop=stop, origin=ORIGIN, writer_keys=WRITER_KEYS,
        )  # fmt: skip


def fault(kind: str = "damaged") -> Fault:
    return Fault(kind=kind, writer="runtime-0", where="segment 3 at 1200", detail="a frame that cannot be read")
