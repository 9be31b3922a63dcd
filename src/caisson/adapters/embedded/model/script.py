"""A model that plays what a file declares, friendly or hostile (script_file.py has the file's shape).

It keeps to nothing but the file: not to the token limit, not to stop sequences, not to good manners. That is the point.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from caisson.adapters.embedded.model import failures
from caisson.adapters.embedded.model.events import START, Json, closing, reasoning_block, text_block, tool_block, words
from caisson.adapters.embedded.model.prompt import Prompt
from caisson.adapters.embedded.model.script_file import (
    VARIABLE,
    Answer,
    Cut,
    Failure,
    Piece,
    Reply,
    Script,
    When,
    compiled,
    load,
)
from caisson.errors import UpstreamError
from caisson.policy.tokens import estimate_tokens
from caisson.ports.clock import Clock
from caisson.ports.model import Model, ModelAnswer, ModelRequest, Usage

ANSWER_CHARACTERS_MAX = 1_048_576
"""Of one text after its variables were filled in; a prompt may be echoed many times."""
TAGS_MAX = 100

_TAG = re.compile(r"\[[A-Z][A-Z0-9_]*_[0-9a-f]{6,12}\]")

Sleep = Callable[[float], Awaitable[None]]


class ScriptModel(Model):
    """Declared answers."""

    name = "script"

    def __init__(self, script: Script, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._script = script
        self._clock = clock
        self._sleep = sleep
        self._patterns = {
            rule.when.matches: compiled(rule.when.matches) for rule in script.rules if rule.when.matches is not None
        }

    @classmethod
    def load(cls, path: Path, clock: Clock) -> ScriptModel:
        """Play the file at `path`.

        Raises:
            StartError: the file is wrong; the message has line and column.
        """
        return cls(load(path), clock)

    async def converse(self, request: ModelRequest) -> ModelAnswer:
        began = self._clock.monotonic()
        prompt = Prompt.of(request)
        reply = self._reply(prompt, request.model_id)
        if reply.error is not None or reply.answer is None:
            raise _failure(reply.error)
        await self._wait(reply.answer)
        pieces = _filled(reply.answer, prompt)
        return ModelAnswer(
            content=tuple(_block(index, piece) for index, piece in enumerate(pieces)),
            stop_reason=_stop_reason(reply.answer, pieces),
            usage=_usage(reply.answer, prompt, pieces),
            latency_ms=(self._clock.monotonic() - began) * 1000,
        )

    async def converse_stream(self, request: ModelRequest) -> AsyncGenerator[Json, None]:
        began = self._clock.monotonic()
        prompt = Prompt.of(request)
        reply = self._reply(prompt, request.model_id)
        if reply.answer is None:
            raise _failure(reply.error)
        pieces = _filled(reply.answer, prompt)
        left = None if reply.error is None else reply.error.after_characters
        yield START
        for event in _events(pieces, reply.answer.cut):
            if "contentBlockDelta" in event:
                await self._wait(reply.answer)
                if left is not None:
                    left -= len(_said(event))
                    if left < 0:
                        break
            yield event
        if reply.error is not None:
            raise _failure(reply.error)
        latency_ms = (self._clock.monotonic() - began) * 1000
        for event in closing(_stop_reason(reply.answer, pieces), _usage(reply.answer, prompt, pieces), latency_ms):
            yield event

    async def close(self) -> None:
        """Nothing is held."""

    def _reply(self, prompt: Prompt, model_id: str) -> Reply:
        for rule in self._script.rules:
            if self._holds(rule.when, prompt, model_id):
                return rule
        return self._script.default

    def _holds(self, when: When, prompt: Prompt, model_id: str) -> bool:
        if when.model not in (None, model_id) or when.turn not in (None, prompt.turn):
            return False
        text = prompt.last_user if when.where == "last_user" else prompt.everything()
        if when.contains is not None and when.contains.casefold() not in text.casefold():
            return False
        return when.matches is None or self._patterns[when.matches].search(text) is not None

    async def _wait(self, answer: Answer) -> None:
        if answer.delay_ms:
            await self._sleep(answer.delay_ms / 1000)


def _filled(answer: Answer, prompt: Prompt) -> list[Piece]:
    """The answer's blocks with their variables filled in, once: what is filled in is not read again."""
    values = {
        "system": prompt.system,
        "last_user": prompt.last_user,
        "history": "\n".join(prompt.history),
        "document": "\n".join(document.text for document in prompt.documents),
        "tags": " ".join(list(dict.fromkeys(_TAG.findall(prompt.everything())))[:TAGS_MAX]),
    }

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return VARIABLE.sub(lambda found: values[found[1]], value)[:ANSWER_CHARACTERS_MAX]
        if isinstance(value, list):
            return [fill(item) for item in value]
        if isinstance(value, dict):
            return {fill(key): fill(item) for key, item in value.items()}
        return value

    return msgspec.convert(fill(msgspec.to_builtins(answer.pieces())), list[Piece])


def _tool_use_id(index: int, piece: Piece) -> str:
    return piece.tool_use.id if piece.tool_use is not None and piece.tool_use.id is not None else f"tooluse_{index}"


def _block(index: int, piece: Piece) -> Json:
    if piece.tool_use is not None:
        use = piece.tool_use
        return {"toolUse": {"toolUseId": _tool_use_id(index, piece), "name": use.name, "input": use.input}}
    if piece.reasoning is not None:
        signature = {"signature": piece.reasoning.signature} if piece.reasoning.signature else {}
        return {"reasoningContent": {"reasoningText": {"text": piece.reasoning.text, **signature}}}
    return {"text": piece.text or ""}


def _events(pieces: list[Piece], cut: Cut | None) -> Iterator[Json]:
    for index, piece in enumerate(pieces):
        if piece.tool_use is not None:
            text = msgspec.json.encode(piece.tool_use.input).decode()
            yield from tool_block(index, _tool_use_id(index, piece), piece.tool_use.name, cut_into(text, cut))
        elif piece.reasoning is not None:
            yield from reasoning_block(index, cut_into(piece.reasoning.text, cut), piece.reasoning.signature)
        else:
            yield from text_block(index, cut_into(piece.text or "", cut))


def cut_into(text: str, cut: Cut | None) -> list[str]:
    """The text in the deltas that the script wants; joined they are the text.

    >>> cut_into("abcdef", Cut(at=[2, 3]))
    ['ab', 'c', 'def']
    """
    if cut is None:
        return words(text)
    if cut.every is not None:
        offsets = list(range(0, len(text), cut.every))
    else:
        offsets = sorted({0, *(offset for offset in cut.at or () if offset < len(text))})
    return [text[start:end] for start, end in pairwise([*offsets, len(text)])] if text else []


def _said(event: Json) -> str:
    value = event["contentBlockDelta"]["delta"]
    if "toolUse" in value:
        return str(value["toolUse"]["input"])
    return str(value["text"] if "text" in value else value["reasoningContent"].get("text", ""))


def _stop_reason(answer: Answer, pieces: list[Piece]) -> str:
    asks = any(piece.tool_use is not None for piece in pieces)
    return answer.stop_reason or ("tool_use" if asks else "end_turn")


def _usage(answer: Answer, prompt: Prompt, pieces: list[Piece]) -> Usage:
    if answer.usage is not None:
        return Usage(input_tokens=answer.usage.input_tokens, output_tokens=answer.usage.output_tokens)
    said = "".join(_said(event) for event in _events(pieces, None) if "contentBlockDelta" in event)
    return Usage(input_tokens=prompt.tokens(), output_tokens=estimate_tokens(said))


_FAILURES = {
    "throttling": failures.throttled,
    "timeout": failures.timed_out,
    "unavailable": failures.unavailable,
    "validation": failures.invalid,
    "nonsense": failures.nonsense,
}


def _failure(error: Failure | None) -> UpstreamError:
    kind = "unavailable" if error is None else error.kind
    return _FAILURES[kind](f"the script declares the failure {kind!r}")
