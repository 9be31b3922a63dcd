"""A request's body, bounded in size and time (NET-07)."""

from __future__ import annotations

from caisson.errors import CallerError, Refusal, WireError
from caisson.zones.z1_ingress.asgi import Receive
from caisson.zones.z2_runtime.deadlines import Deadlines

BODY_SECONDS_MAX = 30.0
"""A body that takes longer is a slow-client attack or a broken line."""
_CUT_SHORT = Refusal(
    error=WireError.VALIDATION,
    rule="http.body-cut-short",
    message="Expected a whole body, found one that ends early or has a malformed chunk; send it again.",
)


async def read_body(
    headers: tuple[tuple[bytes, bytes], ...], receive: Receive, limit: int, deadlines: Deadlines
) -> bytes:
    """The whole body. Raises CallerError: too large, too slow or cut short."""
    declared = next((value for name, value in headers if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise CallerError(too_large(limit))
    parts, size = [], 0
    try:
        with deadlines.within(BODY_SECONDS_MAX):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":  # the server says so of a malformed chunk as well
                    raise CallerError(_CUT_SHORT)
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise CallerError(too_large(limit))
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise CallerError(
            Refusal(
                error=WireError.MODEL_TIMEOUT,
                rule="http.slow-body",
                message=f"The body did not arrive within {BODY_SECONDS_MAX:g} s.",
            )
        ) from None


def too_large(limit: int) -> Refusal:
    """Said of a body over `limit` bytes."""
    return Refusal(
        error=WireError.TOO_LARGE,
        rule="http.body",
        message=f"Expected a body of at most {limit} bytes; send less, or raise limits.body_bytes_max.",
    )
