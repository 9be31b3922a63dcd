"""What stands before the gateway on AWS, as its documentation says what it does to a request: pure functions.

CloudFront (developer guide, request-and-response-behavior-custom-origin), a regional REST API with an HTTP_PROXY
integration (API Gateway developer guide, api-gateway-known-issues), an Application Load Balancer (user guide,
x-forwarded-headers). Whether API Gateway decodes a path is said in different ways, so both are tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from caisson.zones.z1_ingress.forwarded import MOVED

PUBLIC = "ai.example.com"
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A request on its way: names of headers in any case."""

    path: str
    headers: Headers

    def having(self, **changes: str | None) -> Arrived:
        """Headers replaced, added, or (None) removed; underscores are hyphens."""
        names = {name.replace("_", "-").lower(): value for name, value in changes.items()}
        kept = tuple(one for one in self.headers if one[0].lower() not in names)
        return Arrived(
            path=self.path, headers=(*kept, *((name, value) for name, value in names.items() if value is not None))
        )

    def get(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key.lower() == name), None)


def cloudfront(sent: Arrived, *, viewer: str = "203.0.113.7") -> Arrived:
    """All of the viewer's headers pass but some; no cache."""
    kept = tuple(one for one in sent.headers if not one[0].lower().startswith("x-edge-"))
    before = sent.get("x-forwarded-for")
    return Arrived(path=sent.path, headers=kept).having(
        host="abc123.execute-api.eu-west-1.amazonaws.com",
        via="1.1 abc.cloudfront.net (CloudFront)",
        x_amz_cf_id="1Yq7mQx0-_=",
        x_forwarded_for=f"{before}, {viewer}" if before else viewer,
        x_real_ip=None, expect=None, connection=None,
    )  # fmt: skip


def rest_api(sent: Arrived, *, decodes: bool) -> Arrived:
    """An HTTP_PROXY integration whose request maps the header of the client's authorization to another one."""
    authorization = sent.get("authorization")
    made = Arrived(path=unquote(sent.path) if decodes else sent.path, headers=sent.headers).having(
        host="internal-gateway.example.internal",
        x_amzn_apigateway_api_id="abc123",
        x_amzn_trace_id="Root=1-67891233-abcdef012345678912345678",
    )
    if authorization is None:
        return made
    signed = authorization.startswith("AWS4-HMAC-SHA256")
    return made.having(**{MOVED.decode(): authorization, "authorization": None if signed else authorization})


def load_balancer(sent: Arrived, *, link: str = "10.64.0.9") -> Arrived:
    """Names in lower case; where it came from is added."""
    before = sent.get("x-forwarded-for")
    made = sent.having(
        x_forwarded_for=f"{before}, {link}" if before else link, x_forwarded_proto="https", x_forwarded_port="443"
    )
    return Arrived(path=made.path, headers=tuple((name.lower(), value) for name, value in made.headers))


def hop(sent: Arrived, *, decodes: bool) -> Arrived:
    """All three."""
    return load_balancer(rest_api(cloudfront(sent), decodes=decodes))
