"""Text of PDF documents, page by page, read by pypdf (pure Python). Pictures of text are not read."""

from __future__ import annotations

import io
import logging

from pypdf import PdfReader
from pypdf.errors import LimitReachedError, PyPdfError

from caisson.adapters.embedded.extractor.text import Text, UnreadableError
from caisson.ports.extractor import Unreadable

PAGES_MAX = 1_000
_HEADER_WITHIN = 1_024
"""Bytes in which the header stands (ISO 32000-1, annex H, implementation note 13)."""

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it quotes what it stumbles over


def text(data: bytes) -> str:
    """The document's text.

    Raises:
        UnreadableError: it has none here.
    """
    if b"%PDF-" not in data[:_HEADER_WITHIN]:
        raise UnreadableError(Unreadable.WRONG_FORMAT)
    found = Text()
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            raise UnreadableError(Unreadable.ENCRYPTED)
        if len(reader.pages) > PAGES_MAX:
            raise UnreadableError(Unreadable.TOO_MANY)
        for page in reader.pages:
            found.add(page.extract_text())
            found.line()
    except LimitReachedError as error:
        raise UnreadableError(Unreadable.EXPANDS) from error
    except PyPdfError as error:
        raise UnreadableError(Unreadable.DAMAGED) from error
    return str(found)
