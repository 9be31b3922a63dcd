"""The evaluator beside an independent simulator, on generated cases; and beside AWS's documentation, case by case.

`make iam-differential` compares 20,000 decided cases; here are fewer, and others each day.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from caisson.assurance.iam.cases import Case, cases
from caisson.assurance.iam.decision import decide
from iam_comparison import compare, installed
from iam_differences import DIFFERENCES
from iam_documentation import SETTLED, Settled

CASES = 1_500
needs_simulator = pytest.mark.skipif(not installed(), reason="make dev installs the simulator, which needs Node")


@needs_simulator
def test_agrees_with_the_simulator() -> None:
    first = datetime.now(UTC).toordinal() * 100_000
    comparison = compare(range(first, first + CASES))
    assert not comparison.unexplained, comparison.report()
    assert not comparison.failed, comparison.failed[:3]
    assert comparison.agreed.total() > 0.9 * CASES
    for outcome in ("allow", "deny_implicit", "deny_explicit"):
        assert comparison.agreed[outcome] > 0.05 * CASES, "the generator no longer makes such cases"
    assert comparison.undetermined < 0.03 * CASES


@needs_simulator
def test_a_wrong_evaluator_would_be_noticed() -> None:
    """The comparison sees one flipped decision among a hundred."""
    comparison = compare(range(100), flip=17)
    assert [case["id"] for case, _, _ in comparison.unexplained] == ["g17"]


@pytest.mark.parametrize("settled", SETTLED, ids=lambda settled: settled.name)
def test_what_the_documentation_settles(settled: Settled) -> None:
    read = next(cases([json.dumps({"id": settled.name, **settled.case}).encode()]))
    assert isinstance(read, Case), read.problems
    decision = decide(read.request, read.policies)
    assert decision.outcome.value == settled.decision, f"{settled.page}: {settled.says}; found {decision.reason}"


def test_the_documented_cases_are_many_and_distinct() -> None:
    assert len(SETTLED) >= 60
    assert max(Counter(settled.name for settled in SETTLED).values()) == 1
    assert max(Counter(json.dumps(settled.case) for settled in SETTLED).values()) <= 2


def test_every_exception_cites_a_page() -> None:
    for difference in DIFFERENCES:
        assert difference.page.startswith("https://docs.aws.amazon.com/")
        assert difference.says
    assert len(DIFFERENCES) <= 10
