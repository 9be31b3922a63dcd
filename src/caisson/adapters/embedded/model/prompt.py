"""What a request says, as plain text, for models that read it without weights.

>>> turn = {"role": "user", "content": [{"text": "Where is it?"}]}
>>> Prompt.of(ModelRequest(request_id="r", model_id="m", system=(), messages=(turn,), output_tokens_max=9)).last_user
'Where is it?'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from caisson.policy.tokens import estimate_prompt_tokens
from caisson.ports.model import ModelRequest

Json = dict[str, Any]

_MEDIA = frozenset({"image", "video", "audio"})


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document, or a tool's result, which is as good a source."""

    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A request's words, by whose they are."""

    system: str
    last_user: str
    """Text of the last user turn, without its documents."""
    history: tuple[str, ...]
    """Texts of the turns before, oldest first."""
    documents: tuple[Document, ...]
    """Of every turn, oldest first."""
    turn: int
    """How many user turns there are."""
    media: bool
    """Whether there are images, video or audio, which have no words."""

    @classmethod
    def of(cls, request: ModelRequest) -> Prompt:
        """Read a request."""
        documents: list[Document] = []
        turns = [(message["role"], _read(message["content"], documents)) for message in request.messages]
        system = "\n".join(text for block in request.system for text in _spoken(block))
        asked = [index for index, (role, _) in enumerate(turns) if role == "user"]
        last = asked[-1] if asked else len(turns)
        return cls(
            system=system,
            last_user=turns[last][1] if asked else "",
            history=tuple(text for _, text in turns[:last] if text),
            documents=tuple(documents),
            turn=len(asked),
            media=any(map(_has_media, request.messages)),
        )

    def everything(self) -> str:
        """All of it, one text after the other."""
        documents = (f"{document.name}\n{document.text}" for document in self.documents)
        return "\n".join((self.system, *self.history, *documents, self.last_user))

    def tokens(self) -> int:
        """Estimated input tokens."""
        return estimate_prompt_tokens((self.everything(),), self.turn)


def _has_media(message: Json) -> bool:
    blocks = [*message["content"]]
    blocks += [item for block in blocks for item in block.get("toolResult", {}).get("content", ())]
    return any(not _MEDIA.isdisjoint(block) for block in blocks)


def _spoken(block: Json) -> list[str]:
    if "text" in block:
        return [block["text"]]
    if "citationsContent" in block:
        return [piece["text"] for piece in block["citationsContent"].get("content", ())]
    guarded = block.get("guardContent", {}).get("text", {})
    return [guarded["text"]] if guarded and "grounding_source" not in guarded.get("qualifiers", ()) else []


def _read(content: list[Json], documents: list[Document]) -> str:
    spoken: list[str] = []
    for block in content:
        spoken += _spoken(block)
        guarded = block.get("guardContent", {}).get("text", {})
        if "grounding_source" in guarded.get("qualifiers", ()):
            documents.append(Document(name="grounding source", text=guarded["text"]))
        if "document" in block:
            documents.append(_document(block["document"]))
        if "searchResult" in block:
            documents.append(_search_result(block["searchResult"]))
        for item in block.get("toolResult", {}).get("content", ()):
            if _MEDIA.isdisjoint(item):
                documents.append(_result(item))
    return "\n".join(spoken)


def _document(block: Json) -> Document:
    return Document(name=block["name"], text=block["source"]["text"])


def _search_result(found: Json) -> Document:
    return Document(name=found["title"], text="\n".join(piece["text"] for piece in found["content"]))


def _result(item: Json) -> Document:
    if "document" in item:
        return _document(item["document"])
    if "searchResult" in item:
        return _search_result(item["searchResult"])
    text = item["text"] if "text" in item else msgspec.json.encode(item["json"]).decode()
    return Document(name="tool result", text=text)
