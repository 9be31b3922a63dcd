"""What answers the internet without an address in a VPC: APIs, functions with a URL, services of their own.

An API is closed when its own endpoint is disabled and every name that it has asks for client certificates, or when it
is private (API Gateway developer guide, rest-api-mutual-tls and rest-api-disable-default-endpoint). A function's URL
knows no client certificates. An accelerator brings the internet to load balancers and instances in private subnets,
past every route (Global Accelerator developer guide, secure-vpc-connections). A CloudFront distribution is the one
thing that may answer anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
_UNKNOWN = "whether it is open to the internet is not known"


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


def _is(*path: str, value: str, default: str = "") -> Callable[[Resource], bool | None]:
    """Whether a property has a value; None where it is not known."""

    def asked(resource: Resource) -> bool | None:
        found = at(resource, *path)
        if isinstance(found, Symbol):
            return None
        if isinstance(found, bool):
            found = "true" if found else "false"
        return str(default if found is None else found).lower() == value

    return asked


def _said(*path: str) -> Callable[[Resource], bool | None]:
    """Whether a property is there at all."""
    return lambda resource: at(resource, *path) is not None


_EKS = ("ResourcesVpcConfig", "EndpointPublicAccess")
_MSK = ("BrokerNodeGroupInfo", "ConnectivityInfo", "PublicAccess", "Type")
SERVICES: dict[str, tuple[Callable[[Resource], bool | None], str]] = {
    "AWS::Amplify::App": (lambda _: False, "an Amplify application answers everybody"),
    "AWS::AppRunner::Service": (
        _is("NetworkConfiguration", "IngressConfiguration", "IsPubliclyAccessible", value="false", default="true"),
        "a service of App Runner is public unless it says otherwise",
    ),
    "AWS::AppSync::GraphQLApi": (_is("Visibility", value="private", default="GLOBAL"), "its API is global"),
    "AWS::EKS::Cluster": (_is(*_EKS, value="false", default="true"), "the endpoint of its API is public"),
    "AWS::ElasticBeanstalk::Environment": (lambda _: None, "an environment may answer everybody"),
    "AWS::GlobalAccelerator::EndpointGroup": (
        lambda resource: not listed(at(resource, "EndpointConfigurations")),
        "an accelerator brings the internet to its endpoints, in private subnets, too",
    ),
    "AWS::Lightsail::Instance": (lambda _: False, "an instance of Lightsail has a public address"),
    "AWS::MSK::Cluster": (_is(*_MSK, value="disabled", default="DISABLED"), "its brokers are public"),
    "AWS::MWAA::Environment": (
        _is("WebserverAccessMode", value="private_only", default="PRIVATE_ONLY"), "its web server is public",
    ),
    "AWS::OpenSearchService::Domain": (_said("VPCOptions"), "a domain in no VPC has a public endpoint"),
    "AWS::RedshiftServerless::Workgroup": (_is("PubliclyAccessible", value="false", default="false"), "it is public"),
    "AWS::Transfer::Server": (_is("EndpointType", value="vpc", default="PUBLIC"), "a server in no VPC is public"),
}  # fmt: skip
"""Type to whether one is closed (None: not known) and what is said of one that is not."""


def doors(templates: Templates) -> Iterator[Door]:
    """Every one of them."""
    for one in templates.resources(REST, HTTP):
        if "PRIVATE" not in [str(kind) for kind in listed(at(one, "EndpointConfiguration", "Types"))]:
            yield _api(templates, one)
    for one in templates.resources(URL):
        yield _door(one, "a function's URL asks nobody for a client certificate")
    for one in templates.resources(*SERVICES):
        asked, reason = SERVICES[one.type]
        closed = asked(one)
        if closed is None:
            yield _door(one, f"{one.place}: {_UNKNOWN}", doubt=True)
        elif not closed:
            yield _door(one, reason)


def _door(one: Resource, reason: str, *, closed: bool = False, doubt: bool = False) -> Door:
    if one.condition and not closed:
        doubt, reason = True, f"{reason}; whether it exists depends on {one.condition}"
    return Door(name=one.name, place=str(one.place), closed=closed, doubt=doubt, reason=reason)


def _api(templates: Templates, api: Resource) -> Door:
    kinds = [at(api, "EndpointConfiguration"), *listed(at(api, "EndpointConfiguration", "Types"))]
    if any(isinstance(kind, Symbol) for kind in kinds):
        return _door(api, f"{api.at('EndpointConfiguration')}: {_UNKNOWN}", doubt=True)
    disabled = at(api, "DisableExecuteApiEndpoint")
    if isinstance(disabled, Symbol):
        reason = f"{api.at('DisableExecuteApiEndpoint')}: whether its own endpoint is disabled is not known"
        return _door(api, reason, doubt=True)
    if boolean(disabled) is not True:
        return _door(api, "its own endpoint is open, without client certificates")
    unknown = ""
    for mapping, domain in _domains(templates, api):
        if domain is None:
            unknown = unknown or f"{mapping.place}: what the name asks callers for is not in the templates"
        elif domain.condition:
            unknown = unknown or f"{domain.place}: what it asks callers for depends on {domain.condition}"
        elif isinstance(at(domain, "MutualTlsAuthentication"), Symbol):
            unknown = unknown or f"{domain.at('MutualTlsAuthentication')}: what it asks callers for is not known"
        elif at(domain, "MutualTlsAuthentication", "TruststoreUri") is None:
            return _door(api, f"its name {domain.name} asks nobody for a client certificate")
    if unknown:
        return _door(api, unknown, doubt=True)
    return _door(api, "its names ask for certificates, nothing else is open", closed=True)


def _domains(templates: Templates, api: Resource) -> Iterator[tuple[Resource, Resource | None]]:
    """What gives names to an API, each with the name; None for one that is not in the templates."""
    for mapping, property_ in NAMES.values():
        for one in templates.resources(mapping):
            if templates.find(at(one, property_)) is api:
                domain = templates.find(at(one, "DomainName"))
                known = domain is not None and domain.type in NAMES
                yield one, domain if known else None
