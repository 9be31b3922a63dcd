"""Where Bedrock Runtime answers in a Region.

>>> endpoint_of("eu-west-1").url
'https://bedrock-runtime.eu-west-1.amazonaws.com'
"""

from __future__ import annotations

from caisson.adapters.aws.api.endpoint import Endpoint, service_endpoint

SERVICE = "bedrock"
"""Signing name."""


def endpoint_of(region: str, override: str = "") -> Endpoint:
    """The Region's endpoint, or one on this machine for tests.

    Raises:
        StartError: the override is not an address of this machine.
    """
    alone = "--upstream bedrock alone, or bedrock=http://127.0.0.1:PORT for tests"
    return service_endpoint("bedrock-runtime", region, override, expected=alone)
