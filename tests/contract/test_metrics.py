"""One suite for every metrics adapter, with a real collector on loopback for the exporting one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from caisson.adapters.embedded.metrics import PrometheusMetrics
from caisson.adapters.embedded.metrics.opentelemetry import OpenTelemetryMetrics
from caisson.ports.metrics import Metrics


class Collector(HTTPServer):
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, bytes]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            import gzip

            body = gzip.decompress(body)
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["prometheus", "opentelemetry"])
def metrics(request: pytest.FixtureRequest, collector: Collector) -> Iterator[Metrics]:
    made: Metrics = PrometheusMetrics()
    if request.param == "opentelemetry":
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        made = OpenTelemetryMetrics(endpoint, exposing=made, system="claims")
    yield made
    made.close()


def count(metrics: Metrics, *, cost_usd: float | None = 0.25) -> None:
    metrics.request(
        operation="Converse", model_id="m", outcome="answered", error="", seconds=0.2, overhead_seconds=0.001,
        input_tokens=10, output_tokens=5, cost_usd=cost_usd,
    )  # fmt: skip


def test_what_was_counted_is_exposed(metrics: Metrics) -> None:
    count(metrics)
    count(metrics, cost_usd=None)
    metrics.guardrail(guardrail="main", stage="input", decision="blocked", rule="words.x")
    metrics.refusal(error="AccessDeniedException", rule="identity.missing")
    content_type, body = metrics.expose()
    assert content_type.startswith("text/plain")
    lines = body.decode().splitlines()
    for line in (
        'caisson_requests_total{error="",model="m",operation="Converse",outcome="answered"} 2.0',
        'gen_ai_client_token_usage_total{gen_ai_request_model="m",gen_ai_token_type="input"} 20.0',
        'caisson_cost_usd_total{model="m"} 0.25',
        'caisson_unpriced_requests_total{model="m"} 1.0',
        'caisson_overhead_seconds_bucket{le="0.0005",operation="Converse"} 0.0',
        'caisson_overhead_seconds_bucket{le="0.001",operation="Converse"} 2.0',
        'caisson_overhead_seconds_bucket{le="+Inf",operation="Converse"} 2.0',
        'caisson_overhead_seconds_count{operation="Converse"} 2.0',
        'caisson_overhead_seconds_sum{operation="Converse"} 0.002',
        'caisson_guardrail_decisions_total{decision="blocked",guardrail="main",rule="words.x",stage="input"} 1.0',
        'caisson_unauthenticated_refusals_total{error="AccessDeniedException",rule="identity.missing"} 1.0',
    ):
        assert line in lines


def test_closing_exports_in_the_names_of_the_conventions(collector: Collector) -> None:
    exporting = OpenTelemetryMetrics(
        f"http://127.0.0.1:{collector.server_port}", exposing=PrometheusMetrics(), system="claims"
    )
    count(exporting)
    exporting.close()
    ((path, body),) = collector.received
    assert path == "/v1/metrics"
    (resource,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    assert {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}[
        "service.namespace"
    ] == "claims"
    by_name = {metric.name: metric for metric in resource.scope_metrics[0].metrics}
    assert {"gen_ai.client.operation.duration", "gen_ai.client.token.usage", "caisson.cost"} <= set(by_name)
    (point,) = by_name["gen_ai.client.operation.duration"].histogram.data_points
    assert (point.count, point.sum) == (1, 0.2)


def test_without_a_collector_nothing_is_sent_and_closing_does_not_hang() -> None:
    metrics = OpenTelemetryMetrics("http://127.0.0.1:9", exposing=PrometheusMetrics(), system="claims")
    count(metrics)
    metrics.close()
    assert b"caisson_requests_total" in metrics.expose()[1]
