"""XML that AWS answers with: STS and other query services in answers and errors, S3 in errors.

A document type declaration is refused wherever it stands, as entities need one (OWASP: XML external entity prevention).
Only UTF-8 is read, so that no other encoding hides one.

>>> root = parsed(b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>")
>>> error_in(root)
('Throttling', '')
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

DOCUMENT_BYTES_MAX = 256 * 1024
"""Longest document that is read: errors and credentials are a few kilobytes."""


def parsed(raw: bytes) -> Element | None:
    """The root of a document; None when it is none that we read."""
    if len(raw) > DOCUMENT_BYTES_MAX:
        return None
    try:
        text = raw.decode("utf-8")
        if "\0" in text or "<!DOCTYPE" in text:
            return None  # with a zero it is UTF-16 to the parser, whatever it is told
        return ElementTree.fromstring(text)  # noqa: S314 - without a document type there are no entities
    except (UnicodeDecodeError, ElementTree.ParseError, ValueError):
        return None


def error_in(root: Element | None) -> tuple[str, str]:
    """Code and message of an error document, `ErrorResponse/Error` (query services) or `Error` (S3); empty without."""
    if root is None:
        return "", ""
    for candidate in (root, *root):
        if _name(candidate) == "Error":
            said = {_name(part): (part.text or "").strip() for part in candidate}
            return said.get("Code", ""), said.get("Message", "")
    return "", ""


def _name(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]
