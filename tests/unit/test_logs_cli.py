"""`caisson logs` over a data folder, as a person and as a program would call it."""

from __future__ import annotations

import base64
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from caisson.adapters.embedded.archive import EmbeddedArchive
from caisson.adapters.embedded.keys import FileKeys
from caisson.channels.messages import CheckpointFinding, GuardrailAction
from caisson.cli.logs import app
from caisson.errors import CaissonError, OperatorError, StartError
from caisson.ports.channel import Item
from caisson.zones.z6_logging.service import CHECKPOINT_KEY, PSEUDONYM_SECRET, STORE_SECRET, serve
from logging_zone import (
    ORIGIN,
    START,
    WRITER_KEYS,
    HeldClock,
    ListReader,
    ListWriter,
    MarkingRedactor,
    Run,
    request_event,
    response_event,
)  # fmt: skip


class System:
    """A data folder with a log."""

    def __init__(self, data: Path) -> None:
        self.data, self.findings, self.clock = data, ListWriter(), HeldClock()
        self.keys = FileKeys.create(
            data / "zones" / "logging" / "keys", signing=(CHECKPOINT_KEY,), secrets=(STORE_SECRET, PSEUDONYM_SECRET)
        )
        self.anchors = data / "zones" / "control" / "state" / "anchors.jsonl"
        self.anchors.parent.mkdir(parents=True)

    def take(self, items: list[Item]) -> None:
        import asyncio

        asyncio.run(self._serve(items))
        lines = [
            json.dumps({"size": m.size, "root": m.root, "signature": m.signature, "timestamp": m.timestamp}) + "\n"
            for m in self.findings.messages
            if isinstance(m, CheckpointFinding)
        ]
        self.anchors.write_text("".join(lines))
        self.clock.advance(5)

    async def _serve(self, items: list[Item]) -> None:
        import asyncio

        zone, stop = self.data / "zones" / "logging", asyncio.Event()
        stop.set()
        archive = EmbeddedArchive(
            zone / "archive", zone / "tree", self.keys.secret(STORE_SECRET), region="eu-west-1", clock=self.clock
        )
        await serve(
            reader=ListReader(items),
            archive=archive,
            keys=self.keys,
            findings=self.findings,
            redactor=MarkingRedactor(),
            clock=self.clock,
            stop=stop,
            origin=ORIGIN,
            writer_keys=WRITER_KEYS,
        )


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path / ".caisson")


@pytest.fixture
def filled(system: System) -> System:
    run = Run()
    system.take([item for number in range(5) for item in run.exchange(number)])
    return system


def call(system: System, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(system.data)])


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


LOG_01_02 = {
    "request_id", "timestamp", "user_identity", "service_identity", "session_id", "model_id", "system_prompt_hash",
    "input_text", "input_tokens", "output_text", "output_tokens", "latency_ms", "guardrail_actions", "risk_tier",
    "metadata",
}  # fmt: skip
ACTION = {"guardrail_id", "guardrail_version", "stage", "decision", "confidence", "rationale", "latency_ms"}


def test_query_prints_events_with_the_field_names_of_the_controls(filled: System) -> None:
    result = call(filled, "query", "--request", "request-3", "--json")
    assert result.exit_code == 0
    request, response = lines(result)
    assert request.keys() >= LOG_01_02
    assert response.keys() >= LOG_01_02 | {"kind", "outcome", "error", "rule", "step"}
    assert response["guardrail_actions"][0].keys() >= ACTION
    assert (request["kind"], response["kind"]) == ("model.request.v1", "model.response.v1")


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ([], 10), (["--session", "session-1"], 4), (["--user", "alice"], 10), (["--user", "bob"], 0),
        (["--kind", "model.request.v1"], 5), (["--kind", "head.v1"], 1), (["--kind", "key.v1"], 1),
        (["--limit", "3"], 3), (["--since", "2027-01-15T08:00:03"], 5), (["--since", "2027-01-15T08:00:03+01:00"], 10),
        (["--request", "nothing"], 0),
    ],
)  # fmt: skip
def test_query_restricts(filled: System, arguments: list[str], count: int) -> None:
    result = call(filled, "query", "--json", *arguments)
    assert (result.exit_code, len(lines(result))) == (0, count)


def test_query_takes_ages(filled: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: START + 60)
    assert len(lines(call(filled, "query", "--json", "--since", "58s"))) == 7
    assert len(lines(call(filled, "query", "--json", "--since", "1h"))) == 10


@pytest.mark.parametrize("since", ["soon", "1y", "-1h", "2026-13-01"])
def test_an_age_that_is_none_is_a_wrong_call(filled: System, since: str) -> None:
    assert call(filled, "query", "--since", since).exit_code == 2


def test_a_request_is_shown_step_by_step_and_why_it_was_refused(system: System) -> None:
    run = Run()
    action = GuardrailAction(
        guardrail_id="main", guardrail_version="7", stage="input", decision="blocked", rule="words.project-falcon",
        rationale="a declared word", location="messages[0].content[0].text",
    )  # fmt: skip
    refused = response_event(
        0, outcome="blocked", step="6 inspect input", rule="words.project-falcon", rationale="a declared word",
        guardrail_actions=(action,), output_text="",
    )  # fmt: skip
    system.take([run.record(request_event(0, input_text="falcon\x1b[2J\u202e")), run.record(refused), run.head()])
    result = call(system, "query", "--request", "request-0")
    assert result.exit_code == 0
    for text in (
        "6 inspect input",
        "words.project-falcon",
        "a declared word",
        "alice",
        "blocked",
        "session-0",
        "unknown",
    ):
        assert text in result.stdout
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_the_overview_has_a_line_an_event(filled: System) -> None:
    result = call(filled, "query", "--limit", "4")
    assert result.exit_code == 0
    assert result.stdout.count("alice") == 4
    assert "no event matches" in call(filled, "query", "--user", "bob").output


def test_tail_shows_the_newest(filled: System) -> None:
    assert [event["request_id"] for event in lines(call(filled, "tail", "-n", "3", "--json"))] == [
        "request-3", "request-4", "request-4",
    ]  # fmt: skip
    assert "request-4" in call(filled, "tail").stdout


def test_tail_follows(filled: System, monkeypatch: pytest.MonkeyPatch) -> None:
    from caisson.cli import logs

    monkeypatch.setattr(logs, "FOLLOW_S", 0.0)
    looks = 0

    def look(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            worker = threading.Thread(target=filled.take, args=(Run(1, writer="runtime-1").exchange(9),))
            worker.start()
            worker.join()
        if looks == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", look)
    result = call(filled, "tail", "-f", "-n", "1", "--json")
    assert [event["request_id"] for event in lines(result)] == ["request-4", "request-9", "request-9"]


def test_verify_says_whole(filled: System) -> None:
    result = call(filled, "verify", "--json")
    (report,) = lines(result)
    assert result.exit_code == 0
    assert report["whole"] is True
    assert (report["requests"], report["responses"], report["anchors"], report["problems"]) == (5, 5, 1, [])
    text = call(filled, "verify")
    assert text.exit_code == 0
    assert "whole" in text.stdout


def test_verify_says_broken_and_where(filled: System) -> None:
    run = Run(1, writer="runtime-1")
    filled.take([run.record(request_event(7, deadline=1.0)), run.head()])
    result = call(filled, "verify", "--json")
    (report,) = lines(result)
    assert result.exit_code == 1
    assert [problem["kind"] for problem in report["problems"]] == ["incomplete"]
    text = call(filled, "verify")
    assert text.exit_code == 1
    assert "incomplete" in text.stdout
    assert "request-7" in text.stdout.replace("\n", "")


def test_verify_compares_with_the_anchors(filled: System, tmp_path: Path) -> None:
    (filled.data / "zones" / "logging" / "tree" / "checkpoints").write_bytes(b"")
    result = call(filled, "verify", "--json")
    assert result.exit_code == 1
    assert [problem["kind"] for problem in lines(result)[0]["problems"]] == ["truncated"]
    assert call(filled, "verify", "--anchors", str(tmp_path / "nothing")).exit_code == 2


def test_verify_says_when_there_is_nothing_to_compare_with(filled: System) -> None:
    filled.anchors.unlink()
    result = call(filled, "verify")
    assert result.exit_code == 0
    assert "no anchors" in result.stdout


def test_anchors_that_cannot_be_read_leave_it_undetermined(filled: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("caisson.zones.z6_logging.anchors.read_anchors", refuse)
    assert call(filled, "verify", "--json").exit_code == 3


@pytest.mark.parametrize("line", ["x", "{}", '{"size":1,"root":"zz","signature":"","timestamp":1}', "[]"])
def test_anchors_that_are_none_are_refused(filled: System, line: str) -> None:
    filled.anchors.write_text(line + "\n")
    result = call(filled, "verify")
    assert isinstance(result.exception, OperatorError)


@pytest.mark.parametrize("name", ["log.jsonl", "log.parquet"])
def test_export_writes_events_and_their_proof(filled: System, tmp_path: Path, name: str) -> None:
    import subprocess
    import sys

    out = tmp_path / name
    result = call(filled, "export", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert out.stat().st_mode & 0o077 == 0
    if name.endswith("jsonl"):
        assert [json.loads(line)["kind"] for line in out.read_text().splitlines()].count("model.request.v1") == 5
    else:
        assert out.read_bytes().startswith(b"PAR1")
    verifier = Path(__file__).parents[2] / "verifier" / "verify_logs.py"
    key = base64.b64encode(filled.keys.signing(CHECKPOINT_KEY).public_bytes).decode()
    done = subprocess.run(
        [sys.executable, str(verifier), str(tmp_path / "log.bundle"), "--key", key, "--anchors", str(filled.anchors)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert call(filled, "export", "--out", str(out)).exit_code == 2  # never over something that exists


def test_export_takes_known_formats_only(filled: System, tmp_path: Path) -> None:
    assert call(filled, "export", "--out", str(tmp_path / "log.csv")).exit_code == 2


def test_an_export_that_fails_leaves_nothing(system: System, tmp_path: Path) -> None:
    result = call(system, "export", "--out", str(tmp_path / "log.jsonl"))
    assert isinstance(result.exception, CaissonError)
    assert not list(tmp_path.glob("*log*"))


def test_a_folder_without_a_log_is_told_apart(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["query", "--data", str(tmp_path)])
    assert isinstance(result.exception, StartError)
    assert "--data" in str(result.exception)


def test_an_empty_log_answers(system: System) -> None:
    assert call(system, "query", "--json").stdout == ""
    assert call(system, "tail", "--json").stdout == ""
    assert call(system, "verify").exit_code == 0


@pytest.mark.parametrize("number", [1e300, -1e300, 253402300800.0, 2.0**62])
def test_what_a_lying_writer_sends_is_shown_not_thrown(system: System, number: float) -> None:
    run = Run()
    event = response_event(0, timestamp=number, latency_ms=number, cost_usd=number, input_tokens=2**60)
    system.take([run.record(event), run.head()])
    for arguments in (["query"], ["query", "--request", "request-0"], ["query", "--json"], ["tail"]):
        assert call(system, *arguments).exit_code == 0, arguments


def test_a_log_of_another_system_is_refused(filled: System, tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "examples" / "claims" / "caisson.yaml").read_text()
    other, same = tmp_path / "other.yaml", tmp_path / "same.yaml"
    other.write_text(example)
    same.write_text(example.replace("name: claims-assistant", f"name: {ORIGIN.partition('/')[2]}"))
    assert call(filled, "query", "--system", str(same)).exit_code == 0
    result = call(filled, "query", "--system", str(other))
    assert isinstance(result.exception, StartError)
    assert ORIGIN in str(result.exception)


def test_the_beginning_of_an_identifier_is_enough(system: System) -> None:
    run = Run()
    begun = ["0a1b2c3d-0001", "0a1b2c3d-0002", "99999999-0001"]
    system.take([item for one in begun for item in (run.record(request_event(0, request_id=one)),)] + [run.head()])
    (found,) = lines(call(system, "query", "--request", "99999999", "--json"))
    assert found["request_id"] == begun[2]
    assert call(system, "query", "--request", "0a1b2c3d").exit_code == 2
    assert lines(call(system, "query", "--request", "9999", "--json")) == []
    assert len(lines(call(system, "query", "--kind", "model.request", "--json"))) == 3


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_a_line_an_event_and_no_line_too_long(filled: System, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = call(filled, "query").stdout.splitlines()
    assert len(shown) == 1 + len(lines(call(filled, "query", "--json")))
    assert all(len(row.rstrip()) <= columns for row in shown)
    assert all("answered" in row for row in shown if "model.response" in row)
    assert not any("{" in row for row in shown)
