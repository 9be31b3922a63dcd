"""Keys and certificates turn: no session ends, nothing written under the old ones is lost, the log stays whole."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import issuer as oidc
from caisson.wiring.provision import ROTATED
from certificates import own_authority
from running_system import ENOUGH, MODEL, Running, start, system_file, without_local_users

ASKED = [{"role": "user", "content": [{"text": "Hello there"}]}]


def keys_of(data: Path) -> dict[str, bytes]:
    return {str(path.relative_to(data)): path.read_bytes() for path in data.glob("zones/*/keys/*.key")}


def ask(running: Running) -> str:
    return str(running.client().converse(modelId=MODEL, messages=ASKED)["ResponseMetadata"]["RequestId"])


def test_zone_keys_turn_and_the_log_stays_whole(tmp_path: Path) -> None:
    """Twice, so that the key before the key before is gone."""
    system, session, asked = system_file(tmp_path, **ENOUGH), None, []
    seen: list[dict[str, bytes]] = []
    for arguments in ((), ("--rotate", "--workers", "2"), ("--rotate", "--workers", "2"), ()):
        running = start(tmp_path, *arguments, system=system)
        try:
            if session is not None:
                session["Endpoints"] = dict.fromkeys(session["Endpoints"], f"https://localhost:{running.port}")
                running.sessions["claims"] = session
            asked.append(ask(running))
            session = running.session()
            found = running.events("--kind", "model.response.v1", until=lambda found: len(found) == len(asked))
            assert {event["request_id"] for event in found} == set(asked)
            assert "It runs already" in running.cli("up", "--system", str(system)).stdout
            assert running.cli("up", "--rotate", "--system", str(system), check=False).returncode == 2
            seen.append(keys_of(running.data))
        finally:
            assert running.stop() == 0
        verified = running.cli("logs", "verify", check=False)
        assert verified.returncode == 0, verified.stdout

    turned = {name for name in seen[0] if name.rpartition("/")[2].partition(".")[0] in ROTATED}
    assert len(turned) == 6, "four that sign, two that seal"
    for name in seen[0]:
        first, second, third, last = (held[name] for held in seen)
        assert third == last
        assert (len({first, second, third}) == 3) is (name in turned), name
    for name in turned:
        stem, _, rest = name.partition(".")
        before = f"{stem}-before.{rest}"
        assert [held.get(before) for held in seen] == [None, seen[0][name], seen[1][name], seen[1][name]]


def test_archived_heads_name_the_keys_of_each_rotation(tmp_path: Path) -> None:
    """An exported log verifies without the data folder: each key under which something was signed is stated in it."""
    system = system_file(tmp_path, **ENOUGH)
    publics = set()
    for arguments in ((), ("--rotate",)):
        running = start(tmp_path, *arguments, system=system)
        ask(running)
        publics |= {
            event["public_key"]
            for event in running.events("--kind", "key.v1", "--limit", "1000", until=lambda found: len(found) >= 3)
        }
        assert running.stop() == 0
    assert len(publics) == 6
    assert {len(base64.b64decode(public)) for public in publics} == {32}


def served(port: int, bundle: Path, name: str) -> str:
    context = ssl.create_default_context(cafile=str(bundle))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=name) as connection,
    ):
        found = connection.getpeercert()
    assert found is not None
    return str(found["serialNumber"])


def test_a_certificate_of_the_operator_is_renewed_by_a_restart(tmp_path: Path) -> None:
    authority, name = own_authority(), "ai.example.com"
    with oidc.running() as found:
        system, serials = without_local_users(tmp_path, found.url), []
        for _ in range(2):
            chain, key = authority.issue(tmp_path / "tls", name)
            running = start(
                tmp_path, "--host", "0.0.0.0", "--name", name, "--certificate", str(chain), "--key", str(key),
                system=system,
            )  # fmt: skip
            try:
                serials.append(served(running.port, running.data / "authority/bundle.pem", name))
                assert f"https://{name}:{running.port}" in running.said()
            finally:
                assert running.stop() == 0
    assert len(set(serials)) == 2


def test_a_certificate_of_the_operator_is_renewed_without_a_stop(tmp_path: Path) -> None:
    """Each worker shows the new one once it is restarted; until then the old one, and never none."""
    authority, name = own_authority(), "ai.example.com"
    with oidc.running() as found:
        system, serials = without_local_users(tmp_path, found.url), []
        chain, key = authority.issue(tmp_path / "tls", name)
        shown = ("--host", "0.0.0.0", "--name", name, "--certificate", str(chain), "--key", str(key))
        running = start(tmp_path, *shown, "--workers", "2", system=system)
        done = threading.Event()

        def connect() -> None:
            while not done.is_set():
                serials.append(served(running.port, running.data / "authority/bundle.pem", name))

        try:
            with ThreadPoolExecutor(1) as pool:
                connecting = pool.submit(connect)
                try:
                    authority.issue(tmp_path / "tls", name)
                    again = ("up", "--system", str(system), "--restart-workers")
                    other = running.cli(*again, *(part.replace(name, "x.example.com") for part in shown), check=False)
                    assert other.returncode == 1
                    assert f"--name {name}" in " ".join(other.stderr.split())
                    assert len(set(serials)) == 1
                    running.cli(*again, *shown, timeout=120)
                finally:
                    done.set()
                connecting.result()
            renewed = {served(running.port, running.data / "authority/bundle.pem", name) for _ in range(8)}
        finally:
            assert running.stop() == 0
    assert len(renewed) == 1
    assert set(serials) | renewed == {serials[0], *renewed}
    assert serials[0] not in renewed


def test_the_other_loopback_address_needs_nothing_more(tmp_path: Path) -> None:
    running = start(tmp_path, "--host", "::1")
    try:
        with socket.create_connection(("::1", running.port), timeout=10):
            pass
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", running.port), timeout=2)
    finally:
        assert running.stop() == 0
