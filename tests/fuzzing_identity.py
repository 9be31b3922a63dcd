"""Callers who are not who they say: tokens and signatures changed in every field.

A request whose `forged` is true must not be let in; one that is not may be.

>>> forged_token(random.Random(1), "eyJhbGciOiJFZERTQSJ9.e30.c2ln") != "eyJhbGciOiJFZERTQSJ9.e30.c2ln"
True
"""

from __future__ import annotations

import base64
import json
import random
import string
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance import NOVA
from fuzzing_documents import JUNK
from quick_signing import Signer
from running_system import Running, bearer_token, sign_in
from wire import plain

_URLSAFE = string.ascii_letters + string.digits + "-_"
_HEADERS: tuple[dict[str, Any], ...] = (
    {"alg": "none"}, {"alg": "None"}, {"alg": ""}, {"alg": "HS256"}, {"alg": "RS256"}, {"alg": "ES256"},
    {"alg": "EdDSA", "crit": ["exp"]}, {"alg": "EdDSA", "b64": False}, {"alg": "EdDSA", "jku": "https://127.0.0.1/k"},
    {"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}}, {"alg": "EdDSA", "x5u": "file:///etc"},
    {"alg": ["EdDSA"]}, {"alg": None}, {"kid": "../../../../dev/null"}, {"kid": ""}, {"kid": None}, {"kid": "\x00"},
    {"kid": "x" * 5_000}, {"typ": "JWT"}, {"typ": "caisson-session+jwt"}, {"typ": "caisson-bearer+jwt"}, {"zip": "DEF"},
)  # fmt: skip
_CLAIMS: tuple[dict[str, Any], ...] = (
    {"exp": 9e15}, {"exp": "9999999999"}, {"exp": None}, {"exp": -1}, {"exp": 1e400}, {"iat": 9e12}, {"aud": ""},
    {"aud": ["caisson/claims-assistant/bearer"]}, {"aud": "caisson/claims-assistant/sigv4"}, {"sub": "bob"},
    {"sub": None}, {"sub": ""}, {"sid": "s-" + "0" * 32}, {"sid": ""}, {"groups": ["approvers"]}, {"groups": "x"},
    {"agent": "small"}, {"task": "x"}, {"chain": ["x"] * 1_000}, {"chain": None}, {"method": "oidc"}, {"admin": True},
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a caller holds."""

    signer: Signer
    small: Signer
    """Of the agent whose model is Nova."""
    bearer: str

    @classmethod
    def of(cls, running: Running) -> Access:
        return cls.at(running.data)

    @classmethod
    def at(cls, data: Path) -> Access:
        try:
            second = Signer(sign_in(data, "small"))
        except AssertionError:  # the system has no such agent
            second = Signer(sign_in(data, "claims"))
        return cls(signer=Signer(sign_in(data, "claims")), small=second, bearer=bearer_token(data, "claims"))

    def signed(
        self, method: str, target: str, body: bytes, extra: dict[str, str] | None = None, *, service: str = "bedrock"
    ) -> bytes:
        """A request that is let in, by signature; chat completions by token."""
        if target.endswith(("/chat/completions", "/models")):
            return plain(method, target, body, {**self.bearing(body), **(extra or {})})
        signer = self.small if NOVA in target or quote(NOVA, safe="") in target else self.signer
        return signer.request(method, target, body, extra, service=service)

    def bearing(self, body: bytes, token: str | None = None) -> dict[str, str]:
        """Headers with a bearer token."""
        return {
            "host": self.signer.host, "authorization": f"Bearer {self.bearer if token is None else token}",
            "content-type": "application/json", "content-length": str(len(body)),
        }  # fmt: skip


def forged_token(chance: random.Random, token: str) -> str:
    """A token that nobody issued."""
    while (forged := _changed_token(chance, token)) == token:
        pass
    return forged


def _changed_token(chance: random.Random, token: str) -> str:
    head, claims, signature = token.split(".")
    match chance.randrange(9):
        case 0:
            head = _encoded({**_decoded(head), **chance.choice(_HEADERS)})
        case 1:
            claims = _encoded({**_decoded(claims), **chance.choice(_CLAIMS)})
        case 2:
            value = _decoded(claims)
            claims = _encoded({**value, chance.choice([*value, "x"]): chance.choice(JUNK)})
        case 3:
            value = _decoded(claims)
            value.pop(chance.choice(list(value)))
            claims = _encoded(value)
        case 4:
            at = chance.randrange(len(signature) - 1)  # the last character has bits that mean nothing
            signature = signature[:at] + _other(chance, signature[at]) + signature[at + 1 :]
        case 5:
            signature = chance.choice(
                ("", "AA", "A" * len(signature), signature[:-4], signature + "AAAA", "=", "\u0101")
            )
        case 6:
            parts = chance.choice(
                ((head, claims), (head, claims, signature, ""), ("", "", ""), (head,), (claims, head, signature))
            )
            return ".".join(parts)
        case 7:
            whole = list(token)
            at = chance.randrange(len(head) + len(claims))
            whole[at] = _other(chance, whole[at])
            return "".join(whole)
        case _:
            head = _encoded({"alg": "none"})
            signature = chance.choice(("", signature))
    return f"{head}.{claims}.{signature}"


def respelled_token(chance: random.Random, token: str) -> str:
    """The same bytes in another spelling of base64, or with something around: let in or not, never a failure."""
    head, claims, signature = token.split(".")
    part = chance.choice((head, claims, signature))
    other = chance.choice(
        (
            part + "=" * (-len(part) % 4), part + "====", part + " ", "\t" + part,
            part.replace("-", "+").replace("_", "/"), part[:-1] + _other(chance, part[-1]), quote(part + "="),
            part + "%3D", part + "\xa0",
        )
    )  # fmt: skip
    return ".".join(other if piece is part else piece for piece in (head, claims, signature))


def forged_signature(chance: random.Random, access: Access, target: str, body: bytes) -> bytes:
    """A signed request of which something signed was changed afterwards."""
    lines = access.signer.headers("POST", target, body)
    authorization = lines["authorization"]
    match chance.randrange(12):
        case 0:
            at = authorization.index("Signature=") + 10 + chance.randrange(64)
            lines["authorization"] = (
                authorization[:at] + _other(chance, authorization[at], "0123456789abcdef") + authorization[at + 1 :]
            )
        case 1:
            body = body + b" "
            lines["content-length"] = str(len(body))
        case 2:
            target += chance.choice(("?a=b", "?X-Amz-Signature=x", "?a", "?&&", "?%41=b"))
        case 3:
            lines["x-amz-date"] = time.strftime(
                "%Y%m%dT%H%M%SZ", time.gmtime(time.time() + chance.choice((-3600, 3600, -7, 86400)))
            )
        case 4:
            lines["host"] = chance.choice(("127.0.0.1", "localhost", "evil.example", "localhost:1", ""))
        case 5:
            lines["content-type"] = chance.choice(("text/plain", "application/json;a=b", ""))
        case 6:
            lines["x-amz-security-token"] = (
                forged_token(chance, access.signer.token).encode("ascii", "replace").decode()
            )
        case 7:
            old, new = chance.choice(
                (("bedrock/", "sts/"), ("/eu-west-1/", "/us-east-1/"), ("aws4_request", "aws5_request"), ("/20", "/19"))
            )
            lines["authorization"] = authorization.replace(old, new, 1)
        case 8:
            names = authorization.partition("SignedHeaders=")[2].partition(",")[0]
            pieces = names.split(";")
            chance.shuffle(pieces)
            other = chance.choice(
                (";".join(pieces[:-1]), ";".join(pieces), names.upper(), names + ";" + names, "host", ";", names + ";x")
            )
            if other == names:
                other = ""
            lines["authorization"] = authorization.replace(names, other, 1)
        case 9:
            lines["x-amz-content-sha256"] = chance.choice(
                ("UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0" * 64, "")
            )
        case 10:
            lines["authorization"] = chance.choice(
                (
                    authorization.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
                    authorization.replace("Signature=", "Signature=" + "0" * 64 + ", Signature="),
                    authorization + ", Credential=x", authorization.replace("Credential=", "Credential=x"),
                    authorization[: chance.randrange(5, len(authorization))], authorization.replace(",", ""),
                )
            )  # fmt: skip
        case _:
            lines["x-amz-extra"] = "unsigned"
    return plain("POST", target, body, lines)


def _decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def _encoded(value: Any) -> str:
    data = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _other(chance: random.Random, character: str, alphabet: str = _URLSAFE) -> str:
    return chance.choice([one for one in alphabet if one != character])
