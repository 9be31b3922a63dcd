"""Requests of stock boto3, recorded and sent through a model of CloudFront, API Gateway and a load balancer: the
gateway verifies them as if they had come by themselves, and nothing that somebody changes on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caisson.errors import CallerError, Refusal, WireError
from caisson.ports.credentials import SessionCredentials
from caisson.zones.z1_ingress.forwarded import MOVED, NAME, Ingress
from caisson.zones.z1_ingress.http import HttpRequest
from caisson.zones.z1_ingress.routes import Route, match
from identity_world import REGION, World
from ingress_hop import PUBLIC, Arrived, hop

MESSAGES = [{"role": "user", "content": [{"text": "Good day."}]}]
PROFILE = "arn:aws:bedrock:eu-west-1:222222222222:application-inference-profile/ab12"
TARGETS = ("amazon.nova-lite-v1:0", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", PROFILE, "plain")
CALLS: dict[str, Callable[[Any, str], Any]] = {
    "converse": lambda client, model: client.converse(modelId=model, messages=MESSAGES),
    "converse_stream": lambda client, model: client.converse_stream(modelId=model, messages=MESSAGES),
    "invoke_model": lambda client, model: client.invoke_model(modelId=model, body=b"{}", accept="application/json"),
    "invoke_stream": lambda client, model: client.invoke_model_with_response_stream(modelId=model, body=b"{}"),
    "count_tokens": lambda client, model: client.count_tokens(
        modelId=model, input={"converse": {"messages": MESSAGES}}
    ),
    "apply_guardrail": lambda client, name: client.apply_guardrail(
        guardrailIdentifier=name, guardrailVersion="1", source="INPUT", content=[{"text": {"text": "Hello."}}]
    ),
}
INGRESS = Ingress(PUBLIC)


class Recorded(Exception):  # noqa: N818
    """Nothing is sent."""


def recorded(
    world: World, minted: SessionCredentials, call: Callable[[Any], Any], service: str
) -> tuple[Arrived, bytes]:
    """What boto3 puts on the wire for a call, and the body."""
    found: list[Any] = []

    def keep(request: Any, **_: Any) -> None:
        found.append(request)
        raise Recorded

    client = boto3.client(
        service,
        region_name=REGION,
        endpoint_url=f"https://{PUBLIC}",
        aws_access_key_id=minted.access_key_id,
        aws_secret_access_key=minted.secret_access_key,
        aws_session_token=minted.session_token,
        config=Config(retries={"total_max_attempts": 1}),
    )
    client.meta.events.register("before-send", keep)
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    with patch("botocore.auth.get_current_datetime", lambda: now), pytest.raises(Recorded):
        call(client)
    (request,) = found
    path = request.url.removeprefix(f"https://{PUBLIC}")
    headers = tuple(
        (name, value.decode() if isinstance(value, bytes) else value) for name, value in request.headers.items()
    )
    body = request.body or b""
    return Arrived(path=path, headers=(*headers, ("Host", PUBLIC))), body.encode() if isinstance(body, str) else body


def at_gateway(arrived: Arrived, body: bytes, ingress: Ingress | None = INGRESS) -> HttpRequest:
    """What the gateway makes of a request that arrives."""
    path = arrived.path.encode()
    headers = tuple((name.lower().encode(), value.encode()) for name, value in arrived.headers)
    return HttpRequest(
        method="POST",
        raw_path=ingress.path(path) if ingress else path,
        query=b"",
        headers=ingress.headers(headers) if ingress else headers,
        body=body,
        client="10.64.0.20",
        secure=True,
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def signed_in(world: World) -> SessionCredentials:
    return world.credentials.mint(await world.open())


async def said(world: World, request: HttpRequest, service: str = "bedrock") -> str:
    """The user, or the rule of the refusal."""
    found = await world.identity.authenticate(request, service=service)
    return found.rule if isinstance(found, Refusal) else found.user


@pytest.mark.parametrize("decodes", [False, True])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", CALLS)
async def test_requests_of_boto3_are_verified_behind_the_hop(
    world: World, name: str, target: str, decodes: bool
) -> None:
    minted = await signed_in(world)
    sent, body = recorded(world, minted, lambda client: CALLS[name](client, target), "bedrock-runtime")
    direct = at_gateway(sent, body, None)
    assert await said(world, direct) == "alice"
    request = at_gateway(hop(sent, decodes=decodes), body)
    assert request.raw_path == direct.raw_path
    assert await said(world, request) == "alice"
    route = match("POST", request.raw_path)
    assert isinstance(route, Route) and route.target == target


async def test_without_the_hop_restored_none_of_them_is(world: World) -> None:
    """So the model does something, and the gateway needs the option."""
    minted = await signed_in(world)
    sent, body = recorded(world, minted, lambda client: CALLS["converse"](client, TARGETS[0]), "bedrock-runtime")
    assert await said(world, at_gateway(hop(sent, decodes=False), body, None)) == "sigv4.form"
    with pytest.raises(CallerError) as refused:
        at_gateway(sent, body)
    assert refused.value.refusal.rule == "ingress.moved"
    assert PUBLIC in refused.value.refusal.message


@pytest.mark.parametrize("decodes", [False, True])
async def test_calls_of_sts_too(world: World, decodes: bool) -> None:
    minted = await signed_in(world)
    sent, body = recorded(world, minted, lambda client: client.get_caller_identity(), "sts")
    assert await said(world, at_gateway(hop(sent, decodes=decodes), body), "sts") == "alice"


async def test_a_web_identity_has_no_authorization_and_passes_as_it_is(world: World) -> None:
    sent = Arrived(path="/", headers=(("Host", PUBLIC), ("Content-Type", "application/x-www-form-urlencoded")))
    request = at_gateway(hop(sent, decodes=True), b"Action=AssumeRoleWithWebIdentity")
    assert request.header(b"authorization") is None
    assert request.header(b"host") == PUBLIC.encode()


async def test_a_bearer_token_passes_both_ways(world: World) -> None:
    bearer = f"Bearer {world.credentials.mint_bearer(await world.open())}"
    sent = Arrived(path="/v1/chat/completions", headers=(("Host", PUBLIC), ("Authorization", bearer)))
    arrived = hop(sent, decodes=True)
    assert arrived.get("authorization") == arrived.get(MOVED.decode()) == bearer
    assert await said(world, at_gateway(arrived, b"{}")) == "alice"
    with pytest.raises(CallerError, match=MOVED.decode()):
        at_gateway(arrived.having(authorization="Bearer of-somebody-else"), b"{}")


async def test_another_name_was_signed(world: World) -> None:
    """What was signed for the load balancer, or another endpoint, is nothing here."""
    minted = await signed_in(world)
    sent, body = recorded(world, minted, lambda client: CALLS["converse"](client, TARGETS[0]), "bedrock-runtime")
    arrived = hop(sent, decodes=False)
    assert await said(world, at_gateway(arrived, body, Ingress("other.example.com"))) == "sigv4.signature"
    forwarded = arrived.having(x_forwarded_host="other.example.com", host="other.example.com")
    assert await said(world, at_gateway(forwarded, body, INGRESS)) == "alice"


TAMPERED: dict[str, Callable[[Arrived, bytes], tuple[Arrived, bytes]]] = {
    "the body": lambda sent, body: (sent, body + b" "),
    "the model": lambda sent, body: (Arrived(path=sent.path.replace("lite", "pro"), headers=sent.headers), body),
    "the operation": lambda sent, body: (
        Arrived(path=sent.path.replace("converse", "invoke"), headers=sent.headers),
        body,
    ),
    "the date": lambda sent, body: (sent.having(x_amz_date="20270115T080100Z"), body),
    "the token": lambda sent, body: (sent.having(x_amz_security_token=f"{sent.get('x-amz-security-token')}x"), body),
    "a header that AWS acts on": lambda sent, body: (sent.having(x_amzn_bedrock_trace="ENABLED"), body),
    "a role": lambda sent, body: (sent.having(x_caisson_role="arn:aws:iam::000000000000:role/x/y/z"), body),
    "the type of the body": lambda sent, body: (sent.having(content_type="text/plain"), body),
    "the signature": lambda sent, body: (sent.having(x_caisson_authorization=f"{sent.get(MOVED.decode())}0"), body),
}


@pytest.mark.parametrize("what", TAMPERED)
@pytest.mark.parametrize("decodes", [False, True])
async def test_what_is_changed_on_the_way_is_refused(world: World, what: str, decodes: bool) -> None:
    minted = await signed_in(world)
    sent, body = recorded(world, minted, lambda client: CALLS["converse"](client, TARGETS[0]), "bedrock-runtime")
    arrived, changed = TAMPERED[what](hop(sent, decodes=decodes), body)
    assert (await said(world, at_gateway(arrived, changed))).startswith(("sigv4.", "token."))


HOSTILE = ("host", "authorization", "x-caisson-authorization", "x-forwarded-for", "x-forwarded-host", "x-amz-cf-id",
           "via", "x-amz-date", "x-amz-security-token", "x-caisson-role", "x-real-ip", "forwarded")  # fmt: skip


@given(
    more=st.lists(
        st.tuples(st.sampled_from(HOSTILE), st.sampled_from(("", "x", PUBLIC, "127.0.0.1", "Bearer a"))), max_size=4
    ),
    before=st.booleans(),
    decodes=st.booleans(),
)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_headers_are_added_it_is_the_same_caller_or_none(
    world: World, more: list[tuple[str, str]], before: bool, decodes: bool
) -> None:
    """Added by the client before the hop, or by somebody behind it."""
    minted = world.credentials.mint(await world.open())
    sent, body = recorded(world, minted, lambda client: CALLS["converse"](client, TARGETS[0]), "bedrock-runtime")
    added = tuple(more)
    arrived = (
        hop(Arrived(path=sent.path, headers=(*sent.headers, *added)), decodes=decodes)
        if before
        else Arrived(path=(made := hop(sent, decodes=decodes)).path, headers=(*made.headers, *added))
    )
    try:
        request = at_gateway(arrived, body)
    except CallerError as error:
        assert error.refusal.error is WireError.VALIDATION
        return
    found = await world.identity.authenticate(request, service="bedrock")
    assert isinstance(found, Refusal) or (found.user, found.session_id) == ("alice", minted.principal.session_id)


@given(
    st.text(
        st.characters(codec="utf-8", exclude_characters="%", exclude_categories=("Cs", "Cc")), min_size=1, max_size=60
    )
)
@settings(max_examples=400)
def test_a_path_is_the_same_decoded_or_not(target: str) -> None:
    """For every identifier that holds no percent sign; what comes out is what botocore sends."""
    from urllib.parse import quote

    sent = f"/model/{quote(target, safe='-._~')}/converse".encode()
    assert INGRESS.path(sent) == sent
    assert INGRESS.path(f"/model/{target}/converse".encode()) == sent


@pytest.mark.parametrize(
    "path", [b"/model/a%2541/converse", b"/model/100%25/converse", b"/guardrail/%2525/version/1/apply"]
)
def test_a_path_that_cannot_be_told_is_refused(path: bytes) -> None:
    with pytest.raises(CallerError) as refused:
        INGRESS.path(path)
    assert refused.value.refusal.rule == "ingress.path"


@pytest.mark.parametrize(
    "path", [b"/", b"/v1/models", b"/healthz", b"/model", b"/model/", b"/model//converse", b"/x/%3A"]
)
def test_other_paths_stay(path: bytes) -> None:
    assert INGRESS.path(path) == path


def test_what_is_moved_is_there_once() -> None:
    twice = ((MOVED, b"a"), (MOVED, b"a"))
    with pytest.raises(CallerError, match="found several"):
        INGRESS.headers(twice)


@pytest.mark.parametrize("name", ["ai.example.com", "localhost:8443", "a", "x-1.example:65535"])
def test_names(name: str) -> None:
    assert NAME.fullmatch(name)


@pytest.mark.parametrize(
    "name",
    ["", "AI.example.com", "https://a", "a b", "-a", "a-.b", "a:0", "a:", "a..b", "a\n", "b" * 64, f"{'a.' * 130}a"],
)
def test_names_that_are_none(name: str) -> None:
    assert not NAME.fullmatch(name)
