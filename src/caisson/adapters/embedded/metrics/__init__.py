"""Metrics on one machine: Prometheus exposition always, OpenTelemetry export when `up --otlp` names a collector."""

from caisson.adapters.embedded.metrics.prometheus import PrometheusMetrics

__all__ = ["PrometheusMetrics"]
