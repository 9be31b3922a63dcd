"""Documents of a conversation whose text is not known yet, and putting it in their place.

What goes to the model is the extracted text, never the bytes that it came from.

>>> page = {"name": "d", "format": "html", "source": {"bytes": "PGI+aGk8L2I+"}}
>>> [found.document for found in unread(({"role": "user", "content": [{"document": page}]},))]
[b'<b>hi</b>']
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from caisson.ports.extractor import Format

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Unread:
    """One document that must be extracted before it is inspected."""

    path: str
    """JSON path in the request."""
    format: Format
    encoded: str
    """Base64; the dialect has checked it."""

    @property
    def document(self) -> bytes:
        """Its bytes."""
        return base64.b64decode(self.encoded)


def unread(messages: Sequence[Json]) -> tuple[Unread, ...]:
    """Every document that has bytes instead of text, in order."""
    return tuple(
        Unread(path=path, format=document["format"], encoded=document["source"]["bytes"])
        for path, document in _documents(messages)
        if "bytes" in document["source"]
    )


def extracted(messages: Sequence[Json], texts: Sequence[str]) -> tuple[Json, ...]:
    """The messages with `texts` in place of the bytes of `unread`, in order."""
    remaining = iter(texts)

    def take(document: Json) -> Json:
        if "bytes" not in document["source"]:
            return document
        written = "csv" if document["format"] == "xlsx" else "txt"
        return {**document, "format": written, "source": {"text": next(remaining)}}

    return tuple({**message, "content": _replaced(message["content"], take)} for message in messages)


def _documents(messages: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    for number, message in enumerate(messages):
        for index, block in enumerate(message["content"]):
            path = f"messages[{number}].content[{index}]"
            if "document" in block:
                yield path + ".document", block["document"]
            elif "toolResult" in block:
                for inner, item in enumerate(block["toolResult"]["content"]):
                    if "document" in item:
                        yield f"{path}.toolResult.content[{inner}].document", item["document"]


def _replaced(content: Sequence[Json], take: Callable[[Json], Json]) -> list[Json]:
    blocks: list[Json] = []
    for block in content:
        if "document" in block:
            blocks.append({"document": take(block["document"])})
        elif "toolResult" in block:
            result = block["toolResult"]
            blocks.append({"toolResult": {**result, "content": _replaced(result["content"], take)}})
        else:
            blocks.append(block)
    return blocks
