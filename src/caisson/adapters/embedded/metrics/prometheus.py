"""Prometheus exposition of a zone's counters. Names are OpenTelemetry's, in Prometheus spelling.

Label values come from the system file and from our own rule names, so that no client can grow the number of series.
"""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from caisson.ports.metrics import Metrics

DURATION_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
OVERHEAD_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25)


class PrometheusMetrics(Metrics):
    """Counts in memory; `expose` renders."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "caisson_requests",
            "Finished requests.",
            ("operation", "model", "outcome", "error"),
            registry=self._registry,
        )
        self._duration = Histogram(
            "gen_ai_client_operation_duration_seconds",
            "Duration of a request, model included.",
            ("gen_ai_operation_name", "gen_ai_request_model"),
            buckets=DURATION_BUCKETS_S,
            registry=self._registry,
        )
        self._overhead = Histogram(
            "caisson_overhead_seconds",
            "Time of a request that was not spent waiting for the model.",
            ("operation",),
            buckets=OVERHEAD_BUCKETS_S,
            registry=self._registry,
        )
        self._tokens = Counter(
            "gen_ai_client_token_usage",
            "Tokens.",
            ("gen_ai_request_model", "gen_ai_token_type"),
            registry=self._registry,
        )
        self._cost = Counter("caisson_cost_usd", "Cost by the dated price table.", ("model",), registry=self._registry)
        self._unpriced = Counter(
            "caisson_unpriced_requests", "Requests whose model has no known price.", ("model",), registry=self._registry
        )
        self._guardrail = Counter(
            "caisson_guardrail_decisions",
            "Guardrail decisions.",
            ("guardrail", "stage", "decision", "rule"),
            registry=self._registry,
        )
        self._refusals = Counter(
            "caisson_unauthenticated_refusals",
            "Callers refused before they had an identity.",
            ("error", "rule"),
            registry=self._registry,
        )

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
        self._requests.labels(operation, model_id, outcome, error).inc()
        self._duration.labels(operation, model_id).observe(seconds)
        self._overhead.labels(operation).observe(max(overhead_seconds, 0.0))
        self._tokens.labels(model_id, "input").inc(input_tokens)
        self._tokens.labels(model_id, "output").inc(output_tokens)
        if cost_usd is None:
            self._unpriced.labels(model_id).inc()
        else:
            self._cost.labels(model_id).inc(cost_usd)

    def guardrail(self, *, guardrail: str, stage: str, decision: str, rule: str) -> None:
        self._guardrail.labels(guardrail, stage, decision, rule).inc()

    def refusal(self, *, error: str, rule: str) -> None:
        self._refusals.labels(error, rule).inc()

    def expose(self) -> tuple[str, bytes]:
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)

    def close(self) -> None:
        """Nothing is pending: a scraper takes what it wants."""
