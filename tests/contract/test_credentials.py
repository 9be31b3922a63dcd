"""One behavioural suite for every credentials adapter (IAM-01, IAM-06, SEC-02)."""

from __future__ import annotations

import re
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey

from caisson.adapters.embedded.credentials import TOKEN_BYTES_MAX, EmbeddedCredentials
from caisson.adapters.embedded.keyring import EPOCH_S, session_keys
from caisson.adapters.embedded.keys import FileKeys
from caisson.errors import Refusal, WireError
from caisson.ports.clock import Clock
from caisson.ports.credentials import Credentials, Principal, SessionCredentials

NOW = 100.5 * EPOCH_S
INVALID = WireError.UNRECOGNIZED_CLIENT


class HeldClock(Clock):
    def __init__(self, now: float = NOW) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


PRINCIPAL = Principal(
    session_id="s-1", chain=("s-0",), user="alice", groups=("adjusters",), agent="claims", task="answer", issued=NOW,
    expires=NOW + 900, method="socket",
)  # fmt: skip
Make = Callable[[Path, str, Clock], Credentials]


def embedded(folder: Path, system: str, clock: Clock) -> Credentials:
    return EmbeddedCredentials(open_keys=session_keys(folder), system=system, clock=clock)


@pytest.fixture(params=[embedded], ids=["embedded"])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def credentials(make: Make, tmp_path: Path, clock: HeldClock) -> Credentials:
    return make(tmp_path / "keys", "claims-assistant", clock)


def error(result: object) -> WireError:
    assert isinstance(result, Refusal), result
    return result.error


text = st.text(max_size=30)
principals = st.builds(
    Principal,
    session_id=text,
    chain=st.lists(text, max_size=4).map(tuple),
    user=text,
    groups=st.lists(text, max_size=4).map(tuple),
    agent=text,
    task=text,
    issued=st.floats(0, NOW),
    expires=st.floats(NOW + 1, NOW + 3600),
    method=st.sampled_from(["socket", "oidc"]),
)


@given(principal=principals)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_what_was_minted_is_what_is_verified(credentials: Credentials, principal: Principal) -> None:
    minted = credentials.mint(principal)
    assert minted.principal == principal
    for _ in range(2):  # the second answer may come from a cache
        assert credentials.verify_session_token(minted.session_token, NOW) == minted
        assert credentials.verify_bearer(credentials.mint_bearer(principal), NOW) == principal


def test_they_look_like_those_of_aws(credentials: Credentials) -> None:
    minted = credentials.mint(PRINCIPAL)
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", minted.access_key_id)
    assert len(minted.secret_access_key) >= 40
    assert minted.expiration == PRINCIPAL.expires


def test_secrets_do_not_show_when_printed(credentials: Credentials) -> None:
    minted = credentials.mint(PRINCIPAL)
    assert minted.secret_access_key not in repr(minted)
    assert minted.session_token not in repr(minted)


def test_every_token_has_its_own_secret(credentials: Credentials) -> None:
    first = credentials.mint(PRINCIPAL)
    narrowed = credentials.mint(replace(PRINCIPAL, session_id="s-2", chain=("s-0", "s-1")))
    assert narrowed.secret_access_key != first.secret_access_key
    assert narrowed.access_key_id != first.access_key_id


def test_the_secret_is_not_in_the_token(credentials: Credentials) -> None:
    minted = credentials.mint(PRINCIPAL)
    assert minted.secret_access_key not in minted.session_token


def test_neither_kind_passes_for_the_other(credentials: Credentials) -> None:
    assert error(credentials.verify_bearer(credentials.mint(PRINCIPAL).session_token, NOW)) is INVALID
    assert error(credentials.verify_session_token(credentials.mint_bearer(PRINCIPAL), NOW)) is INVALID


def test_nor_after_the_other_was_cached(credentials: Credentials) -> None:
    token, bearer = credentials.mint(PRINCIPAL).session_token, credentials.mint_bearer(PRINCIPAL)
    credentials.verify_session_token(token, NOW)
    credentials.verify_bearer(bearer, NOW)
    assert isinstance(credentials.verify_bearer(token, NOW), Refusal)
    assert isinstance(credentials.verify_session_token(bearer, NOW), Refusal)


def test_another_system_with_the_same_keys_refuses(make: Make, tmp_path: Path, credentials: Credentials) -> None:
    other = make(tmp_path / "keys", "another", HeldClock())
    assert error(other.verify_session_token(credentials.mint(PRINCIPAL).session_token, NOW)) is INVALID
    assert error(other.verify_bearer(credentials.mint_bearer(PRINCIPAL), NOW)) is INVALID


def test_another_installation_of_the_system_refuses(make: Make, tmp_path: Path, credentials: Credentials) -> None:
    other = make(tmp_path / "other", "claims-assistant", HeldClock())
    assert error(other.verify_session_token(credentials.mint(PRINCIPAL).session_token, NOW)) is INVALID


def test_any_worker_verifies(make: Make, tmp_path: Path, credentials: Credentials) -> None:
    worker = make(tmp_path / "keys", "claims-assistant", HeldClock())
    minted = credentials.mint(PRINCIPAL)
    assert worker.verify_session_token(minted.session_token, NOW) == minted


@pytest.mark.parametrize("seen_before", [False, True])
def test_expiry(credentials: Credentials, seen_before: bool) -> None:
    minted, bearer = credentials.mint(PRINCIPAL), credentials.mint_bearer(PRINCIPAL)
    if seen_before:
        credentials.verify_session_token(minted.session_token, NOW)
        credentials.verify_bearer(bearer, NOW)
    assert isinstance(credentials.verify_session_token(minted.session_token, NOW + 899), SessionCredentials)
    assert error(credentials.verify_session_token(minted.session_token, NOW + 900)) is WireError.EXPIRED_TOKEN
    assert error(credentials.verify_bearer(bearer, NOW + 900)) is WireError.EXPIRED_TOKEN


def test_a_forged_token_is_not_told_that_it_expired(credentials: Credentials) -> None:
    token = credentials.mint(PRINCIPAL).session_token
    forged = token[:-6] + ("AAAAAA" if not token.endswith("AAAAAA") else "BBBBBB")
    early, late = (credentials.verify_session_token(forged, NOW + offset) for offset in (0, 10_000))
    assert early == late
    assert error(early) is INVALID


@given(at=st.integers(0, 10_000), bit=st.integers(0, 6), bearer=st.booleans(), warm=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
def test_any_flipped_bit_is_refused(credentials: Credentials, at: int, bit: int, bearer: bool, warm: bool) -> None:
    token = credentials.mint_bearer(PRINCIPAL) if bearer else credentials.mint(PRINCIPAL).session_token
    verify = credentials.verify_bearer if bearer else credentials.verify_session_token
    if warm:
        verify(token, NOW)
    at %= len(token)
    flipped = token[:at] + chr(ord(token[at]) ^ (1 << bit)) + token[at + 1 :]
    assert error(verify(flipped, NOW)) is INVALID


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_part_has_one_spelling(credentials: Credentials, part: int) -> None:
    """The last character of base64 may hold unused bits; another spelling of the same bytes is another token."""
    parts = credentials.mint(PRINCIPAL).session_token.split(".")
    for character in string.ascii_letters + string.digits + "-_=":
        changed = [*parts]
        changed[part] = parts[part][:-1] + character
        if changed != parts:
            assert error(credentials.verify_session_token(".".join(changed), NOW)) is INVALID


@given(
    st.one_of(
        st.text(max_size=200), st.binary(max_size=200).map(lambda data: urlsafe_b64encode(data).decode() + ".e30.AA")
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_nonsense_is_refused(credentials: Credentials, token: str) -> None:
    assert error(credentials.verify_session_token(token, NOW)) is INVALID
    assert error(credentials.verify_bearer(token, NOW)) is INVALID


def test_size_is_bounded(credentials: Credentials) -> None:
    token = credentials.mint(replace(PRINCIPAL, groups=("g" * TOKEN_BYTES_MAX,))).session_token
    assert error(credentials.verify_session_token(token, NOW)) is INVALID


def test_rotation_ends_no_session(credentials: Credentials, clock: HeldClock) -> None:
    clock.time = 101 * EPOCH_S - 1
    principal = replace(PRINCIPAL, issued=clock.time, expires=clock.time + 3600)
    token = credentials.mint(principal).session_token
    clock.time += 3599
    key_of = lambda text: text.partition(".")[0]  # noqa: E731
    assert key_of(credentials.mint(principal).session_token) != key_of(token)
    assert isinstance(credentials.verify_session_token(token, clock.time), SessionCredentials)


def _unbase64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class TestEmbedded:
    """What only this adapter promises: the format."""

    def sign(self, folder: Path, header: dict[str, str], payload: bytes) -> str:
        """A token with any header and payload, under the genuine key, by an independent implementation."""
        signing = FileKeys(folder).signing("session-100")
        seed = (folder / "session-100.signing.key").read_bytes()
        encode = lambda data: urlsafe_b64encode(data).rstrip(b"=").decode()  # noqa: E731
        key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": encode(signing.public_bytes), "d": encode(seed)})
        return jws.serialize_compact(header, payload, key, algorithms=["EdDSA", "Ed25519"])

    def test_is_a_standard_jws(self, tmp_path: Path) -> None:
        made = embedded(tmp_path, "x", HeldClock())
        token = made.mint(PRINCIPAL).session_token
        public = FileKeys(tmp_path).signing("session-100").public_bytes
        key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": urlsafe_b64encode(public).rstrip(b"=").decode()})
        opened = jws.deserialize_compact(token, key, algorithms=["EdDSA"])
        assert opened.headers()["typ"] == "caisson-session+jwt"
        assert b'"aud":"caisson/x/sigv4"' in opened.payload

    def test_one_header_only(self, tmp_path: Path) -> None:
        made = embedded(tmp_path, "x", HeldClock())
        token = made.mint(PRINCIPAL).session_token
        payload = _unbase64(token.split(".")[1])
        key_id = FileKeys(tmp_path).signing("session-100").key_id
        good = {"alg": "EdDSA", "kid": key_id, "typ": "caisson-session+jwt"}
        assert isinstance(made.verify_session_token(self.sign(tmp_path, good, payload), NOW), SessionCredentials)
        for changed in (
            good | {"typ": "caisson-bearer+jwt"},
            good | {"typ": "JWT"},
            good | {"kid": "0" * 16},
            good | {"alg": "Ed25519"},
            good | {"cty": "x"},
            {"alg": "EdDSA", "typ": "caisson-session+jwt"},
        ):
            result = made.verify_session_token(self.sign(tmp_path, changed, payload), NOW)
            assert error(result) is INVALID

    @pytest.mark.parametrize(
        "change",
        [
            (b'"aud":"caisson/x/sigv4"', b'"aud":"caisson/x/bearer"'),
            (b'"aud":"caisson/x/sigv4"', b'"aud":["caisson/x/sigv4"]'),
            (b'"sub":"alice"', b'"sub":"alice","admin":true'),
            (b'"sub":"alice",', b""),
            (b'"method":"socket"', b'"method":"none"'),
            (b'"groups":["adjusters"]', b'"groups":"adjusters"'),
        ],
    )
    def test_claims_are_strict_even_when_signed(self, tmp_path: Path, change: tuple[bytes, bytes]) -> None:
        made = embedded(tmp_path, "x", HeldClock())
        header = {"alg": "EdDSA", "kid": FileKeys(tmp_path).signing("session-100").key_id, "typ": "caisson-session+jwt"}
        payload = _unbase64(made.mint(PRINCIPAL).session_token.split(".")[1])
        assert change[0] in payload
        token = self.sign(tmp_path, header, payload.replace(*change))
        assert error(made.verify_session_token(token, NOW)) is INVALID
