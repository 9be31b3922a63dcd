"""How the ledger's file is kept: settings that cost or save a disk write a request."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from caisson.adapters.embedded.ledger import EmbeddedLedger


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("synchronous", 1),
        ("trusted_schema", 0),
        ("wal_autocheckpoint", 4_000),
        ("journal_mode", "wal"),
        ("page_size", 1_024),
    ],
)
def test_every_setting_is_in_force(tmp_path: Path, setting: str, value: object) -> None:
    ledger = EmbeddedLedger(tmp_path / "ledger.db")
    try:
        assert ledger._db.execute(f"PRAGMA {setting}").fetchall() == [(value,)]
    finally:
        ledger.close()


def test_every_table_and_index_is_there(tmp_path: Path) -> None:
    EmbeddedLedger(tmp_path / "ledger.db").close()
    found = apsw.Connection(str(tmp_path / "ledger.db")).execute("SELECT name FROM sqlite_master")
    names = {name for (name,) in found}
    assert names == {
        "accounts", "accounts_opened", "reservations", "rate_keys", "sqlite_autoindex_rate_keys_1", "rate_grants",
    }  # fmt: skip
