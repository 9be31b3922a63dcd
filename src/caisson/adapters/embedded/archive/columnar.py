"""Parquet files that exist in memory only; on disk they are encrypted.

DuckDB writes and reads them through anonymous memory files. It may open nothing else: no extension loads, nothing
spills to disk, the configuration is locked. It is imported when first needed, because it is large.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag

from caisson.adapters.embedded.archive.cipher import FileCipher, derive, new_salt
from caisson.adapters.embedded.archive.disk import write_all, write_whole
from caisson.adapters.embedded.archive.header import FileHeader, encode_header, read_header, terms_of
from caisson.ports.archive import Entry, Query, Unreadable

MAGIC = b"caisson parquet 1\n"
_PURPOSE = "parquet"
MEMORY_LIMIT = "256MB"
ROWS_FETCHED = 512
COLUMNS = {
    "index": "BIGINT", "time": "DOUBLE", "kind": "VARCHAR", "request_id": "VARCHAR", "session_id": "VARCHAR",
    "user_identity": "VARCHAR", "writer": "VARCHAR", "leaf": "VARCHAR",
}  # fmt: skip
"""What a query can restrict by, and the leaf that everything is read from."""
EVENT_COLUMNS = {
    "kind": "VARCHAR", "timestamp": "DOUBLE", "message_id": "VARCHAR", "request_id": "VARCHAR",
    "user_identity": "VARCHAR", "service_identity": "VARCHAR", "session_id": "VARCHAR", "model_id": "VARCHAR",
    "system_prompt_hash": "VARCHAR", "operation": "VARCHAR", "input_text": "VARCHAR", "input_tokens": "BIGINT",
    "output_text": "VARCHAR", "output_tokens": "BIGINT", "latency_ms": "DOUBLE", "guardrail_actions": "JSON",
    "risk_tier": "INTEGER", "metadata": "JSON", "outcome": "VARCHAR", "error": "VARCHAR", "rule": "VARCHAR",
    "step": "VARCHAR", "cost_usd": "DOUBLE", "event": "JSON",
}  # fmt: skip
"""What an export holds."""
_EVENT_FIELDS = tuple(name for name in EVENT_COLUMNS if name != "event")
_COLUMN_LIST = ", ".join(f'"{name}"' for name in COLUMNS)


@contextmanager
def memory_file(data: bytes = b"") -> Iterator[tuple[int, str]]:
    """An anonymous file in memory and the path by which DuckDB opens it."""
    handle = os.memfd_create("caisson", os.MFD_CLOEXEC)
    try:
        write_all(handle, data)
        yield handle, f"/dev/fd/{handle}"
    finally:
        os.close(handle)


@contextmanager
def confined_duckdb() -> Iterator[Any]:
    """A DuckDB connection that reaches memory files and nothing else."""
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY_LIMIT,
            "threads": 1,
            "temp_directory": "",
        },
    )
    try:
        connection.execute("SET allowed_directories = ['/dev/fd/']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
    finally:
        connection.close()


def _row(entry: Entry) -> dict[str, Any]:
    event = entry.event
    return {
        "index": entry.index,
        "time": float(event.get("timestamp", 0.0)),
        "kind": event.get("kind", ""),
        "request_id": event.get("request_id", ""),
        "session_id": event.get("session_id", ""),
        "user_identity": event.get("user_identity", ""),
        "writer": entry.writer,
        "leaf": entry.leaf.decode(),
    }


def to_parquet(rows: Iterable[bytes], columns: dict[str, str]) -> bytes:
    """Rows, a JSON object each, as the bytes of a Parquet file; `columns` are names and DuckDB types."""
    with memory_file() as (lines, source), memory_file() as (handle, target), confined_duckdb() as duckdb:
        longest = 0
        for row in rows:
            write_all(lines, row + b"\n")
            longest = max(longest, len(row))
        schema = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
        options = f"format='newline_delimited', columns={{{schema}}}, maximum_object_size={longest + 1024}"
        duckdb.execute(
            f"COPY (SELECT * FROM read_json('{source}', {options}))"  # noqa: S608 constants only
            f" TO '{target}' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
        )
        os.lseek(handle, 0, os.SEEK_SET)
        with open(handle, "rb", closefd=False) as file:
            return file.read()


def events_to_parquet(entries: Iterable[Entry]) -> bytes:
    """Events for other tools, with the fields of LOG-01 and LOG-02 as columns and the whole event as JSON."""
    rows = ({**{name: entry.event.get(name) for name in _EVENT_FIELDS}, "event": entry.event} for entry in entries)
    return to_parquet((json.dumps(row).encode() for row in rows), EVENT_COLUMNS)  # takes integers of any size


def write_file(
    path: Path, secret: bytes, entries: Sequence[Entry], *, day: str, now: float, positions: dict[str, int]
) -> None:
    """Store entries, in index order, as one encrypted Parquet file."""
    salt = new_salt()
    events = [entry.event for entry in entries]
    times = [float(event.get("timestamp", 0.0)) for event in events]
    header = FileHeader(
        first=entries[0].index,
        last=entries[-1].index,
        day=day,
        opened=now,
        salt=salt.hex(),
        positions=positions,
        time_min=min(times),
        time_max=max(times),
        terms=terms_of(derive(secret, salt, "terms"), events),
    )
    head = encode_header(MAGIC, header)
    parquet = to_parquet((msgspec.json.encode(_row(entry)) for entry in entries), COLUMNS)
    write_whole(path, head + FileCipher(secret, salt, _PURPOSE, head).encrypt(0, parquet))


def head_of(path: Path) -> FileHeader:
    """The head of a stored Parquet file.

    Raises:
        ValueError: it cannot be read.
    """
    with open(path, "rb") as file:
        return read_header(file, MAGIC)[0]


def read_file(path: Path, secret: bytes, query: Query | None = None) -> Iterator[Entry | Unreadable]:
    """Entries in index order; with a query, at least those that match it."""
    with open(path, "rb") as file:
        try:
            header, head = read_header(file, MAGIC)
            parquet = FileCipher(secret, bytes.fromhex(header.salt), _PURPOSE, head).decrypt(0, file.read())
        except (ValueError, InvalidTag) as error:
            yield Unreadable(where=path.name, detail=str(error) or "the file was altered")
            return
    where, values = _where(query or Query())
    with memory_file(parquet) as (_, source), confined_duckdb() as duckdb:
        sql = f"SELECT {_COLUMN_LIST} FROM read_parquet('{source}') WHERE {where} ORDER BY \"index\""  # noqa: S608 constants only
        rows = duckdb.execute(sql, values)
        while batch := rows.fetchmany(ROWS_FETCHED):
            for row in batch:
                yield _checked(path, row)


def _checked(path: Path, row: tuple[Any, ...]) -> Entry | Unreadable:
    try:
        entry = Entry.from_leaf(str(row[-1]).encode())
    except ValueError as error:
        return Unreadable(where=f"{path.name} row {row[0]}", detail=str(error))
    if tuple(_row(entry).values()) != row:
        return Unreadable(where=f"{path.name} row {row[0]}", detail="the columns differ from the leaf")
    return entry


def _where(query: Query) -> tuple[str, list[Any]]:
    """Refusals carry request ids in a list, so a row without a request id of its own stays a candidate."""
    clauses, values = ['"index" >= ?'], [query.start]
    restricted: dict[str, Any] = {}
    if query.since > 0:
        restricted['"time" >= ?'] = query.since
    if query.until < float("inf"):
        restricted['"time" <= ?'] = query.until
    if query.session_id:
        restricted['"session_id" = ?'] = query.session_id
    if query.user:
        restricted['"user_identity" = ?'] = query.user
    if query.kind:
        restricted['"kind" = ?'] = query.kind
    if query.request_id:
        restricted["\"request_id\" IN (?, '')"] = query.request_id
    return " AND ".join([*clauses, *restricted]), [*values, *restricted.values()]
