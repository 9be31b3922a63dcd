"""Inspection of what goes to and comes from a model (NET-02, DAT-03, SEC-04, LOG-02).

The same guardrail configuration gives the same response shape in every adapter. Output is inspected as a stream; a
whole answer is a stream of one piece, so both modes run the same code.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from caisson.channels.messages import GuardrailAction
from caisson.system.identity import Classification

Role = Literal["system", "user", "assistant", "tool", "document"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One inspected string of a request or an answer."""

    text: str
    role: Role
    """Whose words these are; documents and tool results are hostile data."""
    path: str
    """JSON path in the request, `messages[0].content[1].text`."""


class InspectionContext(msgspec.Struct, frozen=True, kw_only=True):
    """What an inspection needs besides the text."""

    session_id: str
    pseudonym_key: bytes
    """32 bytes, one per session: pseudonyms are consistent within a session and tell nothing across sessions."""
    guardrail: str
    """Name of the guardrail in the system file."""
    model_follows: bool = True
    """Whether what passes goes to a model, where a guardrail of the endpoint may evaluate some of it."""
    clearance: Classification | None = None
    """Highest classification that the caller may read; None where the system file compares nothing."""
    prompt: str = ""
    """For an answer: the system prompt that the model was given, which the answer must not repeat (DAT-06)."""
    known: tuple[str, ...] = ()
    """For an answer: what the user wrote and brought, which is no secret."""


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict over a request's parts."""

    texts: tuple[str, ...]
    """The parts' texts, in order, with masked spans replaced. Same length as the parts."""
    blocked: GuardrailAction | None
    """The action that stops the request."""
    actions: tuple[GuardrailAction, ...]
    """Every evaluation that ran; one `pass` row when nothing was found."""
    restorable: Mapping[str, str] = {}
    """Pseudonym to original value, for values found in user-role text of this request only. Memory only."""
    guarded_characters: int = 0
    """Characters inspected; must equal `total_characters`."""
    total_characters: int = 0


class OutputInspection(ABC):
    """Inspection of one answer. Text enters in pieces and leaves only when every rule with a say has answered.

    For every way of cutting the text into pieces, the concatenated results are the same.
    """

    @abstractmethod
    async def feed(self, block: int, text: str) -> str:
        """Take the next piece of content block `block`; return what may leave now. Nothing more once `blocked`."""

    @abstractmethod
    async def finish(self, block: int) -> str:
        """Content block `block` is complete; return the rest of it."""

    async def last(self, block: int, text: str) -> str:
        """`feed` and `finish` in one."""
        return await self.feed(block, text) + await self.finish(block)

    @abstractmethod
    async def whole(self, text: str, path: str) -> str:
        """Inspect a value that cannot be cut (a string in tool input); return it with masked spans replaced.

        Pseudonyms are never restored in it.
        """

    @property
    @abstractmethod
    def blocked(self) -> GuardrailAction | None:
        """The action that stopped the answer. What had left before is all that ever leaves."""

    @property
    @abstractmethod
    def actions(self) -> tuple[GuardrailAction, ...]:
        """Every evaluation that ran so far; complete after the last `finish`."""


class Guardrail(ABC):
    """Evaluates the guardrails of one configuration version."""

    @abstractmethod
    async def inspect_input(self, parts: Sequence[Part], context: InspectionContext) -> Inspection:
        """Inspect every part of a request, every role.

        Raises:
            UpstreamError: the evaluator could not answer; the request must stop.
        """

    async def inspect_output(self, parts: Sequence[Part], context: InspectionContext) -> Inspection:
        """Inspect whole texts as a model's output (ApplyGuardrail with source OUTPUT): one stream of one piece each.

        Raises:
            UpstreamError: as `inspect_input`.
        """
        output, texts = self.open_output(context, {}), []
        for block, part in enumerate(parts):
            texts.append(await output.last(block, part.text))
        inspected = sum(len(part.text) for part in parts)
        return Inspection(
            texts=tuple(texts),
            blocked=output.blocked,
            actions=output.actions,
            guarded_characters=inspected,
            total_characters=inspected,
        )

    @abstractmethod
    def open_output(self, context: InspectionContext, restorable: Mapping[str, str]) -> OutputInspection:
        """Begin the inspection of one answer."""

    @abstractmethod
    def messages(self, guardrail: str) -> tuple[str, str]:
        """What a client reads instead of blocked input and of blocked output."""
