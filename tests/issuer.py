"""A real OpenID Connect issuer in a process of its own: discovery, keys, tokens, rotation, and misbehaviour on demand.

with running() as issuer:
    token = issuer.token(sub="alice", groups=["adjusters"])
    issuer.rotate()
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

AUDIENCE = "claims"


@dataclass
class Issuer:
    """The parent's hand on it."""

    url: str
    process: subprocess.Popen[bytes]

    def post(self, path: str, **fields: Any) -> Any:
        body = json.dumps(fields).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=body, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def token(self, *, header: dict[str, Any] | None = None, alg: str = "RS256", age: float = 0, **claims: Any) -> str:
        """A token; `None` as a claim leaves the claim out."""
        now = time.time() - age
        filled = {"iss": self.url, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 3600} | claims
        kept = {key: value for key, value in filled.items() if value is not None}
        return str(self.post("/token", alg=alg, header=header or {}, claims=kept)["token"])

    def rotate(self) -> None:
        """Only new keys from now on."""
        self.post("/rotate")

    def misbehave(self, how: str) -> None:
        """`redirect`, `huge`, `nonsense`, `error`, `other-issuer`, or `` for none."""
        self.post("/misbehave", how=how)

    def fetches(self) -> int:
        """How often the keys were asked for."""
        return int(self.post("/fetches")["count"])


@contextmanager
def running() -> Iterator[Issuer]:
    """An issuer on a free port of this machine."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield Issuer(f"http://127.0.0.1:{int(process.stdout.readline())}", process)
    finally:
        process.kill()
        process.wait()


class _Server:
    def __init__(self) -> None:
        self.round = 0
        self.how = ""
        self.count = 0
        self.url = ""
        self._turn()

    def _turn(self) -> None:
        self.round += 1
        self.keys: dict[str, RSAKey | ECKey] = {
            "RS256": RSAKey.generate_key(2048, {"kid": f"rsa-{self.round}", "use": "sig"}),
            "ES256": ECKey.generate_key("P-256", {"kid": f"ec-{self.round}", "use": "sig"}),
        }

    async def discovery(self, request: web.Request) -> web.Response:
        self.count += 1
        if self.how == "redirect":
            raise web.HTTPFound("/elsewhere")
        if self.how == "error":
            raise web.HTTPInternalServerError
        issuer = self.url + "/other" if self.how == "other-issuer" else self.url
        return web.json_response({"issuer": issuer, "jwks_uri": f"{self.url}/keys"})

    async def elsewhere(self, request: web.Request) -> web.Response:
        return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})

    async def jwks(self, request: web.Request) -> web.Response:
        if self.how == "nonsense":
            return web.Response(text="<html>")
        if self.how == "huge":
            return web.Response(text='{"keys": [' + " " * 3_000_000 + "]}")
        published: list[Any] = [key.as_dict(private=False) for key in self.keys.values()]
        shared = {"kty": "oct", "kid": "shared", "k": OctKey.import_key("s" * 32).as_dict(private=True)["k"]}
        return web.json_response({"keys": [shared, {"kty": "?"}, 7, *published]})

    async def token(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["alg"] == "HS256":
            key: Any = OctKey.import_key("s" * 32)
            header = {"alg": "HS256", "kid": "shared"}
        else:
            key = self.keys[asked["alg"]]
            header = {"alg": asked["alg"], "kid": key.kid, "typ": "JWT"}
        header = {name: value for name, value in (header | asked["header"]).items() if value is not None}
        # Signed by hand: a well-meaning library refuses to make some of the tokens that a test needs.
        signed = b".".join(
            urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, asked["claims"])
        )
        signature = jws.JWSRegistry.algorithms[asked["alg"]].sign(signed, key)
        return web.json_response({"token": (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()})

    async def rotate(self, request: web.Request) -> web.Response:
        self._turn()
        return web.json_response({})

    async def misbehave(self, request: web.Request) -> web.Response:
        self.how = (await request.json())["how"]
        return web.json_response({})

    async def fetches(self, request: web.Request) -> web.Response:
        return web.json_response({"count": self.count})


async def _serve() -> None:
    import asyncio

    server = _Server()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", server.discovery)
    app.router.add_get("/elsewhere", server.elsewhere)
    app.router.add_get("/keys", server.jwks)
    for path in ("token", "rotate", "misbehave", "fetches"):
        app.router.add_post(f"/{path}", getattr(server, path))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}"
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    import asyncio

    asyncio.run(_serve())
