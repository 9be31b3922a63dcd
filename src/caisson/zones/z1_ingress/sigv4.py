"""AWS Signature Version 4, verified (IAM-01, SEC-02).

Rules, by their names in refusals (IAM User Guide, "Create a signed AWS API request"):

- `sigv4.form`       the Authorization header alone carries a signature; presigned URLs and chunk signatures are refused
- `sigv4.scope`      region, service and date of the credential scope are ours
- `sigv4.window`     the signature is at most 5 minutes old or early
- `sigv4.headers`    `host`, `x-amz-date`, `x-amz-security-token` and every header that we or AWS act on are signed
- `sigv4.payload`    the body's hash is what the client said
- `sigv4.path`       a path that AWS would rewrite before hashing is refused: signed and served path are one
- `sigv4.signature`  the signature over method, path, query, headers and body is that of the token's secret

>>> verifier = SignatureVerifier(credentials.verify_session_token, region="eu-west-1")  # doctest: +SKIP
>>> verifier.verify(request, service="bedrock", now=clock.now()).principal.user  # doctest: +SKIP
'alice'
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from itertools import pairwise
from time import gmtime, strftime

from caisson.errors import Refusal, WireError
from caisson.ports.credentials import SessionCredentials
from caisson.protocol.sigv4 import ALGORITHM, canonical_request, signing_key, string_to_sign
from caisson.zones.z1_ingress.http import HttpRequest

WINDOW_S = 300
HEADERS_MAX = 100
HEADER_BYTES_MAX = 32_768
"""All names and values together; a token is at most 8 KiB of it."""
AUTHORIZATION_BYTES_MAX = 4_096
PATH_BYTES_MAX = 8_192
QUERY_BYTES_MAX = 8_192
SIGNING_KEYS_CACHED_MAX = 10_000
AUTHORIZATIONS_CACHED_MAX = 1_024
"""Parsed headers and header names; 4 KiB and 32 KiB each at most, as much as callers sent with one request."""

REQUIRED = frozenset({b"host", b"x-amz-date", b"x-amz-security-token"})
MUST_SIGN_PREFIXES = (b"x-amz-", b"x-amzn-bedrock-", b"x-caisson-")
"""Headers that change what a request means. `x-amzn-trace-id` does not: proxies add it."""

_SCOPE = re.compile(rb"([A-Z0-9]{16,128})/(\d{8})/([a-z0-9-]{1,64})/([a-z0-9-]{1,64})/aws4_request")
_DATE = re.compile(rb"\d{8}T\d{6}Z")
_SIGNATURE = re.compile(rb"[0-9a-f]{64}")
_NO_SIGNATURE = b"0" * 64
_SIGNED_HEADERS = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*")
_REWRITTEN_PATH = re.compile(rb"//|/\.\.?(?:/|\Z)")
_PRESIGNED = re.compile(rb"(?:\A|&)x-amz-(?:algorithm|credential|signature|security-token)=", re.IGNORECASE)

CredentialsOfToken = Callable[[str, float], SessionCredentials | Refusal]


class SignatureVerifier:
    """Verifies requests for one region. Keeps derived signing keys, nothing else."""

    def __init__(self, credentials_of_token: CredentialsOfToken, *, region: str) -> None:
        self._credentials_of_token = credentials_of_token
        self._region = region.encode()
        self._signing_key = lru_cache(maxsize=SIGNING_KEYS_CACHED_MAX)(signing_key)

    def verify(self, request: HttpRequest, *, service: str, now: float) -> SessionCredentials | Refusal:
        """The credentials that signed the request at Unix time `now`, for the signing name `service`.

        Raises:
            CallerError: a header that must be there once is there more than once.
        """
        if refusal := _bounds(request):
            return refusal
        headers = _joined(request.headers)
        parsed = _parse_authorization(request.header(b"authorization"))
        if isinstance(parsed, Refusal):
            return parsed
        authorization, signature = parsed
        date, token = request.header(b"x-amz-date") or b"", request.header(b"x-amz-security-token") or b""
        if refusal := (
            _headers_signed(headers, authorization.signed_headers)
            or self._scope(authorization, service.encode(), date)
            or _window(date, now)
        ):
            return refusal
        payload_hash = _payload_hash(request)
        if isinstance(payload_hash, Refusal):
            return payload_hash
        credentials = self._credentials_of_token(token.decode("latin-1"), now)
        if isinstance(credentials, Refusal):
            return credentials
        canonical = canonical_request(
            request.method, request.raw_path, request.query, headers, authorization.signed_headers, payload_hash
        )
        key = self._signing_key(
            credentials.secret_access_key, authorization.date, authorization.region, authorization.service
        )
        expected = hmac_digest(key, string_to_sign(date, authorization.scope, canonical), "sha256").hex().encode()
        named = compare_digest(credentials.access_key_id.encode(), authorization.access_key_id)
        if not (compare_digest(expected, signature) and named):
            return _refuse(
                "signature",
                "The request signature we calculated does not match the signature you provided. Check your AWS "
                "Secret Access Key and signing method. Consult the service documentation for details.",
            )
        return credentials

    def _scope(self, found: _Authorization, service: bytes, date: bytes) -> Refusal | None:
        if found.region != self._region:
            return _refuse("scope", f"Credential should be scoped to a valid region: {self._region.decode()!r}.")
        if found.service != service:
            return _refuse("scope", f"Credential should be scoped to correct service: {service.decode()!r}.")
        if found.date != date[:8]:
            return _refuse(
                "scope",
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"{found.date.decode()!r} != {date[:8].decode('latin-1')!r}.",
            )
        return None


def _joined(headers: tuple[tuple[bytes, bytes], ...]) -> dict[bytes, bytes]:
    joined: dict[bytes, bytes] = {}
    for name, value in headers:
        joined[name] = joined[name] + b"," + value if name in joined else value
    return joined


@dataclass(frozen=True, slots=True, kw_only=True)
class _Authorization:
    access_key_id: bytes
    date: bytes
    region: bytes
    service: bytes
    signed_headers: tuple[bytes, ...]
    scope: bytes


def _parse_authorization(header: bytes | None) -> tuple[_Authorization, bytes] | Refusal:
    """What a header says, and its signature."""
    if not header:
        return Refusal(
            error=WireError.MISSING_AUTHENTICATION, rule="sigv4.form", message="Missing Authentication Token"
        )
    signature, unsigned = b"", header
    at = header.rfind(b"Signature=") + len(b"Signature=")
    if (match := _SIGNATURE.match(header, at)) is not None:
        signature = match[0]
        unsigned = header[:at] + _NO_SIGNATURE + header[match.end() :]
    parsed = _parse_unsigned(unsigned)
    return parsed if isinstance(parsed, Refusal) else (parsed, signature)


@lru_cache(maxsize=AUTHORIZATIONS_CACHED_MAX)
def _parse_unsigned(header: bytes) -> _Authorization | Refusal:
    """A header whose signature is all zeros: the same for all requests of a session and day, so it is parsed once."""
    algorithm, _, rest = header.partition(b" ")
    if algorithm != ALGORITHM or len(header) > AUTHORIZATION_BYTES_MAX:
        return _incomplete(
            f"Expected {ALGORITHM.decode()!r} in the Authorization header, of {AUTHORIZATION_BYTES_MAX} bytes at most"
        )
    fields: dict[bytes, bytes] = {}
    for part in rest.split(b","):
        name, _, value = part.strip().partition(b"=")
        if name in fields:
            return _incomplete(f"Authorization header has {name[:32].decode('latin-1')!r} twice")
        fields[name] = value
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not fields.get(name.encode())]
    if missing or len(fields) != 3:
        return _incomplete(
            " ".join(f"Authorization header requires {name!r} parameter." for name in missing)
            or "Authorization header has a parameter other than 'Credential', 'SignedHeaders' and 'Signature'"
        )
    scope, names = _SCOPE.fullmatch(fields[b"Credential"]), _signed_names(fields[b"SignedHeaders"])
    if scope is None or fields[b"Signature"] != _NO_SIGNATURE or not names:
        return _incomplete(
            "Expected 'Credential=KEY/YYYYMMDD/REGION/SERVICE/aws4_request', sorted lower-case 'SignedHeaders' and "
            "a 'Signature' of 64 hexadecimal digits in the Authorization header"
        )
    return _Authorization(
        access_key_id=scope[1],
        date=scope[2],
        region=scope[3],
        service=scope[4],
        signed_headers=names,
        scope=b"/".join((*scope.groups()[1:], b"aws4_request")),
    )


def _signed_names(text: bytes) -> tuple[bytes, ...]:
    """The signed headers' names; empty when they are not sorted, repeat or are no names."""
    names = tuple(text.split(b";"))
    sound = _SIGNED_HEADERS.fullmatch(text) is not None and all(a < b for a, b in pairwise(names))
    return names if sound else ()


def _bounds(request: HttpRequest) -> Refusal | None:
    size = sum([len(name) + len(value) for name, value in request.headers])
    if len(request.headers) > HEADERS_MAX or size > HEADER_BYTES_MAX:
        return _invalid(
            "bounds", f"Expected at most {HEADERS_MAX} headers of {HEADER_BYTES_MAX} bytes together; send fewer."
        )
    if len(request.raw_path) > PATH_BYTES_MAX or len(request.query) > QUERY_BYTES_MAX:
        return _invalid("bounds", f"Expected a path and a query of at most {PATH_BYTES_MAX} bytes each; shorten them.")
    if not request.raw_path.startswith(b"/") or _REWRITTEN_PATH.search(request.raw_path):
        return _invalid(
            "path", "Expected an absolute path without empty, '.' or '..' segments; percent-encode a name's slashes."
        )
    if request.query and _PRESIGNED.search(request.query):
        return _refuse("form", "Presigned URLs are not accepted; send the signature in the Authorization header.")
    return None


def _headers_signed(headers: Mapping[bytes, bytes], signed: tuple[bytes, ...]) -> Refusal | None:
    if b"x-amz-security-token" not in headers:
        return Refusal(  # long-lived keys have no token; here is none that could be valid
            error=WireError.UNRECOGNIZED_CLIENT,
            rule="sigv4.token",
            message="The security token included in the request is invalid.",
        )
    name = _unsigned_name(tuple(headers), signed)
    if name is None:
        return None
    return _refuse(
        "headers", f"Expected the header {name[:64].decode('latin-1')!r} to be sent once and signed; sign it."
    )


@lru_cache(maxsize=AUTHORIZATIONS_CACHED_MAX)
def _unsigned_name(sent: tuple[bytes, ...], signed: tuple[bytes, ...]) -> bytes | None:
    """The first name that is signed and not sent, or must be signed and is not."""
    missing = REQUIRED.difference(signed) | set(signed).difference(sent)
    unsigned = {name for name in sent if name.startswith(MUST_SIGN_PREFIXES)}.difference(signed)
    return min(missing | unsigned, default=None)


def _window(date: bytes, now: float) -> Refusal | None:
    signed_at = _parse_date(date)
    if signed_at is None:
        return _incomplete("Date must be in ISO-8601 'basic format', 'YYYYMMDDTHHMMSSZ', in the header 'x-amz-date'")
    if abs(now - signed_at) <= WINDOW_S:
        return None
    text, limit = date.decode(), _iso(now - WINDOW_S if signed_at < now else now + WINDOW_S)
    if signed_at < now:
        return _refuse("window", f"Signature expired: {text} is now earlier than {limit} ({_iso(now)} - 5 min.)")
    return _refuse("window", f"Signature not yet current: {text} is still later than {limit} ({_iso(now)} + 5 min.)")


@lru_cache(maxsize=64)
def _parse_date(date: bytes) -> int | None:
    if not _DATE.fullmatch(date):
        return None
    year, month, day, hour, minute, second = (
        int(date[a:b]) for a, b in ((0, 4), (4, 6), (6, 8), (9, 11), (11, 13), (13, 15))
    )
    if year < 1970 or not 1 <= month <= 12:
        return None
    seconds = timegm((year, month, 1, hour, minute, second)) + (day - 1) * 86_400
    return seconds if _iso(seconds).encode() == date else None  # 31 June, hour 25: not dates


def _iso(seconds: float) -> str:
    return strftime("%Y%m%dT%H%M%SZ", gmtime(seconds))


def _payload_hash(request: HttpRequest) -> bytes | Refusal:
    computed = sha256(request.body).hexdigest().encode()
    claimed = request.header(b"x-amz-content-sha256")
    if claimed is not None and claimed != computed:
        if claimed == b"UNSIGNED-PAYLOAD" or claimed.startswith(b"STREAMING-"):
            kind = claimed[:64].decode("latin-1")
            return _refuse("payload", f"Payloads of kind {kind!r} are not accepted; sign the whole body.")
        return _refuse("payload", "The provided 'x-amz-content-sha256' header does not match what was computed.")
    if b"aws-chunked" in (request.header(b"content-encoding") or b"").lower():
        return _refuse("payload", "Content encoding 'aws-chunked' is not accepted; send and sign the whole body.")
    return computed


def _refuse(rule: str, message: str) -> Refusal:
    return Refusal(error=WireError.INVALID_SIGNATURE, rule=f"sigv4.{rule}", message=message)


def _incomplete(message: str) -> Refusal:
    return Refusal(error=WireError.INCOMPLETE_SIGNATURE, rule="sigv4.form", message=message)


def _invalid(rule: str, message: str) -> Refusal:
    return Refusal(error=WireError.VALIDATION, rule=f"sigv4.{rule}", message=message)
