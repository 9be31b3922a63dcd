"""A restricted process really cannot: every rule is tried against the kernel in a child process."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from caisson.adapters.embedded.isolation import (
    Rules,
    UserPlan,
    isolation,
    landlock,
    libc,
    restrict,
    runtime_paths,
    seccomp,
)
from caisson.adapters.embedded.isolation.landlock import Fs, handled, missing
from caisson.errors import DeveloperError, StartError
from forked import in_child, refused

NOBODY = UserPlan(first=None, reason="not asked for")


@pytest.fixture(autouse=True)
def _landlock_or_a_broken_verdict() -> None:
    """Without Landlock there is nothing to try, and then the verdict must say so; the tests are not skipped quietly."""
    if landlock.abi() == 0:
        assert isolation(NOBODY).broken == ("NET-01", "LOG-07")
        pytest.xfail("this kernel has no Landlock, and the verdict says so")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        folder.mkdir()
        (folder / "file").write_text("text")
    return own, other


def test_another_folder_cannot_be_read_written_listed_or_changed(folders: tuple[Path, Path]) -> None:
    own, other = folders

    def tries() -> dict[str, str]:
        restrict(Rules(write=(own,)))
        return {
            "read": refused(lambda: open(other / "file")),
            "write": refused(lambda: open(other / "file", "w")),
            "create": refused(lambda: open(other / "new", "w")),
            "truncate": refused(lambda: os.truncate(other / "file", 0)),
            "list": refused(lambda: os.listdir(other)),
            "unlink": refused(lambda: os.unlink(other / "file")),
            "rename away": refused(lambda: os.rename(other / "file", own / "taken")),
            "rename into": refused(lambda: os.rename(own / "file", other / "given")),
            "link": refused(lambda: os.link(other / "file", own / "linked")),
            "read through a link": refused(lambda: [os.symlink(other, own / "link"), open(own / "link" / "file")]),
            "mkdir": refused(lambda: os.mkdir(other / "folder")),
            "read through dots": refused(lambda: open(own / ".." / "other" / "file")),
        }

    found = in_child(tries)
    assert {key: value for key, value in found.items() if value not in ("EACCES", "EXDEV")} == {}
    assert (other / "file").read_text() == "text"


def test_the_own_folder_can_be_used(folders: tuple[Path, Path]) -> None:
    own, _ = folders

    def uses() -> list[str]:
        restrict(Rules(write=(own,)))
        (own / "new").write_text("new")
        os.replace(own / "new", own / "file")
        os.link(own / "file", own / "second")
        os.mkdir(own / "folder")
        os.rmdir(own / "folder")
        os.unlink(own / "second")
        os.truncate(own / "file", 1)
        return [(own / "file").read_text(), *os.listdir(own)]

    assert in_child(uses) == ["n", "file"]


def test_what_may_be_read_cannot_be_written(folders: tuple[Path, Path]) -> None:
    own, _ = folders

    def tries() -> list[str]:
        restrict(Rules(read=(own,)))
        return [
            refused(lambda: open(own / "file")),
            refused(lambda: open(own / "file", "r+")),
            refused(lambda: open(own / "new", "w")),
            refused(lambda: os.unlink(own / "file")),
        ]

    assert in_child(tries) == ["done", "EACCES", "EACCES", "EACCES"]


def test_a_single_file_can_be_declared(folders: tuple[Path, Path]) -> None:
    own, _ = folders
    (own / "second").write_text("second")

    def tries() -> list[str]:
        restrict(Rules(read=(own / "file",)))
        return [refused(lambda: open(own / "file")), refused(lambda: open(own / "second"))]

    assert in_child(tries) == ["done", "EACCES"]


def test_a_write_only_folder_cannot_be_read_back_listed_or_cleared(folders: tuple[Path, Path]) -> None:
    spool, _ = folders

    def tries() -> dict[str, str]:
        restrict(Rules(write_only=(spool,)))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = os.open(spool / "segment", flags, 0o640)
        os.write(descriptor, b"sealed, and torn")
        os.ftruncate(descriptor, 6)
        os.fdatasync(descriptor)
        return {
            "read back": refused(lambda: open(spool / "segment", "rb")),
            "read by descriptor": refused(lambda: os.read(descriptor, 1)),
            "read by /proc": refused(lambda: open(f"/proc/self/fd/{descriptor}", "rb")),
            "list": refused(lambda: os.listdir(spool)),
            "remove": refused(lambda: os.unlink(spool / "segment")),
            "rename": refused(lambda: os.rename(spool / "segment", spool / "gone")),
        }

    found = in_child(tries)
    assert found.pop("read by descriptor") == "EBADF"
    assert set(found.values()) == {"EACCES"}
    assert (spool / "segment").read_bytes() == b"sealed"


def test_tcp_ports_that_are_not_declared_are_refused() -> None:
    if landlock.abi() < 4:
        assert any("TCP" in name for name in missing(landlock.abi(), Rules(), filtered=True))
        return
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        declared, undeclared = one.getsockname()[1], two.getsockname()[1]

        def tries() -> list[str]:
            restrict(Rules(connect_ports=(declared,), bind_ports=(0,)))
            return [
                refused(lambda: socket.socket().connect(("127.0.0.1", declared))),
                refused(lambda: socket.socket().connect(("127.0.0.1", undeclared))),
                refused(lambda: socket.socket().bind(("127.0.0.1", 0))),
                refused(lambda: socket.socket().bind(("127.0.0.1", undeclared))),
            ]

        assert in_child(tries) == ["done", "EACCES", "done", "EACCES"]


def test_ports_may_be_left_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]

        def tries() -> list[str]:
            restrict(Rules(connect_ports=None, bind_ports=None))
            return [
                refused(lambda: socket.socket().connect(("127.0.0.1", port))),
                refused(lambda: socket.socket().bind(("127.0.0.1", 0))),
            ]

        assert in_child(tries) == ["done", "done"]


def test_a_process_that_connects_nowhere_makes_no_sockets_but_goes_on_listening(tmp_path: Path) -> None:
    def tries() -> list[str]:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        pid = os.fork()
        if pid == 0:  # a client that is not restricted, as the owner's command line is
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(tmp_path / "socket"))
                client.sendall(b"hello")
            os._exit(0)
        os.waitpid(pid, 0)
        assert restrict(Rules()).filtered
        connection, _ = listener.accept()
        families = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_VSOCK, socket.AF_PACKET, socket.AF_ALG)
        pair = socket.socketpair()
        pair[0].sendall(b"pair")
        return [
            connection.recv(5).decode(),
            pair[1].recv(4).decode(),
            *(refused(lambda family=family: socket.socket(family)) for family in families),
        ]

    assert in_child(tries) == ["hello", "pair"] + ["EACCES"] * 6


def test_a_process_that_connects_makes_no_unix_sockets(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as control:
        control.bind(str(tmp_path / "control.sock"))
        control.listen()

        def tries() -> list[str]:
            restrict(Rules(connect_ports=(443,)))
            return [
                refused(lambda: socket.socket(socket.AF_UNIX).connect(str(tmp_path / "control.sock"))),
                refused(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)),
                refused(lambda: socket.socket(socket.AF_VSOCK)),
                refused(lambda: socket.socket(socket.AF_INET)),
                refused(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)),
            ]

        assert in_child(tries) == ["EACCES", "EACCES", "EACCES", "done", "done"]


def test_io_uring_is_no_way_around_the_socket_filter() -> None:
    def tries() -> str:
        restrict(Rules())
        return refused(lambda: libc.syscall(425, ctypes.c_uint(1), ctypes.create_string_buffer(120)))

    assert in_child(tries) == "ENOSYS"


def test_on_old_kernels_files_cannot_be_cut_by_name(folders: tuple[Path, Path]) -> None:
    own, _ = folders

    def tries() -> list[str]:
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
        seccomp.refuse_calls(families=(), truncate=True)
        with open(own / "file", "r+") as file:
            return [refused(lambda: os.truncate(own / "file", 0)), refused(lambda: os.ftruncate(file.fileno(), 2))]

    assert in_child(tries) == ["EACCES", "done"]


def test_foreign_call_conventions_are_killed() -> None:
    """x32 numbers mean other calls."""

    def tries() -> None:
        restrict(Rules())
        libc.syscall(0x40000000 + 41, ctypes.c_int(socket.AF_UNIX), ctypes.c_int(socket.SOCK_STREAM), ctypes.c_int(0))

    if os.uname().machine != "x86_64":
        return
    pid = os.fork()
    if pid == 0:
        tries()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGSYS


def test_other_processes_get_no_signals_and_are_not_traced() -> None:
    if landlock.abi() < 6:
        assert any("signals" in name for name in missing(landlock.abi(), Rules(), filtered=True))
        return
    parent = os.getpid()

    def tries() -> list[str]:
        restrict(Rules())
        return [
            refused(lambda: os.kill(parent, 0)),
            refused(lambda: os.kill(parent, signal.SIGCONT)),
            refused(lambda: open(f"/proc/{parent}/environ")),
            refused(lambda: os.kill(os.getpid(), 0)),
        ]

    assert in_child(tries) == ["EPERM", "EPERM", "EACCES", "done"]


def test_nothing_is_executed_any_more() -> None:
    def tries() -> str:
        restrict(Rules(read=(Path("/usr"), Path(sys.base_prefix))))
        return refused(lambda: os.execv("/usr/bin/true", ["true"]))

    assert in_child(tries) == "EACCES"


def test_children_are_restricted_too_and_cannot_take_it_back(folders: tuple[Path, Path]) -> None:
    own, other = folders

    def tries() -> list[str]:
        restrict(Rules(read=(own,)))

        def in_the_child() -> str:
            landlock.apply(
                Rules(read=(own, Path("/"))), landlock.abi()
            )  # one more restriction, however wide, adds nothing
            return refused(lambda: open(other / "file"))

        return [in_child(lambda: refused(lambda: open(other / "file"))), in_child(in_the_child)]

    assert in_child(tries) == ["EACCES", "EACCES"]


def test_privileges_are_gone() -> None:
    def gives_up() -> dict[str, str]:
        restrict(Rules(read=(Path("/proc/self"),)))
        status = dict(
            line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
        )
        import resource

        return {
            **{key: status[key] for key in ("CapEff", "CapPrm", "CapInh", "NoNewPrivs", "Seccomp")},
            "bounding as root": status["CapBnd"] if os.geteuid() == 0 else "0" * 16,
            "dumpable": str(libc.prctl(libc.PR_GET_DUMPABLE)),
            "core": str(resource.getrlimit(resource.RLIMIT_CORE)),
        }

    none = "0" * 16
    assert in_child(gives_up) == {
        "CapEff": none, "CapPrm": none, "CapInh": none, "NoNewPrivs": "1", "Seccomp": "2", "bounding as root": none,
        "dumpable": "0", "core": "(0, 0)",
    }  # fmt: skip


def test_anonymous_files_open_through_their_descriptor() -> None:
    """The archive reads Parquet out of memory through /dev/fd."""

    def reads() -> str:
        restrict(Rules(read=(Path("/proc/self"),)))
        descriptor = os.memfd_create("archive")
        os.write(descriptor, b"parquet")
        return Path(f"/dev/fd/{descriptor}").read_text()

    assert in_child(reads) == "parquet"


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    def tries() -> str:
        try:
            restrict(Rules(read=(tmp_path / "missing",)))
        except StartError as error:
            return str(error)
        return ""

    assert f"expected '{tmp_path}/missing' to exist" in in_child(tries)


def test_with_several_threads_it_refuses() -> None:
    """The others would stay free."""
    ends = threading.Event()
    thread = threading.Thread(target=ends.wait)
    thread.start()
    try:
        with pytest.raises(DeveloperError, match="one thread"):
            restrict(Rules())
    finally:
        ends.set()
        thread.join()


def test_python_goes_on_working_with_the_table_of_needed_paths(tmp_path: Path) -> None:
    def works() -> list[str]:
        restrict(Rules(read=runtime_paths.needed(tmp_path, connecting=True), connect_ports=(443,)))
        import ssl
        import wave  # noqa: F401 - any module that nothing has imported yet
        import zoneinfo

        import duckdb

        ssl.create_default_context()
        return [
            socket.getaddrinfo("localhost", 1)[0][4][0],
            zoneinfo.ZoneInfo("Europe/Rome").key,
            str(duckdb.connect(config={"threads": "1"}).execute("select 41 + 1").fetchone()[0]),
            refused(lambda: os.listdir(tmp_path)),
            str(len(os.urandom(4))),
        ]

    address, *rest = in_child(works)
    assert address in ("127.0.0.1", "::1")
    assert rest == ["Europe/Rome", "42", "EACCES", "4"]


@pytest.mark.parametrize("abi", range(1, landlock.ABI_KNOWN_MAX + 1))
def test_every_older_abi_is_enforced_as_far_as_it_goes(abi: int, folders: tuple[Path, Path]) -> None:
    own, other = folders
    if abi > landlock.abi():
        assert missing(landlock.abi(), Rules(), filtered=True)
        return

    def tries() -> list[str]:
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
        landlock.apply(Rules(write=(own,), connect_ports=(1,)), abi)
        return [refused(lambda: open(other / "file")), refused(lambda: open(own / "new", "w"))]

    assert in_child(tries) == ["EACCES", "done"]


def test_a_newer_kernel_is_asked_for_what_is_known() -> None:
    assert handled(landlock.ABI_KNOWN_MAX + 5) == handled(landlock.ABI_KNOWN_MAX)


@pytest.mark.parametrize(
    ("abi", "gained"),
    [(1, Fs.MAKE_SYM), (2, Fs.REFER), (3, Fs.TRUNCATE), (5, Fs.IOCTL_DEV)],
)
def test_rights_by_abi(abi: int, gained: Fs) -> None:
    """The table in landlock.rst."""
    assert gained in handled(abi).fs
    assert gained not in handled(abi - 1).fs


def test_net_and_scopes_by_abi() -> None:
    assert [bool(handled(abi).net) for abi in range(8)] == [False] * 4 + [True] * 4
    assert [bool(handled(abi).scoped) for abi in range(8)] == [False] * 6 + [True] * 2


def test_what_is_missing_shrinks_with_the_abi() -> None:
    found = [set(missing(abi, Rules(), filtered=False)) for abi in range(1, 8)]
    assert all(newer <= older for older, newer in pairwise(found))
    assert found[-1] == {"unix sockets of other zones (seccomp on x86_64 or aarch64)"}
    assert missing(7, Rules(), filtered=True) == ()
    assert missing(3, Rules(connect_ports=None, bind_ports=None), filtered=True) == tuple(
        name for name in missing(3, Rules(), filtered=True) if "TCP" not in name
    )
