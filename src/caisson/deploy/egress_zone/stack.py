"""The stacks of the network account. Without a host in the file there is no way to the internet, and no stack."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk

from caisson.deploy.destinations import attaches_runtime, destinations
from caisson.deploy.egress_zone.firewall import authority
from caisson.deploy.egress_zone.inspection import inspection
from caisson.deploy.egress_zone.names import names_allowed
from caisson.deploy.egress_zone.records import ROWS as RECORDS
from caisson.deploy.egress_zone.records import decisions, deliveries, queries
from caisson.deploy.egress_zone.tools import tool_network
from caisson.deploy.egress_zone.transit import INWARD, OUTWARD, RUNTIME_ATTACHMENT, joined, transit
from caisson.deploy.keys import make_key
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import management, zone
from caisson.deploy.stacks import Built, new_stack
from caisson.deploy.zone_network import flow_log

PART = "egress"
NOTHING = ["caisson.invalid"]
"""For a network that resolves nothing: a list cannot be empty, and this name never exists (RFC 6761)."""


def egress_zone(app: Any, land: Landscape) -> Built:
    """Transit gateway, inspection VPC and, where there are tools, the tool VPC."""
    hosts = destinations(land.system)
    tools, runtime = any(one.of_tool for one in hosts), attaches_runtime(land)
    built = new_stack(
        app, land, PART, account=land.accounts["network"], region=land.region, parameters=(authority(land),)
    )  # fmt: skip
    key = _key(built, land)
    through = transit(built, land)
    vpc, made = inspection(built, land, through, runtime=runtime, tools=tools)
    vpcs = [vpc]
    names_allowed(built, land, "inspection", vpc, NOTHING)
    if tools:
        vpcs.append(tool_network(built, through, hosts))
        allowed = list(dict.fromkeys(one.host for one in hosts if one.of_tool))
        names_allowed(built, land, "tools", vpcs[-1], allowed)
    policy = deliveries(built, land, "egress-")
    queries(built, land, "egress-queries", key, vpcs, policy)
    flow_log(built, land, PART, vpcs, key, rows=RECORDS)
    decisions(built, land, key, made, policy)
    return built


def runtime_way(app: Any, land: Landscape) -> Built:
    """The runtime's attachment gets its routes: deployed once the runtime is attached."""
    parameters = (RUNTIME_ATTACHMENT, OUTWARD, INWARD)
    built = new_stack(
        app, land, f"{PART}-runtime", account=land.accounts["network"], region=land.region, parameters=parameters
    )  # fmt: skip
    joined(built, "Runtime", *(str(cdk.Fn.ref(one.name)) for one in parameters))
    for id_ in ("RuntimeOutward", "RuntimeInward"):
        built.carries(built.stack.node.find_child(id_), ("S49",))
    return built


def _key(built: Built, land: Landscape) -> Any:
    groups = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{land.names.log_group('*')}"
    deployment = land.role(management.DEPLOYMENT)
    key = make_key(
        built, land, PART,
        (
            zone.administration(built.account, [deployment], land.partition),
            zone.encrypts_log_groups(region=land.region, log_groups=groups),
        ),
        description="Encrypts what the network account records",
    )  # fmt: skip
    built.carries(key, ("S59",))
    return key
