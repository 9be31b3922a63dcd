"""Calls to one model endpoint over HTTP/1.1 (docs/decisions/0010-own-http-client.md).

connection.py   one connection, one call at a time, parsed by llhttp
client.py       calls over kept connections
"""

from caisson.adapters.http.client import Client
from caisson.adapters.http.connection import HttpError, Limits, Response

__all__ = ["Client", "HttpError", "Limits", "Response"]
