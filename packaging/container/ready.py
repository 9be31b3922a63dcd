"""Whether the gateway of this container is ready: exit status 0 or 1. `ready.py PORT`; standard library alone.

The certificate is not checked: it is for the names that clients call, and this asks a port of its own machine.
"""

from __future__ import annotations

import http.client
import ssl
import sys

SECONDS_MAX = 4.0


def ready(port: int) -> bool:
    """Whether requests are served now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS_MAX, context=context)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(int(sys.argv[1])) else 1)
