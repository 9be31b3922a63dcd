"""Errors of Bedrock Runtime as what the client is told and what the operator reads.

- Each exception of the service model has a row (a test holds the table against botocore's). Codes that every AWS
  service shares, about signatures and tokens, are the operator's to mend.
- AWS's sentence goes into the record without quoted values, which may be the caller's words; the client reads ours.

>>> failed("ThrottlingException", 429, "").refusal.error.code
'ThrottlingException'
"""

from __future__ import annotations

import re
from collections.abc import Callable

from caisson.adapters.embedded.model import failures
from caisson.errors import Refusal, UpstreamError, WireError

SENTENCE_CHARACTERS_MAX = 300
RETRY_AFTER_S_MAX = 3_600

_QUOTED = re.compile(r"'[^']*'?|\"[^\"]*\"?|`[^`]*`?")
_PLAIN_CODE = re.compile(r"[A-Za-z]{1,64}")


def model_failed(found: str) -> UpstreamError:
    """The model itself failed while it worked."""
    refusal = Refusal(
        error=WireError.MODEL_ERROR,
        rule="model.failed",
        message="The model failed while it worked on the request; retry.",
        rationale=found,
    )
    return UpstreamError(found, refusal)


_CHECK_ACCESS = "; check that the profile may call this model and guardrail in this Region"
_CHECK_KEYS = "; check the profile's credentials and this machine's clock"
_CHECK_MODEL = "; check the model's or guardrail's id and the Region in the system file"

_CODES: dict[str, tuple[Callable[[str], UpstreamError], str]] = {
    "AccessDeniedException": (failures.unavailable, _CHECK_ACCESS),
    "ConflictException": (failures.unavailable, ""),
    "InternalServerException": (failures.unavailable, ""),
    "ModelErrorException": (model_failed, ""),
    "ModelNotReadyException": (failures.unavailable, ""),
    "ModelStreamErrorException": (model_failed, ""),
    "ModelTimeoutException": (failures.timed_out, ""),
    "ResourceNotFoundException": (failures.unavailable, _CHECK_MODEL),
    "ServiceQuotaExceededException": (failures.throttled, ""),
    "ServiceUnavailableException": (failures.unavailable, ""),
    "ThrottlingException": (failures.throttled, ""),
    "ValidationException": (failures.invalid, ""),
    # Of every AWS service (IAM: common errors).
    "ExpiredTokenException": (failures.unavailable, _CHECK_KEYS),
    "IncompleteSignatureException": (failures.unavailable, _CHECK_KEYS),
    "InvalidSignatureException": (failures.unavailable, _CHECK_KEYS),
    "MissingAuthenticationTokenException": (failures.unavailable, _CHECK_KEYS),
    "SignatureDoesNotMatch": (failures.unavailable, _CHECK_KEYS),
    "UnrecognizedClientException": (failures.unavailable, _CHECK_KEYS),
}
REPEATED = frozenset({"InternalServerException", "ModelNotReadyException", "ServiceUnavailableException"})
"""Codes after which the call is made again. Throttling is not: the client backs off, and knows how long it can wait."""
REPEATED_STATUSES = frozenset({500, 502, 503})
"""The same where a load balancer answered, without a code."""


def code_of(header: str) -> str:
    """The exception's name in `x-amzn-errortype` or `:exception-type`; empty when there is none.

    >>> code_of("ThrottlingException:http://internal.amazon.com/"), code_of("throttlingException")
    ('ThrottlingException', 'ThrottlingException')
    """
    name = header.partition(":")[0].rpartition("#")[2].strip()
    return name[:1].upper() + name[1:] if _PLAIN_CODE.fullmatch(name) else ""


def failed(code: str, status: int, sentence: str, retry_after: str = "") -> UpstreamError:
    """What an error response or an exception event means. `status` counts where the code says nothing."""
    found = f"Bedrock answered {code or status}{_told(sentence)}"
    make, hint = _CODES.get(code, (None, ""))
    if make is failures.throttled or (make is None and status == 429):
        return failures.throttled(found, retry_after_s=_retry_after_s(retry_after))
    if make is not None:
        return make(found + hint)
    if status in (408, 504):
        return failures.timed_out(found)
    if status in (400, 413, 422):
        return failures.invalid(found)
    if status in (401, 402, 403, 404, 405) or status >= 500 or 300 <= status < 400:
        return failures.unavailable(found + _CHECK_ACCESS)
    return failures.nonsense(found)


def _told(sentence: str) -> str:
    plain = _QUOTED.sub("'…'", "".join(letter if letter.isprintable() else " " for letter in sentence))
    return f": {plain[:SENTENCE_CHARACTERS_MAX]}" if plain.strip() else ""


def _retry_after_s(header: str) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, section 10.2.3); a date is not read."""
    plain = header.isascii() and header.isdigit() and len(header) <= len(str(RETRY_AFTER_S_MAX))
    return float(min(int(header), RETRY_AFTER_S_MAX)) if plain else None
