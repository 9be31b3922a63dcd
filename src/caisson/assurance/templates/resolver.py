"""Resolves the intrinsic functions of one stack; asks its `World` for what other stacks export.

What CloudFormation would refuse raises `Flaw`. What cannot be told is a symbol; what this reader does not know is
`Unknown`, and a problem in the world.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from caisson.assurance.iam.place import step
from caisson.assurance.templates import functions, pseudo
from caisson.assurance.templates.identity import IDENTITIES, PROPERTY_DEFAULTS, PROPERTY_WORDS
from caisson.assurance.templates.parameters import value_of
from caisson.assurance.templates.place import Flaw, Place
from caisson.assurance.templates.source import Ambiguous, Source
from caisson.assurance.templates.values import (
    NO_VALUE,
    Choice,
    External,
    NoValue,
    Reference,
    Symbol,
    Unknown,
    Value,
    join,
    key_of,
    text,
)

NESTED = "AWS::CloudFormation::Stack"
_DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")
_TOKEN = re.compile(r"\{(/?[A-Za-z]+)\}")


class World(Protocol):
    """What a stack needs of the others."""

    def problem(self, place: Place, message: str) -> None:
        """Note what cannot be known."""

    def assumption(self, place: Place, message: str) -> None:
        """Note what is taken to be so."""

    def imported(self, name: Value, scope: Scope, place: Place) -> Value:
        """`Fn::ImportValue`."""

    def nested(self, scope: Scope, id_: str) -> Scope | None:
        """The stack that a resource of type `NESTED` makes."""


@dataclass(kw_only=True, eq=False)
class Scope:
    """A stack that is being resolved."""

    world: World
    key: str
    name: Value
    source: Source
    account: Value
    region: Value
    given: Mapping[str, Callable[[], Value]] = field(default_factory=dict)
    """Parameters that a deployment or a parent stack gives."""
    _memo: dict[tuple[str, str], Any] = field(default_factory=dict)
    _under_way: list[tuple[str, str]] = field(default_factory=list)
    _pseudo: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pseudo = pseudo.values(self.key, self.name, self.account, self.region, self.source.place())

    def section(self, name: str) -> dict[str, Any]:
        """A section of the template, empty where it has none."""
        found = self.source.value.get(name)
        return found if isinstance(found, dict) else {}

    # -- what has a name ----------------------------------------------------------------------------------------------

    def named(self, name: str, place: Place) -> Value:
        """What `Ref` returns."""
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.section("Parameters"):
            return self._once("parameter", name, place, lambda: self._parameter(name))
        if name in self.section("Resources"):
            if (gone := self._gone(name, place)) is not None:
                return gone
            return self.ref(name)
        raise Flaw(place, f"expected a parameter, a resource or a pseudo parameter, found {name!r}")

    def _parameter(self, name: str) -> Value:
        return value_of(self, name)

    def condition(self, name: str, place: Place) -> bool | None:
        """Whether a condition holds; None where it depends on what is not known.

        Raises:
            Flaw: there is none of that name, or it is wrong.
        """
        declared = self.section("Conditions")
        if name not in declared:
            raise Flaw(place, f"expected a condition of the template, found {name!r}")
        pointer = step("/Conditions", name)
        found: bool | None = self._once("condition", name, place, lambda: self._truth(declared[name], pointer))
        return found

    def output(self, name: str, place: Place) -> Value:
        """The value of an output."""
        declared = self.section("Outputs")
        if not isinstance(declared.get(name), dict) or "Value" not in declared[name]:
            raise Flaw(place, f"expected an output of {self.key}, found {name!r}")
        pointer = step(step("/Outputs", name), "Value")
        return self._once("output", name, place, lambda: self.resolve(declared[name]["Value"], pointer))

    def ref(self, id_: str) -> Value:
        """What `Ref` of a resource returns."""
        identity = IDENTITIES.get(self.type_of(id_))
        if identity is None:
            return self._reference(id_)
        if identity.ref == "arn":
            return self.arn(id_)
        return self._format(id_, identity.ref)

    def arn(self, id_: str) -> Value:
        """The ARN of a resource; None where it cannot be told."""
        identity = IDENTITIES.get(self.type_of(id_))
        if identity is None or not identity.arn:
            return None
        return self._format(id_, f"arn:{{partition}}:{identity.arn}", words=True)

    def attribute(self, id_: str, attribute: Value, place: Place) -> Value:
        """`Fn::GetAtt`."""
        if id_ not in self.section("Resources"):
            raise Flaw(place, f"expected a resource of the template in Fn::GetAtt, found {id_!r}")
        if isinstance(attribute, Symbol):
            return functions.applied("Fn::GetAtt", place, self._reference(id_), attribute)
        if not isinstance(attribute, str) or not attribute:
            raise Flaw(place, "expected the name of an attribute in Fn::GetAtt, found something else")
        if (gone := self._gone(id_, place)) is not None:
            return gone
        type_ = self.type_of(id_)
        if type_ == NESTED and attribute.startswith("Outputs."):
            child = self.world.nested(self, id_)
            if child is not None:
                return child.output(attribute.partition(".")[2], place)
        identity = IDENTITIES.get(type_)
        if identity is not None:
            if attribute in identity.arns:
                return self.arn(id_)
            if attribute in identity.ids:
                return self._format(id_, "{id}")
            for name, written in identity.others:
                if name == attribute:
                    return self._format(id_, written)
        return self._reference(id_, attribute)

    def type_of(self, id_: str) -> str:
        """The type of a resource."""
        found = self.section("Resources").get(id_)
        type_ = found.get("Type") if isinstance(found, dict) else None
        return type_ if isinstance(type_, str) else ""

    def _gone(self, id_: str, place: Place) -> Unknown | None:
        """A reference to a resource whose condition is false."""
        if self.exists(id_) is not False:
            return None
        return self._unknown(place, f"{id_!r} does not exist, as its condition is false")

    def exists(self, id_: str) -> bool | None:
        """Whether a resource's condition holds; None where that is not known."""
        written = self.section("Resources")[id_]
        name = written.get("Condition") if isinstance(written, dict) else None
        if name is None:
            return True
        place = self.source.place(step(step("/Resources", id_), "Condition"))
        if not isinstance(name, str):
            raise Flaw(place, "expected the name of a condition, found something else")
        return self.condition(name, place)

    def _reference(self, id_: str, attribute: str = "") -> Reference:
        name = f"{self.key}/{id_}" + (f".{attribute}" if attribute else "")
        place = self.source.place(step("/Resources", id_))
        return Reference(
            name=name, place=place, stack=self.key, id=id_, attribute=attribute, type=self.type_of(id_)
        )  # fmt: skip

    def _physical(self, id_: str) -> Value:
        """The name that a resource's property gives it, else the one that AWS will."""
        identity = IDENTITIES[self.type_of(id_)]
        if not identity.named_by:
            return self._reference(id_)
        found = self._property(id_, identity.named_by)
        written = text(found)
        return self._reference(id_) if written is None or written == "" else written

    def _property(self, id_: str, name: str) -> Value:
        properties = self.section("Resources")[id_].get("Properties")
        if not isinstance(properties, dict) or name not in properties:
            return None
        pointer = step(step(step("/Resources", id_), "Properties"), name)
        place = self.source.place(pointer)
        found = self._once("property", f"{id_}.{name}", place, lambda: self.resolve(properties[name], pointer))
        return None if isinstance(found, NoValue) else found

    def _format(self, id_: str, written: str, *, words: bool = False) -> Value:
        """A format of `identity` filled in."""
        parts: list[Any] = []
        at = 0
        for found in _TOKEN.finditer(written):
            parts += [written[at : found.start()], self._token(id_, found[1], words)]
            at = found.end()
        return functions.joined([*parts, written[at:]], self.source.place(step("/Resources", id_)))

    def _token(self, id_: str, token: str, words: bool) -> Value:
        type_ = self.type_of(id_)
        match token:
            case "partition":
                return self._pseudo["AWS::Partition"]
            case "region":
                return self.region
            case "account":
                return self.account
            case "suffix":
                return self._pseudo["AWS::URLSuffix"]
            case "id":
                return self._physical(id_)
            case "/id":
                name = self._physical(id_)
                return name if isinstance(name, str) and name.startswith("/") else join(["/", name])
            case "unique":
                return self._reference(id_, "unique")
            case "path":
                return text(self._property(id_, "Path")) or "/"
        value = text(self._property(id_, token)) or PROPERTY_DEFAULTS.get((type_, token))
        if value is None:
            return self._reference(id_, token)
        return PROPERTY_WORDS.get((type_, value), value) if words and isinstance(value, str) else value

    # -- values -------------------------------------------------------------------------------------------------------

    def resolve(self, value: Any, pointer: str) -> Value:
        """A value as written, without functions.

        Raises:
            Flaw: CloudFormation would refuse it.
        """
        if isinstance(value, Ambiguous):
            return self._unknown(
                self.source.place(pointer), f"{str(value)!r} is a number of several readings in YAML; quote it"
            )
        if isinstance(value, str):
            return self._text(value, pointer)
        if isinstance(value, list):
            found = [self.resolve(one, step(pointer, index)) for index, one in enumerate(value)]
            return [one for one in found if not isinstance(one, NoValue)]
        if not isinstance(value, dict):
            return value
        function = next((key for key in value if key == "Ref" or key.startswith("Fn::")), None)
        if function is None:
            made = {key: self.resolve(one, step(pointer, key)) for key, one in value.items()}
            return {key: one for key, one in made.items() if not isinstance(one, NoValue)}
        place = self.source.place(step(pointer, function))
        if len(value) != 1:
            return self._unknown(place, f"expected {function} alone in its object, found other keys")
        return self._call(function, value[function], step(pointer, function), place)

    def _text(self, value: str, pointer: str) -> Value:
        """Text, in which dynamic references are symbols."""
        if "{{resolve:" not in value or not (found := list(_DYNAMIC.finditer(value))):
            return value
        parts: list[Any] = []
        at = 0
        for one in found:
            parts += [value[at : one.start()], External(name=one[0], place=self.source.place(pointer))]
            at = one.end()
        return join([*parts, value[at:]])

    def _call(self, function: str, argument: Any, pointer: str, place: Place) -> Value:
        if function == "Ref":
            if not isinstance(argument, str):
                raise Flaw(place, "expected a name in Ref, found something else")
            return self.named(argument, place)
        if function == "Fn::GetAtt":
            return self._get_att(argument, pointer, place)
        if function == "Fn::Sub":
            return self._sub(argument, pointer, place)
        if function == "Fn::If":
            return self._if(argument, pointer, place)
        if function == "Fn::FindInMap":
            return self._find_in_map(argument, pointer, place)
        made = _PURE.get(function)
        if made is None and function not in ("Fn::GetAZs", "Fn::ImportValue"):
            return self._unknown(place, f"{function} is not known to this version")
        resolved = self.resolve(argument, pointer)
        if isinstance(resolved, NoValue):
            raise Flaw(place, f"expected an argument of {function}, found AWS::NoValue")
        if function == "Fn::GetAZs":
            region = resolved or self.region
            return functions.applied(function, place, region)
        if function == "Fn::ImportValue":
            return self.world.imported(resolved, self, place)
        if made is None:
            raise Flaw(place, f"expected a known function, found {function}")
        count, call = made
        if count == 1:
            return call(resolved, place)
        if not isinstance(resolved, list) or len(resolved) != count:
            if function == "Fn::Cidr" and isinstance(resolved, list) and len(resolved) == 2:
                block = resolved[0]
                return functions.cidr_list(block, resolved[1], "64" if ":" in str(block) else "8", place)
            raise Flaw(place, f"expected {count} arguments of {function}, found something else")
        return call(*resolved, place)

    def _get_att(self, argument: Any, pointer: str, place: Place) -> Value:
        if isinstance(argument, str):
            id_, _, rest = argument.partition(".")
            return self.attribute(id_, rest, place)
        if not isinstance(argument, list) or len(argument) < 2 or not isinstance(argument[0], str):
            raise Flaw(place, "expected a resource and an attribute in Fn::GetAtt, found something else")
        if len(argument) > 2:
            if not all(isinstance(one, str) for one in argument):
                raise Flaw(place, "expected a resource and an attribute in Fn::GetAtt, found something else")
            return self.attribute(argument[0], ".".join(argument[1:]), place)
        return self.attribute(argument[0], self.resolve(argument[1], step(pointer, 1)), place)

    def _sub(self, argument: Any, pointer: str, place: Place) -> Value:
        own: dict[str, Any] = {}
        template = argument
        if isinstance(argument, list):
            if len(argument) != 2 or not isinstance(argument[1], dict):
                raise Flaw(place, "expected text and a mapping in Fn::Sub, found something else")
            template, own = argument
        if not isinstance(template, str):
            raise Flaw(place, "expected text in Fn::Sub, found something else")
        parts: list[Any] = []
        for before, name in functions.variables(template):
            parts.append(self._text(before, pointer))
            if not name:
                continue
            if name in own:
                found = self.resolve(own[name], step(step(pointer, 1), name))
            elif "." in name:
                id_, _, attribute = name.partition(".")
                found = self.attribute(id_, attribute, place)
            else:
                found = self.named(name, place)
            written = text(found)
            if written is None:
                raise Flaw(place, f"expected text for {name!r} in Fn::Sub, found something else")
            parts.append(written)
        return functions.joined(parts, place)

    def _if(self, argument: Any, pointer: str, place: Place) -> Value:
        if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
            raise Flaw(place, "expected a condition and two values in Fn::If, found something else")
        truth = self.condition(argument[0], place)
        if truth is not None:
            chosen = 1 if truth else 2
            return self.resolve(argument[chosen], step(pointer, chosen))
        yes, no = (self.resolve(argument[at], step(pointer, at)) for at in (1, 2))
        condition = f"{self.key}/{argument[0]}"
        name = f"{condition} ? {_choice_key(yes)} : {_choice_key(no)}"
        return Choice(name=name, place=place, condition=condition, yes=yes, no=no)

    def _find_in_map(self, argument: Any, pointer: str, place: Place) -> Value:
        if not isinstance(argument, list) or len(argument) not in (3, 4):
            raise Flaw(place, "expected a map and two keys in Fn::FindInMap, found something else")
        keys = [self.resolve(one, step(pointer, at)) for at, one in enumerate(argument[:3])]
        if any(isinstance(key, Symbol) for key in keys):
            return functions.applied("Fn::FindInMap", place, self.key, *keys)
        found: Any = self.section("Mappings")
        for key in keys:
            found = found.get(str(key)) if isinstance(found, dict) else None
        if found is None:
            default = argument[3].get("DefaultValue") if len(argument) == 4 and isinstance(argument[3], dict) else None
            if default is None:
                raise Flaw(place, f"expected an entry of Mappings, found none for {', '.join(map(str, keys))}")
            return self.resolve(default, step(step(pointer, 3), "DefaultValue"))
        return self.resolve(found, pointer)

    # -- conditions ---------------------------------------------------------------------------------------------------

    def _truth(self, value: Any, pointer: str) -> bool | None:
        place = self.source.place(pointer)
        if not isinstance(value, dict) or len(value) != 1:
            raise Flaw(place, "expected one condition function, found something else")
        ((function, argument),) = value.items()
        below = step(pointer, function)
        if function == "Condition":
            if not isinstance(argument, str):
                raise Flaw(place, "expected the name of a condition, found something else")
            return self.condition(argument, place)
        if not isinstance(argument, list):
            raise Flaw(place, f"expected a list in {function}, found something else")
        if function == "Fn::Equals" and len(argument) == 2:
            left, right = (self.resolve(one, step(below, at)) for at, one in enumerate(argument))
            return functions.equals(left, right)
        truths: list[bool | None] = [self._truth(one, step(below, at)) for at, one in enumerate(argument)]
        if function == "Fn::Not" and len(truths) == 1:
            return None if truths[0] is None else not truths[0]
        if function in ("Fn::And", "Fn::Or") and truths:
            deciding: bool = function == "Fn::Or"
            if any(one is deciding for one in truths):
                return deciding
            return None if any(one is None for one in truths) else not deciding
        raise Flaw(place, f"expected a condition function with its arguments, found {function}")

    def _unknown(self, place: Place, reason: str) -> Unknown:
        self.world.problem(place, reason)
        return Unknown(name=f"{place}: {reason}", place=place, reason=reason)

    def _once(self, kind: str, name: str, place: Place, make: Callable[[], Any]) -> Any:
        """What has a name is resolved once; a name that needs itself is a cycle."""
        at = (kind, name)
        if at in self._memo:
            return self._memo[at]
        if at in self._under_way:
            around = " → ".join(one for _, one in (*self._under_way[self._under_way.index(at) :], at))
            raise Flaw(place, f"expected no cycle, found {around}")
        self._under_way.append(at)
        try:
            self._memo[at] = make()
        finally:
            self._under_way.pop()
        return self._memo[at]


def _choice_key(value: Value) -> str:
    return "AWS::NoValue" if isinstance(value, NoValue) else key_of(value)


_PURE: dict[str, tuple[int, Callable[..., Value]]] = {
    "Fn::Base64": (1, functions.base64),
    "Fn::Cidr": (3, functions.cidr_list),
    "Fn::Join": (2, functions.join_list),
    "Fn::Length": (1, functions.length),
    "Fn::Select": (2, functions.select),
    "Fn::Split": (2, functions.split),
    "Fn::ToJsonString": (1, functions.to_json),
}
"""Function to the number of its arguments and what it does."""


def pairs(scope: Scope) -> Iterator[tuple[str, dict[str, Any]]]:
    """Logical ids and resources as written, without what is no resource."""
    for id_, written in scope.section("Resources").items():
        if isinstance(written, dict):
            yield id_, written


__all__ = ["NESTED", "NO_VALUE", "Scope", "World", "pairs"]
