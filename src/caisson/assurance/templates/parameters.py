"""What a template's parameter is: given by a deployment or a parent stack, its default, or a symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caisson.assurance.iam.place import step
from caisson.assurance.templates.place import Flaw
from caisson.assurance.templates.values import External, Parameter, Symbol, Value, text

if TYPE_CHECKING:
    from caisson.assurance.templates.resolver import Scope

_STORED = "AWS::SSM::Parameter::Value<"
"""Types whose value is the name of a parameter in Systems Manager."""


def value_of(scope: Scope, name: str) -> Value:
    """The value of a parameter.

    A default is taken for the value, which is noted: whoever deploys may give another.

    Raises:
        Flaw: it is declared wrongly.
    """
    pointer = step("/Parameters", name)
    place = scope.source.place(pointer)
    declared = scope.section("Parameters")[name]
    if not isinstance(declared, dict) or not isinstance(declared.get("Type"), str):
        raise Flaw(place, "expected a parameter with a Type, found something else")
    type_ = declared["Type"]
    if name in scope.given:
        return _typed(type_, scope.given[name](), scope, name)
    if "Default" in declared:
        written = text(declared["Default"])
        if written is None:
            raise Flaw(place, "expected text as Default, found something else")
        scope.world.assumption(place, f"is taken to have its default, {str(written)[:60]!r}")
        return _typed(type_, str(written), scope, name)
    allowed = declared.get("AllowedValues")
    if isinstance(allowed, list) and len(allowed) == 1 and isinstance(allowed[0], str):
        return _typed(type_, allowed[0], scope, name)
    return _symbol(scope, name, declared)


def _symbol(scope: Scope, name: str, declared: dict[str, Any]) -> Parameter:
    place = scope.source.place(step("/Parameters", name))
    return Parameter(
        name=f"{scope.key}/Parameters/{name}", place=place, stack=scope.key, parameter=name, declared=declared
    )


def _typed(type_: str, value: Value, scope: Scope, name: str) -> Value:
    if type_.startswith(_STORED):
        place = scope.source.place(step("/Parameters", name))
        return External(name=f"{scope.key}/Parameters/{name} in Systems Manager", place=place)
    if type_ != "CommaDelimitedList" and not type_.startswith("List<"):
        return value
    if isinstance(value, (list, Symbol)):
        return value
    return [one.strip() for one in str(value).split(",")]
