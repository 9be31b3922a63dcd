"""The request context: condition keys and their values.

Key names are case-insensitive, tag keys after the slash included; values are case-sensitive (IAM user guide,
reference_policies_elements_condition). The context is the whole of it: a key that is not in it is absent, also where
AWS would have filled it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ONE_VALUE = frozenset({
    "aws:calledviafirst", "aws:calledvialast", "aws:currenttime", "aws:ec2instancesourceprivateipv4",
    "aws:ec2instancesourcevpc", "aws:epochtime", "aws:federatedprovider", "aws:ismcpserviceaction",
    "aws:multifactorauthage", "aws:multifactorauthpresent", "aws:principalaccount", "aws:principalarn",
    "aws:principalisawsservice", "aws:principalorgid", "aws:principalorgmasteraccountid", "aws:principalservicename",
    "aws:principaltype", "aws:referer", "aws:requestedregion", "aws:resourceaccount", "aws:resourceorgid",
    "aws:securetransport", "aws:sourceaccount", "aws:sourcearn", "aws:sourceidentity", "aws:sourceip",
    "aws:sourceorgid", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:tokenissuetime", "aws:useragent",
    "aws:userid", "aws:username", "aws:viaawsservice", "aws:vpceaccount", "aws:vpceorgid", "aws:vpcsourceip",
})  # fmt: skip
"""Global keys with at most one value (IAM user guide, reference_policies_condition-keys, "Value type")."""
ONE_VALUE_PREFIXES = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/")
MANY_VALUES = frozenset({
    "aws:calledvia", "aws:principalorgpaths", "aws:principalservicenameslist", "aws:resourceorgpaths",
    "aws:sourceorgpaths", "aws:tagkeys", "aws:vpceorgpaths", "dynamodb:attributes", "dynamodb:leadingkeys",
})  # fmt: skip
"""Keys that can have many values, which a condition without set operator is not meant for (same page; DynamoDB
guide)."""


@dataclass(frozen=True, slots=True)
class Values:
    """What the request says for one key."""

    all: tuple[str, ...]
    """In the request's order; empty when the key is there with no value."""
    single: bool
    """The request gives one value, not a list."""


@dataclass(frozen=True, slots=True)
class Context:
    """Condition keys of one request."""

    values: Mapping[str, Values]
    """By lower-case name."""

    def get(self, key: str) -> Values | None:
        """The values of a key, or None when it is absent."""
        return self.values.get(key.lower())

    def one(self, key: str) -> str | None:
        """The value of a key that has exactly one."""
        found = self.get(key)
        return found.all[0] if found is not None and len(found.all) == 1 else None


def has_one_value(key: str) -> bool:
    """Documented to have at most one value."""
    lowered = key.lower()
    return lowered in ONE_VALUE or lowered.startswith(ONE_VALUE_PREFIXES)


def has_many_values(key: str) -> bool:
    """Documented to have any number of values."""
    return key.lower() in MANY_VALUES
