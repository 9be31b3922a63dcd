"""What commands know of a running system: where it listens, and its sign-in socket.

The socket's rules are in zones/z1_ingress/signin.py. Whatever goes wrong here ends the command with one message.

>>> ask(Path(".caisson"), {"op": "roles"})["users"]  # doctest: +SKIP
['alice', 'bob']
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import typer

from caisson.cli.aws_profile import Endpoint

ANSWER_BYTES_MAX = 8_388_608
"""A thousand sessions listed are under 1 MB."""
TIMEOUT_S = 10.0


def endpoint_of(data: Path, system: Path | None) -> Endpoint:
    """Where the system of the data folder listens. With `system`, only when it is the system of that file."""
    try:
        found = json.loads((data / "run/endpoint.json").read_text(encoding="utf-8"))
        endpoint = Endpoint(**{name: found[name] for name in Endpoint.__dataclass_fields__})
    except FileNotFoundError:
        fail(f"Nothing runs in {data}; start a system with 'caisson up', or name its folder with --data.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        fail(f"{data / 'run/endpoint.json'}: cannot be read ({error}); stop the system and start it again.")
    if system is not None:
        from caisson.system.loader import load

        name = load(system).name
        if name != endpoint.system:
            fail(f"Expected the system {name!r} of {system} in {data}, found {endpoint.system!r}; name its --data.", 2)
    return endpoint


def ask(data: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The gateway's answer, or its refusal as the end of this command."""
    answer = exchange(data, request)
    if not answer.get("ok"):
        fail(str(answer.get("error", {}).get("message", "The gateway gave no answer; see its log.")))
    return answer


def exchange(data: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The gateway's answer, a refusal too."""
    path = data / "sockets/gateway.sock"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline(ANSWER_BYTES_MAX) or b"{}")
    except (OSError, ValueError) as error:
        fail(f"The gateway does not answer at {path} ({error}); is 'caisson up' running, and may you use its socket?")
    return answer if isinstance(answer, dict) else {}


def fail(message: str, code: int = 1) -> NoReturn:
    """End the command: what was expected, what was found, what to do."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def warn_unfinished(result: Mapping[str, Any]) -> bool:
    """Say what of a change that is in force is still to come; whether anything is."""
    if not result.get("recorded", True):
        typer.echo("It is not recorded yet: the log does not take events; look at the logging zone.", err=True)
    reached = bool(result.get("reached", True))
    if not reached:
        typer.echo("It has not reached every zone yet: the bucket does not take it; look at control.log.", err=True)
    return not reached
