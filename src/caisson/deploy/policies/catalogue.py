"""Every policy of the organization: which statements, attached to what, for which rows of the pattern.

Policies that say the same for several accounts are one policy with several targets. What depends on an account's zones
(models, pins, endpoints) is a policy of that account.

>>> [policy.name for policy in catalogue(landscape(load(Path("examples/aws/caisson.yaml"))))][:2]
['caisson-claims-eu-perimeter', 'caisson-claims-eu-evidence']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from caisson.deploy.landscape import Landscape, Place
from caisson.deploy.policies import evidence, inference, management, perimeter
from caisson.deploy.policies.packing import Kind, check_attachments, packed
from caisson.deploy.policies.statement import Render, Statement, characters, document, reference
from caisson.deploy.policies.stream import STREAM
from caisson.deploy.retention import buckets


@dataclass(frozen=True, kw_only=True)
class OrganizationPolicy:
    """A service or resource control policy."""

    id: str
    """Logical id in the template."""
    name: str
    description: str
    kind: Kind
    statements: tuple[Statement, ...]
    targets: tuple[str, ...]
    """Accounts and organizational units."""
    rows: tuple[str, ...]
    """Rows of the pattern that it carries, `S43`."""

    @property
    def characters(self) -> int:
        """Length as AWS counts it, with every value that AWS assigns as long as it can be."""
        return characters(self.statements)

    def document(self, render: Render = reference) -> dict[str, Any]:
        """The policy document."""
        return document(self.statements, render)


@dataclass(frozen=True, kw_only=True)
class _Draft:
    what: str
    description: str
    kind: Kind
    statements: tuple[Statement, ...]
    targets: tuple[str, ...]
    rows: tuple[str, ...]


def catalogue(land: Landscape) -> tuple[OrganizationPolicy, ...]:
    """All policies, in the order in which they are attached.

    Raises:
        OperatorError: a statement is too long, or a target would get too many policies.
    """
    found = tuple(policy for draft in _drafts(land) for policy in _policies(land, draft))
    check_attachments((policy.kind, target) for policy in found for target in policy.targets)
    return found


def _policies(land: Landscape, draft: _Draft) -> Iterator[OrganizationPolicy]:
    groups = packed(draft.statements, draft.kind)
    for number, statements in enumerate(groups, start=1):
        what = draft.what if len(groups) == 1 else f"{draft.what}-{number}"
        yield OrganizationPolicy(
            id="".join(word.capitalize() for word in what.split("-")),
            name=land.names.of(what),
            description=draft.description,
            kind=draft.kind,
            statements=statements,
            targets=draft.targets,
            rows=draft.rows,
        )


def _drafts(land: Landscape) -> Iterator[_Draft]:
    everywhere = _targets(land.places)
    if not everywhere:
        return  # every zone is in the management account, which no policy binds
    yield _Draft(
        what="perimeter",
        description="One region, no static credentials, no leaving the organization",
        kind="SERVICE_CONTROL_POLICY",
        statements=(
            perimeter.one_region(land.region),
            inference.no_global_profiles(land.partition),
            management.no_static_credentials(),
            perimeter.no_leaving(),
        ),
        targets=everywhere,
        rows=("S08", "S74"),
    )
    yield _Draft(
        what="evidence",
        description="Trail, logs, buckets, keys and watching services stay as they were deployed",
        kind="SERVICE_CONTROL_POLICY",
        statements=(
            evidence.trail_stays(land.names, land.partition),
            evidence.logs_stay(land.names, land.partition),
            evidence.masks_stay(land.names, land.partition),
            *evidence.buckets_stay(
                land.names,
                land.partition,
                [
                    *(land.names.bucket(what, land.accounts["logging"]) for what in buckets()),
                    *land.invocation_buckets,
                    land.repository_bucket,
                    *((land.names.bucket(STREAM, land.accounts["logging"]),) if land.siem else ()),
                ],
            ),
            *evidence.keys_stay(land.names, land.partition),
            evidence.watchers_stay(land.names, land.partition),
            evidence.findings_stay(land.names, land.partition),
        ),
        targets=everywhere,
        rows=("S77",),
    )
    yield _Draft(
        what="unguardable",
        description="No path to a model on which no guardrail can be named; no retention; no models of one's own",
        kind="SERVICE_CONTROL_POLICY",
        statements=(
            inference.no_unguardable_paths(),
            inference.no_projects_no_async(land.partition),
            inference.no_data_retention(),
            management.no_customisation(),
        ),
        targets=everywhere,
        rows=("S44",),
    )
    yield from _management(land)
    yield from _models(land)
    yield _Draft(
        what="resources",
        description="Resources answer the organization only, over encrypted transport",
        kind="RESOURCE_CONTROL_POLICY",
        statements=(
            perimeter.own_principals(land.organization),
            perimeter.own_deliveries(land.organization),
            *perimeter.encrypted_transport(),
        ),
        targets=everywhere,
        rows=("S10", "S62"),
    )


def _management(land: Landscape) -> Iterator[_Draft]:
    """In the control account more principals may change what governs models than elsewhere."""
    for control, what in ((True, "management-control"), (False, "management")):
        places = [place for place in land.places if ("control" in place.zones) is control]
        settings = any(place.invokes for place in places)
        if places:
            yield _Draft(
                what=what,
                description="What governs models changes through the deployment only",
                kind="SERVICE_CONTROL_POLICY",
                statements=(
                    management.no_management(
                        management.deployers(land.names, land.partition, control=control, settings=settings)
                    ),
                    *management.own_roles(land.names, land.partition, settings=settings),
                    *(management.settings_alone(land.names, land.partition) if settings else ()),
                ),
                targets=_targets(places),
                rows=("S13", "S14"),
            )


def _models(land: Landscape) -> Iterator[_Draft]:
    """Accounts that invoke have their own models, pins and endpoints; the others invoke nothing."""
    silent = _targets([place for place in land.places if not place.invokes])
    if silent:
        yield _Draft(
            what="no-models",
            description="No model is invoked where none belongs",
            kind="SERVICE_CONTROL_POLICY",
            statements=(inference.approved_models((), partition=land.partition, region=land.region),),
            targets=silent,
            rows=("S10", "S15", "S76"),
        )
    for place in land.places:
        if place.invokes:
            yield _Draft(
                what=f"models-{place.label}",
                description=f"Models, guardrails and endpoints of invocations in {place.label}",
                kind="SERVICE_CONTROL_POLICY",
                statements=(
                    inference.approved_models(place.models, partition=land.partition, region=land.region),
                    inference.pinned_guardrail(place.pins),
                    inference.through_endpoint(place.endpoints),
                    *inference.invocation_regions(place.models, partition=land.partition, region=land.region),
                ),
                targets=(place.target,),
                rows=("S10", "S41", "S43", "S44", "S74", "S76"),
            )


def _targets(places: Sequence[Place]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(place.target for place in places))
