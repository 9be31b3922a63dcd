"""Our own rules first; then, by ApplyGuardrail, what the inline guardrail of Converse leaves out (NET-02).

- Inline, AWS evaluates the text blocks of messages and the answer's text, and nothing else: no system prompt, no tool
  specification, use or result (Bedrock User Guide: guardrails with the Converse API). That list is kept here, and
  whatever is not on it goes through ApplyGuardrail, so that the two shares are always the whole.
- Where no model call follows there is no inline guardrail, and everything goes through ApplyGuardrail.
- What leaves this machine has passed our rules: AWS sees pseudonyms.

>>> evaluated_inline(Part(text="x", role="user", path="messages[0].content[0].text"))
True
>>> evaluated_inline(Part(text="x", role="tool", path="messages[2].content[0].toolResult.content[0].text"))
False
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from caisson.adapters.aws.guardrail.evaluator import BedrockGuardrail, BedrockOutput
from caisson.channels.messages import GuardrailAction
from caisson.ports.guardrail import Guardrail, Inspection, InspectionContext, OutputInspection, Part

_INLINE = re.compile(r"messages\[\d+\]\.content\[\d+\]\.(?:text|guardContent\.text\.text)")
"""Tagged text is sent as plain text (model/request.py)."""
_SIGNATURE = ".reasoningContent.signature"
"""Opaque, and useless when it was changed: evaluating it as language would only find chance."""


def evaluated_inline(part: Part) -> bool:
    """Whether the guardrail that goes along with Converse sees this part."""
    return _INLINE.fullmatch(part.path) is not None


class BesideInline(Guardrail):
    """Two guardrails as one."""

    def __init__(self, first: Guardrail, second: BedrockGuardrail) -> None:
        """Args:
        first: our own.
        second: of AWS, for the names that it covers.
        """
        self._first = first
        self._second = second

    async def inspect_input(self, parts: Sequence[Part], context: InspectionContext) -> Inspection:
        """See the port."""
        return await self._then(await self._first.inspect_input(parts, context), parts, context, output=False)

    async def inspect_output(self, parts: Sequence[Part], context: InspectionContext) -> Inspection:
        """See the port. Asked for by ApplyGuardrail alone, where no model call follows."""
        return await self._then(await self._first.inspect_output(parts, context), parts, context, output=True)

    def open_output(self, context: InspectionContext, restorable: Mapping[str, str]) -> OutputInspection:
        """See the port."""
        first = self._first.open_output(context, restorable)
        if not self._second.covers(context.guardrail):
            return first
        return BesideOutput(first, self._second.open_output(context, {}))

    def messages(self, guardrail: str) -> tuple[str, str]:
        """See the port."""
        return self._first.messages(guardrail)

    async def _then(
        self, found: Inspection, parts: Sequence[Part], context: InspectionContext, *, output: bool
    ) -> Inspection:
        if found.blocked is not None or not self._second.covers(context.guardrail):
            return found
        left = [
            (index, replace(part, text=text))
            for index, (part, text) in enumerate(zip(parts, found.texts, strict=True))
            if not (context.model_follows and evaluated_inline(part))
        ]
        inspect = self._second.inspect_output if output else self._second.inspect_input
        more = await inspect([part for _, part in left], context)
        texts = list(found.texts)
        for (index, _), text in zip(left, more.texts, strict=True):
            texts[index] = text
        return replace(
            found,
            texts=tuple(texts),
            blocked=more.blocked,
            actions=(*found.actions, *more.actions),
            # Uncovered here, a part is uncovered however long it was before our rules.
            guarded_characters=found.guarded_characters - (more.total_characters - more.guarded_characters),
        )


class BesideOutput(OutputInspection):
    """Text is evaluated inline before AWS lets it out; what is held and inspected whole goes through both."""

    def __init__(self, first: OutputInspection, second: BedrockOutput) -> None:
        self._first = first
        self._second = second

    async def feed(self, block: int, text: str) -> str:
        """See the port."""
        return await self._first.feed(block, text)

    async def finish(self, block: int) -> str:
        """See the port."""
        return await self._first.finish(block)

    async def last(self, block: int, text: str) -> str:
        """See the port."""
        return await self._first.last(block, text)

    async def whole(self, text: str, path: str) -> str:
        """See the port."""
        passed = await self._first.whole(text, path)
        if self._first.blocked is not None or path.endswith(_SIGNATURE):
            return passed
        return await self._second.whole(passed, path)

    @property
    def blocked(self) -> GuardrailAction | None:
        """See the port."""
        return self._first.blocked or self._second.blocked

    @property
    def actions(self) -> tuple[GuardrailAction, ...]:
        """See the port."""
        return (*self._first.actions, *self._second.actions)
