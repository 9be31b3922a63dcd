"""Differential against botocore's signer, and: whatever changes after signing is refused (IAM-01)."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from time import strptime
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as with_fields

from caisson.errors import CallerError, Refusal
from caisson.ports.credentials import Principal, SessionCredentials
from caisson.zones.z1_ingress.http import HttpRequest
from caisson.zones.z1_ingress.sigv4 import SignatureVerifier

PRINCIPAL = Principal(
    session_id="s-1", chain=(), user="alice", groups=(), agent="claims", task="answer", issued=0.0, expires=1e10,
    method="socket",
)  # fmt: skip
SESSION = SessionCredentials(
    access_key_id="ASIAABCDEFGHIJKLMNOP", secret_access_key="s/e+c", session_token="tok", expiration=1e10,
    principal=PRINCIPAL,
)  # fmt: skip
OTHER = replace(SESSION, access_key_id="ASIAABCDEFGHIJKLMNOQ", secret_access_key="other", session_token="toq")
VERIFIER = SignatureVerifier(lambda token, now: SESSION if token == "tok" else OTHER, region="eu-west-1")

ids = st.one_of(
    st.sampled_from([
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:eu-west-1:000000000000:inference-profile/eu.amazon.nova-lite-v1:0",
        "a%2Fb", "a b", "100%", "é", "模型", "a+b", "~._-",
    ]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)  # fmt: skip
tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12)
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
headers = st.dictionaries(tokens.map(lambda name: f"x-odd-{name}"), values, max_size=4)
queries = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4)


def sign(path: str, query: str, extra: dict[str, str], body: bytes) -> tuple[HttpRequest, float]:
    url = f"https://localhost:8443{path}" + (f"?{query}" if query else "")
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json", **extra})
    boto = BotoCredentials(SESSION.access_key_id, SESSION.secret_access_key, SESSION.session_token)
    SigV4Auth(boto, "bedrock", "eu-west-1").add_auth(request)
    sent = tuple((name.lower().encode(), value.encode()) for name, value in request.headers.items())
    arrived = HttpRequest(
        method="POST", raw_path=path.encode(), query=query.encode(), headers=(*sent, (b"host", b"localhost:8443")),
        body=body, client="", secure=True,
    )  # fmt: skip
    return arrived, float(timegm(strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")))


def encoded(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join("=".join(quote(text, safe="-_.~", errors="replace") for text in pair) for pair in pairs)


def other_byte(data: bytes, at: int, to: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([to]) + data[at + 1 :]


@given(
    part=st.sampled_from(
        ["method", "path", "query", "body", "token", "signature", "signed header", "drop header", "longer"]
    ),
    at=st.integers(0, 500),
    to=st.integers(33, 126),
    which=st.integers(0, 20),
)
@settings(max_examples=400, deadline=None)
def test_any_single_change_after_signing_is_refused(part: str, at: int, to: int, which: int) -> None:
    request, now = sign("/model/a%3Ab/converse", "b=2&a=1", {"x-odd": "some value"}, b'{"messages":[]}')
    names = ("content-type", "x-odd", "x-amz-date", "host")
    name = names[which % len(names)].encode()
    if part == "method":
        changed = with_fields(request, method=("GET", "PUT", "post", "POSTS")[which % 4])
    elif part == "path":
        changed = with_fields(request, raw_path=other_byte(request.raw_path, at, to))
    elif part == "query":
        changed = with_fields(request, query=other_byte(request.query, at, to))
    elif part == "body":
        changed = with_fields(request, body=other_byte(request.body, at, to))
    elif part == "longer":
        changed = with_fields(request, body=request.body + bytes([to]))
    elif part == "drop header":
        changed = with_fields(request, headers=tuple(pair for pair in request.headers if pair[0] != name))
    else:
        target = {"token": b"x-amz-security-token", "signature": b"authorization"}.get(part, name)
        changed = with_fields(
            request,
            headers=tuple(
                (key, other_byte(value, at, to) if key == target else value) for key, value in request.headers
            ),
        )
    assume(changed != request)
    try:
        result = VERIFIER.verify(changed, service="bedrock", now=now)
    except CallerError as error:
        result = error.refusal
    assert isinstance(result, Refusal), changed


@given(data=st.binary(max_size=300), name=st.sampled_from([b"authorization", b"x-amz-date", b"x-amz-security-token"]))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise_anything_unexpected(data: bytes, name: bytes) -> None:
    request, now = sign("/model/a/converse", "", {}, b"{}")
    headers = tuple((key, data if key == name else value) for key, value in request.headers)
    for hostile in (
        with_fields(request, headers=headers),
        with_fields(request, raw_path=data),
        with_fields(request, query=data),
        with_fields(request, headers=((name, b"AWS4-HMAC-SHA256 " + data), *headers)),
    ):
        with suppress(CallerError):
            VERIFIER.verify(hostile, service="bedrock", now=now)
