"""The unit file says what systemd understands, and leaves the service little."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

from caisson.supervision.supervisor import DRAIN_SECONDS

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging/systemd/caisson.service"
EXPOSURE_MAX = 15
"""Tenths; systemd calls up to 20 OK. What is left is that it has a network, files and sockets."""


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    here = tmp_path / UNIT.name
    here.write_text(
        UNIT.read_text().replace("/opt/caisson/bin/caisson", str(Path(sys.executable).with_name("caisson")))
    )
    done = analyze("verify", here)
    assert (done.returncode, done.stderr) == (0, "")
    here.write_text(here.read_text().replace("NoNewPrivileges=", "NoNewPrivilege="))
    assert "NoNewPrivilege" in analyze("verify", here).stderr


def test_it_is_exposed_to_little() -> None:
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}", UNIT)
    assert done.returncode == 0, done.stdout


def test_what_the_zones_confine_themselves_with_is_let_through() -> None:
    """By name: these calls are in none of the sets that the unit allows."""
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string(UNIT.read_text())
    service = unit["Service"]
    allowed = set(service["SystemCallFilter"].split())
    assert allowed >= {
        "@system-service",
        "seccomp",
        "landlock_create_ruleset",
        "landlock_add_rule",
        "landlock_restrict_self",
    }
    assert "AF_NETLINK" in service["RestrictAddressFamilies"].split()
    assert float(service["TimeoutStopSec"].removesuffix("s")) > DRAIN_SECONDS
