"""Processes of a measurement, and what the kernel says they cost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 40.0
IDLE_SHARE_MAX = 0.08
"""Of one core. Below it what is left over from a round no longer disturbs the next one."""
IDLE_SECONDS_MAX = 120.0
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_AFTER_NAME = 2
"""/proc/PID/stat counts from 1 and the name, the second field, may hold blanks: what follows it starts with field 3."""


class Missing(Exception):  # noqa: N818 - the user has to install something
    """What is not there, and how to get it."""


def free_port() -> int:
    """A TCP port on loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**extra: str) -> dict[str, str]:
    """Ours without what points an AWS client elsewhere."""
    others = ("AWS_", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(others)}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", **extra}


def spawn(command: list[str], log: Path, **variables: str) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own; what it says goes to `log`."""
    with log.open("ab") as out:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment(**variables),
            start_new_session=True,
        )  # fmt: skip


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when somebody listens.

    Raises:
        RuntimeError: the process ended first, or nothing listened in time.
    """
    ends = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}: {log.read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
            continue
        return
    raise RuntimeError(f"not ready within {START_SECONDS_MAX:g} s: {log.read_text()[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end; kill its group when it does not."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def cpu_s(pid: int) -> float:
    """Seconds of processor time so far, user and system (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13 - _AFTER_NAME]) + int(fields[14 - _AFTER_NAME])) * _TICK_S


def resident_mb(pid: int) -> float:
    """Resident memory (proc(5), VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def wait_idle(pids: Iterable[int], *, over_s: float = 0.5, clock: Callable[[], float] = time.monotonic) -> float:
    """Seconds until the processes together use next to no processor time."""
    began, watched = clock(), tuple(pids)
    while clock() - began < IDLE_SECONDS_MAX:
        before = sum(map(cpu_s, watched))
        time.sleep(over_s)
        if sum(map(cpu_s, watched)) - before <= IDLE_SHARE_MAX * over_s + _TICK_S:
            break
    return clock() - began
