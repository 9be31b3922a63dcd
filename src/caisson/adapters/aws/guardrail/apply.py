"""One ApplyGuardrail call (API_runtime_ApplyGuardrail).

- `outputScope: FULL`, so that what was looked for and not found is evidence too.
- Texts count as covered only when the answer says that all their characters were guarded.

>>> await ApplyGuardrail(calls).apply(pin, ("hello",), "input")  # doctest: +SKIP
Applied(outputs=(), actions=(GuardrailAction(…, decision='pass'),), is_whole=True)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from msgspec import Meta

from caisson.adapters.aws.bedrock.assessment import (
    UNEXPLAINED,
    Assessment,
    Coverage,
    Stage,
    actions_of,
    blocked_of,
)
from caisson.adapters.aws.bedrock.calls import BedrockCalls
from caisson.adapters.embedded.model import failures
from caisson.channels.messages import GuardrailAction
from caisson.ports.model import PinnedGuardrail

ASSESSMENTS_MAX = 1_000
_SOURCES: dict[Stage, str] = {"input": "INPUT", "output": "OUTPUT"}


class _Output(msgspec.Struct):
    text: str = ""


class _Answer(msgspec.Struct, rename="camel"):
    action: Literal["NONE", "GUARDRAIL_INTERVENED"]
    assessments: Annotated[list[Assessment], Meta(max_length=ASSESSMENTS_MAX)]
    outputs: list[_Output] = []
    guardrail_coverage: Coverage | None = None


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What the guardrail did with the texts of one call."""

    outputs: tuple[str, ...]
    """What should stand instead of them, when something was masked."""
    actions: tuple[GuardrailAction, ...]
    """The rows of the evaluation."""
    is_whole: bool
    """All characters were guarded."""

    @property
    def blocked(self) -> GuardrailAction | None:
        """The row that stops the texts."""
        return blocked_of(self.actions)

    @property
    def masked(self) -> bool:
        """Something in the texts was replaced."""
        return any(row.decision == "masked" for row in self.actions)


_answers = msgspec.json.Decoder(_Answer)


class ApplyGuardrail:
    """The operation."""

    def __init__(self, calls: BedrockCalls) -> None:
        """Args:
        calls: how Bedrock is called; closed by whoever made it.
        """
        self._calls = calls

    async def apply(self, pin: PinnedGuardrail, texts: Sequence[str], stage: Stage) -> Applied:
        """Have texts evaluated as one.

        Raises:
            UpstreamError: the service failed, or its answer makes no sense.
        """
        identifier = quote(pin.identifier, safe="-._~")
        asked = {
            "source": _SOURCES[stage],
            "content": [{"text": {"text": text}} for text in texts],
            "outputScope": "FULL",
        }
        path = f"/guardrail/{identifier}/version/{quote(pin.version, safe='-._~')}/apply"
        body = await self._calls.whole(path, msgspec.json.encode(asked))
        try:
            answer = _answers.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise failures.nonsense("the guardrail's answer has not the shape that the service declares") from error
        name = pin.identifier.rpartition("/")[2]
        rows = [
            row
            for assessment in answer.assessments
            for row in actions_of(assessment, guardrail=(name, pin.version), stage=stage)
        ]
        acted = any(row.decision in ("blocked", "masked") for row in rows)
        if answer.action == "GUARDRAIL_INTERVENED" and not acted:
            rows.append(
                GuardrailAction(
                    guardrail_id=name,
                    guardrail_version=pin.version,
                    stage=stage,
                    decision="blocked",
                    rule=UNEXPLAINED,
                    rationale="the guardrail intervened and did not say why",
                )
            )
        coverage = answer.guardrail_coverage
        return Applied(
            outputs=tuple(output.text for output in answer.outputs),
            actions=tuple(rows),
            # Without an assessment nothing shows that anything ran.
            is_whole=bool(answer.assessments) and coverage is not None and coverage.is_whole,
        )
