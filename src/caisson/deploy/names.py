"""One rule names and tags everything that Caisson makes on AWS: `caisson-<system>-<what>`.

Policies protect what is theirs by these names, so a name is decided here and nowhere else. A name that is longer than
the service allows keeps its beginning and ends in six hexadecimal digits of its SHA-256.

>>> Names("claims").role("deployment"), Names("claims").permission_set("operator")
('caisson-claims-deployment', 'caisson-claims-operator')
>>> Names("a-system-with-a-name-of-its-own").permission_set("operator")
'caisson-a-system-with-a-n-b5a6ff'
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

ROLE_CHARACTERS_MAX = 64
"""IAM API reference, CreateRole."""
PERMISSION_SET_CHARACTERS_MAX = 32
"""IAM Identity Center API reference, CreatePermissionSet."""
BUCKET_CHARACTERS_MAX = 63
"""S3 user guide, bucket naming rules."""
GUARDRAIL_CHARACTERS_MAX = 50
"""Bedrock API reference, CreateGuardrail."""
TAG = "caisson:system"
"""Tag of every resource; its value is the system's name."""
_DIGEST_CHARACTERS = 6


@dataclass(frozen=True)
class Names:
    """Names of one system's resources."""

    system: str
    """The system file's `name`."""

    @property
    def prefix(self) -> str:
        """What every name begins with."""
        return f"caisson-{self.system}"

    @property
    def path(self) -> str:
        """Path of the system's roles in IAM: unlike a prefix, it is no beginning of another system's."""
        return f"/caisson/{self.system}/"

    def of(self, what: str, longest: int = 128) -> str:
        """The name of a thing."""
        return shortened(f"{self.prefix}-{what}", longest)

    def role(self, duty: str) -> str:
        """A role for a duty, the same in every account."""
        return self.of(duty, ROLE_CHARACTERS_MAX)

    def permission_set(self, duty: str) -> str:
        """A permission set of IAM Identity Center."""
        return self.of(duty, PERMISSION_SET_CHARACTERS_MAX)

    def guardrail(self, what: str) -> str:
        """A guardrail."""
        return self.of(what, GUARDRAIL_CHARACTERS_MAX)

    def bucket(self, what: str, account: str) -> str:
        """A bucket; its account makes the name one of a kind in the world."""
        return self.of(f"{what}-{account}", BUCKET_CHARACTERS_MAX)

    def log_group(self, what: str) -> str:
        """A log group of CloudWatch Logs."""
        return f"/caisson/{self.system}/{what}"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of every resource."""
        return {TAG: self.system}


def shortened(name: str, longest: int) -> str:
    """The name itself, or its beginning with a digest of the whole."""
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{name[: longest - _DIGEST_CHARACTERS - 1]}-{digest}"
