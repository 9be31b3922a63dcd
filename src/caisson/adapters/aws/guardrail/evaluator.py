"""The port for whole texts, by ApplyGuardrail in both directions.

Nothing leaves before its content block is complete: the service has no rule that a window would satisfy.

>>> guardrail = BedrockGuardrail({"main": pin}, {"main": ("no", "no")}, ApplyGuardrail(calls))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from caisson.adapters.aws.bedrock.assessment import Stage
from caisson.adapters.aws.guardrail.apply import ApplyGuardrail
from caisson.adapters.aws.guardrail.texts import Judged, Located, judge
from caisson.adapters.embedded.model import failures
from caisson.channels.messages import GuardrailAction
from caisson.errors import DeveloperError
from caisson.ports.guardrail import Guardrail, Inspection, InspectionContext, OutputInspection, Part
from caisson.ports.model import PinnedGuardrail

HELD_CHARACTERS_MAX = 1_048_576
"""Bound on one held block."""
ANSWER_CALLS_MAX = 256
"""Texts of one answer that are inspected one by one; a tool's input may hold many."""


class BedrockGuardrail(Guardrail):
    """Guardrails of AWS by their names in the system file."""

    def __init__(
        self,
        pins: Mapping[str, PinnedGuardrail],
        messages: Mapping[str, tuple[str, str]],
        apply: ApplyGuardrail,
    ) -> None:
        """Args:
        pins: the guardrail on AWS of each name.
        messages: what a client reads instead of blocked input and output, of each name.
        apply: the operation.
        """
        self._pins = pins
        self._messages = messages
        self._apply = apply

    def covers(self, guardrail: str) -> bool:
        """Whether the system file names a guardrail of AWS for this one."""
        return guardrail in self._pins

    async def inspect_input(self, parts: Sequence[Part], context: InspectionContext) -> Inspection:
        """See the port."""
        return await self._inspect(parts, context, "input")

    async def inspect_output(self, parts: Sequence[Part], context: InspectionContext) -> Inspection:
        """See the port."""
        return await self._inspect(parts, context, "output")

    def open_output(self, context: InspectionContext, restorable: Mapping[str, str]) -> BedrockOutput:
        """See the port. Pseudonyms are ours, so nothing is restored here."""
        return BedrockOutput(self, self._pin(context.guardrail))

    def messages(self, guardrail: str) -> tuple[str, str]:
        """See the port."""
        try:
            return self._messages[guardrail]
        except KeyError:
            raise DeveloperError(f"expected a guardrail of the system file, found {guardrail!r}") from None

    async def judge(self, pin: PinnedGuardrail, given: Sequence[Located], stage: Stage) -> Judged:
        """What AWS makes of the texts.

        Raises:
            UpstreamError: it could not answer.
        """
        return await judge(self._apply, pin, given, stage)

    async def _inspect(self, parts: Sequence[Part], context: InspectionContext, stage: Stage) -> Inspection:
        given = [Located(text=part.text, path=part.path) for part in parts]
        judged = await self.judge(self._pin(context.guardrail), given, stage)
        total = sum(len(part.text) for part in parts)
        return Inspection(
            texts=judged.texts,
            blocked=judged.blocked,
            actions=judged.actions,
            guarded_characters=total - judged.uncovered_characters,
            total_characters=total,
        )

    def _pin(self, guardrail: str) -> PinnedGuardrail:
        try:
            return self._pins[guardrail]
        except KeyError:
            raise DeveloperError(f"expected a guardrail that names one of AWS, found {guardrail!r}") from None


class BedrockOutput(OutputInspection):
    """See the port."""

    def __init__(self, guardrail: BedrockGuardrail, pin: PinnedGuardrail) -> None:
        self._guardrail = guardrail
        self._pin = pin
        self._held: dict[int, list[str]] = {}
        self._held_characters = 0
        self._passed: dict[str, str] = {}
        """Texts of this answer that were inspected, with what may stand for them: keys repeat in tool input."""
        self._calls = 0
        self._blocked: GuardrailAction | None = None
        self._actions: list[GuardrailAction] = []

    async def feed(self, block: int, text: str) -> str:
        """See the port. Holds everything."""
        if self._blocked is None:
            self._held_characters += len(text)
            if self._held_characters > HELD_CHARACTERS_MAX:
                raise failures.nonsense(f"an answer of over {HELD_CHARACTERS_MAX} characters to inspect")
            self._held.setdefault(block, []).append(text)
        return ""

    async def finish(self, block: int) -> str:
        """See the port."""
        return await self._inspected("".join(self._held.pop(block, ())), f"content[{block}].text")

    async def whole(self, text: str, path: str) -> str:
        """See the port."""
        return await self._inspected(text, path)

    @property
    def blocked(self) -> GuardrailAction | None:
        """See the port."""
        return self._blocked

    @property
    def actions(self) -> tuple[GuardrailAction, ...]:
        """See the port."""
        return tuple(self._actions)

    async def _inspected(self, text: str, path: str) -> str:
        if self._blocked is not None:
            return ""
        if text in self._passed:
            return self._passed[text]
        if not text.strip():
            return text
        self._calls += 1
        if self._calls > ANSWER_CALLS_MAX:
            raise failures.nonsense(f"an answer with over {ANSWER_CALLS_MAX} texts to inspect")
        judged = await self._guardrail.judge(self._pin, [Located(text=text, path=path)], "output")
        self._actions += judged.actions
        if judged.uncovered_characters:
            raise failures.unavailable("the guardrail on AWS did not say that it inspected the whole answer")
        self._blocked = judged.blocked
        if self._blocked is not None:
            return ""
        self._passed[text] = judged.texts[0]
        return judged.texts[0]
