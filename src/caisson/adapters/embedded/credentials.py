"""Session tokens that any worker verifies without a lookup (IAM-01, IAM-06, SEC-02).

- A token is a JWS (RFC 7515, compact) under Ed25519 (RFC 8037), with one header, byte for byte: no algorithm to choose.
- A SigV4 session token and a bearer token differ in type and audience (RFC 8725 section 3.11); neither passes for the
  other.
- Who holds a token cannot sign with it: the SigV4 secret is HKDF (RFC 5869) of the token's hash under a key that only
  this zone has. A narrowed token is another token, so it has another secret.
- A token that is not ours, altered, or of another system is one refusal; only a genuine one is told that it expired.

>>> credentials = EmbeddedCredentials(
...     open_keys=session_keys(Path("zones/runtime/keys")), system="claims-assistant", clock=SystemClock()
... )  # doctest: +SKIP
"""

from __future__ import annotations

from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections import OrderedDict
from hashlib import sha256
from typing import Generic, Literal, TypeVar

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from caisson.adapters.embedded.keyring import KeyRing, OpenKeys, SessionKey
from caisson.errors import Refusal, WireError
from caisson.ports.clock import Clock
from caisson.ports.credentials import Credentials, Principal, SessionCredentials

TOKEN_BYTES_MAX = 8_192
VERIFIED_CACHED_MAX = 10_000
"""Verified tokens kept until they expire; one is about 2 KB."""
SECRET_BYTES = 32

Use = Literal["sigv4", "bearer"]
_TYPES: dict[Use, str] = {"sigv4": "caisson-session+jwt", "bearer": "caisson-bearer+jwt"}
_INVALID = Refusal(
    error=WireError.UNRECOGNIZED_CLIENT,
    rule="token.invalid",
    message="The security token included in the request is invalid.",
)
_EXPIRED = Refusal(
    error=WireError.EXPIRED_TOKEN, rule="token.expired", message="The security token included in the request is expired"
)


class _Header(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    alg: Literal["EdDSA"]
    kid: str
    typ: str


class _Claims(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Registered names of RFC 7519 where there is one. Fields are added with a default, never removed."""

    aud: str
    exp: float
    iat: float
    sid: str
    sub: str
    groups: tuple[str, ...]
    agent: str
    task: str
    chain: tuple[str, ...]
    method: Literal["socket", "oidc"]


_encode = msgspec.json.Encoder().encode
_decode_header = msgspec.json.Decoder(_Header).decode
_decode_claims = msgspec.json.Decoder(_Claims).decode


_Found = TypeVar("_Found")


class _Verified(Generic[_Found]):
    """What verified tokens stand for, by the token's SHA-256; the least recently used go first."""

    def __init__(self) -> None:
        self._found: OrderedDict[bytes, _Found] = OrderedDict()

    def get(self, digest: bytes) -> _Found | None:
        found = self._found.get(digest)
        if found is not None:
            self._found.move_to_end(digest)
        return found

    def keep(self, digest: bytes, found: _Found) -> _Found:
        self._found[digest] = found
        if len(self._found) > VERIFIED_CACHED_MAX:
            self._found.popitem(last=False)
        return found

    def forget(self, digest: bytes) -> Refusal:
        del self._found[digest]
        return _EXPIRED


class EmbeddedCredentials(Credentials):
    """See the module. Keys turn with the clock (keyring.py)."""

    def __init__(self, *, open_keys: OpenKeys, system: str, clock: Clock) -> None:
        self._clock = clock
        self._ring = KeyRing(open_keys, now=clock.now())
        self._audiences: dict[Use, str] = {use: f"caisson/{system}/{use}" for use in _TYPES}
        self._sessions: _Verified[SessionCredentials] = _Verified()
        self._bearers: _Verified[Principal] = _Verified()

    def mint(self, principal: Principal) -> SessionCredentials:
        key = self._ring.current(self._clock.now())
        return _credentials(self._mint(principal, "sigv4", key), principal, key)

    def mint_bearer(self, principal: Principal) -> str:
        return self._mint(principal, "bearer", self._ring.current(self._clock.now()))

    def _mint(self, principal: Principal, use: Use, key: SessionKey) -> str:
        claims = _Claims(
            aud=self._audiences[use],
            exp=principal.expires,
            iat=principal.issued,
            sid=principal.session_id,
            sub=principal.user,
            groups=principal.groups,
            agent=principal.agent,
            task=principal.task,
            chain=principal.chain,
            method=principal.method,
        )
        signed = f"{_header(key, use)}.{_base64(_encode(claims))}"
        return f"{signed}.{_base64(key.signing.sign(signed.encode()))}"

    def verify_session_token(self, token: str, now: float) -> SessionCredentials | Refusal:
        digest = _digest(token)
        known = self._sessions.get(digest)
        if known is not None:
            return known if now < known.expiration else self._sessions.forget(digest)
        opened = self._open(token, "sigv4", now)
        return opened if isinstance(opened, Refusal) else self._sessions.keep(digest, _credentials(token, *opened))

    def verify_bearer(self, token: str, now: float) -> Principal | Refusal:
        digest = _digest(token)
        known = self._bearers.get(digest)
        if known is not None:
            return known if now < known.expires else self._bearers.forget(digest)
        opened = self._open(token, "bearer", now)
        return opened if isinstance(opened, Refusal) else self._bearers.keep(digest, opened[0])

    def _open(self, token: str, use: Use, now: float) -> tuple[Principal, SessionKey] | Refusal:
        parts = token.split(".") if len(token) <= TOKEN_BYTES_MAX and token.isascii() else ()
        if len(parts) != 3:
            return _INVALID
        try:
            key = self._ring.find(_decode_header(_unbase64(parts[0])).kid, now)
            if key is None or parts[0] != _header(key, use):
                return _INVALID
            if not key.verifies(_unbase64(parts[2]), f"{parts[0]}.{parts[1]}".encode()):
                return _INVALID
            claims = _decode_claims(_unbase64(parts[1]))
        except (msgspec.DecodeError, Base64Error, ValueError):
            return _INVALID
        if claims.aud != self._audiences[use]:
            return _INVALID
        if now >= claims.exp:
            return _EXPIRED
        return _principal(claims), key


def _header(key: SessionKey, use: Use) -> str:
    return _base64(_encode(_Header(alg="EdDSA", kid=key.signing.key_id, typ=_TYPES[use])))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()


def _credentials(token: str, principal: Principal, key: SessionKey) -> SessionCredentials:
    digest = _digest(token)
    derive = HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=b"caisson sigv4 secret v1", info=digest)
    return SessionCredentials(
        access_key_id=f"ASIA{b32encode(digest[:10]).decode()}",  # 80 bits are the 16 characters that AWS key ids have
        secret_access_key=_base64(derive.derive(key.secret)),
        session_token=token,
        expiration=principal.expires,
        principal=principal,
    )


def _principal(claims: _Claims) -> Principal:
    return Principal(
        session_id=claims.sid,
        chain=claims.chain,
        user=claims.sub,
        groups=claims.groups,
        agent=claims.agent,
        task=claims.task,
        issued=claims.iat,
        expires=claims.exp,
        method=claims.method,
    )


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    """Strict: one text for one value (RFC 4648 section 3.5), or a changed bit could go unseen."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _base64(data) != text:
        raise ValueError("not canonical base64url")
    return data
