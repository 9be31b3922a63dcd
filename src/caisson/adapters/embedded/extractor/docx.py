"""Text of Word documents (ECMA-376, part 1, WordprocessingML): the body, then foot- and endnotes.

Deleted text is left out, hidden text is not: it is what a reader may be shown. A line a paragraph, a tab between the
cells of a row. Text boxes are written twice, once for old readers (`Fallback`), and read once.
"""

from __future__ import annotations

from caisson.adapters.embedded.extractor import package, xml_events
from caisson.adapters.embedded.extractor.text import Text

_PARTS = ("word/document.xml", "word/footnotes.xml", "word/endnotes.xml")
_NAMESPACES = frozenset(
    {
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
    }
)
_COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


class _Body:
    """Collects the text of runs."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._in_text = False
        self._skipped = 0
        """How many elements with another form of the same content are open."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if namespace == _COMPATIBILITY and local == "Fallback":
            self._skipped += 1
        if self._skipped or namespace not in _NAMESPACES:
            return
        self._in_text = local == "t"
        if local in _BREAKS:
            self._text.add(_BREAKS[local])

    def end(self, name: str) -> None:
        namespace, _, local = name.rpartition(" ")
        self._in_text = False
        if namespace == _COMPATIBILITY and local == "Fallback":
            self._skipped -= 1
        if self._skipped or namespace not in _NAMESPACES:
            return
        if local == "p":
            self._text.line()
        elif local == "tc":
            self._text.add("\t")
        elif local == "tr":
            self._text.line()

    def characters(self, text: str) -> None:
        if self._in_text and not self._skipped:
            self._text.add(text)


def text(data: bytes) -> str:
    """The document's text.

    Raises:
        UnreadableError: it has none here.
    """
    found = Text()
    with package.opened(data) as opened:
        present = set(opened.namelist())
        for index, name in enumerate(_PARTS):
            if index == 0 or name in present:
                xml_events.read(package.unpacked(opened, name), _Body(found))
                found.line()
    return str(found)
