"""A program: a system whose data folder is on a disk of its own that fills up, and is freed again.

Run it by `command`: a mount namespace of its own, so that nothing is left behind, whatever happens.

- While the disk is full, requests are refused and never answered; what was acknowledged before stays.
- When space is freed, requests succeed again without anybody's help, and the archive catches up.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from running_system import ENOUGH, MODEL, Running, start, system_file

DISK_BYTES = 64 << 20
REFUSALS_WANTED = 5
REQUESTS_MAX = 2_000
RECOVERY_SECONDS_MAX = 30.0
BOTH = {"model.request.v1", "model.response.v1"}
ABOUT = [{"role": "user", "content": [{"text": "Claims are reported within 30 days. " * 200}]}]
"""Seven kilobytes, so that the rest of a block is soon used up."""


def command(folder: Path, full_seconds: float = 0.0) -> list[str]:
    """The command that runs this program with a small disk mounted at `folder`."""
    mount = 'mount -t tmpfs -o size="$1",mode=0711 disk "$2" && exec "$3" "$4" "$2" "$5"'
    return [
        "unshare", "--map-root-user", "--mount", "sh", "-c", mount,
        "sh", str(DISK_BYTES), str(folder), sys.executable, __file__, str(full_seconds),
    ]  # fmt: skip


def fill(folder: Path) -> Path:
    """Take every byte that is left."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as out, suppress(OSError):
        while True:
            out.write(b"\0" * 4096)
    return path


def without_record(running: Running, acknowledged: list[str]) -> list[str]:
    """Requests that were answered and whose events the archive does not hold."""
    kinds: dict[str, set[str]] = {}
    for event in running.events("--limit", "100000"):
        kinds.setdefault(event.get("request_id", ""), set()).add(event["kind"])
    return [each for each in acknowledged if not kinds.get(each, set()) >= BOTH]


def main(folder: Path, full_seconds: float = 0.0) -> dict[str, Any]:
    """What was seen. `full_seconds` keeps the disk full for longer than orders live."""
    running = start(folder, system=system_file(folder, **ENOUGH))
    client = running.client()
    acknowledged: list[str] = []
    refused: list[tuple[int, str]] = []

    def ask() -> bool:
        try:
            answer = client.converse(modelId=MODEL, messages=ABOUT)
        except ClientError as error:
            refused.append((error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]))
            return False
        except BotoCoreError as error:
            refused.append((0, type(error).__name__))
            return False
        acknowledged.append(answer["ResponseMetadata"]["RequestId"])
        return True

    for _ in range(5):
        ask()
    before = len(acknowledged)
    ballast = fill(folder)
    while len(refused) < REFUSALS_WANTED and len(acknowledged) < REQUESTS_MAX:
        ask()
    answered = sum(ask() for _ in range(20))
    time.sleep(full_seconds)
    answered += sum(ask() for _ in range(20)) if full_seconds else 0
    ballast.unlink()
    began = time.monotonic()
    while not ask() and time.monotonic() - began < RECOVERY_SECONDS_MAX:
        time.sleep(0.2)
    recovered_s = time.monotonic() - began
    for _ in range(5):
        ask()
    lost = acknowledged
    while lost and time.monotonic() - began < RECOVERY_SECONDS_MAX:  # the logging zone is started again
        lost = without_record(running, acknowledged)
    time.sleep(min(full_seconds, 10.0))  # what was open when the disk filled up is recorded as lost
    state = json.loads((running.data / "run/state.json").read_text())
    stopped = running.stop()
    verify = running.cli("logs", "verify", check=False)
    return {
        "before": before,
        "acknowledged": len(acknowledged),
        "refused": sorted({f"{status} {code}" for status, code in refused}),
        "answered_while_full": answered,
        "recovered_s": recovered_s,
        "lost": lost,
        "restarts": {name: zone["restarts"] for name, zone in state["zones"].items()},
        "stopped": stopped,
        "verify": verify.returncode,
        "said": (verify.stdout + verify.stderr)[-2000:],
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), *map(float, sys.argv[2:]))))
