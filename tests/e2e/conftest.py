"""Systems that run while the tests of a module do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from running_system import ROOT, Running, start


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The example on the offline upstream."""
    running = start(tmp_path_factory.mktemp("claims"))
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The example on the script that plays a hostile model."""
    running = start(
        tmp_path_factory.mktemp("hostile"), "--upstream", f"script={ROOT}/examples/claims/scripts/hostile.yaml"
    )
    yield running
    assert running.stop() == 0
