"""What answers the internet without an address in a VPC: APIs and functions with a URL.

An API is closed when its own endpoint is disabled and every name that it has asks for client certificates, or when it
is private (API Gateway developer guide, rest-api-mutual-tls and rest-api-disable-default-endpoint). A function's URL
knows no client certificates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from caisson.assurance.network.reading import at, listed
from caisson.assurance.templates import Resource, Symbol, Templates, boolean

REST, HTTP = "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"
NAMES = {
    "AWS::ApiGateway::DomainName": ("AWS::ApiGateway::BasePathMapping", "RestApiId"),
    "AWS::ApiGatewayV2::DomainName": ("AWS::ApiGatewayV2::ApiMapping", "ApiId"),
}
"""Type of a name to the type that maps it to an API, and the property that says which."""
URL = "AWS::Lambda::Url"


@dataclass(frozen=True, kw_only=True)
class Door:
    """Something that the internet reaches."""

    name: str
    place: str
    closed: bool
    """It takes nobody without a client certificate."""
    doubt: bool = False
    """Nobody knows."""
    reason: str


def doors(templates: Templates) -> Iterator[Door]:
    """Every one of them."""
    for one in templates.resources(REST, HTTP):
        if "PRIVATE" not in [str(kind) for kind in listed(at(one, "EndpointConfiguration", "Types"))]:
            yield _api(templates, one)
    for one in templates.resources(URL):
        yield Door(
            name=one.name, place=str(one.place), closed=False,
            reason="a function's URL asks nobody for a client certificate",
        )  # fmt: skip


def _api(templates: Templates, api: Resource) -> Door:
    disabled = at(api, "DisableExecuteApiEndpoint")
    name, place = api.name, str(api.place)
    if isinstance(disabled, Symbol):
        reason = f"{api.at('DisableExecuteApiEndpoint')}: whether its own endpoint is disabled is not known"
        return Door(name=name, place=place, closed=False, doubt=True, reason=reason)
    if boolean(disabled) is not True:
        return Door(
            name=name, place=place, closed=False, reason="its own endpoint is open, without client certificates"
        )
    for domain in _domains(templates, api):
        store = at(domain, "MutualTlsAuthentication", "TruststoreUri")
        if store is None:
            reason = f"its name {domain.name} asks nobody for a client certificate"
            return Door(name=name, place=place, closed=False, reason=reason)
    return Door(name=name, place=place, closed=True, reason="its names ask for certificates, nothing else is open")


def _domains(templates: Templates, api: Resource) -> Iterator[Resource]:
    for type_, (mapping, property_) in NAMES.items():
        for domain in templates.resources(type_):
            mapped = (one for one in templates.resources(mapping) if templates.find(at(one, "DomainName")) is domain)
            if any(templates.find(at(one, property_)) is api for one in mapped):
                yield domain
