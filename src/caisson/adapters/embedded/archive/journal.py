"""The journal: entries of the last while, one encrypted frame for each `append`.

    head | length u32 | ciphertext | length u32 | ciphertext | …        a frame's plaintext: leaves, a line each

A kill can leave a torn frame at the end; it was never acknowledged. A new process begins a new file, because going on
in the old one could use a nonce twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag

from caisson.adapters.embedded.archive.cipher import TAG_BYTES, FileCipher, new_salt
from caisson.adapters.embedded.archive.disk import sync_folder, write_all
from caisson.adapters.embedded.archive.header import FileHeader, encode_header, read_header
from caisson.ports.archive import Unreadable

MAGIC = b"caisson journal 1\n"
_PURPOSE = "journal"
_LENGTH_BYTES = 4


class JournalWriter:
    """One journal file, from its first entry to the roll."""

    def __init__(
        self, folder: Path, secret: bytes, *, first: int, day: str, now: float, positions: dict[str, int]
    ) -> None:
        self.path = folder / f"{first:016d}.journal"
        self.day, self.opened = day, now
        salt = new_salt()
        header = FileHeader(first=first, day=day, opened=now, salt=salt.hex(), positions=positions)
        head = encode_header(MAGIC, header)
        self._cipher = FileCipher(secret, salt, _PURPOSE, head)
        self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._frames = 0
        self.bytes_written = 0
        self._write(head)
        sync_folder(folder)

    def append(self, leaves: Sequence[bytes]) -> None:
        """Write one frame; on stable storage when this returns."""
        ciphertext = self._cipher.encrypt(self._frames, b"\n".join(leaves))
        self._frames += 1
        self._write(len(ciphertext).to_bytes(_LENGTH_BYTES, "big") + ciphertext)
        os.fdatasync(self._handle)

    def close(self) -> None:
        """Nothing follows."""
        os.close(self._handle)

    def _write(self, data: bytes) -> None:
        write_all(self._handle, data)
        self.bytes_written += len(data)


def head_of(path: Path) -> FileHeader:
    """The head of a journal.

    Raises:
        ValueError: it cannot be read.
    """
    with open(path, "rb") as file:
        return read_header(file, MAGIC)[0]


def read_frames(path: Path, secret: bytes) -> Iterator[tuple[int, list[bytes]] | Unreadable]:
    """Each frame as the file offset behind it and its leaves; a torn end is no frame.

    Raises:
        FileNotFoundError: there is no such file (any more).
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            header, head = read_header(file, MAGIC)
            cipher = FileCipher(secret, bytes.fromhex(header.salt), _PURPOSE, head)
        except ValueError as error:
            yield Unreadable(where=path.name, detail=str(error))
            return
        number = 0
        while len(prefix := file.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
            length = int.from_bytes(prefix, "big")
            if length < TAG_BYTES or file.tell() + length > size:
                return
            try:
                leaves = cipher.decrypt(number, file.read(length))
            except InvalidTag:
                yield Unreadable(where=f"{path.name} frame {number}", detail="the frame was altered")
            else:
                yield file.tell(), leaves.split(b"\n")
            number += 1
