"""Rules over content that a schema cannot say, on Converse JSON of any dialect.

- Turns begin with the user and alternate; no turn and no text is blank.
- Tool use stands in assistant turns, results and documents in user turns; a result answers a tool use of the turn
  before.
- A document is text in UTF-8 (`txt`, `md`, `csv`) and leaves here decoded, so that it is inspected like any text. HTML
  is refused: its entities and markup hide from rules what a model reads.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from caisson.zones.z2_runtime.dialects.shape import one_of, refused

Json = dict[str, Any]

DOCUMENT_FORMATS = frozenset({"txt", "md", "csv"})
_USER_ONLY = frozenset({"toolResult", "document"})
_ASSISTANT_ONLY = frozenset({"toolUse", "reasoningContent"})


def checked_system(blocks: list[Json]) -> tuple[Json, ...]:
    """System blocks, each of one kind.

    Raises:
        CallerError: where they are not.
    """
    for index, block in enumerate(blocks):
        if one_of(block, f"system[{index}]") == "text":
            _not_blank(block["text"], f"system[{index}].text")
    return tuple(blocks)


def checked_tools(config: Json) -> Json:
    """Tool configuration with each union of one kind.

    Raises:
        CallerError: where it is not.
    """
    for index, tool in enumerate(config["tools"]):
        one_of(tool, f"toolConfig.tools[{index}]")
    if "toolChoice" in config:
        one_of(config["toolChoice"], "toolConfig.toolChoice")
    return config


def checked_messages(messages: list[Json]) -> tuple[Json, ...]:
    """Messages that keep the rules above, documents decoded in place.

    Raises:
        CallerError: the first that does not.
    """
    asked: frozenset[str] = frozenset()
    for index, message in enumerate(messages):
        path, expected = f"messages[{index}]", "assistant" if index % 2 else "user"
        if message["role"] != expected:
            raise refused(
                path + ".role",
                f"expected {expected!r}, found {message['role']!r}; begin with the user and alternate roles",
            )
        asked = _checked_content(message["content"], message["role"], path + ".content", asked)
    return tuple(messages)


def _checked_content(content: list[Json], role: str, path: str, asked: frozenset[str]) -> frozenset[str]:
    asking: set[str] = set()
    for index, block in enumerate(content):
        place = f"{path}[{index}]"
        kind = one_of(block, place)
        if kind == "text":
            _not_blank(block["text"], place + ".text")
            continue
        if kind in (_USER_ONLY if role == "assistant" else _ASSISTANT_ONLY):
            raise refused(f"{place}.{kind}", f"not allowed in a message of role {role!r}; move it to the other role")
        if kind == "toolUse":
            asking.add(block["toolUse"]["toolUseId"])
        elif kind == "toolResult":
            result = block["toolResult"]
            if result["toolUseId"] not in asked:
                raise refused(
                    f"{place}.toolResult.toolUseId",
                    "expected the id of a toolUse block in the message before; correct it",
                )
            for number, item in enumerate(result["content"]):
                inner = f"{place}.toolResult.content[{number}]"
                if one_of(item, inner) == "document":
                    item["document"] = decoded_document(item["document"], inner + ".document")
        elif kind == "document":
            block["document"] = decoded_document(block["document"], place + ".document")
    return frozenset(asking)


def decoded_document(document: Json, path: str) -> Json:
    """The document with `source.text`.

    Raises:
        CallerError: it is not text that can be inspected.
    """
    source, given = document["source"], document.get("format")
    kind = one_of(source, path + ".source")
    if (given is not None and given not in DOCUMENT_FORMATS) or (kind == "bytes" and given is None):
        raise refused(
            path + ".format",
            f"expected txt, md or csv, found {given or 'none'}; other formats are not inspected by this version, so "
            "they are refused; send the text",
        )
    if kind == "bytes":
        text = _decoded_text(source["bytes"], path + ".source.bytes")
    elif kind == "content":
        text = "\n".join(piece["text"] for piece in source["content"])
    else:
        text = source["text"]
    _not_blank(text, f"{path}.source.{kind}")
    return {**document, "source": {"text": text}}


def _decoded_text(encoded: str, path: str) -> str:
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise refused(path, "expected text in UTF-8, base64-encoded, found something else; send plain text") from error
    if "\0" in text:
        raise refused(path, "expected text in UTF-8, found binary data; send plain text")
    return text


def _not_blank(text: str, path: str) -> None:
    if not text or text.isspace():
        raise refused(path, "expected text, found a blank; remove it or write something")
