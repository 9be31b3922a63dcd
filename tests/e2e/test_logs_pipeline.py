"""The real channel, the real keys, the real redactor, two processes: from a writer to a verified log."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from caisson.adapters.embedded.channel import SealedWriter
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.keys import FileKeys
from caisson.ports.archive import Entry
from caisson.zones.z6_logging.service import CHECKPOINT_KEY, PSEUDONYM_SECRET, STORE_SECRET
from caisson.zones.z6_logging.verify import verify
from logging_zone import request_event, response_event

LOGGING_PROCESS = """
import asyncio, json, signal, sys
from pathlib import Path
from caisson.adapters.embedded.archive import EmbeddedArchive
from caisson.adapters.embedded.channel import SealedReader, SealedWriter
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.keys import FileKeys
from caisson.detect.redaction import Redactor
from caisson.zones.z6_logging.service import STORE_SECRET, serve

async def main():
    data = Path(sys.argv[1])
    clock, stop = SystemClock(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    keys, runtime = FileKeys(data / "logging"), FileKeys(data / "runtime").signing("events").public_bytes
    control = FileKeys(data / "control").sealing("findings").public_bytes
    findings = SealedWriter(channel="findings", writer="logging-0", spool=data / "findings", state=data / "state",
                            signing=keys.signing("findings"), reader_public=control, clock=clock)
    reader = SealedReader(channel="events", spool=data / "events", state=data / "state",
                          keys=[keys.sealing("events")], writers={"runtime": (runtime,)})
    archive = EmbeddedArchive(data / "archive", data / "tree", keys.secret(STORE_SECRET), region="x", clock=clock)
    await serve(reader=reader, archive=archive, keys=keys, findings=findings, redactor=Redactor(), clock=clock,
                stop=stop, origin="caisson/e2e", writer_keys={"runtime": (runtime,)},
                ready=lambda: print("ready", flush=True))
    findings.close()

asyncio.run(main())
"""


class System:
    """A writer in this process and a logging zone in another."""

    def __init__(self, data: Path) -> None:
        self.data = data
        for name in ("state", "events", "findings"):
            (data / name).mkdir(mode=0o700)
        self.keys = FileKeys.create(
            data / "logging", signing=(CHECKPOINT_KEY, "findings"), sealing=("events",),
            secrets=(STORE_SECRET, PSEUDONYM_SECRET),
        )  # fmt: skip
        self.runtime = FileKeys.create(data / "runtime", signing=("events",))
        FileKeys.create(data / "control", sealing=("findings",))

    def writer(self) -> SealedWriter:
        state = self.data / "runtime-state"
        state.mkdir(mode=0o700, exist_ok=True)
        return SealedWriter(
            channel="events", writer="runtime-0", spool=self.data / "events", state=state,
            signing=self.runtime.signing("events"), reader_public=self.keys.sealing("events").public_bytes,
            clock=SystemClock(),
        )  # fmt: skip

    def start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", LOGGING_PROCESS, str(self.data)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_a_log_killed_again_and_again_is_whole_and_holds_no_plaintext(system: System) -> None:
    from caisson.adapters.embedded.archive import EmbeddedArchiveReader

    canary, number = "AKIAQYLPMN5HFIQR7XYA", 0
    for restart in range(5):
        writer = system.writer()
        process = system.start()
        try:
            for _ in range(120):
                text = f"[user] mail carol{number}@example.com canary-41d7 {canary}"
                writer.append(request_event(number, input_text=text, metadata={}))
                writer.append(response_event(number, output_text=text))
                number += 1
        finally:
            if restart < 4:
                process.kill()
            else:
                writer.close()
                process.terminate()
            process.wait(timeout=30)
            assert process.stdout
            process.stdout.close()
        if restart < 4:
            writer.close()
    reader = EmbeddedArchiveReader(system.data / "archive", system.data / "tree", system.keys.secret(STORE_SECRET))
    report = verify(
        reader, log_keys=[system.keys.signing(CHECKPOINT_KEY).public_bytes], now=request_event(number).deadline
    )
    assert report.problems == ()
    assert (report.requests, report.responses, report.unsigned_records) == (number, number, 0)
    entries = [item for item in reader.scan() if isinstance(item, Entry)]
    stored = json.dumps([entry.event for entry in entries])
    assert canary not in stored
    assert "carol" not in stored
    assert "canary-41d7" in stored  # what redaction does not know is kept, encrypted
    for path in system.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for plaintext in (canary, "canary-41d7", "carol"):
                assert plaintext.encode() not in content, path


CONFINED = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from caisson.adapters.embedded.archive import EmbeddedArchive, compaction, writer
from caisson.adapters.embedded.isolation import restrict, runtime_paths
from caisson.adapters.embedded.isolation.landlock import Rules
from caisson.ports.archive import Entry, Query
from logging_zone import STORE, HeldClock

writer.JOURNAL_BYTES_MAX = compaction.COMPACT_BYTES = 1
data = Path(sys.argv[1])
(data / "archive").mkdir(), (data / "tree").mkdir()
restrict(Rules(read=runtime_paths.needed(data, connecting=False), write=(data / "archive", data / "tree")))
archive = EmbeddedArchive(data / "archive", data / "tree", STORE, region="x", clock=HeldClock())
for index in range(3):
    event = {"kind": "k", "timestamp": 1.0, "request_id": f"r{index}"}
    archive.append([Entry(index=index, event=event, writer="w", incarnation="i", sequence=index, digest="")])
archive.compact()
print(len(list((data / "archive").rglob("*.parquet.enc"))), [e.index for e in archive.query(Query(request_id="r0"))])
"""


def test_compaction_works_in_a_process_confined_to_its_own_folders(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, str(tmp_path), str(Path(__file__).parents[1])], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("2 [0]\n", "")
