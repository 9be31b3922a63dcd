"""What a client signed, out of what an ingress on AWS forwards (IAM-01, NET-07, decision 19).

CloudFront, a regional REST API and a load balancer replace the host, may decode the path once, drop the header of a
signature and add headers of their own. The gateway verifies signatures itself, so it puts together what was signed:

- `host` is the public name that the system was started with, whatever arrives
- `authorization` is what the integration moves to `x-caisson-authorization`
- the identifier in a path is percent-encoded as AWS's SDKs do it
- what the hop adds under a name that would have to be signed is left out

None of this says who sent a request: whatever a client writes into these headers, it must have signed the result.

>>> ingress = Ingress("ai.example.com")
>>> ingress.path(b"/model/amazon.nova-lite-v1:0/converse")
b'/model/amazon.nova-lite-v1%3A0/converse'
>>> ingress.headers(((b"host", b"internal"), (b"x-caisson-authorization", b"AWS4-HMAC-SHA256 ...")))
((b'host', b'ai.example.com'), (b'authorization', b'AWS4-HMAC-SHA256 ...'))
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from caisson.errors import CallerError, Refusal, WireError

MOVED = b"x-caisson-authorization"
"""Where the integration puts the client's Authorization, since API Gateway drops one that has a signature (API Gateway
developer guide, api-gateway-known-issues)."""
ADDED = frozenset({b"x-amz-cf-id"})
"""What CloudFront adds under a prefix of which everything must be signed (CloudFront developer guide,
request-and-response-behavior-custom-origin)."""
UNENCODED = "-._~"
"""What the SDKs leave as it is in a path, beside letters and digits (RFC 3986, 2.3)."""
NAME = re.compile(
    r"(?=[^:]{1,253}(?::|\Z))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
    r"(?::[1-9][0-9]{0,4})?",
    re.ASCII,
)
"""A host name in lower case (RFC 1123, 2.1), with the port that clients name where it is not 443."""
_MODEL = re.compile(rb"(/model/)(.+)(/[^/]+)", re.DOTALL)
_GUARDRAIL = re.compile(rb"(/guardrail/)(.+)(/version/[^/]+/apply)", re.DOTALL)
_REPLACED = frozenset({b"host", b"authorization", MOVED}) | ADDED


class Ingress:
    """The hop before the gateway."""

    def __init__(self, name: str) -> None:
        """`name` fits NAME: what clients call and sign as `host`."""
        self._name = name.encode()

    def path(self, arrived: bytes) -> bytes:
        """The path that was signed.

        Raises:
            CallerError: it cannot be told.
        """
        found = _MODEL.fullmatch(arrived) or _GUARDRAIL.fullmatch(arrived)
        if found is None:
            return arrived
        target = unquote_to_bytes(found[2])
        if b"%" in target:  # of a path that was decoded and of one that was not, the same would come
            raise CallerError(_refused("path", "Expected an identifier without percent signs in the path."))
        return found[1] + quote(target, safe=UNENCODED).encode() + found[3]

    def headers(self, arrived: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[bytes, bytes], ...]:
        """The headers as they were signed.

        Raises:
            CallerError: the request did not come through the hop, or what it moved is there more than once.
        """
        moved = [value for name, value in arrived if name == MOVED]
        plain = [value for name, value in arrived if name == b"authorization"]
        if len(moved) > 1:
            raise CallerError(_refused("moved", f"Expected one {MOVED.decode()!r} header, found several."))
        if plain and plain != moved:
            raise CallerError(
                _refused(
                    "moved",
                    f"Expected the Authorization header in {MOVED.decode()!r} too, found another or none: this "
                    f"endpoint is reached by way of {self._name.decode()} alone.",
                )
            )
        kept = tuple(one for one in arrived if one[0] not in _REPLACED)
        return ((b"host", self._name), *((b"authorization", value) for value in moved), *kept)


def _refused(rule: str, message: str) -> Refusal:
    return Refusal(error=WireError.VALIDATION, rule=f"ingress.{rule}", message=message)
