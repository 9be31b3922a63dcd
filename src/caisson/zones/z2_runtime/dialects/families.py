"""Families of models by id, and why some have no InvokeModel body that this version reads.

A body is read when its schema is closed and becomes a conversation (Claude, Nova, chat completions) or texts to embed
(Titan, Cohere). The others are refused by name: a body that nothing here understands would pass uninspected. All of
them that converse are reached through Converse.

>>> unread("us.meta.llama3-3-70b-instruct-v1:0").startswith("the body is one prompt")
True
>>> unread("anthropic.claude-sonnet-4-5-20250929-v1:0") is None
True
"""

from __future__ import annotations

from typing import Literal

from caisson.policy.prices import base_model

Dialect = Literal["anthropic", "nova", "chat", "embeddings"]

READ: tuple[tuple[str, Dialect], ...] = (
    ("anthropic.", "anthropic"),
    ("amazon.nova-micro", "nova"),
    ("amazon.nova-lite", "nova"),
    ("amazon.nova-pro", "nova"),
    ("amazon.nova-premier", "nova"),
    ("amazon.nova-2-lite", "nova"),
    ("amazon.nova-2-pro", "nova"),
    ("deepseek.v3", "chat"),
    ("google.gemma", "chat"),
    ("minimax.", "chat"),
    ("moonshot.", "chat"),
    ("nvidia.", "chat"),
    ("openai.gpt-oss", "chat"),
    ("qwen.", "chat"),
    ("zai.", "chat"),
    ("amazon.titan-embed-text", "embeddings"),
    ("amazon.titan-embed-g1-text", "embeddings"),
    ("cohere.embed-english-v3", "embeddings"),
    ("cohere.embed-multilingual-v3", "embeddings"),
    ("cohere.embed-v4", "embeddings"),
)
"""Beginning of an id to the dialect of its bodies (Bedrock User Guide: Inference request parameters)."""

_PROMPT = "the body is one prompt with the roles written into it, and nothing can tell them apart; use Converse"
_CHAT = "its body is not read by this version; use Converse"
_NUMBERS = "it answers with numbers for images or rankings, which this version does not ask for"
_MEDIA = "it makes images, film or sound, which nothing here can inspect"
_UNKNOWN = "no body of this family is known; use Converse"

UNREAD: tuple[tuple[str, str], ...] = (
    ("amazon.nova-canvas", _MEDIA),
    ("amazon.nova-reel", _MEDIA),
    ("amazon.nova-sonic", _MEDIA),
    ("amazon.nova-2-sonic", _MEDIA),
    ("amazon.nova-2-multimodal-embeddings", _NUMBERS),
    ("amazon.titan-image", _MEDIA),
    ("amazon.titan-embed", _NUMBERS),
    ("amazon.titan-text", _CHAT),
    ("amazon.rerank", _NUMBERS),
    ("cohere.embed", _NUMBERS),
    ("cohere.rerank", _NUMBERS),
    ("cohere.command-text", _PROMPT),
    ("cohere.command-light-text", _PROMPT),
    ("cohere.command-r", _CHAT),
    ("stability.", _MEDIA),
    ("luma.", _MEDIA),
    ("twelvelabs.", _MEDIA),
    ("meta.llama", _PROMPT),
    ("deepseek.r1", _PROMPT),
    ("deepseek.", _CHAT),
    ("mistral.mistral-7b", _PROMPT),
    ("mistral.mixtral", _PROMPT),
    ("mistral.", _CHAT),
    ("ai21.", _CHAT),
    ("openai.", _CHAT),
    ("writer.", _CHAT),
)
"""Beginning of an id to why its bodies are refused. The first that fits decides."""


def dialect(model_id: str) -> Dialect | None:
    """Which dialect reads the model's bodies; a profile prefix (`eu.`, `us.`, `global.`) does not matter."""
    _, model = base_model(model_id)
    return next((name for beginning, name in READ if model.startswith(beginning)), None)


def unread(model_id: str) -> str | None:
    """Why no body of the model is read; None when one is."""
    if dialect(model_id) is not None:
        return None
    _, model = base_model(model_id)
    return next((why for beginning, why in UNREAD if model.startswith(beginning)), _UNKNOWN)
