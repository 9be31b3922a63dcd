"""`caisson synth`: write the system's CloudFormation. Exit 0 when written, 1 when it cannot be, 2 for a wrong file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caisson.cli.options import SYSTEM_FILE, SystemFile

if TYPE_CHECKING:
    from caisson.deploy.synthesis import Deployment

KEYS_SHOWN_MAX = 8
"""Waiting keys that the message lists; the manifest has them all."""


def synth(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; an earlier deployment there is replaced.")],
    system: SystemFile = SYSTEM_FILE,
    json_: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Write the system's deployment to AWS as CloudFormation. Needs no credentials and no network."""
    from caisson.deploy.output import MANIFEST, check_place, write
    from caisson.deploy.synthesis import synthesize
    from caisson.system.loader import read

    out = out.absolute()
    check_place(out)
    deployment = synthesize(read(system))
    write(out, deployment.files, deployment.manifest)
    if json_:
        typer.echo((out / MANIFEST).read_text(encoding="utf-8"), nl=False)
    else:
        _show(out, deployment)


def _show(out: Path, deployment: Deployment) -> None:
    manifest = deployment.manifest
    typer.echo(f"{out}: {len(manifest['stacks'])} stacks, {len(manifest['policies'])} policies of the organization")
    for stack in manifest["stacks"]:
        needs = ", ".join(parameter["name"] for parameter in stack["parameters"])
        typer.echo(f"  {stack['template']} for account {stack['account']}" + (f", needs {needs}" if needs else ""))
    for sentence in manifest["weakened"]:
        typer.echo(f"weakened: {sentence}")
    typer.echo(f"not built in this version: {', '.join(manifest['not_built'])}")
    waiting = manifest["waiting"]
    if waiting:
        more = f" and {len(waiting) - KEYS_SHOWN_MAX} more" if len(waiting) > KEYS_SHOWN_MAX else ""
        typer.echo(f"without effect until then: {', '.join(waiting[:KEYS_SHOWN_MAX])}{more}")
