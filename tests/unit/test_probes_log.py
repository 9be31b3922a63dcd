"""The log's checks on a real log: whole as it is, broken when it was changed or when its verifier looks away."""

from __future__ import annotations

from pathlib import Path

import pytest

from caisson.adapters.embedded.keys import FileKeys
from caisson.assurance.probes import CHECKS, log, run
from caisson.assurance.probes.target import Target
from caisson.assurance.verdict import Verdict
from caisson.ports.archive import ArchiveReader
from caisson.ports.channel import Item
from caisson.zones.z6_logging import verify as verifier
from caisson.zones.z6_logging.checkpoints import parse_note
from caisson.zones.z6_logging.verify import Anchor
from lax_system import system
from logging_zone import LOG_KEY, START, Run, Zone


class LogTarget(Target):
    """A system of which there is the log alone."""

    zone_: Zone

    def archive(self) -> ArchiveReader:
        return self.zone_.reader()

    def log_keys(self) -> list[bytes]:
        return [LOG_KEY]


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LogTarget:
    zone = Zone(tmp_path / "zone")
    writer = Run()
    items: list[Item] = [item for number in range(6) for item in writer.exchange(number)]
    zone.take(items[:4])
    zone.take([*items[4:], writer.head(closed=True)])
    data = tmp_path / "data"
    keys = data / "zones" / "runtime" / "keys"
    keys.mkdir(parents=True, mode=0o700)
    FileKeys.create(keys, signing=("events",))
    made = LogTarget(system=system(), data=data, clock=lambda: START + 10_000)
    made.zone_ = zone
    kept = [parse_note(note) for note in zone.reader().checkpoints()]
    anchors = [Anchor(checkpoint=checkpoint, signature=signature) for checkpoint, signature in kept]
    monkeypatch.setattr(log, "_anchors", lambda _target, _archive: anchors)
    return made


def test_without_anchors_nothing_is_shown(target: LogTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that was cut back to an older checkpoint cannot be told from an older log."""
    monkeypatch.setattr(log, "_anchors", lambda _target, _archive: [])
    assert run(CHECKS["log.whole"], target).verdict is Verdict.UNDETERMINED


def test_an_honest_log_is_whole_and_every_change_is_noticed(target: LogTarget) -> None:
    assert run(CHECKS["log.whole"], target).verdict is Verdict.HOLDS
    outcome = run(CHECKS["log.tamper"], target)
    assert [step.did for step in outcome.steps if step.verdict is not Verdict.HOLDS] == []
    assert any("older checkpoint" in step.did for step in outcome.steps)


def test_a_file_that_was_changed(target: LogTarget) -> None:
    path = min(target.zone_.archive_folder.rglob("*.journal"))
    content = path.read_bytes()
    path.write_bytes(
        content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1]) + content[len(content) // 2 + 1 :]
    )
    outcome = run(CHECKS["log.whole"], target)
    assert outcome.verdict is Verdict.BROKEN
    assert run(CHECKS["log.tamper"], target).verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize("defence", ["_check_entry", "_check_tree", "_signed_by_any"])
def test_a_verifier_that_looks_away(target: LogTarget, monkeypatch: pytest.MonkeyPatch, defence: str) -> None:
    blind = {
        "_check_entry": lambda entry, _leaves, order, _chains, _problems: order.take(entry.index),
        "_check_tree": lambda leaves, _claims, _problems: (len(leaves) // 32, b""),
        "_signed_by_any": lambda *_: True,
    }
    before = {step.did for step in run(CHECKS["log.tamper"], target).steps if step.verdict is Verdict.BROKEN}
    monkeypatch.setattr(verifier, defence, blind[defence])
    if defence == "_signed_by_any":  # the root is compared as well, so both must look away
        monkeypatch.setattr(verifier, "_check_tree", blind["_check_tree"])
    outcome = run(CHECKS["log.tamper"], target)
    after = {step.did for step in outcome.steps if step.verdict is Verdict.BROKEN}
    assert outcome.verdict is Verdict.BROKEN
    assert after - before
