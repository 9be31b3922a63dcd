"""Credentials of one named profile, resolved by botocore's own providers (assume-role, SSO, credential_process, keys).

- Only the profile counts: not the environment, and neither a container's nor an instance's role unless the profile
  itself names it (`credential_source`). The process that runs this has an environment made from nothing.
- Credentials that end are refreshed by botocore from 15 minutes before their end; those that do not are read again each
  time, so that a rotated key in the file takes effect.
- What went wrong is told by kind: what a provider or a program said may hold a secret and is not repeated.

>>> ProfileCredentials("team", region="eu-west-1").lease()  # doctest: +SKIP
Lease(access_key_id='ASIA…', expires=1789.0, problem='')
"""

from __future__ import annotations

from typing import Any

from botocore import exceptions
from botocore.config import Config
from botocore.credentials import RefreshableCredentials, create_credential_resolver
from botocore.session import Session

from caisson.adapters.aws.bedrock.lease import Lease

AMBIENT = ("env", "ec2-credentials-file", "boto-config", "container-role", "iam-role")
"""Providers of botocore that do not look at the profile."""
_CLIENTS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"}, proxies={})
"""How STS and SSO are called; no proxy from the environment."""
_SIGN_IN = "sign in again: aws sso login --profile {profile}"
_HINTS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    (
        (exceptions.ProfileNotFound,),
        "expected a profile {profile!r} in ~/.aws/config or ~/.aws/credentials, found none",
    ),
    ((exceptions.PartialCredentialsError,), "the profile {profile!r} has only half of its keys"),
    ((exceptions.ConfigParseError,), "the AWS configuration files cannot be read as INI"),
    ((exceptions.InfiniteLoopConfigError, exceptions.InvalidConfigError), "the profile {profile!r} contradicts itself"),
    (
        (
            exceptions.UnauthorizedSSOTokenError,
            exceptions.SSOTokenLoadError,
            exceptions.TokenRetrievalError,
            exceptions.SSOError,
        ),
        _SIGN_IN,
    ),
    ((EOFError,), "the profile {profile!r} asks for an MFA code, which nobody can type here; use SSO or a process"),
    ((exceptions.CredentialRetrievalError,), "what the profile {profile!r} names gave no credentials"),
    ((exceptions.HTTPClientError,), "STS or SSO could not be reached"),
)


class ProfileCredentials:
    """One profile. Blocking: STS, SSO and programs take their time."""

    def __init__(self, profile: str, *, region: str) -> None:
        self._profile = profile
        self._region = region
        self._held: Any = None

    def lease(self) -> Lease:
        """What the profile gives now, refreshed when it is due."""
        try:
            if not isinstance(self._held, RefreshableCredentials):
                self._held = self._resolved()
            if self._held is None:
                return Lease(problem=f"the profile {self._profile!r} names no credentials of its own")
            frozen = self._held.get_frozen_credentials()
        except exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "an error"))
            return Lease(problem=f"AWS refused the profile {self._profile!r} with {code[:64]!r}")
        except (exceptions.BotoCoreError, EOFError, OSError, ValueError, KeyError) as error:
            return Lease(problem=self._explained(error))
        ends = getattr(self._held, "_expiry_time", None)  # botocore has no public name for it
        return Lease(
            access_key_id=frozen.access_key,
            secret_access_key=frozen.secret_key,
            session_token=frozen.token or "",
            expires=ends.timestamp() if ends is not None else None,
        )

    def _resolved(self) -> Any:
        session = Session(profile=self._profile)
        session.set_default_client_config(_CLIENTS)
        session.get_scoped_config()  # raises when there is no such profile
        resolver = create_credential_resolver(session, region_name=self._region)
        for name in AMBIENT:
            resolver.remove(name)
        return resolver.load_credentials()

    def _explained(self, error: Exception) -> str:
        for kinds, hint in _HINTS:
            if isinstance(error, kinds):
                return hint.format(profile=self._profile)
        return f"the profile {self._profile!r} cannot be used: {type(error).__name__}"
