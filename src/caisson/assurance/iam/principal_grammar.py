"""The `Principal` element read into values, or what is wrong with it (reference_policies_elements_principal)."""

from __future__ import annotations

import re
from typing import Any

from caisson.assurance.iam.place import Problem, is_text, named, step
from caisson.assurance.iam.principal_element import Entry, Named, PrincipalElement
from caisson.assurance.iam.principals import ACCOUNT, Kind, identity

_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,28}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9._-]+\.[A-Za-z0-9._-]+(/[\w./-]*)?", re.ASCII)
_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


def principal_element(value: Any, pointer: str, *, inverted: bool) -> tuple[PrincipalElement, list[Problem]]:
    """Read the element. With problems, the value is not to be used."""
    problems: list[Problem] = []
    if value == "*":
        return PrincipalElement(entries=(Entry(named=Named.EVERYONE, text="*"),), inverted=inverted), problems
    entries: list[Entry] = []
    if not isinstance(value, dict) or not value:
        problems.append(Problem(pointer, f"expected '*' or an object such as {{\"AWS\": …}}, found {named(value)}"))
        value = {}
    for kind, found in value.items():
        at = step(pointer, kind)
        if kind not in _TYPES:
            problems.append(Problem(at, f"expected {', '.join(_TYPES)}, found {kind[:80]!r}"))
            continue
        names = found if isinstance(found, list) else [found]
        if not names:
            problems.append(Problem(at, "expected at least one principal, found an empty list"))
        for index, name in enumerate(names):
            where = step(at, index) if isinstance(found, list) else at
            entry = _entry(kind, name) if is_text(name) else None
            if entry is None:
                problems.append(Problem(where, f"expected {_expected(kind)}, found {named(name)}"))
            else:
                entries.append(entry)
    return PrincipalElement(entries=tuple(entries), inverted=inverted), problems


def _expected(kind: str) -> str:
    return {
        "AWS": "an account, its root, a user, role, role session or federated user without wildcards, or '*'",
        "Service": "a service such as lambda.amazonaws.com",
        "Federated": "an identity provider",
        "CanonicalUser": "a canonical user identifier",
    }[kind]


def _entry(kind: str, name: str) -> Entry | None:
    if kind == "CanonicalUser":
        return Entry(named=Named.CANONICAL, text=name) if re.fullmatch("[0-9a-fA-F]{64}", name) else None
    if kind == "Service":
        return Entry(named=Named.SERVICE, text=name) if name == "*" or _NAME.fullmatch(name) else None
    if kind == "Federated":
        found = identity(name)
        provider = name == "*" or _NAME.fullmatch(name) or (found is not None and found.kind is Kind.PROVIDER)
        return Entry(named=Named.PROVIDER, text=name) if provider else None
    return _aws(name)


def _aws(name: str) -> Entry | None:
    if name == "*":
        return Entry(named=Named.EVERYONE, text=name)
    if ACCOUNT.fullmatch(name):
        return Entry(named=Named.ACCOUNT, text=name, account=name)
    if _UNIQUE_ID.fullmatch(name):
        return Entry(named=Named.UNIQUE_ID, text=name)
    found = identity(name)
    if found is None or found.kind is Kind.PROVIDER:
        return None
    if found.kind is Kind.ROOT:
        return Entry(named=Named.ACCOUNT, text=name, account=found.account)
    return Entry(named=Named.IDENTITY, text=name, account=found.account, identity=found)
