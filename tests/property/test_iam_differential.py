"""The evaluator beside an independent simulator, on generated cases; and beside AWS's documentation, case by case.

`make iam-differential` compares 20,000 decided cases, and others with another SEED; here are fewer.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caisson.assurance.iam.cases import Case, cases
from caisson.assurance.iam.decision import decide
from iam_comparison import compare, installed
from iam_differences import DIFFERENCES
from iam_documentation import SETTLED, Settled
from iam_generator import case
from iam_oddities import odd_condition, odd_elements

CASES, ODD_CASES = 1_500, 600


@pytest.fixture
def simulator() -> None:
    assert installed(), "the simulator is missing: make dev installs it, and needs Node"


@pytest.mark.usefixtures("simulator")
def test_agrees_with_the_simulator() -> None:
    comparison = compare([case(seed) for seed in range(CASES)])
    assert not comparison.unexplained, comparison.report()
    assert not comparison.failed, comparison.failed[:3]
    assert comparison.agreed.total() > 0.9 * CASES
    for outcome in ("allow", "deny_implicit", "deny_explicit"):
        assert comparison.agreed[outcome] > 0.05 * CASES, "the generator no longer makes such cases"
    assert comparison.undetermined < 0.03 * CASES


@pytest.mark.usefixtures("simulator")
def test_a_wrong_evaluator_would_be_noticed() -> None:
    """The comparison sees one flipped decision among a hundred."""
    comparison = compare([case(seed) for seed in range(100)], flip="g17")
    assert [case["id"] for case, _, _ in comparison.unexplained] == ["g17"]


@pytest.mark.usefixtures("simulator")
@pytest.mark.parametrize("made", [odd_condition, odd_elements])
def test_agrees_on_odd_input_where_it_decides(made: Callable[[int], dict[str, Any]]) -> None:
    comparison = compare([made(seed) for seed in range(ODD_CASES)])
    assert not comparison.unexplained, comparison.report()
    assert not comparison.failed, comparison.failed[:3]
    assert comparison.agreed.total() > 0.3 * ODD_CASES


@pytest.mark.parametrize("settled", SETTLED, ids=lambda settled: settled.name)
def test_what_the_documentation_settles(settled: Settled) -> None:
    read = next(cases([json.dumps({"id": settled.name, **settled.case}).encode()]))
    assert isinstance(read, Case), read.problems
    decision = decide(read.request, read.policies)
    assert decision.outcome.value == settled.decision, f"{settled.url}: {settled.says}; found {decision.reason}"


def test_the_documented_cases_are_many_and_distinct() -> None:
    assert len(SETTLED) >= 60
    assert all(re.fullmatch(r"https://docs\.aws\.amazon\.com/[\w/]+/[\w-]+\.html", one.url) for one in SETTLED)
    assert max(Counter(settled.name for settled in SETTLED).values()) == 1
    assert max(Counter(json.dumps(settled.case) for settled in SETTLED).values()) <= 2


def test_the_page_counts_them_right() -> None:
    page = (Path(__file__).parents[2] / "docs/explain.md").read_text()
    assert f"- {len(SETTLED)} requests are settled by hand" in page
    assert f"the exceptions are {('nine', 'ten', 'eleven', 'twelve')[len(DIFFERENCES) - 9]}," in page


def test_every_exception_cites_a_page() -> None:
    for difference in DIFFERENCES:
        assert difference.page.startswith("https://docs.aws.amazon.com/")
        assert difference.says
    assert len(DIFFERENCES) <= 12
