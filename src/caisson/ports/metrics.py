"""Counters and histograms of a zone process."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Metrics(ABC):
    """Names follow OpenTelemetry's semantic conventions where one exists (`gen_ai.*`), else `caisson.*`."""

    @abstractmethod
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
        """One finished request."""

    @abstractmethod
    def guardrail(self, *, guardrail: str, stage: str, decision: str, rule: str) -> None:
        """One guardrail decision."""

    @abstractmethod
    def refusal(self, *, error: str, rule: str) -> None:
        """A caller refused before it had an identity."""

    @abstractmethod
    def expose(self) -> tuple[str, bytes]:
        """Content type and body for a scraper."""

    @abstractmethod
    def close(self) -> None:
        """Send what is pending and stop."""
