"""Texts to look at: files of a folder, cells of notebooks.

Left out, and said so: what `.gitignore` names, version control's own folders, binaries, files over a bound.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from caisson.cli.scanning.ignore import Ignored
from caisson.errors import OperatorError

FILE_BYTES_MAX = 5 << 20
"""Largest file that is read; generated ones are larger."""
BINARY_BYTES = 8_192
"""A zero byte among the first so many makes a file binary, as for git."""
FILES_MAX = 1_000_000
UNVERSIONED = frozenset({".git", ".hg", ".svn", ".jj"})


class Source(NamedTuple):
    """A text and where it comes from."""

    name: str
    """Path as the caller wrote it, with `/`."""
    text: str
    line: int = 1
    """Number of its first line in the file."""
    commit: str = ""
    """Commit that added it."""


class Skipped(NamedTuple):
    """What was not looked at."""

    name: str
    reason: str
    undetermined: bool = True
    """It might hold a secret for all that is known; binaries are left out on purpose."""


def files(path: Path, skipped: list[Skipped], without: Path | None = None) -> Iterator[Source]:
    """Texts of a file or of a folder's files, in order of their names.

    Raises:
        OperatorError: there is no such path, or it is neither file nor folder.
    """
    if not path.exists():
        raise OperatorError(f"{path}: expected a file or a folder, found none")
    if path.is_file():
        yield from _file(path, skipped)
        return
    if not path.is_dir():
        raise OperatorError(f"{path}: expected a file or a folder, found neither")
    ignored = Ignored(path)
    own = without.resolve() if without is not None else None
    for number, found in enumerate(_walk(path, ignored, skipped)):
        if number >= FILES_MAX:
            raise OperatorError(f"{path}: expected at most {FILES_MAX:,} files; scan its folders one by one")
        if found.resolve() != own:
            yield from _file(found, skipped)


def _walk(root: Path, ignored: Ignored, skipped: list[Skipped]) -> Iterator[Path]:
    def unread(error: OSError) -> None:
        skipped.append(Skipped(Path(error.filename).as_posix(), error.strerror or "unreadable"))

    for folder, folders, names in os.walk(root, onerror=unread):
        here = Path(folder)
        ignored.enter(here)
        folders[:] = sorted(
            name for name in folders if name not in UNVERSIONED and not ignored.match(here / name, folder=True)
        )
        for name in sorted(names):
            path = here / name
            if path.is_file() and not path.is_symlink() and not ignored.match(path, folder=False):
                yield path


def _file(path: Path, skipped: list[Skipped]) -> Iterator[Source]:
    name = path.as_posix()
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            skipped.append(Skipped(name, f"larger than {FILE_BYTES_MAX >> 20} MiB"))
            return
        content = path.read_bytes()
    except OSError as error:
        skipped.append(Skipped(name, error.strerror or "unreadable"))
        return
    text = decoded(content)
    if text is None:
        skipped.append(Skipped(name, "binary", undetermined=False))
    elif path.suffix == ".ipynb":
        yield from _notebook(name, text)
    else:
        yield Source(name, text)


def decoded(content: bytes) -> str | None:
    """The text in a file; None for a binary."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    return None if b"\0" in content[:BINARY_BYTES] else content.decode(errors="replace")


def _notebook(name: str, text: str) -> Iterator[Source]:
    """Source and text output of the cells; one that cannot be read is looked at as it is."""
    try:
        cells = json.loads(text)["cells"]
        pieces = [_piece(cell.get("source", "")) for cell in cells]
        for cell in cells:
            for output in cell.get("outputs", ()):
                pieces += [_piece(output.get("text", "")), _piece(output.get("data", {}).get("text/plain", ""))]
                pieces.append(_piece(output.get("traceback", "")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        yield Source(name, text)
        return
    for piece in filter(None, pieces):
        yield Source(name, piece, line=_line_of(text, piece))


def _piece(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _line_of(text: str, piece: str) -> int:
    """Line of the notebook's file on which a piece begins."""
    first = json.dumps(piece.partition("\n")[0], ensure_ascii=False)[1:-1]
    place = text.find(first) if first else -1
    return 1 + text.count("\n", 0, place) if place >= 0 else 1
