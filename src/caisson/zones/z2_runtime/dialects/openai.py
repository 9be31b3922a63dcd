"""Chat completions as OpenAI's clients send them (OpenAI API reference: Create chat completion).

- System and developer messages come first and become the system prompt; turns of one role that follow each other are
  joined, as tool results and the user's next words are.
- A setting that would change what the file or the inspection decides is refused unless it says what holds anyway.

>>> chat = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
>>> parse(chat).messages
({'role': 'user', 'content': [{'text': 'hi'}]},)
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from caisson.errors import Refusal
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import schema
from caisson.zones.z2_runtime.dialects.converse import RequestMetadata
from caisson.zones.z2_runtime.dialects.shape import decode, parsed, refused
from caisson.zones.z2_runtime.dialects.turns import checked_messages, checked_system, checked_tools
from caisson.zones.z2_runtime.operations import Operation

Json = dict[str, Any]

STOPS_MAX = 4
USER_CHARACTERS_MAX = 256
MODEL_CHARACTERS_MAX = 2_048
"""As of a model id in a path (API_runtime_Converse)."""


class _Object(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A JSON object of the API: unknown fields are refused."""


class TextPart(_Object, tag_field="type", tag="text"):
    """A piece of text. Images, audio and files are refused by name."""

    text: str


Content = str | Annotated[list[TextPart], Meta(max_length=schema.BLOCKS_MAX)]


class CalledFunction(_Object):
    """What the model called, sent back as history."""

    name: schema.ToolName
    arguments: str


class ToolCall(_Object):
    """A call of the assistant."""

    id: schema.ToolUseId
    function: CalledFunction
    type: Literal["function"] = "function"


class _Message(_Object, tag_field="role", kw_only=True):
    name: str | None = None
    """A participant's name: the model would see it, so it stands before the text and is inspected with it."""


class SystemMessage(_Message, tag="system"):
    """The system prompt."""

    content: Content


class DeveloperMessage(_Message, tag="developer"):
    """The system prompt under its newer name."""

    content: Content


class UserMessage(_Message, tag="user"):
    """The user's words."""

    content: Content


class AssistantMessage(_Message, tag="assistant"):
    """The model's words and calls, sent back as history."""

    content: Content | None = None
    refusal: str | None = None
    tool_calls: Annotated[list[ToolCall], Meta(max_length=schema.BLOCKS_MAX)] | None = None


class ToolMessage(_Message, tag="tool"):
    """What a tool returned."""

    tool_call_id: schema.ToolUseId
    content: Content


Message = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage


class Function(_Object):
    """A tool that the client runs itself."""

    name: schema.ToolName
    description: schema.NonEmpty | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(_Object):
    """One entry of `tools`."""

    function: Function
    type: Literal["function"] = "function"


class ChosenName(_Object):
    """The tool that the model must use."""

    name: schema.ToolName


class Chosen(_Object):
    """A choice by name."""

    function: ChosenName
    type: Literal["function"] = "function"


class StreamOptions(_Object):
    """Usage comes with the last chunk when it is asked for."""

    include_usage: bool = False
    include_obfuscation: Literal[False] = False


class TextFormat(_Object):
    """The only format that is offered."""

    type: Literal["text"]


ModelName = Annotated[str, Meta(min_length=1, max_length=MODEL_CHARACTERS_MAX)]


class ChatRequest(_Object):
    """The body."""

    model: ModelName
    messages: Annotated[list[Message], Meta(min_length=1, max_length=schema.MESSAGES_MAX)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: schema.Tokens | None = None
    max_completion_tokens: schema.Tokens | None = None
    temperature: schema.Fraction | None = None
    top_p: schema.Fraction | None = None
    stop: schema.NonEmpty | Annotated[list[schema.NonEmpty], Meta(max_length=STOPS_MAX)] | None = None
    tools: Annotated[list[Tool], Meta(max_length=schema.BLOCKS_MAX)] | UnsetType = UNSET
    tool_choice: Literal["none", "auto", "required"] | Chosen | UnsetType = UNSET
    user: Annotated[str, Meta(max_length=USER_CHARACTERS_MAX)] | None = None
    metadata: RequestMetadata | None = None
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    store: Literal[False] | None = None
    parallel_tool_calls: Literal[True] | None = None
    response_format: TextFormat | None = None
    modalities: tuple[Literal["text"]] | None = None
    presence_penalty: Annotated[float, Meta(ge=0, le=0)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=0, le=0)] | None = None


_decoder = msgspec.json.Decoder(ChatRequest)


def parse(body: bytes) -> Conversation | Refusal:
    """The request in `body`, or where and why it is refused."""
    return parsed(lambda: conversation(decode(body, _decoder)))


def conversation(request: ChatRequest) -> Conversation:
    """The request as every dialect's.

    Raises:
        CallerError: a rule over its turns does not hold.
    """
    if request.stream_options is not None and not request.stream:
        raise refused("stream_options", "only with stream; remove it")
    turns, system = _turns(request.messages)
    settings = {
        "temperature": request.temperature,
        "topP": request.top_p,
        "stopSequences": [request.stop] if isinstance(request.stop, str) else request.stop,
    }
    return Conversation(
        operation=Operation.CHAT_STREAM if request.stream else Operation.CHAT,
        model_id=request.model,
        system=checked_system(system),
        messages=checked_messages(turns),
        output_tokens_max=request.max_completion_tokens or request.max_tokens,
        inference={key: value for key, value in settings.items() if value is not None},
        tools=_tool_config(request),
        request_metadata=_labels(request),
        joins=True,
        usage_wanted=request.stream_options is not None and request.stream_options.include_usage,
    )


def _labels(request: ChatRequest) -> dict[str, str]:
    labels = dict(request.metadata or {})
    if request.user is not None:
        labels["user"] = request.user
    return labels


def _turns(messages: list[Message]) -> tuple[list[Json], list[Json]]:
    turns: list[Json] = []
    system: list[Json] = []
    for index, message in enumerate(messages):
        path = f"messages[{index}]"
        if isinstance(message, SystemMessage | DeveloperMessage):
            if turns:
                raise refused(path + ".role", "system and developer messages come first; move it to the front")
            system += _texts(message.content, message.name)
            continue
        role = "assistant" if isinstance(message, AssistantMessage) else "user"
        blocks = _blocks(message, path)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns, system


def _blocks(message: UserMessage | AssistantMessage | ToolMessage, path: str) -> list[Json]:
    if isinstance(message, ToolMessage):
        content = [block for block in _texts(message.content, message.name) if block["text"]]
        return [{"toolResult": {"toolUseId": message.tool_call_id, "content": content, "status": "success"}}]
    if isinstance(message, UserMessage):
        return _texts(message.content, message.name)
    blocks = _texts(message.content or "", message.name) if message.content else []
    if message.refusal:
        blocks.append({"text": message.refusal})
    blocks += [_called(call, f"{path}.tool_calls[{number}]") for number, call in enumerate(message.tool_calls or ())]
    if not blocks:
        raise refused(path, "expected content or tool calls, found neither; remove the message")
    return blocks


def _texts(content: Content, name: str | None) -> list[Json]:
    texts = [content] if isinstance(content, str) else [part.text for part in content]
    if name:
        texts.insert(0, f"{name}:")
    return [{"text": text} for text in texts]


def _called(call: ToolCall, path: str) -> Json:
    try:
        arguments = msgspec.json.decode(call.function.arguments or "{}", type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise refused(path + ".function.arguments", "expected a JSON object as text; correct it") from error
    return {"toolUse": {"toolUseId": call.id, "name": call.function.name, "input": arguments}}


def _tool_config(request: ChatRequest) -> Json | None:
    if request.tools is UNSET or not request.tools or request.tool_choice == "none":
        return None
    tools: list[Json] = []
    for tool in request.tools:
        function = tool.function
        spec: Json = {"name": function.name, "inputSchema": {"json": function.parameters or {"type": "object"}}}
        if function.description is not None:
            spec["description"] = function.description
        if function.strict is not None:
            spec["strict"] = function.strict
        tools.append({"toolSpec": spec})
    config: Json = {"tools": tools}
    choice = request.tool_choice
    if isinstance(choice, Chosen):
        config["toolChoice"] = {"tool": {"name": choice.function.name}}
    elif choice is not UNSET:
        config["toolChoice"] = {"auto": {}} if choice == "auto" else {"any": {}}
    return checked_tools(config)
