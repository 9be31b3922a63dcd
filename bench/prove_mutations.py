"""Weakens each policy of the example's organization in every way of a list, and looks whether `prove` notices
(`make prove-mutations`).

Every mutant must make a claim broken or undetermined; the same policies written otherwise must change nothing.

Run: python -m bench.prove_mutations [--system FILE] [--every 1]. Exits 0 when all are noticed.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from caisson.assurance.iam.pattern import fits, parse, solid
from caisson.assurance.proofs.actions import expanded
from caisson.assurance.proofs.claims import Claim, Spared
from caisson.assurance.proofs.estate import Estate
from caisson.assurance.proofs.families import claims
from caisson.assurance.proofs.organization import estate, synthesized
from caisson.assurance.proofs.search import prove
from caisson.assurance.verdict import Verdict
from caisson.deploy.landscape import Landscape, landscape
from caisson.errors import OperatorError
from caisson.system.loader import read
from policy_mutations import Mutant, as_list, harmless, spared_by, weakened


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", type=Path, default=Path("examples/aws/caisson.yaml"))
    parser.add_argument("--every", type=int, default=1, help="only every so many mutants")
    options = parser.parse_args()
    reading = read(options.system)
    land, templates = landscape(reading.require()), synthesized(reading)
    everything = claims(land)
    began, noticed, redundancies, survivors = time.monotonic(), 0, 0, []
    mutants = [*weakened(templates)][:: options.every]
    for number, mutant in enumerate(mutants, start=1):
        if not unnoticed(land, everything, mutant):
            noticed += 1
        elif redundant(land, mutant):
            redundancies += 1
        else:
            survivors.append(mutant.name)
        if number % 20 == 0:
            print(f"{number} of {len(mutants)}, {len(survivors)} unnoticed", file=sys.stderr, flush=True)
    changed = []
    for name, same in harmless(templates):
        made = estate(land, same)
        changed += [f"{name}: {claim.id}" for claim in everything if prove(claim, made).verdict is not Verdict.HOLDS]
    print(
        f"{len(mutants)} mutants in {time.monotonic() - began:.0f} s: {noticed} noticed, "
        f"{redundancies} change nothing because another statement denies the same, {len(survivors)} not noticed"
    )
    for name in survivors:
        print(f"  unnoticed: {name}")
    print(f"harmless rewritings that changed a verdict: {changed or 'none'}")
    return int(bool(survivors or changed))


def unnoticed(land: Landscape, everything: tuple[Claim, ...], mutant: Mutant) -> bool:
    """Whether every claim holds as if nothing had changed."""
    try:
        made = estate(land, mutant.templates)
    except OperatorError:
        return False
    return all(prove(claim, made).verdict is Verdict.HOLDS for claim in about(land, everything, mutant))


def redundant(land: Landscape, mutant: Mutant) -> bool:
    """Whether everything that was denied still is: another statement says the same. Proved like any claim."""
    made = estate(land, mutant.templates)
    accounts = tuple(place.account for place in land.places if not mutant.targets or place.target in mutant.targets)
    owned = mutant.kind == "RESOURCE_CONTROL_POLICY"
    for statement in mutant.denied:
        spared = spared_by(statement)
        if "Action" not in statement or spared is None:
            return False
        resources = [str(one) for one in as_list(statement.get("Resource", "*"))]
        but = [Spared(conditions=resolved(made, one)) for one in spared]
        if "NotResource" in statement:
            but.append(Spared(resources=tuple(as_list(statement["NotResource"]))))
        for account, by in product(accounts, ("members", "outsiders", "services") if owned else ("members",)):
            claim = Claim(
                id="as before", controls=(), says="", accounts=(account,), owner=account if owned else "", by=by,
                actions=tuple(as_list(statement["Action"])), on=tuple(resources), but=tuple(but),
            )  # fmt: skip
            if prove(claim, made).verdict is not Verdict.HOLDS:
                return False
    return bool(mutant.denied)


def resolved(made: Estate, conditions: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Conditions with what stands in for parameters."""
    return {
        operator: {key: [made.values.get(one["Ref"], "") if isinstance(one, dict) else one for one in as_list(values)]
                   for key, values in block.items()}
        for operator, block in conditions.items()
    }  # fmt: skip


def about(land: Landscape, everything: tuple[Claim, ...], mutant: Mutant) -> list[Claim]:
    """The claims that a mutant can concern: one of its accounts, one of its actions."""
    patterns = [solid(parse(action.lower(), variables=False).pieces) for action in mutant.actions]
    bound = {place.account for place in land.places if not mutant.targets or place.target in mutant.targets}
    return [
        claim
        for claim in everything
        if bound & {*claim.accounts, claim.owner}
        and (
            not patterns
            or any(fits(one, action) for action in expanded(claim.actions, mutant.actions) for one in patterns)
        )
    ]


if __name__ == "__main__":
    sys.exit(main())
