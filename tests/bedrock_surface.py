"""Botocore's shapes of requests beside ours, member by member."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from botocore.model import ListShape, Shape, StructureShape

from bedrock_model import SERVICE
from caisson.zones.z2_runtime.dialects import converse, guardrail, tokens

IN_THE_PATH = {"modelId", "guardrailIdentifier", "guardrailVersion"}
OPERATIONS = {
    "Converse": converse.ConverseRequest,
    "ConverseStream": converse.ConverseRequest,
    "CountTokens": tokens.CountTokensRequest,
    "ApplyGuardrail": guardrail.ApplyGuardrailRequest,
}


def struct_of(given: Any) -> msgspec.inspect.StructType | None:
    """The struct in a field's type, whatever is around it."""
    if isinstance(given, msgspec.inspect.StructType):
        return given
    if isinstance(given, msgspec.inspect.ListType):
        return struct_of(given.item_type)
    if isinstance(given, msgspec.inspect.UnionType):
        return next((found for item in given.types if (found := struct_of(item))), None)
    return None


def inner(shape: Shape) -> Shape:
    while isinstance(shape, ListShape):
        shape = shape.member
    return shape


def members(
    shape: StructureShape, ours: msgspec.inspect.StructType, path: tuple[str, ...] = (), above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Shape, bool]]:
    """Every member below, whether ours carries it. Below what is refused nothing is looked at."""
    fields = {field.encode_name: field.type for field in ours.fields}
    for name, member in shape.members.items():
        if not path and name in IN_THE_PATH:
            continue
        carried = name in fields
        yield (*path, name), member, carried
        below, struct = inner(member), struct_of(fields.get(name))
        document = isinstance(below, StructureShape) and below.is_document_type
        if carried and isinstance(below, StructureShape) and not document and below.name not in above:
            assert struct is not None, (*path, name)
            yield from members(below, struct, (*path, name), (*above, below.name))


def walked(operation: str) -> list[tuple[tuple[str, ...], Shape, bool]]:
    ours = msgspec.inspect.type_info(OPERATIONS[operation])
    assert isinstance(ours, msgspec.inspect.StructType)
    return list(members(SERVICE.operation_model(operation).input_shape, ours))
