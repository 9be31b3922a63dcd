"""A clock that cannot be turned back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.adapters.embedded.configuration import SteadyClock
from caisson.errors import ConfigurationError
from configuration_world import NOON, HeldClock

MOVES = st.lists(st.tuples(st.sampled_from(("advance", "step")), st.floats(-1e6, 1e6)), max_size=30)


@given(MOVES)
def test_it_never_shows_less_and_runs_at_least_as_fast_as_time_passes(moves: list[tuple[str, float]]) -> None:
    held = HeldClock()
    steady = SteadyClock(held)
    shown, passed = steady.now(), held.monotonic()
    for kind, seconds in moves:
        held.advance(abs(seconds)) if kind == "advance" else held.step(seconds)
        now = steady.now()
        assert now >= shown + (held.monotonic() - passed) - 1e-3
        assert now >= held.now() - 1e-3
        shown, passed = now, held.monotonic()


def test_it_follows_a_clock_that_is_set_forward(tmp_path: Path) -> None:
    held = HeldClock()
    steady = SteadyClock(held, tmp_path / "clock.json")
    held.step(3600)
    assert steady.checked() == NOON + 3600


@pytest.mark.parametrize("restart", [False, True])
def test_a_clock_far_behind_is_an_error_also_after_a_restart(tmp_path: Path, restart: bool) -> None:
    held = HeldClock()
    steady = SteadyClock(held, tmp_path / "clock.json")
    steady.checked()
    held.step(-5.5)
    if restart:
        steady = SteadyClock(held, tmp_path / "clock.json")
    with pytest.raises(ConfigurationError, match=r"^clock: .* behind .* remove "):
        steady.checked()
    assert steady.now() >= NOON
    (tmp_path / "clock.json").unlink()
    assert SteadyClock(held, tmp_path / "clock.json").checked() == NOON - 5.5


def test_a_small_step_back_is_not_an_error(tmp_path: Path) -> None:
    held = HeldClock()
    steady = SteadyClock(held, tmp_path / "clock.json")
    steady.checked()
    held.step(-4.5)
    assert steady.checked() == NOON


@pytest.mark.parametrize("content", [b"", b"{}", b'{"highest": "noon"}', b"\xff", b"x" * 1000])
def test_a_damaged_memory_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clock.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^clock: .*remove it"):
        SteadyClock(HeldClock(), tmp_path / "clock.json")


def test_a_memory_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    steady = SteadyClock(HeldClock(), tmp_path / "nowhere/clock.json")
    with pytest.raises(ConfigurationError, match=r"^clock: .*cannot be written"):
        steady.checked()
