"""Rules over content that a schema cannot say, on Converse JSON of any dialect.

- Turns begin with the user and alternate; no turn and no text is blank.
- Tool use, reasoning and citations stand in assistant turns; results, documents and media in user turns; a result
  answers a tool use of the turn before.
- A document that is text in UTF-8 (`txt`, `md`, `csv`) leaves here decoded, so that it is inspected like any text. One
  that must be extracted (documents.py) keeps its bytes until then. Formats that nothing can extract are refused.
- Tools have a name of their own each, and a forced tool is one of them.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from caisson.ports.extractor import DOCUMENT_BYTES_MAX, EXTRACTED
from caisson.zones.z2_runtime.dialects.shape import one_of, refused
from caisson.zones.z2_runtime.media import MEDIA

Json = dict[str, Any]

TEXT_FORMATS = frozenset({"txt", "md", "csv"})
MARKED_UP = frozenset({"html"})
"""Text whose entities and markup hide from rules what a model reads: extracted even when it comes as text."""
_USER_ONLY = frozenset({"toolResult", "document", "searchResult", *MEDIA})
_ASSISTANT_ONLY = frozenset({"toolUse", "reasoningContent", "citationsContent"})


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
    names: set[str] = set()
    for index, tool in enumerate(config["tools"]):
        path = f"toolConfig.tools[{index}]"
        if one_of(tool, path) != "toolSpec":
            continue
        if tool["toolSpec"]["name"] in names:
            raise refused(path + ".toolSpec.name", "expected a name of its own, found that of another tool; rename it")
        names.add(tool["toolSpec"]["name"])
    if "toolChoice" in config:
        path = "toolConfig.toolChoice"
        if one_of(config["toolChoice"], path) == "tool" and config["toolChoice"]["tool"]["name"] not in names:
            raise refused(path + ".tool.name", "expected the name of a tool in toolConfig.tools; correct it")
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
            _checked_result(block["toolResult"], place + ".toolResult", asked)
        elif kind == "citationsContent":
            _checked_citations(block["citationsContent"], place + ".citationsContent")
        else:
            _checked_material(block, kind, place)
    return frozenset(asking)


def _checked_result(result: Json, path: str, asked: frozenset[str]) -> None:
    if result["toolUseId"] not in asked:
        raise refused(path + ".toolUseId", "expected the id of a toolUse block in the message before; correct it")
    for index, item in enumerate(result["content"]):
        place = f"{path}.content[{index}]"
        _checked_material(item, one_of(item, place), place)


def _checked_material(block: Json, kind: str, path: str) -> None:
    if kind == "document":
        block["document"] = decoded_document(block["document"], path + ".document")
    elif kind in MEDIA:
        _decoded(block[kind]["source"]["bytes"], f"{path}.{kind}.source.bytes")


def _checked_citations(block: Json, path: str) -> None:
    for index, citation in enumerate(block.get("citations", ())):
        if "location" in citation:
            one_of(citation["location"], f"{path}.citations[{index}].location")


def decoded_document(document: Json, path: str) -> Json:
    """The document with `source.text`, or with `source.bytes` (base64) and a format that is extracted.

    Raises:
        CallerError: nothing here can make text of it.
    """
    source, given = document["source"], document.get("format")
    kind = one_of(source, path + ".source")
    if kind == "bytes" and given in EXTRACTED:
        if len(source["bytes"]) > _ENCODED_MAX:
            raise refused(path + ".source.bytes", f"expected at most {DOCUMENT_BYTES_MAX} bytes, found more; split it")
        if not _decoded(source["bytes"], path + ".source.bytes"):
            raise refused(path + ".source.bytes", "expected a document, found nothing; remove it")
        return document
    readable = given in TEXT_FORMATS or (kind != "bytes" and (given is None or given in MARKED_UP))
    if not readable:
        raise refused(path + ".format", _format_reason(given, kind))
    if kind == "bytes":
        text = _decoded_text(source["bytes"], path + ".source.bytes")
    elif kind == "content":
        text = "\n".join(piece["text"] for piece in source["content"])
    else:
        text = source["text"]
    _not_blank(text, f"{path}.source.{kind}")
    if given in MARKED_UP:
        return {**document, "source": {"bytes": base64.b64encode(text.encode()).decode()}}
    return {**document, "source": {"text": text}}


_ENCODED_MAX = -(-DOCUMENT_BYTES_MAX // 3) * 4
"""Characters of base64 for that many bytes."""


def _format_reason(given: str | None, kind: str) -> str:
    known = ", ".join(sorted(TEXT_FORMATS | (EXTRACTED if kind == "bytes" else MARKED_UP)))
    if given is None:
        return f"expected one of {known}, found none; say which it is"
    if given in EXTRACTED:
        return f"expected one of {known} for text, found {given}; send its bytes"
    return f"expected one of {known}, found {given}; this format cannot be inspected, so it is refused; convert it"


def _decoded(encoded: str, path: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise refused(path, "expected base64, found something else; encode the bytes") from error


def _decoded_text(encoded: str, path: str) -> str:
    try:
        text = _decoded(encoded, path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise refused(path, "expected text in UTF-8, found something else; send plain text") from error
    if "\0" in text:
        raise refused(path, "expected text in UTF-8, found binary data; send plain text")
    return text


def _not_blank(text: str, path: str) -> None:
    if not text or text.isspace():
        raise refused(path, "expected text, found a blank; remove it or write something")
