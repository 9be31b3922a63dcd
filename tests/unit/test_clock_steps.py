"""The machine's clock is set forward and back: nothing that has ended comes back, and nothing breaks for good.

Wired as the gateway does it: signatures at the machine's time, sessions and orders at a time that never goes back.
What else is governed by time has its own tests with clocks that step back: rates and reservations
(contract/test_ledger.py), the order of the log (test_channel_disk.py), orders and configuration
(test_configuration_steady.py), certificates (test_authority.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.adapters.embedded.configuration import SteadyClock
from caisson.adapters.embedded.credentials import EmbeddedCredentials
from caisson.adapters.embedded.keyring import EPOCH_S, session_keys
from caisson.errors import Refusal
from caisson.policy.sessions import Role
from caisson.ports.credentials import Principal
from caisson.zones.z1_ingress.identity import Identity
from caisson.zones.z1_ingress.sessions import Sessions
from identity_world import REGION, HeldClock, World, signed

HOUR = 3_600.0
MOVES = st.lists(st.tuples(st.sampled_from(("advance", "step")), st.floats(-2e5, 2e5)), max_size=12)


class SetClock(HeldClock):
    """A clock that somebody sets, while time passes as ever."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def monotonic(self) -> float:
        return self.passed

    def advance(self, seconds: float) -> None:
        self.time += seconds
        self.passed += seconds

    def step(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def world(tmp_path: Path, clock: SetClock) -> World:
    world = World(tmp_path, clock=clock)
    steady = SteadyClock(clock)
    world.sessions = Sessions(ledger=world.ledger, events=world.events, clock=steady)
    world.identity = Identity(sessions=world.sessions, credentials=world.credentials, region=REGION, clock=clock)
    world.govern(expires=clock.time + 1e9)
    return world


async def asked(world: World, principal: Principal) -> str:
    """The rule that refuses a request of this session signed at the machine's time; empty when it is let in."""
    found = await world.identity.authenticate(signed(world, world.credentials.mint(principal)), service="bedrock")
    return found.rule if isinstance(found, Refusal) else ""


async def test_a_session_that_has_expired_stays_so_when_the_clock_is_set_back(world: World, clock: SetClock) -> None:
    principal = await world.open()
    assert await asked(world, principal) == ""
    clock.advance(principal.expires - clock.time + 1)
    assert await asked(world, principal) == "token.expired"
    clock.step(-2 * HOUR)
    assert await asked(world, principal) == "session.expired"


async def test_a_clock_that_jumps_ahead_and_is_put_right_ends_what_it_ended(world: World, clock: SetClock) -> None:
    principal = await world.open()
    clock.step(2 * HOUR)
    assert await asked(world, principal) == "token.expired"
    clock.step(-2 * HOUR)
    assert await asked(world, principal) == "session.expired"


async def test_orders_that_have_expired_stay_so(world: World, clock: SetClock) -> None:
    principal = await world.open()
    world.govern(expires=clock.time + 60)
    clock.advance(61)
    assert await asked(world, principal) == "orders.expired"
    clock.step(-HOUR)
    assert await asked(world, principal) == "orders.expired"


async def test_a_small_correction_ends_nothing(world: World, clock: SetClock) -> None:
    principal = await world.open()
    for seconds in (-4.0, 4.0, -1.0, 1.0):
        clock.step(seconds)
        assert await asked(world, principal) == ""


@settings(max_examples=60, deadline=None)
@given(moves=MOVES)
def test_whatever_the_clock_does_keys_sign_and_verify(tmp_path_factory: pytest.TempPathFactory, moves: object) -> None:
    """Days ahead and back: keys of other days are gone, which ends their sessions; new ones work at once."""
    clock = SetClock()
    clock.time = 100.5 * EPOCH_S
    credentials = EmbeddedCredentials(
        open_keys=session_keys(tmp_path_factory.mktemp("keys")), system="claims-assistant", clock=clock
    )
    for kind, seconds in moves:  # type: ignore[attr-defined]
        clock.advance(abs(seconds)) if kind == "advance" else clock.step(seconds)
        principal = Principal(
            session_id="s-1", chain=(), user="alice", groups=(), agent="claims", task="answer",
            issued=clock.time, expires=clock.time + HOUR, method="socket",
        )  # fmt: skip
        minted = credentials.mint(principal)
        found = credentials.verify_session_token(minted.session_token, clock.time)
        assert not isinstance(found, Refusal)
        assert found.secret_access_key == minted.secret_access_key


async def test_a_day_is_not_needed_to_go_on(world: World, clock: SetClock) -> None:
    """After any step a new session works: in steady time when it was opened."""
    for seconds in (3 * EPOCH_S, -3 * EPOCH_S):
        clock.step(seconds)
        world.sessions = Sessions(ledger=world.ledger, events=world.events, clock=SteadyClock(clock))  # a restart
        world.identity = Identity(sessions=world.sessions, credentials=world.credentials, region=REGION, clock=clock)
        world.govern(expires=clock.time + 1e9)
        opened = await world.sessions.open(
            user="alice", groups=("adjusters",), role=Role("claims", "answer"), lifetime_s=None, method="socket"
        )
        assert isinstance(opened, Principal)
        assert await asked(world, opened) == ""
