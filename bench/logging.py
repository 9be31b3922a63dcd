"""The logging zone alone, in one process: sealed events of a real writer drained by the real service on a real disk.

A request leaves two events, one with a prompt of 4 KB. Every text differs from all others, as those of people do,
unless `--same` asks for the prompt of `make bench` again and again. Processor time, best of several rounds, because
other processes only ever add to it. With `--rate` another process writes at that rate meanwhile, as the gateway does.

Run: python -m bench.logging [--requests 2000] [--rate 4000] [--same | --clean] [--profile]
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import random
import tempfile
from pathlib import Path
from time import perf_counter, process_time, time
from typing import NamedTuple

from bench.subjects import MODEL, PROMPT_BYTES, prompt
from bench.upstream import TEXT
from caisson.adapters.embedded.archive import EmbeddedArchive
from caisson.adapters.embedded.channel import SealedReader, SealedWriter
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.keys import FileKeys
from caisson.channels.messages import GuardrailAction, Message, RequestEvent, ResponseEvent
from caisson.detect.redaction import Redactor
from caisson.zones.z6_logging.service import CHECKPOINT_KEY, PSEUDONYM_SECRET, STORE_SECRET, serve

PROSE = """the customer reports that hail in the night has damaged tiles and ceiling adjuster has seen photos policy
covers storm deductible applies to carpet furniture estimate of contractor follows please summarise what is known which
documents are missing when payment due under section four amount"""
ROUNDS = 5
WRITTEN_AT_ONCE = 80
"""Events between two heads, which a writer signs every 10 ms: as many as 4,000 requests a second make."""
WORDS = PROSE.split()
SESSIONS = 16
WATCHED_EVERY_S = 0.005


def exchange(number: int, *, same: bool, clean: bool) -> tuple[Message, Message]:
    """Both events of one request, with the fields that the gateway fills in."""
    chance = random.Random(number)
    question, answer = prompt(), TEXT
    if not same:
        told = "" if clean else f"Summarise claim CLM-{number:08d} for customer.{number}@example.com. "
        words = chance.choices(WORDS, k=PROMPT_BYTES // 4)
        question = (told + " ".join(words))[:PROMPT_BYTES]
        answer = " ".join(chance.choices(WORDS, k=64))
    common = {
        "request_id": f"{chance.getrandbits(128):032x}",
        "user_identity": "alice",
        "service_identity": "arn:aws:iam::000000000000:role/claims-assistant/claims/answer",
        "session_id": f"session-{number % SESSIONS:024d}",
        "model_id": MODEL,
        "system_prompt_hash": "",
        "risk_tier": 2,
        "operation": "Converse",
        "configuration_version": 1,
    }
    now = time()
    request = RequestEvent(timestamp=now, input_text=f"[user] {question}", deadline=now + 150.0, **common)  # type: ignore[arg-type]
    rows = [("input", "masked", "pii.EMAIL"), ("input", "masked", "patterns.claim-id"), ("output", "pass", "")]
    actions = tuple(
        GuardrailAction(
            guardrail_id="main", guardrail_version="1", stage=stage, decision=decision, rule=rule,  # type: ignore[arg-type]
            rationale="replaced by a pseudonym of the session" if rule else "",
            location="messages[0].content[0].text" if stage == "input" else "output", latency_ms=chance.random(),
        )
        for stage, decision, rule in (rows[2:] if clean else rows)
    )  # fmt: skip
    response = ResponseEvent(
        timestamp=now + 0.02, output_text=answer, input_tokens=900, output_tokens=80, latency_ms=chance.random() * 40,
        guardrail_actions=actions, metadata={"upstream": "openai", "stop_reason": "end_turn"}, outcome="answered",
        cost_usd=0.0039, **common,  # type: ignore[arg-type]
    )  # fmt: skip
    return request, response


class Drained(NamedTuple):
    """One drain, from the moment at which the zone was ready."""

    spent_s: float
    """Processor time."""
    waited_s: float
    entries: int
    opening_s: float
    """Processor time before it was ready."""


class Zone:
    """A logging zone and one writer in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        for name in ("runtime", "logging", "spool", "findings", "state", "archive", "tree"):
            (folder / name).mkdir(mode=0o700)
        self.folder, self.clock = folder, SystemClock()
        self.runtime = FileKeys.create(folder / "runtime/keys", signing=("events",))
        self.keys = FileKeys.create(
            folder / "logging/keys",
            signing=("findings", CHECKPOINT_KEY),
            sealing=("events", "findings"),
            secrets=(PSEUDONYM_SECRET, STORE_SECRET),
        )

    async def write(self, requests: int, *, same: bool, clean: bool, rate: float = 0.0) -> None:
        """Put events into the spool, at that many requests a second, and close it."""
        exchanges = [exchange(number, same=same, clean=clean) for number in range(requests)]
        writer = SealedWriter(
            channel="events", writer="runtime-0", spool=self.folder / "spool", state=self.folder / "state",
            signing=self.runtime.signing("events"), reader_public=self.keys.sealing("events").public_bytes,
            clock=self.clock,
        )  # fmt: skip
        began = perf_counter()
        for number, events in enumerate(exchanges):
            for event in events:
                writer.append(event)
            if rate:
                while (ahead_s := number / rate - (perf_counter() - began)) > 0:
                    await asyncio.sleep(max(ahead_s, 0.001))
            elif number % (WRITTEN_AT_ONCE // 2) == 0:
                await asyncio.sleep(0.01)
        writer.close()

    def write_beside(self, requests: int, *, same: bool, clean: bool, rate: float) -> int:
        """The same in a process of its own; its id."""
        if (pid := os.fork()) == 0:
            status = 1
            try:
                asyncio.run(self.write(requests, same=same, clean=clean, rate=rate))
                status = 0
            finally:
                os._exit(status)
        return pid

    async def drain(self, requests: int) -> Drained:
        """Run the service until it has archived both events of each request."""
        began = process_time()
        findings = SealedWriter(
            channel="findings", writer="logging-0", spool=self.folder / "findings", state=self.folder / "state",
            signing=self.keys.signing("findings"), reader_public=self.keys.sealing("findings").public_bytes,
            clock=self.clock,
        )  # fmt: skip
        writers = {"runtime": (self.runtime.signing("events").public_bytes,)}
        archive = EmbeddedArchive(
            self.folder / "archive", self.folder / "tree", self.keys.secret(STORE_SECRET), region="eu-west-1",
            clock=self.clock,
        )  # fmt: skip
        reader = SealedReader(
            channel="events", spool=self.folder / "spool", state=self.folder / "state",
            keys=[self.keys.sealing("events")], writers=writers,
        )  # fmt: skip
        stop, opened = asyncio.Event(), [0.0, 0.0]

        def ready() -> None:
            opened[:] = process_time(), perf_counter()

        async def watch() -> None:
            while archive.size() - before < 2 * requests:
                await asyncio.sleep(WATCHED_EVERY_S)
            stop.set()

        before = archive.size()
        watching = asyncio.create_task(watch())
        await serve(
            reader=reader, archive=archive, keys=self.keys, findings=findings, redactor=Redactor(), clock=self.clock,
            stop=stop, origin="caisson/bench", writer_keys=writers, ready=ready,
        )  # fmt: skip
        drained = Drained(
            spent_s=process_time() - opened[0], waited_s=perf_counter() - opened[1], entries=archive.size() - before,
            opening_s=opened[0] - began,
        )  # fmt: skip
        await watching
        findings.close()
        return drained


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second written meanwhile; 0: all before")
    parser.add_argument("--same", action="store_true", help="the same texts in all requests")
    parser.add_argument("--clean", action="store_true", help="texts without anything to redact")
    parser.add_argument("--profile", action="store_true", help="where the time goes, by function")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        zone = Zone(Path(name))
        events, rounds = 2 * options.requests, []
        for _ in range(ROUNDS):
            if options.rate:
                writes = zone.write_beside(options.requests, same=options.same, clean=options.clean, rate=options.rate)
                rounds.append(asyncio.run(zone.drain(options.requests)))
                os.waitpid(writes, 0)
            else:
                asyncio.run(zone.write(options.requests, same=options.same, clean=options.clean))
                rounds.append(asyncio.run(zone.drain(options.requests)))
        best, median = min(rounds), sorted(rounds)[ROUNDS // 2]
        print(
            f"logging zone: {best.spent_s / events * 1e6:.0f} µs of processor time an event,"
            f" {best.spent_s / options.requests * 1e6:.0f} µs a request"
            f" (median {median.spent_s / options.requests * 1e6:.0f}); {events / best.waited_s:.0f} events/s;"
            f" {best.entries} entries of {events} events; opened in {best.opening_s * 1e3:.0f} ms"
        )
        if options.profile:
            asyncio.run(zone.write(options.requests, same=options.same, clean=options.clean))
            profile = cProfile.Profile()
            profile.enable()
            asyncio.run(zone.drain(options.requests))
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
