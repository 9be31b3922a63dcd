"""Message types of the channels: versioned, additive, golden-filed (tests/golden/messages).

Fields are never removed, renamed or reordered: add with a default, or take a new version. Field names of model events
are those of LOG-01 and LOG-02, and are what `caisson logs query --json` prints.

>>> decode(encode(ProcessEvent(zone="runtime", change="started", timestamp=0.0))).change
'started'
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec


class Message(msgspec.Struct, kw_only=True, frozen=True, tag_field="kind", omit_defaults=False):
    """What every message has. `kind` on the wire is the class's tag."""

    retention: ClassVar[str] = "metadata"
    """Retention class of LOG-08: text, metadata, guardrail, judge, chain, injection, access, aggregate."""

    timestamp: float
    """Unix time in seconds, UTC, of the writer's clock."""
    message_id: str = ""
    """Unique per message; the channel fills it in when empty (`<writer>-<incarnation>-<sequence>`)."""


class GuardrailAction(msgspec.Struct, kw_only=True, frozen=True):
    """One evaluation that really ran, passes too (LOG-02); or content that none ran on, said as such."""

    guardrail_id: str
    guardrail_version: str
    stage: Literal["input", "output"]
    decision: Literal["pass", "masked", "blocked", "flagged", "not_inspected"]
    """`not_inspected`: nothing can evaluate it, and the system file lets it through."""
    rule: str = ""
    """`credentials.aws-access-key-id`, `pii.EMAIL`, `words.project-falcon`, `injection.override`; empty for a pass."""
    confidence: float = 1.0
    """0 to 1."""
    rationale: str = ""
    """Why, without the matched text."""
    location: str = ""
    """JSON path of the inspected part in the request or answer."""
    count: int = 1
    """How many spans this row stands for."""
    latency_ms: float = 0.0


class ModelEvent(Message, kw_only=True, frozen=True):
    """Fields of LOG-01, shared by the request's and the response's event."""

    retention: ClassVar[str] = "text"

    request_id: str
    user_identity: str
    """Verified user behind the application."""
    service_identity: str
    """`arn:aws:iam::000000000000:role/<system>/<agent>/<task>`."""
    session_id: str
    model_id: str
    """The system file's id, as the client asked for it."""
    system_prompt_hash: str
    """SHA-256 hex of the canonical JSON of the system blocks; empty when there are none."""
    risk_tier: int
    operation: str
    """Converse, ConverseStream, InvokeModel, InvokeModelWithResponseStream, ApplyGuardrail, CountTokens."""
    configuration_version: int
    input_text: str = ""
    """Raw before any guardrail in the request's event; sealed, and redacted when archived."""
    input_tokens: int = 0
    output_text: str = ""
    output_tokens: int = 0
    latency_ms: float = 0.0
    guardrail_actions: tuple[GuardrailAction, ...] = ()
    metadata: dict[str, str] = {}
    """Upstream that answered, client's request metadata, cost, stop reason, source address class."""


class RequestEvent(ModelEvent, tag="model.request.v1", kw_only=True, frozen=True):
    """Step 5: recorded before any guardrail sees the request."""

    deadline: float
    """Unix time after which a missing response means that the request was lost, not open."""


class ResponseEvent(ModelEvent, tag="model.response.v1", kw_only=True, frozen=True):
    """Step 11: recorded before the last byte of the answer leaves."""

    outcome: Literal["answered", "blocked", "refused", "failed", "cancelled", "lost"]
    """`lost`: written at the next start for a request that a dead worker left open."""
    error: str = ""
    """Wire error code when the outcome is refused or failed."""
    rule: str = ""
    """The rule that refused or blocked."""
    step: str = ""
    """The step of the request path that ended it."""
    rationale: str = ""
    cost_usd: float | None = None
    """None when no price is known for the model: unknown, never zero."""


class RefusalEvent(Message, tag="refusals.v1", kw_only=True, frozen=True):
    """Refusals of unauthenticated callers, aggregated so that nobody fills the spool without credentials."""

    count: int
    error: str
    rule: str
    window_s: float
    """Seconds that the aggregate covers, ending at `timestamp`."""
    sources: dict[str, int] = {}
    """Refusals per source address, at most 32 of them, the rest under `other`."""
    sample_request_ids: tuple[str, ...] = ()
    """At most 16."""


class SessionEvent(Message, tag="session.v1", kw_only=True, frozen=True):
    """A session begins, narrows, is revoked or ends."""

    retention: ClassVar[str] = "access"

    change: Literal["opened", "narrowed", "revoked", "ended", "refused"]
    session_id: str
    user_identity: str
    service_identity: str = ""
    parent_session_id: str = ""
    method: str = ""
    """How the user was verified: `socket`, `oidc`, `session`."""
    expires: float = 0.0
    reason: str = ""


class ConfigurationEvent(Message, tag="configuration.v1", kw_only=True, frozen=True):
    """A zone applied or refused signed configuration or orders (IAM-03, IAM-08)."""

    retention: ClassVar[str] = "access"

    zone: str
    change: Literal["published", "applied", "refused", "expired", "restored"]
    role: Literal["configuration", "orders"]
    version: int
    sha256: str = ""
    author: str = ""
    reason: str = ""
    approvers: tuple[str, ...] = ()
    """Operator keys that signed the version."""
    changes: tuple[str, ...] = ()
    """Before and after, one line a changed value, bounded (IAM-08)."""
    affected_agents: tuple[str, ...] = ()


class ProcessEvent(Message, tag="process.v1", kw_only=True, frozen=True):
    """A zone process starts, stops or is restarted."""

    zone: str
    change: Literal["started", "stopped", "restarted", "failed"]
    detail: dict[str, str] = {}


class CheckpointFinding(Message, tag="checkpoint.v1", kw_only=True, frozen=True):
    """Logging to control: a signed checkpoint of the log tree, kept where logging cannot rewrite it (LOG-07)."""

    size: int
    """Leaves in the tree."""
    root: str
    """Hex of the RFC 9162 tree head."""
    signature: str
    """The logging zone's Ed25519 signature over the checkpoint's text, base64."""


class FaultEvent(Message, tag="fault.v1", kw_only=True, frozen=True):
    """A channel's reader found something on it that no honest writer wrote (LOG-07).

    The logging zone states what it finds itself; what the control zone finds arrives as that zone's record.
    """

    fault: str
    """`forged`, `damaged`, `missing`, `replayed`, `reordered`."""
    writer: str
    where: str
    """Segment and byte offset."""
    detail: str = ""


class HeadEvent(Message, tag="head.v1", kw_only=True, frozen=True):
    """A writer's signed chain head as the logging zone received it: ties events to the writer's key (LOG-07)."""

    writer: str
    incarnation: str
    previous_incarnation: str
    previous_length: int
    previous_chain: str
    length: int
    chain: str
    closed: bool
    key_id: str
    signature: str


class KeyEvent(Message, tag="key.v1", kw_only=True, frozen=True):
    """A zone's public signing key, recorded before what it signed, so that old heads stay verifiable (LOG-07)."""

    retention: ClassVar[str] = "access"

    zone: str
    key_id: str
    public_key: str
    """Raw Ed25519 public key, base64."""


AnyMessage = (
    RequestEvent
    | ResponseEvent
    | RefusalEvent
    | SessionEvent
    | ConfigurationEvent
    | ProcessEvent
    | CheckpointFinding
    | FaultEvent
)
"""What a channel carries. Heads and keys are stated by the logging zone alone: no channel delivers one."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyMessage] = msgspec.json.Decoder(AnyMessage)


def encode(message: Message) -> bytes:
    """JSON bytes of a message, with its `kind`."""
    return _encoder.encode(message)


def decode(data: bytes) -> AnyMessage:
    """The message in `data`.

    Raises:
        msgspec.ValidationError: not a message of a known kind and version.
    """
    try:
        return _decoder.decode(data)
    except UnicodeDecodeError as error:  # msgspec checks keys and values for UTF-8 without naming it a decoding error
        raise msgspec.ValidationError("expected UTF-8") from error


def to_dict(message: Message) -> dict[str, Any]:
    """JSON-compatible fields of a message, `kind` included."""
    result: dict[str, Any] = msgspec.to_builtins(message)
    return result
