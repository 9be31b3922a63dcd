"""Roles, users and permission sets of templates, with everything that is attached to them.

>>> [one.name for one in holders(read(Path("cdk.out")))]  # doctest: +SKIP
['Api/HandlerRole3B5D8EC4']
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from caisson.assurance.iam.document import Kind
from caisson.assurance.iam.place import decode
from caisson.assurance.iam.principal_element import Named
from caisson.assurance.identities.fields import Tags, why
from caisson.assurance.identities.managed import MARK, managed
from caisson.assurance.identities.readings import Bounds, bounds, unknown
from caisson.assurance.templates import Place, Resource, Symbol, Templates, Value, placeholder
from caisson.assurance.templates.place import Problem, TemplateError

ROLE, USER, GROUP, PERMISSION_SET = "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::SSO::PermissionSet"
MANAGED, INLINE, MEMBERS = "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::UserToGroupAddition"
SINGLE = {
    "AWS::IAM::RolePolicy": ("RoleName", ROLE),
    "AWS::IAM::UserPolicy": ("UserName", USER),
    "AWS::IAM::GroupPolicy": ("GroupName", GROUP),
}
"""Types of one inline policy to the property that says whose it is, and of what type that is."""
DEPLOYING = frozenset({"cloudformation", "codebuild", "codedeploy", "codepipeline"})
"""Services that change accounts, for which a role is made: no workload runs there."""
FUNCTION = "AWS::Lambda::Function"
OPENING = {
    "AWS::Lambda::Alias": "FunctionName", "AWS::Lambda::EventInvokeConfig": "FunctionName",
    "AWS::Lambda::EventSourceMapping": "FunctionName", "AWS::Lambda::Permission": "FunctionName",
    "AWS::Lambda::Url": "TargetFunctionArn", "AWS::Lambda::Version": "FunctionName",
}  # fmt: skip
"""Types by which something else calls a function, to the property that names it."""
CLUSTER = "oidc.eks."
"""In the provider of a cluster, whose pods become roles (EKS user guide, iam-roles-for-service-accounts)."""
ATTACHES = {ROLE: "Roles", USER: "Users", GROUP: "Groups"}
"""Type of a holder to the property of a policy that lists such."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A principal that the templates make, or add a policy to."""

    name: str
    """`Stack/LogicalId`; the name of a role that is not in the templates."""
    arn: str
    """Its own, or one that stands in for it."""
    account: str
    place: Place
    identity: Bounds
    boundary: Bounds | None
    """None: it has no boundary."""
    trust: Bounds = field(default_factory=Bounds)
    """Who may become it; of roles."""
    workload: bool = False
    """A service of AWS may become it: it runs something."""
    deploys: bool = False
    """What runs as it are functions that serve custom resources of these templates and nothing else (`serving`)."""

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why it may hold more or less than was read."""
        return tuple(dict.fromkeys((*self.identity.doubts, *(self.boundary.doubts if self.boundary else ()))))


def holders(templates: Templates, tags: Tags = MappingProxyType({})) -> tuple[Holder, ...]:
    """Every principal of the templates.

    Args:
        templates: what was read.
        tags: of every principal, where some are supposed.

    Raises:
        TemplateError: a policy is none.
    """
    reading = _Reading(templates, tags)
    found = [reading.role(one) for one in templates.resources(ROLE)]
    found += [reading.user(one) for one in templates.resources(USER)]
    found += [reading.permission_set(one) for one in templates.resources(PERMISSION_SET)]
    return (*found, *reading.elsewhere())


class _Reading:
    """Attachments of all stacks."""

    def __init__(self, templates: Templates, tags: Tags) -> None:
        self.templates = templates
        self.tags = tags
        self.deploying = frozenset(serving(templates))
        self.attached: dict[Resource, Bounds] = {}
        self.strangers: dict[str, tuple[str, Place, Bounds]] = {}
        """ARN of who is not in the templates to account, place of the first policy, and what is added."""
        for one in templates.resources(INLINE, MANAGED, *SINGLE):
            self._attach(one)

    # -- principals ---------------------------------------------------------------------------------------------------

    def role(self, one: Resource) -> Holder:
        """A role."""
        trust = self.document(one, "AssumeRolePolicyDocument", kind=Kind.TRUST)
        return Holder(
            name=one.name, arn=self._arn(one, "role"), account=self._account(one), place=one.place,
            identity=self._own(one), boundary=self._boundary(one, one.properties.get("PermissionsBoundary")),
            trust=trust, workload=_runs(trust),
            deploys=one in self.deploying and _of_lambda_alone(trust),
        )  # fmt: skip

    def user(self, one: Resource) -> Holder:
        """A user, with what its groups hold."""
        identity = self._own(one)
        for group in self._groups(one):
            found = self.templates.find(group, near=one.stack)
            if found is not None and found.type == GROUP:
                identity += self._own(found)
            else:
                identity += unknown(Kind.IDENTITY, f"{one.place}: what the group {_shown(group)} may do")
        return Holder(
            name=one.name, arn=self._arn(one, "user"), account=self._account(one), place=one.place, identity=identity,
            boundary=self._boundary(one, one.properties.get("PermissionsBoundary")),
        )  # fmt: skip

    def permission_set(self, one: Resource) -> Holder:
        """The role that Identity Center makes of a permission set in every account that it is assigned in."""
        properties = one.properties
        identity = Bounds()
        if "InlinePolicy" in properties:
            identity += self.document(one, "InlinePolicy")
        for index, arn in enumerate(_listed(properties.get("ManagedPolicies"))):
            identity += self._managed(one, arn, one.at("ManagedPolicies", index))
        for index, _ in enumerate(_listed(properties.get("CustomerManagedPolicyReferences"))):
            at = one.at("CustomerManagedPolicyReferences", index)
            identity += unknown(Kind.IDENTITY, f"{at}: what a policy of each account's own allows")
        boundary = None
        if (given := properties.get("PermissionsBoundary")) is not None:
            arn = given.get("ManagedPolicyArn") if isinstance(given, dict) else None
            boundary = self._boundary(one, arn if arn is not None else given)
        name = placeholder(properties.get("Name")) or one.id
        path = f"aws-reserved/sso.amazonaws.com/AWSReservedSSO_{name}_0123456789abcdef"
        return Holder(
            name=one.name, arn=f"arn:aws:iam::{self._account(one)}:role/{path}", account=self._account(one),
            place=one.place, identity=identity, boundary=boundary,
        )  # fmt: skip

    def elsewhere(self) -> Iterator[Holder]:
        """Roles and users that the templates add policies to without making them."""
        for arn, (account, place, added) in self.strangers.items():
            doubt = f"{place}: what else {arn}, which is not in the templates, may do"
            yield Holder(
                name=arn.rpartition("/")[2], arn=arn, account=account, place=place,
                identity=added + unknown(Kind.IDENTITY, doubt), boundary=None,
            )  # fmt: skip

    # -- policies -----------------------------------------------------------------------------------------------------

    def document(self, one: Resource, *path: str | int, kind: Kind = Kind.IDENTITY) -> Bounds:
        """The policy at a property. Permission sets may hold it as JSON in a string."""
        value: Value = one.properties
        for key in path:
            value = value[key] if isinstance(key, int) or key in value else None
        place = one.at(*path)
        if isinstance(value, str):
            value, problems = decode(value)
            if problems:
                raise TemplateError([Problem(place=place, message=str(problem)) for problem in problems])
        maybe = f"{one.place}: it is there on the condition {one.condition}" if one.condition else ""
        return bounds(value, kind, place, maybe=maybe, tags=self.tags)

    def _own(self, one: Resource) -> Bounds:
        found = self.attached.get(one, Bounds())
        policies = one.properties.get("Policies")
        if isinstance(policies, Symbol):
            found += unknown(Kind.IDENTITY, why(policies, one.at("Policies")))
        for index, policy in enumerate(_listed(policies)):
            if isinstance(policy, dict):
                found += self.document(one, "Policies", index, "PolicyDocument")
            else:
                at = one.at("Policies", index)
                found += unknown(Kind.IDENTITY, f"{at}: expected a policy, found {_shown(policy)}")
        arns = one.properties.get("ManagedPolicyArns")
        if isinstance(arns, Symbol):
            found += unknown(Kind.IDENTITY, why(arns, one.at("ManagedPolicyArns")))
        for index, arn in enumerate(_listed(arns)):
            found += self._managed(one, arn, one.at("ManagedPolicyArns", index))
        return found

    def _managed(self, one: Resource, arn: Value, place: Place) -> Bounds:
        found = self.templates.find(arn, near=one.stack)
        if found is not None and found.type == MANAGED:
            return self.document(found, "PolicyDocument")
        written = placeholder(arn)
        if written is not None and MARK in written:
            return managed(written, str(place))
        if isinstance(arn, Symbol) and written is None:
            return unknown(Kind.IDENTITY, why(arn, place))
        return unknown(Kind.IDENTITY, f"{place}: what {_shown(arn)}, which is not in the templates, allows")

    def _boundary(self, one: Resource, given: Value) -> Bounds | None:
        if given is None:
            return None
        return self._managed(one, given, one.at("PermissionsBoundary"))

    def _attach(self, policy: Resource) -> None:
        """Add a policy to those that it lists."""
        lists = {kind: policy.properties.get(name) for kind, name in ATTACHES.items()}
        if policy.type in SINGLE:
            name, kind = SINGLE[policy.type]
            lists = {kind: policy.properties.get(name)}
        found = None
        for kind, given in lists.items():
            for target in _listed(given):
                found = found or self.document(policy, "PolicyDocument")
                self._add(policy, kind, target, found)

    def _add(self, policy: Resource, kind: str, target: Value, found: Bounds) -> None:
        holder = self.templates.find(target, near=policy.stack)
        if holder is not None and holder.type in ATTACHES:
            self.attached[holder] = self.attached.get(holder, Bounds()) + found
        elif kind != GROUP and found.most:
            account = self._account(policy)
            name = named((placeholder(target) or str(target)).rpartition("/")[2])
            arn = f"arn:aws:iam::{account}:{'user' if kind == USER else 'role'}/{name}"
            _, place, before = self.strangers.get(arn, (account, policy.place, Bounds()))
            self.strangers[arn] = (account, place, before + found)

    # -- names --------------------------------------------------------------------------------------------------------

    def _groups(self, user: Resource) -> Iterator[Value]:
        yield from _listed(user.properties.get("Groups"))
        for addition in self.templates.resources(MEMBERS):
            members = _listed(addition.properties.get("Users"))
            if any(self.templates.find(one) is user for one in members):
                yield addition.properties.get("GroupName")

    def _account(self, one: Resource) -> str:
        return account_of(self.templates, one)

    def _arn(self, one: Resource, kind: str) -> str:
        """Its ARN; where its name is not known, one that no policy is likely to mention."""
        written = placeholder(one.arn)
        return written or f"arn:aws:iam::{self._account(one)}:{kind}/{named(f'{one.stack}-{one.id}')}"


def account_of(templates: Templates, one: Resource) -> str:
    """The account of a resource's stack; where nothing says it, what stands in for it."""
    return placeholder(templates.stack(one.stack).account) or "000000000000"


def named(text: str) -> str:
    """The text with only what names in IAM can have (IAM user guide, reference_iam-quotas)."""
    return re.sub("[^A-Za-z0-9+=,.@_-]", "-", text)


def serving(templates: Templates) -> Iterator[Resource]:
    """Roles of which every function serves a custom resource, and answers no event, address or other account.

    None where a template does not tell which role a function has, or which function something else calls.
    """
    found = [*templates.resources(FUNCTION)]
    ways = [(one, OPENING[one.type]) for one in templates.resources(*OPENING)]
    if any(_untold(one, key) for one, key in [*((one, "Role") for one in found), *ways]):
        return
    asked = {_target(templates, one, "ServiceToken") for one in templates.resources() if _custom(one)}
    opened = {_target(templates, one, key) for one, key in ways}
    functions: dict[Resource, list[Resource]] = {}
    for one in found:
        if (role := _target(templates, one, "Role")) is not None:
            functions.setdefault(role, []).append(one)
    for role, of_role in functions.items():
        if all(one in asked and one not in opened for one in of_role):
            yield role


def _untold(one: Resource, key: str) -> bool:
    """Whether it hangs on what the templates do not say."""
    value = one.properties.get(key)
    return isinstance(value, Symbol) and placeholder(value) is None


def _custom(one: Resource) -> bool:
    return one.type.startswith("Custom::") or one.type == "AWS::CloudFormation::CustomResource"


def _target(templates: Templates, one: Resource, key: str) -> Resource | None:
    return templates.find(one.properties.get(key), near=one.stack)


def _of_lambda_alone(trust: Bounds) -> bool:
    statements = [one for found in trust.most for one in found.statements]
    entries = [entry for one in statements if one.principal is not None for entry in one.principal.entries]
    return all(entry.named is Named.SERVICE and entry.text == "lambda.amazonaws.com" for entry in entries)


def _runs(trust: Bounds) -> bool:
    """Whether a service that runs workloads, or a pod of a cluster, may become the role."""
    statements = [one for found in trust.most for one in found.statements]
    entries = [entry for one in statements if one.principal is not None for entry in one.principal.entries]
    return any(
        (entry.named is Named.SERVICE and entry.text.partition(".")[0] not in DEPLOYING)
        or (entry.named is Named.PROVIDER and CLUSTER in entry.text)
        for entry in entries
    )


def _listed(value: Value) -> list[Any]:
    if value is None or (isinstance(value, Symbol) and placeholder(value) is None):
        return []
    return value if isinstance(value, list) else [value]


def _shown(value: Value) -> str:
    return str(value) if isinstance(value, (str, Symbol)) else "something else"
