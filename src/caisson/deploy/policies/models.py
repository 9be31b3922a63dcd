"""Which model a system file names, and the ARNs that an invocation of it is authorised against (SUP-01; S10, S74, S76).

An id is a foundation model's (`amazon.nova-pro-v1:0`), served in the system's region, or a geographic inference
profile's (`eu.amazon.nova-pro-v1:0`), served in any region of that geography. A profile is authorised as the profile
and as the model in each region that serves it (Bedrock user guide, geographic-cross-region-inference).

>>> Model.of("eu.amazon.nova-pro-v1:0").arns(partition="aws", region="eu-west-1")[0]
'arn:aws:bedrock:eu-west-1:*:inference-profile/eu.amazon.nova-pro-v1:0'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

GEOGRAPHIES: dict[str, tuple[str, ...]] = {
    "us": ("us-east-*", "us-west-*"),
    "us-gov": ("us-gov-*",),
    "eu": ("eu-*",),
    "apac": ("ap-*",),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "au": ("ap-southeast-2", "ap-southeast-4"),
}
"""Prefix of a profile to the regions that may serve it (Bedrock user guide, inference-profiles-support)."""
GLOBAL = "global"
"""Prefix of profiles that any region of the world may serve."""
_FOUNDATION_MODEL = re.compile(r"[a-z0-9-]+\.[a-zA-Z0-9_.:-]+")


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model as the system file names it."""

    id: str
    """The id in the file."""
    geography: str
    """Prefix of the geographic profile; empty for a model in the system's region."""
    foundation: str
    """Id of the foundation model behind it."""

    @classmethod
    def of(cls, model_id: str) -> Model:
        """The model of an id that `refusal` has nothing against."""
        geography, _, rest = model_id.partition(".")
        if geography in GEOGRAPHIES:
            return cls(id=model_id, geography=geography, foundation=rest)
        return cls(id=model_id, geography="", foundation=model_id)

    def regions(self, region: str) -> tuple[str, ...]:
        """Patterns of the regions that may serve it."""
        return GEOGRAPHIES.get(self.geography, (region,))

    def profile_arn(self, *, partition: str, region: str) -> str:
        """The geographic profile; system-defined profiles carry the caller's account."""
        return f"arn:{partition}:bedrock:{region}:*:inference-profile/{self.id}"

    def arns(self, *, partition: str, region: str) -> tuple[str, ...]:
        """Everything that an invocation is authorised against."""
        models = tuple(
            f"arn:{partition}:bedrock:{served}::foundation-model/{self.foundation}" for served in self.regions(region)
        )
        return (self.profile_arn(partition=partition, region=region), *models) if self.geography else models


def refusal(model_id: str, region: str) -> str:
    """What was expected of the id; empty when it can be deployed.

    >>> refusal("us.amazon.nova-pro-v1:0", "eu-west-1")
    'a profile whose geography holds the region eu-west-1'
    """
    prefix, _, rest = model_id.partition(".")
    if prefix == GLOBAL:
        return "a model of the region or a geographic profile, because a global profile leaves every geography"
    if prefix in GEOGRAPHIES and not any(fnmatchcase(region, served) for served in GEOGRAPHIES[prefix]):
        return f"a profile whose geography holds the region {region}"
    if not _FOUNDATION_MODEL.fullmatch(rest if prefix in GEOGRAPHIES else model_id):
        return "the id of a foundation model or of a geographic profile"
    return ""
