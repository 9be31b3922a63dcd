"""Key files: private, whole, made once, read once."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from caisson.adapters.embedded import keys as keys_module
from caisson.adapters.embedded.keys import FileKeys
from caisson.errors import StartError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    FileKeys.create(tmp_path / "keys", signing=("channel",), sealing=("events",), secrets=("store",))
    return tmp_path / "keys"


def test_files_are_for_their_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FileKeys.create(tmp_path / "keys", signing=("channel",), sealing=("events",), secrets=("store",))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert files == {"channel.signing.key": 0o600, "events.sealing.key": 0o600, "store.secret.key": 0o600}


def test_everything_is_read_at_construction(folder: Path) -> None:
    """After the zone has restricted itself nothing else can be opened."""
    keys = FileKeys(folder)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    keys.signing("channel").sign(b"x")
    assert keys.sealing("events").public_bytes
    assert keys.secret("store")


def test_creating_again_adds_and_replaces_nothing(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    keys = FileKeys.create(folder, signing=("channel", "session-2"), secrets=("store",))
    keys.signing("session-2")
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert before.items() < after.items()


def test_creators_at_the_same_time_agree(tmp_path: Path) -> None:
    found: list[bytes] = []
    barrier = threading.Barrier(4)

    def create() -> None:
        barrier.wait()
        found.append(FileKeys.create(tmp_path / "keys", signing=("channel",)).signing("channel").public_bytes)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["channel.signing.key"]


def test_a_key_that_appears_while_another_is_made_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / "channel.signing.key").read_bytes()
    monkeypatch.setattr(os.path, "lexists", lambda path: False)
    FileKeys.create(folder, signing=("channel",))
    assert (folder / "channel.signing.key").read_bytes() == before
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_open_to_others_is_refused(folder: Path, mode: int) -> None:
    (folder / "channel.signing.key").chmod(mode)
    with pytest.raises(StartError, match="mode 0600"):
        FileKeys(folder)


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o755])
def test_a_folder_open_to_others_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    with pytest.raises(StartError, match="mode 0700"):
        FileKeys(folder)
    folder.chmod(0o700)


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33, b"x" * 10_000])
def test_a_file_of_another_size_is_refused(folder: Path, content: bytes) -> None:
    (folder / "channel.signing.key").write_bytes(content)
    with pytest.raises(StartError, match="expected 32 bytes"):
        FileKeys(folder)


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_no_regular_file_is_refused_and_never_waited_for(folder: Path, tmp_path: Path, kind: str) -> None:
    path = folder / "other.secret.key"
    if kind == "link":
        (tmp_path / "target").write_bytes(b"x" * 32)
        (tmp_path / "target").chmod(0o600)
        path.symlink_to(tmp_path / "target")
    elif kind == "fifo":
        os.mkfifo(path, 0o600)
    else:
        path.mkdir(0o700)
    with pytest.raises(StartError):
        FileKeys(folder)


def test_a_folder_that_is_a_link_or_missing_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(StartError, match="mode 0700"):
        FileKeys(tmp_path / "link")
    with pytest.raises(StartError, match="cannot be read"):
        FileKeys(tmp_path / "nothing")
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot be written"):
        FileKeys.create(tmp_path / "file" / "below", signing=("channel",))


def test_other_files_of_the_zone_are_left_alone(folder: Path) -> None:
    (folder / "tls.pem").write_text("not ours")
    (folder / ".0123.new").write_bytes(b"a creator was killed here")
    FileKeys.create(folder, signing=("channel",))
    assert (folder / "tls.pem").read_text() == "not ours"


@pytest.mark.parametrize("name", ["", "Channel", "a/b", "../b", "..", "a b", "a--b", "-a", "é"])
def test_a_name_that_could_be_another_files_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(StartError, match="key name"):
        FileKeys.create(folder, signing=(name,))


def test_the_number_of_keys_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "KEYS_MAX", 3)
    FileKeys(folder)
    with pytest.raises(StartError, match="at most 3"):
        FileKeys.create(folder, signing=("one-more",))


def test_a_key_that_another_worker_deletes_meanwhile_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Session keys run out at the same moment for all workers; one lists the folder while another deletes."""
    FileKeys.create(folder, signing=("session-1", "session-2"))
    opened = os.open

    def open_late(path: Path, *arguments: int, **more: int) -> int:
        if Path(path).name.startswith("session-1."):
            Path(path).unlink()
        return opened(path, *arguments, **more)

    monkeypatch.setattr(keys_module.os, "open", open_late)
    keys = FileKeys(folder)
    keys.signing("session-2")
    with pytest.raises(StartError, match="expected a signing key 'session-1'"):
        keys.signing("session-1")
