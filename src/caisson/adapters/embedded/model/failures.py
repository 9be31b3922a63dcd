"""What a client is told when a model endpoint fails. What an operator needs is in the error's own message."""

from __future__ import annotations

from caisson.errors import Refusal, UpstreamError, WireError


def throttled(found: str, retry_after_s: float | None = None) -> UpstreamError:
    """The endpoint, or our own bound on it, has no room."""
    refusal = Refusal(
        error=WireError.THROTTLING,
        rule="model.throttled",
        message="The model is at its limit; retry later.",
        rationale=found,
        retry_after_s=retry_after_s,
    )
    return UpstreamError(found, refusal)


def timed_out(found: str) -> UpstreamError:
    """The endpoint took too long."""
    message = "The model took too long to answer; retry."
    return _failed(WireError.MODEL_TIMEOUT, "model.timeout", message, found)


def unavailable(found: str) -> UpstreamError:
    """The endpoint cannot be used now, or not as it is configured."""
    message = "The model endpoint is unavailable; retry later or ask the operator."
    return _failed(WireError.UNAVAILABLE, "model.unavailable", message, found)


def invalid(found: str) -> UpstreamError:
    """The endpoint does not accept what the caller asked."""
    message = "The model endpoint did not accept the request; check its length, tools and inference settings."
    return _failed(WireError.VALIDATION, "model.validation", message, found)


def cannot(what: str) -> UpstreamError:
    """The endpoint has no way to do what the request asks; leaving it out silently would be another request."""
    message = f"The model that answers here cannot take {what}; leave it out or ask the operator."
    return _failed(WireError.VALIDATION, "model.unsupported", message, f"the request has {what}")


def nonsense(found: str) -> UpstreamError:
    """The endpoint's answer cannot be understood."""
    message = "The model's answer could not be understood; retry."
    return _failed(WireError.MODEL_ERROR, "model.answer", message, found)


def _failed(error: WireError, rule: str, message: str, found: str) -> UpstreamError:
    return UpstreamError(found, Refusal(error=error, rule=rule, message=message, rationale=found))
