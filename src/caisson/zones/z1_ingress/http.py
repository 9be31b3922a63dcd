"""One HTTP request as it arrived, before anything is decoded.

- Path, query and headers stay the bytes that the client sent: a signature covers those, not a reading of them.
- A header that must have one value has one, or the request is refused: two readers must not see two requests
  (RFC 9110 section 5.3; RFC 9112 section 11.2).

>>> request = HttpRequest(method="POST", raw_path=b"/", query=b"", headers=((b"host", b"localhost"),), body=b"",
...                       client="127.0.0.1", secure=True)
>>> request.header(b"host")
b'localhost'
"""

from __future__ import annotations

import msgspec

from caisson.errors import CallerError, Refusal, WireError


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Method, target, headers and whole body."""

    method: str
    raw_path: bytes
    """The path as it stood in the request line, percent signs included, without the query."""
    query: bytes
    """The query as it stood in the request line, without the question mark."""
    headers: tuple[tuple[bytes, bytes], ...]
    """Names in lower case, in the order of arrival; a name may repeat."""
    body: bytes
    client: str
    """Address of the peer."""
    secure: bool
    """It came over TLS."""

    def header(self, name: bytes) -> bytes | None:
        """The only value of the header `name` (lower case), or None when it is absent.

        Raises:
            CallerError: the header is there more than once.
        """
        found: bytes | None = None
        for key, value in self.headers:
            if key == name:
                if found is not None:
                    raise CallerError(_repeated(name))
                found = value
        return found


def _repeated(name: bytes) -> Refusal:
    return Refusal(
        error=WireError.VALIDATION,
        rule="http.repeated-header",
        message=f"Expected one {name.decode('ascii', 'replace')!r} header, found several; send it once.",
    )
