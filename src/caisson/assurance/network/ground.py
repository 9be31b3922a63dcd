"""The subnets and interfaces of a deployment's accounts, and what could stand in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from caisson.assurance.network.claims import Survey
from caisson.assurance.network.declared import Declared
from caisson.assurance.network.model import Interface, Role, Subnet
from caisson.assurance.network.reading import at, listed
from caisson.assurance.templates import Resource

CONFIG = "config.amazonaws.com"


@dataclass
class Ground:
    """What templates make, by the accounts of a system file."""

    survey: Survey
    declared: Declared

    @cached_property
    def subnets(self) -> dict[str, list[Subnet]]:
        """By account, in the order of the templates."""
        network = self.survey.network
        found: dict[str, list[Subnet]] = {}
        for subnet in network.subnets.values():
            if subnet.vpc in network.vpcs:
                found.setdefault(network.vpcs[subnet.vpc].account, []).append(subnet)
        return found

    def place(self, account: str) -> str:
        """Where the first VPC of an account stands."""
        return str(self.survey.network.vpcs[self.subnets[account][0].vpc].place)

    def interfaces(self, account: str) -> list[Interface]:
        """Interfaces of an account."""
        return [one for one in self.survey.network.interfaces.values() if one.account == account]

    def workers(self, account: str) -> list[Interface]:
        """Interfaces of what runs a zone in an account: not of a function that serves a custom resource or AWS Config.

        What deploys an account or looks at it needs no model and no channel; what it may reach is asked as of anything
        else.
        """
        asked = {one.name for one in (*self._serving(), *self._looking())}
        return [one for one in self.interfaces(account) if one.role is Role.WORKLOAD and one.id not in asked]

    def _serving(self) -> Iterator[Resource]:
        """Functions that are the ServiceToken of a custom resource."""
        for resource in self.survey.templates.resources():
            if resource.type.startswith("Custom::") or resource.type == "AWS::CloudFormation::CustomResource":
                target = self.survey.reading.target(at(resource, "ServiceToken"), "AWS::Lambda::Function")
                if target is not None:
                    yield target

    def _looking(self) -> Iterator[Resource]:
        """Functions that somebody may call, and that is AWS Config alone, for its rules."""
        callers: dict[str, tuple[Resource, set[str]]] = {}
        for resource in self.survey.templates.resources("AWS::Lambda::Permission"):
            target = self.survey.reading.target(at(resource, "FunctionName"), "AWS::Lambda::Function")
            if target is not None:
                callers.setdefault(target.name, (target, set()))[1].add(str(at(resource, "Principal")))
        yield from (target for target, named in callers.values() if named == {CONFIG})

    def guarded(self, subnet: Subnet) -> list[Interface]:
        """What could stand in a subnet, with each security group of its VPC."""
        groups = (one.id for one in self.survey.network.groups.values() if one.vpc == subnet.vpc)
        return [anything(subnet, groups=(id_,)) for id_ in groups]

    def services(self, account: str) -> Iterator[tuple[str, str, str]]:
        """Name, place and service of each endpoint of an account; no service where it is not known."""
        for one in self.interfaces(account):
            if one.role is Role.ENDPOINT:
                yield one.id, str(one.place), "" if one.service.startswith("<") else one.service
        for gateway in self.gateways(account):
            yield gateway.name, str(gateway.place), self.service(gateway)

    def gateways(self, account: str) -> list[Resource]:
        """Gateway endpoints of an account."""
        return [
            one
            for one in self.survey.templates.resources("AWS::EC2::VPCEndpoint")
            if self.survey.reading.account_of(one) == account and at(one, "VpcEndpointType") in (None, "Gateway")
        ]

    def service(self, gateway: Resource) -> str:
        """What a gateway endpoint is for; empty where that is not known."""
        name = str(at(gateway, "ServiceName"))
        return "" if name.endswith(">") else name.rpartition(".")[2]

    def tables(self, gateway: Resource) -> list[str]:
        """Route tables that a gateway endpoint is in."""
        return [self.survey.reading.id_of(one) for one in listed(at(gateway, "RouteTableIds"))]


def anything(subnet: Subnet, groups: tuple[str, ...] | None = None) -> Interface:
    """What could stand in a subnet: with a public address and, unless said otherwise, without security groups."""
    said = "anything" if groups is None else f"anything with {groups[0]}"
    return Interface(
        id=f"{said} in {subnet.id}", type="", role=Role.WORKLOAD, vpc=subnet.vpc, account="", subnets=(subnet.id,),
        groups=groups, public=True, place=subnet.place,
    )  # fmt: skip
