"""Everything that is claimed of a network: of anybody's, and of a deployment of a system file."""

from __future__ import annotations

from caisson.assurance.network.claims import Survey
from caisson.assurance.network.declared import declared
from caisson.assurance.network.ground import Ground
from caisson.assurance.network.needs import Needs
from caisson.assurance.network.zones import Zones
from caisson.assurance.proofs.search import Proof
from caisson.assurance.templates import Templates
from caisson.system.schema import System


def examine(templates: Templates, system: System | None = None) -> tuple[Proof, ...]:
    """Each claim about the network that templates make, with its verdict.

    Args:
        templates: anybody's.
        system: whose deployment they are; with it zones, endpoints and what must still work are claimed, too. Nothing
            more is claimed of a system without section `aws`.
    """
    survey = Survey(templates)
    found = list(survey.proofs())
    said = declared(system) if system is not None else None
    if said is not None:
        ground = Ground(survey, said)
        found += [*Zones(ground).proofs(), *Needs(ground).proofs()]
    return tuple(found)
