"""A data folder of another version: brought up where it can be, else refused by name and left as it was."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import apsw
import pytest

from running_system import CAISSON, CLAIMS, MODEL, clean_environment, free_port, start

ASKED = [{"role": "user", "content": [{"text": "Hello there"}]}]
TO_VERSION_0 = """
DROP TABLE rate_grants; DROP TABLE rate_keys;
ALTER TABLE accounts DROP COLUMN tokens_reserved;
CREATE INDEX reservations_session ON reservations (session_id);
CREATE INDEX reservations_deadline ON reservations (deadline);
CREATE TABLE rates (key TEXT PRIMARY KEY, count INTEGER NOT NULL, granted INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE grants (key TEXT NOT NULL, slot INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (key, slot))
  STRICT, WITHOUT ROWID;
PRAGMA user_version = 0;
"""
"""Back to what the version before wrote."""


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A data folder in which one request was answered."""
    running = start(tmp_path)
    running.client().converse(modelId=MODEL, messages=ASKED)
    assert running.stop() == 0
    return running.data


def up(data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CAISSON, "up", "--system", str(CLAIMS), "--data", str(data), "--port", str(free_port())],
        capture_output=True, text=True, env=clean_environment(), timeout=60,
    )  # fmt: skip


def content(data: Path) -> dict[str, str]:
    return {
        str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in data.rglob("*")
        if path.is_file()
    }


def test_an_older_ledger_is_brought_up_and_its_sessions_go_on(stopped: Path) -> None:
    ledger = apsw.Connection(str(stopped / "zones/runtime/state/ledger.db"))
    before = ledger.execute("SELECT session_id, tokens_used FROM accounts").fetchall()
    assert before
    ledger.execute(TO_VERSION_0).fetchall()
    ledger.close()
    again = start(stopped.parent)
    try:
        listed = [json.loads(line) for line in again.cli("session", "list", "--json").stdout.splitlines()]
        assert {row["session_id"] for row in listed} == {session for session, _ in before}
        again.client().converse(modelId=MODEL, messages=ASKED)
        assert again.cli("logs", "verify").returncode == 0
    finally:
        assert again.stop() == 0


def test_a_later_ledger_is_refused_by_name(stopped: Path) -> None:
    path = stopped / "zones/runtime/state/ledger.db"
    ledger = apsw.Connection(str(path))
    ledger.execute("PRAGMA user_version = 99").fetchall()
    ledger.close()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    refused = up(stopped)
    assert refused.returncode == 1
    assert "of version 99" in " ".join(refused.stderr.split())
    assert "use a later Caisson" in " ".join(refused.stderr.split())
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_another_layout_is_refused_before_anything_is_touched(stopped: Path) -> None:
    path = stopped / "layout.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"caisson_layout": 0}))
    before = content(stopped)
    refused = up(stopped)
    assert refused.returncode == 1
    said = " ".join(refused.stderr.split())
    assert "expected layout version 1" in said
    assert "use the version of Caisson that made the folder" in said
    assert content(stopped) == before
