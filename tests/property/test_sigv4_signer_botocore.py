"""Our signer against botocore's: the same request gives the same Authorization header, whatever the model is called."""

from __future__ import annotations

from calendar import timegm
from time import strptime
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.protocol.sigv4 import Keys, signed_headers

MODELS = (
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "eu.amazon.nova-lite-v1:0",
    "arn:aws:bedrock:eu-west-1:000000000000:inference-profile/eu.amazon.nova-lite-v1:0",
    "arn:aws:bedrock:eu-west-1:000000000000:provisioned-model/abcdefghijkl",
    "100%",
    "a%2Fb",
    "a b+c",
    "模型",
)
secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16, max_size=60)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12).map(lambda name: f"x-odd-{name}")
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


def both(
    model: str, body: bytes, secret: str, token: str, extra: dict[str, str], region: str, host: str = "h.example"
) -> tuple[bytes, str]:
    path = f"/model/{quote(model, safe='-._~')}/converse"
    given_headers = {"Content-Type": "application/json", **extra}
    request = AWSRequest("POST", f"https://{host}{path}", data=body, headers=given_headers)
    SigV4Auth(Credentials("AKIDEXAMPLE", secret, token or None), "bedrock", region).add_auth(request)
    ours = signed_headers(
        "POST",
        path.encode(),
        {b"host": host.encode(), **{name.lower().encode(): value.encode() for name, value in given_headers.items()}},
        body,
        Keys(access_key_id="AKIDEXAMPLE", secret_access_key=secret, session_token=token),
        region=region,
        service="bedrock",
        now=float(timegm(strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))),
    )
    sent = {name.lower().encode(): value.encode() for name, value in request.headers.items()}
    assert {name: ours[name] for name in sent if name != b"authorization"} == {
        name: value for name, value in sent.items() if name != b"authorization"
    }
    return ours[b"authorization"], request.headers["Authorization"]


@given(
    model=st.sampled_from(MODELS) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    body=st.binary(max_size=200),
    secret=secrets,
    token=st.sampled_from(["", "tok/en+=="]),
    extra=st.dictionaries(names, values, max_size=3),
    region=st.sampled_from(["eu-west-1", "us-gov-west-1"]),
)
@settings(max_examples=300, deadline=None)
def test_the_same_signature_as_botocore(
    model: str, body: bytes, secret: str, token: str, extra: dict[str, str], region: str
) -> None:
    if model in (".", ".."):
        return  # botocore rewrites such a path; the system file does not allow the name
    ours, theirs = both(model, body, secret, token, extra, region)
    assert ours.decode() == theirs


@pytest.mark.parametrize("model", MODELS)
def test_each_kind_of_model_id(model: str) -> None:
    ours, theirs = both(model, b"{}", "secret", "tok", {}, "eu-west-1")
    assert ours.decode() == theirs


def test_the_port_is_part_of_the_host() -> None:
    assert urlsplit("https://127.0.0.1:8443").netloc == "127.0.0.1:8443"
    ours, theirs = both("m", b"{}", "secret", "", {}, "eu-west-1", host="127.0.0.1:8443")
    assert ours.decode() == theirs


def test_keys_do_not_show_their_secrets() -> None:
    assert "hush" not in repr(Keys(access_key_id="AKID", secret_access_key="hush", session_token="hush"))
