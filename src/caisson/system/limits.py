"""What a session and a request may use, and how long (SESS-01, SESS-02, NET-07)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from caisson.system.carriers import BOTH
from caisson.system.section import Section
from caisson.system.values import Count, RateText, Seconds, lasting

BODY_BYTES_MAX = 25_000_000
"""Largest request body that a file may allow (Bedrock API reference, InvokeModel)."""
CONCURRENCY_MAX = 4_096
"""Most requests under way that a file may allow; each may hold a body."""


class Sessions(Section):
    """What one session may use. Whatever is reached first ends it."""

    duration_s: Annotated[Seconds, lasting("15m", "1h"), BOTH] = Field(alias="duration")
    """Longest life, 15m to 1h (AWS STS API reference, DurationSeconds)."""
    tokens: Annotated[Count, BOTH]
    """Most tokens, input and output together."""
    actions: Annotated[Count, BOTH]
    """Most model and tool calls."""


class Limits(Section):
    """What one request, one user and all users together may use."""

    body_bytes_max: Annotated[int, Field(ge=1_024, le=BODY_BYTES_MAX), BOTH]
    """Largest request body in bytes."""
    requests_per_user: Annotated[RateText, BOTH]
    """Most requests of one user in a window."""
    requests_total: Annotated[RateText, BOTH]
    """Most requests of all users in a window."""
    concurrency_max: Annotated[int, Field(ge=1, le=CONCURRENCY_MAX), BOTH]
    """Most requests under way at once."""
    request_timeout_s: Annotated[Seconds, lasting("1s", "1h"), BOTH] = Field(alias="request_timeout")
    """Longest time for one request, its answer included."""
