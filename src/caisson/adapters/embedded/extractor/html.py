"""Text of HTML pages: what a reader may see, with the title; no scripts, no styles, no comments.

The parser is a stream without recursion. Where it and a browser differ does not matter: the model reads what this says.
"""

from __future__ import annotations

from html.parser import HTMLParser

from caisson.adapters.embedded.extractor.text import Text, UnreadableError
from caisson.ports.extractor import Unreadable

_UNSEEN = frozenset({"script", "style", "template"})
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "div", "dl", "dt", "fieldset",
        "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html",
        "li", "main", "nav", "ol", "option", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "title", "tr",
        "ul",
    }
)  # fmt: skip
_CELLS = frozenset({"td", "th"})
_SPOKEN = ("alt", "title", "placeholder", "value", "aria-label")
"""Attributes that a reader is shown or told."""


class _Page(HTMLParser):
    def __init__(self, text: Text) -> None:
        super().__init__(convert_charrefs=True)
        self._text = text
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        if self._unseen:
            return
        if tag in _BLOCKS:
            self._text.line()
        for name, value in attrs:
            if name in _SPOKEN and value:
                self._text.add(f" {' '.join(value.split())} ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self._text.line()
        elif tag in _CELLS:
            self._text.add("\t")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        words = " ".join(data.split())
        before, after = " " if data[:1].isspace() else "", " " if data[-1:].isspace() else ""
        self._text.add(f"{before}{words}{after}" if words else " " if data else "")


def text(data: bytes) -> str:
    """The page's text.

    Raises:
        UnreadableError: it has none here.
    """
    try:
        source = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(Unreadable.NOT_UTF8) from error
    if "\0" in source:
        raise UnreadableError(Unreadable.WRONG_FORMAT)
    found = Text()
    page = _Page(found)
    page.feed(source)
    page.close()
    return "\n".join(line for raw in str(found).splitlines() if (line := " ".join(raw.split(" ")).strip()))
