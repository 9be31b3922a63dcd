"""What is billed of a deployment: quantities from the templates, money only from prices that the user supplies. Pure.

- A `standing` dimension costs while the resource exists: its quantity a month is known from the templates.
- A `use` dimension costs by what passes through: its rate is shown if the user gives one, and no quantity is made up.
- A type that the table lacks is named, never taken as free.

>>> quantities([{"Resources": {"K": {"Type": "AWS::KMS::Key", "Properties": {}}}}]).standing
{'kms.key': Decimal('1')}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from caisson.errors import DeploymentError

HOURS = Decimal(730)
"""Hours that AWS counts to a month in its estimates (AWS Pricing Calculator)."""
PRICES_FORMAT = 1
_CURRENCY = re.compile("[A-Z]{3}")
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?")


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """Something that is billed."""

    unit: str
    standing: bool
    what: str


DIMENSIONS: dict[str, Dimension] = {
    "bedrock.guardrail": Dimension(
        unit="1,000 text units", standing=False, what="Bedrock guardrails, by filter and text"
    ),
    "cloudtrail.events": Dimension(unit="100,000 events", standing=False, what="CloudTrail, further trails and data"),
    "config.evaluation": Dimension(unit="evaluation", standing=False, what="AWS Config, evaluations of rules"),
    "config.item": Dimension(unit="item", standing=False, what="AWS Config, changes that are recorded"),
    "cloudwatch.alarm": Dimension(unit="metric-month", standing=True, what="CloudWatch alarms on a metric"),
    "cloudwatch.alarm.band": Dimension(
        unit="alarm-month", standing=True, what="CloudWatch alarms outside of a band, each billed as three metrics"
    ),
    "cloudwatch.metric": Dimension(unit="metric-month", standing=True, what="CloudWatch metrics from log filters"),
    "guardduty.volume": Dimension(unit="GB and events", standing=False, what="GuardDuty, by what it reads"),
    "kms.key": Dimension(unit="key-month", standing=True, what="KMS keys; each rotation adds one, twice at most"),
    "kms.request": Dimension(unit="10,000 requests", standing=False, what="KMS requests"),
    "logs.ingested": Dimension(unit="GB", standing=False, what="CloudWatch Logs, ingestion and masking"),
    "logs.stored": Dimension(unit="GB-month", standing=False, what="CloudWatch Logs, storage"),
    "macie.bucket": Dimension(unit="bucket-month", standing=False, what="Macie, every bucket of the account"),
    "macie.inspected": Dimension(unit="GB", standing=False, what="Macie, data inspected"),
    "s3.request": Dimension(unit="1,000 requests", standing=False, what="S3 requests"),
    "s3.stored": Dimension(unit="GB-month", standing=False, what="S3 storage, for as long as objects are locked"),
    "sns.request": Dimension(unit="million requests", standing=False, what="SNS notifications"),
    "sqs.request": Dimension(unit="million requests", standing=False, what="SQS requests"),
    "dynamodb.request": Dimension(unit="million request units", standing=False, what="DynamoDB, on demand"),
    "dynamodb.stored": Dimension(unit="GB-month", standing=False, what="DynamoDB storage and recovery"),
    "firehose.ingested": Dimension(unit="GB", standing=False, what="Firehose, ingestion"),
    "lambda.use": Dimension(unit="GB-second", standing=False, what="Lambda, requests and duration"),
    "apigateway.request": Dimension(unit="million requests", standing=False, what="API Gateway requests"),
    "events.published": Dimension(unit="million events", standing=False, what="EventBridge events"),
    "states.use": Dimension(unit="1,000 transitions", standing=False, what="Step Functions"),
    "fargate.use": Dimension(unit="vCPU- and GB-hour", standing=False, what="Fargate tasks"),
    "secret": Dimension(unit="secret-month", standing=True, what="Secrets Manager secrets"),
    "elb.hour": Dimension(unit="hour", standing=True, what="Load balancers"),
    "elb.use": Dimension(unit="capacity unit-hour", standing=False, what="Load balancers, by use"),
    "vpc.endpoint": Dimension(unit="hour", standing=True, what="Interface endpoints, by subnet"),
    "vpc.endpoint.use": Dimension(unit="GB", standing=False, what="Interface endpoints, data"),
    "vpc.nat": Dimension(unit="hour", standing=True, what="NAT gateways"),
    "vpc.nat.use": Dimension(unit="GB", standing=False, what="NAT gateways, data"),
    "vpc.address": Dimension(unit="hour", standing=True, what="Public IPv4 addresses"),
    "vpc.attachment.use": Dimension(unit="GB", standing=False, what="Transit gateway, data"),
    "vpc.attachment": Dimension(unit="hour", standing=True, what="Transit gateway attachments"),
    "firewall.endpoint": Dimension(unit="hour", standing=True, what="Network Firewall endpoints, by subnet"),
    "firewall.tls": Dimension(unit="endpoint-hour and GB", standing=False, what="Network Firewall, TLS inspection"),
    "firewall.use": Dimension(unit="GB", standing=False, what="Network Firewall, data"),
    "dns.firewall": Dimension(unit="million queries", standing=False, what="DNS Firewall queries"),
    "dns.list": Dimension(unit="domain-month", standing=False, what="DNS Firewall, domains on lists"),
    "dns.zone": Dimension(unit="zone-month", standing=True, what="Hosted zones"),
    "waf.acl": Dimension(unit="ACL-month", standing=True, what="WAF web ACLs"),
    "waf.request": Dimension(unit="million requests", standing=False, what="WAF requests"),
    "cognito.user": Dimension(unit="active user", standing=False, what="Cognito users"),
}
"""Billed dimensions, named after the service's pricing page (aws.amazon.com/SERVICE/pricing)."""

BILLED: dict[str, tuple[str, ...]] = {
    "AWS::ApiGateway::RestApi": ("apigateway.request",),
    "AWS::ApiGatewayV2::Api": ("apigateway.request",),
    "AWS::Bedrock::Guardrail": ("bedrock.guardrail",),
    "AWS::CloudTrail::Trail": ("cloudtrail.events",),
    "AWS::CloudWatch::Alarm": ("cloudwatch.alarm",),
    "AWS::Config::ConfigRule": ("config.evaluation",),
    "AWS::Config::ConfigurationRecorder": ("config.item",),
    "AWS::DynamoDB::Table": ("dynamodb.request", "dynamodb.stored"),
    "AWS::EC2::EIP": ("vpc.address",),
    "AWS::EC2::NatGateway": ("vpc.nat", "vpc.nat.use"),
    "AWS::EC2::TransitGatewayAttachment": ("vpc.attachment", "vpc.attachment.use"),
    "AWS::EC2::TransitGatewayVpcAttachment": ("vpc.attachment", "vpc.attachment.use"),
    "AWS::EC2::VPCEndpoint": ("vpc.endpoint", "vpc.endpoint.use"),
    "AWS::ECS::Service": ("fargate.use",),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("elb.hour", "elb.use"),
    "AWS::Events::EventBus": ("events.published",),
    "AWS::GuardDuty::Detector": ("guardduty.volume",),
    "AWS::KMS::Key": ("kms.key", "kms.request"),
    "AWS::KinesisFirehose::DeliveryStream": ("firehose.ingested",),
    "AWS::Lambda::Function": ("lambda.use",),
    "AWS::Logs::LogGroup": ("logs.ingested", "logs.stored"),
    "AWS::Logs::MetricFilter": ("cloudwatch.metric",),
    "AWS::Macie::Session": ("macie.bucket", "macie.inspected"),
    "AWS::NetworkFirewall::Firewall": ("firewall.endpoint", "firewall.use"),
    "AWS::NetworkFirewall::TLSInspectionConfiguration": ("firewall.tls",),
    "AWS::Route53::HostedZone": ("dns.zone",),
    "AWS::Route53Resolver::FirewallDomainList": ("dns.list",),
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": ("dns.firewall",),
    "AWS::S3::Bucket": ("s3.stored", "s3.request"),
    "AWS::SNS::Topic": ("sns.request",),
    "AWS::SQS::Queue": ("sqs.request",),
    "AWS::SecretsManager::Secret": ("secret",),
    "AWS::StepFunctions::StateMachine": ("states.use",),
    "AWS::WAFv2::WebACL": ("waf.acl", "waf.request"),
    "AWS::Cognito::UserPool": ("cognito.user",),
}
"""Type to what is billed of it."""
FREE_SERVICES = ("Custom::", "AWS::IAM::", "AWS::Organizations::", "AWS::SSO::")
FREE = (
    "AWS::ApiGateway::Account", "AWS::ApiGateway::Authorizer", "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Method", "AWS::ApiGateway::RequestValidator", "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Stage", "AWS::ApiGatewayV2::VpcLink",
    "AWS::Bedrock::EnforcedGuardrailConfiguration",
    "AWS::Bedrock::GuardrailVersion", "AWS::Bedrock::ResourcePolicy", "AWS::Config::DeliveryChannel",
    "AWS::EC2::FlowLog",
    "AWS::EC2::InternetGateway", "AWS::EC2::NetworkAcl", "AWS::EC2::NetworkAclEntry", "AWS::EC2::Route",
    "AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress", "AWS::EC2::Subnet", "AWS::EC2::SubnetNetworkAclAssociation",
    "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPC", "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::TransitGateway", "AWS::EC2::TransitGatewayRoute", "AWS::EC2::TransitGatewayRouteTable",
    "AWS::EC2::TransitGatewayRouteTableAssociation", "AWS::EC2::TransitGatewayRouteTablePropagation",
    "AWS::EC2::VPCBlockPublicAccessExclusion", "AWS::EC2::VPCBlockPublicAccessOptions",
    "AWS::RAM::ResourceShare", "AWS::Route53Resolver::FirewallRuleGroup",
    "AWS::Route53Resolver::ResolverQueryLoggingConfig",
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
    "AWS::ECS::Cluster", "AWS::ECS::TaskDefinition", "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::Events::EventBusPolicy", "AWS::Events::Rule",
    "AWS::KMS::Alias", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission", "AWS::Logs::DataProtectionPolicy",
    "AWS::Logs::LogStream", "AWS::Logs::ResourcePolicy", "AWS::Logs::SubscriptionFilter",
    "AWS::Macie::CustomDataIdentifier", "AWS::NetworkFirewall::FirewallPolicy",
    "AWS::NetworkFirewall::LoggingConfiguration", "AWS::NetworkFirewall::RuleGroup", "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::WAFv2::WebACLAssociation",
)  # fmt: skip
"""Types that are billed by what they belong to, or not at all."""
HOURLY = ("hour",)


@dataclass(frozen=True, kw_only=True)
class Quantities:
    """What a deployment has."""

    standing: dict[str, Decimal]
    """Units a month by dimension; hours as hours."""
    use: dict[str, int]
    """Number of resources whose use is billed, by dimension."""
    unknown: dict[str, int]
    """Number of resources by type that the table does not know."""


def quantities(templates: Iterable[Mapping[str, Any]]) -> Quantities:
    """Of these templates."""
    standing: dict[str, Decimal] = {}
    use: dict[str, int] = {}
    unknown: dict[str, int] = {}
    for template in templates:
        for resource in template.get("Resources", {}).values():
            kind = resource["Type"]
            if kind not in BILLED:
                if kind not in FREE and not kind.startswith(FREE_SERVICES):
                    unknown[kind] = unknown.get(kind, 0) + 1
                continue
            for name in _dimensions(kind, resource.get("Properties", {})):
                if DIMENSIONS[name].standing:
                    count = Decimal(_count(name, resource.get("Properties", {})))
                    monthly = count * HOURS if DIMENSIONS[name].unit in HOURLY else count
                    standing[name] = standing.get(name, Decimal(0)) + monthly
                else:
                    use[name] = use.get(name, 0) + 1
    return Quantities(
        standing=dict(sorted(standing.items())), use=dict(sorted(use.items())), unknown=dict(sorted(unknown.items()))
    )


def _dimensions(kind: str, properties: Mapping[str, Any]) -> tuple[str, ...]:
    if kind == "AWS::CloudWatch::Alarm" and "ThresholdMetricId" in properties:
        return ("cloudwatch.alarm.band",)
    if kind == "AWS::EC2::VPCEndpoint" and properties.get("VpcEndpointType", "Gateway") == "Gateway":
        return ()  # gateway endpoints are free (VPC pricing)
    return BILLED[kind]


def _count(name: str, properties: Mapping[str, Any]) -> int:
    """Interface and firewall endpoints are billed in each subnet."""
    if name == "vpc.endpoint":
        return max(1, len(properties.get("SubnetIds", ())))
    if name == "firewall.endpoint":
        return max(1, len(properties.get("SubnetMappings", ())))
    return 1


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What the user says a unit costs."""

    currency: str
    units: Mapping[str, Decimal]


def parse_prices(text: str, *, name: str) -> Prices:
    """`{"caisson_prices": 1, "currency": "USD", "prices": {DIMENSION: "0.10"}}`, amounts as text.

    Raises:
        DeploymentError: it is something else.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise DeploymentError(f"{name}: expected each key once, found one twice")
        return dict(pairs)

    try:
        value = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise DeploymentError(f"{name}: expected JSON, found something else") from None
    if not isinstance(value, dict) or set(value) != {"caisson_prices", "currency", "prices"}:
        raise DeploymentError(f"{name}: expected exactly the keys caisson_prices, currency and prices")
    if type(value["caisson_prices"]) is not int or value["caisson_prices"] != PRICES_FORMAT:
        raise DeploymentError(f"{name}: expected caisson_prices {PRICES_FORMAT}, found {value['caisson_prices']!r}")
    currency, prices = value["currency"], value["prices"]
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise DeploymentError(f"{name}: expected currency as a code of ISO 4217, found {currency!r}")
    if not isinstance(prices, dict):
        raise DeploymentError(f"{name}: expected prices as an object, found {type(prices).__name__}")
    units = {}
    for key, amount in prices.items():
        if key not in DIMENSIONS:
            raise DeploymentError(f"{name}: expected a dimension that caisson knows, found {key!r} (docs/deploy.md)")
        if not isinstance(amount, str) or not _AMOUNT.fullmatch(amount):
            raise DeploymentError(f"{name}: prices.{key}: expected an amount as text such as '0.10', found {amount!r}")
        try:
            units[key] = Decimal(amount)
        except InvalidOperation as error:
            raise DeploymentError(f"{name}: prices.{key}: expected an amount, found {amount!r}") from error
    return Prices(currency=currency, units=units)


@dataclass(frozen=True, kw_only=True)
class Money:
    """What stands costs a month."""

    currency: str
    by: dict[str, Decimal]
    total: Decimal
    rates: dict[str, Decimal]
    """Prices of what is billed by use: shown, and not in the total."""
    unpriced: tuple[str, ...]
    """Dimensions of this deployment without a price."""


def money(found: Quantities, prices: Prices) -> Money:
    """The month's money for what stands; what is used costs more."""
    by = {name: amount * prices.units[name] for name, amount in found.standing.items() if name in prices.units}
    return Money(
        currency=prices.currency,
        by=by,
        total=sum(by.values(), Decimal(0)),
        rates={name: prices.units[name] for name in found.use if name in prices.units},
        unpriced=tuple(name for name in (*found.standing, *found.use) if name not in prices.units),
    )


def table(by_tier: Mapping[str, Quantities]) -> str:
    """The table of the documentation: a row a dimension, a column a deployment."""
    names = sorted({name for found in by_tier.values() for name in (*found.standing, *found.use)})
    lines = [
        "| Dimension | Unit | " + " | ".join(by_tier) + " | Billed |",
        "|---|---|" + "--:|" * len(by_tier) + "---|",
    ]
    for name in names:
        cells = []
        for found in by_tier.values():
            count = found.standing[name] if name in found.standing else found.use.get(name, 0)
            cells.append(f"{count}")
        dimension = DIMENSIONS[name]
        billed = "a month, while it stands" if dimension.standing else "by use; the number is of resources"
        lines.append(f"| `{name}`: {dimension.what} | {dimension.unit} | {' | '.join(cells)} | {billed} |")
    return "\n".join(lines)
