"""What all InvokeModel families share around their own JSON (API_runtime_InvokeModel, API_runtime_PayloadPart)."""

from __future__ import annotations

import base64
from typing import Any

from caisson.zones.z2_runtime.eventstream import event_frame

Json = dict[str, Any]

INTERVENED = "guardrail_intervened"


def chunk_frame(payload: bytes) -> bytes:
    """A `chunk` event that carries the family's JSON, base64 as JSON blobs are."""
    return event_frame("chunk", b'{"bytes":"' + base64.b64encode(payload) + b'"}')


def guardrail_fields(stop_reason: str, trace: Json | None) -> Json:
    """What Bedrock adds to a family's body when a guardrail ran (User Guide: Use a guardrail with InvokeModel)."""
    fields: Json = {"amazon-bedrock-guardrailAction": "INTERVENED" if stop_reason == INTERVENED else "NONE"}
    if trace is not None:
        fields["amazon-bedrock-trace"] = {"guardrail": trace}
    return fields
