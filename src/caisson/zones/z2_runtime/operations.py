"""What a client can ask for. Every operation runs the same request path (pipeline.py)."""

from __future__ import annotations

from enum import Enum


class Operation(Enum):
    """Bedrock Runtime operations (API reference: Amazon Bedrock Runtime actions)."""

    CONVERSE = "Converse"
    CONVERSE_STREAM = "ConverseStream"
    INVOKE_MODEL = "InvokeModel"
    INVOKE_MODEL_STREAM = "InvokeModelWithResponseStream"
    APPLY_GUARDRAIL = "ApplyGuardrail"
    COUNT_TOKENS = "CountTokens"

    @property
    def streams(self) -> bool:
        """The answer is an event stream."""
        return self in _STREAMS

    @property
    def calls_model(self) -> bool:
        """The request reaches a model and spends tokens and an action."""
        return self in _CALLS_MODEL


_STREAMS = frozenset({Operation.CONVERSE_STREAM, Operation.INVOKE_MODEL_STREAM})
_CALLS_MODEL = frozenset(
    {Operation.CONVERSE, Operation.CONVERSE_STREAM, Operation.INVOKE_MODEL, Operation.INVOKE_MODEL_STREAM}
)
