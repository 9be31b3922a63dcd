"""SigV4 as fast as a campaign needs it; `tests/unit/test_quick_signing.py` compares it with botocore's.

>>> Signer(credentials).request("POST", "/model/m/converse", b"{}")  # doctest: +SKIP
b'POST /model/m/converse HTTP/1.1...'
"""

from __future__ import annotations

import time
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import quote, urlsplit

from wire import plain


class Signer:
    """Signs for one set of credentials."""

    def __init__(self, credentials: dict[str, Any]) -> None:
        self.host = urlsplit(credentials["Endpoints"]["bedrock_runtime"]).netloc
        self.token = str(credentials["SessionToken"])
        self._key_id, self._secret = credentials["AccessKeyId"], credentials["SecretAccessKey"]
        self._region = credentials["Region"]
        self._keys: dict[tuple[str, str], bytes] = {}

    def headers(
        self,
        method: str,
        target: str,
        body: bytes,
        extra: dict[str, str] | None = None,
        *,
        service: str = "bedrock",
        now: float | None = None,
    ) -> dict[str, str]:
        """The headers of a signed request. `extra` ones are signed too; names in lower case, a query already sorted."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        lines = {"content-type": "application/json", **(extra or {}), "host": self.host}
        lines |= {"x-amz-date": stamp, "x-amz-security-token": self.token}
        names = sorted(lines)
        path, _, query = target.partition("?")
        listed = "".join(f"{name}:{' '.join(lines[name].split())}\n" for name in names)
        signed = ";".join(names)
        canonical = "\n".join((method, quote(path, safe="/~"), query, listed, signed, sha256(body).hexdigest())).encode(
            "latin-1", "replace"
        )
        scope = f"{stamp[:8]}/{self._region}/{service}/aws4_request"
        said = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical).hexdigest()}".encode()
        signature = digest(self._key(stamp[:8], service), said, "sha256").hex()
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={self._key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"
        )
        return {**lines, "content-length": str(len(body)), "authorization": authorization}

    def request(
        self, method: str, target: str, body: bytes, extra: dict[str, str] | None = None, *, service: str = "bedrock"
    ) -> bytes:
        """A whole request."""
        return plain(method, target, body, self.headers(method, target, body, extra, service=service))

    def _key(self, date: str, service: str) -> bytes:
        key = self._keys.get((date, service))
        if key is None:
            key = f"AWS4{self._secret}".encode()
            for part in (date, self._region, service, "aws4_request"):
                key = digest(key, part.encode(), "sha256")
            self._keys[date, service] = key
        return key
