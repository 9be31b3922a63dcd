"""Each zone under its own user and under Landlock, both at once: what `up` does when root starts it (NET-01, LOG-07).

Own users need a Python that other users can reach. The one that runs the tests may lie in somebody's home, so the
system's own runs the zones, on the installed packages.
"""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import caisson
from caisson.adapters.embedded.isolation.users import unreachable
from caisson.adapters.embedded.layout import recorded_users
from caisson.supervision import read_state
from running_system import CLAIMS, MODEL, Running, clean_environment, free_port, sign_in

SYSTEM_PYTHON = Path("/usr/bin/python3.11")
PACKAGES = [path for path in map(Path, site.getsitepackages()) if path.exists()]
SOURCES = Path(caisson.__file__).parents[1]

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="own users need root"),
    pytest.mark.skipif(
        not SYSTEM_PYTHON.exists() or bool(unreachable((*PACKAGES, SOURCES))),
        reason="own users need a Python and packages that other users can reach",
    ),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's, which is closed to other users."""
    made = Path(tempfile.mkdtemp(prefix="caisson-users-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def program(folder: Path) -> list[str]:
    """`caisson` by a Python that other users can reach."""
    subprocess.run([str(SYSTEM_PYTHON), "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv/bin/python"
    (packages,) = (folder / "venv/lib").glob("python3*/site-packages")
    packages.rmdir()
    packages.symlink_to(PACKAGES[0])  # the same packages, for the other Python
    return [str(python), "-m", "caisson.cli.main"]


def test_the_gateways_user_gets_the_upstreams_credentials_and_no_other_zone_does(folder: Path) -> None:
    command, data, port = program(folder), folder / "data", free_port()
    home = folder / "home"
    (home / ".aws").mkdir(parents=True, mode=0o700)
    (home / ".aws/credentials").write_text("[team]\naws_access_key_id = AKIATEAM\naws_secret_access_key = hush\n")
    up = [*command, "up", "--system", str(CLAIMS), "--data", str(data), "--port", str(port), "--detach"]
    answers = ["--upstream", f"bedrock=http://127.0.0.1:{free_port()}", "--upstream-profile", "team"]
    environment = clean_environment(HOME=str(home))
    started = subprocess.run([*up, *answers], capture_output=True, text=True, env=environment, timeout=90)
    assert started.returncode == 0, started.stderr  # the gateway starts with its first lease, or not at all
    try:
        state = read_state(data / "run")
        assert state is not None
        uids = {
            name: Path(f"/proc/{zone.identity.pid}").stat().st_uid
            for name, zone in state.zones.items()
            if zone.identity is not None
        }
        assert uids["upstream"] == 0
        ask = (
            "import socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout(5)\n"
            "s.connect(sys.argv[1]); print(s.recv(4096))"
        )

        def told(uid: int) -> str:
            asked = [str(SYSTEM_PYTHON), "-c", ask, str(data / "sockets/upstream.sock")]
            return subprocess.run(
                asked, capture_output=True, text=True, user=uid, group=uid, extra_groups=[], cwd="/"
            ).stdout

        assert "AKIATEAM" in told(uids["gateway"])
        assert "AKIATEAM" not in told(uids["logging"]) + told(uids["control"]) + told(0)
    finally:
        down = subprocess.run([*command, "down", "--data", str(data)], capture_output=True, text=True, timeout=60)
    assert down.returncode == 0, down.stdout


def test_zones_have_their_own_users_and_cannot_read_each_other(folder: Path) -> None:
    command, data, port = program(folder), folder / "data", free_port()
    up = [*command, "up", "--system", str(CLAIMS), "--data", str(data), "--port", str(port)]
    up += ["--workers", "2", "--detach"]
    started = subprocess.run(up, capture_output=True, text=True, env=clean_environment(), timeout=90)
    assert started.returncode == 0, started.stderr
    try:
        state = read_state(data / "run")
        assert state is not None
        uids = {Path(f"/proc/{zone.identity.pid}").stat().st_uid for zone in state.zones.values() if zone.identity}
        assert len(uids) == 3
        assert 0 not in uids
        owners = {zone: (data / f"zones/{zone}/keys").stat().st_uid for zone in ("runtime", "control", "logging")}
        assert set(owners.values()) == uids
        shared = recorded_users(data)
        assert shared is not None

        def can_list(uid: int, name: str) -> bool:
            looked = subprocess.run(
                ["ls", str(data / name)], capture_output=True, user=uid, group=uid, extra_groups=[shared]
            )
            return looked.returncode == 0

        for reader, uid in owners.items():
            for zone in owners:
                assert can_list(uid, f"zones/{zone}/keys") == (reader == zone), f"{reader} looks into {zone}'s keys"
            assert can_list(uid, "spool/events") == (reader == "logging")
        running = Running(data=data, port=port, process=None, log=folder / "log", system=CLAIMS)  # type: ignore[arg-type]
        answer = running.client(credentials=sign_in(data, "claims")).converse(
            modelId=MODEL, messages=[{"role": "user", "content": [{"text": "Hello there."}]}]
        )
        assert answer["stopReason"] == "end_turn"
        running.events("--request", answer["ResponseMetadata"]["RequestId"], until=lambda found: len(found) == 2)
        assert running.cli("logs", "verify").returncode == 0
    finally:
        down = subprocess.run([*command, "down", "--data", str(data)], capture_output=True, text=True, timeout=60)
    assert down.returncode == 0, down.stdout
