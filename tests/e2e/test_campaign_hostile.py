"""Twenty seconds of `make campaign-hostile`: no claimed secret gets out, and the record says what the wire shows."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator

import pytest

from canaries import TEXT, plant
from disguises import nested
from hostile_campaign import WIRES, Campaign, Tally, system, talk_of
from hostile_conversations import CALLING, ROUTES, Said, Talk
from hostile_model import HostileModel
from hostile_upstream import Upstream
from running_system import Running, start

SECONDS = 20.0
SEED = 20_261_125


@pytest.fixture(scope="module")
def model() -> HostileModel:
    return HostileModel()


@pytest.fixture(scope="module")
def running(model: HostileModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("campaign")
    with Upstream(model.answer) as upstream:
        made = start(folder, "--upstream", f"openai={upstream.url}", system=system(folder))
        yield made
        assert made.stop() == 0, made.log.read_text()


def test_twenty_seconds(running: Running, model: HostileModel) -> None:
    campaign, tally, played = Campaign(running, model), Tally(), []
    ends, number, pid = time.monotonic() + SECONDS, 1, running.pids()["gateway"]
    while time.monotonic() < ends or number < 150:
        played.append(campaign.play(talk_of(SEED, number)))
        number += 1
    tally.add(played)
    assert [(one.leaks, json.dumps(one.talk.to_json())) for one in tally.leaks] == []
    assert [(complaint, one.talk.number) for one, complaint in campaign.unrecorded(played)] == []
    assert tally.odd == []
    assert set(tally.by_route) == set(ROUTES)
    assert set(tally.by_wire) == set(WIRES)
    assert tally.known  # the model is heard, and the oracle reads what no rule claims to
    assert running.pids()["gateway"] == pid
    assert "bug of ours" not in (running.data / "run/gateway.log").read_text()


@pytest.mark.parametrize("route", CALLING)
@pytest.mark.parametrize("way", ["text", "reasoning", "tool value", "tool key", "tool nested", "tool id"])
def test_the_oracle_sees_what_gets_out(running: Running, model: HostileModel, route: str, way: str) -> None:
    """A text that no rule knows arrives, so the oracle must call it a leak: on every route and way."""
    canary = plant(random.Random(f"{route} {way}"), TEXT)
    said = nested(canary.value) if way == "tool nested" else canary.value
    talk = Talk(
        number=900_000_000 + CALLING.index(route), route=route, user="alice", canaries=[canary], planted={},
        said=[Said(way=way, trick="plain", text=said, canary=0, escaped=True)], cut=3, ends="stop",
    )  # fmt: skip
    assert Campaign(running, model).play(talk).leaks == [f"{route}: text of the model by {way}, plain"]
