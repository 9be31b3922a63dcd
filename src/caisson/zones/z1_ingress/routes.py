"""The route table: everything the gateway's listener answers (NET-07). There is no pass-through.

>>> match("POST", b"/model/amazon.nova-lite-v1%3A0/converse")
Route(kind='model', operation=<Operation.CONVERSE: 'Converse'>, target='amazon.nova-lite-v1:0')
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote_to_bytes

from caisson.errors import Refusal, WireError
from caisson.zones.z2_runtime.operations import Operation

PATH_BYTES_MAX = 4_096
TARGET_CHARACTERS_MAX = 2_048
"""Longest modelId of the Converse API (API_runtime_Converse)."""
ROUTES_CACHED_MAX = 512
"""Request lines remembered; each is at most as long as a server takes, so this is bounded in bytes as well."""

Kind = Literal["model", "guardrail", "chat", "models", "sts", "health", "ready", "metrics"]


@dataclass(frozen=True)
class Route:
    """Where a request goes."""

    kind: Kind
    operation: Operation | None = None
    target: str = ""
    """Model id or guardrail identifier, percent-decoded once; empty where the body has it."""

    @property
    def speaks_openai(self) -> bool:
        """Errors have OpenAI's shape."""
        return self.kind in ("chat", "models")


MODEL_ACTIONS = {
    b"converse": Operation.CONVERSE,
    b"converse-stream": Operation.CONVERSE_STREAM,
    b"invoke": Operation.INVOKE_MODEL,
    b"invoke-with-response-stream": Operation.INVOKE_MODEL_STREAM,
    b"count-tokens": Operation.COUNT_TOKENS,
}
FIXED: dict[tuple[str, bytes], Route] = {
    ("POST", b"/"): Route("sts"),
    ("POST", b"/openai/v1/chat/completions"): Route("chat", Operation.CHAT),
    ("POST", b"/v1/chat/completions"): Route("chat", Operation.CHAT),
    ("GET", b"/openai/v1/models"): Route("models"),
    ("GET", b"/v1/models"): Route("models"),
    ("GET", b"/healthz"): Route("health"),
    ("GET", b"/readyz"): Route("ready"),
    ("GET", b"/metrics"): Route("metrics"),
}
_PATHS = frozenset(path for _, path in FIXED)


@lru_cache(maxsize=ROUTES_CACHED_MAX)
def match(method: str, raw_path: bytes) -> Route | Refusal:
    """The route of a request line, or why there is none."""
    if len(raw_path) > PATH_BYTES_MAX:
        return _unknown("The path is too long.")
    fixed = FIXED.get((method, raw_path))
    if fixed is not None:
        return fixed
    segments = raw_path.split(b"/")
    found: Route | Refusal | None = None
    match segments:
        case [b"", b"model", target, action] if action in MODEL_ACTIONS:
            found = _target("model", MODEL_ACTIONS[action], target)
        case [b"", b"guardrail", target, b"version", version, b"apply"] if version:
            found = _target("guardrail", Operation.APPLY_GUARDRAIL, target)
        case _:
            pass
    if found is None and raw_path not in _PATHS:
        return _unknown("This endpoint has no such operation.")
    if found is None or method != "POST":
        return Refusal(
            error=WireError.METHOD_NOT_ALLOWED,
            rule="route.method",
            message=f"Method {method[:16]!r} is not for this path.",
        )
    return found


def _target(kind: Kind, operation: Operation, segment: bytes) -> Route | Refusal:
    try:
        target = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return _unknown("The identifier in the path is not UTF-8.")
    if not target or len(target) > TARGET_CHARACTERS_MAX or not target.isprintable():
        return _unknown("The identifier in the path is empty, too long or not printable.")
    return Route(kind, operation, target)


def _unknown(message: str) -> Refusal:
    return Refusal(error=WireError.UNKNOWN_OPERATION, rule="route.unknown", message=message)
