"""Step 9, inspect output: no byte leaves before every rule that governs it has answered (NET-02, DAT-06).

- Text runs through the guardrail's hold-back window.
- Tool input is held until complete, decoded, inspected string by string, numbers too, checked against the tool's schema
  and encoded again. A tool that the request did not offer blocks the answer, and so do arguments that its schema does
  not allow. A pseudonym goes back only where the system file declares the argument's type, after inspection.
- A reasoning block is held until complete and leaves unchanged or not at all: a change would break its signature.
- Dialects with one text and one reasoning (chat completions) have all blocks of a kind inspected as one.
- Whatever cannot be inspected blocks.
- A block ends the answer at the offset of the finding, with the guardrail's message and `guardrail_intervened`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
from msgspec.structs import replace

from caisson.channels.messages import GuardrailAction
from caisson.errors import Refusal, UpstreamError, WireError
from caisson.policy.arguments import NESTING_MAX, deeper
from caisson.policy.client_tools import offered, restored
from caisson.ports.guardrail import InspectionContext
from caisson.ports.model import ModelAnswer, Usage
from caisson.zones.z2_runtime.answer import collect, events_of, metadata
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.masked_keys import MaskedKeys

Json = dict[str, Any]

HELD_CHARACTERS_MAX = 1_048_576
"""Bound on one held block (tool input, reasoning)."""
THOUGHTS_CHARACTERS_MAX = 8_192
"""Of earlier reasoning, what a later block is inspected with where a client sees them as one."""
KNOWN_ROLES = frozenset({"user", "document"})
"""Whose words in a request are no secret to who reads the answer."""
INTERVENED = "guardrail_intervened"
STOP_REASONS = frozenset(
    {
        "end_turn", "tool_use", "max_tokens", "stop_sequence", "content_filtered", "malformed_model_output",
        "malformed_tool_use", "model_context_window_exceeded", INTERVENED,
    }
)  # fmt: skip
"""What a model may say (API_runtime_MessageStopEvent); a free string would be a way out for a hostile one."""


async def whole(exchange: Exchange, answer: ModelAnswer) -> ModelAnswer:
    """What of a whole answer may leave.

    Raises:
        UpstreamError: the guardrail could not answer, or the model's answer makes no sense.
    """
    inspector = _Inspector(exchange, whole=True)
    allowed: list[Json] = []
    try:
        for event in events_of(answer):
            allowed += await inspector.event(event)
            if inspector.blocked is not None:
                break
    finally:
        inspector.record()
    return collect(allowed + inspector.closing())


async def streamed(exchange: Exchange, events: AsyncGenerator[Json, None]) -> AsyncGenerator[Json, None]:
    """The events of `events` that may leave.

    Raises:
        UpstreamError: the guardrail could not answer, or the model's events make no sense.
    """
    inspector = _Inspector(exchange, whole=False)
    try:
        async with aclosing(events):
            async for event in events:
                for allowed in await inspector.event(event):
                    yield allowed
                if inspector.blocked is not None:
                    break
    finally:
        inspector.record()
    for closing in inspector.closing():
        yield closing


def refused_input(exchange: Exchange) -> list[Json]:
    """The answer to a request whose input was blocked: the guardrail's message, no model call."""
    message, _ = exchange.snapshot.guardrail.messages(exchange.known()[2].guardrail)
    exchange.stop_reason, exchange.usage = INTERVENED, Usage(input_tokens=0, output_tokens=0)
    return [{"messageStart": {"role": "assistant"}}, *_intervened(0, message, exchange.usage, 0)]


def _intervened(index: int, message: str, usage: Usage, latency_ms: float) -> list[Json]:
    return [
        {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"text": message}}},
        {"contentBlockStop": {"contentBlockIndex": index}},
        {"messageStop": {"stopReason": INTERVENED}},
        {"metadata": metadata(usage, latency_ms)},
    ]


class _Inspector:
    """Turns the model's events into events that may leave. Indexes are renumbered: a removed block leaves no gap.

    Args:
        whole: nobody waits for the first part of a text, so each is inspected once, at its end.
    """

    def __init__(self, exchange: Exchange, *, whole: bool) -> None:
        self._exchange = exchange
        self._whole = whole
        self._kept: list[str] = []
        """Of a whole answer: the text under way."""
        self._declared = exchange.snapshot.system.agents[exchange.known()[1].agent].client_tools
        self._offered = offered(exchange.known()[0].tools)
        self._joins = exchange.known()[0].joins
        self._thoughts = ""
        """Where blocks are joined: the end of the reasoning that left."""
        self._inspection = exchange.snapshot.guardrail.open_output(_context(exchange), exchange.restorable)
        self._own: GuardrailAction | None = None
        self._block: int | None = None
        """The model's index of the block under way; blocks do not interleave."""
        self._kind = ""
        self._held: list[Json] = []
        self._held_characters = 0
        self._tool: Json = {}
        self._next_index = 0
        self._open_text: int | None = None
        """Our index of the text block under way, when something of it may have left."""

    @property
    def blocked(self) -> GuardrailAction | None:
        return self._own or self._inspection.blocked

    def record(self) -> None:
        """Put what was decided on record, however the answer ended."""
        self._exchange.actions.extend(self._inspection.actions)

    def closing(self) -> list[Json]:
        """The events that end an answer which was blocked; none when it was not."""
        exchange = self._exchange
        if self.blocked is None:
            return []
        exchange.blocked = self.blocked
        _, message = exchange.snapshot.guardrail.messages(exchange.known()[2].guardrail)
        exchange.stop_reason = INTERVENED
        usage = exchange.usage or Usage(input_tokens=0, output_tokens=0)
        index = self._next_index if self._open_text is None else self._open_text
        return _intervened(index, message, usage, exchange.upstream_seconds * 1000)

    async def event(self, event: Json) -> list[Json]:
        if "contentBlockDelta" in event:
            return await self._delta(event["contentBlockDelta"])
        if "contentBlockStop" in event:
            return await self._stop(event["contentBlockStop"]["contentBlockIndex"])
        if "contentBlockStart" in event:
            self._start(event["contentBlockStart"])
            return []
        if "messageStart" in event:
            return [{"messageStart": {"role": "assistant"}}]
        if "messageStop" in event:
            rest = await self._stop(self._block) if self._block is not None else []
            if self._joins and self._open_text is not None and self.blocked is None:
                rest += await self._finish_text()
            if self.blocked is not None:
                return rest
            reason = event["messageStop"]["stopReason"]
            if reason not in STOP_REASONS:
                raise _nonsense("an unknown stop reason")
            return [*rest, {"messageStop": {"stopReason": reason}}]
        if "metadata" in event:
            usage = self._exchange.usage or Usage(input_tokens=0, output_tokens=0)
            return [{"metadata": metadata(usage, self._exchange.upstream_seconds * 1000)}]
        raise _nonsense(f"event {sorted(event)!r}")

    def _start(self, start: Json) -> None:
        if self._block is not None:
            raise _nonsense("a block begins inside another")
        tool = start.get("start", {}).get("toolUse")
        if tool is None:
            return
        self._open(start["contentBlockIndex"], "toolUse")
        self._tool = {"toolUseId": str(tool["toolUseId"]), "name": str(tool["name"])}

    def _open(self, index: int, kind: str) -> None:
        self._block, self._kind, self._held, self._held_characters = index, kind, [], 0

    async def _delta(self, event: Json) -> list[Json]:
        index, delta = event["contentBlockIndex"], event["delta"]
        kind = next((name for name in ("text", "toolUse", "reasoningContent") if name in delta), "")
        if not kind:
            self._block_answer("output.uninspectable", f"content of kind {sorted(delta)!r}")
            return []
        if self._block is None:
            self._open(index, kind)
        if index != self._block or kind != self._kind:
            raise _nonsense("content blocks interleave")
        if kind == "text" and self._whole:
            self._kept.append(delta["text"])
            return []
        if kind == "text":
            return self._text(await self._inspection.feed(self._index_of_text(), delta["text"]))
        self._held.append(delta)
        self._held_characters += sum(len(value) for value in delta[kind].values() if isinstance(value, str))
        if self._held_characters > HELD_CHARACTERS_MAX:
            raise _nonsense(f"a held block over {HELD_CHARACTERS_MAX} characters")
        return []

    def _index_of_text(self) -> int:
        if self._open_text is None:
            self._open_text = self._next_index
            self._next_index += 1
        return self._open_text

    def _text(self, text: str) -> list[Json]:
        return [{"contentBlockDelta": {"contentBlockIndex": self._open_text, "delta": {"text": text}}}] if text else []

    async def _stop(self, index: int) -> list[Json]:
        if self._block is None:
            return []  # an empty text block: nothing was said in it
        if index != self._block:
            raise _nonsense("another block ends than the one under way")
        kind, self._block = self._kind, None
        if kind == "text":
            self._index_of_text()  # its place is before what follows, whenever its end is inspected
            return [] if self._joins else await self._finish_text()
        return await (self._finish_tool() if kind == "toolUse" else self._finish_reasoning())

    async def _finish_text(self) -> list[Json]:
        rest, self._kept = "".join(self._kept), []
        allowed = self._text(await self._inspection.last(self._index_of_text(), rest))
        if self.blocked is None:
            allowed.append({"contentBlockStop": {"contentBlockIndex": self._open_text}})
            self._open_text = None
        return allowed

    async def _finish_tool(self) -> list[Json]:
        arguments = self._offered.get(self._tool["name"])
        if arguments is None:
            self._block_answer("tools.undeclared", "the model asks for a tool that the request did not offer")
            return []
        text = "".join(str(delta["toolUse"].get("input", "")) for delta in self._held)
        try:
            value = orjson.loads(text or "{}")
        except orjson.JSONDecodeError:
            self._block_answer("tools.input", "the tool input is not JSON")
            return []
        if deeper(value, NESTING_MAX):
            self._block_answer("tools.input", f"the tool input is nested more than {NESTING_MAX} levels")
            return []
        path = f"content[{self._next_index}].toolUse"
        tool_id = await self._inspection.whole(self._tool["toolUseId"], f"{path}.toolUseId")
        value = await self._inspect_json(value, f"{path}.input")
        value = restored(value, self._declared.get(self._tool["name"]), self._exchange.restorable)
        if self.blocked is None and (problem := arguments.problem(value)) is not None:
            self._block_answer("tools.arguments", problem)
        if self.blocked is not None:
            return []
        index = self._take_index()
        return [
            {
                "contentBlockStart": {
                    "contentBlockIndex": index,
                    "start": {"toolUse": {"toolUseId": tool_id, "name": self._tool["name"]}},
                }
            },
            {
                "contentBlockDelta": {
                    "contentBlockIndex": index,
                    "delta": {"toolUse": {"input": orjson.dumps(value).decode()}},
                }
            },
            {"contentBlockStop": {"contentBlockIndex": index}},
        ]

    async def _inspect_json(self, value: Any, path: str) -> Any:
        if isinstance(value, str):
            return await self._inspection.whole(value, path)
        if isinstance(value, list):
            return [await self._inspect_json(item, f"{path}[{number}]") for number, item in enumerate(value)]
        if isinstance(value, dict):
            passed: Json = {}
            keys = MaskedKeys()
            for key, item in value.items():
                name = keys.of(await self._inspection.whole(key, f"{path} key"))
                passed[name] = await self._inspect_json(item, f"{path}.{key}")
            return passed
        if isinstance(value, bool) or value is None:
            return value
        # A client reads a number as text, so a card number without quotes is inspected like one with them.
        text = repr(value)
        shown = await self._inspection.whole(text, path)
        return value if shown == text else shown

    async def _finish_reasoning(self) -> list[Json]:
        path = f"content[{self._next_index}].reasoningContent"
        for field in ("text", "signature"):
            text = "".join(str(delta["reasoningContent"].get(field, "")) for delta in self._held)
            seen = [text]
            if self._joins and field == "text" and self._thoughts:
                seen.append(self._thoughts + text)  # alone as well: what stands before must not hide its beginning
            for whole in seen:
                if await self._inspection.whole(whole, f"{path}.{field}") != whole or self.blocked is not None:
                    return []
            if self._joins and field == "text":
                self._thoughts = seen[-1][-THOUGHTS_CHARACTERS_MAX:]
        if any("redactedContent" in delta["reasoningContent"] for delta in self._held):
            return []  # opaque bytes from a hostile model: nobody can inspect them
        index = self._take_index()
        deltas = [{"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}} for delta in self._held]
        return [*deltas, {"contentBlockStop": {"contentBlockIndex": index}}]

    def _take_index(self) -> int:
        index, self._next_index = self._next_index, self._next_index + 1
        return index

    def _block_answer(self, rule: str, rationale: str) -> None:
        _, _, context = self._exchange.known()
        self._own = GuardrailAction(
            guardrail_id=context.guardrail,
            guardrail_version=str(self._exchange.snapshot.version),
            stage="output",
            decision="blocked",
            rule=rule,
            rationale=rationale,
        )
        self._exchange.actions.append(self._own)


def _context(exchange: Exchange) -> InspectionContext:
    """With what the model was told and the user knows, where there is a system prompt to repeat."""
    conversation, _, context = exchange.known()
    told = [text for block in conversation.system if (text := _text_of(block))]
    if not told:
        return context
    known = tuple(part.text for part in conversation.parts() if part.role in KNOWN_ROLES)
    return replace(context, prompt="\n".join(told), known=known)


def _text_of(block: Json) -> str:
    return str(block.get("text") or block.get("guardContent", {}).get("text", {}).get("text", ""))


def _nonsense(found: str) -> UpstreamError:
    return UpstreamError(
        f"the model's stream makes no sense: {found}",
        Refusal(
            error=WireError.MODEL_ERROR,
            rule="model.stream",
            message="The model's answer could not be understood; retry.",
        ),
    )
