"""Archived events in log groups: each once, in its class's group, also when CloudWatch refuses or answers late."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_gate import DEAF, LATE_FAILURE, LOST, Gate, gate_in_thread
from aws_services import OWN, REGION, Moto
from caisson.adapters.aws.api.calls import Bounds, Calls
from caisson.adapters.aws.api.endpoint import service_endpoint
from caisson.adapters.aws.log_groups import Announcer, announcer
from caisson.adapters.aws.log_groups.batches import (
    BATCH_BYTES_MAX,
    LINE_BYTES_MAX,
    LINES_MAX,
    SPAN_MS,
    Line,
    batches,
    lines,
)
from caisson.adapters.embedded.clock import SystemClock
from caisson.channels.retention import class_of, classes
from caisson.deploy.policies.signals import SIGNALS
from caisson.errors import OperatorError
from caisson.ports.archive import Entry
from logging_zone import Run, Zone

THROTTLED = ("ThrottlingException", 400)


@pytest.fixture(scope="module")
def opened(moto: Moto) -> Iterator[Gate]:
    with gate_in_thread(moto.url) as gate:
        yield gate


class Ends:
    """A log and its groups."""

    def __init__(self, root: Path, moto: Moto, gate: Gate) -> None:
        self.zone, self.gate, self.client = Zone(root), gate, moto.client("logs")
        self.zone.clock.time = SystemClock().now()
        self.prefix = f"/caisson/{root.name}"
        for each in classes():
            self.client.create_log_group(logGroupName=f"{self.prefix}/{each}")
        self.run, self.number = Run(), 0
        self.zone.take([])

    def grow(self, exchanges: int = 2, **answer: Any) -> None:
        now = self.zone.clock.now()
        items = []
        for _ in range(exchanges):
            self.number += 1
            items += self.run.exchange(self.number, timestamp=now, **answer)
        self.zone.take(items)

    def announcer(self) -> Announcer:
        clock = SystemClock()
        endpoint = service_endpoint("logs", REGION, self.gate.url)
        calls = Calls(endpoint, service="logs", region=REGION, clock=clock, bounds=Bounds(total_s=20.0))
        return Announcer(
            self.zone.reader(), calls, lambda: OWN, prefix=self.prefix, stream="logging-0",
            memory=self.zone.zone / "announced.json", clock=clock, busy_s=0.5,
        )  # fmt: skip

    def settle(self) -> int:
        async def run() -> int:
            made = self.announcer()
            try:
                return await made.settle()
            finally:
                await made.close()

        return asyncio.run(run())

    def said(self, class_: str) -> list[dict[str, Any]]:
        group = f"{self.prefix}/{class_}"
        if not self.client.describe_log_streams(logGroupName=group)["logStreams"]:
            return []
        found = self.client.get_log_events(logGroupName=group, logStreamName="logging-0", startFromHead=True)
        return [json.loads(one["message"]) for one in found["events"]]

    def answers(self) -> list[str]:
        return [one["request_id"] for one in self.said("text") if one["kind"] == "model.response.v1"]


@pytest.fixture
def ends(tmp_path: Path, moto: Moto, opened: Gate) -> Iterator[Ends]:
    made = Ends(tmp_path, moto, opened)
    assert made.settle() == made.zone.reader().size()
    opened.calls.clear()
    yield made
    opened.faults.clear()


def test_each_event_is_said_once_in_the_group_of_its_class(ends: Ends) -> None:
    for _ in range(3):
        ends.grow()
        ends.settle()
    entries = list(ends.zone.reader().scan())
    for class_ in classes():
        assert {class_of(one["kind"]) for one in ends.said(class_)} <= {class_}
    assert ends.answers() == [f"request-{number}" for number in range(1, 7)]
    archived = [entry.event for entry in entries if isinstance(entry, Entry)]
    assert all(one in archived for one in ends.said("text"))
    ends.gate.calls.clear()
    ends.settle()
    assert ends.gate.calls == []  # nothing new costs nothing


def test_what_was_before_is_not_said(tmp_path: Path, moto: Moto, opened: Gate) -> None:
    made = Ends(tmp_path, moto, opened)
    made.grow()
    made.settle()
    assert made.answers() == []
    made.grow(1)
    made.settle()
    assert made.answers() == ["request-3"]


@pytest.mark.parametrize("fault", [THROTTLED, ("ServiceUnavailableException", 503), DEAF, LATE_FAILURE, LOST], ids=str)
def test_what_passes_is_tried_again(ends: Ends, fault: Any) -> None:
    ends.grow()
    ends.gate.fail("PutLogEvents", fault, fault)
    ends.settle()
    assert set(ends.answers()) == {"request-1", "request-2"}


@pytest.mark.parametrize("fault", [("AccessDeniedException", 400), ("ExpiredTokenException", 400)], ids=str)
def test_what_does_not_pass_is_said_and_goes_on_later(ends: Ends, fault: Any) -> None:
    ends.grow()
    ends.gate.fail("PutLogEvents", *[fault] * 50)
    with pytest.raises(OperatorError, match=fault[0]):
        ends.settle()
    ends.gate.faults.clear()
    ends.grow()
    ends.settle()
    assert ends.answers() == [f"request-{number}" for number in range(1, 5)]


def test_a_group_that_is_missing_is_named(ends: Ends) -> None:
    ends.client.delete_log_group(logGroupName=f"{ends.prefix}/text")
    ends.grow()
    with pytest.raises(OperatorError, match=f"log group {ends.prefix}/text: ResourceNotFound"):
        ends.settle()


def test_many_are_read_in_pieces(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcer, "ENTRIES_MAX", 4)
    ends.grow(5)
    ends.settle()
    assert ends.answers() == [f"request-{number}" for number in range(1, 6)]


def test_a_memory_that_cannot_be_read_is_said(ends: Ends) -> None:
    (ends.zone.zone / "announced.json").write_text("{")
    with pytest.raises(OperatorError, match="move it away"):
        ends.settle()


def test_every_signal_reads_a_field_that_a_long_line_still_has(ends: Ends) -> None:
    """Texts are left out of a line that is too long; what is counted stays."""
    ends.grow(1, output_text="x" * 3 * LINE_BYTES_MAX, latency_ms=12.5, cost_usd=0.25)
    ends.settle()
    (line,) = [one for one in ends.said("text") if one["kind"] == "model.response.v1"]
    assert (line["latency_ms"], line["cost_usd"], line["outcome"]) == (12.5, 0.25, "answered")
    assert "archive" in line["output_text"] and len(json.dumps(line)) < LINE_BYTES_MAX
    for signal in (one for one in SIGNALS if one.class_ == "text" and one.value.startswith("$.")):
        assert signal.value[2:] in line


@settings(max_examples=60, deadline=None)
@given(
    found=st.lists(st.builds(Line, at_ms=st.integers(0, 4 * SPAN_MS), text=st.text(max_size=40)), max_size=60),
    lines_max=st.integers(1, 20),
)
def test_batches_hold_everything_once_in_order_and_within_bounds(found: list[Line], lines_max: int) -> None:
    made = list(batches(found, lines_max=lines_max))
    flat = [line for batch in made for line in batch]
    assert sorted(flat, key=lambda line: (line.at_ms, line.text)) == sorted(
        found, key=lambda line: (line.at_ms, line.text)
    )
    assert [line.at_ms for line in flat] == sorted(line.at_ms for line in found)
    for batch in made:
        assert 0 < len(batch) <= lines_max
        assert batch[-1].at_ms - batch[0].at_ms < SPAN_MS
        assert sum(line.size for line in batch) <= BATCH_BYTES_MAX


def test_a_batch_is_as_large_as_a_call_takes() -> None:
    large = [Line(at_ms=0, text="ü" * 90_000)] * 12
    assert [len(batch) for batch in batches(large)] == [5, 5, 2]
    assert [len(batch) for batch in batches([Line(at_ms=0, text="")] * (LINES_MAX + 1))] == [LINES_MAX, 1]


def test_an_event_of_many_large_fields_is_a_line_all_the_same() -> None:
    event = {"kind": "model.request.v1", "timestamp": 1.0, **{f"field{n}": "é" * 50_000 for n in range(9)}}
    entry = Entry(index=0, event=event, writer="runtime-0", incarnation="a", sequence=0, digest="")
    (line,) = lines([entry])["text"]
    assert line.size < LINE_BYTES_MAX + 100 and json.loads(line.text)["kind"] == "model.request.v1"
