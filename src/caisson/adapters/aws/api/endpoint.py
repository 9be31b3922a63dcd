"""Where a service of AWS answers in a Region.

>>> service_endpoint("dynamodb", "eu-west-1").url
'https://dynamodb.eu-west-1.amazonaws.com'
"""

from __future__ import annotations

from urllib.parse import urlsplit

from caisson.adapters.aws.bedrock.endpoint import SUFFIXES, Endpoint, is_local
from caisson.errors import StartError


def service_endpoint(service: str, region: str, override: str = "") -> Endpoint:
    """The Region's endpoint of a service, or one on this machine for tests.

    Raises:
        StartError: the override is not an address of this machine.
    """
    if not override:
        host = f"{service}.{region}.{SUFFIXES.get(region.partition('-')[0], 'amazonaws.com')}"
        return Endpoint(url=f"https://{host}", host=host.encode())
    if not is_local(override):
        raise StartError(
            f"expected no endpoint for {service}, or http://127.0.0.1:PORT for tests, found another address"
        )
    parts = urlsplit(override)
    return Endpoint(url=f"{parts.scheme}://{parts.netloc}", host=parts.netloc.encode())
