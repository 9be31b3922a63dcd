"""Connections to AWS over HTTPS: certifi's roots, TLS 1.2 at least, and nothing of the environment."""

from __future__ import annotations

import ssl

import aiohttp
import certifi


def trusted() -> ssl.SSLContext:
    """Whom we believe. Made at the start, because a process may read no certificates later."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def session(tls: ssl.SSLContext, *, connections_max: int, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
    """A pool of connections: no proxy, no cookie, no credential and no redirect that was not asked for."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections_max, ssl=tls),
        # Uncompressed, so that bounds on bytes are bounds on memory.
        headers={"accept-encoding": "identity"},
        skip_auto_headers=("user-agent",),
        auto_decompress=False,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        raise_for_status=False,
        timeout=timeout,
    )
