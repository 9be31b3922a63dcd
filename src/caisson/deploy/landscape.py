"""What a system file asks of an organization: accounts, targets of policies, and what each account may invoke. Pure.

- Below tier 3 zones may share an account. What binds an account is then the union of what its zones need.
- No service or resource control policy binds the management account (Organizations user guide,
  orgs_manage_policies_scps). A zone in it is weakened, and says so.

>>> landscape(load(Path("examples/aws/caisson.yaml"))).place("runtime").models
('anthropic.claude-sonnet-4-5-20250929-v1:0',)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from caisson.deploy.names import Names
from caisson.deploy.policies.management import role_arn
from caisson.deploy.policies.statement import Parameter
from caisson.errors import DeveloperError
from caisson.system.schema import System

PARTITIONS = ("aws", "aws-us-gov")
"""Partitions that have Bedrock and Organizations policies (AWS general reference, bedrock)."""
GUARDRAIL_ID_EXAMPLE = "x" * 64
VERSION_EXAMPLE = "9" * 8
"""As long as an id and a version of a guardrail can be (Bedrock API reference, Guardrail)."""
INVOCATIONS = "invocations"
"""What log group and bucket of the invocation log are called before the rule of names."""
CONFIGURATION = "configuration"
"""What stack, key and bucket of configuration and orders are called before the rule of names."""
ENDPOINT_EXAMPLE = "vpce-" + "f" * 17


@dataclass(frozen=True, kw_only=True)
class Place:
    """One member account and what it is for."""

    account: str
    zones: tuple[str, ...]
    """Zones in it, in the order of the system file's `aws.accounts`."""
    target: str
    """What policies are attached to: the account, or the organizational unit that stands for it."""
    models: tuple[str, ...] = ()
    """Ids of models and inference profiles that it may invoke."""
    pins: tuple[Parameter, ...] = ()
    """Guardrails, one of which every invocation must carry."""
    endpoints: tuple[Parameter, ...] = ()
    """Interface endpoints, through one of which every call of Bedrock must come."""

    @property
    def label(self) -> str:
        """What its own policies are named after: `runtime`, `runtime-evaluation`."""
        return "-".join(self.zones)

    @property
    def invokes(self) -> bool:
        """Whether it may invoke any model."""
        return bool(self.models)


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """A system's place in an organization."""

    system: System
    names: Names
    partition: str
    region: str
    organization: str
    management: str
    """Number of the management account."""
    accounts: dict[str, str] = field(repr=False)
    """Account of each zone and of `management` and `network`."""
    places: tuple[Place, ...]
    """Member accounts, in the order of the file; the management account is none of them."""

    def place(self, zone: str) -> Place:
        """The member account of a zone.

        Raises:
            LookupError: the zone is in the management account.
        """
        return next(place for place in self.places if zone in place.zones)

    def role(self, duty: str, account: str = "*") -> str:
        """ARN of the role of a duty, in any account where none is given."""
        return role_arn(self.names, self.partition, duty, account)

    @property
    def alarm_topic(self) -> str:
        """ARN of the topic that alarms of all accounts go to."""
        return f"arn:{self.partition}:sns:{self.region}:{self.accounts['logging']}:{self.names.of('alarms')}"

    def models_of(self, zone: str) -> tuple[str, ...]:
        """Ids of models that a zone invokes."""
        return _invoked(self.system)[0].get(zone, ())

    @property
    def invoking(self) -> tuple[str, ...]:
        """Zones in member accounts that invoke models."""
        return tuple(zone for place in self.places for zone in place.zones if self.models_of(zone))

    @property
    def invocation_buckets(self) -> tuple[str, ...]:
        """Buckets of the invocation logs, one an account that invokes."""
        return tuple(self.names.bucket(INVOCATIONS, place.account) for place in self.places if place.invokes)

    @property
    def siem(self) -> str:
        """Account of the SIEM that reads the log as it comes; empty where the file names none."""
        return (self.system.aws.siem if self.system.aws is not None else None) or ""

    @property
    def repository_bucket(self) -> str:
        """The bucket of configuration and orders."""
        return self.names.bucket(CONFIGURATION, self.accounts["control"])

    @property
    def guardrails(self) -> tuple[str, ...]:
        """Guardrails of the file that an agent or the judge names."""
        return _union(_invoked(self.system)[1].values())

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every value that AWS assigns, each once."""
        return tuple(
            {
                parameter.name: parameter for place in self.places for parameter in (*place.pins, *place.endpoints)
            }.values()
        )


def landscape(system: System) -> Landscape:
    """The system's place in its organization.

    Raises:
        DeveloperError: `acceptance.refusals` was not asked first.
    """
    if system.aws is None:
        raise DeveloperError("expected a system with the section aws, found none")
    accounts = dict(system.aws.accounts)
    management = accounts["management"]
    units = dict(system.aws.units) if system.aws.units is not None else {}
    zones_of: dict[str, list[str]] = {}
    for zone, account in accounts.items():
        if zone != "management" and account != management:
            zones_of.setdefault(account, []).append(zone)
    models, guardrails = _invoked(system)
    region, partition = system.aws.region, partition_of(system.aws.region)
    places = tuple(
        Place(
            account=account,
            zones=tuple(zones),
            target=next((unit for zone in zones if (unit := units.get(zone))), account),
            models=_union(models.get(zone, ()) for zone in zones),
            pins=tuple(
                guardrail_pin(name, partition=partition, region=region, owner=accounts["control"])
                for name in _union(guardrails.get(zone, ()) for zone in zones)
            ),
            endpoints=tuple(model_endpoint(zone) for zone in zones if models.get(zone)),
        )
        for account, zones in zones_of.items()
    )
    return Landscape(
        system=system,
        names=Names(system.name),
        partition=partition,
        region=region,
        organization=system.aws.organization,
        management=management,
        accounts=accounts,
        places=places,
    )


def _invoked(system: System) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Model ids and names of guardrails by the zone that uses them."""
    agents = system.agents.values()
    models = {"runtime": _union((system.models[agent.model].id,) for agent in agents)}
    guardrails = {"runtime": _union((agent.guardrail,) for agent in agents)}
    if system.judge is not None:
        models["evaluation"] = (system.models[system.judge.model].id,)
        guardrails["evaluation"] = (system.judge.guardrail,)
    return models, guardrails


def _union(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Each once, in the order of the first mention."""
    return tuple(dict.fromkeys(name for group in groups for name in group))


@cache  # botocore reads its table of endpoints anew each time
def partition_of(region: str) -> str:
    """The partition of a region; empty when there is no such region, or no Bedrock in it."""
    from botocore.exceptions import UnknownRegionError  # `caisson check` does without the SDK
    from botocore.session import get_session

    try:
        partition: str = get_session().get_partition_for_region(region)
    except UnknownRegionError:
        return ""
    return partition if partition in PARTITIONS else ""


def guardrail_pin(name: str, *, partition: str, region: str, owner: str) -> Parameter:
    """A guardrail of the system file in one version: its ARN as `bedrock:GuardrailIdentifier` holds it.

    The pattern admits a numbered version in the owner's account and this region only, so a draft, which could change
    under the pin, cannot be deployed.
    """
    prefix = f"arn:{partition}:bedrock:{region}:{owner}:guardrail/"
    return Parameter(
        name=f"Guardrail{camel(name)}",
        description=f"ARN and version of guardrail {name}, owned by the control account",
        pattern=f"^{prefix}[a-z0-9]{{1,64}}:[1-9][0-9]{{0,7}}$",
        example=f"{prefix}{GUARDRAIL_ID_EXAMPLE}:{VERSION_EXAMPLE}",
    )


def model_endpoint(zone: str) -> Parameter:
    """The interface endpoint for bedrock-runtime of a zone that invokes models."""
    return Parameter(
        name=f"{camel(zone)}ModelEndpoint",
        description=f"Interface endpoint for bedrock-runtime in the VPC of zone {zone}",
        pattern="^vpce-[0-9a-f]{8,17}$",
        example=ENDPOINT_EXAMPLE,
    )


def camel(name: str) -> str:
    """A name as CloudFormation takes logical ids, letters and digits only; a digest keeps apart what looks alike then.

    >>> camel("claims"), camel("claims-eu"), camel("claims_eu")
    ('Claims', 'ClaimsEuae0ff2', 'ClaimsEucd8fe9')
    """
    words = re.split("[^A-Za-z0-9]+", name)
    digest = "" if len(words) == 1 else hashlib.sha256(name.encode()).hexdigest()[:6]
    return "".join(word[:1].upper() + word[1:] for word in words) + digest
