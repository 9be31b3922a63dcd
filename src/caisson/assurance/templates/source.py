"""The text of a template as plain data with places: JSON, or YAML with CloudFormation's short forms.

- Short forms become long ones: `!Sub x` is `{"Fn::Sub": "x"}`, `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`.
- Numbers keep their text (`Number`), as CloudFormation compares and joins text.
- YAML 1.1, as CloudFormation reads it: `yes` is true. A plain scalar that readers of YAML 1.1 and 1.2 take for
  different numbers (`0777`, `1_000`, `22:30`) is `Ambiguous`.
- Refused: duplicate keys, aliases, merge keys, unknown tags, a second document, more than `BYTES_MAX` or `DEPTH_MAX`.

>>> decode("a.yaml", "Ref: !Sub '${A}-b'").value
{'Ref': {'Fn::Sub': '${A}-b'}}
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from caisson.assurance.iam.place import Number, step
from caisson.assurance.iam.place import decode as decode_json
from caisson.assurance.templates.place import Flaw, Place

BYTES_MAX = 1_000_000
"""Largest template (CloudFormation user guide, cloudformation-limits)."""
DEPTH_MAX = 60
"""Deepest nesting; CloudFormation's own bound is not documented."""
SHORT_FORMS = frozenset(
    {
        "And", "Base64", "Cidr", "Equals", "FindInMap", "GetAtt", "GetAZs", "If", "ImportValue", "Join", "Length",
        "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform",
    }
)  # fmt: skip
"""`!Name` is `Fn::Name` (CloudFormation user guide, intrinsic-function-reference); `!Ref` and `!Condition` are bare."""

_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE|yes|Yes|YES|on|On|ON")
_FALSE = re.compile(r"false|False|FALSE|no|No|NO|off|Off|OFF")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_AMBIGUOUS = re.compile(
    r"[-+]?(0[0-7_]+|0b[01_]+|0o[0-7]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|\.[0-9_]+|[0-9]+\.|\.inf|\.Inf|\.INF|\.nan|\.NaN|\.NAN)|y|Y|n|N"
)


class Ambiguous(str):
    """A plain YAML scalar that readers take for different values; its text as written."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a file says, and where."""

    file: str
    value: Any
    lines: dict[str, int] = field(default_factory=dict)
    """Pointer to line; of JSON nothing."""

    def place(self, pointer: str = "") -> Place:
        """Where a value stands; the nearest line around it."""
        at = pointer
        while at and at not in self.lines:
            at = at.rpartition("/")[0]
        return Place(file=self.file, pointer=pointer, line=self.lines.get(at, 0))


def decode(file: str, text: str) -> Source:
    """Read a template, as JSON where it begins like an object, else as YAML.

    Raises:
        Flaw: it cannot be read.
    """
    if text.lstrip().startswith("{"):
        value, problems = decode_json(text)
        if not problems:
            _bound(file, value)
            return Source(file=file, value=value)
        if not file.endswith((".yaml", ".yml")):
            raise Flaw(Place(file=file, pointer=problems[0].pointer), problems[0].message)
    return _yaml(file, text)


def _bound(file: str, value: Any) -> None:
    waiting = [("", value, 0)]
    while waiting:
        pointer, found, depth = waiting.pop()
        if depth > DEPTH_MAX:
            raise Flaw(Place(file=file, pointer=pointer), f"expected at most {DEPTH_MAX} levels, found more")
        if isinstance(found, dict):
            waiting += [(step(pointer, key), below, depth + 1) for key, below in found.items()]
        elif isinstance(found, list):
            waiting += [(step(pointer, index), below, depth + 1) for index, below in enumerate(found)]


def _yaml(file: str, text: str) -> Source:
    builder = _Builder(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except (YAMLError, ValueError, RecursionError) as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        said = error.problem if isinstance(error, MarkedYAMLError) and error.problem else str(error)
        raise Flaw(Place(file=file, line=mark.line + 1 if mark else 0), f"expected YAML, found: {said}") from None
    return Source(file=file, value=builder.root, lines=builder.lines)


@dataclass(kw_only=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    pointer: str
    container: dict[str, Any] | list[Any]
    tag: str = ""
    key: str | None = None
    seen: set[str] = field(default_factory=set)


class _Builder:
    """Turns parser events into data."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Any = None
        self.lines: dict[str, int] = {}
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        match event:
            case events.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._flaw(line, "expected one document, found another")
            case events.AliasEvent():
                raise self._flaw(line, "expected no aliases (*), which CloudFormation does not take, found one")
            case events.MappingEndEvent() | events.SequenceEndEvent():
                self._open.pop()
            case events.NodeEvent():
                self._node(event, line)

    def _node(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            raise self._flaw(line, "expected no anchors (&), which CloudFormation does not take, found one")
        tag = event.ctag.suffix if event.ctag is not None and event.ctag.handle == "!" else ""
        if event.ctag is not None and not tag and str(event.ctag) not in ("!", "tag:yaml.org,2002:str"):
            raise self._flaw(line, f"expected a function of CloudFormation, found the tag {event.ctag}")
        if tag and tag not in SHORT_FORMS and tag not in ("Ref", "Condition"):
            raise self._flaw(line, f"expected a function of CloudFormation, found the tag !{tag}")
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.container, dict) and top.key is None:
            self._key(event, line, top)
            return
        if isinstance(event, events.ScalarEvent):
            plain = event.implicit[0] and event.style is None
            value: Any = _scalar(event.value) if plain and not tag else event.value
            self._place(_long(tag, value) if tag else value, line)
            return
        if len(self._open) >= DEPTH_MAX:
            raise self._flaw(line, f"expected at most {DEPTH_MAX} levels, found more")
        container: dict[str, Any] | list[Any] = {} if isinstance(event, events.MappingStartEvent) else []
        pointer = self._place({_name(tag): container} if tag else container, line)
        if tag:
            pointer = step(pointer, _name(tag))
            self.lines[pointer] = line
        self._open.append(_Open(pointer=pointer, container=container))

    def _key(self, event: Any, line: int, top: _Open) -> None:
        if not isinstance(event, events.ScalarEvent):
            raise self._flaw(line, "expected a name as key, found a mapping or list")
        key = event.value
        if key == "<<" and event.style is None:
            raise self._flaw(line, "expected no merge key (<<), which CloudFormation does not take, found one")
        if key in top.seen:
            raise self._flaw(line, f"expected each key once, found {key!r} again", step(top.pointer, key))
        top.seen.add(key)
        top.key = key

    def _place(self, value: Any, line: int) -> str:
        """Put a value where it belongs; return its pointer."""
        if not self._open:
            self.root, pointer = value, ""
        else:
            top = self._open[-1]
            if isinstance(top.container, list):
                pointer = step(top.pointer, len(top.container))
                top.container.append(value)
            else:
                key = top.key or ""
                pointer = step(top.pointer, key)
                top.container[key], top.key = value, None
        self.lines[pointer] = line
        return pointer

    def _flaw(self, line: int, message: str, pointer: str = "") -> Flaw:
        inside = ""
        if self._open:
            top = self._open[-1]
            inside = top.pointer if top.key is None else step(top.pointer, top.key)
        return Flaw(Place(file=self.file, pointer=pointer or inside, line=line), message)


def _name(tag: str) -> str:
    return f"Fn::{tag}" if tag in SHORT_FORMS else tag


def _long(tag: str, value: str) -> dict[str, Any]:
    """A short form with a scalar argument, as the long form."""
    if tag == "GetAtt":
        resource, _, attribute = value.partition(".")
        return {"Fn::GetAtt": [resource, attribute] if attribute else value}
    return {_name(tag): value}


def _scalar(text: str) -> Any:
    """A plain scalar as CloudFormation takes it."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _NUMBER.fullmatch(text):
        return Number(text)
    if _AMBIGUOUS.fullmatch(text):
        return Ambiguous(text)
    return text
