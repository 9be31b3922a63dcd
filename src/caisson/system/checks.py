"""What the schema cannot see: references that lead nowhere, and keys that contradict each other. Pure.

Each check takes the whole file and yields what is wrong, with the path of the value concerned. All of them run, so that
one look shows everything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from caisson.system import tiers
from caisson.system.carriers import Path, dotted
from caisson.system.document import shown
from caisson.system.entities import PII_TYPES
from caisson.system.expressions import refusal
from caisson.system.problems import suggestion
from caisson.system.schema import File, Loosening
from caisson.system.tools import Parameter

INSECURE_ISSUER_TIER_MAX = 2
"""Highest tier at which the issuer may answer without TLS, on loopback."""
UNAPPROVED_WRITES_TIER_MAX = 2
"""Highest tier at which a write that cannot be undone may go without a person (IAM-05 begins at tier 3)."""
CUSTODIANS_MIN = 2
"""People whom it takes to open the raw copy (LOG-09)."""
DUTIES = frozenset({"approve", "configure"})
"""Rights that no group has both of where a configuration needs as many signatures."""
RESERVED_PATTERNS = frozenset(PII_TYPES | {"CREDENTIAL"})
"""Names whose pseudonyms would look like those of a detector of ours."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a check found."""

    path: Path
    message: str
    """Without the path."""
    warning: bool = False
    """Whether the file is usable all the same."""


def run(file: File, today: date) -> Iterator[Found]:
    """Everything that the checks find."""
    for check in CHECKS:
        yield from check(file)
    yield from _lapsed(file, today)


def detecting(file: File) -> tuple[Loosening, ...]:
    """Guardrails that only detect: loosened by design, with the reason that they must give."""
    return tuple(
        Loosening(
            key=f"guardrails.{name}.mode",
            default="enforce",
            value="detect",
            because=f"{found.because} (until {found.until})",
        )
        for name, found in file.guardrails.items()
        if found.mode == "detect"
    )


def _known(path: Path, name: str, names: Collection[str], kind: str) -> Iterator[Found]:
    if name not in names:
        known = sorted(names)
        some = ", ".join(known) or "none"
        yield Found(
            path=path, message=f"expected a {kind} of this file ({some}), found {shown(name)}{suggestion(name, known)}"
        )


def _references(file: File) -> Iterator[Found]:
    operations = {f"{tool}.{name}" for tool, found in file.tools.items() for name in found.operations}
    for agent, said in file.agents.items():
        here: Path = ("agents", agent)
        yield from _known((*here, "model"), said.model, file.models, "model")
        yield from _known((*here, "guardrail"), said.guardrail, file.guardrails, "guardrail")
        for index, name in enumerate(said.knowledge):
            yield from _known((*here, "knowledge", index), name, file.knowledge, "knowledge")
        guardrail = file.guardrails.get(said.guardrail)
        pseudonymised = guardrail.pseudonymised if guardrail is not None else frozenset()
        for client_tool, pinned in said.client_tools.items():
            for argument, kind in pinned.restore.items():
                path: Path = (*here, "client_tools", client_tool, "restore", argument)
                yield from _known(path, kind, pseudonymised, "type that the agent's guardrail pseudonymises")
        for task, wants in said.tasks.items():
            for index, name in enumerate(wants.tools):
                yield from _known((*here, "tasks", task, "tools", index), name, operations, "tool operation")
    if file.judge is not None:
        yield from _known(("judge", "model"), file.judge.model, file.models, "model")
        yield from _known(("judge", "guardrail"), file.judge.guardrail, file.guardrails, "guardrail")
    for user, member in file.identity.local.users.items():
        for index, name in enumerate(member.groups):
            path = ("identity", "local", "users", user, "groups", index)
            yield from _known(path, name, file.identity.groups, "group")


def _identity(file: File) -> Iterator[Found]:
    issuer, local = file.identity.issuer, file.identity.local
    if issuer is None and not local.users:
        yield Found(
            path=("identity",), message="expected an issuer or a local user, found neither: nobody could sign in"
        )
    if issuer is not None and file.tier > INSECURE_ISSUER_TIER_MAX and not issuer.url.startswith("https://"):
        yield Found(
            path=("identity", "issuer", "url"),
            message=f"expected an https:// issuer from tier {INSECURE_ISSUER_TIER_MAX + 1}, found {shown(issuer.url)}",
        )
    if issuer is None and not tiers.fact("local_approvers", file.tier):
        for name, group in file.identity.groups.items():
            if "approve" in group.may:
                yield Found(
                    path=("identity", "groups", name, "may"),
                    message=f"expected an issuer, because local users cannot approve at tier {file.tier}, found none",
                    warning=True,
                )


def _duties(file: File) -> Iterator[Found]:
    """Where a configuration needs a second signature, whoever writes one is not who approves it (IAM-03)."""
    if tiers.fact("configuration_signatures", file.tier) < len(DUTIES):
        return
    for name, group in file.identity.groups.items():
        if set(group.may) >= DUTIES:
            yield Found(
                path=("identity", "groups", name, "may"),
                message=f"expected one of {' and '.join(sorted(DUTIES))}, because at tier {file.tier} somebody else "
                "approves what is configured, found both",
            )


def _models(file: File) -> Iterator[Found]:
    seen: dict[str, str] = {}
    for alias, model in file.models.items():
        first = seen.setdefault(model.id, alias)
        if first != alias:
            yield Found(
                path=("models", alias, "id"),
                message=f"expected each model id once, found {shown(model.id)} again; it is model {first!r}",
            )
        if model.output_tokens_max >= file.sessions.tokens:
            yield Found(
                path=("models", alias, "output_tokens_max"),
                message=f"expected fewer than the session's {file.sessions.tokens} tokens, found "
                f"{model.output_tokens_max}: no request could run",
            )


def _modes(file: File) -> Iterator[Found]:
    for name, guardrail in file.guardrails.items():
        for key, value in (("because", guardrail.because), ("until", guardrail.until)):
            path: Path = ("guardrails", name, key)
            if guardrail.mode == "detect" and value is None:
                yield Found(path=path, message=f"expected {key} beside mode: detect, found none")
            elif guardrail.mode == "enforce" and value is not None:
                yield Found(
                    path=path, message=f"expected {key} only beside mode: detect, found it beside mode: enforce"
                )
        if guardrail.mode == "detect" and guardrail.aws is not None:
            yield Found(
                path=("guardrails", name, "aws"),
                message="expected no guardrail of AWS beside mode: detect, found one: it acts on what it finds",
            )


def _lapsed(file: File, today: date) -> Iterator[Found]:
    for name, guardrail in file.guardrails.items():
        if guardrail.until is not None and guardrail.until < today:
            yield Found(
                path=("guardrails", name, "until"),
                message=f"expected a day to come, found {guardrail.until}; enforce, or give a new reason and day",
                warning=True,
            )


def _expressions(file: File) -> Iterator[Found]:
    for name, guardrail in file.guardrails.items():
        for index, pattern in enumerate(guardrail.patterns):
            here: Path = ("guardrails", name, "patterns", index)
            if wanted := refusal(pattern.regex):
                yield Found(path=(*here, "regex"), message=f"expected {wanted}, found {shown(pattern.regex)}")
            if pattern.name.upper().replace("-", "_") in RESERVED_PATTERNS:
                yield Found(
                    path=(*here, "name"),
                    message=f"expected a name of your own, found {shown(pattern.name)}, a type of ours",
                )
        yield from _once(("guardrails", name, "patterns"), "name", [pattern.name for pattern in guardrail.patterns])
        yield from _once(("guardrails", name, "topics"), "name", [topic.name for topic in guardrail.topics])
        for index, word in enumerate(guardrail.words):
            if word != word.strip() or not word:
                path: Path = ("guardrails", name, "words", index)
                yield Found(path=path, message=f"expected a word without white space around it, found {shown(word)}")


def _once(path: Path, key: str, names: list[str]) -> Iterator[Found]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Found(path=(*path, index, key), message=f"expected each name once, found {shown(name)} again")


def _tools(file: File) -> Iterator[Found]:
    for tool, found in file.tools.items():
        for name, operation in found.operations.items():
            here: Path = ("tools", tool, "operations", name)
            unapproved = operation.class_ in ("irreversible_write", "privileged") and operation.approval == "none"
            if unapproved and file.tier > UNAPPROVED_WRITES_TIER_MAX:
                yield Found(
                    path=(*here, "approval"),
                    message=f"expected approval: required for class {operation.class_} at tier {file.tier}, found none",
                )
            yield from _parameters((*here, "parameters"), operation.parameters)


def _parameters(path: Path, parameters: Mapping[str, Parameter]) -> Iterator[Found]:
    for name, parameter in parameters.items():
        here = (*path, name)
        numeric = parameter.type in ("number", "integer")
        if parameter.pattern is not None and parameter.type != "string":
            yield Found(
                path=(*here, "pattern"), message=f"expected a pattern only for type string, found {parameter.type}"
            )
        elif parameter.pattern is not None and (wanted := refusal(parameter.pattern)):
            yield Found(path=(*here, "pattern"), message=f"expected {wanted}, found {shown(parameter.pattern)}")
        for key, bound in (("minimum", parameter.minimum), ("maximum", parameter.maximum)):
            if bound is not None and not numeric:
                yield Found(path=(*here, key), message=f"expected {key} only for numbers, found type {parameter.type}")
        if parameter.minimum is not None and parameter.maximum is not None and parameter.minimum > parameter.maximum:
            yield Found(path=(*here, "minimum"), message=f"expected at most the maximum, found {parameter.minimum:g}")


def _deployment(file: File) -> Iterator[Found]:
    if file.aws is not None and tiers.fact("distinct_accounts", file.tier):
        seen: dict[str, str] = {}
        for zone, account in file.aws.accounts:
            first = seen.setdefault(account, zone)
            if first != zone:
                yield Found(
                    path=("aws", "accounts", zone),
                    message=f"expected an account of its own at tier {file.tier}, found that of {first}",
                )


def _units(file: File) -> Iterator[Found]:
    """A unit stands for one account, and an account for one unit: else policies would bind another zone's account."""
    units = file.aws.units if file.aws is not None else None
    if file.aws is None or units is None:
        return
    named = {zone: unit for zone, unit in units if unit is not None}
    accounts = dict(file.aws.accounts)
    for zone, unit in named.items():
        here: Path = ("aws", "units", zone)
        if accounts[zone] == accounts["management"]:
            yield Found(
                path=here,
                message=f"expected no unit, because no policy binds the management account, found {shown(unit)}",
            )
        for other, account in accounts.items():
            if other == zone or other == "management":
                continue
            if account == accounts[zone] and named.get(other, unit) != unit:
                yield Found(
                    path=here, message=f"expected the unit of {other}, whose account it shares, found {shown(unit)}"
                )
            if account != accounts[zone] and named.get(other) == unit:
                yield Found(
                    path=here, message=f"expected a unit of its own, found that of {other}, which has another account"
                )


def _people(file: File) -> Iterator[Found]:
    center = file.aws.identity_center if file.aws is not None else None
    if center is None:
        return
    seen: dict[str, str] = {}
    for name, group_id in center.groups.items():
        path: Path = ("aws", "identity_center", "groups", name)
        first = seen.setdefault(group_id.lower(), name)
        if first != name:
            yield Found(path=path, message=f"expected an id of its own, found that of {shown(first)}")
        yield from _known(path, name, file.identity.groups, "group")
        if name in file.identity.groups and not file.identity.groups[name].may:
            yield Found(
                path=path,
                message=f"expected a group with rights in may, found {shown(name)}: it would get no permission set",
            )


def _custodians(file: File) -> Iterator[Found]:
    custodians = file.logging.forensic_custodians
    if custodians and len(set(custodians)) < max(CUSTODIANS_MIN, len(custodians)):
        yield Found(
            path=("logging", "forensic_custodians"),
            message=f"expected {CUSTODIANS_MIN} or more different people, found {', '.join(custodians)}",
        )


CHECKS: tuple[Callable[[File], Iterator[Found]], ...] = (
    _references,
    _identity,
    _duties,
    _models,
    _modes,
    _expressions,
    _tools,
    _deployment,
    _units,
    _people,
    _custodians,
)


def located(found: Found) -> str:
    """The message with the path, as problems carry it."""
    return f"{found.message} ({dotted(found.path)})"
