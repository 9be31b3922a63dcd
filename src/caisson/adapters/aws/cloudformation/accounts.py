"""Ways into accounts: a role is assumed in each, and STS must confirm the account before anything is asked of it.

Credentials come from the named profile and never from ambient variables; those of a role are kept in memory only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from caisson.adapters.aws.api.endpoint import service_endpoint
from caisson.adapters.aws.cloudformation.stacks import CloudFormationStacks
from caisson.errors import DeploymentError
from caisson.ports.stacks import Accounts, Organization, Stacks

SESSION = "caisson-deploy"
"""Name of the role's session, as the trail shows it."""
ATTEMPTS_MAX = 8
"""Attempts of a call, with botocore's growing pauses: CloudFormation throttles early."""
CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS_MAX}, connect_timeout=5, read_timeout=30, proxies={}
)
SENTENCE_CHARACTERS_MAX = 500


@contextmanager
def translated(doing: str, advice: str = "") -> Iterator[None]:
    """Turn what the SDK raises into a DeploymentError that says what was being done."""
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        sentence = f"{told.get('Code', 'unknown')}: {told.get('Message', '')}"[:SENTENCE_CHARACTERS_MAX]
        raise DeploymentError(f"{doing}: AWS refused: {sentence}{advice}") from error
    except BotoCoreError as error:
        raise DeploymentError(f"{doing}: no answer from AWS: {error}"[:SENTENCE_CHARACTERS_MAX] + advice) from error


class AwsAccounts(Accounts):
    """Roles of one name in every account, assumed from one profile."""

    def __init__(self, *, profile: str, region: str, partition: str, role: str, endpoint: str = "") -> None:
        """`role` with its path, without a leading slash; `endpoint`: a server on this machine instead of AWS.

        Raises:
            DeploymentError: there is no such profile, or no credentials in it.
            StartError: the endpoint is not on this machine.
        """
        self._region, self._partition, self._role = region, partition, role
        self._url = service_endpoint("sts", region, endpoint).url if endpoint else None
        try:
            self._own = boto3.Session(profile_name=profile, region_name=region)
            found = self._own.get_credentials()
        except ProfileNotFound:
            raise DeploymentError(
                f"expected the AWS profile {profile!r}, found none of this name; say which with --profile"
            ) from None
        except BotoCoreError as error:
            raise DeploymentError(f"expected credentials in the AWS profile {profile!r}, found: {error}") from error
        if found is None:
            raise DeploymentError(f"expected credentials in the AWS profile {profile!r}, found none")

    def organization(self) -> Organization:
        with translated("asking which organization this is", "; the profile needs organizations:DescribeOrganization"):
            found = self._client(self._own, "organizations", self._region).describe_organization()["Organization"]
        return Organization(id=found["Id"], management=found["MasterAccountId"])

    def stacks(self, account: str, region: str) -> Stacks:
        arn = f"arn:{self._partition}:iam::{account}:role/{self._role}"
        with translated(
            f"account {account}: taking the role {arn}",
            "; the account must exist, have the role, and the role must trust the profile (docs/deploy.md)",
        ):
            keys = self._client(self._own, "sts", self._region).assume_role(RoleArn=arn, RoleSessionName=SESSION)
            keys = keys["Credentials"]
            session = boto3.Session(
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
                region_name=region,
            )
            caller = self._client(session, "sts", region).get_caller_identity()["Account"]
        if caller != account:
            raise DeploymentError(f"expected credentials of account {account}, AWS says they are of {caller!r}")
        return CloudFormationStacks(self._client(session, "cloudformation", region), account=account)

    def _client(self, session: boto3.Session, service: str, region: str) -> Any:
        return session.client(service, region_name=region, endpoint_url=self._url, config=CONFIG)
