"""What every dialect parses to, and every string in it that a model could see.

- `parts()` lists each such string exactly once, of every role: history, system, tools, documents, tool traffic, keys
  and numbers of free JSON, stop sequences. What is not listed is a closed vocabulary that the schema checked.
- `with_texts()` puts inspected texts back in the same places. Both are one walk (`_Walk`), so they cannot disagree; a
  kind of block that the walk does not know cannot pass.
- Bytes that no rule can read (images, video, audio) are no strings; step 6 decides about them (media.py). A document
  whose text was not extracted yet has no parts: asking for them is a bug of ours.
- Where a text may not change freely, the walk keeps the request valid: a masked identifier stays an identifier, a
  masked reasoning block is removed because its signature would no longer match, masked keys never fall together.

>>> turn = {"role": "user", "content": [{"text": "hi"}]}
>>> hello = Conversation(operation=Operation.CONVERSE, model_id="m", messages=(turn,))
>>> [(part.role, part.path, part.text) for part in hello.parts()]
[('user', 'messages[0].content[0].text', 'hi')]
>>> hello.with_texts(("ho",)).messages
({'role': 'user', 'content': [{'text': 'ho'}]},)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from caisson.errors import CallerError, DeveloperError, Refusal, WireError
from caisson.ports.embedder import EmbeddingOptions
from caisson.ports.guardrail import Part, Role
from caisson.zones.z2_runtime.documents import Unread, extracted, unread
from caisson.zones.z2_runtime.masked_keys import MaskedKeys
from caisson.zones.z2_runtime.media import MEDIA
from caisson.zones.z2_runtime.operations import Operation

Json = dict[str, Any]

NESTING_MAX = 32
"""Levels of free JSON: tool input, tool results, tool schemas."""
STRINGS_MAX = 20_000
"""Inspected strings in one request; bounds the time that many tiny ones would take."""
NUMBER_MAGNITUDE_MAX = 2**63
"""Integers of free JSON fit 64 bits, as on the wire to every upstream."""
IDENTIFIER_MAX = 64
"""Characters of a tool name or tool use id (botocore: ToolName, ToolUseId)."""

_NOT_IN_IDENTIFIER = re.compile(r"[^a-zA-Z0-9_-]")


class Conversation(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One request in Converse JSON, whatever dialect it came in."""

    operation: Operation
    model_id: str
    """From the path: model id, or guardrail name for ApplyGuardrail."""
    system: tuple[Json, ...] = ()
    """Converse `system` blocks."""
    messages: tuple[Json, ...] = ()
    """Converse `messages`; documents carry `source.text`, decoded."""
    inference: Json = {}
    """`temperature`, `topP`, `topK`, `stopSequences`, where given."""
    additional: Json = {}
    """Converse `additionalModelRequestFields`: how the model samples and reasons, all of closed vocabularies."""
    output_tokens_max: int | None = None
    """As the request asked; None when it did not."""
    tools: Json | None = None
    """Converse `toolConfig`."""
    request_metadata: dict[str, str] = {}
    """The caller's labels for the log. The model never sees them."""
    dropped: tuple[str, ...] = ()
    """Fields that were understood and set aside, because the system file decides them: `guardrailConfig`."""
    trace: bool = False
    """The caller asked for the guardrail's trace."""
    joins: bool = False
    """The dialect has one text and one reasoning an answer: its clients get the blocks of a kind joined."""
    usage_wanted: bool = False
    """Chat completions: the caller asked for the usage at a stream's end."""
    embedding: EmbeddingOptions | None = None
    """The model answers with vectors, and what the caller chose about them."""
    vector_types: tuple[str, ...] = ()
    """The types of vectors that the caller named; the answer's form depends on whether any was."""
    source: Literal["INPUT", "OUTPUT"] = "INPUT"
    """ApplyGuardrail: which direction the content is inspected as."""
    output_scope: Literal["INTERVENTIONS", "FULL"] = "INTERVENTIONS"
    """ApplyGuardrail: whether assessments list what passed too."""

    @property
    def streams(self) -> bool:
        """The answer is an event stream."""
        return self.operation.streams

    @cached_property
    def unread(self) -> tuple[Unread, ...]:
        """The documents that must be extracted before anything else."""
        return unread(self.messages)

    def with_extracted(self, texts: Sequence[str]) -> Conversation:
        """The same request with `texts` in place of the bytes of `unread`, in order."""
        return replace(self, messages=extracted(self.messages, texts))

    def check_bounds(self) -> None:
        """What dialects ask once while parsing.

        Raises:
            CallerError: free JSON is nested too deeply, or there are too many strings.
        """
        if self.unread:
            self._collected()
        else:
            self.parts()

    def parts(self) -> tuple[Part, ...]:
        """Every string that the model could see, in one fixed order.

        Raises:
            CallerError: as `check_bounds`.
            DeveloperError: a document was not extracted yet.
        """
        return self._parts

    @cached_property
    def _parts(self) -> tuple[Part, ...]:
        if self.unread:
            raise DeveloperError("the parts of a request were asked for before its documents were extracted")
        return self._collected()

    def _collected(self) -> tuple[Part, ...]:
        found: list[Part] = []

        def collect(text: str, role: Role, path: str) -> str:
            if len(found) == STRINGS_MAX:
                raise _refused("request", f"expected at most {STRINGS_MAX} strings, found more; send less")
            found.append(Part(text=text, role=role, path=path))
            return text

        _Walk(collect).conversation(self)
        return tuple(found)

    def with_texts(self, texts: Sequence[str]) -> Conversation:
        """The same request with `texts` in the places of `parts()`, in order."""
        parts = self._parts
        if len(texts) != len(parts):
            raise DeveloperError(f"expected {len(parts)} texts, one a part, found {len(texts)}")
        if all(part.text == text for part, text in zip(parts, texts, strict=True)):
            return self
        remaining = iter(texts)
        return _Walk(lambda _text, _role, _path: next(remaining)).conversation(self)


Take = Callable[[str, Role, str], str]
"""Sees a string, whose words it is and where it stands; returns what stands there afterwards."""


class _Walk:
    """One pass over a conversation in a fixed order."""

    def __init__(self, take: Take) -> None:
        self._take = take

    def conversation(self, given: Conversation) -> Conversation:
        inference = given.inference
        system = tuple(self._block(block, "system", f"system[{i}]") for i, block in enumerate(given.system))
        messages = tuple(self._message(message, f"messages[{i}]") for i, message in enumerate(given.messages))
        tools = self._tools(given.tools) if given.tools is not None else None
        if stops := inference.get("stopSequences"):
            path = "inferenceConfig.stopSequences"
            taken = [self._take(stop, "user", f"{path}[{i}]") for i, stop in enumerate(stops)]
            inference = {**inference, "stopSequences": taken}
        return replace(given, system=system, messages=messages, tools=tools, inference=inference)

    def _message(self, message: Json, path: str) -> Json:
        role: Role = "assistant" if message["role"] == "assistant" else "user"
        content = [self._block(block, role, f"{path}.content[{i}]") for i, block in enumerate(message["content"])]
        kept = [block for block in content if block]
        return {"role": message["role"], "content": kept or [{"text": "[removed]"}]}

    def _block(self, block: Json, role: Role, path: str) -> Json:
        ((kind, value),) = block.items()
        path = f"{path}.{kind}"
        if kind == "text":
            return {"text": self._take(value, role, path)}
        if kind == "toolUse":
            return {"toolUse": self._tool_use(value, role, path)}
        if kind == "toolResult":
            return {"toolResult": self._tool_result(value, path)}
        if kind == "document":
            return {"document": self._document(value, path)}
        if kind == "guardContent":
            return {"guardContent": {"text": self._guard_text(value["text"], role, path + ".text")}}
        if kind == "reasoningContent":
            return self._reasoning(value["reasoningText"], role, path + ".reasoningText")
        if kind == "cachePoint" or kind in MEDIA:
            return block
        if kind == "searchResult":
            return {"searchResult": self._search_result(value, path)}
        if kind == "citationsContent":
            return {"citationsContent": self._citations(value, role, path)}
        raise DeveloperError(f"a block of kind {kind!r} passed the schema but is not inspected")

    def _tool_use(self, use: Json, role: Role, path: str) -> Json:
        return {
            "toolUseId": self._identifier(use["toolUseId"], role, path + ".toolUseId"),
            "name": self._identifier(use["name"], role, path + ".name"),
            "input": self._json(use["input"], role, path + ".input"),
        }

    def _tool_result(self, result: Json, path: str) -> Json:
        content: list[Json] = []
        use_id = self._identifier(result["toolUseId"], "tool", path + ".toolUseId")
        for index, item in enumerate(result["content"]):
            if "json" in item:
                content.append({"json": self._json(item["json"], "tool", f"{path}.content[{index}].json")})
            else:
                content.append(self._block(item, "tool", f"{path}.content[{index}]"))
        return {**result, "toolUseId": use_id, "content": content}

    def _document(self, document: Json, path: str) -> Json:
        taken = {**document, "name": self._take(document["name"], "document", path + ".name")}
        if "text" in document["source"]:
            taken["source"] = {"text": self._take(document["source"]["text"], "document", path + ".source.text")}
        if "context" in document:
            taken["context"] = self._take(document["context"], "document", path + ".context")
        return taken

    def _search_result(self, result: Json, path: str) -> Json:
        taken = {**result, "content": self._pieces(result["content"], "document", path + ".content")}
        return taken | {key: self._take(result[key], "document", f"{path}.{key}") for key in ("source", "title")}

    def _citations(self, block: Json, role: Role, path: str) -> Json:
        taken = dict(block)
        if "content" in block:
            taken["content"] = self._pieces(block["content"], role, path + ".content")
        if "citations" in block:
            path += ".citations"
            taken["citations"] = [self._citation(cited, f"{path}[{i}]") for i, cited in enumerate(block["citations"])]
        return taken

    def _citation(self, citation: Json, path: str) -> Json:
        # What is cited is the words of a document, whoever repeats them.
        taken = dict(citation)
        for key in ("title", "source"):
            if key in citation:
                taken[key] = self._take(citation[key], "document", f"{path}.{key}")
        if "sourceContent" in citation:
            taken["sourceContent"] = self._pieces(citation["sourceContent"], "document", path + ".sourceContent")
        if web := citation.get("location", {}).get("web"):
            path += ".location.web"
            taken["location"] = {
                "web": {key: self._take(text, "document", f"{path}.{key}") for key, text in web.items()}
            }
        return taken

    def _pieces(self, pieces: list[Json], role: Role, path: str) -> list[Json]:
        return [{"text": self._take(piece["text"], role, f"{path}[{i}].text")} for i, piece in enumerate(pieces)]

    def _guard_text(self, guarded: Json, role: Role, path: str) -> Json:
        # A grounding source is reference material, not the caller's own words (API_runtime_GuardrailConverseTextBlock).
        of: Role = "document" if "grounding_source" in guarded.get("qualifiers", ()) else role
        return {**guarded, "text": self._take(guarded["text"], of, path + ".text")}

    def _reasoning(self, reasoning: Json, role: Role, path: str) -> Json:
        taken = {key: self._take(text, role, f"{path}.{key}") for key, text in reasoning.items()}
        return {"reasoningContent": {"reasoningText": taken}} if taken == reasoning else {}

    def _tools(self, config: Json) -> Json:
        tools = [self._tool(tool, f"toolConfig.tools[{i}]") for i, tool in enumerate(config["tools"])]
        taken = {**config, "tools": tools}
        choice = config.get("toolChoice", {})
        if "tool" in choice:
            name = self._identifier(choice["tool"]["name"], "tool", "toolConfig.toolChoice.tool.name")
            taken["toolChoice"] = {"tool": {"name": name}}
        return taken

    def _tool(self, tool: Json, path: str) -> Json:
        if "cachePoint" in tool:
            return tool
        spec, path = dict(tool["toolSpec"]), path + ".toolSpec"
        spec["name"] = self._identifier(spec["name"], "tool", path + ".name")
        if "description" in spec:
            spec["description"] = self._take(spec["description"], "tool", path + ".description")
        spec["inputSchema"] = {"json": self._json(spec["inputSchema"]["json"], "tool", path + ".inputSchema.json")}
        return {"toolSpec": spec}

    def _identifier(self, text: str, role: Role, path: str) -> str:
        taken = self._take(text, role, path)
        return text if taken == text else _NOT_IN_IDENTIFIER.sub("_", taken)[:IDENTIFIER_MAX] or "_"

    def _json(self, value: Any, role: Role, path: str, depth: int = 0) -> Any:
        if isinstance(value, str):
            return self._take(value, role, path)
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, (int, float)):
            return self._number(value, role, path)
        if depth == NESTING_MAX:
            raise _refused(path, f"expected JSON nested at most {NESTING_MAX} levels, found more; flatten it")
        if isinstance(value, list):
            return [self._json(item, role, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
        taken: Json = {}
        keys = MaskedKeys()
        for key, item in value.items():
            new = keys.of(self._take(key, role, f"{path} key"))
            taken[new] = self._json(item, role, f"{path}.{key}", depth + 1)
        return taken

    def _number(self, value: int | float, role: Role, path: str) -> Any:
        # The model reads a number as text, so a card number without quotes is inspected like one with them.
        if isinstance(value, int) and not -NUMBER_MAGNITUDE_MAX <= value < NUMBER_MAGNITUDE_MAX:
            raise _refused(path, "expected a number of at most 64 bits, found a larger one; send it as a string")
        text = repr(value)
        taken = self._take(text, role, path)
        return value if taken == text else taken


def _refused(path: str, message: str) -> CallerError:
    return CallerError(Refusal(error=WireError.VALIDATION, rule="schema", message=f"{path}: {message}."))
