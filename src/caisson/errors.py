"""Every error Caisson raises, grouped by who must act.

    CaissonError
    ├── CallerError            the client that sent the request must change it (becomes an AWS-shaped 4xx or 503)
    ├── OperatorError          whoever runs the system must act
    │   ├── SystemFileError    the system file: file, line, column, expected, found
    │   ├── ConfigurationError signed configuration or orders are missing, stale, damaged or forged
    │   ├── ChannelError       a spool is full, missing, or not ours to touch
    │   ├── LedgerError        budgets cannot be looked up or changed; LedgerBusy: another process keeps them locked
    │   ├── UpstreamError      the configured model endpoint failed
    │   ├── DeploymentError    AWS or the lock file is not as a deployment needs it
    │   └── StartError         the system cannot start here
    └── DeveloperError         an invariant of our own code does not hold

An expected refusal inside the request path is a value (`Refusal`), not an exception; `CallerError` carries one to the
edge. Messages say expected, found and what to do; never a payload, never a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class WireError(Enum):
    """Error codes of Bedrock Runtime and STS with their HTTP status (botocore's models; API Gateway for 413)."""

    VALIDATION = ("ValidationException", 400)
    ACCESS_DENIED = ("AccessDeniedException", 403)
    EXPIRED_TOKEN = ("ExpiredTokenException", 403)
    UNRECOGNIZED_CLIENT = ("UnrecognizedClientException", 403)
    INVALID_SIGNATURE = ("InvalidSignatureException", 403)
    INCOMPLETE_SIGNATURE = ("IncompleteSignatureException", 400)
    MISSING_AUTHENTICATION = ("MissingAuthenticationTokenException", 403)
    NOT_FOUND = ("ResourceNotFoundException", 404)
    UNKNOWN_OPERATION = ("UnknownOperationException", 404)
    METHOD_NOT_ALLOWED = ("UnknownOperationException", 405)
    MODEL_TIMEOUT = ("ModelTimeoutException", 408)
    TOO_LARGE = ("RequestEntityTooLargeException", 413)
    UNSUPPORTED_MEDIA_TYPE = ("UnsupportedMediaTypeException", 415)
    MODEL_ERROR = ("ModelErrorException", 424)
    THROTTLING = ("ThrottlingException", 429)
    UNAVAILABLE = ("ServiceUnavailableException", 503)

    @property
    def code(self) -> str:
        """The exception name that boto3 turns into a class."""
        return self.value[0]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.value[1]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a request stops: a value that a step of the request path returns."""

    error: WireError
    """What the client sees."""
    message: str
    """One sentence for the client: expected, found, what to do. No payload, no secret."""
    rule: str = ""
    """The rule that decided, for the record: `sigv4.window`, `ledger.tokens`, `schema`, a guardrail rule."""
    rationale: str = ""
    """What only the log may say. Empty when the message already says it all."""
    retry_after_s: float | None = None
    """Seconds after which a retry can succeed, when that is known."""


class CaissonError(Exception):
    """Root of the tree."""


class CallerError(CaissonError):
    """Carries a `Refusal` to the edge from code that cannot return it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class OperatorError(CaissonError):
    """Whoever runs the system must act; the message says how."""


class SystemFileError(OperatorError):
    """The system file is wrong. `str()` is one `file:line:column: expected …, found …` line a problem."""


class ConfigurationError(OperatorError):
    """Signed configuration or orders cannot be used."""


class ChannelError(OperatorError):
    """A channel cannot carry what it must."""


class LedgerError(OperatorError):
    """Budgets cannot be looked up or changed."""


class LedgerBusy(LedgerError):  # noqa: N818  (a state, which passes)
    """Another process keeps the ledger locked."""


class UpstreamError(OperatorError):
    """The model endpoint failed. `refusal` is what the client is told."""

    def __init__(self, message: str, refusal: Refusal) -> None:
        super().__init__(message)
        self.refusal = refusal


class DeploymentError(OperatorError):
    """A deployment to AWS cannot begin or go on; says what was done and what was not."""


class StartError(OperatorError):
    """The system cannot start on this machine as asked."""


class DeveloperError(CaissonError):
    """A bug of ours."""
