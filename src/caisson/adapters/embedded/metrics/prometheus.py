"""Prometheus exposition of a zone's counters. Names are OpenTelemetry's, in Prometheus spelling.

- Label values come from the system file and from our own rule names, so that no client can grow the number of series.
- Counting is an addition in a dictionary, because it happens for every request; the library renders when asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from caisson.ports.metrics import Metrics

DURATION_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
OVERHEAD_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25)

Labels = tuple[str, ...]
Counts = dict[str, list[tuple[Labels, list[float]]]]
"""Series to the labels that occurred and what was counted under them: values of one metrics object, for another one."""


class PrometheusMetrics(Metrics):
    """Counts in memory; `expose` renders. Used from one thread."""

    def __init__(self) -> None:
        self._requests = _Counter("caisson_requests", "Finished requests.", "operation", "model", "outcome", "error")
        self._duration = _Histogram(
            "gen_ai_client_operation_duration_seconds",
            "Duration of a request, model included.",
            DURATION_BUCKETS_S,
            "gen_ai_operation_name",
            "gen_ai_request_model",
        )
        self._overhead = _Histogram(
            "caisson_overhead_seconds",
            "Time of a request that was not spent waiting for the model.",
            OVERHEAD_BUCKETS_S,
            "operation",
        )
        self._tokens = _Counter("gen_ai_client_token_usage", "Tokens.", "gen_ai_request_model", "gen_ai_token_type")
        self._cost = _Counter("caisson_cost_usd", "Cost by the dated price table.", "model")
        self._unpriced = _Counter("caisson_unpriced_requests", "Requests whose model has no known price.", "model")
        self._guardrail = _Counter(
            "caisson_guardrail_decisions", "Guardrail decisions.", "guardrail", "stage", "decision", "rule"
        )
        self._refusals = _Counter(
            "caisson_unauthenticated_refusals", "Callers refused before they had an identity.", "error", "rule"
        )
        self._series: tuple[_Counter | _Histogram, ...] = (
            self._requests, self._duration, self._overhead, self._tokens, self._cost, self._unpriced, self._guardrail,
            self._refusals,
        )  # fmt: skip
        self._registry = CollectorRegistry()
        for series in self._series:
            self._registry.register(series)

    def request(
        self,
        *,
        operation: str,
        model_id: str,
        outcome: str,
        error: str,
        seconds: float,
        overhead_seconds: float,
        input_tokens: int,
        output_tokens: int,
        cost_usd: float | None,
    ) -> None:
        self._requests.counts[operation, model_id, outcome, error] += 1
        self._duration.observe((operation, model_id), seconds)
        self._overhead.observe((operation,), max(overhead_seconds, 0.0))
        self._tokens.counts[model_id, "input"] += input_tokens
        self._tokens.counts[model_id, "output"] += output_tokens
        if cost_usd is None:
            self._unpriced.counts[(model_id,)] += 1
        else:
            self._cost.counts[(model_id,)] += cost_usd

    def guardrail(self, *, guardrail: str, stage: str, decision: str, rule: str) -> None:
        self._guardrail.counts[guardrail, stage, decision, rule] += 1

    def refusal(self, *, error: str, rule: str) -> None:
        self._refusals.counts[error, rule] += 1

    def counts(self) -> Counts:
        """Everything that was counted."""
        return {series.name: series.dump() for series in self._series}

    def add(self, counts: Counts) -> None:
        """Count what another object counted. Series and buckets that this version does not have are left out."""
        for series in self._series:
            series.add(counts.get(series.name, []))

    def expose(self) -> tuple[str, bytes]:
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)

    def close(self) -> None:
        """Nothing is pending: a scraper takes what it wants."""


class _Counter(Collector):
    """Sums by labels."""

    def __init__(self, name: str, about: str, *labels: str) -> None:
        self.name, self._about, self._labels = name, about, labels
        self.counts: defaultdict[Labels, float] = defaultdict(float)

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self.name, self._about, labels=self._labels)
        for values, count in self.counts.items():
            family.add_metric(values, count)
        yield family

    def dump(self) -> list[tuple[Labels, list[float]]]:
        return [(labels, [count]) for labels, count in self.counts.items()]

    def add(self, found: list[tuple[Labels, list[float]]]) -> None:
        for labels, values in found:
            if len(labels) == len(self._labels) and len(values) == 1:
                self.counts[labels] += values[0]


class _Histogram(Collector):
    """Observations by labels, counted in buckets whose bounds are inclusive."""

    def __init__(self, name: str, about: str, bounds: tuple[float, ...], *labels: str) -> None:
        self.name, self._about, self._labels, self._bounds = name, about, labels, bounds
        self._counts: defaultdict[Labels, list[int]] = defaultdict(lambda: [0] * (len(bounds) + 1))
        self._sums: defaultdict[Labels, float] = defaultdict(float)

    def observe(self, labels: Labels, value: float) -> None:
        self._counts[labels][bisect_left(self._bounds, value)] += 1
        self._sums[labels] += value

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self.name, self._about, labels=self._labels)
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for values, counts in self._counts.items():
            buckets = list(zip(names, accumulate(counts), strict=True))
            family.add_metric(values, buckets, self._sums[values])
        yield family

    def dump(self) -> list[tuple[Labels, list[float]]]:
        """The counts of the buckets, then the sum."""
        return [(labels, [*counts, self._sums[labels]]) for labels, counts in self._counts.items()]

    def add(self, found: list[tuple[Labels, list[float]]]) -> None:
        for labels, (*counts, total) in found:
            if len(labels) == len(self._labels) and len(counts) == len(self._bounds) + 1:
                mine = self._counts[labels]
                for bucket, count in enumerate(counts):
                    mine[bucket] += int(count)
                self._sums[labels] += total
