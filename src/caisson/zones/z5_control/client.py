"""How commands on this machine talk to the control zone.

>>> ControlClient(Path(".caisson/sockets/control.sock")).call("status")  # doctest: +SKIP
{'configuration': {'version': 1, ...}, ...}
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from caisson.errors import ConfigurationError

TIMEOUT_S = 30.0
ANSWER_BYTES_MAX = 64 << 20
"""Fifty versions with their changes are under 4 MB; what is staged may hold a bundle of 4 MiB."""


class ControlClient:
    """One connection a call."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def call(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Ask, and return the result.

        Raises:
            ConfigurationError: the zone refused, and says why; or it does not answer.
        """
        line = json.dumps({"op": op, **arguments}).encode() + b"\n"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(TIMEOUT_S)
                connection.connect(str(self._path))
                with suppress(BrokenPipeError):  # who may not ask is told so before asking
                    connection.sendall(line)
                with connection.makefile("rb") as answers:
                    answer = json.loads(answers.readline(ANSWER_BYTES_MAX))
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"the control zone does not answer at {self._path}; is the system up? `caisson up` starts it"
            ) from error
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            refused = answer.get("error") if isinstance(answer, dict) else None
            raise ConfigurationError(str(refused or "the control zone refused without a reason"))
        result: dict[str, Any] = answer["result"]
        return result
