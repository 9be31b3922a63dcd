"""A copy of the data folder as it was at one moment, while the system runs: `python -m caisson.supervision.snapshot`.

- The archive is copied while everything runs. Then all processes are stopped (SIGSTOP), what may have changed and all
  the rest is copied, and they go on. So the copy is what killing them at that moment would have left, which every start
  recovers from; clients see a pause, no error.
- The pause is bounded, and a guard process ends it even when this one is killed.
- What belongs to the running system stays out: its state, logs and sockets. A copy that named living processes could
  make another `up` kill them.
- The copy holds every key. It appears under its name only when it is whole, and is closed to other users.

>>> snapshot(Path(".caisson"), Path("/backup/2026-11-25"))  # doctest: +SKIP
Taken(files=412, bytes=93381120, pause_s=0.08)
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from caisson.errors import CaissonError, StartError
from caisson.supervision.identity import ProcessIdentity, send
from caisson.supervision.service import alone, running
from caisson.supervision.state import ZoneState, read_state, read_supervisor

PAUSE_SECONDS_MAX = 15.0
"""Below the shortest time that clients wait, and far below the life of orders (60 s)."""
STOPPING_SECONDS_MAX = 5.0
ROUNDS_MAX = 16
"""Looks for processes that were started while others were being stopped."""
SETTLED_S = 2.0
"""How much older than its copy a file must be to be unchanged since: file systems count time coarsely."""
LEFT_OUT = frozenset({"run", "sockets"})
WRITTEN_ONCE = frozenset({"archive", "tree"})
"""Folders of a zone whose files are written once or grow at their end. All else may change through mapped memory, which
moves no time of change, and is copied in the pause; it is small."""
VERSION_FILE = "layout.json"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a copy cost."""

    files: int
    bytes: int
    pause_s: float
    """How long the system stood still; 0 when nothing ran."""


@dataclass(frozen=True)
class _Seen:
    """A file as it was when it was copied."""

    size: int
    changed_ns: int
    copied_ns: int

    def still(self, status: os.stat_result) -> bool:
        """Whether it certainly has the same content now."""
        same = (self.size, self.changed_ns) == (status.st_size, status.st_mtime_ns)
        return same and self.copied_ns - self.changed_ns > SETTLED_S * 1e9


def snapshot(data: Path, target: Path) -> Taken:
    """Copy the data folder of a system that runs, or does not.

    Raises:
        StartError: there is none, the target exists, the processes are another user's, or the pause got too long.
    """
    data, target = data.resolve(), target.absolute()
    if not (data / VERSION_FILE).is_file():
        raise StartError(f"expected a data folder of Caisson, found none at {str(data)!r}")
    if os.path.lexists(target) or target.is_relative_to(data):
        raise StartError(f"expected a new folder outside the data folder, found {str(target)!r}; choose another name")
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(mode=0o700)
        taken = _copied_alive(data, unfinished)
        os.sync()
        unfinished.replace(target)
    except OSError as error:
        raise StartError(f"expected to copy {str(data)!r} to {str(target)!r}, found {error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return taken


def _copied_alive(data: Path, target: Path) -> Taken:
    seen: dict[Path, _Seen] = {}
    supervisor = running(data / "run")
    if supervisor is None:
        with alone(data / "run"):
            _copy(data, target, seen, alive=False)
        return Taken(files=len(seen), bytes=sum(each.size for each in seen.values()), pause_s=0.0)
    os.close(supervisor)
    _copy(data, target, seen, alive=True)
    began = time.monotonic()
    with _stopped(data / "run"):
        _copy(data, target, seen, alive=False)
    pause_s = time.monotonic() - began
    if pause_s > PAUSE_SECONDS_MAX:
        raise StartError(
            f"expected a pause of at most {PAUSE_SECONDS_MAX:g} s, found {pause_s:.1f} s; nothing was kept"
        )
    return Taken(files=len(seen), bytes=sum(each.size for each in seen.values()), pause_s=pause_s)


def _copy(data: Path, target: Path, seen: dict[Path, _Seen], *, alive: bool) -> None:
    """Make `target` what `data` is. While the system is alive files come and go, and that is no error."""
    folders: list[tuple[Path, os.stat_result]] = []
    present: set[Path] = set()
    for found, names, files in os.walk(data):
        where = Path(found).relative_to(data)
        if where == Path():
            names[:] = [name for name in names if name not in LEFT_OUT]
        present.add(where)
        with _vanishing(alive):
            folders.append((where, (data / where).stat()))
        (target / where).mkdir(mode=0o700, exist_ok=True)
        for name in files:
            path = where / name
            with _vanishing(alive):
                if _copy_file(data / path, target / path, seen, path, alive=alive):
                    present.add(path)
    for gone in [path for path in seen if path not in present]:
        del seen[gone]
        (target / gone).unlink(missing_ok=True)
    for found, names, _ in os.walk(target, topdown=False):
        for name in names:
            folder = Path(found) / name
            if folder.relative_to(target) not in present:
                folder.rmdir()
    for where, status in [] if alive else folders:  # last, so that none is closed to us before
        if where != Path():
            _like(target / where, status)


def _copy_file(source: Path, target: Path, seen: dict[Path, _Seen], path: Path, *, alive: bool) -> bool:
    """Whether it is a file and now copied. Nothing but files holds anything that lasts."""
    status = source.lstat()
    if not stat.S_ISREG(status.st_mode):
        return False
    if path in seen and seen[path].still(status):
        return True
    if alive and WRITTEN_ONCE.isdisjoint(path.parts):
        return False
    copied_ns = time.time_ns()
    target.unlink(missing_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)
    _like(target, status)
    seen[path] = _Seen(status.st_size, status.st_mtime_ns, copied_ns)
    return True


def _like(path: Path, status: os.stat_result) -> None:
    if os.geteuid() == 0:
        os.chown(path, status.st_uid, status.st_gid, follow_symlinks=False)
    path.chmod(stat.S_IMODE(status.st_mode))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@contextmanager
def _vanishing(alive: bool) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        if not alive:
            raise


# Standing still


@contextmanager
def _stopped(run: Path) -> Iterator[None]:
    """All processes of the system stand still inside.

    Raises:
        StartError: it has ended meanwhile, is another user's, or does not stand still in time.
    """
    identity = read_supervisor(run)
    with ExitStack() as stack:
        held: dict[int, int] = {}
        guard = stack.enter_context(_guard(held))
        pids = [] if identity is None else [identity.pid]
        if identity is None or not identity.alive():
            raise StartError("expected the system to run on, found it ended; try again")
        for _ in range(ROUNDS_MAX):
            new = [pid for pid in pids if pid not in held]
            if not new:
                break
            for pid in new:
                guard.stop(pid)
            _wait_still(held)
            pids = [*pids, *_children(held)]
        else:
            raise StartError("expected the system's processes to stand still, found ever more of them; try again")
        state = read_state(run)
        zones = {} if state is None else state.zones
        if any(
            zone.identity is not None and held.get(zone.identity.pid, -1) < 0 for zone in zones.values() if _is_up(zone)
        ):
            raise StartError("expected to see every zone's process, found some hidden; run it as root")
        yield


def _is_up(zone: ZoneState) -> bool:
    return zone.phase in ("starting", "ready")


@dataclass
class _Guard:
    """Tells the guard process whom to wake before stopping anybody."""

    held: dict[int, int]
    line: int

    def stop(self, pid: int) -> None:
        identity = ProcessIdentity.of(pid)
        pidfd = None if identity is None else identity.open()
        if identity is None or pidfd is None:
            if _state(pid) not in "ZX":
                raise StartError(f"expected to stop process {pid}, found no way to name it; run it as root")
            self.held[pid] = -1
            return
        self.held[pid] = pidfd
        os.write(self.line, f"{identity.pid} {identity.started} {identity.boot}\n".encode())
        try:
            send(pidfd, signal.SIGSTOP)
        except PermissionError as error:
            raise StartError("expected a system of this user, found another's; run it as who started it") from error


@contextmanager
def _guard(held: dict[int, int]) -> Iterator[_Guard]:
    """A process that wakes all again when this one says so, dies, or takes too long."""
    reads, writes = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        try:
            os.setsid()  # what ends this process from a terminal does not end the guard
            os.close(writes)
            _keep_guard(reads)
        finally:
            os._exit(0)
    os.close(reads)
    try:
        yield _Guard(held, writes)
    finally:
        for pidfd in held.values():
            if pidfd >= 0:
                with suppress(PermissionError):
                    send(pidfd, signal.SIGCONT)
                os.close(pidfd)
        os.close(writes)
        os.waitpid(child, 0)


def _keep_guard(reads: int) -> None:
    import select

    said, ends = b"", time.monotonic() + PAUSE_SECONDS_MAX + STOPPING_SECONDS_MAX
    while (left := ends - time.monotonic()) > 0:
        if not select.select([reads], [], [], left)[0]:
            break
        data = os.read(reads, 4096)
        if not data:
            break
        said += data
    for line in said.decode().splitlines():
        pid, started, boot = line.split()
        pidfd = ProcessIdentity(pid=int(pid), started=int(started), boot=boot).open()
        if pidfd is not None:
            with suppress(PermissionError):
                send(pidfd, signal.SIGCONT)


def _wait_still(held: dict[int, int]) -> None:
    ends = time.monotonic() + STOPPING_SECONDS_MAX
    while not all(_state(pid) in "TtZX" for pid in held):
        if time.monotonic() > ends:
            raise StartError(f"expected the processes to stand still within {STOPPING_SECONDS_MAX:g} s; try again")
        time.sleep(0.001)


def _state(pid: int) -> str:
    return _stat(pid)[:1] or "X"


def _stat(pid: int) -> str:
    """What follows the command in /proc/pid/stat (proc(5)): state, parent and more; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].strip()
    except OSError:
        return ""


def _children(parents: dict[int, int]) -> list[int]:
    numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [number for number in numbers if (found := _stat(number).split()[1:2]) and int(found[0]) in parents]


def main(arguments: Sequence[str]) -> int:
    """`DATA TARGET`; the exit status."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m caisson.supervision.snapshot DATA TARGET\n")
        return 2
    try:
        taken = snapshot(Path(arguments[0]), Path(arguments[1]))
    except CaissonError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{taken.files} files, {taken.bytes} bytes; the system stood still for {taken.pause_s:.3f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
