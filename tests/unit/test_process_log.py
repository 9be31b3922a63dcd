"""Process logs stay bounded and cannot be forged by what is written to them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.adapters.embedded.clock import SystemClock
from caisson.supervision.process_log import FILE_BYTES_MAX, FILES_KEPT, LINE_BYTES_MAX, ProcessLog


def test_files_are_rotated_and_their_number_is_bounded(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path / "gateway.log", SystemClock())
    line = b"x" * 4_000 + b"\n"
    for _ in range((FILES_KEPT + 3) * FILE_BYTES_MAX // len(line)):
        log.write(1, line)
    log.close()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"gateway.log", *(f"gateway.log.{number}" for number in range(1, FILES_KEPT + 1))}
    assert max(sizes.values()) <= FILE_BYTES_MAX


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path / "gateway.log", SystemClock())
    for _ in range(10):
        log.write(1, b"x" * LINE_BYTES_MAX)
    log.end(1)
    lines = (tmp_path / "gateway.log").read_text().splitlines()
    assert len(lines) == 10
    assert sum(line.count("x") for line in lines) == 10 * LINE_BYTES_MAX


def test_a_restarted_supervisor_goes_on_in_the_same_file(tmp_path: Path) -> None:
    for text in (b"one\n", b"two\n"):
        log = ProcessLog(tmp_path / "gateway.log", SystemClock())
        log.write(1, text)
        log.close()
    assert [line[-3:] for line in (tmp_path / "gateway.log").read_text().splitlines()] == ["one", "two"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").touch()
    (tmp_path / "gateway.log").symlink_to(tmp_path / "victim")
    try:
        ProcessLog(tmp_path / "gateway.log", SystemClock())
    except OSError:
        return
    raise AssertionError("the link was followed")


@settings(max_examples=50)
@given(pieces=st.lists(st.binary(max_size=200), max_size=20))
def test_whatever_is_written_every_line_has_its_time_and_process(tmp_path_factory: object, pieces: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("log") / "gateway.log"  # type: ignore[attr-defined]
    log = ProcessLog(path, SystemClock())
    for piece in pieces:
        log.write(4711, piece)
    log.end(4711)
    log.close()
    written = path.read_bytes().decode()
    lines = written.split("\n")[:-1]
    assert len(lines) == b"".join(pieces).count(b"\n") + (
        not b"".join(pieces).endswith(b"\n") and b"".join(pieces) != b""
    )
    assert all(line[29:37] == " [4711] " for line in lines)
    assert not any(character < " " and character not in "\n\t" for character in written)


def test_two_processes_that_write_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path / "gateway.log", SystemClock())
    log.write(1, b"the old ")
    log.write(2, b"the new ")
    log.write(1, b"one\n")
    log.write(2, b"one\n")
    log.end(1)
    lines = [line.split(" ", 1)[1] for line in (tmp_path / "gateway.log").read_text().splitlines()]
    assert lines == ["[1] the old one", "[2] the new one"]
