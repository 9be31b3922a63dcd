"""What AWS SDKs and tools need to find a running system: a profile, variables, or plain JSON.

- The profile file is ours alone. One variable, AWS_CONFIG_FILE, selects it; the user's own AWS files are not touched.
- It holds no secret: `credential_process` signs in again whenever the SDK needs credentials.
- Only Bedrock Runtime, Bedrock Agent Runtime and STS are sent here; other services keep their AWS endpoints.

Why `[default]` too, and why it sometimes assumes a role: SDKs read `[default]` when no profile is named. They prefer
static keys of `[default]` in ~/.aws/credentials to a credential process, but an assumed role to both. So where such
keys exist, ours assumes its own role from the profile `caisson`.

>>> print(profile_file(endpoint, ["caisson", "session", "new"], role_arn=None))  # doctest: +SKIP
[profile caisson]
…
"""

from __future__ import annotations

import configparser
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROFILE = "caisson"
SERVICES = ("bedrock_runtime", "bedrock_agent_runtime", "sts")
RENEWED_BEFORE_S = 900.0
"""botocore renews credentials that end sooner than this at every call (credentials.py, advisory refresh)."""
OVERRIDING = {
    "AWS_PROFILE": "chooses another profile",
    "AWS_DEFAULT_PROFILE": "chooses another profile",
    "AWS_ACCESS_KEY_ID": "replaces this session's credentials",
    "AWS_BEARER_TOKEN_BEDROCK": "replaces this session's credentials",
    "AWS_CA_BUNDLE": "replaces the certificates to trust, so that TLS to this system fails",
    "AWS_REGION": "replaces the region that signatures are made for",
    "AWS_DEFAULT_REGION": "replaces the region that signatures are made for",
    "AWS_ENDPOINT_URL": "sends requests elsewhere",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "sends requests elsewhere",
    "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME": "sends requests elsewhere",
    "AWS_ENDPOINT_URL_STS": "sends requests elsewhere",
}
"""Variables that beat a configuration file, and what each does (AWS SDKs and Tools Reference Guide, precedence). Not
among them: REQUESTS_CA_BUNDLE, which botocore reads only where no configuration names certificates (endpoint.py)."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a system listens."""

    host: str
    port: int
    region: str
    ca_bundle: str
    """Absolute path of the certificates to trust."""
    system: str

    @property
    def url(self) -> str:
        """Base URL."""
        return f"https://{self.host}:{self.port}"


def profile_file(endpoint: Endpoint, process: Sequence[str], *, role_arn: str | None) -> str:
    """The text of an AWS configuration file. `role_arn` is assumed by `[default]` when given."""
    shared = {"region": endpoint.region, "ca_bundle": endpoint.ca_bundle, "services": PROFILE}
    own = {"credential_process": shlex.join(process), **shared}
    default = own if role_arn is None else {"role_arn": role_arn, "source_profile": PROFILE, **shared}
    lines = [f"# Written by 'caisson session new' for the system {endpoint.system}. No secrets are in here."]
    for title, entries in ((f"profile {PROFILE}", own), ("default", default)):
        lines += ["", f"[{title}]", *(f"{key} = {value}" for key, value in entries.items())]
    lines += ["", f"[services {PROFILE}]"]
    for service in SERVICES:
        lines += [f"{service} =", f"  endpoint_url = {endpoint.url}"]
    return "\n".join(lines) + "\n"


def overriding(environment: Mapping[str, str], endpoint: Endpoint) -> list[tuple[str, str]]:
    """Variables of the environment that get in the way of the profile, each with what it does."""
    agreeing = {
        "AWS_PROFILE": PROFILE,
        "AWS_DEFAULT_PROFILE": PROFILE,
        "AWS_CA_BUNDLE": endpoint.ca_bundle,
        "AWS_REGION": endpoint.region,
        "AWS_DEFAULT_REGION": endpoint.region,
    }
    return [
        (name, effect)
        for name, effect in OVERRIDING.items()
        if environment.get(name, "") not in ("", agreeing.get(name, endpoint.url))
    ]


def has_static_default(environment: Mapping[str, str]) -> bool:
    """Whether the user's shared credentials file has keys for `[default]`."""
    named = environment.get("AWS_SHARED_CREDENTIALS_FILE")
    path = Path(named) if named else Path(environment.get("HOME", "~")) / ".aws/credentials"
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return False
    return parser.has_option("default", "aws_access_key_id")


def write(path: Path, text: str) -> None:
    """Put the whole file there, readable by its owner only, or leave the old one.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


def process_json(answer: Mapping[str, Any], *, renewable: bool) -> dict[str, Any]:
    """What a credential process prints (AWS SDKs and Tools Reference Guide, process credential provider)."""
    output: dict[str, Any] = {
        "Version": 1,
        "AccessKeyId": answer["access_key_id"],
        "SecretAccessKey": answer["secret_access_key"],
        "SessionToken": answer["session_token"],
    }
    return output | {"Expiration": iso(answer["expiration"])} if renewable else output


def json_credentials(answer: Mapping[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """The whole of it for programs."""
    output = process_json(answer, renewable=True)
    del output["Version"]
    return output | {
        "SessionId": answer["session_id"],
        "Region": endpoint.region,
        "CaBundle": endpoint.ca_bundle,
        "Endpoints": dict.fromkeys(SERVICES, endpoint.url),
    }


def exports(answer: Mapping[str, Any], endpoint: Endpoint) -> str:
    """Lines for a POSIX shell to evaluate."""
    values = {
        "AWS_ACCESS_KEY_ID": answer["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": answer["secret_access_key"],
        "AWS_SESSION_TOKEN": answer["session_token"],
        "AWS_CREDENTIAL_EXPIRATION": iso(answer["expiration"]),
        "AWS_DEFAULT_REGION": endpoint.region,
        "AWS_REGION": endpoint.region,
        "AWS_CA_BUNDLE": endpoint.ca_bundle,
    } | {f"AWS_ENDPOINT_URL_{service.upper()}": endpoint.url for service in SERVICES}
    return "\n".join(f"export {name}={shlex.quote(str(value))}" for name, value in values.items())


def iso(seconds: float) -> str:
    """ISO 8601 in UTC, whole seconds, never later than `seconds`."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
