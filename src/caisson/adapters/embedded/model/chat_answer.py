"""Answers of an OpenAI-compatible server as Converse content and events. The server is hostile: what has not the
declared shape is nonsense, and nonsense is refused (ValueError), never guessed.

- `finish_reason` says how an answer ended; without one it did not end.
- A usage that is missing is replaced by an upper bound, so that a silent server does not spend for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from caisson.adapters.embedded.model.events import Json, delta, stop, tool_start
from caisson.policy.tokens import worst_case_input_tokens
from caisson.ports.model import ModelRequest, Usage

TOOL_CALLS_MAX = 128
"""Calls in one answer; OpenAI's own bound on tools in one request."""

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filtered",
}

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Function(msgspec.Struct):
    """A call's name and its arguments as JSON text; in a stream, pieces of them."""

    name: str | None = None
    arguments: str | None = None


class Call(msgspec.Struct):
    """A tool call; `index` only in a stream."""

    function: Function
    id: str | None = None
    index: Annotated[int, Meta(ge=0, lt=TOOL_CALLS_MAX)] = 0


class Said(msgspec.Struct):
    """A message, or a piece of one."""

    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: Annotated[list[Call], Meta(max_length=TOOL_CALLS_MAX)] | None = None


class Choice(msgspec.Struct):
    """One candidate; only the first is read, because only one is asked for."""

    message: Said | None = None
    delta: Said | None = None
    finish_reason: str | None = None


class Counted(msgspec.Struct):
    """Tokens as the server counted them."""

    prompt_tokens: Count
    completion_tokens: Count


class Completion(msgspec.Struct):
    """A response body or a chunk of a stream. A stream's last chunk has usage and no choices."""

    choices: list[Choice] = []
    usage: Counted | None = None
    error: Any = None


_decoder = msgspec.json.Decoder(Completion)


def decode(data: bytes) -> Completion:
    """A body or chunk.

    Raises:
        ValueError: it has not the shape, or tells an error.
    """
    try:
        completion = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("not a chat completion") from error
    if completion.error is not None:
        raise ValueError("an error instead of an answer")
    return completion


def answer_of(completion: Completion) -> tuple[tuple[Json, ...], str]:
    """Content blocks and stop reason of a whole answer.

    Raises:
        ValueError: there is none, or it makes no sense.
    """
    choice = completion.choices[0] if completion.choices else Choice()
    if choice.message is None:
        raise ValueError("no message")
    return _content(choice.message), _stop_reason(choice.finish_reason, calls=bool(choice.message.tool_calls))


def _stop_reason(finish_reason: str | None, *, calls: bool) -> str:
    try:
        reason = _STOP_REASONS[finish_reason or ""]
    except KeyError as error:
        raise ValueError("no known finish_reason") from error
    # Some servers say `stop` where a call waits for its result.
    return "tool_use" if calls and reason == "end_turn" else reason


def _content(said: Said) -> tuple[Json, ...]:
    blocks: list[Json] = []
    if said.reasoning_content:
        blocks.append({"reasoningContent": {"reasoningText": {"text": said.reasoning_content}}})
    if said.content:
        blocks.append({"text": said.content})
    for call in said.tool_calls or ():
        if not call.id or not call.function.name:
            raise ValueError("a tool call without id or name")
        try:
            arguments = msgspec.json.decode(call.function.arguments or "{}", type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError("tool arguments that are not a JSON object") from error
        blocks.append({"toolUse": {"toolUseId": call.id, "name": call.function.name, "input": arguments}})
    return tuple(blocks)


def usage_of(counted: Counted | None, request: ModelRequest, output_bytes: int) -> Usage:
    """The server's count, or an upper bound."""
    if counted is not None:
        return Usage(input_tokens=counted.prompt_tokens, output_tokens=counted.completion_tokens)
    return Usage(
        input_tokens=worst_case_input_tokens(request), output_tokens=min(output_bytes, request.output_tokens_max)
    )


class StreamReader:
    """Turns chunks into events. Blocks come one after the other, as in Converse."""

    def __init__(self) -> None:
        self._index = -1
        self._kind = ""
        """`text`, `reasoning`, `tool 0`, …; empty between blocks."""
        self._tools_seen = 0
        self._finish_reason: str | None = None
        self.usage: Counted | None = None
        self.output_bytes = 0

    def chunk(self, completion: Completion) -> Iterator[Json]:
        """The events of one chunk.

        Raises:
            ValueError: it makes no sense after those before.
        """
        self.usage = completion.usage or self.usage
        if not completion.choices:
            return
        choice = completion.choices[0]
        if choice.delta is not None:
            yield from self._said(choice.delta)
        self._finish_reason = choice.finish_reason or self._finish_reason

    def close(self) -> Iterator[Json]:
        """The end of the block under way."""
        if self._kind:
            self._kind = ""
            yield stop(self._index)

    def stop_reason(self) -> str:
        """How the answer ended.

        Raises:
            ValueError: it did not, or in no known way.
        """
        return _stop_reason(self._finish_reason, calls=self._tools_seen > 0)

    def _said(self, said: Said) -> Iterator[Json]:
        if said.reasoning_content:
            yield from self._enter("reasoning")
            yield self._piece({"reasoningContent": {"text": said.reasoning_content}}, said.reasoning_content)
        if said.content:
            yield from self._enter("text")
            yield self._piece({"text": said.content}, said.content)
        for call in said.tool_calls or ():
            yield from self._call(call)

    def _enter(self, kind: str) -> Iterator[Json]:
        if self._kind != kind:
            yield from self.close()
            self._kind, self._index = kind, self._index + 1

    def _piece(self, value: Json, text: str) -> Json:
        self.output_bytes += len(text.encode("utf-8", "surrogatepass"))
        return delta(self._index, value)

    def _call(self, call: Call) -> Iterator[Json]:
        kind = f"tool {call.index}"
        if self._kind != kind:
            if call.index != self._tools_seen or not call.id or not call.function.name:
                raise ValueError("tool calls out of order or without id or name")
            self._tools_seen += 1
            yield from self._enter(kind)
            yield tool_start(self._index, call.id, call.function.name)
        if call.function.arguments:
            yield self._piece({"toolUse": {"input": call.function.arguments}}, call.function.arguments)
