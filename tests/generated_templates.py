"""Templates made backwards: a value is chosen first, then an expression that must give it.

So what a reader finds can be compared with what was chosen, without a second evaluator.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

WORDS = st.text(string.ascii_letters + string.digits + "-_./ ", min_size=0, max_size=8)
REGION, ACCOUNT = "eu-west-1", "111122223333"


@dataclass
class Backwards:
    """A template that grows while expressions are made for values."""

    draw: Callable[[Any], Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    mappings: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)
    numbers: Any = field(default_factory=itertools.count)

    def text(self, value: str, depth: int) -> Any:
        """An expression for a text."""
        ways = ["literal", "parameter", "map"]
        if depth:
            ways += ["join", "sub", "sub_own", "select", "split", "if"]
        way = self.draw(st.sampled_from(ways))
        return getattr(self, f"_{way}")(value, depth - 1)

    def _name(self, prefix: str) -> str:
        return f"{prefix}{next(self.numbers)}"

    def _literal(self, value: str, depth: int) -> Any:
        return value

    def _parameter(self, value: str, depth: int) -> Any:
        name = self._name("P")
        self.parameters[name] = {"Type": "String", "Default": value}
        return {"Ref": name}

    def _map(self, value: str, depth: int) -> Any:
        name = self._name("M")
        self.mappings[name] = {"a": {"b": value or "x"}}
        return {"Fn::FindInMap": [name, "a", "b"]} if value else value

    def _cut(self, value: str) -> tuple[str, str]:
        at = self.draw(st.integers(0, len(value)))
        return value[:at], value[at:]

    def _join(self, value: str, depth: int) -> Any:
        delimiter = self.draw(st.sampled_from(["", ".", "-"]))
        pieces = value.split(delimiter) if delimiter else list(self._cut(value))
        return {"Fn::Join": [delimiter, [self.text(piece, depth) for piece in pieces]]}

    def _sub(self, value: str, depth: int) -> Any:
        before, after = self._cut(value)
        name = self._name("P")
        self.parameters[name] = {"Type": "String", "Default": after}
        return {"Fn::Sub": f"{before}${{{name}}}"}

    def _sub_own(self, value: str, depth: int) -> Any:
        before, after = self._cut(value)
        return {"Fn::Sub": [f"{before}${{own}}", {"own": self.text(after, depth)}]}

    def _select(self, value: str, depth: int) -> Any:
        others = self.draw(st.lists(WORDS, max_size=3))
        at = self.draw(st.integers(0, len(others)))
        listed = [*others[:at], self.text(value, depth), *others[at:]]
        return {"Fn::Select": [self.draw(st.sampled_from([at, str(at)])), listed]}

    def _split(self, value: str, depth: int) -> Any:
        delimiter = next(one for one in "|~^#=" if one not in value)
        others = self.draw(st.lists(WORDS, max_size=2))
        whole = delimiter.join([*others, value])
        return {"Fn::Select": [len(others), {"Fn::Split": [delimiter, self.text(whole, depth)]}]}

    def _if(self, value: str, depth: int) -> Any:
        holds = self.draw(st.booleans())
        name = self._name("C")
        self.conditions[name] = self.truth(holds, 2)
        other = self.draw(WORDS)
        branches = [self.text(value, depth), other] if holds else [other, self.text(value, depth)]
        return {"Fn::If": [name, *branches]}

    def truth(self, holds: bool, depth: int) -> Any:
        """A condition with a known outcome."""
        ways = ["equals"] + (["not", "and", "or", "named"] if depth else [])
        match self.draw(st.sampled_from(ways)):
            case "not":
                return {"Fn::Not": [self.truth(not holds, depth - 1)]}
            case "and":
                others = [True] if holds else [self.draw(st.booleans()), False]
                return {"Fn::And": [self.truth(one, depth - 1) for one in [holds, *others]]}
            case "or":
                others = [self.draw(st.booleans()), True] if holds else [False]
                return {"Fn::Or": [self.truth(one, depth - 1) for one in [holds, *others]]}
            case "named":
                name = self._name("C")
                self.conditions[name] = self.truth(holds, depth - 1)
                return {"Condition": name}
        same = self.draw(WORDS)
        return {"Fn::Equals": [same, self.text(same if holds else same + "x", 0)]}

    def template(self, properties: dict[str, Any]) -> dict[str, Any]:
        """A whole template with one resource."""
        found: dict[str, Any] = {"Resources": {"One": {"Type": "Custom::One", "Properties": properties}}}
        for section in ("Parameters", "Mappings", "Conditions"):
            if held := getattr(self, section.lower()):
                found[section] = held
        return found


@st.composite
def backwards(draw: Any) -> tuple[str, dict[str, Any]]:
    """A text, and a template in which property `Value` of resource `One` must be it."""
    value = draw(WORDS)
    made = Backwards(draw)
    return value, made.template({"Value": made.text(value, 4)})
