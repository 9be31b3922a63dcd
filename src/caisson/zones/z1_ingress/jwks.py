"""The public keys of an OpenID Connect issuer: discovered, cached, fetched again when they turn (IAM-01).

- HTTPS only; plain HTTP for an issuer on this machine. No redirects, no ambient proxies.
- Time, bytes and number of keys are bounded; so is how often strangers can make us fetch.
- Symmetric keys are never taken: whoever verifies with one could sign with it (RFC 8725 section 3.1).
- An issuer that is away for a while changes nothing; after an hour its old keys verify no more.

>>> keys = IssuerKeys("https://idp.example.com", clock=SystemClock())  # doctest: +SKIP
>>> await keys.find("2026-01", "ES256")  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from caisson.ports.clock import Clock

Key = RSAKey | ECKey | OKPKey

FRESH_S = 600.0
"""Keys older than this are fetched again before use, when that is possible."""
STALE_S = 3_600.0
"""Keys older than this are used no more."""
FETCH_PAUSE_S = 10.0
"""Shortest time between two fetches, failed ones too, whatever callers present."""
FETCH_TIMEOUT_S = 5.0
DOCUMENT_BYTES_MAX = 262_144
KEYS_MAX = 64
RSA_BITS_MIN = 2_048
"""RFC 7518 section 3.3."""

KEY_TYPES: dict[str, type[RSAKey | ECKey | OKPKey]] = {
    "RS256": RSAKey,
    "PS256": RSAKey,
    "ES256": ECKey,
    "EdDSA": OKPKey,
    "Ed25519": OKPKey,
}
"""Algorithms that are accepted, and the kind of key that each needs (RFC 8725 section 3.1)."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class IssuerUnreachableError(Exception):
    """The issuer's keys cannot be had; says why. Stays inside the ingress zone."""


class IssuerKeys:
    """The keys of one issuer."""

    def __init__(self, url: str, *, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._keys: tuple[tuple[str | None, str | None, Key], ...] = ()
        """Key id, the only algorithm it may be used with, key."""
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._failure = "it was not asked yet"
        self._lock = asyncio.Lock()
        self.generation = 0
        """Grows with each fetch: what an older generation verified must be verified again."""

    async def refresh(self) -> None:
        """Make sure that the keys are recent.

        Raises:
            IssuerUnreachableError: they are too old to be used and cannot be fetched.
        """
        if self._age() > STALE_S or (self._age() > FRESH_S and not self._lock.locked()):  # one caller waits, not all
            await self._fetch(self.generation)
        if self._age() > STALE_S:
            raise IssuerUnreachableError(self._failure)

    async def find(self, key_id: str | None, algorithm: str) -> Key | None:
        """The key of that id for that algorithm; without an id, the only key there is.

        Raises:
            IssuerUnreachableError: see `refresh`.
        """
        await self.refresh()
        key = self._pick(key_id, algorithm)
        if key is None:
            await self._fetch(self.generation)
            key = self._pick(key_id, algorithm)
        return key

    def _pick(self, key_id: str | None, algorithm: str) -> Key | None:
        found = [
            key
            for known_id, only_for, key in self._keys
            if known_id == (key_id or known_id)
            and only_for in (None, algorithm)
            and isinstance(key, KEY_TYPES[algorithm])
        ]
        return found[0] if len(found) == 1 else None

    def _age(self) -> float:
        return self._clock.monotonic() - self._fetched

    async def _fetch(self, generation: int) -> None:
        """Fetch unless somebody just did, or just tried."""
        async with self._lock:
            if generation != self.generation or self._clock.monotonic() - self._tried < FETCH_PAUSE_S:
                return
            self._tried = self._clock.monotonic()
            try:
                async with asyncio.timeout(FETCH_TIMEOUT_S):
                    keys = await self._download()
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
                self._failure = f"{type(error).__name__}: {error}"[:200]
                return
            self._keys, self._fetched, self.generation = keys, self._tried, self.generation + 1

    async def _download(self) -> tuple[tuple[str | None, str | None, Key], ...]:
        async with aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar()) as session:
            discovery = await _document(session, self._url.rstrip("/") + "/.well-known/openid-configuration", self._url)
            if discovery.get("issuer") != self._url:  # OpenID Connect Discovery 1.0 section 4.3
                raise ValueError("the discovery document names another issuer")
            key_set = await _document(session, str(discovery.get("jwks_uri")), self._url)
        listed = key_set.get("keys")
        if not isinstance(listed, list) or len(listed) > KEYS_MAX:
            raise ValueError(f"expected a key set of at most {KEYS_MAX} keys")
        return tuple(found for found in map(_import, listed) if found is not None)


async def _document(session: aiohttp.ClientSession, url: str, issuer: str) -> dict[str, Any]:
    if not is_acceptable(url, issuer=issuer):
        raise ValueError(f"expected an https URL, found {url[:200]!r}")
    async with session.get(url, allow_redirects=False, headers={"accept": "application/json"}) as response:
        if response.status != 200:
            raise ValueError(f"expected status 200 of {url[:200]!r}, found {response.status}")
        body = bytearray()
        async for chunk in response.content.iter_chunked(16_384):
            body += chunk
            if len(body) > DOCUMENT_BYTES_MAX:
                raise ValueError(f"expected a document of at most {DOCUMENT_BYTES_MAX} bytes")
    document = orjson.loads(bytes(body))
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object")
    return document


def is_acceptable(url: str, *, issuer: str) -> bool:
    """HTTPS without user information; plain HTTP from this machine to itself, when the issuer lives there."""
    try:
        target, own = urlsplit(url), urlsplit(issuer)
        if target.username is not None or target.fragment or not target.hostname:
            return False
        return target.scheme == "https" or (
            target.scheme == "http" and target.hostname in LOOPBACK and own.hostname in LOOPBACK
        )
    except ValueError:
        return False


def _import(jwk: object) -> tuple[str | None, str | None, Key] | None:
    """A public signature key; None for anything else, which then verifies nothing."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    types: dict[object, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    kind = types.get(jwk.get("kty"))
    key_id, only_for = jwk.get("kid"), jwk.get("alg")
    if kind is None or not isinstance(key_id, str | None) or not isinstance(only_for, str | None):
        return None
    try:
        key = kind.import_key(jwk)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey) and key.public_key.key_size < RSA_BITS_MIN:
        return None
    return key_id, only_for, key
