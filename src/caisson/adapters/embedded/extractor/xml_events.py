"""XML as a stream of elements, without declarations and without a tree.

A document type declaration is refused whatever it says: entities that expand to gigabytes or name files need one
(OWASP: XML external entity prevention). Nesting is bounded. Names come as `namespace name`.
"""

from __future__ import annotations

from typing import Any, NoReturn, Protocol
from xml.parsers import expat

from caisson.adapters.embedded.extractor.text import UnreadableError
from caisson.ports.extractor import Unreadable

DEPTH_MAX = 256
"""Elements inside each other."""


class Elements(Protocol):
    """What takes the events."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def characters(self, text: str) -> None:
        """Text, in pieces of any size."""


def read(data: bytes, elements: Elements) -> None:
    """Feed a document's events to `elements`.

    Raises:
        UnreadableError: it is not XML, declares something or is nested too deeply.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH_MAX:
            raise UnreadableError(Unreadable.TOO_DEEP)
        elements.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        elements.end(name)

    def declared(*_: Any) -> NoReturn:
        raise UnreadableError(Unreadable.UNSAFE)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = elements.characters
    parser.StartDoctypeDeclHandler = declared
    parser.EntityDeclHandler = declared
    parser.ExternalEntityRefHandler = declared
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise UnreadableError(Unreadable.DAMAGED) from error
