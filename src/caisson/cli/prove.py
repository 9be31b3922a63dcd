"""`caisson prove`: does any request exist that a claim about the organization says must not? Exit 0 holds, 1 broken,
3 undetermined, 2 for a wrong file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caisson.cli.options import SYSTEM_FILE, SystemFile

if TYPE_CHECKING:
    from caisson.assurance.proofs.search import Counterexample, Proof


def prove(
    system: SystemFile = SYSTEM_FILE,
    templates: Annotated[
        Path | None,
        typer.Option("--templates", help="Folder that `synth` wrote, edited or not; else the file is synthesized."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="JSON Lines, one claim a line.")] = False,
) -> None:
    """Prove what the organization's policies say, over all requests, or print the request that gets round them."""
    from caisson.assurance.proofs.organization import claimed
    from caisson.assurance.proofs.search import prove as decided
    from caisson.assurance.verdict import exit_code
    from caisson.cli.verify_view import progress
    from caisson.system.loader import read

    found = []
    with progress("proving") as (advance, _):
        claims, estate = claimed(read(system), templates)
        for number, claim in enumerate(claims):
            advance(number, len(claims), claim.id)
            found.append(decided(claim, estate))
            if json_:
                typer.echo(json.dumps(described(found[-1]), ensure_ascii=False))
    if not json_:
        _show(found)
    raise typer.Exit(exit_code(proof.verdict for proof in found))


def described(proof: Proof) -> dict[str, Any]:
    """A claim as `--json` prints it. The counterexample is a case of `caisson explain`'s `request`."""
    return {
        "id": proof.claim.id,
        "controls": list(proof.claim.controls),
        "says": proof.claim.says,
        "verdict": proof.verdict.value,
        "reason": proof.reason,
        "classes": proof.passed + proof.decided,
        "counterexample": None if proof.counterexample is None else request_of(proof.counterexample),
    }


def request_of(found: Counterexample) -> dict[str, Any]:
    """The request that is allowed."""
    request = found.request
    return {
        "principal": request.principal.text,
        "action": request.action,
        "resource": request.resource,
        "resource_account": request.resource_account,
        "context": {
            key: values.all[0] if values.single else list(values.all) for key, values in request.context.values.items()
        },
    }


def _show(proofs: list[Proof]) -> None:
    from rich.table import Table
    from rich.text import Text

    from caisson.cli.terminal import cell, console
    from caisson.cli.verify_view import STYLES

    page = console()
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for proof in proofs:
        table.add_row(
            cell(proof.verdict.value, STYLES[proof.verdict.value]), cell(proof.claim.id), cell(proof.claim.says)
        )
    page.print(table)
    for proof in proofs:
        if proof.verdict.value == "holds":
            continue
        page.print()
        page.print(Text.assemble(cell(proof.claim.id, "bold"), "  ", cell(proof.reason)))
        for line in _lines(proof):
            page.print(Text.assemble("    ", cell(line)))
    counts = ", ".join(
        f"{sum(proof.verdict.value == name for proof in proofs)} {name}"
        for name in STYLES
        if any(proof.verdict.value == name for proof in proofs)
    )
    page.print()
    looked, decided = sum(proof.passed for proof in proofs), sum(proof.decided for proof in proofs)
    page.print(f"{counts}.")
    page.print(f"Classes of requests: {looked:,} denied or excepted as a whole, {decided:,} decided one by one.")


def _lines(proof: Proof) -> Iterator[str]:
    """The request that gets round a claim, and what lets it through."""
    if proof.counterexample is None:
        return
    request = request_of(proof.counterexample)
    yield f"principal  {request['principal']}"
    yield f"action     {request['action']}"
    yield f"resource   {request['resource']}"
    for key, value in request["context"].items():
        yield f"           {key} = {value}"
    yield f"allowed:   {proof.counterexample.decision.reason}"
