"""Systems that run while the tests of a module do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from running_system import ENOUGH, ROOT, Running, start, system_file


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The example on the offline upstream."""
    running = start(tmp_path_factory.mktemp("claims"))
    yield running
    assert running.stop() == 0, running.log.read_text()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The example on the offline upstream, with limits for machines."""
    folder = tmp_path_factory.mktemp("busy")
    running = start(folder, system=system_file(folder, **ENOUGH))
    yield running
    assert running.stop() == 0, running.log.read_text()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The example on the script that plays a hostile model, with a second agent on a model of another dialect."""
    folder = tmp_path_factory.mktemp("hostile")
    agents = {"small": {"model": "small", "guardrail": "main", "tasks": {"answer": {}}}}
    script = f"script={ROOT}/examples/claims/scripts/hostile.yaml"
    running = start(folder, "--upstream", script, system=system_file(folder, agents=agents, **ENOUGH))
    yield running
    assert running.stop() == 0, running.log.read_text()
