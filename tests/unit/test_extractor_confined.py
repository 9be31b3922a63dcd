"""A child that reads a document can do nothing else, whoever has taken it over; and it ends in time."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caisson.adapters.embedded.extractor import EmbeddedExtractor, child, nursery, wire
from caisson.adapters.embedded.extractor.child import Bounds
from caisson.adapters.embedded.isolation import seccomp
from caisson.errors import OperatorError, StartError
from caisson.ports.extractor import Unreadable
from forked import refused

QUICK = Bounds(cpu_s=1, wall_s=2.0, memory_bytes=128 << 20)


def asked_of(reader: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch) -> str | Unreadable:
    """The answer of a nursery of its own whose children run `reader` on the document."""
    taken_over = lambda document: reader(document) if document == b"document" else "sample"  # noqa: E731
    monkeypatch.setitem(child.READERS, "html", taken_over)
    ours, theirs = socket.socketpair()
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        ours.close()
        nursery.run(theirs, QUICK, parent)
        os._exit(0)
    theirs.close()
    try:
        assert ours.recv(16) == nursery.READY
        mine, its = socket.socketpair()
        socket.send_fds(ours, [b"job"], [its.fileno()])
        its.close()
        mine.settimeout(15)
        mine.sendall(wire.request("html", b"document"))
        mine.shutdown(socket.SHUT_WR)
        answer = b""
        while part := mine.recv(1 << 16):
            answer += part
        return wire.read(answer)
    finally:
        ours.close()
        os.waitpid(pid, 0)


def attempts(_: bytes) -> str:
    tried = {
        "open": lambda: os.open("/etc/hostname", os.O_RDONLY),
        "own code": lambda: os.open(__file__, os.O_RDONLY),
        "create": lambda: os.open("/tmp/escaped", os.O_CREAT | os.O_WRONLY),
        "list": lambda: os.listdir("/"),
        "socket": lambda: socket.socket(),
        "unix": lambda: socket.socket(socket.AF_UNIX),
        "fork": os.fork,
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "kill the nursery": lambda: os.kill(os.getppid(), signal.SIGKILL),
        "raise a limit": lambda: _as_os_error(ValueError, lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))),
        "thread": lambda: _as_os_error(RuntimeError, lambda: threading.Thread(target=int).start()),
    }
    return " ".join(f"{name}={refused(action)}".replace(" ", "_") for name, action in tried.items())


def _as_os_error(kind: type[Exception], action: Callable[[], Any]) -> None:
    """Python tells of some refused calls in words of its own."""
    try:
        action()
    except kind as error:
        raise PermissionError(errno.EPERM, str(error)) from error


def test_a_child_that_was_taken_over_can_only_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seccomp.available(), "this kernel cannot filter calls, and so cannot show that they are refused"
    said = asked_of(attempts, monkeypatch)
    assert isinstance(said, str)
    outcomes = dict(pair.split("=") for pair in said.split())
    assert len(outcomes) == 11
    assert set(outcomes.values()) == {"EPERM"}, outcomes


def descriptors(_: bytes) -> str:
    """Which descriptors it has; lseek(2) is allowed, and fails differently on a socket."""

    def is_open(number: int) -> bool:
        try:
            os.lseek(number, 0, os.SEEK_CUR)
        except OSError as error:
            return error.errno != errno.EBADF
        return True

    return " ".join(str(number) for number in range(65_536) if is_open(number))


def test_a_child_has_no_descriptor_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    said = asked_of(descriptors, monkeypatch)
    assert isinstance(said, str)
    assert len(said.split()) == 4, said  # the standard streams and its job


def spin(_: bytes) -> str:
    while True:
        pass


def sleep(_: bytes) -> str:
    os.read(0, 1)
    while True:  # a wait that takes no processor time, without a call that the filter refuses
        signal.pause() if not seccomp.available() else _futex()


def _futex() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=60)


def hoard(_: bytes) -> str:
    return "x" * len([bytes(1 << 20) for _ in range(4_096)])


def recurse(_: bytes) -> str:
    return recurse(b"") + "x"


def crash(_: bytes) -> str:
    import ctypes

    return ctypes.string_at(0).decode()


def panic(_: bytes) -> str:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("reader", "why"),
    [
        (spin, Unreadable.TOO_SLOW),
        (sleep, Unreadable.TOO_SLOW),
        (hoard, Unreadable.TOO_MUCH_MEMORY),
        (recurse, Unreadable.TOO_DEEP),
        (crash, Unreadable.DAMAGED),
        (panic, Unreadable.DAMAGED),
    ],
)
def test_a_child_ends_in_time_and_the_reason_is_told(
    reader: Callable[[bytes], str], why: Unreadable, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    assert asked_of(reader, monkeypatch) is why
    assert time.monotonic() - began < 12


def test_the_nursery_holds_no_environment_and_is_confined() -> None:
    extractor = EmbeddedExtractor.start(QUICK)
    pid = extractor._process.pid
    try:
        with pytest.raises(PermissionError):  # not dumpable: nobody of the same user reads its memory
            Path(f"/proc/{pid}/environ").read_bytes()
    except BaseException:
        if os.geteuid() != 0:
            raise
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    finally:
        asyncio.run(extractor.close())


async def test_without_its_nursery_it_says_that_it_cannot_and_that_it_ended() -> None:
    extractor = EmbeddedExtractor.start(QUICK)
    ended = asyncio.create_task(extractor.watch())
    await asyncio.sleep(0)
    assert not ended.done()
    extractor._process.kill()
    with pytest.raises(OperatorError):
        await asyncio.wait_for(ended, 5)
    assert await extractor.text(b"<p>x</p>", "html", owner="s") in (Unreadable.UNAVAILABLE, Unreadable.DAMAGED)
    await extractor.close()


async def test_one_owner_waits_for_itself_and_others_do_not() -> None:
    """A slow document of one session leaves a reader to the others."""
    extractor = EmbeddedExtractor.start(Bounds(cpu_s=2, wall_s=4.0))
    slow = b"<p " + b"a" * 10 + b"<" * 2_000_000
    order: list[str] = []

    async def one(document: bytes, owner: str) -> None:
        await extractor.text(document, "html", owner=owner)
        order.append(owner)

    busy = [asyncio.create_task(one(slow, "greedy")) for _ in range(3)]
    await asyncio.sleep(0)
    await one(b"<p>quick</p>", "other")
    assert order[0] == "other"
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    assert extractor._owners == {}
    await extractor.close()


async def test_more_than_may_wait_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from caisson.adapters.embedded.extractor import reader

    monkeypatch.setattr(reader, "WAITING_MAX", 2)
    extractor = EmbeddedExtractor.start(QUICK)
    found: list[Any] = await asyncio.gather(*(extractor.text(b"<p>x</p>", "html", owner="s") for _ in range(4)))
    assert sorted(map(str, found)) == ["Unreadable.BUSY", "Unreadable.BUSY", "x", "x"]
    await extractor.close()


def test_a_nursery_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(StartError):
        EmbeddedExtractor.start(QUICK)


@pytest.mark.parametrize("received", [b"", b"\0", b"\0\0\0\0\x05hi", b"\xff\0\0\0\0", b"\0\0\0\0\x01\xff"])
def test_an_answer_of_another_shape_is_a_crash(received: bytes) -> None:
    assert wire.read(received) is Unreadable.DAMAGED


def test_every_outcome_goes_over_the_wire() -> None:
    for outcome in (*Unreadable, "", "hé \U0001f600"):
        assert wire.read(wire.answer(outcome)) == outcome
