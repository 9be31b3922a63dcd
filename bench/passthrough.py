"""The bare pass-through that Caisson is measured against: the same server, TLS and HTTP client, and nothing in between.

Run: python -m bench.passthrough PORT UPSTREAM_URL CERTIFICATE KEY
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.server.embed import Server


async def main(port: int, upstream: str, certificate: Path, key: Path) -> None:
    """Serve until killed."""
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=False, auto_decompress=False)

    async def application(_: dict[str, Any], receive: Any, send: Any) -> None:
        parts = []
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                break
        async with session.post(upstream, data=b"".join(parts), headers={"content-type": "application/json"}) as answer:
            body = await answer.read()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    server = Server(
        application, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, http=HTTPModes.http1,
        websockets=False,
        log_level="error", ssl_cert=certificate, ssl_key=key, ssl_protocol_min=SSLProtocols.tls12,
    )  # fmt: skip
    await server.serve()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
