"""Findings with their place, and without the secret.

A fingerprint is a hash of file, rule and value: it survives a move within the file and says nothing about the value, as
long as the value cannot be guessed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from caisson.cli.scanning.sources import Source
from caisson.detect.detectors import detector
from caisson.detect.rules.credentials import BY_FORM

SHOWN_CHARACTERS = 4
"""Beginning of a secret that is shown when it has its issuer's form and is at least `SHOWN_FROM` long: a prefix."""
SHOWN_FROM = 20
FINGERPRINT_HEX = 20
"""80 bits."""
_WITH_PREFIX = frozenset(rule.id for rule in BY_FORM)


@dataclass(frozen=True, kw_only=True)
class Located:
    """A finding in a file."""

    name: str
    line: int
    column: int
    end_line: int
    end_column: int
    """One past the last character."""
    rule: str
    score: float
    shown: str
    """The secret, masked."""
    fingerprint: str
    commit: str

    @property
    def place(self) -> str:
        """`file:line:column`, with the commit where there is one."""
        return f"{self.commit[:12]}:" * bool(self.commit) + f"{self.name}:{self.line}:{self.column}"

    def as_json(self) -> dict[str, Any]:
        """As a line of JSON."""
        return {
            "file": self.name, "line": self.line, "column": self.column, "rule": self.rule, "score": self.score,
            "secret": self.shown, "fingerprint": self.fingerprint, **({"commit": self.commit} if self.commit else {}),
        }  # fmt: skip


class Examiner:
    """Looks at texts. What history repeats is reported once."""

    def __init__(self) -> None:
        self.files = 0
        """Texts that were looked at."""
        self._detect = detector("secrets")
        self._seen: set[str] = set()

    def examine(self, source: Source) -> Iterator[Located]:
        """Findings of a text, in its order."""
        self.files += 1
        found = self._detect(source.text)
        if not found:
            return
        begins = [0, *(place + 1 for place, character in enumerate(source.text) if character == "\n")]
        for one in found:
            value = source.text[one.start : one.end]
            fingerprint = _fingerprint(source.name, one.rule, one.normal or value)
            if source.commit and fingerprint in self._seen:
                continue
            self._seen.add(fingerprint)
            line, end_line = bisect_right(begins, one.start), bisect_right(begins, one.end)
            yield Located(
                name=source.name,
                line=source.line + line - 1,
                column=one.start - begins[line - 1] + 1,
                end_line=source.line + end_line - 1,
                end_column=one.end - begins[end_line - 1] + 1,
                rule=one.rule,
                score=one.score,
                shown=masked(value, one.rule),
                fingerprint=fingerprint,
                commit=source.commit,
            )


def masked(value: str, rule: str) -> str:
    """What may be shown of a secret that a rule found.

    >>> masked("ghp_0123456789abcdef0123", "credentials.github-token"), masked("hunter2!", "credentials.password")
    ('ghp_… (24 characters)', '… (8 characters)')
    """
    start = value[:SHOWN_CHARACTERS]
    shown = rule in _WITH_PREFIX and len(value) >= SHOWN_FROM and start.isprintable()
    return f"{start if shown else ''}… ({len(value)} characters)"


def _fingerprint(name: str, rule: str, value: str) -> str:
    material = "\0".join((name, rule, value)).encode(errors="replace")
    return sha256(b"caisson scan v1\0" + material).hexdigest()[:FINGERPRINT_HEX]
