"""What an event keeps when it is archived (LOG-09).

- Every string is redacted unless its field is named in `KEPT`; a field added later is redacted until someone decides.
- Keys of free-form maps (`metadata`, `detail`) come from callers, so they are redacted like values.
- Pseudonyms are consistent within a session and tell nothing across sessions.

`redactions` says how many spans were replaced.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from caisson.errors import DeveloperError
from caisson.policy.canonical import INTEGER_MAX

KEYS_CACHED_MAX = 4_096
CLEAN_CACHED_MAX = 4_096
CLEAN_CHARACTERS_MAX = 128
_PLAIN = frozenset({float, bool, type(None)})
"""Types of values that hold no text and stay as they are."""

KEPT = frozenset({
    "kind", "message_id", "request_id", "user_identity", "service_identity", "session_id", "parent_session_id",
    "model_id", "system_prompt_hash", "operation", "outcome", "error", "rule", "step", "guardrail_id",
    "guardrail_version", "stage", "decision", "zone", "change", "role", "sha256", "method", "author", "approvers",
    "affected_agents", "root", "signature", "sources", "sample_request_ids",
})  # fmt: skip
"""Identifiers, codes and hashes: what an investigation joins by. Source addresses are kept on purpose."""
FREE_FORM = frozenset({"metadata", "detail"})
"""Maps whose keys are text too."""


class Redactor(Protocol):
    """`caisson.detect.redaction.Redactor`."""

    def redact(self, text: str, pseudonym_key: bytes) -> tuple[str, int]:
        """The text with credentials and personal data replaced, and how many spans that were."""
        ...


class EventRedactor:
    """Redacts events of all kinds."""

    def __init__(self, redactor: Redactor, secret: bytes) -> None:
        self._redactor = redactor

        @lru_cache(maxsize=KEYS_CACHED_MAX)
        def key_of(session_id: str) -> bytes:
            info = b"caisson log pseudonyms v1 " + session_id.encode()
            return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)

        self._key_of = key_of
        self._clean: OrderedDict[str, None] = OrderedDict()

    def _text(self, text: str, key: bytes) -> tuple[str, int]:
        """Redact one text. Short ones come again and again (paths, names, reasons): clean ones are remembered."""
        short = len(text) <= CLEAN_CHARACTERS_MAX
        if short and text in self._clean:
            self._clean.move_to_end(text)
            return text, 0
        redacted, count = self._redactor.redact(text, key)
        if short and count == 0:
            self._clean[text] = None
            if len(self._clean) > CLEAN_CACHED_MAX:
                self._clean.popitem(last=False)
        return redacted, count

    def redact(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The event as it is archived, canonical JSON values only."""
        key = self._key_of(str(event.get("session_id", "")))
        redactions = 0

        def clean(value: Any, kept: bool) -> Any:
            nonlocal redactions
            kind = type(value)
            if kind is str:
                if kept or not value:
                    return value
                text, count = self._text(value, key)
                redactions += count
                return text
            if kind in _PLAIN:
                return value
            if kind is int:
                return value if -INTEGER_MAX <= value <= INTEGER_MAX else str(value)
            if kind is dict:
                return fields(value, kept)
            if kind is list or kind is tuple:
                return [clean(item, kept) for item in value]
            raise DeveloperError(f"expected JSON values in an event, found {kind.__name__}")

        def fields(values: Mapping[str, Any], kept: bool) -> dict[str, Any]:
            cleaned = dict(values)
            for name, value in values.items():
                kind = type(value)
                if kind in _PLAIN or (kind is str and (kept or name in KEPT)):
                    continue  # most fields are: nothing is called for them
                cleaned[name] = clean(value, kept or name in KEPT)
            return cleaned

        def free_form(value: dict[str, Any]) -> dict[str, Any]:
            return {clean(name, False): clean(item, False) for name, item in value.items()}

        maps = {name: event[name] for name in FREE_FORM if type(event.get(name)) is dict}
        archived = fields({**event, **dict.fromkeys(maps)}, False)
        archived.update({name: free_form(value) for name, value in maps.items()})
        archived["redactions"] = redactions
        return archived
