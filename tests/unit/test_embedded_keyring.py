"""Session keys turn by the clock alone, and end no session (SEC-02)."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from caisson.adapters.embedded.keyring import EPOCH_S, OVERLAP_S, KeyRing, key_name, names_at, session_keys

times = st.floats(0, 4e9)


@given(times)
def test_the_key_that_signs_and_its_successor_always_exist(now: float) -> None:
    assert key_name(now) in names_at(now)
    assert key_name(now + EPOCH_S) in names_at(now)


@given(times, st.floats(0, OVERLAP_S, exclude_max=True))
def test_a_key_exists_as_long_as_a_session_that_it_signed(now: float, age: float) -> None:
    assert key_name(now) in names_at(now + age)


def test_an_old_key_verifies_for_the_overlap_and_then_is_gone(tmp_path: Path) -> None:
    signed_at = 10 * EPOCH_S - 1.0
    ring = KeyRing(session_keys(tmp_path / "keys"), now=signed_at)
    old = ring.current(signed_at).signing.key_id
    new = ring.current(signed_at + 1).signing.key_id
    assert new != old
    last = 10 * EPOCH_S + OVERLAP_S
    assert ring.find(old, last - 1) is not None
    assert ring.find(old, last) is None
    assert ring.find(new, last) is not None
    assert not list((tmp_path / "keys").glob("session-9.*"))


def test_the_next_key_verifies_nothing_yet(tmp_path: Path) -> None:
    open_keys = session_keys(tmp_path / "keys")
    later = KeyRing(open_keys, now=11.0 * EPOCH_S).current(11.0 * EPOCH_S).signing.key_id
    ring = KeyRing(open_keys, now=10.5 * EPOCH_S)
    assert ring.find(later, 10.5 * EPOCH_S) is None


def test_workers_and_restarts_agree(tmp_path: Path) -> None:
    now = 20.5 * EPOCH_S
    first, second = (KeyRing(session_keys(tmp_path / "keys"), now=now) for _ in range(2))
    assert first.current(now).signing.key_id == second.current(now).signing.key_id
    assert first.current(now + EPOCH_S).secret == second.current(now + EPOCH_S).secret
