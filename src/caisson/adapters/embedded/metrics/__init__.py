"""Metrics on one machine: Prometheus exposition always, OpenTelemetry export when `up --otlp` names a collector."""

from caisson.adapters.embedded.metrics.prometheus import PrometheusMetrics
from caisson.adapters.embedded.metrics.shared import SharedMetrics

__all__ = ["PrometheusMetrics", "SharedMetrics"]
