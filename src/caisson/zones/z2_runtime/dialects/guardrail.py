"""ApplyGuardrail (API_runtime_ApplyGuardrail): content to inspect without a model.

The content becomes one message, of the user for `INPUT` and of the assistant for `OUTPUT`, so that the same parts are
inspected as in a conversation.

>>> body = b'{"source": "INPUT", "content": [{"text": {"text": "hello"}}]}'
>>> parse(body, "main").parts()[0].path
'messages[0].content[0].guardContent.text.text'
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from caisson.errors import Refusal
from caisson.ports.guardrail import Inspection
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects.assessment import assessment, coverage, intervened, usage
from caisson.zones.z2_runtime.dialects.schema import BLOCKS_MAX, GuardText
from caisson.zones.z2_runtime.dialects.shape import Shape, decode, parsed
from caisson.zones.z2_runtime.operations import Operation


class GuardrailBlock(Shape):
    """One block of content; images are refused."""

    text: GuardText


class ApplyGuardrailRequest(Shape):
    """The body."""

    source: Literal["INPUT", "OUTPUT"]
    content: Annotated[list[GuardrailBlock], Meta(min_length=1, max_length=BLOCKS_MAX)]
    output_scope: Literal["INTERVENTIONS", "FULL"] | UnsetType = UNSET


_decoder = msgspec.json.Decoder(ApplyGuardrailRequest)


def parse(body: bytes, guardrail: str) -> Conversation | Refusal:
    """The request in `body`, or where and why it is refused."""
    return parsed(lambda: _conversation(decode(body, _decoder), guardrail))


def _conversation(request: ApplyGuardrailRequest, guardrail: str) -> Conversation:
    role = "user" if request.source == "INPUT" else "assistant"
    content = [{"guardContent": block} for block in msgspec.to_builtins(request.content)]
    return Conversation(
        operation=Operation.APPLY_GUARDRAIL,
        model_id=guardrail,
        messages=({"role": role, "content": content},),
        source=request.source,
        output_scope="INTERVENTIONS" if request.output_scope is UNSET else request.output_scope,
    )


def render(inspection: Inspection, message: str) -> bytes:
    """The body of the ApplyGuardrail response. `message` stands for content that was blocked."""
    actions, total = inspection.actions, inspection.total_characters
    acted = intervened(actions)
    if inspection.blocked is not None:
        outputs = [{"text": message}]
    else:
        outputs = [{"text": text} for text in inspection.texts] if acted else []
    decided = "blocked" if inspection.blocked is not None else "masked"
    body = {
        "usage": usage(total),
        "action": "GUARDRAIL_INTERVENED" if acted else "NONE",
        "actionReason": f"Guardrail {decided}." if acted else "No action.",
        "outputs": outputs,
        "assessments": [assessment(actions, guarded=inspection.guarded_characters, total=total)],
        "guardrailCoverage": coverage(inspection.guarded_characters, total),
    }
    return msgspec.json.encode(body)
