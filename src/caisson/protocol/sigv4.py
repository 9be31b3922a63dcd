"""AWS Signature Version 4 as arithmetic (IAM User Guide, "Create a signed AWS API request").

- The path is hashed as it is sent, encoded once more: every service but S3 hashes it so. A model id's colon is `%3A`
  on the wire and `%253A` in what is signed.
- Whoever signs signs every header that it hands in.

>>> keys = Keys(access_key_id="AKIDEXAMPLE", secret_access_key="secret")
>>> sent = signed_headers(
...     "POST", b"/model/m/converse", {b"host": b"h"}, b"{}", keys, region="eu-west-1", service="bedrock", now=0.0
... )
>>> sent[b"authorization"][:64].decode()
'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/19700101/eu-west-1/bedro'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from hmac import digest as hmac_digest
from time import gmtime, strftime
from urllib.parse import quote_from_bytes

ALGORITHM = b"AWS4-HMAC-SHA256"
OWN_KEYS_CACHED_MAX = 8
"""Signing keys that a caller with one identity needs: today's, and the next after a refresh."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Credentials that sign."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    """Empty for long-lived keys."""


def signed_headers(
    method: str,
    raw_path: bytes,
    headers: Mapping[bytes, bytes],
    body: bytes,
    keys: Keys,
    *,
    region: str,
    service: str,
    now: float,
    query: bytes = b"",
) -> dict[bytes, bytes]:
    """The headers to send with a request: `headers`, the date, the token and the signature over all of them.

    Args:
        raw_path: as it goes over the wire, percent-encoded.
        headers: lower-case names, `host` among them.
        now: Unix time in seconds.
    """
    date = strftime("%Y%m%dT%H%M%SZ", gmtime(now)).encode()
    sent = {**headers, b"x-amz-date": date}
    if keys.session_token:
        sent[b"x-amz-security-token"] = keys.session_token.encode()
    names = tuple(sorted(sent))
    canonical = canonical_request(method, raw_path, query, sent, names, sha256(body).hexdigest().encode())
    scope = b"/".join((date[:8], region.encode(), service.encode(), b"aws4_request"))
    key = _own_key(keys.secret_access_key, date[:8], region.encode(), service.encode())
    signature = hmac_digest(key, string_to_sign(date, scope, canonical), "sha256").hex().encode()
    sent[b"authorization"] = b"%b Credential=%b/%b, SignedHeaders=%b, Signature=%b" % (
        ALGORITHM, keys.access_key_id.encode(), scope, b";".join(names), signature,
    )  # fmt: skip
    return sent


def canonical_request(
    method: str,
    raw_path: bytes,
    query: bytes,
    headers: Mapping[bytes, bytes],
    signed: tuple[bytes, ...],
    payload_hash: bytes,
) -> bytes:
    """The canonical request. `headers` holds every signed one, repeated values joined by commas."""
    lines = b"".join([b"%b:%b\n" % (name, b" ".join(headers[name].split())) for name in signed])
    return b"\n".join(
        (
            method.encode("latin-1", "replace"),
            _encoded_path(raw_path),
            _sorted_query(query),
            lines,
            b";".join(signed),
            payload_hash,
        )
    )


def string_to_sign(date: bytes, scope: bytes, canonical: bytes) -> bytes:
    """What is signed."""
    return b"\n".join((ALGORITHM, date, scope, sha256(canonical).hexdigest().encode()))


def signing_key(secret: str, date: bytes, region: bytes, service: bytes) -> bytes:
    """The key of one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, b"aws4_request"):
        key = hmac_digest(key, part, "sha256")
    return key


_own_key = lru_cache(maxsize=OWN_KEYS_CACHED_MAX)(signing_key)


@lru_cache(maxsize=256)
def _encoded_path(raw_path: bytes) -> bytes:
    """The path encoded once more, percent signs too."""
    return quote_from_bytes(raw_path, safe="/~").encode()


def _sorted_query(query: bytes) -> bytes:
    """Names and values sorted. What may not stand raw in a query is encoded; what is encoded stays as it was signed."""
    if not query:
        return b""
    pairs = [pair.partition(b"=") for pair in quote_from_bytes(query, safe="&=%~").encode().split(b"&")]
    return b"&".join([name + b"=" + value for name, value in sorted((name, value) for name, _, value in pairs)])
