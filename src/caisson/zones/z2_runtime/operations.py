"""What a client can ask for. Every operation runs the same request path (pipeline.py)."""

from __future__ import annotations

from enum import Enum

_STREAMS = frozenset({"ConverseStream", "InvokeModelWithResponseStream", "ChatCompletionsStream"})
_WITHOUT_MODEL = frozenset({"ApplyGuardrail", "CountTokens"})


class Operation(Enum):
    """Bedrock Runtime operations (API reference: Amazon Bedrock Runtime actions), and OpenAI's chat completions."""

    CONVERSE = "Converse"
    CONVERSE_STREAM = "ConverseStream"
    INVOKE_MODEL = "InvokeModel"
    INVOKE_MODEL_STREAM = "InvokeModelWithResponseStream"
    APPLY_GUARDRAIL = "ApplyGuardrail"
    COUNT_TOKENS = "CountTokens"
    CHAT = "ChatCompletions"
    CHAT_STREAM = "ChatCompletionsStream"

    def __init__(self, label: str) -> None:
        self.label = label
        """As the log names it."""
        self.streams = label in _STREAMS
        """The answer is an event stream."""
        self.calls_model = label not in _WITHOUT_MODEL
        """The request reaches a model and spends tokens and an action."""
