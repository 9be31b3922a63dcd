"""SigV4 as AWS's own vectors say, and each rule's refusal by its name (IAM-01, SEC-02)."""

from __future__ import annotations

import json
from calendar import timegm
from dataclasses import replace
from pathlib import Path
from time import strptime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from msgspec.structs import replace as with_fields

from caisson.errors import CallerError, Refusal, WireError
from caisson.ports.credentials import Principal, SessionCredentials
from caisson.protocol.sigv4 import canonical_request, signing_key, string_to_sign
from caisson.zones.z1_ingress import sigv4
from caisson.zones.z1_ingress.http import HttpRequest
from caisson.zones.z1_ingress.sigv4 import SignatureVerifier

VECTORS = [
    json.loads(line) for line in (Path(__file__).parents[1] / "golden/sigv4/vectors.jsonl").read_text().splitlines()
]
URL = "https://localhost:8443/model/amazon.nova-lite-v1%3A0/converse"
PRINCIPAL = Principal(
    session_id="s-1", chain=(), user="alice", groups=("adjusters",), agent="claims", task="answer", issued=0.0,
    expires=1e10, method="socket",
)  # fmt: skip
SESSION = SessionCredentials(
    access_key_id="ASIAABCDEFGHIJKLMNOP",
    secret_access_key="a-secret",
    session_token="a-token",
    expiration=1e10,
    principal=PRINCIPAL,
)
INVALID_TOKEN = Refusal(error=WireError.UNRECOGNIZED_CLIENT, message="no such token")


def of_token(token: str, now: float) -> SessionCredentials | Refusal:
    return SESSION if token == SESSION.session_token else INVALID_TOKEN


def signed(
    *, url: str = URL, body: bytes = b'{"a":1}', headers: dict[str, str] | None = None, service: str = "bedrock",
    region: str = "eu-west-1", credentials: SessionCredentials = SESSION,
) -> tuple[HttpRequest, float]:  # fmt: skip
    """A request as botocore signs and sends it, and when it did."""
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"} | (headers or {}))
    boto = BotoCredentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token or None)
    SigV4Auth(boto, service, region).add_auth(request)
    path, _, query = url.removeprefix("https://localhost:8443").partition("?")
    sent = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    arrived = HttpRequest(
        method="POST",
        raw_path=path.encode(),
        query=query.encode(),
        headers=(*sent, (b"host", b"localhost:8443"), (b"user-agent", b"Boto3/1.44")),
        body=body,
        client="127.0.0.1",
        secure=True,
    )
    return arrived, epoch(request.headers["X-Amz-Date"])


def epoch(date: str) -> float:
    return float(timegm(strptime(date, "%Y%m%dT%H%M%SZ")))


def with_header(request: HttpRequest, name: bytes, value: bytes | None) -> HttpRequest:
    kept = tuple(header for header in request.headers if header[0] != name)
    return with_fields(request, headers=kept if value is None else (*kept, (name, value)))


def verify(request: HttpRequest, now: float, service: str = "bedrock") -> SessionCredentials | Refusal:
    return SignatureVerifier(of_token, region="eu-west-1").verify(request, service=service, now=now)


def refused(request: HttpRequest, now: float, service: str = "bedrock") -> Refusal:
    result = verify(request, now, service)
    assert isinstance(result, Refusal)
    return result


def parse(vector: dict) -> tuple[str, bytes, bytes, dict[bytes, bytes], bytes]:
    head, _, body = vector["signed_request"].encode().partition(b"\n\n")
    first, *lines = head.replace(b"\n ", b" ").split(b"\n")
    method, target = first.removesuffix(b" HTTP/1.1").split(b" ", 1)
    path, _, query = target.partition(b"?")
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        joined = headers.get(name.lower())
        headers[name.lower()] = value if joined is None else joined + b"," + value
    return method.decode(), path, query, headers, body


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_agrees_with_the_vectors_of_aws(vector: dict) -> None:
    method, path, query, headers, body = parse(vector)
    rewritten = vector["canonical_request"].split("\n")[1].encode()
    if vector["context"]["normalize"] and path.count(b"/") != rewritten.count(b"/"):
        request, now = signed()
        assert refused(with_fields(request, raw_path=path), now).rule == "sigv4.path"  # AWS rewrites it; we refuse it
        path = rewritten
    names = tuple(headers[b"authorization"].partition(b"SignedHeaders=")[2].partition(b",")[0].split(b";"))
    digest = headers.get(b"x-amz-content-sha256") or sigv4.sha256(body).hexdigest().encode()
    canonical = canonical_request(method, path, query, headers, names, digest)
    assert canonical.decode() == vector["canonical_request"]

    context = vector["context"]
    date, region, service = headers[b"x-amz-date"], context["region"].encode(), context["service"].encode()
    scope = b"/".join((date[:8], region, service, b"aws4_request"))
    text = string_to_sign(date, scope, canonical)
    assert text.decode() == vector["string_to_sign"]
    key = signing_key(context["credentials"]["secret_access_key"], date[:8], region, service)
    assert sigv4.hmac_digest(key, text, "sha256").hex() == vector["signature"]


def test_a_request_as_boto3_sends_it_is_its_principals() -> None:
    assert verify(*signed()) is SESSION


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://localhost:8443/model//converse", "sigv4.path"),
        ("https://localhost:8443/model/./converse", "sigv4.path"),
        ("https://localhost:8443/model/a/..", "sigv4.path"),
    ],
)
def test_a_path_that_aws_would_rewrite_is_refused(url: str, rule: str) -> None:
    assert refused(*signed(url=url)).rule == rule


def test_presigned_urls_are_refused_by_name() -> None:
    request, now = signed()
    query = b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"
    refusal = refused(with_fields(request, query=query), now)
    assert (refusal.rule, refusal.error) == ("sigv4.form", WireError.INVALID_SIGNATURE)
    assert "Presigned" in refusal.message


@pytest.mark.parametrize(
    "kind", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]
)
def test_unsigned_and_chunked_payloads_are_refused_by_name(kind: str) -> None:
    refusal = refused(*signed(headers={"X-Amz-Content-SHA256": kind}))
    assert refusal.rule == "sigv4.payload"
    assert kind in refusal.message


def test_an_aws_chunked_body_is_refused() -> None:
    assert refused(*signed(headers={"Content-Encoding": "aws-chunked"})).rule == "sigv4.payload"


def test_a_body_hash_that_is_not_the_bodys_is_refused() -> None:
    assert refused(*signed(headers={"X-Amz-Content-SHA256": "0" * 64})).rule == "sigv4.payload"


@pytest.mark.parametrize("offset", [-301, 301])
def test_outside_of_the_window(offset: int) -> None:
    request, now = signed()
    refusal = refused(request, now + offset)
    assert (refusal.error, refusal.rule) == (WireError.INVALID_SIGNATURE, "sigv4.window")
    assert ("expired" if offset > 0 else "not yet current") in refusal.message


@pytest.mark.parametrize("offset", [-300, 0, 300])
def test_inside_of_the_window(offset: int) -> None:
    request, now = signed()
    assert verify(request, now + offset) is SESSION


def test_another_region_service_or_day_is_another_scope() -> None:
    assert "eu-west-1" in refused(*signed(region="us-east-1")).message
    assert "'sts'" in refused(*signed(), service="sts").message
    request, now = signed()
    moved = with_header(request, b"x-amz-date", b"20200101T000000Z")
    assert refused(moved, now).rule == "sigv4.scope"


@pytest.mark.parametrize("date", [b"", b"yesterday", b"20250230T000000Z", b"20251301T000000Z", b"20250101T250000Z"])
def test_a_date_that_is_none_is_refused(date: bytes) -> None:
    request, now = signed()
    authorization = (request.header(b"authorization") or b"").replace(request.header(b"x-amz-date")[:8], date[:8])
    changed = with_header(with_header(request, b"x-amz-date", date), b"authorization", authorization)
    assert refused(changed, now).error in (WireError.INCOMPLETE_SIGNATURE, WireError.INVALID_SIGNATURE)


@pytest.mark.parametrize("name", [b"x-amz-meta", b"x-caisson-role", b"x-amzn-bedrock-guardrailidentifier"])
def test_headers_that_matter_must_be_signed(name: bytes) -> None:
    request, now = signed()
    refusal = refused(with_header(request, name, b"1"), now)
    assert refusal.rule == "sigv4.headers"
    assert name.decode() in refusal.message


def test_a_trace_header_that_a_proxy_adds_does_not_matter() -> None:
    request, now = signed()
    assert verify(with_header(request, b"x-amzn-trace-id", b"Root=1"), now) is SESSION


def test_long_lived_keys_have_no_token_and_are_refused() -> None:
    refusal = refused(*signed(credentials=replace(SESSION, session_token="")))
    assert (refusal.error, refusal.rule) == (WireError.UNRECOGNIZED_CLIENT, "sigv4.token")


def test_an_unknown_token_is_refused_as_the_credentials_say() -> None:
    assert refused(*signed(credentials=replace(SESSION, session_token="other"))) is INVALID_TOKEN


def test_another_sessions_key_id_or_secret_does_not_sign() -> None:
    for stolen in (replace(SESSION, access_key_id="ASIAXXXXXXXXXXXXXXXX"), replace(SESSION, secret_access_key="x")):
        assert refused(*signed(credentials=stolen)).rule == "sigv4.signature"


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        (None, WireError.MISSING_AUTHENTICATION),
        (b"", WireError.MISSING_AUTHENTICATION),
        (b"Basic YTpi", WireError.INCOMPLETE_SIGNATURE),
        (b"AWS4-HMAC-SHA256", WireError.INCOMPLETE_SIGNATURE),
        (b"AWS4-HMAC-SHA256 Credential=a", WireError.INCOMPLETE_SIGNATURE),
        (b"AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=0", WireError.INCOMPLETE_SIGNATURE),
        (
            b"AWS4-HMAC-SHA256 Credential=a, Credential=b, SignedHeaders=host, Signature=0",
            WireError.INCOMPLETE_SIGNATURE,
        ),
        (b"AWS4-HMAC-SHA256 " + b"a" * 5000, WireError.INCOMPLETE_SIGNATURE),
    ],
)
def test_a_malformed_authorization_is_refused(authorization: bytes | None, error: WireError) -> None:
    request, now = signed()
    assert refused(with_header(request, b"authorization", authorization), now).error is error


def test_signed_headers_must_be_sorted_and_unique() -> None:
    request, now = signed()
    authorization = request.header(b"authorization") or b""
    for names in (b"host;host", b"x-amz-date;host", b"Host", b";host", b"host;", b"ho st"):
        changed = authorization.replace(b"SignedHeaders=", b"SignedHeaders=" + names + b";", 1)
        assert refused(with_header(request, b"authorization", changed), now).rule == "sigv4.form"


@pytest.mark.parametrize("name", [b"authorization", b"x-amz-date", b"x-amz-security-token", b"x-amz-content-sha256"])
def test_a_repeated_header_is_refused(name: bytes) -> None:
    request, now = signed(headers={"X-Amz-Content-SHA256": sigv4.sha256(b'{"a":1}').hexdigest()})
    value = request.header(name)
    assert value is not None
    with pytest.raises(CallerError) as caught:
        verify(with_fields(request, headers=(*request.headers, (name, value))), now)
    assert caught.value.refusal.rule == "http.repeated-header"


def test_bounds() -> None:
    request, now = signed()
    for changed in (
        with_fields(request, headers=request.headers + ((b"a", b"b"),) * sigv4.HEADERS_MAX),
        with_header(request, b"a", b"b" * sigv4.HEADER_BYTES_MAX),
        with_fields(request, raw_path=b"/" + b"a" * sigv4.PATH_BYTES_MAX),
        with_fields(request, query=b"a" * (sigv4.QUERY_BYTES_MAX + 1)),
    ):
        assert refused(changed, now).rule == "sigv4.bounds"
    assert refused(with_fields(request, raw_path=b"model"), now).rule == "sigv4.path"
