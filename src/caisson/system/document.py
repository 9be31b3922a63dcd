"""YAML text in, plain data and the position of every key and value out.

- YAML 1.2 core schema in decimal: `no` is text, `30` a number, `0x1e` text.
- What is written is what is read: no anchors, aliases, merge keys, tags, directives or duplicate keys; one document.
- Size, depth and number of nodes are bounded before anything is built; nothing here recurses.

>>> parse("sessions: {actions: 50}").data
{'sessions': {'actions': 50}}
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from caisson.system.carriers import Path, dotted

FILE_BYTES_MAX = 1_048_576
"""Largest system file in bytes."""
DEPTH_MAX = 32
"""Deepest nesting of mappings and lists."""
NODES_MAX = 50_000
"""Most keys, values, mappings and lists together."""
TEXT_SHOWN_MAX = 60
"""Characters of a key or value that a message repeats."""

_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,32}|[0-9]{1,32}(\.[0-9]{0,32})?)([eE][-+]?[0-9]{1,3})?")
_LINE_END = re.compile("\r\n|\r|\n")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""YAML 1.2.2, section 5.1."""


@dataclass(frozen=True, kw_only=True, order=True)
class Position:
    """Where something stands, both from 1."""

    line: int
    column: int


START = Position(line=1, column=1)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, or worth a warning."""

    position: Position
    path: Path
    """The key concerned, from the root of the file."""
    message: str
    """`expected …, found …`."""

    def line_in(self, name: str) -> str:
        """`file:line:column: expected …, found …`."""
        return f"{name}:{self.position.line}:{self.position.column}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a file says, and where."""

    data: Any
    keys: dict[Path, Position] = field(default_factory=dict)
    """Where each key begins."""
    values: dict[Path, Position] = field(default_factory=dict)
    """Where each value begins."""
    problems: tuple[Problem, ...] = ()
    """What is wrong as YAML. `data` is what could be read before."""

    def key_at(self, path: Path) -> Position:
        """Where the key stands; the nearest thing around it when the file does not say it."""
        return self.keys.get(path) or self.value_at(path)

    def value_at(self, path: Path) -> Position:
        """Where the value stands; the nearest thing around it when the file does not say it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.values:
                return self.values[path[:end]]
        return self.values.get((), START)


def shown(value: object) -> str:
    """A found value in a message: short, in YAML's words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case str() if len(value) > TEXT_SHOWN_MAX:
            return f"{value[:TEXT_SHOWN_MAX]!r}…"
    return repr(value)


def scalar(text: str) -> bool | int | float | str | None:
    """A plain scalar by the core schema (YAML 1.2.2, section 10.3.2), numbers in decimal only."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text[0] in "tT"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def decode(raw: bytes) -> str | Problem:
    """The text of a file, or why it has none."""
    if len(raw) > FILE_BYTES_MAX:
        return _problem(START, f"expected at most {FILE_BYTES_MAX:,} bytes, found more")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        return _problem(_Lines(before).at(len(before)), f"expected UTF-8, found byte 0x{raw[error.start]:02x}")
    if bad := _UNPRINTABLE.search(text):
        return _problem(_Lines(text).at(bad.start()), f"expected printable text, found U+{ord(bad[0]):04X}")
    return text


def parse(text: str) -> Document:
    """Read one YAML document. What is wrong with it is in `problems`."""
    lines = _Lines(text)
    builder = _Builder(lines)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except _RefusedError as refused:
        builder.problems.append(refused.problem)
    except (YAMLError, ValueError) as error:  # ValueError: an escape beyond Unicode, which ruamel.yaml lets through
        builder.problems.append(_syntax(error, lines, len(text.rstrip())))
    return Document(data=builder.root, keys=builder.keys, values=builder.values, problems=tuple(builder.problems))


class _Lines:
    """Turns offsets into positions. Lines end as in YAML 1.2.2, section 5.4."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(text))]

    def at(self, offset: int) -> Position:
        line = bisect.bisect_right(self._starts, offset)
        return Position(line=line, column=offset - self._starts[line - 1] + 1)


class _RefusedError(Exception):
    """What follows cannot be made sense of."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(kw_only=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    path: Path
    container: dict[str, Any] | list[Any]
    key: str | None = None
    """Of a mapping: the key whose value comes next."""


class _Builder:
    """Turns parser events into data, without recursion."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self.root: Any = None
        self.keys: dict[Path, Position] = {}
        self.values: dict[Path, Position] = {}
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._nodes = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        position = self._lines.at(event.start_mark.index)
        match event:
            case events.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _RefusedError(_problem(position, "expected one document, found another"))
                if event.version or event.tags:
                    raise _RefusedError(_problem(position, "expected no directives, found one"))
            case events.AliasEvent():
                raise _RefusedError(
                    _problem(position, "expected a value as written, found an alias (*); repeat the value")
                )
            case events.MappingEndEvent() | events.SequenceEndEvent():
                self._open.pop()
            case events.NodeEvent():
                self._node(event, position)

    def _node(self, event: Any, position: Position) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise _RefusedError(_problem(position, f"expected at most {NODES_MAX:,} keys and values, found more"))
        if event.anchor is not None:
            raise _RefusedError(
                _problem(position, "expected a value as written, found an anchor (&); repeat the value")
            )
        if event.ctag is not None:
            raise _RefusedError(_problem(position, "expected a value without a tag, found one (!)"))
        if isinstance(event, events.ScalarEvent):
            if bad := _UNPRINTABLE.search(event.value):  # an escape can write what the text itself may not hold
                raise _RefusedError(_problem(position, f"expected printable text, found U+{ord(bad[0]):04X}"))
            if self._open and isinstance(self._open[-1].container, dict) and self._open[-1].key is None:
                self._key(event.value, position)
            else:
                self._place(scalar(event.value) if event.implicit[0] else event.value, position)
            return
        if len(self._open) >= DEPTH_MAX:
            raise _RefusedError(_problem(position, f"expected at most {DEPTH_MAX} levels of nesting, found more"))
        container: dict[str, Any] | list[Any] = {} if isinstance(event, events.MappingStartEvent) else []
        self._open.append(_Open(path=self._place(container, position), container=container))

    def _key(self, key: str, position: Position) -> None:
        top = self._open[-1]
        path = (*top.path, key)
        if key == "<<":
            raise _RefusedError(_problem(position, "expected keys as written, found a merge key (<<)", path))
        if path in self.keys:
            first = self.keys[path]
            self.problems.append(
                _problem(
                    position, f"expected each key once, found {shown(key)} again; it stands in line {first.line}", path
                )
            )
        else:
            self.keys[path] = position
        top.key = key

    def _place(self, value: Any, position: Position) -> Path:
        """Put a value where it belongs; return its path."""
        if not self._open:
            path: Path = ()
            self.root = value
        else:
            top = self._open[-1]
            if isinstance(top.container, list):
                path = (*top.path, len(top.container))
                top.container.append(value)
            elif top.key is None:
                raise _RefusedError(_problem(position, f"expected a name as key, found {shown(value)}", top.path))
            else:
                path = (*top.path, top.key)
                top.container[top.key], top.key = value, None
        self.values[path] = position
        return path


def _problem(position: Position, message: str, path: Path = ()) -> Problem:
    return Problem(position=position, path=path, message=f"{message} ({dotted(path)})" if path else message)


def _syntax(error: YAMLError | ValueError, lines: _Lines, end: int) -> Problem:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    said = error.problem if isinstance(error, MarkedYAMLError) and error.problem else "an escape that is no character"
    return _problem(lines.at(min(mark.index, end) if mark else 0), f"expected well-formed YAML, found: {said}")
