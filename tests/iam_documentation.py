"""Requests that AWS's documentation settles: each with its page, what it says there, and the decision that follows.

Pages are of the IAM user guide unless they begin with a guide's name. `ORG` is the AWS Organizations user guide,
       `KMS` the
AWS KMS developer guide, `S3` the Amazon S3 user guide, `STS` the AWS STS API reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

HOME, OTHER = "111122223333", "444455556666"
ANA = f"arn:aws:iam::{HOME}:user/ana"
APP = f"arn:aws:sts::{HOME}:assumed-role/app/s-1"
APP_ROLE = f"arn:aws:iam::{HOME}:role/app"
ROOT = f"arn:aws:iam::{HOME}:root"
FEDERATED = f"arn:aws:sts::{HOME}:federated-user/dev"
KEY = f"arn:aws:kms:eu-west-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TARGET = f"arn:aws:iam::{HOME}:role/target"
PROVIDER = f"arn:aws:iam::{HOME}:oidc-provider/idp.example.com"
OBJECT = "arn:aws:s3:::records/2026/a.txt"

Json = dict[str, Any]


@dataclass(frozen=True)
class Settled:
    """One request with the decision that the documentation gives."""

    name: str
    page: str
    says: str
    decision: str
    case: Json


def statement(effect: str = "Allow", action: Any = "s3:*", resource: Any = "*", **more: Any) -> Json:
    """A statement; `Resource` is left out for None."""
    made = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return {key: value for key, value in made.items() if value is not None}


def policy(*statements: Json, version: str = "2012-10-17") -> Json:
    """A document."""
    return {"Version": version, "Statement": list(statements)}


ALLOW_ALL = policy(statement(action="*"))
NOTHING = policy(statement(action="ec2:*"))
"""Allows nothing that the cases ask for."""


def case(principal: str = ANA, action: str = "s3:GetObject", resource: str = OBJECT, account: str = HOME,
         context: Json | None = None, **policies: Any) -> Json:  # fmt: skip
    """A case; the principal may do everything unless `identity_policies` says otherwise."""
    request = {"principal": principal, "action": action, "resource": resource, "resource_account": account,
               "context": context or {}}  # fmt: skip
    made = {"request": request, "identity_policies": [ALLOW_ALL], **policies}
    if principal.endswith("amazonaws.com") or principal in (PROVIDER, "anonymous"):
        made["identity_policies"] = None
    return made


def granting(principal: Any, action: Any = "s3:*", effect: str = "Allow", **more: Any) -> Json:
    """A resource policy of one statement."""
    return policy(statement(effect, action, more.pop("Resource", "*"), Principal=principal, **more))


def trusting(principal: Any, action: str = "sts:AssumeRole", **more: Any) -> Json:
    """A trust policy of one statement."""
    return policy(statement("Allow", action, None, Principal=principal, **more))


def when(conditions: Json, context: Json | None = None, effect: str = "Allow", **more: Any) -> Json:
    """A case that one condition decides: Allow under it, or Deny under it beside an Allow."""
    under = policy(statement(effect, "s3:*", "*", Condition=conditions))
    return case(context=context, identity_policies=[under] if effect == "Allow" else [ALLOW_ALL, under], **more)


def on(resource: Any, asked: str, action: str = "s3:GetObject", context: Json | None = None, **more: Any) -> Json:
    """A case that one `Resource` element decides."""
    return case(resource=asked, action=action, context=context,
                identity_policies=[policy(statement("Allow", "*", resource), **more)])  # fmt: skip


_LOGIC = "reference_policies_evaluation-logic_policy-eval-denyallow"
_CROSS = "reference_policies_evaluation-logic-cross-account"
_OPERATORS = "reference_policies_elements_condition_operators"
_SETS = "reference_policies_condition-single-vs-multi-valued-context-keys"
_VARIABLES = "reference_policies_variables"
_RESOURCE = "reference_policies_elements_resource"
_PRINCIPAL = "reference_policies_elements_principal"
_NOT_PRINCIPAL = "reference_policies_elements_notprincipal"
_SCP, _RCP = "ORG orgs_manage_policies_scps", "ORG orgs_manage_policies_rcps"
_KEYS = "KMS key-policy-default"
_FEDERATION = "id_credentials_temp_control-access_getfederationtoken"

_S = Settled
EVALUATION = (
    _S("nothing allows", _LOGIC, "by default, all requests are implicitly denied", "deny_implicit",
       case(identity_policies=[])),
    _S("an identity policy allows", _LOGIC, "an explicit allow overrides this default", "allow", case()),
    _S("a deny beats an allow", _LOGIC, "an explicit deny overrides an explicit allow", "deny_explicit",
       case(identity_policies=[ALLOW_ALL, policy(statement("Deny"))])),
    _S("root user", _LOGIC, "with the exception of the root user, which has full access", "allow",
       case(ROOT, identity_policies=[])),
    _S("root user and SCP", _SCP, "SCPs limit the root user of member accounts", "deny_explicit",
       case(ROOT, identity_policies=[], scps=[{"target": "r", "policies": [ALLOW_ALL, policy(statement("Deny"))]}])),
    _S("boundary without allow", _LOGIC, "if the boundary does not allow, the request is implicitly denied",
       "deny_implicit",
       case(boundary=NOTHING)),
    _S("boundary and identity allow", "access_policies_boundaries", "only what both allow", "allow",
       case(boundary=ALLOW_ALL)),
    _S("boundary alone", "access_policies_boundaries", "a boundary does not grant permissions on its own",
       "deny_implicit",
       case(boundary=ALLOW_ALL, identity_policies=[])),
    _S("boundary denies", "access_policies_boundaries", "an explicit deny in either overrides", "deny_explicit",
       case(boundary=policy(statement(action="*"), statement("Deny")))),
    _S("session policy without allow", _LOGIC, "a session policy that does not allow denies implicitly",
       "deny_implicit",
       case(APP, session_policy=NOTHING)),
    _S("session policy alone", "access_policies", "session policies limit, they do not grant", "deny_implicit",
       case(APP, session_policy=ALLOW_ALL, identity_policies=[])),
    _S("endpoint policy without allow", "VPC vpc-endpoints-access", "an endpoint policy controls what can go through",
       "deny_implicit",
       case(vpc_endpoint_policies=[granting("*", "s3:PutObject")])),
    _S("endpoint policy denies", "VPC vpc-endpoints-access", "a deny in it overrides", "deny_explicit",
       case(vpc_endpoint_policies=[granting("*", "s3:*"), granting("*", "s3:*", "Deny")])),
    _S("resource policy alone, user", _LOGIC, "in the same account one of both is enough", "allow",
       case(identity_policies=[], resource_policy=granting({"AWS": ANA}))),
    _S("user named, past the boundary", _LOGIC, "a grant to a user is not limited by an implicit deny in a boundary",
       "allow",
       case(boundary=NOTHING, resource_policy=granting({"AWS": ANA}))),
    _S("role named, within the boundary", _LOGIC, "a grant to a role ARN is limited by a boundary", "deny_implicit",
       case(APP, boundary=NOTHING, resource_policy=granting({"AWS": APP_ROLE}))),
    _S("role named, within the session policy", _LOGIC, "a grant to a role ARN is limited by a session policy",
       "deny_implicit",
       case(APP, session_policy=NOTHING, resource_policy=granting({"AWS": APP_ROLE}))),
    _S("role named, without identity policy", _LOGIC, "an implicit deny of the identity policies does not matter",
       "allow",
       case(APP, identity_policies=[], resource_policy=granting({"AWS": APP_ROLE}))),
    _S("session named, past both", _LOGIC, "a grant to a session is not limited by boundary or session policy", "allow",
       case(APP, identity_policies=[], boundary=NOTHING, session_policy=NOTHING,
       resource_policy=granting({"AWS": APP}))),
    _S("everyone, by role ARN in a condition", _PRINCIPAL,
       "boundary and session policy do not limit aws:PrincipalArn with a wildcard Principal", "allow",
       case(APP, context={"aws:PrincipalArn": APP_ROLE}, identity_policies=[], session_policy=NOTHING,
       resource_policy=granting(
           "*", Condition={"ArnEquals": {"aws:PrincipalArn": APP_ROLE}}))),
    _S("session named, but denied", _LOGIC, "unless there is an explicit deny", "deny_explicit",
       case(APP, session_policy=policy(statement("Deny")), resource_policy=granting({"AWS": APP}))),
    _S("account named, same account", _PRINCIPAL, "the account ARN delegates to the account", "deny_implicit",
       case(identity_policies=[], resource_policy=granting({"AWS": HOME}))),
    _S("federated user without session policy", _FEDERATION, "without policy the session has no permissions",
       "deny_implicit", case(FEDERATED)),
    _S("federated user with session policy", _FEDERATION, "the intersection of user and session policies", "allow",
       case(FEDERATED, session_policy=ALLOW_ALL)),
    _S("federated session named", _FEDERATION, "a resource policy may name the session", "allow",
       case(FEDERATED, identity_policies=[], resource_policy=granting({"AWS": FEDERATED}))),
    _S("federated user at STS", "id_credentials_temp_request", "cannot call STS but GetCallerIdentity", "deny_implicit",
       case(FEDERATED, "sts:AssumeRole", TARGET, session_policy=ALLOW_ALL,
       resource_policy=trusting({"AWS": FEDERATED}))),
    _S("service named", _PRINCIPAL, "a service principal is granted by the resource policy", "allow",
       case("cloudtrail.amazonaws.com", resource_policy=granting({"Service": "cloudtrail.amazonaws.com"}))),
    _S("another service", _PRINCIPAL, "a service principal is an identifier of one service", "deny_implicit",
       case("config.amazonaws.com", resource_policy=granting({"Service": "cloudtrail.amazonaws.com"}))),
    _S("anonymous and everyone", _PRINCIPAL, "'*' includes anonymous users", "allow",
       case("anonymous", resource_policy=granting("*"))),
    _S("anonymous and everyone in AWS", _PRINCIPAL, "{\"AWS\": \"*\"} is equivalent to '*'", "allow",
       case("anonymous", resource_policy=granting({"AWS": "*"}))),
)  # fmt: skip

ACCOUNTS = (
    _S("crossing, both allow", _CROSS, "allowed only if both evaluations return allow", "allow",
       case(account=OTHER, resource_policy=granting({"AWS": ANA}))),
    _S("crossing, account named", _CROSS, "the entire account can be the principal", "allow",
       case(account=OTHER, resource_policy=granting({"AWS": ROOT}))),
    _S("crossing, no identity policy", _CROSS, "the requester must have an identity policy that allows",
       "deny_implicit",
       case(account=OTHER, identity_policies=[], resource_policy=granting({"AWS": ANA}))),
    _S("crossing, no resource policy", _CROSS, "the resource policy must allow the requester", "deny_implicit",
       case(account=OTHER)),
    _S("crossing, session named, boundary", _CROSS, "policies that limit the identity policy count", "deny_implicit",
       case(APP, account=OTHER, boundary=NOTHING, resource_policy=granting({"AWS": APP}))),
    _S("crossing, another account named", _CROSS, "the policy must name the principal's account", "deny_implicit",
       case(account=OTHER, resource_policy=granting({"AWS": OTHER}))),
    _S("key without policy statement", "KMS key-policies", "no principal has permission unless the key policy allows",
       "deny_implicit",
       case(action="kms:Decrypt", resource=KEY, resource_policy=granting({"AWS": f"{ANA}-2"}, "kms:*"))),
    _S("key policy names the account", _KEYS, "allows the account to use IAM policies", "allow",
       case(action="kms:Decrypt", resource=KEY, resource_policy=granting({"AWS": ROOT}, "kms:*"))),
    _S("key policy names the account, no identity policy", _KEYS, "it does not by itself give permission to users",
       "deny_implicit",
       case(action="kms:Decrypt", resource=KEY, identity_policies=[], resource_policy=granting({"AWS": ROOT},
       "kms:*"))),
    _S("key policy names the user", "KMS key-policies", "a key policy can give a principal access by itself", "allow",
       case(action="kms:Decrypt", resource=KEY, identity_policies=[], resource_policy=granting({"AWS": ANA},
       "kms:Decrypt"))),
    _S("key of another account", "KMS key-policy-modifying-external-accounts", "both key policy and identity policy",
       "deny_implicit",
       case(action="kms:Decrypt", resource=KEY.replace(HOME, OTHER), account=OTHER, identity_policies=[],
            resource_policy=granting({"AWS": ANA}, "kms:Decrypt"))),
    _S("root user and key", _KEYS, "the root user is covered by the statement for the account", "allow",
       case(ROOT, "kms:Decrypt", KEY, identity_policies=[], resource_policy=granting({"AWS": ROOT}, "kms:*"))),
    _S("role without trust", _LOGIC, "trust policies must explicitly allow", "deny_implicit",
       case(action="sts:AssumeRole", resource=TARGET)),
    _S("role trusts the user", _LOGIC, "in one account the trust policy can be enough", "allow",
       case(action="sts:AssumeRole", resource=TARGET, identity_policies=[], resource_policy=trusting({"AWS": ANA}))),
    _S("role trusts the account", "id_roles_use_permissions-to-switch",
       "the user needs permission to assume the role", "deny_implicit",
       case(action="sts:AssumeRole", resource=TARGET, identity_policies=[], resource_policy=trusting({"AWS": HOME}))),
    _S("role trusts the account, user may", "id_roles_use_permissions-to-switch", "trust and permission together",
       "allow",
       case(action="sts:AssumeRole", resource=TARGET, resource_policy=trusting({"AWS": HOME}))),
    _S("role chaining", "id_roles", "a role may assume a second role that trusts it", "allow",
       case(APP, "sts:AssumeRole", TARGET, resource_policy=trusting({"AWS": APP_ROLE}))),
    _S("role chaining, session policy", "id_roles", "within the session policy of the first session", "deny_implicit",
       case(APP, "sts:AssumeRole", TARGET, session_policy=NOTHING, resource_policy=trusting({"AWS": APP_ROLE}))),
    _S("session tags without trust", "id_session-tags", "the trust policy must allow sts:TagSession", "deny_implicit",
       case(action="sts:TagSession", resource=TARGET, resource_policy=trusting({"AWS": HOME}))),
    _S("root user and role", "STS API_AssumeRole", "you cannot call AssumeRole as the root user", "deny_implicit",
       case(ROOT, "sts:AssumeRole", TARGET, resource_policy=trusting({"AWS": HOME}))),
    _S("external id", "id_roles_common-scenarios_third-party", "the trust policy asks for sts:ExternalId",
       "deny_implicit",
       case(f"arn:aws:iam::{OTHER}:user/x", "sts:AssumeRole", TARGET, context={"sts:ExternalId": "9"},
       resource_policy=trusting(
           {"AWS": OTHER}, Condition={"StringEquals": {"sts:ExternalId": "7"}}))),
    _S("web identity", "id_roles_providers_create_oidc", "the provider is the principal of the trust policy", "allow",
       case(PROVIDER, "sts:AssumeRoleWithWebIdentity", TARGET, context={"idp.example.com:aud": "claims"},
            resource_policy=trusting({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity",
                                     Condition={"StringEquals": {"idp.example.com:aud": "claims"}}))),
    _S("web identity, other audience", "id_roles_providers_create_oidc", "the audience is a condition", "deny_implicit",
       case(PROVIDER, "sts:AssumeRoleWithWebIdentity", TARGET, context={"idp.example.com:aud": "other"},
            resource_policy=trusting({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity",
                                     Condition={"StringEquals": {"idp.example.com:aud": "claims"}}))),
    _S("GetCallerIdentity", "STS API_GetCallerIdentity", "a policy that denies it does not keep you from calling it",
       "allow",
       case(action="sts:GetCallerIdentity", resource="*", identity_policies=[policy(statement("Deny", "sts:*"))])),
)  # fmt: skip

_LEVELS = [
    {"target": "r", "policies": [ALLOW_ALL]},
    {"target": "ou", "policies": [ALLOW_ALL]},
    {"target": HOME, "policies": [ALLOW_ALL]},
]
_SERVICE_ROLE = f"arn:aws:iam::{HOME}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
_SERVICE_SESSION = f"arn:aws:sts::{HOME}:assumed-role/AWSServiceRoleForX/s"
ORGANIZATION = (
    _S("SCP allows at each level", "ORG orgs_manage_policies_scps_evaluation", "an Allow at every level", "allow",
       case(scps=_LEVELS)),
    _S("SCP missing at one level", "ORG orgs_manage_policies_scps_evaluation", "denied without Allow at one level",
       "deny_implicit",
       case(scps=[_LEVELS[0], {"target": "ou", "policies": [NOTHING]}, _LEVELS[2]])),
    _S("SCP grants nothing", _SCP, "no permissions are granted by an SCP", "deny_implicit",
       case(scps=_LEVELS, identity_policies=[])),
    _S("SCP and a grant to the session", _SCP, "the SCP limits whatever the resource policy grants", "deny_implicit",
       case(APP, scps=[{"target": "r", "policies": [NOTHING]}], resource_policy=granting({"AWS": APP}))),
    _S("SCP and a service", _SCP, "SCPs affect only principals of the account", "allow",
       case("cloudtrail.amazonaws.com", scps=[{"target": "r", "policies": [NOTHING]}],
            resource_policy=granting({"Service": "cloudtrail.amazonaws.com"}))),
    _S("SCP and service-linked role", _SCP, "SCPs do not affect service-linked roles", "allow",
       case(_SERVICE_SESSION, context={"aws:PrincipalArn": _SERVICE_ROLE}, scps=[{"target": "r",
       "policies": [NOTHING]}])),
    _S("SCP and management account", _SCP, "SCPs do not affect the management account", "allow",
       case(context={"aws:PrincipalOrgMasterAccountId": HOME}, scps=[{"target": "r", "policies": [NOTHING]}])),
    _S("RCP denies an outsider", _RCP, "RCPs apply whoever asks", "deny_explicit",
       case("anonymous", resource_policy=granting("*"), rcps=[{"target": "r", "policies": [granting("*", "s3:*",
       "Deny", Condition={
           "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}})]}])),
    _S("RCP without customer policies", _RCP, "RCPFullAWSAccess is always attached", "allow",
       case(rcps=[{"target": "r", "policies": []}])),
    _S("RCP and Bedrock", _RCP, "only services on the list", "allow",
       case(action="bedrock:InvokeModel", resource="arn:aws:bedrock:eu-west-1::foundation-model/m",
            rcps=[{"target": "r", "policies": [granting("*", "bedrock:*", "Deny")]}])),
    _S("RCP and retiring a grant", "KMS resource-control-policies", "kms:RetireGrant is not effective in an RCP",
       "allow",
       case(action="kms:RetireGrant", resource=KEY, resource_policy=granting({"AWS": ANA}, "kms:*"),
            rcps=[{"target": "r", "policies": [granting("*", "kms:*", "Deny")]}])),
    _S("RCP and service-linked role", _RCP, "RCPs do not restrict service-linked roles", "allow",
       case(_SERVICE_SESSION, context={"aws:PrincipalArn": _SERVICE_ROLE},
            rcps=[{"target": "r", "policies": [granting("*", "s3:*", "Deny")]}])),
)  # fmt: skip

ELEMENTS = (
    _S("actions have no case", "reference_policies_elements_action", "prefix and name are case-insensitive", "allow",
       case(identity_policies=[policy(statement(action="S3:getOBJECT"))])),
    _S("NotAction with Allow", "reference_policies_elements_notaction", "all but those listed", "deny_implicit",
       case(identity_policies=[policy({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"})])),
    _S("NotAction with Deny", "reference_policies_elements_notaction", "denies all but those listed", "deny_explicit",
       case(identity_policies=[ALLOW_ALL, policy({"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"})])),
    _S("NotResource with Deny", "reference_policies_elements_notresource", "denies all but those listed",
       "deny_explicit",
       case(identity_policies=[ALLOW_ALL, policy({"Effect": "Deny", "Action": "s3:*",
       "NotResource": "arn:aws:s3:::other/*"})])),
    _S("resources have case", _RESOURCE, "the name is case-sensitive", "deny_implicit",
       on("arn:aws:s3:::Records/*", OBJECT)),
    _S("a star spans slashes", _RESOURCE, "* expands within a segment, slashes included", "allow",
       on("arn:aws:s3:::records/*.txt", OBJECT)),
    _S("a question mark is one character", _RESOURCE, "? is any single character", "deny_implicit",
       on("arn:aws:s3:::records/2026/?", OBJECT)),
    _S("a last star spans colons", _RESOURCE, "a * that ends a segment can expand beyond the colon", "allow",
       on("arn:aws:lambda:*:function:f", f"arn:aws:lambda:eu-west-1:{HOME}:function:f", "lambda:InvokeFunction")),
    _S("NotPrincipal excepts whoever is listed", _NOT_PRINCIPAL, "list the account too", "allow",
       case(resource_policy=policy({"Effect": "Deny", "NotPrincipal": {"AWS": [ANA, ROOT]}, "Action": "s3:*",
       "Resource": "*"}))),
    _S("NotPrincipal denies all others", _NOT_PRINCIPAL, "denies all principals except those listed", "deny_explicit",
       case(resource_policy=policy({"Effect": "Deny", "NotPrincipal": {"AWS": OTHER}, "Action": "s3:*",
       "Resource": "*"}))),
    _S("NotPrincipal and session", _NOT_PRINCIPAL, "list session, role and account", "allow",
       case(APP, resource_policy=policy(
           {"Effect": "Deny", "NotPrincipal": {"AWS": [APP, APP_ROLE, ROOT]}, "Action": "s3:*", "Resource": "*"}))),
    _S("NotPrincipal and boundary", _NOT_PRINCIPAL, "always denies a principal with a boundary", "deny_explicit",
       case(boundary=ALLOW_ALL, resource_policy=policy(
           {"Effect": "Deny", "NotPrincipal": {"AWS": [ANA, ROOT]}, "Action": "s3:*", "Resource": "*"}))),
    _S("a variable in a resource", _VARIABLES, "replaced by the request's value", "allow",
       on("arn:aws:s3:::records/${aws:PrincipalTag/year}/*", OBJECT, context={"aws:principaltag/YEAR": "2026"})),
    _S("a variable without value", _VARIABLES, "does not match any resource", "deny_implicit",
       on("arn:aws:s3:::records/${aws:PrincipalTag/year}/*", OBJECT)),
    _S("a variable's default", _VARIABLES, "the default stands in", "allow",
       on("arn:aws:s3:::records/${aws:PrincipalTag/year, '2026'}/*", OBJECT)),
    _S("a literal star", _VARIABLES, "${*} is an asterisk", "deny_implicit",
       on("arn:aws:s3:::records/${*}", "arn:aws:s3:::records/x")),
    _S("variables in the old version", _VARIABLES, "treated as literal strings", "deny_implicit",
       case(context={"aws:username": "2026"}, identity_policies=[
           policy(statement(resource="arn:aws:s3:::records/${aws:username}/*"), version="2008-10-17")])),
    _S("NotResource with a variable without value", _VARIABLES, "it matches no resource, so nothing is excepted",
       "deny_explicit",
       case(identity_policies=[ALLOW_ALL, policy(
           {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::records/${aws:PrincipalTag/year}/*"})])),
)  # fmt: skip

_TAGS = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost"]}}
_ANY_TAG = {"ForAnyValue:StringEquals": {"aws:TagKeys": ["team", "cost"]}}
_ARN = "arn:aws:someservice:*:111122223333:finance/*"
_LONG_ARN = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"
CONDITIONS = (
    _S("an absent key", _OPERATORS, "the values do not match", "deny_implicit",
       when({"StringEquals": {"aws:SourceVpc": "vpc-1"}})),
    _S("an absent key, negated", _OPERATORS, "with StringNotLike or ArnNotLike the condition is true", "allow",
       when({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}})),
    _S("an absent key denies", _OPERATORS, "so that the Deny holds", "deny_explicit",
       when({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, effect="Deny")),
    _S("IfExists, absent", _OPERATORS, "if the key is not present, true", "allow",
       when({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}})),
    _S("IfExists, present", _OPERATORS, "if it is present, as specified", "deny_implicit",
       when({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, {"aws:SourceVpc": "vpc-2"})),
    _S("negated IfExists denies when absent", _OPERATORS, "still denied even if the tag is missing", "deny_explicit",
       when({"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, effect="Deny")),
    _S("Null true", _OPERATORS, "true: the key does not exist", "allow",
       when({"Null": {"aws:TokenIssueTime": "true"}})),
    _S("Null false", _OPERATORS, "false: the key exists", "deny_implicit",
       when({"Null": {"aws:TokenIssueTime": "false"}})),
    _S("values are alternatives", "reference_policies_condition-logic-multiple-context-keys-or-values",
       "OR among values", "allow",
       when({"StringEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}}, {"aws:SourceVpc": "vpc-2"})),
    _S("negated values are NOR", "reference_policies_condition-logic-multiple-context-keys-or-values",
       "none may match", "deny_implicit",
       when({"StringNotEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}}, {"aws:SourceVpc": "vpc-2"})),
    _S("keys and operators all", "reference_policies_condition-logic-multiple-context-keys-or-values",
       "AND among keys", "deny_implicit",
       when({"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:username": "ana"}}, {"aws:SourceVpc": "vpc-1",
       "aws:username": "bob"})),
    _S("names of keys have no case", "reference_policies_elements_condition", "key names are not case-sensitive",
       "allow",
       when({"StringEquals": {"AWS:sourceVPC": "vpc-1"}}, {"aws:SourceVpc": "vpc-1"})),
    _S("values have case", _OPERATORS, "StringEquals is case-sensitive", "deny_implicit",
       when({"StringEquals": {"aws:SourceVpc": "VPC-1"}}, {"aws:SourceVpc": "vpc-1"})),
    _S("ignoring case", _OPERATORS, "StringEqualsIgnoreCase", "allow",
       when({"StringEqualsIgnoreCase": {"aws:SourceVpc": "VPC-1"}}, {"aws:SourceVpc": "vpc-1"})),
    _S("StringEquals has no wildcards", _OPERATORS, "you must use StringLike for partial matches", "deny_implicit",
       when({"StringEquals": {"aws:SourceVpc": "vpc-*"}}, {"aws:SourceVpc": "vpc-1"})),
    _S("StringLike across colons", _OPERATORS, "the asterisk matches us-east-2:999999999999:store/abc:", "allow",
       when({"StringLike": {"aws:SourceArn": _ARN}}, {"aws:SourceArn": _LONG_ARN})),
    _S("ArnLike within parts", _OPERATORS, "the asterisk matches only us-east-2 and fails", "deny_implicit",
       when({"ArnLike": {"aws:SourceArn": _ARN}}, {"aws:SourceArn": _LONG_ARN})),
    _S("ArnEquals is ArnLike", _OPERATORS, "they behave identically", "allow",
       when({"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/*"}}, {"aws:PrincipalArn": APP_ROLE})),
    _S("NumericLessThanEquals", _OPERATORS, "up to ten", "allow",
       when({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": 10})),
    _S("numbers, not text", _OPERATORS, "an integer or decimal value", "allow",
       when({"NumericEquals": {"s3:max-keys": "10.0"}}, {"s3:max-keys": 10})),
    _S("DateGreaterThan", _OPERATORS, "after a date and time", "deny_implicit",
       when({"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}},
       {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"})),
    _S("dates in epoch time", _OPERATORS, "ISO 8601 or epoch time", "allow",
       when({"DateLessThan": {"aws:EpochTime": "1577836801"}}, {"aws:EpochTime": 1577836800})),
    _S("Bool", _OPERATORS, "denies what is not over TLS", "deny_explicit",
       when({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": False}, effect="Deny")),
    _S("BinaryEquals", _OPERATORS, "byte for byte", "allow",
       when({"BinaryEquals": {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}},
                                                                 {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="})),
    _S("IpAddress in range", _OPERATORS, "203.0.113.0 to 203.0.113.255", "allow",
       when({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.9"})),
    _S("IpAddress, IPv6", _OPERATORS, "mixed lists of both versions", "allow",
       when({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}},
       {"aws:SourceIp": "2001:db8:1234:5678::1"})),
    _S("NotIpAddress, other version", _OPERATORS, "all addresses except the range", "allow",
       when({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "2001:db8::1"})),
    _S("ForAllValues, all listed", _SETS, "every value of the request matches one of the policy", "allow",
       when(_TAGS, {"aws:TagKeys": ["team", "cost"]})),
    _S("ForAllValues, one more", _SETS, "a value that is not listed fails it", "deny_implicit",
       when(_TAGS, {"aws:TagKeys": ["team", "x"]})),
    _S("ForAllValues, absent", _SETS, "true if there are no keys in the request", "allow", when(_TAGS)),
    _S("ForAnyValue, one listed", _SETS, "at least one value matches", "allow",
       when(_ANY_TAG, {"aws:TagKeys": ["x", "cost"]})),
    _S("ForAnyValue, absent", _SETS, "false if there are no keys in the request", "deny_implicit", when(_ANY_TAG)),
    _S("ForAnyValue denies nothing when absent", _SETS, "so that the Deny does not hold", "allow",
       when(_ANY_TAG, effect="Deny")),
    _S("a variable without value, equal", _VARIABLES, "there is no equal or like value", "deny_implicit",
       when({"StringEquals": {"aws:SourceVpc": "${aws:PrincipalTag/vpc}"}}, {"aws:SourceVpc": "vpc-1"})),
    _S("a variable without value, inverted", _VARIABLES, "inverted operators do match", "allow",
       when({"StringNotEquals": {"aws:SourceVpc": "${aws:PrincipalTag/vpc}"}}, {"aws:SourceVpc": "vpc-1"})),
    _S("a guardrail that is not pinned", "Bedrock guardrails-permissions-id",
       "a missing key satisfies a negated operator", "deny_explicit",
       case(action="bedrock:InvokeModel", resource="arn:aws:bedrock:eu-west-1::foundation-model/m",
       identity_policies=[ALLOW_ALL, policy(
           statement("Deny", "bedrock:InvokeModel", Condition={"StringNotEquals": {
               "bedrock:GuardrailIdentifier": f"arn:aws:bedrock:eu-west-1:{HOME}:guardrail/g:1"}}))])),
)  # fmt: skip

SETTLED = (*EVALUATION, *ACCOUNTS, *ORGANIZATION, *ELEMENTS, *CONDITIONS)
