"""What the control zone puts in force, refuses and records (IAM-03, IAM-08, IR-03)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from caisson.channels.messages import ConfigurationEvent, SessionEvent
from caisson.errors import ConfigurationError, SystemFileError
from caisson.zones.z5_control import record
from caisson.zones.z5_control.control import FOUND_AT_START
from configuration_world import NOON
from control_world import World, bundle_of, done, handover, refused


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_the_first_start_puts_the_file_in_force_and_records_it(world: World) -> None:
    control = await world.begun()
    status = await done(control, "status")
    assert status["configuration"]["version"] == 1
    assert status["handed_over_is_in_force"]
    assert (status["system"], status["orders"]["number"]) == ("tiny", 1)
    (event,) = world.told(ConfigurationEvent)
    assert (event.zone, event.change, event.role, event.version) == ("control", "published", "configuration", 1)
    assert (event.author, event.reason, event.approvers) == ("uid:1000", "start", ("approver", "author"))
    assert world.repository.source().refresh()[0].sha256 == event.sha256


async def test_from_tier_3_the_first_start_needs_both_keys(world: World) -> None:
    with pytest.raises(ConfigurationError, match="1 more signature"):
        await world.begun(3, approver=False)
    with pytest.raises(ConfigurationError, match=r"^missing"):
        world.repository.source()
    await world.begun(3)
    assert world.repository.source().refresh()[0].version == 1


async def test_a_restart_with_the_same_file_changes_nothing(world: World) -> None:
    await world.begun()
    control = await world.begun()
    assert (await done(control, "status"))["configuration"]["version"] == 1
    assert len(world.told(ConfigurationEvent)) == 1


async def test_a_restart_with_another_file_is_a_change_that_says_what_it_changes(world: World) -> None:
    await world.begun()
    control = await world.begun(sessions__tokens=7000)
    assert (await done(control, "status"))["configuration"]["version"] == 2
    event = world.told(ConfigurationEvent)[-1]
    assert any(line.startswith("system.sessions.tokens: ") and line.endswith("→ 7000") for line in event.changes)
    assert event.affected_agents == ("helper",)


async def test_from_tier_3_a_changed_file_waits_for_the_second_operator(world: World) -> None:
    await world.begun(3)
    control = await world.begun(3, sessions__tokens=7000)
    status = await done(control, "status")
    assert (status["configuration"]["version"], status["staged"]["version"]) == (1, 2)
    assert not status["handed_over_is_in_force"]
    again = await world.begun(3, sessions__tokens=7000)
    staged = (await done(again, "staged"))["staged"]
    signatures = [world.repository.approver.sign(base64.b64decode(part)).hex() for part in staged["payloads"]]
    result = await done(again, "sign", key_id=world.repository.approver.key_id, signatures=signatures)
    assert (result["version"]["version"], result["recorded"]) == (2, True)
    assert world.told(ConfigurationEvent)[-1].approvers == ("approver", "author")
    assert world.repository.source().refresh()[0].version == 2


async def test_a_rollback_is_a_new_version_that_a_restart_does_not_undo(world: World) -> None:
    await world.begun(sessions__tokens=5000)
    control = await world.begun(sessions__tokens=7000)
    result = await done(control, "rollback", version=1, reason="7000 was wrong")
    assert (result["version"]["version"], result["version"]["change"]["restores"]) == (3, 1)
    event = world.told(ConfigurationEvent)[-1]
    assert (event.version, event.reason, event.author) == (3, "7000 was wrong", "uid:1000")
    assert event.changes[0] == "restores version 1"
    assert "system.sessions.tokens: 7000 → 5000" in event.changes
    restarted = await world.begun(sessions__tokens=7000)
    status = await done(restarted, "status")
    assert (status["configuration"]["version"], status["handed_over_is_in_force"]) == (3, False)
    assert world.repository.source().refresh()[0].bundle["system"]["sessions"]["tokens"] == 5000
    edited = await world.begun(sessions__tokens=8000)
    assert (await done(edited, "status"))["configuration"]["version"] == 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"version": 1, "reason": "again"}, "nothing differs"),
        ({"version": 2, "reason": "typing"}, "missing"),
        ({"version": 0, "reason": "typing"}, "missing"),
        ({"version": -1, "reason": "typing"}, "missing"),
        ({"version": "1", "reason": "typing"}, "version"),
        ({"version": 1, "reason": ""}, "nothing differs"),
    ],
)
async def test_a_rollback_that_cannot_be_is_refused(world: World, arguments: dict[str, Any], says: str) -> None:
    control = await world.begun()
    assert says in await refused(control, "rollback", **arguments)


async def test_a_change_without_a_reason_is_refused(world: World) -> None:
    control = await world.begun()
    assert "reason" in await refused(control, "publish", bundle=bundle_of(sessions__tokens=7000), reason=" ")
    assert "reason" in await refused(control, "publish", bundle=bundle_of(sessions__tokens=7000))
    for op in ("revoke_session", "revoke_user", "stop"):
        subject = {"revoke_session": {"session": "s-1"}, "revoke_user": {"user": "me"}, "stop": {}}[op]
        assert "reason" in await refused(control, op, reason="", **subject)
    assert world.repository.source().refresh()[1].number == 1


async def test_a_published_bundle_is_checked_and_put_in_force(world: World) -> None:
    control = await world.begun()
    assert "nothing differs" in await refused(control, "publish", bundle=bundle_of(), reason="again")
    for broken in ({}, {"system": 1}, {"format": 1, "system": {"tier": 2}, "keys": {}}):
        await refused(control, "publish", bundle=broken, reason="broken")
    result = await done(control, "publish", bundle=bundle_of(sessions__tokens=7000), reason="more")
    assert result["version"]["version"] == 2
    assert "version 2" in await refused(control, "publish", bundle=bundle_of(sessions__tokens=7000), reason="again")


async def test_a_start_with_a_bundle_of_another_version_is_refused(world: World) -> None:
    with pytest.raises(SystemFileError):
        await world.control().begin(handover({"format": 1, "system": {"tier": 2}, "keys": {}}))


async def test_lowering_the_tier_waits_for_the_second_operator(world: World) -> None:
    await world.begun(3)
    control = await world.begun(2)
    status = await done(control, "status")
    assert (status["configuration"]["version"], status["staged"]["missing"]) == (1, 1)


async def test_a_revoked_session_is_in_the_next_orders_and_in_the_log(world: World) -> None:
    control = await world.begun()
    source = world.repository.source()
    source.refresh()
    result = await done(control, "revoke_session", session="s-1", until=NOON + 900, reason="lost laptop", user="me")
    assert (result["orders"], result["recorded"]) == (2, True)
    assert source.changed()
    assert source.refresh()[1].revoked_sessions == {"s-1": NOON + 900}
    (session,) = world.told(SessionEvent)
    assert (session.change, session.session_id, session.user_identity) == ("revoked", "s-1", "me")
    assert session.reason == "lost laptop"
    orders = world.told(ConfigurationEvent)[-1]
    assert (orders.role, orders.version, orders.author) == ("orders", 2, "uid:1000")
    assert orders.changes == ("session s-1 revoked",)


async def test_what_a_request_says_beyond_its_form_is_refused_not_ignored(world: World) -> None:
    control = await world.begun()
    assert "until" in await refused(control, "stop", reason="drill", until=1.0)
    assert "author" in await refused(control, "rollback", version=1, reason="back", author="somebody else")


async def test_stop_and_resume(world: World) -> None:
    control = await world.begun()
    source = world.repository.source()
    assert "runs" in await refused(control, "resume", reason="nothing")
    await done(control, "stop", reason="drill")
    assert source.refresh()[1].stopped == "drill"
    await done(control, "revoke_user", user="me", reason="drill")
    assert source.refresh()[1].stopped == "drill"
    await done(control, "resume", reason="drill is over")
    assert source.refresh()[1].stopped == ""
    assert source.refresh()[1].revoked_users == {"me": NOON}


async def test_orders_outlive_a_restart_and_a_change_of_configuration(world: World) -> None:
    control = await world.begun()
    await done(control, "revoke_session", session="s-1", reason="lost")
    await done(control, "stop", reason="drill")
    await world.begun(sessions__tokens=7000)
    _, orders = world.repository.source().refresh()
    assert (list(orders.revoked_sessions), orders.stopped) == (["s-1"], "drill")


async def test_orders_are_renewed_with_a_third_of_their_life_gone_and_not_before(world: World) -> None:
    control = await world.begun()
    source = world.repository.source()
    first = source.refresh()[1].expires
    for _ in range(99):
        world.clock.advance(1)
        await control.tick()
    assert not source.changed()
    world.clock.advance(1)
    await control.tick()
    assert source.refresh()[1].expires == first + 100
    for _ in range(30):
        world.clock.advance(100)
        await control.tick()
        source.refresh()
    assert len(world.told(ConfigurationEvent)) == 1


@pytest.mark.parametrize("step", [-3600, -200, 3600])
async def test_orders_are_renewed_at_once_when_the_clock_is_set(world: World, step: float) -> None:
    control = await world.begun()
    world.clock.step(step)
    await control.tick()
    current = world.publisher.current()
    assert current is not None
    assert current[1].expires == world.clock.now() + 300


async def test_revocations_are_forgotten_when_they_are_over(world: World) -> None:
    control = await world.begun()
    await done(control, "revoke_session", session="s-1", until=NOON + 900, reason="lost")
    await done(control, "revoke_user", user="me", reason="lost")
    source = world.repository.source()
    for _ in range(10):
        world.clock.advance(100)
        await control.tick()
    _, orders = source.refresh()
    assert (orders.revoked_sessions, list(orders.revoked_users), orders.number) == ({}, ["me"], 4)
    assert world.told(ConfigurationEvent)[-1].reason == "revocations that are over"


async def test_a_configuration_is_renewed_before_it_expires(world: World) -> None:
    control = await world.begun()
    world.clock.advance(200 * 86_400)
    await control.tick()
    source = world.repository.source()
    configuration, _ = source.refresh()
    assert configuration.version == 2
    assert configuration.expires > world.clock.now() + 300 * 86_400
    assert world.told(ConfigurationEvent)[-1].reason == "it would expire"
    await control.tick()
    assert source.refresh()[0].version == 2


async def test_from_tier_3_a_renewal_is_staged_once(world: World) -> None:
    control = await world.begun(3)
    world.clock.advance(200 * 86_400)
    await control.tick()
    staged = (await done(control, "status"))["staged"]
    assert staged["version"] == 2
    for _ in range(3):
        world.clock.advance(10)
        await control.tick()
    status = await done(control, "status")
    assert status["configuration"]["version"] == 1
    assert status["staged"]["payloads"] == staged["payloads"]  # so that somebody can sign it


async def test_containment_works_while_the_log_does_not_and_is_recorded_later(world: World) -> None:
    control = await world.begun()
    world.events.full = True
    result = await done(control, "stop", reason="incident")
    assert result["recorded"] is False
    source = world.repository.source()
    assert source.refresh()[1].stopped == "incident"
    for op, arguments in (
        ("resume", {}),
        ("rollback", {"version": 1}),
        ("publish", {"bundle": bundle_of(sessions__tokens=7000)}),
    ):
        assert "not recorded" in await refused(control, op, reason="later", **arguments)
    await done(control, "revoke_user", user="me", reason="incident")
    assert (await done(control, "status"))["events_not_recorded"] == 3
    world.events.full = False
    await control.tick()
    assert [event.reason for event in world.told(ConfigurationEvent)] == ["start", "incident", "incident"]
    assert len(world.told(SessionEvent)) == 1
    await done(control, "resume", reason="over")


async def test_what_waits_to_be_recorded_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "PENDING_MAX", 4)
    control = await world.begun()
    world.events.full = True
    for _ in range(4):
        await done(control, "stop", reason="incident")
    assert "too many events" in await refused(control, "stop", reason="incident")


async def test_a_crash_between_change_and_record_is_made_up_for_at_the_next_start(world: World) -> None:
    control = await world.begun()
    world.events.full = True
    await done(control, "revoke_session", session="s-1", reason="lost")
    await done(control, "stop", reason="incident")
    world.events.full = False
    await world.begun(sessions__tokens=7000)
    sessions, changes = world.told(SessionEvent), world.told(ConfigurationEvent)
    assert [(event.session_id, event.reason) for event in sessions] == [("s-1", FOUND_AT_START)]
    assert [(event.role, event.version) for event in changes] == [
        ("configuration", 1),
        ("orders", 3),
        ("configuration", 2),
    ]
    await world.begun(sessions__tokens=7000)
    assert len(world.told(ConfigurationEvent)) == 3


async def test_a_lost_memory_records_everything_again(world: World) -> None:
    await world.begun()
    (world.state / "control.json").write_bytes(b"not json")
    with pytest.raises(ConfigurationError, match=r"^damaged: .*remove it"):
        world.control()
    (world.state / "control.json").unlink()
    await world.begun()
    assert [event.version for event in world.told(ConfigurationEvent)] == [1, 1]


async def test_events_that_are_not_on_stable_storage_are_not_called_recorded(world: World) -> None:
    control = await world.begun()
    world.events.stuck = True
    assert (await done(control, "stop", reason="incident"))["recorded"] is False
    world.events.stuck = False
    await control.tick()
    restarted = await world.begun()
    assert len(world.told(ConfigurationEvent)) == 2
    assert (await done(restarted, "status"))["events_not_recorded"] == 0


async def test_a_repository_that_cannot_be_written_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = await world.begun()
    source = world.repository.source()
    source.refresh()
    world.clock.advance(150)
    with monkeypatch.context() as patched:
        patched.setattr(world.publisher, "issue", _refuses)
        await control.tick()
        assert "disk" in await refused(control, "stop", reason="drill")
    await control.tick()
    assert source.refresh()[1].expires == world.clock.now() + 300


def _refuses(_: object) -> None:
    raise ConfigurationError("the disk refused")


async def test_versions_tell_their_story(world: World) -> None:
    await world.begun(sessions__tokens=5000)
    control = await world.begun(sessions__tokens=7000)
    versions = (await done(control, "versions"))["versions"]
    assert [version["version"] for version in versions] == [1, 2]
    assert versions[1]["change"]["differences"] == ("system.sessions.tokens: 5000 → 7000",)
    json.dumps(versions)


async def test_a_change_that_has_not_reached_every_zone_says_so_and_does_later(world: World) -> None:
    """It is in force and recorded all the same; the next tick goes on."""
    control = await world.begun()
    carried, refusing = [], [True]

    async def distribute() -> None:
        if refusing[0]:
            raise ConfigurationError("the bucket does not answer")
        carried.append(world.publisher.current())

    world.publisher._distribute = distribute
    result = await done(control, "revoke_session", session="s-1", until=world.clock.now() + 60, reason="lost")
    assert (result["recorded"], result["reached"]) == (True, False)
    assert "s-1" in world.publisher.current()[1].revoked_sessions  # type: ignore[index]
    await control.tick()
    assert carried == []
    refusing[0] = False
    await control.tick()
    assert "s-1" in carried[0][1].revoked_sessions  # type: ignore[index]
    assert (await done(control, "stop", reason="drill"))["reached"] is True


async def test_a_start_that_reaches_nobody_is_refused(world: World) -> None:
    control = world.control()

    async def distribute() -> None:
        raise ConfigurationError("the bucket does not answer")

    world.publisher._distribute = distribute
    with pytest.raises(ConfigurationError, match="does not answer"):
        await control.begin(handover(bundle_of()))
