"""One document, in a process that exists for nothing else.

- Limits and the call filter come before the first byte of the document. Whatever takes over the process then can
  compute, write one answer and end: no file, no socket, no program, no other process, no key in its memory.
- What parsers raise beyond their own errors means a damaged document: they are many, and all of them hostile input.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass

from caisson.adapters.embedded.extractor import docx, html, pdf, wire, xlsx
from caisson.adapters.embedded.extractor.text import UnreadableError
from caisson.adapters.embedded.isolation import libc, seccomp
from caisson.ports.extractor import DOCUMENT_BYTES_MAX, Unreadable

READERS: dict[str, Callable[[bytes], str]] = {"docx": docx.text, "html": html.text, "pdf": pdf.text, "xlsx": xlsx.text}
FAILED = 1
"""Exit status of a child that could not confine itself or not answer."""
PIECE_BYTES = 1 << 20
_KEPT = 3
"""Standard streams. They lead to /dev/null or the log."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one document may take."""

    cpu_s: int = 10
    """Processor time."""
    wall_s: float = 20.0
    """Time by the clock."""
    memory_bytes: int = 512 << 20
    """Address space beyond what the process begins with."""


def run(job: int, bounds: Bounds, *, address_space_bytes: int, filtered: bool) -> None:
    """Read the document on `job` and answer there. Does not return.

    Args:
        job: descriptor of this process's end of the pair.
        bounds: what it may take.
        address_space_bytes: what the process has already.
        filtered: whether this machine can filter calls. Asked before files were given up.
    """
    status = FAILED
    try:
        _confine(job, bounds, address_space_bytes, filtered=filtered)
        _send(job, wire.answer(_outcome(job)))
        status = 0
    finally:
        os._exit(status)


def _confine(kept: int, bounds: Bounds, address_space_bytes: int, *, filtered: bool) -> None:
    os.closerange(_KEPT, kept)
    os.closerange(kept + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    memory = address_space_bytes + bounds.memory_bytes
    for limit, value in (
        (resource.RLIMIT_CPU, bounds.cpu_s),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    if filtered:
        seccomp.allow_computing()


def _received(job: int) -> bytes:
    parts, size = [], 0
    while part := os.read(job, PIECE_BYTES):
        size += len(part)
        if size > wire.FORMAT_BYTES + DOCUMENT_BYTES_MAX:
            raise UnreadableError(Unreadable.TOO_LARGE)
        parts.append(part)
    return b"".join(parts)


def _send(job: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(job, view[:PIECE_BYTES]) :]


def _outcome(job: int) -> str | Unreadable:
    try:
        format, document = wire.split(_received(job))
        return READERS[format](document)
    except UnreadableError as error:
        return error.why
    except MemoryError:
        return Unreadable.TOO_MUCH_MEMORY
    except RecursionError:
        return Unreadable.TOO_DEEP
    except BaseException:  # a panic of a Rust parser is none of Exception
        return Unreadable.DAMAGED
