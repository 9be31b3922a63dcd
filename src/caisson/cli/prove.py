"""`caisson prove`: does any request exist that a claim about the organization says must not? Exit 0 holds, 1 broken,
3 undetermined, 2 for a wrong file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caisson.cli.options import SYSTEM_FILE, Format, SystemFile

if TYPE_CHECKING:
    from caisson.assurance.proofs.search import Proof


def prove(
    context: typer.Context,
    system: SystemFile = SYSTEM_FILE,
    templates: Annotated[
        Path | None,
        typer.Option(
            "--templates",
            help="Folder of CloudFormation templates and policies of an organization, whoever wrote them. "
            "With --system: what `synth` wrote of that file, edited or not.",
        ),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="json is JSON Lines; sarif is 2.1.0.")] = Format.text,
    json_: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
) -> None:
    """Prove what policies say, over all requests, or print the request that gets round them."""
    from caisson.assurance.evidence.claims import claim_line
    from caisson.assurance.verdict import exit_code
    from caisson.cli.verify_view import progress

    format_ = Format.json if json_ else format_
    source = context.get_parameter_source("system")
    of_file = templates is None or (source is not None and source.name != "DEFAULT")
    found = []
    with progress("proving") as (advance, _):
        total, proofs = _of_system(system, templates) if of_file else _of_templates(templates or Path())
        for number, proof in enumerate(proofs, start=1):
            advance(number, total, proof.claim.id)
            found.append(proof)
            if format_ is Format.json:
                typer.echo(json.dumps(claim_line(proof), ensure_ascii=False))
    if format_ is Format.sarif:
        from caisson.assurance.evidence.claims import claim_line
        from caisson.assurance.evidence.sarif import sarif

        typer.echo(json.dumps(sarif(map(claim_line, found)), ensure_ascii=False, indent=2))
    elif format_ is Format.text:
        _show(found)
    raise typer.Exit(exit_code(proof.verdict for proof in found))


def _of_system(system: Path, templates: Path | None) -> tuple[int, Iterator[Proof]]:
    from caisson.assurance.deployment import proved
    from caisson.system.loader import read

    return proved(read(system), templates)


def _of_templates(folder: Path) -> tuple[int, Iterator[Proof]]:
    from caisson.assurance.deployment import of_templates
    from caisson.assurance.templates import read

    templates = read(folder)
    for line in templates.assumptions:
        typer.echo(f"assumed: {line}", err=True)
    return of_templates(templates)


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
    for verdict, name, said in _rows(proofs):
        table.add_row(cell(verdict, STYLES[verdict]), cell(name), cell(said))
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
    if looked or decided:
        page.print(f"Classes of requests: {looked:,} denied or excepted as a whole, {decided:,} decided one by one.")


def _rows(proofs: list[Proof]) -> Iterator[tuple[str, str, str]]:
    """Verdict, name and what is said: a line a claim, and one for all that hold of something that has a name."""
    for about in dict.fromkeys(proof.claim.about for proof in proofs):
        found = [proof for proof in proofs if proof.claim.about == about]
        if not about:
            yield from ((proof.verdict.value, proof.claim.id, proof.claim.says) for proof in found)
            continue
        others = [proof for proof in found if proof.verdict.value != "holds"]
        for proof in others:
            yield proof.verdict.value, about, f"{proof.claim.id.partition(': ')[0]}: {proof.claim.says}"
        held = [proof for proof in found if proof.verdict.value == "holds"]
        if len(held) == 1:
            yield "holds", about, f"{held[0].claim.id.partition(': ')[0]}: {held[0].claim.says}"
        elif held:
            yield "holds", about, f"{'the other' if others else 'all'} {len(held)} claims"


def _lines(proof: Proof) -> Iterator[str]:
    """The request that gets round a claim, and what lets it through."""
    from caisson.assurance.evidence.claims import request_of, through

    yield from (f"{'' if hop is proof.way[0] else '→ '}{hop}" for hop in proof.way)
    if proof.counterexample is None:
        return
    request = request_of(proof.counterexample)
    yield f"principal  {request['principal']}"
    yield f"action     {request['action']}"
    yield f"resource   {request['resource']}"
    for key, value in request["context"].items():
        yield f"           {key} = {value}"
    yield f"allowed:   {proof.counterexample.decision.reason}"
    for pointer in through(proof.counterexample):
        yield f"           {pointer}"
