"""Identity tokens of the configured OpenID Connect issuer, verified (IAM-01).

- Algorithms are a list of ours, never the token's choice; `crit` and key-carrying headers are refused (RFC 8725).
- Issuer, audience, expiry, issue time and subject are required; `nbf` counts when present (RFC 7519 section 4.1).
- A token that is forged, altered, foreign or malformed is one refusal; only a genuine one is told that it expired.

>>> oidc = OidcVerifier(url="https://idp.example.com", audience="claims", groups_claim="groups", clock=SystemClock())
>>> await oidc.verify(token, now=clock.now())  # doctest: +SKIP
WebIdentity(user='alice', groups=('adjusters',), …)
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

import msgspec
from joserfc import jws
from joserfc.errors import JoseError

from caisson.errors import Refusal, WireError
from caisson.ports.clock import Clock
from caisson.zones.z1_ingress.jwks import KEY_TYPES, IssuerKeys, IssuerUnreachableError

TOKEN_BYTES_MAX = 20_000
"""AWS STS API reference, WebIdentityToken."""
SKEW_S = 60.0
"""How far the issuer's clock may be from ours."""
SUBJECT_CHARACTERS_MAX = 255
"""OpenID Connect Core 1.0 section 2."""
GROUPS_MAX = 200
GROUP_CHARACTERS_MAX = 256
VERIFIED_CACHED_MAX = 4_096

HEADERS = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
"""Header parameters that may be there. Of these only the first three mean something here."""
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""Compared in lower case (RFC 9068 section 2.1). Session tokens of ours have other types."""

_INVALID = Refusal(
    error=WireError.UNRECOGNIZED_CLIENT,
    rule="oidc.token",
    message="The identity token is not a valid token of the configured issuer for the configured audience.",
)
_EXPIRED = Refusal(error=WireError.EXPIRED_TOKEN, rule="oidc.expired", message="The identity token is expired.")


class _Claims(msgspec.Struct, kw_only=True, frozen=True):
    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    iat: float
    nbf: float | None = None
    jti: str | None = None


@dataclass(frozen=True, kw_only=True)
class WebIdentity:
    """Who an identity token speaks of."""

    user: str
    """The subject."""
    groups: tuple[str, ...]
    """As the issuer says; the system may know none of them."""
    issued: float
    expires: float
    unique: str
    """SHA-256 hex of issuer, subject and the token's id, or its issue time when it has none."""


class OidcVerifier:
    """Verifies tokens of one issuer for one audience."""

    def __init__(self, *, url: str, audience: str, groups_claim: str, clock: Clock) -> None:
        self._url = url
        self._audience = audience
        self._groups_claim = groups_claim
        self._keys = IssuerKeys(url, clock=clock)
        self._verified: OrderedDict[bytes, tuple[int, WebIdentity]] = OrderedDict()

    async def verify(self, token: str, *, now: float) -> WebIdentity | Refusal:
        """The identity that the token proves at Unix time `now`."""
        if len(token) > TOKEN_BYTES_MAX or not token.isascii():
            return _INVALID
        digest = sha256(token.encode()).digest()
        try:
            await self._keys.refresh()
            generation, identity = self._verified.get(digest, (-1, None))
            if identity is None or generation != self._keys.generation:
                found = await self._check(token, now)
                if isinstance(found, Refusal):
                    return found
                identity = self._remember(digest, found)
        except IssuerUnreachableError as error:
            return Refusal(
                error=WireError.UNAVAILABLE,
                rule="oidc.unreachable",
                message="The identity provider's keys cannot be fetched; retry later.",
                rationale=str(error),
            )
        return _EXPIRED if now >= identity.expires + SKEW_S else identity

    def _remember(self, digest: bytes, identity: WebIdentity) -> WebIdentity:
        self._verified[digest] = (self._keys.generation, identity)
        self._verified.move_to_end(digest)
        if len(self._verified) > VERIFIED_CACHED_MAX:
            self._verified.popitem(last=False)
        return identity

    async def _check(self, token: str, now: float) -> WebIdentity | Refusal:
        try:
            unverified = jws.extract_compact(token.encode())
            header = unverified.headers()
            algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
            if not (
                HEADERS.issuperset(header)
                and algorithm in KEY_TYPES
                and isinstance(key_id, str | None)
                and isinstance(kind, str)
                and kind.lower() in TYPES
            ):
                return _INVALID
            key = await self._keys.find(key_id, algorithm)
            if key is None:
                return _INVALID
            payload = jws.deserialize_compact(token, key, algorithms=[algorithm]).payload
            claims = msgspec.json.decode(payload, type=_Claims)
            groups = msgspec.json.decode(payload, type=dict[str, object]).get(self._groups_claim, [])
        except (JoseError, ValueError, msgspec.DecodeError, RecursionError):
            return _INVALID
        return self._identity(claims, [groups] if isinstance(groups, str) else groups, now)

    def _identity(self, claims: _Claims, groups: object, now: float) -> WebIdentity | Refusal:
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.iss != self._url or self._audience not in audiences:
            return _INVALID
        if not (0 < len(claims.sub) <= SUBJECT_CHARACTERS_MAX and claims.sub.isprintable()):
            return _INVALID
        if max(claims.iat, claims.nbf or 0.0) > now + SKEW_S or claims.exp <= claims.iat:
            return _INVALID
        if not (
            isinstance(groups, list)
            and len(groups) <= GROUPS_MAX
            and all(isinstance(group, str) and len(group) <= GROUP_CHARACTERS_MAX for group in groups)
        ):
            return _INVALID
        token_id = claims.jti if claims.jti else f"{claims.iat}"
        return WebIdentity(
            user=claims.sub,
            groups=tuple(groups),
            issued=claims.iat,
            expires=claims.exp,
            unique=sha256(msgspec.json.encode((claims.iss, claims.sub, token_id))).hexdigest(),
        )
