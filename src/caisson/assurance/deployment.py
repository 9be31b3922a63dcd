"""Everything that is proved of a system's deployment: the organization, the principals in it, its networks.

The claims about the organization come from the system file; those about principals and networks are made of any
templates (`identities`, `network`), and so of ours.

>>> total, found = proved(read(Path("examples/aws/caisson.yaml")))  # doctest: +SKIP
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from caisson.assurance import templates as reader
from caisson.assurance.identities.examination import Examination
from caisson.assurance.network.examination import examine
from caisson.assurance.proofs.organization import claimed
from caisson.assurance.proofs.search import Proof, prove
from caisson.assurance.templates import Templates
from caisson.deploy.landscape import landscape
from caisson.deploy.output import write
from caisson.deploy.policies import ledger
from caisson.deploy.synthesis import synthesize
from caisson.system.loader import Reading
from caisson.system.schema import System


def proved(reading: Reading, folder: Path | None = None) -> tuple[int, Iterator[Proof]]:
    """How many claims there are, and each with its verdict.

    Args:
        reading: the system file.
        folder: what `synth` wrote, or an edited copy of it; else the file is synthesized.

    Raises:
        SystemFileError: the file is wrong, or has no section `aws`.
        OperatorError: a template cannot be read.
    """
    if folder is not None or reading.require().aws is None:
        return _proved(reading, folder or Path())
    made = synthesize(reading)
    with tempfile.TemporaryDirectory(prefix="caisson-prove-") as scratch:
        write(Path(scratch, "deployment"), made.files, made.manifest)
        return _proved(reading, Path(scratch, "deployment"))


def _proved(reading: Reading, folder: Path) -> tuple[int, Iterator[Proof]]:
    claims, estate = claimed(reading, folder)
    total, found = of_templates(reader.read(folder), reading.require())
    return len(claims) + total, chain((prove(claim, estate) for claim in claims), found)


def of_templates(found: Templates, system: System | None = None) -> tuple[int, Iterator[Proof]]:
    """The same of templates, with what a system file says of its zones where there is one."""
    identities = Examination(found, callers=roles_of(system), sessions=sessions_of(system))
    network = examine(found, system)
    return len(identities) + len(network), chain(identities.proofs(), network)


def roles_of(system: System | None) -> str:
    """ARN pattern of a system's own roles in any account; empty where it has no deployment."""
    if system is None or system.aws is None:
        return ""
    land = landscape(system)
    return f"arn:{land.partition}:iam::*:role{land.names.path}*"


def sessions_of(system: System | None) -> dict[str, str]:
    """Role of a system's sessions to the tag that keeps them apart; none where it has no deployment."""
    if system is None or system.aws is None:
        return {}
    land = landscape(system)
    return {land.role(ledger.SESSION, land.accounts["runtime"]): ledger.TAG}
