"""Where a queue is: its URL, as SQS gives it (SQS developer guide, sqs-queue-message-identifiers). Pure.

>>> queue_address("https://sqs.eu-west-1.amazonaws.com/000000000000/caisson-claims-events", "eu-west-1").endpoint.url
'https://sqs.eu-west-1.amazonaws.com'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from caisson.adapters.aws.api.endpoint import Endpoint, service_endpoint
from caisson.errors import StartError

FIFO = ".fifo"
_URL = re.compile(r"(https?://[^/?#]+)/[0-9]{12}/[A-Za-z0-9_-]{1,80}")
"""Root, account and name."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A standard queue and where its calls go."""

    url: str
    endpoint: Endpoint


def queue_address(url: str, region: str) -> Address:
    """The address in a queue's URL.

    Args:
        url: of a queue of this Region, or on a server on this machine for tests.
        region: that calls are signed for.

    Raises:
        StartError: it is no such URL, of another Region, or of a FIFO queue.
    """
    if url.endswith(FIFO):
        raise StartError(f"expected a standard queue, found {url!r}, a FIFO queue: it takes too few calls a second")
    found = _URL.fullmatch(url)
    if found is None:
        raise StartError(f"expected https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, found {url!r}")
    root = found[1]
    at_aws = service_endpoint("sqs", region)
    if root == at_aws.url:
        return Address(url=url, endpoint=at_aws)
    wanted = f"a queue at {at_aws.url}, in the Region of the system, or at http://127.0.0.1:PORT for tests"
    return Address(url=url, endpoint=service_endpoint("sqs", region, root, expected=wanted))
