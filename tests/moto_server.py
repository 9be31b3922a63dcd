"""moto's server, one request at a time: its DynamoDB checks a condition and writes in two steps, and a cancelled
transaction puts back what others wrote meanwhile. DynamoDB does neither, so what shares a table must not see it.

Run: python tests/moto_server.py PORT
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def in_turn(app: Application) -> Application:
    """The same application, with one request in it at a time."""
    lock = Lock()

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with lock:
            return [b"".join(app(environ, start_response))]

    return call


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), in_turn(DomainDispatcherApplication(create_backend_app)), threaded=True)
