"""Cycles among the resources or the conditions of a template, which CloudFormation refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from caisson.assurance.templates.functions import variables


def cycle(edges: Mapping[str, set[str]]) -> list[str]:
    """The names along one cycle, the first again at the end; empty where there is none.

    >>> cycle({"a": {"b"}, "b": {"a"}})
    ['a', 'b', 'a']
    """
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        on_path: set[str] = set()
        waiting: list[tuple[str, bool]] = [(start, False)]
        while waiting:
            node, leaving = waiting.pop()
            if leaving:
                path.pop()
                on_path.discard(node)
                done.add(node)
                continue
            if node in on_path:
                return [*path[path.index(node) :], node]
            if node in done:
                continue
            path.append(node)
            on_path.add(node)
            waiting.append((node, True))
            waiting += [(one, False) for one in sorted(edges.get(node, ()), reverse=True)]
    return []


def named_in(value: Any) -> Iterator[str]:
    """Logical ids that `Ref`, `Fn::GetAtt`, `Fn::Sub` name in a value as written."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        if not isinstance(found, dict):
            continue
        for key, argument in found.items():
            if key == "Ref" and isinstance(argument, str):
                yield argument
            elif key == "Fn::GetAtt":
                first = argument[0] if isinstance(argument, list) and argument else argument
                if isinstance(first, str):
                    yield first.partition(".")[0]
            elif key == "Fn::Sub":
                yield from _named_by_sub(argument)
            waiting.append(argument)


def _named_by_sub(argument: Any) -> Iterator[str]:
    template = argument[0] if isinstance(argument, list) and argument else argument
    own = argument[1] if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict) else {}
    if isinstance(template, str):
        yield from (name.partition(".")[0] for _, name in variables(template) if name and name not in own)


def conditions_in(value: Any) -> Iterator[str]:
    """Conditions that a condition names, as written."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            if isinstance(found.get("Condition"), str):
                yield found["Condition"]
            waiting += found.values()


def of_resources(resources: Mapping[str, Any]) -> list[str]:
    """A cycle among resources, by references and `DependsOn`."""
    edges: dict[str, set[str]] = {}
    for id_, resource in resources.items():
        if not isinstance(resource, dict):
            continue
        after = resource.get("DependsOn", [])
        named = {*named_in(resource.get("Properties")), *(after if isinstance(after, list) else [after])}
        edges[id_] = {one for one in named if isinstance(one, str) and one in resources}
    return cycle(edges)


def of_conditions(conditions: Mapping[str, Any]) -> list[str]:
    """A cycle among conditions."""
    return cycle(
        {name: {one for one in conditions_in(value) if one in conditions} for name, value in conditions.items()}
    )
