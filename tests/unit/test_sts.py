"""The STS calls as stock SDKs make and read them (IAM-06)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import botocore.session
import pytest
from botocore.parsers import create_parser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as with_fields

from caisson.errors import LedgerBusy
from caisson.ports.credentials import Principal, SessionCredentials
from caisson.zones.z1_ingress.http import HttpRequest
from caisson.zones.z1_ingress.sts import VERSION
from identity_world import ROLE, World, signed, with_issuer
from issuer import Issuer, running

FORM = "application/x-www-form-urlencoded; charset=utf-8"
MODEL = botocore.session.get_session().get_service_model("sts")
REFUND = ROLE.replace("/answer", "/refund")
TWIN = ROLE.replace("/claims/", "/twin/")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running() as issuer:
        yield issuer


def form(action: str, **parameters: str) -> bytes:
    return urlencode({"Action": action, "Version": VERSION} | parameters).encode()


async def call(world: World, minted: SessionCredentials | None, action: str, **parameters: str) -> dict[str, Any]:
    """The answer as botocore parses it."""
    body = form(action, **parameters)
    if minted is None:
        request = HttpRequest(
            method="POST", raw_path=b"/", query=b"", body=body, client="127.0.0.1", secure=True,
            headers=((b"content-type", FORM.encode()), (b"host", b"localhost:8443")),
        )  # fmt: skip
    else:
        request = signed(world, minted, service="sts", path="/", body=body, content_type=FORM)
    return await parsed(world, request, action)


async def parsed(world: World, request: HttpRequest, action: str = "GetCallerIdentity") -> dict[str, Any]:
    status, xml = await world.sts.handle(request, "request-1")
    shape = MODEL.operation_model(action).output_shape
    return create_parser("query").parse({"status_code": status, "headers": {}, "body": xml}, shape)


def code(answer: dict[str, Any]) -> tuple[str, int]:
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


async def session(world: World, task: str = "answer") -> tuple[Principal, SessionCredentials]:
    principal = await world.open(task=task)
    return principal, world.credentials.mint(principal)


async def minted_by(world: World, answer: dict[str, Any]) -> Principal:
    """The principal of returned credentials, by using them."""
    given_ = answer["Credentials"]
    verified = world.credentials.verify_session_token(given_["SessionToken"], world.clock.now())
    assert isinstance(verified, SessionCredentials)
    assert (verified.access_key_id, verified.secret_access_key) == (given_["AccessKeyId"], given_["SecretAccessKey"])
    assert int(given_["Expiration"].timestamp()) == int(verified.expiration)
    request = signed(world, verified)
    assert await world.identity.authenticate(request, service="bedrock") == verified.principal
    return verified.principal


async def test_get_caller_identity(world: World) -> None:
    principal, minted = await session(world)
    answer = await call(world, minted, "GetCallerIdentity")
    assert answer["Account"] == "000000000000"
    assert answer["Arn"] == "arn:aws:sts::000000000000:assumed-role/claims-assistant/claims/answer/alice"
    assert answer["UserId"] == f"{principal.session_id}:alice"
    assert answer["ResponseMetadata"]["RequestId"] == "request-1"


async def test_assume_role_narrows(world: World) -> None:
    parent, minted = await session(world, "refund")
    answer = await call(world, minted, "AssumeRole", RoleArn=ROLE, RoleSessionName="worker-1", DurationSeconds="900")
    child = await minted_by(world, answer)
    assert (child.task, child.chain, child.user) == ("answer", (parent.session_id,), "alice")
    assert child.expires == world.clock.now() + 900
    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/claims-assistant/claims/answer/worker-1")
    _, narrowed = world.events.sessions
    assert (narrowed.change, narrowed.parent_session_id) == ("narrowed", parent.session_id)
    assert "worker-1" in narrowed.reason


async def test_assume_role_delegates_to_an_agent_that_reaches_no_more(world: World) -> None:
    _, minted = await session(world)
    child = await minted_by(world, await call(world, minted, "AssumeRole", RoleArn=TWIN, RoleSessionName="twin"))
    assert child.agent == "twin"


@pytest.mark.parametrize("role", [REFUND, ROLE.replace("/claims/", "/small/"), ROLE.replace("/claims/", "/lax/")])
async def test_assume_role_never_gives_more(world: World, role: str) -> None:
    _, minted = await session(world)
    answer = await call(world, minted, "AssumeRole", RoleArn=role, RoleSessionName="more")
    assert code(answer) == ("AccessDenied", 403)
    assert world.events.sessions[-1].change == "refused"


async def test_a_child_never_outlives_its_parent(world: World) -> None:
    parent, minted = await session(world)
    world.clock.time = parent.expires - 60
    answer = await call(world, minted, "AssumeRole", RoleArn=ROLE, RoleSessionName="late", DurationSeconds="3600")
    assert (await minted_by(world, answer)).expires == parent.expires


async def test_chains_are_bounded(world: World) -> None:
    _, minted = await session(world)
    for number in range(8):
        answer = await call(world, minted, "AssumeRole", RoleArn=ROLE, RoleSessionName=f"link-{number}")
        verified = world.credentials.verify_session_token(answer["Credentials"]["SessionToken"], world.clock.now())
        assert isinstance(verified, SessionCredentials)
        minted = verified
    answer = await call(world, minted, "AssumeRole", RoleArn=ROLE, RoleSessionName="too-deep")
    assert code(answer) == ("AccessDenied", 403)


@pytest.mark.parametrize(
    "parameters",
    [
        {"Policy": "{}"}, {"PolicyArns.member.1.arn": "x"}, {"Tags.member.1.Key": "a"}, {"ExternalId": "x"},
        {"SourceIdentity": "x"}, {"SerialNumber": "x"}, {"WebIdentityToken": "x"},
    ],
    ids=str,
)  # fmt: skip
async def test_parameters_that_are_not_carried_out_are_refused_by_name(world: World, parameters: dict) -> None:
    _, minted = await session(world)
    answer = await call(world, minted, "AssumeRole", RoleArn=ROLE, RoleSessionName="name", **parameters)
    assert code(answer) == ("ValidationError", 400)
    assert next(iter(parameters)) in answer["Error"]["Message"]


@pytest.mark.parametrize(
    "changed",
    [
        {"RoleArn": "nothing"}, {"RoleArn": ""}, {"RoleSessionName": "a"}, {"RoleSessionName": "a b"},
        {"DurationSeconds": "899"}, {"DurationSeconds": "43201"}, {"DurationSeconds": "-900"},
        {"DurationSeconds": "²900"}, {"DurationSeconds": "soon"}, {"Version": "2010-01-01"},
    ],
    ids=str,
)  # fmt: skip
async def test_malformed_parameters_are_refused(world: World, changed: dict) -> None:
    _, minted = await session(world)
    parameters = {"RoleArn": ROLE, "RoleSessionName": "name"} | changed
    answer = await call(world, minted, "AssumeRole", **parameters)
    assert code(answer) == ("ValidationError", 400)
    assert len(world.events.sessions) == 1


@pytest.mark.parametrize("action", ["AssumeRole", "GetCallerIdentity"])
async def test_unsigned_calls_are_refused_and_counted(world: World, action: str) -> None:
    answer = await call(world, None, action)
    assert code(answer) == ("MissingAuthenticationToken", 403)
    assert [refusal.rule for refusal in world.refusals] == ["sigv4.form"]


@pytest.mark.parametrize("action", ["", "GetSessionToken", "AssumeRoleWithSAML", "<Action>"])
async def test_other_actions_are_unknown(world: World, action: str) -> None:
    body = form(action)
    request = HttpRequest(
        method="POST", raw_path=b"/", query=b"", body=body, client="", secure=True,
        headers=((b"content-type", FORM.encode()),),
    )  # fmt: skip
    assert code(await parsed(world, request)) == ("InvalidAction", 400)


async def test_an_ended_session_and_a_wrong_secret(world: World) -> None:
    principal, minted = await session(world)
    stolen = replace(minted, secret_access_key="guess")
    assert code(await call(world, stolen, "GetCallerIdentity")) == ("SignatureDoesNotMatch", 403)
    foreign = replace(minted, session_token="x")
    assert code(await call(world, foreign, "GetCallerIdentity")) == ("InvalidClientTokenId", 403)
    world.clock.time = principal.expires
    assert code(await call(world, minted, "GetCallerIdentity")) == ("ExpiredToken", 403)
    world.govern(stopped="incident")
    assert code(await call(world, minted, "GetCallerIdentity")) == ("ServiceUnavailable", 503)


async def test_what_cannot_be_recorded_does_not_happen(world: World) -> None:
    _, minted = await session(world)
    world.events.broken = True
    answer = await call(world, minted, "AssumeRole", RoleArn=ROLE, RoleSessionName="name")
    assert code(answer) == ("ServiceUnavailable", 503)
    assert "Credentials" not in answer


async def test_a_ledger_that_is_locked_opens_no_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, minted = await session(world)

    async def locked(_: str) -> str:
        raise LedgerBusy("another process keeps the ledger locked")

    monkeypatch.setattr(world.ledger, "ended", locked)
    answer = await call(world, minted, "AssumeRole", RoleArn=ROLE, RoleSessionName="name")
    assert code(answer) == ("ServiceUnavailable", 503)
    assert "Credentials" not in answer


pieces = [b"Action=AssumeRole", b"Action=GetCallerIdentity", b"Version=2011-06-15", b"&", b"=", b"%", b"%zz", b"%ff",
          "é".encode()]  # fmt: skip


@given(body=st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(pieces), max_size=12).map(b"".join)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_body_gets_a_clear_refusal(world: World, body: bytes) -> None:
    request = HttpRequest(
        method="POST", raw_path=b"/", query=b"", body=body, client="", secure=True,
        headers=((b"content-type", FORM.encode()),),
    )  # fmt: skip
    answer = await parsed(world, request)
    assert answer["Error"]["Code"] in ("ValidationError", "InvalidAction", "MissingAuthenticationToken")


@pytest.mark.parametrize(
    "changes",
    [{"query": b"Action=GetCallerIdentity"}, {"headers": ((b"content-type", b"application/json"),)}, {"headers": ()},
     {"body": b"Action=GetCallerIdentity&Action=AssumeRole"}, {"body": b"a=b&" * 40 + b"a=b"}],
    ids=["query", "type", "no type", "twice", "many"],
)  # fmt: skip
async def test_another_form_is_refused(world: World, changes: dict) -> None:
    request = HttpRequest(
        method="POST", raw_path=b"/", query=b"", body=form("GetCallerIdentity"), client="", secure=True,
        headers=((b"content-type", FORM.encode()),),
    )  # fmt: skip
    assert code(await parsed(world, with_fields(request, **changes))) == ("ValidationError", 400)


class TestWebIdentity:
    """AssumeRoleWithWebIdentity against a real issuer."""

    @pytest.fixture
    def world(self, tmp_path: Path, issuer: Issuer) -> World:
        world = World(tmp_path)
        world.clock.time = time.time()
        world.govern(with_issuer(issuer.url))
        issuer.misbehave("")
        return world

    async def assume(self, world: World, token: str, **changed: str) -> dict[str, Any]:
        parameters = {"RoleArn": ROLE, "RoleSessionName": "web", "WebIdentityToken": token} | changed
        return await call(world, None, "AssumeRoleWithWebIdentity", **parameters)

    async def test_opens_a_session(self, world: World, issuer: Issuer) -> None:
        answer = await self.assume(world, issuer.token(sub="carol & co", groups=["adjusters"]))
        principal = await minted_by(world, answer)
        assert (principal.user, principal.method, principal.chain) == ("carol & co", "oidc", ())
        assert answer["SubjectFromWebIdentityToken"] == "carol & co"
        assert [event.change for event in world.events.sessions] == ["opened"]

    async def test_forged_expired_and_unreachable(self, world: World, issuer: Issuer) -> None:
        now = time.time()
        assert code(await self.assume(world, "e30.e30.e30")) == ("InvalidIdentityToken", 400)
        old = issuer.token(groups=["adjusters"], iat=now - 200, exp=now - 100)
        assert code(await self.assume(world, old)) == ("ExpiredTokenException", 400)
        world.govern(with_issuer("http://127.0.0.1:1"))
        assert code(await self.assume(world, old)) == ("IDPCommunicationError", 400)
        world.govern()
        assert code(await self.assume(world, old)) == ("InvalidIdentityToken", 400)

    async def test_without_a_group_or_the_role(self, world: World, issuer: Issuer) -> None:
        assert code(await self.assume(world, issuer.token())) == ("AccessDenied", 403)
        token = issuer.token(groups=["adjusters"])
        assert code(await self.assume(world, token, RoleArn=REFUND)) == ("AccessDenied", 403)
