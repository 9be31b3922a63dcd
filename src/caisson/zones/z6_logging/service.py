"""The logging zone's process: from the events channel into the archive, and a checkpoint a second.

    reader.poll → once each → redact → append and sync → reader.commit → checkpoint → findings

Killed anywhere in this line it loses nothing and stores nothing twice: the reader gives again what was not committed,
and the archive knows what it holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from caisson.ports.archive import Archive
from caisson.ports.channel import ChannelReader, ChannelWriter
from caisson.ports.clock import Clock
from caisson.ports.keys import Keys
from caisson.zones.z6_logging.ingest import ITEMS_POLLED, Ingest
from caisson.zones.z6_logging.notary import Notary
from caisson.zones.z6_logging.redaction import EventRedactor, Redactor

CHECKPOINT_KEY = "checkpoints"
"""Signing key of this zone under every checkpoint."""
PSEUDONYM_SECRET = "pseudonyms"  # noqa: S105 a name
STORE_SECRET = "store"  # noqa: S105 a name
POLL_S = 0.05
"""Pause unless more waits than one step takes: it bounds how long an event waits for a query to find it, and lets
events come together, because a sync and a position cost the same for one and for hundreds."""
COMPACT_EVERY_S = 60.0
DRAIN_S = 20.0
"""Longest drain at the end; what is left stays in the spool for the next start."""


async def serve(
    *,
    reader: ChannelReader,
    archive: Archive,
    keys: Keys,
    findings: ChannelWriter,
    redactor: Redactor,
    clock: Clock,
    stop: asyncio.Event,
    origin: str,
    writer_keys: Mapping[str, Sequence[bytes]],
    ready: Callable[[], None] = lambda: None,
    caught_up: Callable[[float], None] = lambda _moment: None,
) -> None:
    """Run until `stop` is set, then drain, sign and close the archive.

    Args:
        origin: name of the log, `caisson/<system>`.
        writer_keys: zone label to the raw Ed25519 public keys under which its writers sign; archived, so that heads
            stay verifiable after a rotation.
        ready: called once everything is in place. What waits in the channel is caught up with afterwards.
        caught_up: called with the Unix time before which everything written has been archived, whenever it has.

    Raises:
        OperatorError: the archive cannot be written, or no longer gives the root that was signed.
        ChannelError: the channel cannot be read.
    """
    housekeeping: asyncio.Task[None] | None = None
    try:
        key = keys.signing(CHECKPOINT_KEY)
        notary = Notary(archive=archive, key=key, origin=origin, findings=findings, clock=clock)
        ingest = Ingest(
            reader=reader,
            archive=archive,
            redactor=EventRedactor(redactor, keys.secret(PSEUDONYM_SECRET)),
            clock=clock,
            appended=notary.grown,
        )
        ingest.record_keys(writer_keys)
        ready()
        compacted = clock.monotonic()
        while not stop.is_set():
            looked = clock.now()
            count = ingest.step()
            if count < ITEMS_POLLED:
                caught_up(looked)
            notary.tick()
            if housekeeping is not None and housekeeping.done():
                housekeeping.result()
                housekeeping = None
            if housekeeping is None and clock.monotonic() - compacted >= COMPACT_EVERY_S:
                compacted = clock.monotonic()
                housekeeping = asyncio.create_task(asyncio.to_thread(archive.compact))
            await _pause(stop, 0 if count >= ITEMS_POLLED else POLL_S)
        deadline = clock.monotonic() + DRAIN_S
        while ingest.step() and clock.monotonic() < deadline:
            await _pause(stop, 0)
        notary.tick(force=True)
    finally:
        if housekeeping is not None:
            await asyncio.wait([housekeeping])
        archive.close()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Let others run, and wake up early when it is time to stop."""
    if seconds == 0:
        await asyncio.sleep(0)
        return
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
