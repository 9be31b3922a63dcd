"""The ledger's file: how it is opened, and what it holds.

Pages are what a commit costs, because each changed one goes to the log whole. So rows that change together are small
and few, what a request changes has no second index, and grants of a rate are appended one after the other.
"""

from __future__ import annotations

from pathlib import Path
from time import sleep

import apsw

from caisson.errors import LedgerError

OPEN_TRIES_MAX = 100
"""Processes that open a new file at once take turns, and turning it to WAL does not wait by itself."""
TRY_BUSY_MS = 50
RETRY_S = 0.01
VERSION = 1
"""`user_version` of the file. 0 has no `tokens_reserved`, and rates as rings."""

_SETTINGS = (
    "page_size = 1024",  # a request changes a few small rows, each in a page of its own
    "journal_mode = WAL",
    "synchronous = NORMAL",  # outlives a killed process; what a power failure takes was recorded as events
    "wal_autocheckpoint = 4000",  # pages, about one fsync in six hundred requests that come one by one
    "trusted_schema = OFF",
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
  session_id TEXT PRIMARY KEY, user TEXT NOT NULL, agent TEXT NOT NULL, task TEXT NOT NULL,
  opened REAL NOT NULL, expires REAL NOT NULL, tokens_max INTEGER NOT NULL, actions_max INTEGER NOT NULL,
  tokens_used INTEGER NOT NULL DEFAULT 0, actions_used INTEGER NOT NULL DEFAULT 0,
  cost_micro_usd INTEGER NOT NULL DEFAULT 0, cost_unknown_requests INTEGER NOT NULL DEFAULT 0,
  closed TEXT NOT NULL DEFAULT '', tokens_reserved INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS accounts_opened ON accounts (opened);
CREATE TABLE IF NOT EXISTS reservations (
  reservation_id TEXT PRIMARY KEY, session_id TEXT NOT NULL, tokens INTEGER NOT NULL, deadline REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rate_keys (
  id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 8388607), key TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE IF NOT EXISTS rate_grants (id INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT;
"""
_FROM_VERSION_0 = """
ALTER TABLE accounts ADD COLUMN tokens_reserved INTEGER NOT NULL DEFAULT 0;
UPDATE accounts SET tokens_reserved =
  (SELECT coalesce(sum(tokens), 0) FROM reservations r WHERE r.session_id = accounts.session_id);
DROP INDEX reservations_session;
DROP INDEX reservations_deadline;
INSERT INTO rate_keys (key) SELECT key FROM rates;
INSERT INTO rate_grants SELECT
  (k.id << 40) + row_number() OVER (PARTITION BY g.key ORDER BY (g.slot - r.granted % r.count + r.count) % r.count),
  g.at
  FROM grants g JOIN rates r ON r.key = g.key JOIN rate_keys k ON k.key = g.key;
DROP TABLE rates;
DROP TABLE grants;
"""


def open_file(path: Path) -> apsw.Connection:
    """A connection to the ledger in `path`, which is made or brought to this version when it has to be.

    Raises:
        LedgerError: it cannot be opened, or a later version of Caisson wrote it.
    """
    for _ in range(OPEN_TRIES_MAX):
        db: apsw.Connection | None = None
        try:
            db = apsw.Connection(str(path))
            version = _set_up(db)
        except apsw.Error as error:
            if db is not None:
                db.close()
            if not isinstance(error, apsw.BusyError):
                raise LedgerError(f"the ledger {str(path)!r} cannot be opened: {error}") from error
            sleep(RETRY_S)
            continue
        if version > VERSION:
            db.close()
            raise LedgerError(
                f"the ledger {str(path)!r} is of version {version}, this Caisson knows {VERSION}: use a later Caisson"
            )
        return db
    raise LedgerError(f"the ledger {str(path)!r} is locked by another process; stop it and try again")


def _set_up(db: apsw.Connection) -> int:
    """Put the settings in force and bring the file to this version; returns the version that it has then."""
    db.set_busy_timeout(TRY_BUSY_MS)
    for setting in _SETTINGS:
        db.execute(f"PRAGMA {setting}").fetchall()  # a statement runs as far as its rows are read
    db.execute("BEGIN IMMEDIATE")
    version = _bring_up(db)
    db.execute("COMMIT")
    return version


def _bring_up(db: apsw.Connection) -> int:
    version = int(db.pragma("user_version"))
    if version < VERSION:
        older = db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'rates'").get
        db.execute(_SCHEMA).fetchall()
        if older:
            db.execute(_FROM_VERSION_0).fetchall()
        db.pragma("user_version", VERSION)
    return max(version, VERSION)
