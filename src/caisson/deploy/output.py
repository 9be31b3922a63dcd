"""The folder that `synth` writes: whole, or as it was before.

    templates/STACK.json      CloudFormation, one a stack
    policies/NAME.json        each policy of the organization by itself
    rows.json                 row of the pattern → `Stack/LogicalId`s
    rows.missing.json         row without a resource → reason
    architecture.svg          accounts, what they hold, and who reaches whom
    manifest.json             stacks in order, parameters, policies with sizes and targets, digests of all files

Everything is made in a folder beside and put in place by renaming. A folder that `synth` did not write is left alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caisson.errors import StartError

MANIFEST = "manifest.json"
FORMAT = 1
"""Version of the manifest."""


def text_of(value: Any) -> str:
    """JSON as it is written: the same value, the same bytes."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def check_place(out: Path) -> None:
    """Whether `write` may put its folder at `out`.

    Raises:
        StartError: something else is there, or there is no folder to put it into.
    """
    if not out.parent.is_dir():
        raise StartError(f"{out}: expected a folder to write into, found none at {out.parent}")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise StartError(f"{out}: expected a folder or nothing, found something else")
    if out.is_dir() and any(out.iterdir()) and not _ours(out):
        raise StartError(f"{out}: expected nothing or an earlier deployment of `synth`, found other files")


def _ours(out: Path) -> bool:
    try:
        found = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and "caisson_deployment" in found


def write(out: Path, files: Mapping[str, str], manifest: Mapping[str, Any]) -> None:
    """Put the files and the manifest, with their digests added, at `out`, in place of an earlier deployment.

    Raises:
        StartError: the place is taken, or cannot be written.
    """
    check_place(out)
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())}
    whole = {**files, MANIFEST: text_of({"caisson_deployment": FORMAT, **manifest, "files": digests})}
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as beside:
            made = Path(beside, "new")
            for name, text in whole.items():
                path = made / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            _replace(out, made, Path(beside, "old"))
    except OSError as error:
        raise StartError(f"{out}: expected to write the deployment, found: {error.strerror}") from error


def _replace(out: Path, made: Path, old: Path) -> None:
    if out.exists():
        out.rename(old)
    try:
        made.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
