"""What `up` says of isolation, and which controls read broken."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.adapters.embedded.isolation import UserPlan, isolation, runtime_paths
from caisson.adapters.embedded.isolation.users import (
    BLOCK,
    FIRST,
    LAST,
    _in_use,
    allocate,
    plan_users,
    unreachable,
)
from caisson.adapters.embedded.isolation.verdict import CONTROLS, judge
from caisson.channels.table import Zone
from caisson.errors import StartError

OWN = UserPlan(first=FIRST, reason="")
NONE = UserPlan(first=None, reason="not started by root")


@pytest.mark.parametrize(
    ("abi", "filtered", "plan", "broken"),
    [
        (7, True, OWN, ()),
        (7, True, NONE, ()),
        (2, True, NONE, ()),
        (1, True, NONE, CONTROLS),  # too little to run with
        (7, False, NONE, CONTROLS),  # the control zone's socket could be reached
        (0, True, NONE, CONTROLS),
        (0, False, OWN, ()),
    ],
)
def test_broken_where_neither_can_be_had(abi: int, filtered: bool, plan: UserPlan, broken: tuple[str, ...]) -> None:
    assert judge(abi=abi, filtered=filtered, plan=plan).broken == broken


def test_it_says_why() -> None:
    verdict = judge(abi=0, filtered=False, plan=NONE)
    assert "found no Landlock" in str(verdict.landlock)
    assert "found Landlock ABI 1" in str(judge(abi=1, filtered=True, plan=NONE).landlock)
    assert "cutting" in str(judge(abi=2, filtered=False, plan=NONE).landlock)
    assert str(verdict.users) == "none: not started by root"
    assert "TCP ports" in str(judge(abi=3, filtered=True, plan=NONE).landlock)
    assert str(judge(abi=7, filtered=True, plan=NONE).landlock) == "Landlock ABI 7"


def test_this_machine_has_a_verdict() -> None:
    assert isolation(NONE).users.holds is False


@given(st.text(min_size=1).filter(lambda text: "\0" not in text and not any(0xD800 <= ord(c) < 0xE000 for c in text)))
def test_blocks_lie_in_the_range_and_do_not_overlap(name: str) -> None:
    first = allocate(Path("/srv") / name.replace("/", "_"), lambda block: False)
    assert (first - FIRST) % BLOCK == 0
    assert first >= FIRST
    assert first + BLOCK - 1 <= LAST
    plan = UserPlan(first=first, reason="")
    numbers = {plan.user(zone).uid for zone in Zone} | {plan.members}  # type: ignore[union-attr]
    assert len(numbers) == len(Zone) + 1
    assert numbers <= set(range(first, first + BLOCK))


def test_a_block_in_use_is_passed_over(tmp_path: Path) -> None:
    first = allocate(tmp_path, lambda block: False)
    second = allocate(tmp_path, lambda block: first in block)
    assert second != first
    with pytest.raises(StartError, match="all 542 in use"):
        allocate(tmp_path, lambda block: True)


def test_numbers_of_users_and_processes_are_in_use() -> None:
    assert _in_use(range(BLOCK))  # root has both
    assert not _in_use(range(3_000_000_000, 3_000_000_000 + BLOCK))


def test_a_closed_parent_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    inner = closed / "inner"
    inner.mkdir(parents=True)
    closed.chmod(0o700)
    assert str(tmp_path.parents[1]) in unreachable((inner,)) or str(closed) in unreachable((inner,))
    assert unreachable((Path("/usr/lib"), Path("/dev/null"))) == ""


def test_a_link_into_a_closed_folder_is_seen(reachable: Path) -> None:
    closed = reachable / "closed"
    closed.mkdir(mode=0o700)
    (closed / "python").touch()
    (reachable / "link").symlink_to(closed / "python")
    assert str(closed) in unreachable((reachable / "link",))


def test_a_file_that_others_cannot_read_is_seen(reachable: Path) -> None:
    (reachable / "file").touch(mode=0o600)
    assert "cannot read" in unreachable((reachable / "file",))


@pytest.mark.skipif(os.geteuid() != 0, reason="own users need root")
def test_own_users_are_planned_where_everything_is_reachable(reachable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/env")
    monkeypatch.setattr(runtime_paths, "table", lambda: (runtime_paths.Needed(path=Path("/usr/lib"), because="test"),))
    plan = plan_users(reachable / "data", None)
    assert plan.reason == ""
    assert plan.first == allocate(reachable / "data", lambda block: False)
    assert plan_users(reachable / "data", 61_192).first == 61_192
    reachable.chmod(0o700)
    closed = plan_users(reachable / "data", None)
    assert closed.first is None
    assert str(reachable) in closed.reason


@pytest.mark.parametrize("row", runtime_paths.table(), ids=lambda row: str(row.path))
def test_every_needed_path_has_its_reason(row: runtime_paths.Needed) -> None:
    assert row.because


def test_a_data_folder_in_what_every_zone_reads_is_refused() -> None:
    with pytest.raises(StartError, match="expected a data folder outside"):
        runtime_paths.needed(Path("/usr/lib/caisson"), connecting=False)


def test_the_folder_one_stands_in_is_never_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert tmp_path not in runtime_paths.needed(tmp_path / "data", connecting=True)


def test_the_resolver_is_for_those_who_connect(tmp_path: Path) -> None:
    hosts = Path("/etc/hosts")
    assert hosts not in runtime_paths.needed(tmp_path, connecting=False)
    assert (hosts in runtime_paths.needed(tmp_path, connecting=True)) == hosts.exists()
