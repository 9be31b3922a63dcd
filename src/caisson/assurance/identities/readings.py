"""A policy with values that the templates do not tell, read in two ways: as allowing the most and the least it can.

What no request can do by the first reading, none can do. What one can do by the second, it can do whatever the values
turn out to be. Where the two differ, nobody knows, and the values are named.

>>> bounds(document, Kind.IDENTITY, place).doubts  # doctest: +SKIP
('app.yaml:31: /Parameters/Model: the parameter Model has no value',)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from caisson.assurance.iam.document import Effect, Kind, Policy, Statement
from caisson.assurance.iam.grammar import VERSION_WITH_VARIABLES, Unreadable, policy
from caisson.assurance.iam.pattern import Variable, parse
from caisson.assurance.identities.fields import Tags, Texts, condition, keys, texts, told, why
from caisson.assurance.templates import Choice, Place, Symbol, Value, symbols
from caisson.assurance.templates.place import Problem, TemplateError
from caisson.assurance.templates.values import NoValue

Json = dict[str, Any]

_COVERS = (("Action", "NotAction"), ("Resource", "NotResource"))
_EVERYBODY = "*"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Policies of one principal or resource."""

    most: tuple[Policy, ...] = ()
    """As they allow the most."""
    least: tuple[Policy, ...] = ()
    """As they allow the least."""
    doubts: tuple[str, ...] = ()
    """Why the two differ: place and reason, each once. Empty: they are the same."""
    variables: tuple[str, ...] = ()
    """Keys of the policy variables in them, as written: `aws:PrincipalTag/team`."""

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(
            most=self.most + other.most,
            least=self.least + other.least,
            doubts=tuple(dict.fromkeys(self.doubts + other.doubts)),
            variables=tuple(dict.fromkeys(self.variables + other.variables)),
        )


def unknown(kind: Kind, doubt: str) -> Bounds:
    """Of a policy of which nothing is known."""
    whole: Json = {"Action": "*", "Resource": "*"}
    if kind is Kind.TRUST:
        whole = {"Action": "*", "Principal": "*"}
    elif kind in (Kind.RESOURCE_CONTROL, Kind.ENDPOINT):
        whole["Principal"] = "*"
    most, least = (
        policy({"Version": VERSION_WITH_VARIABLES, "Statement": [{**whole, "Effect": effect}]}, kind, doubt)
        for effect in ("Allow", "Deny")
    )
    return Bounds(most=(most,), least=(least,), doubts=(doubt,))


def bounds(document: Value, kind: Kind, place: Place, *, maybe: str = "", tags: Tags = MappingProxyType({})) -> Bounds:
    """Read a document.

    Args:
        document: resolved.
        kind: where it is attached.
        place: where it stands.
        maybe: why it may not be there at all; empty: it is.
        tags: what policy variables of the principal's tags stand for, where that is supposed.

    Raises:
        TemplateError: AWS would not store it.
    """
    if isinstance(document, Symbol):
        return unknown(kind, why(document, place))
    reading = _Reading(kind=kind, place=place, tags=tags)
    if maybe:
        reading.doubts.append(maybe)
    if not isinstance(document, dict) or not document.get("Statement"):
        reading.read(document, 0)  # a policy says something: the grammar says what is wrong
    statements = document.get("Statement") if isinstance(document, dict) else None
    head = {key: value for key, value in document.items() if key != "Statement"} if isinstance(document, dict) else {}
    if (symbol := next(symbols(head), None)) is not None:
        return unknown(kind, why(symbol, place))
    variables = head.get("Version") == VERSION_WITH_VARIABLES
    for index, (statement, sure) in enumerate(_statements(statements, sure=not maybe)):
        reading.add(statement, head, index, sure=sure, variables=variables)
    if reading.flaws:
        raise TemplateError(reading.flaws)
    return Bounds(
        most=_policy(kind, reading.most), least=_policy(kind, reading.least),
        doubts=tuple(dict.fromkeys(reading.doubts)), variables=tuple(dict.fromkeys(reading.variables)),
    )  # fmt: skip


def _policy(kind: Kind, statements: Sequence[Statement]) -> tuple[Policy, ...]:
    return (Policy(kind=kind, statements=tuple(statements)),) if statements else ()


def _statements(value: Value, *, sure: bool) -> Iterator[tuple[Value, bool]]:
    """Each statement, and whether it is surely there."""
    if isinstance(value, Choice):
        for branch in (value.yes, value.no):
            yield from _statements(branch, sure=False)
    elif isinstance(value, list):
        for one in value:
            yield from _statements(one, sure=sure)
    elif not isinstance(value, NoValue):
        yield value, sure


@dataclass(kw_only=True)
class _Reading:
    """One document being read."""

    kind: Kind
    place: Place
    tags: Tags
    most: list[Statement] = field(default_factory=list)
    least: list[Statement] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    flaws: list[Problem] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)

    def add(self, statement: Value, head: Json, index: int, *, sure: bool, variables: bool) -> None:
        """A statement that covers the most it can, and one that covers the least, if any."""
        if isinstance(statement, Symbol):
            found = unknown(self.kind, why(statement, self.place))
            self.doubts += found.doubts
            self.most += found.most[0].statements
            self.least += found.least[0].statements
            return
        if not isinstance(statement, dict):
            self.read({**head, "Statement": [statement]}, index)  # the grammar says what is wrong
            return
        before = len(self.doubts)
        wide, narrow = self._covering(statement, variables=variables)
        if not sure:
            narrow = None
            if len(self.doubts) == before:
                self.doubts.append(f"{self.place}/Statement/{index}: it depends on a condition")
        effect = statement.get("Effect")
        if isinstance(effect, Symbol):
            self.doubts.append(why(effect, self.place))
            wide, narrow = {**wide, "Effect": Effect.ALLOW.value}, None
        most = self.read({**head, "Statement": [wide]}, index)
        least = None if narrow is None else self.read({**head, "Statement": [narrow]}, index)
        if most is None:
            return
        if isinstance(effect, Symbol):
            self.most.append(most)
            self.least.append(replace(most, effect=Effect.DENY))
            return
        if most.effect is Effect.DENY:
            most, least = least, most
        self.most += [] if most is None else [most]
        self.least += [] if least is None else [least]

    def read(self, document: Value, index: int) -> Statement | None:
        """The one statement of a document by AWS's grammar; what is wrong with it goes to `flaws`."""
        if (left := next(symbols(document), None)) is not None:
            self.flaws.append(Problem(place=self.place, message=f"expected no function there, found {left}"))
            return None
        try:
            found = policy(document, self.kind, "")
        except Unreadable as error:
            for one in error.problems:
                pointer = one.pointer.replace("/Statement/0", f"/Statement/{index}", 1)
                place = replace(self.place, pointer=self.place.pointer + pointer)
                self.flaws.append(Problem(place=place, message=one.message))
            return None
        if not found.statements:
            return None
        return replace(found.statements[0], pointer=f"{self.place}/Statement/{index}")

    def _covering(self, statement: Json, *, variables: bool) -> tuple[Json, Json | None]:
        wide: Json = dict(statement)
        narrow: Json | None = dict(statement)
        for plain, inverted in _COVERS:
            if plain in statement:
                found = self._texts(statement[plain], variables=variables and plain == "Resource")
                wide[plain] = ["*"] if found.unknown else [*found.sure, *found.maybe]
                narrow = _with(narrow, plain, found.sure)
            if inverted in statement:
                found = self._texts(statement[inverted], variables=variables and plain == "Resource")
                if found.sure:
                    wide[inverted] = [*found.sure]
                elif found.maybe or found.unknown:
                    del wide[inverted]
                    wide[plain] = ["*"]
                narrow = None if found.unknown else _with(narrow, inverted, [*found.sure, *found.maybe])
        for element in ("Principal", "NotPrincipal"):
            if element in statement:
                wide_to, narrow_to = self._principal(statement[element], inverted=element == "NotPrincipal")
                del wide[element]
                wide["Principal" if wide_to == _EVERYBODY else element] = wide_to
                narrow = _with(narrow, element, narrow_to)
        if "Condition" in statement:
            if variables:
                self._note(statement["Condition"])
            sure, doubts = condition(statement["Condition"], self.place, variables=variables, tags=self.tags)
            self.doubts += doubts
            if sure:
                wide["Condition"] = sure
            else:
                del wide["Condition"]
            narrow = None if doubts else _with(narrow, "Condition", sure)
        if isinstance(statement.get("Sid"), Symbol):
            for one in (wide, narrow):
                if one is not None:
                    del one["Sid"]
        return wide, narrow

    def _texts(self, value: Value, *, variables: bool) -> Texts:
        found = texts(value)
        self.doubts += [why(one, self.place) for one in found.symbols]
        if not variables:
            return found
        self._note(value)
        sure: list[Any] = []
        maybe = list(found.maybe)
        for given in found.sure:
            one = told(given, self.tags)
            opened = _opened(one) if isinstance(one, str) else one
            if opened == one:
                sure.append(one)
            else:
                maybe.append(opened)
                self.doubts.append(f"{self.place}: what the policy variables in {one!r} stand for")
        return replace(found, sure=tuple(sure), maybe=tuple(maybe))

    def _note(self, value: Value) -> None:
        """Which policy variables stand in a value."""
        if isinstance(value, dict):
            for one in value.values():
                self._note(one)
        else:
            found = texts(value)
            written = (one for text in (*found.sure, *found.maybe) for one in keys(text))
            self.variables += [one.key for one in written if one.key]

    def _principal(self, value: Value, *, inverted: bool) -> tuple[Any, Any]:
        """Whom the statement names, at most and at least; `*` is everybody, None nobody."""
        if isinstance(value, Symbol):
            self.doubts.append(why(value, self.place))
            return _EVERYBODY, None
        if not isinstance(value, dict):
            return value, value
        least: Json = {}
        most: Json = {}
        open_ = False
        for kind, given in value.items():
            found = self._texts(given, variables=False)
            open_ = open_ or bool(found.unknown or found.maybe)
            most[kind] = [*found.sure, *found.maybe]
            least[kind] = [*found.sure]
        if not open_:
            return value if not _symbolic(value) else most, most
        if inverted:
            return _EVERYBODY, None
        return _EVERYBODY, {kind: given for kind, given in least.items() if given} or None


def _symbolic(value: Json) -> bool:
    return next(symbols(value), None) is not None


def _with(statement: Json | None, element: str, value: Any) -> Json | None:
    """The statement with this element; None where the element then covers nothing."""
    if statement is None or not value:
        return None
    return {**statement, element: list(value) if isinstance(value, tuple) else value}


def _opened(text: str) -> str:
    """The text with `*` for what is variable."""
    pieces = parse(text, variables=True).pieces
    if not any(isinstance(piece, Variable) for piece in pieces):
        return text
    return "".join("*" if isinstance(piece, Variable) else str(piece) for piece in pieces)
