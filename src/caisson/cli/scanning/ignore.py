"""What `.gitignore` files leave out (gitignore(5)): the last pattern that matches decides, deeper files come later.

>>> matches("*.log", "a/b.log", folder=False), matches("/build/", "build", folder=True)
(True, True)
>>> matches("/x", "a/x", folder=False)
False
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import re2

PATTERNS_BYTES_MAX = 1 << 20
"""Largest `.gitignore` that is read."""


class _Pattern(NamedTuple):
    base: str
    """Folder of the file, relative to the root; empty for the root itself."""
    text: str
    negated: bool


class Ignored:
    """Patterns collected on the way down from a root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._patterns: list[_Pattern] = []

    def enter(self, folder: Path) -> None:
        """Read the folder's `.gitignore`, and, at the root, those above it within the same repository."""
        if folder == self._root:
            for parent in _above(folder.resolve()):
                self._read(parent / ".gitignore", "..", root=folder.resolve().relative_to(parent).as_posix())
        self._read(folder / ".gitignore", folder.relative_to(self._root).as_posix().removeprefix("."))

    def match(self, path: Path, *, folder: bool) -> bool:
        """True when the path is left out."""
        relative = path.relative_to(self._root).as_posix()
        left_out = False
        for pattern in self._patterns:
            inside = pattern.base.startswith("..") or not pattern.base or relative.startswith(pattern.base + "/")
            if not inside or left_out is not pattern.negated:
                continue
            if pattern.base.startswith(".."):
                seen = f"{pattern.base[3:]}/{relative}"
            else:
                seen = relative[len(pattern.base) + 1 :] if pattern.base else relative
            if matches(pattern.text, seen, folder=folder):
                left_out = not pattern.negated
        return left_out

    def _read(self, path: Path, base: str, root: str = "") -> None:
        try:
            if not path.is_file() or path.stat().st_size > PATTERNS_BYTES_MAX:
                return
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            return
        for line in lines:
            text = line.rstrip() if not line.endswith("\\ ") else line
            if not text or text.startswith("#"):
                continue
            negated = text.startswith("!")
            self._patterns.append(_Pattern(f"../{root}" if root else base, text[negated:].removeprefix("\\"), negated))


def _above(folder: Path) -> list[Path]:
    """Folders above, up to that of the repository, the uppermost first; none outside of one."""
    found: list[Path] = []
    for parent in [] if (folder / ".git").exists() else folder.parents:
        found.append(parent)
        if (parent / ".git").exists():
            return found[::-1]
    return []


def matches(pattern: str, path: str, *, folder: bool) -> bool:
    """True when a pattern matches a path relative to its file."""
    if pattern.endswith("/"):
        if not folder:
            return False
        pattern = pattern[:-1]
    anchored = "/" in pattern
    return _compiled(pattern.removeprefix("/"), anchored).fullmatch(path) is not None


_PART = re.compile(r"/\*\*/|\*\*/|/\*\*|\*\*|\*|\?|\[!?[^\]/]+\]|\\?.")


@lru_cache(maxsize=4_096)
def _compiled(pattern: str, anchored: bool) -> re2._Regexp[str]:
    """By RE2, because a folder's patterns are its author's: time is in proportion to the path."""
    expression = _PART.sub(lambda found: _expression(found[0]), pattern)
    try:
        return re2.compile(expression if anchored else f"(?:.*/)?{expression}", _options())
    except re2.error:
        return re2.compile(re.escape(pattern), _options())


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors, options.dot_nl = False, True
    return options


_WILD = {"/**/": "/(?:.*/)?", "**/": "(?:[^/]+/)*", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _expression(part: str) -> str:
    """A part of a pattern as a regular expression."""
    if part in _WILD:
        return _WILD[part]
    if part[0] == "[" and len(part) > 1:
        return part.replace("[!", "[^")
    return re.escape(part[1:] if len(part) > 1 and part[0] == "\\" else part)
