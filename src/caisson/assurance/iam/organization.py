"""Which requests the policies of an organization concern.

Service control policies limit principals of member accounts, root users included; not the management account, not
service- linked roles (orgs_manage_policies_scps, "Tasks and entities not restricted by SCPs"). Resource control
policies limit who can reach resources of member accounts, in services that support them; not the management account's,
and not for service- linked roles (orgs_manage_policies_rcps). The management account is the one in
`aws:PrincipalOrgMasterAccountId`.
"""

from __future__ import annotations

from caisson.assurance.iam.principals import Kind
from caisson.assurance.iam.request import Request
from caisson.assurance.iam.services import covered_by_resource_control
from caisson.assurance.iam.truth import NO, YES, Truth, every, negated, of, unknown

_SERVICE_LINKED_PATH = "/aws-service-role/"
_SERVICE_LINKED_NAME = "AWSServiceRoleFor"


def limits_principal(request: Request) -> Truth:
    """Whether service control policies concern the request."""
    principal = request.principal
    return every((
        of(principal.has_identity),
        of(_management_account(request) != principal.account),
        negated(_service_linked(request)),
    ))  # fmt: skip


def limits_resource(request: Request) -> Truth:
    """Whether resource control policies concern the request."""
    return every((
        covered_by_resource_control(request),
        of(_management_account(request) != request.resource_account),
        negated(_service_linked(request)),
    ))  # fmt: skip


def _management_account(request: Request) -> str | None:
    return request.context.one("aws:PrincipalOrgMasterAccountId")


def _service_linked(request: Request) -> Truth:
    """Whether the principal acts under a service-linked role, which its path shows and its name suggests."""
    principal = request.principal
    if not principal.has_role:
        return NO
    if principal.kind is Kind.ROLE:
        return of((principal.path or "").startswith(_SERVICE_LINKED_PATH))
    role = request.context.one("aws:PrincipalArn")
    if role is not None:
        return YES if f":role{_SERVICE_LINKED_PATH}" in role else NO
    if principal.name.startswith(_SERVICE_LINKED_NAME):
        return unknown(f"whether {principal.name!r} is a service-linked role: aws:PrincipalArn is not given")
    return NO
