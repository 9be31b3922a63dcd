"""Identity tokens against a real issuer process: what is accepted, what is refused, rotation, misbehaviour (IAM-01)."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator

import pytest

from caisson.errors import Refusal, WireError
from caisson.ports.clock import Clock
from caisson.zones.z1_ingress import jwks
from caisson.zones.z1_ingress.oidc import OidcVerifier, WebIdentity
from issuer import AUDIENCE, Issuer, running


class HeldClock(Clock):
    """Wall time is the machine's, since the issuer is another process; durations are held."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> float:
        return time.time() + self.elapsed

    def monotonic(self) -> float:
        return self.elapsed


@pytest.fixture(scope="module")
def process() -> Iterator[Issuer]:
    with running() as issuer:
        yield issuer


@pytest.fixture
def issuer(process: Issuer) -> Issuer:
    process.misbehave("")
    return process


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def verifier(issuer: Issuer, clock: HeldClock) -> OidcVerifier:
    return OidcVerifier(url=issuer.url, audience=AUDIENCE, groups_claim="groups", clock=clock)


async def verify(verifier: OidcVerifier, token: str, clock: HeldClock | None = None) -> WebIdentity | Refusal:
    return await verifier.verify(token, now=(clock or HeldClock()).now())


async def error(verifier: OidcVerifier, token: str, clock: HeldClock | None = None) -> WireError:
    result = await verify(verifier, token, clock)
    assert isinstance(result, Refusal), result
    return result.error


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
async def test_a_genuine_token_names_its_user(issuer: Issuer, verifier: OidcVerifier, alg: str) -> None:
    token = issuer.token(alg=alg, sub="alice", groups=["adjusters", "x"], jti="1")
    for _ in range(2):
        identity = await verify(verifier, token)
        assert isinstance(identity, WebIdentity)
        assert (identity.user, identity.groups) == ("alice", ("adjusters", "x"))


async def test_one_group_may_be_a_string_and_none_is_none(issuer: Issuer, verifier: OidcVerifier) -> None:
    one, none = issuer.token(groups="adjusters"), issuer.token()
    assert (await verify(verifier, one)).groups == ("adjusters",)  # type: ignore[union-attr]
    assert (await verify(verifier, none)).groups == ()  # type: ignore[union-attr]


async def test_an_audience_list_that_holds_ours(issuer: Issuer, verifier: OidcVerifier) -> None:
    assert isinstance(await verify(verifier, issuer.token(aud=["other", AUDIENCE])), WebIdentity)


async def test_two_tokens_are_told_apart(issuer: Issuer, verifier: OidcVerifier) -> None:
    seen = [await verify(verifier, issuer.token(jti=jti, iat=time.time() - age)) for jti, age in
            (("1", 0), ("2", 0), (None, 5), (None, 6))]  # fmt: skip
    assert len({identity.unique for identity in seen}) == 4  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.com"}, {"aud": "other"}, {"aud": ["other"]}, {"aud": None}, {"sub": None},
        {"sub": ""}, {"sub": "a\nb"}, {"sub": "a" * 256}, {"sub": 7}, {"iat": None}, {"exp": None}, {"exp": "soon"},
        {"iat": time.time() + 3600}, {"nbf": time.time() + 3600}, {"exp": 5, "iat": 10}, {"groups": 7},
        {"groups": [7]}, {"groups": ["g"] * 201}, {"groups": ["g" * 257]},
    ],
    ids=str,
)  # fmt: skip
async def test_wrong_claims_are_one_refusal(issuer: Issuer, verifier: OidcVerifier, claims: dict) -> None:
    assert await error(verifier, issuer.token(**claims)) is WireError.UNRECOGNIZED_CLIENT


async def test_skew_is_tolerated_and_then_it_is_expired(issuer: Issuer, verifier: OidcVerifier) -> None:
    now = time.time()
    assert isinstance(await verify(verifier, issuer.token(exp=now - 30, iat=now - 90)), WebIdentity)
    assert isinstance(await verify(verifier, issuer.token(iat=now + 30)), WebIdentity)
    assert await error(verifier, issuer.token(exp=now - 61, iat=now - 90)) is WireError.EXPIRED_TOKEN


async def test_a_cached_token_expires(issuer: Issuer, verifier: OidcVerifier, clock: HeldClock) -> None:
    token = issuer.token(exp=time.time() + 100)
    assert isinstance(await verify(verifier, token, clock), WebIdentity)
    clock.elapsed = 161
    assert await error(verifier, token, clock) is WireError.EXPIRED_TOKEN


@pytest.mark.parametrize(
    "header",
    [{"crit": ["exp"]}, {"jwk": {}}, {"jku": "https://x"}, {"x5u": "https://x"}, {"typ": "caisson-bearer+jwt"},
     {"typ": "caisson-session+jwt"}, {"kid": "unknown"}, {"kid": 7}],
    ids=str,
)  # fmt: skip
async def test_headers_that_could_steer_us_are_refused(issuer: Issuer, verifier: OidcVerifier, header: dict) -> None:
    assert await error(verifier, issuer.token(header=header)) is WireError.UNRECOGNIZED_CLIENT


async def test_algorithms_are_ours_to_choose(issuer: Issuer, verifier: OidcVerifier) -> None:
    assert await error(verifier, issuer.token(alg="HS256")) is WireError.UNRECOGNIZED_CLIENT
    none = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    payload = issuer.token().split(".")[1]
    assert await error(verifier, f"{none}.{payload}.") is WireError.UNRECOGNIZED_CLIENT


async def test_a_key_of_another_kind_does_not_verify(issuer: Issuer, verifier: OidcVerifier) -> None:
    kid = key_id(issuer.token(alg="ES256"))
    assert await error(verifier, issuer.token(alg="RS256", header={"kid": kid})) is WireError.UNRECOGNIZED_CLIENT


def key_id(token: str) -> str:
    return str(json.loads(urlsafe_b64decode(token.split(".")[0] + "=="))["kid"])


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_an_altered_token_is_refused(issuer: Issuer, verifier: OidcVerifier, part: int) -> None:
    parts = issuer.token().split(".")
    middle = len(parts[part]) // 2
    parts[part] = parts[part][:middle] + ("A" if parts[part][middle] != "A" else "B") + parts[part][middle + 1 :]
    assert await error(verifier, ".".join(parts)) is WireError.UNRECOGNIZED_CLIENT


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é", "a" * 20_001, "{}", "e30.e30.e30"])
async def test_nonsense_is_refused(verifier: OidcVerifier, token: str) -> None:
    assert await error(verifier, token) is WireError.UNRECOGNIZED_CLIENT


async def test_keys_turn(issuer: Issuer, verifier: OidcVerifier, clock: HeldClock) -> None:
    old = issuer.token(jti="old")
    assert isinstance(await verify(verifier, old), WebIdentity)
    issuer.rotate()
    new = issuer.token(jti="new")
    assert isinstance(await verify(verifier, new), Refusal)  # asked too recently
    clock.elapsed = jwks.FETCH_PAUSE_S
    assert isinstance(await verify(verifier, new), WebIdentity)
    assert await error(verifier, old) is WireError.UNRECOGNIZED_CLIENT  # also when it was cached


async def test_strangers_cannot_make_us_fetch(issuer: Issuer, verifier: OidcVerifier) -> None:
    before = issuer.fetches()
    for number in range(20):
        await verify(verifier, issuer.token(header={"kid": f"unknown-{number}"}))
    assert issuer.fetches() == before + 1


@pytest.mark.parametrize("how", ["redirect", "huge", "nonsense", "error", "other-issuer"])
async def test_without_keys_nobody_is_let_in(issuer: Issuer, verifier: OidcVerifier, how: str) -> None:
    token = issuer.token()
    issuer.misbehave(how)
    assert await error(verifier, token) is WireError.UNAVAILABLE


async def test_an_outage_is_survived_for_an_hour(issuer: Issuer, verifier: OidcVerifier, clock: HeldClock) -> None:
    token = issuer.token(exp=time.time() + 10_000)
    assert isinstance(await verify(verifier, token), WebIdentity)
    issuer.misbehave("error")
    clock.elapsed = jwks.STALE_S
    assert isinstance(await verify(verifier, token), WebIdentity)
    clock.elapsed = jwks.STALE_S + jwks.FETCH_PAUSE_S
    assert await error(verifier, token) is WireError.UNAVAILABLE
    issuer.misbehave("")
    clock.elapsed += jwks.FETCH_PAUSE_S
    assert isinstance(await verify(verifier, token), WebIdentity)


async def test_a_slow_issuer_holds_up_one_caller_only(issuer: Issuer, verifier: OidcVerifier, clock: HeldClock) -> None:
    token = issuer.token(exp=time.time() + 10_000)
    assert isinstance(await verify(verifier, token), WebIdentity)
    clock.elapsed = jwks.FRESH_S + 1
    async with asyncio.timeout(10), verifier._keys._lock:  # somebody is fetching
        assert isinstance(await verify(verifier, token), WebIdentity)


async def test_an_issuer_that_is_not_there(clock: HeldClock) -> None:
    verifier = OidcVerifier(url="http://127.0.0.1:1", audience=AUDIENCE, groups_claim="groups", clock=clock)
    result = await verify(verifier, "e30.e30.e30")
    assert isinstance(result, Refusal)
    assert result.error is WireError.UNAVAILABLE
    assert "127.0.0.1" not in result.message


@pytest.mark.parametrize(
    ("url", "issuer", "accepted"),
    [
        ("https://idp.example.com/keys", "https://idp.example.com", True),
        ("https://keys.example.com/", "https://idp.example.com", True),
        ("http://idp.example.com/keys", "http://idp.example.com", False),
        ("http://127.0.0.1:5/keys", "https://idp.example.com", False),
        ("http://127.0.0.1:5/keys", "http://localhost:5", True),
        ("http://169.254.169.254/", "http://127.0.0.1", False),
        ("file:///etc/passwd", "http://127.0.0.1", False),
        ("https://user:password@idp.example.com/", "https://idp.example.com", False),
        ("https://[", "https://idp.example.com", False),
        ("", "https://idp.example.com", False),
    ],
)
def test_which_addresses_are_asked(url: str, issuer: str, accepted: bool) -> None:
    assert jwks.is_acceptable(url, issuer=issuer) is accepted
