"""Metrics to an OpenTelemetry collector over OTLP/HTTP, in the names of the generative AI conventions (`gen_ai.*`).

- Nothing is sent unless `up --otlp URL` names the collector; environment variables of the SDK are not read by zones,
  because their environment is made from nothing.
- What a scraper sees and what is exported are counted by the same calls (`exposing`).

>>> OpenTelemetryMetrics("http://localhost:4318", exposing=PrometheusMetrics(), system="claims")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

from caisson.errors import StartError
from caisson.ports.metrics import Metrics

EXPORT_EVERY_MILLISECONDS = 15_000
EXPORT_SECONDS_MAX = 5


class OpenTelemetryMetrics(Metrics):
    """Exports, and passes every call on to `exposing`.

    Raises:
        StartError: the extra `otel` is not installed.
    """

    def __init__(self, endpoint: str, *, exposing: Metrics, system: str, process: str = "gateway") -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.sdk.metrics import MeterProvider
            from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
            from opentelemetry.sdk.resources import Resource
        except ImportError as error:
            raise StartError("--otlp needs the extra 'otel': pip install 'caisson[otel]'") from error
        exporter = OTLPMetricExporter(endpoint=f"{endpoint.rstrip('/')}/v1/metrics", timeout=EXPORT_SECONDS_MAX)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=EXPORT_EVERY_MILLISECONDS)
        about = {"service.name": "caisson", "service.namespace": system, "service.instance.id": process}
        resource = Resource(about)  # each worker is an instance: a collector adds up what they export
        self._exposing = exposing
        self._provider = MeterProvider(metric_readers=[reader], resource=resource)
        meter = self._provider.get_meter("caisson")
        self._duration = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
        self._tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")
        self._overhead = meter.create_histogram("caisson.overhead", unit="s")
        self._cost = meter.create_counter("caisson.cost", unit="{usd}")
        self._unpriced = meter.create_counter("caisson.unpriced_requests", unit="{request}")
        self._guardrail = meter.create_counter("caisson.guardrail.decisions", unit="{decision}")
        self._refusals = meter.create_counter("caisson.unauthenticated_refusals", unit="{refusal}")

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
        self._exposing.request(
            operation=operation,
            model_id=model_id,
            outcome=outcome,
            error=error,
            seconds=seconds,
            overhead_seconds=overhead_seconds,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost_usd=cost_usd,
        )
        about: dict[str, Any] = {
            "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": model_id,
            "caisson.operation": operation,
        }
        self._duration.record(
            seconds, {**about, "caisson.outcome": outcome, **({"error.type": error} if error else {})}
        )
        self._tokens.record(input_tokens, {**about, "gen_ai.token.type": "input"})
        self._tokens.record(output_tokens, {**about, "gen_ai.token.type": "output"})
        self._overhead.record(max(overhead_seconds, 0.0), about)
        if cost_usd is None:
            self._unpriced.add(1, about)
        else:
            self._cost.add(cost_usd, about)

    def guardrail(self, *, guardrail: str, stage: str, decision: str, rule: str) -> None:
        self._exposing.guardrail(guardrail=guardrail, stage=stage, decision=decision, rule=rule)
        self._guardrail.add(1, {"guardrail": guardrail, "stage": stage, "decision": decision, "rule": rule})

    def refusal(self, *, error: str, rule: str) -> None:
        self._exposing.refusal(error=error, rule=rule)
        self._refusals.add(1, {"error.type": error, "rule": rule})

    def expose(self) -> tuple[str, bytes]:
        return self._exposing.expose()

    def close(self) -> None:
        self._provider.shutdown()
        self._exposing.close()
