"""The CDK application: every part with templates, in the order of deployment. No credentials, network or Docker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from caisson.deploy.account_settings.stack import account_settings
from caisson.deploy.control_zone.repository import configuration
from caisson.deploy.destinations import attaches_runtime, leaves
from caisson.deploy.egress_zone.stack import egress_zone, runtime_way
from caisson.deploy.guardrails import guardrails
from caisson.deploy.landscape import Landscape
from caisson.deploy.logging_zone.stack import logging_zone
from caisson.deploy.logging_zone.stream import siem_stream
from caisson.deploy.logging_zone.watching import detector
from caisson.deploy.organization import organization
from caisson.deploy.people import people
from caisson.deploy.policies.catalogue import OrganizationPolicy
from caisson.deploy.runtime_zone.enforcement import enforced, enforcement
from caisson.deploy.runtime_zone.stack import invoking_zone
from caisson.deploy.stacks import Built
from caisson.deploy.watched_state.recordings import recordings
from caisson.deploy.watched_state.stack import watched_state


@dataclass(frozen=True, kw_only=True)
class Application:
    """Stacks in the order in which they are deployed."""

    app: Any
    """A `cdk.App`, to which aspects can still be added."""
    stacks: tuple[Built, ...]

    def templates(self) -> dict[str, dict[str, Any]]:
        """Each stack's template by the stack's name."""
        assembly = Path(self.app.synth().directory)
        return {
            built.name: json.loads((assembly / f"{built.name}.template.json").read_text(encoding="utf-8"))
            for built in self.stacks
        }


def application(land: Landscape, policies: tuple[OrganizationPolicy, ...], *, scratch: Path) -> Application:
    """The application. CDK writes into `scratch`."""
    app = cdk.App(outdir=str(scratch), analytics_reporting=False, tree_metadata=False)
    stacks = [
        logging_zone(app, land),  # the organization's trail needs its bucket
        *((siem_stream(app, land),) if land.siem else ()),  # it takes from the log groups
        guardrails(app, land),  # and its policies the pins
        configuration(app, land),
        *((egress_zone(app, land),) if leaves(land) else ()),  # the runtime attaches to its gateway
        *(invoking_zone(app, land, zone) for zone in land.invoking),  # and their endpoints
        *((runtime_way(app, land),) if attaches_runtime(land) else ()),
        *(account_settings(app, land, place) for place in land.places if place.invokes),
        organization(app, land, policies),
    ]
    center = land.system.aws.identity_center if land.system.aws is not None else None
    if center is not None:
        stacks.append(people(app, land, center))
    stacks += [detector(app, land, place) for place in land.places]
    if land.places:
        stacks.append(recordings(app, land))  # what every account's recorder delivers into
    stacks += [watched_state(app, land, place) for place in land.places]
    stacks += [enforcement(app, land, place) for place in enforced(land)]
    return Application(app=app, stacks=tuple(stacks))
