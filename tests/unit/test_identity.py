"""Who is let in, and when no longer (IAM-01, IAM-06, SESS-02)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as with_fields

from caisson.errors import ChannelError, Refusal, WireError
from caisson.policy.sessions import Role
from caisson.ports.credentials import Principal
from caisson.system.schema import System
from caisson.zones.z1_ingress.http import HttpRequest
from identity_world import PATH, ROLE, World, bundle, signed, system, with_issuer
from issuer import Issuer, running


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running() as issuer:
        yield issuer


def bearing(token: str, *, secure: bool = True, role: str | None = None) -> HttpRequest:
    extra = () if role is None else ((b"x-caisson-role", role.encode()),)
    return HttpRequest(
        method="POST", raw_path=PATH.encode(), query=b"", body=b"{}", client="127.0.0.1", secure=secure,
        headers=((b"host", b"localhost:8443"), (b"authorization", b"Bearer " + token.encode()), *extra),
    )  # fmt: skip


async def refused(world: World, request: HttpRequest, service: str = "bedrock") -> Refusal:
    result = await world.identity.authenticate(request, service=service)
    assert isinstance(result, Refusal), result
    return result


async def test_signed_requests_are_their_principals(world: World) -> None:
    principal = await world.open()
    minted = world.credentials.mint(principal)
    assert await world.identity.authenticate(signed(world, minted), service="bedrock") == principal


async def test_bearer_tokens_are_their_principals_over_https_only(world: World) -> None:
    principal = await world.open()
    token = world.credentials.mint_bearer(principal)
    assert await world.identity.authenticate(bearing(token), service="bedrock") == principal
    assert (await refused(world, bearing(token, secure=False))).rule == "identity.plain-bearer"


async def test_a_session_token_is_no_bearer_token(world: World) -> None:
    minted = world.credentials.mint(await world.open())
    assert (await refused(world, bearing(minted.session_token))).error is WireError.UNRECOGNIZED_CLIENT


async def test_a_bearer_token_signs_nothing(world: World) -> None:
    principal = await world.open()
    minted = replace(world.credentials.mint(principal), session_token=world.credentials.mint_bearer(principal))
    assert (await refused(world, signed(world, minted))).error is WireError.UNRECOGNIZED_CLIENT


async def test_nobody_is_anonymous(world: World) -> None:
    request = with_fields(bearing(""), headers=((b"host", b"localhost:8443"),))
    assert (await refused(world, request)).error is WireError.MISSING_AUTHENTICATION
    assert (await refused(world, bearing(""))).error is WireError.UNRECOGNIZED_CLIENT


async def test_two_authorizations_are_none(world: World) -> None:
    request = bearing(world.credentials.mint_bearer(await world.open()))
    doubled = with_fields(request, headers=(*request.headers, (b"authorization", b"Bearer x")))
    assert (await refused(world, doubled)).rule == "http.repeated-header"


async def test_a_signature_for_one_service_is_none_for_another(world: World) -> None:
    minted = world.credentials.mint(await world.open())
    assert (await refused(world, signed(world, minted, service="sts"))).rule == "sigv4.scope"
    assert (await refused(world, signed(world, minted), service="sts")).rule == "sigv4.scope"


async def test_the_end_of_a_session(world: World) -> None:
    minted = world.credentials.mint(await world.open())
    world.clock.time = minted.expiration - 1
    assert isinstance(await world.identity.authenticate(signed(world, minted), service="bedrock"), Principal)
    world.clock.time = minted.expiration
    assert (await refused(world, signed(world, minted))).error is WireError.EXPIRED_TOKEN


async def test_revoking_the_session_the_one_above_it_or_its_user(world: World) -> None:
    parent = await world.open()
    child = await world.sessions.narrow(parent, role=Role("claims", "answer"), lifetime_s=None)
    assert isinstance(child, Principal)
    request = signed(world, world.credentials.mint(child))
    assert await world.identity.authenticate(request, service="bedrock") == child
    for orders in (
        {"revoked_sessions": {child.session_id: child.expires}},
        {"revoked_sessions": {parent.session_id: parent.expires}},
        {"revoked_users": {"alice": world.clock.time + 1}},
    ):
        world.govern(**orders)
        assert (await refused(world, request)).error is WireError.EXPIRED_TOKEN
    world.govern()
    assert await world.identity.authenticate(request, service="bedrock") == child


async def test_orders_that_expire_or_stop_let_nobody_in(world: World) -> None:
    request = signed(world, world.credentials.mint(await world.open()))
    world.govern(expires=world.clock.time)
    expired = await refused(world, request)
    assert (expired.error, expired.rule) == (WireError.UNAVAILABLE, "orders.expired")
    assert "no valid orders" in expired.message
    world.govern(stopped="incident 7")
    assert (await refused(world, request)).rule == "orders.stopped"


async def test_before_any_configuration_nobody_is_let_in(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.sessions._state = None
    assert (await refused(world, bearing("x"))).rule == "configuration.none"


async def test_an_ended_account_ends_the_session(world: World) -> None:
    principal = await world.open()
    await world.ledger.end(principal.session_id, "budget")
    assert (await refused(world, signed(world, world.credentials.mint(principal)))).rule == "session.ended"


async def test_a_token_without_an_account_is_refused(world: World) -> None:
    stray = replace(await world.open(), session_id="s-stray")
    assert (await refused(world, signed(world, world.credentials.mint(stray)))).rule == "session.account"


async def test_the_file_decides_for_local_users_at_every_request(world: World) -> None:
    principal = await world.open()
    request = signed(world, world.credentials.mint(principal))
    changed = bundle()
    changed["identity"]["local"]["users"]["alice"]["groups"] = ["approvers"]
    world.govern(System.from_bundle(changed))
    assert (await refused(world, request)).rule == "session.groups"
    del changed["identity"]["local"]["users"]["alice"]
    world.govern(System.from_bundle(changed))
    assert (await refused(world, request)).rule == "session.groups"
    changed = bundle()
    del changed["agents"]["claims"]["tasks"]["answer"]
    world.govern(System.from_bundle(changed))
    assert (await refused(world, request)).rule == "session.role"


async def test_opening_records_before_credentials_exist(world: World) -> None:
    principal = await world.open()
    (event,) = world.events.sessions
    assert (event.change, event.session_id, event.user_identity) == ("opened", principal.session_id, "alice")
    assert event.service_identity == ROLE
    world.events.broken = True
    with pytest.raises(ChannelError):
        await world.open()


async def test_from_tier_3_the_record_is_on_stable_storage_first(world: World) -> None:
    await world.open()
    assert world.events.synced == 0
    world.govern(system(tier=3))
    await world.open()
    assert world.events.synced == 2


async def test_over_a_queue_it_is_in_every_tier(world: World) -> None:
    world.events.outlives = False
    await world.open()
    assert world.events.synced == 1


class TestIssuer:
    """Tokens of an OpenID Connect issuer as bearer tokens."""

    @pytest.fixture
    def world(self, tmp_path: Path, issuer: Issuer) -> World:
        world = World(tmp_path)
        world.clock.time = time.time()
        world.govern(with_issuer(issuer.url))
        return world

    async def test_the_only_role_is_meant_when_none_is_named(self, world: World, issuer: Issuer) -> None:
        token = issuer.token(sub="carol", groups=["adjusters", "elsewhere"])
        principal = await world.identity.authenticate(bearing(token), service="bedrock")
        assert isinstance(principal, Principal)
        assert (principal.user, principal.groups, principal.agent, principal.method) == (
            "carol", ("adjusters",), "claims", "oidc",
        )  # fmt: skip

    async def test_every_worker_finds_the_same_session_and_it_opens_once(
        self, world: World, issuer: Issuer, tmp_path: Path
    ) -> None:
        token = issuer.token(groups="adjusters")
        first = await world.identity.authenticate(bearing(token), service="bedrock")
        again = await world.identity.authenticate(bearing(token, role=ROLE), service="bedrock")
        other = World(tmp_path)
        other.clock.time = world.clock.time
        other.govern(with_issuer(issuer.url))
        assert first == again == await other.identity.authenticate(bearing(token), service="bedrock")
        assert [event.change for event in world.events.sessions] == ["opened"]
        assert other.events.sessions == []

    async def test_another_token_is_another_session(self, world: World, issuer: Issuer) -> None:
        one, two = [
            await world.identity.authenticate(bearing(issuer.token(groups="adjusters", jti=jti)), service="bedrock")
            for jti in ("1", "2")
        ]
        assert one.session_id != two.session_id  # type: ignore[union-attr]

    async def test_which_role_must_be_said_when_there_are_several(self, world: World, issuer: Issuer) -> None:
        several = bundle()
        several["identity"]["issuer"] = {"url": issuer.url, "audience": "claims"}
        world.govern(System.from_bundle(several))
        token = issuer.token(groups="adjusters")
        refusal = await refused(world, bearing(token))
        assert (refusal.error, refusal.rule) == (WireError.ACCESS_DENIED, "session.role")
        named = await world.identity.authenticate(bearing(token, role=ROLE), service="bedrock")
        assert isinstance(named, Principal)
        assert (await refused(world, bearing(token, role="arn:aws:iam::1:role/x"))).error is WireError.VALIDATION

    async def test_a_user_without_a_group_is_refused_and_recorded(self, world: World, issuer: Issuer) -> None:
        assert (await refused(world, bearing(issuer.token(groups="elsewhere")))).rule == "session.groups"
        assert [event.change for event in world.events.sessions] == ["refused"]

    async def test_a_session_ends_with_its_token_or_its_time(self, world: World, issuer: Issuer) -> None:
        token = issuer.token(groups="adjusters", exp=time.time() + 36_000)
        principal = await world.identity.authenticate(bearing(token), service="bedrock")
        assert isinstance(principal, Principal)
        assert principal.expires <= principal.issued + 1800
        world.clock.time += 1802
        assert (await refused(world, bearing(token))).error is WireError.EXPIRED_TOKEN

    async def test_its_session_can_be_revoked(self, world: World, issuer: Issuer) -> None:
        token = issuer.token(groups="adjusters")
        principal = await world.identity.authenticate(bearing(token), service="bedrock")
        world.govern(with_issuer(issuer.url), revoked_sessions={principal.session_id: 0.0})  # type: ignore[union-attr]
        assert (await refused(world, bearing(token))).rule == "session.revoked"

    async def test_forged_tokens_and_systems_without_an_issuer(self, world: World, issuer: Issuer) -> None:
        token = issuer.token(groups="adjusters")
        assert (await refused(world, bearing(token + "x"))).error is WireError.UNRECOGNIZED_CLIENT
        world.govern()
        assert (await refused(world, bearing(token))).error is WireError.UNRECOGNIZED_CLIENT

    async def test_plain_http_is_refused(self, world: World, issuer: Issuer) -> None:
        token = issuer.token(groups="adjusters")
        assert (await refused(world, bearing(token, secure=False))).rule == "identity.plain-bearer"
