"""The plan of a deployment, for people and as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import typer

from caisson.cli.terminal import line
from caisson.deploy.plan import StagePlan
from caisson.deploy.quantities import DIMENSIONS, Money, Quantities
from caisson.ports.stacks import Change
from caisson.wiring.deployment import Prepared

SIGNS = {"add": "+", "change": "~", "replace": "-/+", "may replace": "?/+", "delete": "-", "leave": "="}
KEPT = {"replace": ", the former one is kept", "may replace": ", the former one is kept", "leave": ", goes on to exist"}
STATES = {"new": "is made", "changed": "changes", "same": "stays as it is"}


def as_document(
    prepared: Prepared, plans: tuple[StagePlan, ...], counted: Quantities, costing: Money | None
) -> dict[str, Any]:
    """The plan as JSON."""
    return {
        "system": prepared.deployer.system,
        "organization": prepared.deployer.organization,
        "stacks": [
            {
                "name": one.stage.name,
                "part": one.stage.part,
                "account": one.stage.account,
                "region": one.stage.region,
                "state": one.state,
                "basis": one.basis,
                "waits_for": list(one.waits_for),
                "changes": [
                    {
                        "action": change.action,
                        "resource": change.resource,
                        "type": change.type,
                        "kept": change.kept,
                        "note": change.note,
                    }
                    for change in one.changes
                ],
            }
            for one in plans
        ],
        "no_longer_in_the_file": list(prepared.removed),
        "weakened": prepared.deployment.manifest["weakened"],
        "not_built": prepared.deployment.manifest["not_built"],
        "quantities": {
            "standing": {name: str(amount) for name, amount in counted.standing.items()},
            "use": counted.use,
            "unknown": counted.unknown,
        },
        "money": costing
        and {
            "currency": costing.currency,
            "standing_a_month": str(costing.total),
            "by": {name: str(amount) for name, amount in costing.by.items()},
            "rates": {name: str(rate) for name, rate in costing.rates.items()},
            "without_a_price": list(costing.unpriced),
        },
    }


def show(prepared: Prepared, plans: tuple[StagePlan, ...], counted: Quantities, costing: Money | None) -> None:
    """The plan for people."""
    for one in plans:
        counts = ", ".join(f"{count} {action}" for action, count in one.counts.items())
        head = f"{one.stage.name} ({one.stage.account}, {one.stage.region}) {STATES[one.state]}"
        _say(f"{head}: {counts}" if counts else head)
        for change in one.changes:
            _say("  " + _change(change))
        if one.waits_for and one.state != "new":
            _say(f"  waits for {', '.join(one.waits_for)}: what is replaced is known when this stage begins")
    for name in prepared.removed:
        _say(f"{name} is in the lock and no longer in the file: left alone (docs/deploy.md says how to remove it)")
    for sentence in prepared.deployment.manifest["weakened"]:
        _say(f"weakened: {sentence}")
    _say(f"not built in this version: {', '.join(prepared.deployment.manifest['not_built'])}")
    _quantities(counted, costing)


def _change(change: Change) -> str:
    kept = KEPT.get(change.action, "") if change.kept else ""
    note = f" ({change.note})" if change.note else ""
    return f"{SIGNS[change.action]:>3} {change.action} {change.resource} [{change.type}]{kept}{note}"


def _quantities(counted: Quantities, costing: Money | None) -> None:
    _say("billed a month while it stands:" if counted.standing else "billed a month while it stands: nothing")
    for name, amount in counted.standing.items():
        priced = costing is not None and name in costing.by
        cost = f" = {_amount(costing.by[name])} {costing.currency}" if costing is not None and priced else ""
        _say(f"  {amount} x {name} ({DIMENSIONS[name].unit}){cost}")
    _say(f"billed by use: {', '.join(counted.use) or 'nothing'}")
    if costing is not None:
        for name, rate in costing.rates.items():
            _say(f"  {name}: {rate} {costing.currency} for {DIMENSIONS[name].unit}")
    if counted.unknown:
        kinds = ", ".join(f"{count} x {kind}" for kind, count in counted.unknown.items())
        _say(f"billing unknown to caisson: {kinds}")
    if costing is None:
        _say("no money is shown without --prices")
        return
    without = f"; without a price, and not in it: {', '.join(costing.unpriced)}" if costing.unpriced else ""
    _say(f"standing, a month: {_amount(costing.total)} {costing.currency}{without}; what is used comes on top")


def _amount(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.01'))}"


def _say(text: str) -> None:
    typer.echo(line(text))
