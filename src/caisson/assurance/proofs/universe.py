"""What requests may name: accounts, regions, resources, principals.

What is finite in AWS is finite here (partitions, regions, the accounts of the organization and one outside of it); the
rest are words, one for each way to fit the patterns of policies (`languages`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from caisson.assurance.iam.pattern import Solid, Wild, fits
from caisson.assurance.proofs.guardrail_arns import guardrail_arns
from caisson.assurance.proofs.languages import TooMany, words

PARTS_OF = ("arn", "partition", "service", "region", "account", "resource")
"""Of an ARN."""
OUTSIDE_ACCOUNT = "999999999999"
"""Stands for every account that is not of the organization."""
OUTSIDE_ORGANIZATION = "o-foreignorg"
UNSPECIFIED = "unspecified"
"""`aws:RequestedRegion` of a call by way of a global inference profile (Bedrock user guide)."""
_REGION_KEYS = frozenset({"aws:requestedregion"})
_SERVICE_OF_KEY = {"aws:principalarn": ("iam",), "aws:sourcearn": ()}
RESOURCE_TYPES: dict[str, tuple[tuple[str, bool, str], ...]] = {
    "invoke": (
        ("bedrock", False, "foundation-model/"),
        ("bedrock", True, "provisioned-model/"),
        ("bedrock", True, "imported-model/"),
        ("bedrock", True, "custom-model-deployment/"),
        ("bedrock", True, "project/"),
        ("bedrock", True, "async-invoke/"),
        ("sagemaker", True, "endpoint/"),
        ("bedrock", True, "inference-profile/"),
        ("bedrock", True, "application-inference-profile/"),
        ("bedrock", True, "prompt-router/"),
        ("bedrock", True, "default-prompt-router/"),
    ),
}
"""What InvokeModel is authorised on: service, whether the ARN has an account, how the resource begins (service
authorization reference, Amazon Bedrock). Those behind which a foundation model is authorised too come last."""
_OWNERS = {"sts": "iam"}
"""Service of an action to the service of the resources that it is about, where they differ."""
EXAMPLE = "abcdefghijkl"
EXAMPLES = {
    "foundation-model/": "meta.llama3-8b-instruct-v1:0",
    "inference-profile/": "us.meta.llama3-3-70b-instruct-v1:0",
    "default-prompt-router/": "meta.llama:1",
}
"""A resource's name that no policy is likely to mention, as AWS writes it."""
INVOKES = frozenset({"bedrock:invokemodel", "bedrock:invokemodelwithresponsestream"})


@dataclass(frozen=True, kw_only=True)
class Universe:
    """Of one organization."""

    partition: str
    region: str
    """Where the system is."""
    accounts: tuple[str, ...]
    """Of the organization that the policies name."""
    regions: tuple[str, ...]
    """All of the partition."""

    def guardrails(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Guardrails that a request may name, in every way to fit the texts."""
        return guardrail_arns(
            tuple(texts), partition=self.partition, regions=(self.region, *self.regions),
            accounts=(*self.accounts, OUTSIDE_ACCOUNT),
        )  # fmt: skip

    def values(self, key: str) -> tuple[str, ...] | None:
        """Everything that a key can hold; None where that is not finite."""
        if key in _REGION_KEYS:
            return (self.region, *self.regions, UNSPECIFIED)
        if key in ("aws:principalaccount", "aws:resourceaccount", "aws:sourceaccount", "aws:vpceaccount"):
            return (*self.accounts, OUTSIDE_ACCOUNT)
        return None

    def part(self, name: str, patterns: Sequence[Sequence[Solid]], *, key: str = "") -> list[str]:
        """One word for each way in which this part of an ARN fits the patterns."""
        known: tuple[str, ...] | None = None
        if name == "arn":
            known = ("arn",)
        elif name == "partition":
            known = (self.partition,)
        elif name == "region":
            known = (self.region, *self.regions, *literals(patterns), "")
        elif name == "account":
            known = (*self.accounts, *accounts_in(patterns), OUTSIDE_ACCOUNT, "")
        elif name == "service":
            known = _SERVICE_OF_KEY.get(key) or (*literals(patterns), "example")
        if known is None:
            return words(patterns)
        return kinds(known, patterns)

    def resources(self, action: str, patterns: Sequence[Sequence[Sequence[Solid]]], account: str) -> list[str]:
        """Resources of an action, in every way to fit the patterns; `*` for what has none.

        Args:
            action: lower case.
            patterns: the six parts of each ARN pattern.
            account: of the principal, whose resources are named first.
        """
        if action in INVOKES:
            return [arn for kind in RESOURCE_TYPES["invoke"] for arn in self._typed(kind, patterns, account)]
        service = action.partition(":")[0]
        service = _OWNERS.get(service, service)
        tails = words([one[5] for one in patterns], path=service == "iam")
        written = [one[3] for one in patterns], [one[4] for one in patterns]
        regions = kinds((*self._regions_of(service), *literals(written[0])), written[0])
        nobody = () if all(written[1]) else ("",)  # `arn:aws:bedrock:eu-west-1::foundation-model/…`
        accounts = kinds((*self._accounts_of(service, account), *accounts_in(written[1]), *nobody), written[1])
        found = [
            f"arn:{self.partition}:{service}:{region}:{owner}:{tail}"
            for region, owner, tail in product(regions, accounts, tails)
        ]
        return ["*", *found]

    def _typed(
        self, kind: tuple[str, bool, str], patterns: Sequence[Sequence[Sequence[Solid]]], account: str
    ) -> list[str]:
        service, owned, prefix = kind
        tails = words([one[5] for one in patterns] + [(prefix, Wild.ONE, Wild.MANY)])
        tails = [tail for tail in tails if tail.startswith(prefix) and tail != prefix]
        tails = kinds([prefix + EXAMPLES.get(prefix, EXAMPLE), *tails], [one[5] for one in patterns])
        written = [one[3] for one in patterns], [one[4] for one in patterns]
        regions = kinds((self.region, *self.regions, *literals(written[0])), written[0])
        known = (account, *self.accounts, *accounts_in(written[1]), OUTSIDE_ACCOUNT)
        accounts = kinds(known, written[1]) if owned else [""]
        return [
            f"arn:{self.partition}:{service}:{region}:{owner}:{tail}"
            for region, owner, tail in product(regions, accounts, tails)
        ]

    def _regions_of(self, service: str) -> tuple[str, ...]:
        return ("",) if service in ("iam", "s3", "organizations", "sts", "account") else (self.region, *self.regions)

    def _accounts_of(self, service: str, account: str) -> tuple[str, ...]:
        return ("",) if service == "s3" else (account, *self.accounts, OUTSIDE_ACCOUNT)


def literals(patterns: Iterable[Sequence[Solid]]) -> tuple[str, ...]:
    """What patterns without wildcards say: what a policy names may be, whatever is known here."""
    texts = ("".join(map(str, one)) for one in patterns if one and all(isinstance(piece, str) for piece in one))
    return tuple(dict.fromkeys(texts))


def accounts_in(patterns: Sequence[Sequence[Solid]]) -> tuple[str, ...]:
    """The accounts that patterns name.

    Raises:
        TooMany: one is written with wildcards beside digits.
    """
    for one in patterns:
        if (
            len(one) > 1
            and any(isinstance(piece, Wild) for piece in one)
            and any(isinstance(piece, str) for piece in one)
        ):
            raise TooMany(f"the account {''.join(map(str, one))!r} is written with a wildcard")
    return literals(patterns)


def kinds(values: Iterable[str], patterns: Sequence[Sequence[Solid]]) -> list[str]:
    """The first of the values for each way to fit the patterns."""
    return list(_kinds(tuple(values), tuple(dict.fromkeys(map(tuple, patterns)))))


@lru_cache(maxsize=4_096)
def _kinds(values: tuple[str, ...], patterns: tuple[tuple[Solid, ...], ...]) -> tuple[str, ...]:
    found: dict[tuple[bool, ...], str] = {}
    for value in values:
        found.setdefault(tuple(fits(pattern, value) for pattern in patterns), value)
    return tuple(found.values())


def regions_of(partition: str) -> tuple[str, ...]:
    """Every region of a partition, as botocore knows them."""
    from botocore.session import get_session

    return tuple(sorted(get_session().get_available_regions("sts", partition_name=partition)))
