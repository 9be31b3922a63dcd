"""`caisson report`: what `verify` finds, signed, with its exit code; `--check` verifies a report: 0 whole, 1 not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caisson.cli.options import (
    DATA_FOLDER,
    SYSTEM_FILE,
    DataFolder,
    MachineOnly,
    Rehearsal,
    Rehearse,
    SystemFile,
    plan_of,
)

if TYPE_CHECKING:
    from caisson.ports.keys import SigningKey

KEY = "reports"
PUBLIC_KEY_BYTES = 32
"""Of an Ed25519 key (RFC 8032)."""


def report(
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the report.")] = None,
    check: Annotated[Path | None, typer.Option("--check", help="Verify the report in this folder instead.")] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="With --check: the public key that must have signed.")
    ] = None,
    system: SystemFile = SYSTEM_FILE,
    data: DataFolder = DATA_FOLDER,
    machine_only: MachineOnly = False,
    rehearse: Rehearse = False,
    rehearsal: Rehearsal = True,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write what holds as a signed report, or check one."""
    import json

    if (out is None) == (check is None):
        raise typer.BadParameter("expected --out DIR or --check DIR")
    if key is not None and check is None:
        raise typer.BadParameter("--key goes with --check")
    plan = plan_of(system, data, machine_only=machine_only, rehearse=rehearse, rehearsal=rehearsal)
    if check is not None:
        _check(check, key, as_json=json_)
        return
    from caisson.assurance.evidence.report import DOCUMENT, FILES, PAGE, write
    from caisson.assurance.evidence.verification import verify
    from caisson.assurance.verdict import exit_code
    from caisson.cli.verify_view import progress
    from caisson.errors import StartError

    target = out or Path()
    if any((target / name).exists() for name in FILES):
        raise StartError(f"expected no report in {target}, found one; name another folder")
    signing = _key(data)
    with progress("verifying") as (advance, waiting):
        found = verify(plan, progress=advance, waiting=waiting)
    write(found, target, signing)
    verdicts = [judged.verdict for judged in found.judged]
    if json_:
        typer.echo(
            json.dumps({"report": str(target / PAGE), "document": str(target / DOCUMENT), "key": _public(signing)})
        )
    else:
        typer.echo(f"{target / PAGE}, signed by key {signing.key_id}; 'caisson report --check {target}' verifies it.")
    raise typer.Exit(exit_code(verdicts))


def _key(data: Path) -> SigningKey:
    """The key of whoever started the system, made at the first report."""
    from caisson.adapters.embedded.keys import FileKeys
    from caisson.errors import StartError

    folder = data / "zones" / "supervisor" / "keys"
    try:
        if not folder.is_dir():
            raise StartError(f"expected the data folder of a system, found none in {data}; 'caisson up' makes it")
        return FileKeys.create(folder, signing=(KEY,)).signing(KEY)
    except PermissionError:
        raise StartError(f"{folder} belongs to another user; run this as root or as who started `caisson up`") from None


def _public(signing: SigningKey) -> str:
    import base64

    return base64.b64encode(signing.public_bytes).decode()


def _check(folder: Path, key: str | None, *, as_json: bool) -> None:
    import base64
    import binascii
    import json

    from caisson.assurance.evidence.report import check as checked

    try:
        trusted = None if key is None else base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raise typer.BadParameter("--key: expected base64") from None
    if trusted is not None and len(trusted) != PUBLIC_KEY_BYTES:
        raise typer.BadParameter(f"--key: expected {PUBLIC_KEY_BYTES} bytes as base64, found {len(trusted)}")
    found = checked(folder, trusted=trusted)
    if as_json:
        typer.echo(json.dumps(vars(found)))
    else:
        for problem in found.problems:
            typer.echo(problem, err=True)
        if not found.problems:
            typer.echo(f"Whole: {found.system}, {found.began}, verdict {found.verdict}, signed by key {found.key_id}.")
            if trusted is None:
                typer.echo(f"That is the key it names; learn it from who made it, then: --key {found.public_key}")
    if found.problems:
        raise typer.Exit(1)
