"""Text of documents that are not text themselves (NET-02, DAT-06).

A document is hostile: what reads it runs apart from whoever asks, with bounded time, memory and output. What cannot be
read is refused by name; the text that was read is inspected, and only it goes to the model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import Literal, get_args

from caisson.errors import WireError

Format = Literal["pdf", "docx", "xlsx", "html"]
EXTRACTED: frozenset[str] = frozenset(get_args(Format))
"""Formats that are read here."""
DOCUMENT_BYTES_MAX = 4_718_592
"""4.5 MB, as Bedrock's own bound on a document (API_runtime_DocumentBlock)."""
DOCUMENTS_MAX = 5
"""Extracted documents of one request (Bedrock User Guide: Converse, documents of a request)."""
TEXT_CHARACTERS_MAX = 1_000_000
"""Text of one document; more than any session may spend on it."""


class Unreadable(Enum):
    """Why a document has no text here: rule, what the caller reads, and who must act."""

    WRONG_FORMAT = ("format", "expected a document of the declared format, found something else; correct the format")
    ENCRYPTED = ("encrypted", "expected a document without a password, found an encrypted one; send it decrypted")
    DAMAGED = ("damaged", "expected a whole document, found one that cannot be read; repair it or send its text")
    UNSAFE = ("unsafe", "expected a document without declarations of its own, found XML entities or a DTD; remove them")
    NOT_UTF8 = ("charset", "expected UTF-8, found another character set; convert it")
    TOO_LARGE = ("bytes", f"expected at most {DOCUMENT_BYTES_MAX} bytes, found more; split it")
    EXPANDS = ("expands", "expected a document of moderate size when unpacked, found a larger one; split it")
    TOO_MANY = ("parts", "expected fewer pages, files or cells, found more; split it")
    TOO_DEEP = ("nesting", "expected moderate nesting, found more; flatten it or send its text")
    TOO_MUCH_TEXT = ("text", f"expected at most {TEXT_CHARACTERS_MAX} characters of text, found more; split it")
    TOO_SLOW = ("time", "reading it took too long, so it was stopped; split it or send its text")
    TOO_MUCH_MEMORY = ("memory", "reading it took too much memory, so it was stopped; split it or send its text")
    NO_TEXT = ("blank", "expected text, found none; pictures of text are not read, send the text itself")
    BUSY = ("busy", "too many documents are being read; retry with backoff", WireError.THROTTLING)
    UNAVAILABLE = ("unavailable", "documents cannot be read now, so the request was stopped", WireError.UNAVAILABLE)

    def __init__(self, rule: str, message: str, error: WireError = WireError.VALIDATION) -> None:
        self.rule = f"document.{rule}"
        self.message = message
        self.error = error


class Extractor(ABC):
    """Reads documents. An adapter fills in `_extract`; the bounds hold for all of them."""

    async def text(self, document: bytes, format: Format, *, owner: str) -> str | Unreadable:
        """The document's text, or why it has none.

        Args:
            document: its bytes.
            format: as the caller declares it; another content is refused.
            owner: on whose behalf (session id). One owner's documents are read one after the other, so that nobody
                keeps all readers busy.
        """
        if len(document) > DOCUMENT_BYTES_MAX:
            return Unreadable.TOO_LARGE
        found = await self._extract(document, format, owner)
        if isinstance(found, Unreadable):
            return found
        if len(found) > TEXT_CHARACTERS_MAX:
            return Unreadable.TOO_MUCH_TEXT
        return found if found.strip() else Unreadable.NO_TEXT

    @abstractmethod
    async def _extract(self, document: bytes, format: Format, owner: str) -> str | Unreadable:
        """Read it. Failures of any kind are values."""

    @abstractmethod
    async def close(self) -> None:
        """Stop what reads."""


class NoExtractor(Extractor):
    """Reads nothing: what a runtime has that was given no extractor."""

    async def _extract(self, document: bytes, format: Format, owner: str) -> str | Unreadable:
        return Unreadable.UNAVAILABLE

    async def close(self) -> None:
        """See the port."""
