"""What `Ref` and `Fn::GetAtt` return for a type of resource, as far as it can be told from its properties.

A format has `{partition}`, `{region}`, `{account}`, `{suffix}` (of DNS names), `{id}` (the physical name or id),
`{path}`, `{unique}` (letters that AWS adds) and `{Name}` for the value of a property. ARNs are those of the service
authorization reference, what `Ref` returns is on each type's page of the CloudFormation user guide. A type that stands
in no table has symbols for everything, and no placeholder ARN.

>>> IDENTITIES["AWS::SQS::Queue"].arn
'sqs:{region}:{account}:{id}'
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Identity:
    """How a resource is called."""

    id: str
    """Form of an id that AWS assigns: `name`, `lower` (a name in lower case), `uuid`, `hex16`, `alnum10`, `upper10`, or
    a prefix such as `sg-` before 17 hexadecimal digits."""
    arn: str = ""
    """Format of its ARN, after `arn:{partition}:`."""
    named_by: str = ""
    """Property that sets the id; empty where AWS always does."""
    ref: str = "{id}"
    """Format of what `Ref` returns; `arn` for the ARN."""
    arns: tuple[str, ...] = ("Arn",)
    """Attributes that are the ARN."""
    ids: tuple[str, ...] = ()
    """Attributes that are the id."""
    others: tuple[tuple[str, str], ...] = ()
    """Attribute to format, for other attributes that can be told."""
    unique: str = "hex16"
    """Form of `{unique}`."""


def _ec2(prefix: str, kind: str, *ids: str) -> Identity:
    return Identity(id=f"{prefix}-", arn=f"ec2:{{region}}:{{account}}:{kind}/{{id}}", ids=ids)


_IAM = "iam::{account}:"
_HERE = "{region}:{account}:"

IDENTITIES: dict[str, Identity] = {
    "AWS::AccessAnalyzer::Analyzer": Identity(
        id="name", named_by="AnalyzerName", arn=f"access-analyzer:{_HERE}analyzer/{{id}}", ref="arn"
    ),
    "AWS::ApiGateway::RestApi": Identity(id="alnum10", arn="apigateway:{region}::/restapis/{id}", ids=("RestApiId",)),
    "AWS::ApiGatewayV2::Api": Identity(id="alnum10", arn="apigateway:{region}::/apis/{id}", ids=("ApiId",)),
    "AWS::Athena::WorkGroup": Identity(id="name", named_by="Name", arn=f"athena:{_HERE}workgroup/{{id}}"),
    "AWS::Backup::BackupVault": Identity(
        id="name", named_by="BackupVaultName", arn=f"backup:{_HERE}backup-vault:{{id}}",
        arns=("BackupVaultArn",), ids=("BackupVaultName",),
    ),
    "AWS::Bedrock::Agent": Identity(
        id="upper10", arn=f"bedrock:{_HERE}agent/{{id}}", arns=("AgentArn",), ids=("AgentId",)
    ),
    "AWS::Bedrock::ApplicationInferenceProfile": Identity(
        id="alnum12", arn=f"bedrock:{_HERE}application-inference-profile/{{id}}", ref="arn",
        arns=("InferenceProfileArn",), ids=("InferenceProfileId",),
    ),
    "AWS::Bedrock::Guardrail": Identity(
        id="alnum12", arn=f"bedrock:{_HERE}guardrail/{{id}}", ref="arn", arns=("GuardrailArn",), ids=("GuardrailId",)
    ),
    "AWS::Bedrock::KnowledgeBase": Identity(
        id="upper10", arn=f"bedrock:{_HERE}knowledge-base/{{id}}", arns=("KnowledgeBaseArn",), ids=("KnowledgeBaseId",)
    ),
    "AWS::CertificateManager::Certificate": Identity(id="uuid", arn=f"acm:{_HERE}certificate/{{id}}", ref="arn"),
    "AWS::CloudFront::Distribution": Identity(id="upper14", arn="cloudfront::{account}:distribution/{id}", ids=("Id",)),
    "AWS::CloudTrail::Trail": Identity(id="name", named_by="TrailName", arn=f"cloudtrail:{_HERE}trail/{{id}}"),
    "AWS::CloudWatch::Alarm": Identity(id="name", named_by="AlarmName", arn=f"cloudwatch:{_HERE}alarm:{{id}}"),
    "AWS::CodeBuild::Project": Identity(id="name", named_by="Name", arn=f"codebuild:{_HERE}project/{{id}}"),
    "AWS::CodeCommit::Repository": Identity(
        id="name", named_by="RepositoryName", arn=f"codecommit:{_HERE}{{id}}", ref="{unique}", ids=("Name",),
        unique="uuid",
    ),
    "AWS::CodePipeline::Pipeline": Identity(id="name", named_by="Name", arn=f"codepipeline:{_HERE}{{id}}"),
    "AWS::Cognito::UserPool": Identity(id="pool", arn=f"cognito-idp:{_HERE}userpool/{{id}}", ids=("UserPoolId",)),
    "AWS::DynamoDB::GlobalTable": Identity(id="name", named_by="TableName", arn=f"dynamodb:{_HERE}table/{{id}}"),
    "AWS::DynamoDB::Table": Identity(id="name", named_by="TableName", arn=f"dynamodb:{_HERE}table/{{id}}"),
    "AWS::EC2::CustomerGateway": _ec2("cgw", "customer-gateway", "CustomerGatewayId"),
    "AWS::EC2::EIP": Identity(
        id="eipalloc-", arn=f"ec2:{_HERE}elastic-ip/{{id}}", ref="{unique}", ids=("AllocationId",)
    ),
    "AWS::EC2::EgressOnlyInternetGateway": _ec2("eigw", "egress-only-internet-gateway", "Id"),
    "AWS::EC2::FlowLog": _ec2("fl", "vpc-flow-log", "Id"),
    "AWS::EC2::Instance": _ec2("i", "instance", "InstanceId"),
    "AWS::EC2::InternetGateway": _ec2("igw", "internet-gateway", "InternetGatewayId"),
    "AWS::EC2::LaunchTemplate": _ec2("lt", "launch-template", "LaunchTemplateId"),
    "AWS::EC2::NatGateway": _ec2("nat", "natgateway", "NatGatewayId"),
    "AWS::EC2::NetworkAcl": _ec2("acl", "network-acl", "Id"),
    "AWS::EC2::NetworkInterface": _ec2("eni", "network-interface", "Id"),
    "AWS::EC2::PrefixList": Identity(id="pl-", arn=f"ec2:{_HERE}prefix-list/{{id}}", ids=("PrefixListId",)),
    "AWS::EC2::RouteTable": _ec2("rtb", "route-table", "RouteTableId"),
    "AWS::EC2::SecurityGroup": _ec2("sg", "security-group", "GroupId", "Id"),
    "AWS::EC2::Subnet": _ec2("subnet", "subnet", "SubnetId"),
    "AWS::EC2::TransitGateway": Identity(
        id="tgw-", arn=f"ec2:{_HERE}transit-gateway/{{id}}", arns=("TransitGatewayArn",), ids=("Id",)
    ),
    "AWS::EC2::TransitGatewayAttachment": _ec2("tgw-attach", "transit-gateway-attachment", "Id"),
    "AWS::EC2::TransitGatewayRouteTable": _ec2("tgw-rtb", "transit-gateway-route-table", "TransitGatewayRouteTableId"),
    "AWS::EC2::TransitGatewayVpcAttachment": _ec2("tgw-attach", "transit-gateway-attachment", "Id"),
    "AWS::EC2::VPC": _ec2("vpc", "vpc", "VpcId"),
    "AWS::EC2::VPCEndpoint": _ec2("vpce", "vpc-endpoint", "Id"),
    "AWS::EC2::VPCEndpointService": _ec2("vpce-svc", "vpc-endpoint-service", "ServiceId"),
    "AWS::EC2::VPCPeeringConnection": _ec2("pcx", "vpc-peering-connection", "Id"),
    "AWS::EC2::VPNGateway": _ec2("vgw", "vpn-gateway", "VPNGatewayId"),
    "AWS::EC2::Volume": _ec2("vol", "volume", "VolumeId"),
    "AWS::ECR::Repository": Identity(
        id="lower", named_by="RepositoryName", arn=f"ecr:{_HERE}repository/{{id}}",
        others=(("RepositoryUri", "{account}.dkr.ecr.{region}.{suffix}/{id}"),),
    ),
    "AWS::ECS::Cluster": Identity(id="name", named_by="ClusterName", arn=f"ecs:{_HERE}cluster/{{id}}"),
    "AWS::EFS::FileSystem": Identity(
        id="fs-", arn=f"elasticfilesystem:{_HERE}file-system/{{id}}", ids=("FileSystemId",)
    ),
    "AWS::EKS::Cluster": Identity(id="name", named_by="Name", arn=f"eks:{_HERE}cluster/{{id}}"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Identity(
        id="name", named_by="Name", ref="arn", arns=("LoadBalancerArn",), ids=("LoadBalancerName",),
        arn=f"elasticloadbalancing:{_HERE}loadbalancer/{{Type}}/{{id}}/{{unique}}",
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Identity(
        id="name", named_by="Name", ref="arn", arns=("TargetGroupArn",), ids=("TargetGroupName",),
        arn=f"elasticloadbalancing:{_HERE}targetgroup/{{id}}/{{unique}}",
    ),
    "AWS::Events::EventBus": Identity(id="name", named_by="Name", arn=f"events:{_HERE}event-bus/{{id}}", ids=("Name",)),
    "AWS::GuardDuty::Detector": Identity(id="hex32", arn=f"guardduty:{_HERE}detector/{{id}}", ids=("Id",)),
    "AWS::IAM::Group": Identity(id="name", named_by="GroupName", arn=_IAM + "group{path}{id}"),
    "AWS::IAM::InstanceProfile": Identity(
        id="name", named_by="InstanceProfileName", arn=_IAM + "instance-profile{path}{id}"
    ),
    "AWS::IAM::ManagedPolicy": Identity(
        id="name", named_by="ManagedPolicyName", arn=_IAM + "policy{path}{id}", ref="arn", arns=("PolicyArn",)
    ),
    "AWS::IAM::Role": Identity(id="name", named_by="RoleName", arn=_IAM + "role{path}{id}"),
    "AWS::IAM::User": Identity(id="name", named_by="UserName", arn=_IAM + "user{path}{id}"),
    "AWS::KMS::Alias": Identity(id="name", named_by="AliasName", arn=f"kms:{_HERE}{{id}}"),
    "AWS::KMS::Key": Identity(id="uuid", arn=f"kms:{_HERE}key/{{id}}", ids=("KeyId",)),
    "AWS::KMS::ReplicaKey": Identity(id="uuid", arn=f"kms:{_HERE}key/{{id}}", ids=("KeyId",)),
    "AWS::Kinesis::Stream": Identity(id="name", named_by="Name", arn=f"kinesis:{_HERE}stream/{{id}}"),
    "AWS::KinesisFirehose::DeliveryStream": Identity(
        id="name", named_by="DeliveryStreamName", arn=f"firehose:{_HERE}deliverystream/{{id}}"
    ),
    "AWS::Lambda::Function": Identity(id="name", named_by="FunctionName", arn=f"lambda:{_HERE}function:{{id}}"),
    "AWS::Logs::LogGroup": Identity(
        id="name", named_by="LogGroupName", arn=f"logs:{_HERE}log-group:{{id}}", arns=(),
        others=(("Arn", f"arn:{{partition}}:logs:{_HERE}log-group:{{id}}:*"),),
    ),
    "AWS::NetworkFirewall::Firewall": Identity(
        id="name", named_by="FirewallName", arn=f"network-firewall:{_HERE}firewall/{{id}}", ref="arn",
        arns=("FirewallArn",),
    ),
    "AWS::NetworkFirewall::FirewallPolicy": Identity(
        id="name", named_by="FirewallPolicyName", arn=f"network-firewall:{_HERE}firewall-policy/{{id}}", ref="arn",
        arns=("FirewallPolicyArn",),
    ),
    "AWS::NetworkFirewall::RuleGroup": Identity(
        id="name", named_by="RuleGroupName", ref="arn", arns=("RuleGroupArn",),
        arn=f"network-firewall:{_HERE}{{Type}}-rulegroup/{{id}}",
    ),
    "AWS::OpenSearchServerless::Collection": Identity(
        id="hex20", arn=f"aoss:{_HERE}collection/{{id}}", ids=("Id",)
    ),
    "AWS::Organizations::OrganizationalUnit": Identity(id="ou-", ids=("Id",), arns=()),
    "AWS::Organizations::Policy": Identity(id="p-", ids=("Id",), arns=()),
    "AWS::RDS::DBInstance": Identity(
        id="lower", named_by="DBInstanceIdentifier", arn=f"rds:{_HERE}db:{{id}}", arns=("DBInstanceArn",)
    ),
    "AWS::Route53::HostedZone": Identity(id="upper14", arn="route53:::hostedzone/{id}", ids=("Id",)),
    "AWS::S3::Bucket": Identity(
        id="lower", named_by="BucketName", arn="s3:::{id}",
        others=(
            ("DomainName", "{id}.s3.{suffix}"),
            ("RegionalDomainName", "{id}.s3.{region}.{suffix}"),
        ),
    ),
    "AWS::SNS::Topic": Identity(
        id="name", named_by="TopicName", arn=f"sns:{_HERE}{{id}}", ref="arn", arns=("TopicArn",), ids=("TopicName",)
    ),
    "AWS::SQS::Queue": Identity(
        id="name", named_by="QueueName", arn="sqs:{region}:{account}:{id}", ids=("QueueName",),
        ref="https://sqs.{region}.{suffix}/{account}/{id}",
        others=(("QueueUrl", "https://sqs.{region}.{suffix}/{account}/{id}"),),
    ),
    "AWS::SSM::Parameter": Identity(id="name", named_by="Name", arn=f"ssm:{_HERE}parameter{{/id}}", arns=()),
    "AWS::SecretsManager::Secret": Identity(
        id="name", named_by="Name", arn=f"secretsmanager:{_HERE}secret:{{id}}-{{unique}}", ref="arn",
        arns=("Id", "Arn"), unique="alnum6",
    ),
    "AWS::StepFunctions::StateMachine": Identity(
        id="name", named_by="StateMachineName", arn=f"states:{_HERE}stateMachine:{{id}}", ref="arn", ids=("Name",)
    ),
    "AWS::WAFv2::WebACL": Identity(
        id="name", named_by="Name", arn=f"wafv2:{_HERE}{{Scope}}/webacl/{{id}}/{{unique}}", ref="{id}|{unique}|{Scope}",
        unique="uuid", others=(("Id", "{unique}"),),
    ),
}  # fmt: skip
"""By type."""

PROPERTY_DEFAULTS = {
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Type"): "application",
}
"""Values of properties in formats where the template says nothing."""
PROPERTY_WORDS = {
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "application"): "app",
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "network"): "net",
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "gateway"): "gwy",
    ("AWS::NetworkFirewall::RuleGroup", "STATEFUL"): "stateful",
    ("AWS::NetworkFirewall::RuleGroup", "STATELESS"): "stateless",
    ("AWS::WAFv2::WebACL", "REGIONAL"): "regional",
    ("AWS::WAFv2::WebACL", "CLOUDFRONT"): "global",
}
"""How a format writes a property's value, where not as it is."""
ATTRIBUTE_FORMS = {
    ("AWS::Bedrock::GuardrailVersion", "Version"): "number",
}
"""Form of an attribute that AWS assigns, as `Identity.id`; `number` is a whole one."""
