"""Every key of the schema, found by walking its models; what the documentation, messages and tests go by.

>>> [key.pattern for key in walk()][:3]
['caisson', 'name', 'tier']
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from caisson.system.carriers import Carried, Path, carried
from caisson.system.schema import File
from caisson.system.section import Section


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of the schema."""

    pattern: str
    """Path with `*` for every name and `[]` for every item: `guardrails.*.topics[].name`."""
    name: str
    """The key itself, the last part of the pattern."""
    section: type[Section]
    """The section that the key stands in."""
    field: FieldInfo
    carried: Carried


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a key holds."""

    section: type[Section] | None
    """The section inside, if any."""
    suffix: str
    """What stands between the key and the section's own keys: nothing, `.*` or `[]`."""


def shape(annotation: Any) -> Shape:
    """The section that a type holds, and how."""
    if get_origin(annotation) is Annotated:
        return shape(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return Shape(section=annotation, suffix="")
    suffix = {dict: ".*", tuple: "[]"}.get(get_origin(annotation), "")
    if suffix or get_origin(annotation) in (Union, types.UnionType):
        for argument in get_args(annotation):
            inside = shape(argument)
            if inside.section is not None:
                return Shape(section=inside.section, suffix=suffix + inside.suffix)
    return Shape(section=None, suffix="")


def walk(section: type[Section] = File, prefix: str = "") -> Iterator[Key]:
    """Every key, outer before inner, in the order of the schema."""
    for name, field in section.model_fields.items():
        key = field.alias or name
        pattern = f"{prefix}{key}"
        yield Key(pattern=pattern, name=key, section=section, field=field, carried=carried(field))
        inside = shape(field.annotation)
        if inside.section is not None:
            yield from walk(inside.section, f"{pattern}{inside.suffix}.")


def names_at(path: Path) -> tuple[str, ...]:
    """The keys that the schema knows in the mapping at `path`; none when that mapping's names are free."""
    section: type[Section] | None = File
    skip = 0
    for part in path:
        if skip:
            skip -= 1
            continue
        if section is None:
            return ()
        found = {field.alias or name: field for name, field in section.model_fields.items()}.get(str(part))
        inside = shape(found.annotation) if found is not None else Shape(section=None, suffix="")
        section, skip = inside.section, 1 if inside.suffix else 0
    return tuple(field.alias or name for name, field in section.model_fields.items()) if section and not skip else ()
