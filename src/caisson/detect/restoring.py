"""A stage that puts a user's own values back where their pseudonyms stand, and nowhere else (DAT-03, DAT-06).

A pseudonym stays as it is
- when it does not stand for a value of this request's user text,
- in a tag or behind the start of a script (see `markup`),
- in a run of characters without white space that looks like an address, a path, a query or a link target,
- when a label follows directly, as in `[EMAIL_7f3a9c].attacker.example`.

What decides comes from the model's text before the restored values go in, so nothing restored is ever inspected again.

>>> restoring = Restoring({"[EMAIL_7f3a9c]": "alice@example.com"})
>>> restoring.take("to [EMAIL_7f3a9c] ok", final=False)
'to alice@example.com ok'
>>> restoring.take(", https://x.example/[EMAIL_7f3a9c] ", final=True)
', https://x.example/[EMAIL_7f3a9c] '
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from caisson.detect.markup import Markup
from caisson.detect.pseudonyms import PSEUDONYM
from caisson.detect.stream import Hit

_PSEUDONYM = re.compile(PSEUDONYM)
_OPENING = re.compile(r"\[(?:[A-Z][A-Za-z0-9_]{0,76})?\Z")
"""What may still become a pseudonym."""
_ADDRESS = re.compile(r"[/\\=&?@%#]|\]\(|www\.", re.IGNORECASE)
"""Marks of an address, a query or a link target."""
_LINKED = re.compile(r"[/\\?&=]|www\.", re.IGNORECASE)
"""Marks that turn a restored value into the beginning of a longer address."""
_SPACE = " \t\n\r"
"""Only what ends an address everywhere."""
_LABEL = re.compile("[^\\s,;)\\]}'\"*`|(\\[<>\u0080-\u3001\u3003-\uff0d\uff0f-\uff60\uff62-\U0010ffff]+")
"""What may continue a host name: ASCII but for closing punctuation, and the dots of IDNA (UTS 46)."""
_SENTENCE_END = ".?!:\u3002\uff0e\uff61"
_LABEL_CHARACTERS_MAX = 64


class Restoring:
    """See the module."""

    blocked = False
    hits: Sequence[Hit] = ()

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._markup = Markup()
        self._held = ""
        self._address = False
        """The run of characters since the last white space looks like an address."""
        self._run = ""
        """The end of that run."""

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""
        text = self._held + text
        pieces: list[str] = []
        at = 0
        while (opening := text.find("[", at)) >= 0:
            self._read(text[at:opening])
            pieces.append(text[at:opening])
            at = opening
            found = _PSEUDONYM.match(text, opening)
            if found is None:
                if not final and _OPENING.match(text, opening):
                    break
                end = opening + 1
                pieces.append("[")
            else:
                label = _LABEL.match(text, found.end())
                end = found.end() if label is None else label.end()
                if not final and end == len(text) and end - found.end() <= _LABEL_CHARACTERS_MAX:
                    break
                end = found.end()
                pieces.append(self._restored(found.group(), label.group() if label else ""))
            self._read(text[opening:end])
            at = end
        else:
            self._read(text[at:])
            pieces.append(text[at:])
            at = len(text)
        self._held = text[at:]
        return "".join(pieces)

    def source(self, at: int) -> int:
        """Not asked: nothing stops the text after this stage."""
        return at

    def _restored(self, pseudonym: str, label: str) -> str:
        value = self._values.get(pseudonym)
        labelled = len(label) > _LABEL_CHARACTERS_MAX or label.rstrip(_SENTENCE_END)
        if value is None or self._address or self._markup.inside or labelled:
            return pseudonym
        self._address = _LINKED.search(value) is not None
        return value

    def _read(self, text: str) -> None:
        self._markup.feed(text)
        space = max(map(text.rfind, _SPACE))
        if space >= 0:
            self._address, self._run = False, ""
        run = self._run + text[space + 1 :]
        self._address = self._address or _ADDRESS.search(run) is not None
        self._run = run[-3:]
