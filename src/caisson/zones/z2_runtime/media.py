"""Pictures, films and recordings: content that no rule here can read.

The system file refuses each kind unless a guardrail allows it, with a reason (`images`, `video`, `audio`). Then it
passes unharmed, and a decision of its own says that it was not inspected: what was not evaluated is not logged as
evaluated.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from caisson.channels.messages import GuardrailAction
from caisson.errors import Refusal, WireError
from caisson.system.guardrails import Guardrail

Json = dict[str, Any]

MEDIA: Mapping[str, str] = {"image": "images", "video": "video", "audio": "audio"}
"""Kind of content block to the guardrail's key that decides about it."""


@dataclass(frozen=True, kw_only=True)
class Medium:
    """One block that cannot be inspected."""

    kind: str
    """`image`, `video` or `audio`."""
    path: str
    """JSON path in the request."""
    format: str
    encoded: str
    """Base64."""


def media(messages: Sequence[Json]) -> Iterator[Medium]:
    """Every such block of the messages, those inside tool results too."""
    for number, message in enumerate(messages):
        yield from _of(message["content"], f"messages[{number}].content")


def _of(content: Sequence[Json], path: str) -> Iterator[Medium]:
    for index, block in enumerate(content):
        ((kind, value),) = block.items()
        place = f"{path}[{index}].{kind}"
        if kind in MEDIA:
            yield Medium(kind=kind, path=place, format=value["format"], encoded=value["source"]["bytes"])
        elif kind == "toolResult":
            yield from _of(value["content"], place + ".content")


def refusal(found: Sequence[Medium], name: str, guardrail: Guardrail) -> Refusal | None:
    """Why the first block that the guardrail does not allow is refused."""
    for medium in found:
        key = MEDIA[medium.kind]
        if getattr(guardrail, key) != "allow":
            return Refusal(
                error=WireError.VALIDATION,
                rule=f"media.{medium.kind}",
                message=f"{medium.path}: this kind of content cannot be inspected, so it is refused; send text, or "
                f"allow it with guardrails.{name}.{key} in the system file.",
            )
    return None


def actions(found: Sequence[Medium], name: str, version: str) -> list[GuardrailAction]:
    """The decision about each block that passes without having been inspected."""
    return [
        GuardrailAction(
            guardrail_id=name,
            guardrail_version=version,
            stage="input",
            decision="not_inspected",
            rule=f"media.{medium.kind}",
            confidence=0.0,
            rationale=f"passed uninspected because guardrails.{name}.{MEDIA[medium.kind]} allows it; "
            f"{medium.format}, SHA-256 {sha256(base64.b64decode(medium.encoded)).hexdigest()}",
            location=medium.path,
        )
        for medium in found
    ]
