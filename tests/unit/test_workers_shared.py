"""What gateway workers share: the count of what is under way, their metrics, and what one has verified."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from caisson.adapters.embedded.configuration import share_trust
from caisson.adapters.embedded.metrics import PrometheusMetrics, SharedMetrics
from caisson.adapters.embedded.metrics.shared import forget
from caisson.adapters.embedded.under_way import SharedCount
from caisson.ports.metrics import Metrics


def test_counts_of_all_workers_add_up(tmp_path: Path) -> None:
    first, second = (SharedCount(tmp_path / "under-way", worker=number, workers=2) for number in (0, 1))
    assert (first(3), second(4), first(1)) == (3, 7, 5)
    assert (tmp_path / "under-way").stat().st_mode & 0o777 == 0o600


def test_a_dead_workers_count_stands_until_the_next_takes_its_place(tmp_path: Path) -> None:
    first = SharedCount(tmp_path / "under-way", worker=0, workers=2)
    pid = os.fork()
    if pid == 0:
        SharedCount(tmp_path / "under-way", worker=1, workers=2)(5)
        os._exit(0)
    os.waitpid(pid, 0)
    assert first(1) == 6
    SharedCount(tmp_path / "under-way", worker=1, workers=2)
    assert first(1) == 1


def test_workers_that_are_no_more_do_not_count(tmp_path: Path) -> None:
    SharedCount(tmp_path / "under-way", worker=7, workers=8)(9)
    assert SharedCount(tmp_path / "under-way", worker=0, workers=2)(1) == 1


def count(metrics: Metrics, seconds: float = 0.2) -> None:
    metrics.request(
        operation="Converse", model_id="m", outcome="answered", error="", seconds=seconds, overhead_seconds=0.001,
        input_tokens=10, output_tokens=5, cost_usd=0.25,
    )  # fmt: skip


def shown(metrics: Metrics) -> dict[str, float]:
    lines = [line for line in metrics.expose()[1].decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@settings(max_examples=60, deadline=None)
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["count", "leave", "kill", "scrape"]), st.integers(0, 2), st.floats(0.0, 400.0)),
        max_size=40,
    )
)
@example([("count", 0, 1.0), ("scrape", 0, 0.0), ("kill", 0, 0.0), ("scrape", 1, 0.0)])
def test_no_counter_ever_goes_back_and_none_is_counted_twice(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int, float]]
) -> None:
    """Whichever worker is asked and whichever is killed; compared with one that is never killed and counts all."""
    folder = tmp_path_factory.mktemp("metrics")
    workers = [SharedMetrics(folder, worker=number, workers=3) for number in range(3)]
    everything, seen = PrometheusMetrics(), {}
    for act, number, seconds in acts:
        if act == "count":
            count(workers[number], seconds)
            count(everything, seconds)
        elif act == "leave":
            workers[number].leave()
        elif act == "kill":
            workers[number] = SharedMetrics(folder, worker=number, workers=3)
        else:
            found, most = shown(workers[number]), shown(everything)
            assert all(found.get(name, 0.0) >= value - 1e-6 for name, value in seen.items())
            assert all(value <= most[name] + 1e-6 for name, value in found.items())
            seen = {**seen, **found}


def test_nothing_is_lost_between_workers_that_live(tmp_path: Path) -> None:
    first, second = (SharedMetrics(tmp_path, worker=number, workers=2) for number in (0, 1))
    alone = PrometheusMetrics()
    for worker in (first, second, second):
        count(worker)
        count(alone)
        worker.guardrail(guardrail="main", stage="input", decision="blocked", rule="words.x")
        alone.guardrail(guardrail="main", stage="input", decision="blocked", rule="words.x")
        worker.refusal(error="AccessDeniedException", rule="identity.missing")
        alone.refusal(error="AccessDeniedException", rule="identity.missing")
        worker.leave()
    assert shown(first) == shown(second) == pytest.approx(shown(alone))


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"caisson_requests": 1}', b"\xff", b'{"caisson_requests": [[["a"], []]]}']
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "1.json").write_bytes(content)
    (tmp_path / "0.json").write_bytes(content)
    metrics = SharedMetrics(tmp_path, worker=0, workers=2)
    count(metrics)
    alone = PrometheusMetrics()
    count(alone)
    assert shown(metrics) == shown(alone)


def test_a_start_begins_anew(tmp_path: Path) -> None:
    metrics = SharedMetrics(tmp_path, worker=0, workers=1)
    count(metrics)
    metrics.close()
    assert shown(SharedMetrics(tmp_path, worker=0, workers=1))
    forget(tmp_path)
    assert shown(SharedMetrics(tmp_path, worker=0, workers=1)) == {}


def test_another_worker_starts_from_what_one_has_verified(tmp_path: Path) -> None:
    first, second = tmp_path / "trust", tmp_path / "trust-1"
    (first / "metadata").mkdir(parents=True)
    (first / "bootstrap.json").write_text("root")
    (first / "metadata" / "timestamp.json").write_text("seen")
    (tmp_path / "trust-1.new").mkdir()  # of a start that was killed
    share_trust(first, second)
    assert (second / "bootstrap.json").read_text() == "root"
    assert (second / "metadata" / "timestamp.json").read_text() == "seen"
    (second / "metadata" / "timestamp.json").write_text("newer")
    share_trust(first, second)
    assert (second / "metadata" / "timestamp.json").read_text() == "newer"  # what it has is its own
