"""ZIP packages of office documents, bounded before anything in them is unpacked (ECMA-376, part 2)."""

from __future__ import annotations

import io
import zipfile

from caisson.adapters.embedded.extractor.text import UnreadableError
from caisson.ports.extractor import Unreadable

FILES_MAX = 4_096
"""Files of a package."""
EXPANDED_BYTES_MAX = 64 << 20
"""All files of a package, unpacked."""
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""A compound file: how Office stores a package with a password, and its formats before 2007 ([MS-CFB])."""
_ENCRYPTED = 0x1


def opened(data: bytes) -> zipfile.ZipFile:
    """The package, all declared sizes within bounds.

    Raises:
        UnreadableError: it is none, is encrypted or expands too far.
    """
    if data.startswith(_OLE2):
        raise UnreadableError(Unreadable.ENCRYPTED)
    if not data.startswith(b"PK"):
        raise UnreadableError(Unreadable.WRONG_FORMAT)
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UnreadableError(Unreadable.DAMAGED) from error
    files = package.infolist()
    if len(files) > FILES_MAX:
        raise UnreadableError(Unreadable.TOO_MANY)
    if any(file.flag_bits & _ENCRYPTED for file in files):
        raise UnreadableError(Unreadable.ENCRYPTED)
    if sum(file.file_size for file in files) > EXPANDED_BYTES_MAX:
        raise UnreadableError(Unreadable.EXPANDS)
    if len({file.filename for file in files}) != len(files):
        raise UnreadableError(Unreadable.DAMAGED)  # two files of one name: readers disagree about which counts
    return package


def unpacked(package: zipfile.ZipFile, name: str) -> bytes:
    """One file of it. No more bytes come out than the package declares for it.

    Raises:
        UnreadableError: it is missing or damaged.
    """
    try:
        with package.open(name) as file:
            return file.read(EXPANDED_BYTES_MAX)
    except KeyError as error:
        raise UnreadableError(Unreadable.WRONG_FORMAT) from error
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise UnreadableError(Unreadable.DAMAGED) from error
