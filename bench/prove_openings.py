"""Opens the example's deployment, beside the organization's policies, in every way of a list, and looks whether `prove`
notices by the claim that says so (`make prove-mutations`).

Run: python -m bench.prove_openings [--system FILE] [--every 1] [--only PATTERN]. Exits 0 when all are noticed by the
right claim.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from caisson.assurance import templates as reader
from caisson.assurance.deployment import roles_of, sessions_of
from caisson.assurance.iam.document import Effect, Statement
from caisson.assurance.identities.endpoints import THEIRS, passages
from caisson.assurance.identities.estates import passing
from caisson.assurance.identities.examination import Examination
from caisson.assurance.network.examination import examine
from caisson.assurance.proofs.claims import Claim, Spared
from caisson.assurance.proofs.families import custody, keys, roles, sessions
from caisson.assurance.proofs.organization import estate
from caisson.assurance.proofs.search import Proof, prove
from caisson.assurance.verdict import Verdict
from caisson.deploy.landscape import Landscape, landscape
from caisson.deploy.output import write
from caisson.deploy.synthesis import Deployment, synthesize
from caisson.errors import OperatorError
from caisson.system.loader import Reading, read
from deployment_mutations import Change, opened
from policy_mutations import spared_by


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", type=Path, default=Path("examples/aws/caisson.yaml"))
    parser.add_argument("--every", type=int, default=1, help="only every so many changes")
    parser.add_argument("--only", default="", help="only changes whose names contain a match of this pattern")
    options = parser.parse_args()
    reading = read(options.system)
    made = synthesize(reading)
    templates = {name: json.loads(text) for name, text in made.files.items() if name.startswith("templates/")}
    land = landscape(reading.require())
    began, noticed, alike, wrong = time.monotonic(), 0, 0, []
    changes = [change for change in opened(templates) if re.search(options.only, change.name)][:: options.every]
    for number, change in enumerate(changes, start=1):
        files = {**made.files, **{name: json.dumps(one) for name, one in change.templates.items()}}
        with tempfile.TemporaryDirectory(prefix="caisson-openings-") as scratch:
            write(Path(scratch, "deployment"), files, made.manifest)
            verdict = _noticed(reading, Path(scratch, "deployment"), change)
            if verdict == HELD and "endpoint." in change.claims and _lets_nobody_else(made, Path(scratch), land):
                verdict = ALIKE
        if verdict == "noticed":
            noticed += 1
        elif verdict == ALIKE or (change.grants and verdict == HELD) or _opens_nothing(reading, templates, change):
            alike += 1
        else:
            wrong.append(f"{change.name}: {verdict}")
            print(f"  not: {wrong[-1]}", flush=True)
        if number % 20 == 0:
            print(f"{number} of {len(changes)}, {len(wrong)} not", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    print(f"{len(changes)} openings in {seconds:.0f} s: {noticed} noticed by the right claim, {alike} open nothing")
    return int(bool(wrong))


def _noticed(reading: Reading, folder: Path, change: Change) -> str:
    """`noticed`, or what was found instead."""
    found, asked = [], 0
    try:
        for proof in _proofs(reading, folder, change):
            asked += proof.claim.id.startswith(change.claims)
            if proof.verdict is not Verdict.HOLDS:
                found.append(proof.claim.id)
                if proof.claim.id.startswith(change.claims):
                    return "noticed"
    except OperatorError:
        return "noticed"
    if found or not asked:
        return f"only {found[0]}" if found else "nothing"
    return HELD


HELD, ALIKE = "all of these claims hold", "lets through what it did before"
Asks = Literal["members", "outsiders", "services"]
_ASKING: tuple[Asks, ...] = ("members", "outsiders")
"""Services of AWS are held by what they are allowed, not by what is denied."""


def _opens_nothing(reading: Reading, templates: dict[str, Any], change: Change) -> bool:
    """Whether a resource's policy allows nothing that it did not before, whatever it says: proved like any claim."""
    land = landscape(reading.require())
    old, new = estate(land, templates), estate(land, change.templates)
    changed = [arn for arn, policy in new.guarded.items() if policy != old.guarded.get(arn)]
    return bool(changed) and all(
        prove(claim, new).verdict is Verdict.HOLDS
        for arn in changed
        for claim in _as_before(land, arn, *(map(_unplaced, one.guarded[arn].statements) for one in (old, new)))
    )


def _lets_nobody_else(made: Deployment, scratch: Path, land: Landscape) -> bool:
    """Whether endpoints let through nothing that they did not before: the other condition says as much."""
    write(scratch / "before", made.files, made.manifest)
    old, new = ({one.name: one for one in passages(reader.read(scratch / name))} for name in ("before", "deployment"))
    universe = estate(land, {}).universe
    members = tuple(place.account for place in land.places)
    for name, passage in new.items():
        before, after = ([_unplaced(one) for policy in each.policy.most for one in policy.statements]
                         for each in (old[name], passage))  # fmt: skip
        granted = [
            Spared(actions=_actions(one), resources=_resources(one, "*"), conditions=_conditions(one))
            for one in before if one.effect is Effect.ALLOW
        ]  # fmt: skip
        for one in after:
            if one in before:
                continue
            if one.effect is Effect.DENY:
                return False
            for claim in _never(members, "", "*", one, granted, by=_ASKING):
                said = {"aws:principalorgid": land.organization} if claim.by == "members" else THEIRS
                asked = replace(claim, given=said)
                if prove(asked, passing(passage.policy, universe).most).verdict is not Verdict.HOLDS:
                    return False
        if any(one.effect is Effect.DENY and one not in after for one in before):
            return False
    return True


def _unplaced(statement: Statement) -> Statement:
    return replace(statement, pointer="")


def _as_before(land: Landscape, arn: str, before: Iterable[Statement], after: Iterable[Statement]) -> Iterator[Claim]:
    old, new = list(before), list(after)
    members = tuple(place.account for place in land.places)
    owner = next((one for one in members if f":{one}:" in arn or arn.endswith(f"-{one}")), land.accounts["logging"])
    granted_to = members
    if ":kms:" not in arn and ":iam:" not in arn:  # there the owner's administrators need no policy of the resource
        granted_to = tuple(account for account in members if account != owner)
    granting = (one for one in old if one.effect is Effect.ALLOW)
    granted = [Spared(actions=_actions(one), conditions=_conditions(one)) for one in granting]
    for one in new:
        if one.effect is Effect.ALLOW and one not in old:
            # a service takes a role only when somebody passes it, which is claimed by itself
            asking = _ASKING if ":iam:" in arn else (*_ASKING, "services")
            yield from _never(granted_to, owner, arn, one, granted, by=asking)
    for one in old:
        if one.effect is Effect.DENY and one not in new:
            spared = spared_by({"Condition": _conditions(one)})
            yield from _never(members, owner, arn, one, [Spared(conditions=each) for each in spared or ()], by=_ASKING)


def _never(
    members: tuple[str, ...], owner: str, arn: str, statement: Statement, but: list[Spared], *, by: tuple[Asks, ...]
) -> Iterator[Claim]:
    for asking in by:
        yield Claim(
            id="as before", controls=(), says="", accounts=members, owner=owner, by=asking, actions=_actions(statement),
            on=_resources(statement, arn), but=tuple(but),
        )  # fmt: skip


def _resources(statement: Statement, arn: str) -> tuple[str, ...]:
    written = [one.text for one in statement.resource.patterns] if statement.resource is not None else []
    return tuple(one for one in written if one != "*") or (arn,)


def _actions(statement: Statement) -> tuple[str, ...]:
    return tuple(one.text for one in statement.action.patterns)


def _conditions(statement: Statement) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in statement.conditions:
        values = [value.text for value in one.values]
        found.setdefault(one.operator.name, {})[one.key] = values[0] if len(values) == 1 else values
    return found


def _proofs(reading: Reading, folder: Path, change: Change) -> Iterator[Proof]:
    """Those whose names the change gives, those about what was changed first."""
    system = reading.require()
    land = landscape(system)
    around = estate(land, change.templates)
    families = chain(custody.claims(land), keys.claims(land), sessions.claims(land), roles.claims(land, around))
    if wanted := [claim for claim in families if claim.id.startswith(change.claims)]:
        yield from (prove(claim, around) for claim in wanted)
        return
    found = reader.read(folder)
    if change.claims[0].startswith("network."):
        yield from examine(found, system)
        return
    examination = Examination(found, callers=roles_of(system), sessions=sessions_of(system))
    asked = [one for one in examination.questions() if one.claim.id.startswith(change.claims)]
    for question in sorted(asked, key=lambda one: one.claim.about.rpartition("/")[2] not in change.name):
        yield examination.decide(question)
    if "isolation.tags" in change.claims:
        yield from examination.isolated()


if __name__ == "__main__":
    sys.exit(main())
