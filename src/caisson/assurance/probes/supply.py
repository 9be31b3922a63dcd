"""What this installation loads, altered (SUP-01)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from caisson.assurance.probes.check import Check, Transcript
from caisson.assurance.probes.target import Target
from caisson.detect import models
from caisson.errors import CaissonError


def weights(_target: Target, seen: Transcript) -> None:
    """Each shipped model as it is, with one bit changed, cut short, swapped and away."""
    shipped = Path(models.__file__).parent
    names = sorted(models.DIGESTS)
    with tempfile.TemporaryDirectory(prefix="caisson-probe-") as name:
        folder = Path(name)
        for file in names:
            shutil.copy(shipped / file, folder / file)
        for number, file in enumerate(names):
            whole = (folder / file).read_bytes()
            seen.witness(f"{file} as it was shipped", "loads", *_loads(file, folder))
            middle = len(whole) // 2
            flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
            other = (folder / names[(number + 1) % len(names)]).read_bytes()
            for what, content in (
                ("with one bit changed", flipped), ("cut short", whole[:-1]), ("with a byte more", whole + b"\0"),
                ("with another model's content", other), ("empty", b""),
            ):  # fmt: skip
                if content == whole:
                    continue
                (folder / file).write_bytes(content)
                saw, loaded = _loads(file, folder)
                seen.attack(f"{file} {what}", "does not load", saw, not loaded)
            (folder / file).unlink()
            saw, loaded = _loads(file, folder)
            seen.attack(f"{file} taken away", "does not load", saw, not loaded)
            (folder / file).write_bytes(whole)


def _loads(name: str, folder: Path) -> tuple[str, bool]:
    try:
        models.load(name, folder)
    except CaissonError as error:
        return f"refused: {type(error).__name__}", False
    return "loaded", True


CHECKS = (
    Check(
        name="supply.weights", on="parts", attacker="whoever can write the installation", run=weights,
        claim="Weights that were altered do not load.",
    ),
)  # fmt: skip
