"""Three-valued logic, against every way in which the unknown parts could turn out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.assurance.iam.truth import NO, YES, Truth, agreed, every, negated, of, some, unknown

parts = st.lists(st.one_of(st.just(YES), st.just(NO), st.text(max_size=3).map(unknown)), max_size=5)


def turnouts(values: list[Truth]) -> Iterable[tuple[bool, ...]]:
    """Every reading in which each unknown is a yes or a no."""
    return product(*((True, False) if part.value is None else (part.value,) for part in values))


@pytest.mark.parametrize(("combined", "meaning"), [(every, all), (some, any)])
@given(values=parts)
def test_known_exactly_when_all_turnouts_agree(
    combined: Callable[[Iterable[Truth]], Truth], meaning: Callable[[Iterable[bool]], bool], values: list[Truth]
) -> None:
    possible = {meaning(turnout) for turnout in turnouts(values)}
    found = combined(values)
    assert found.value is (possible.pop() if len(possible) == 1 else None)


@given(parts)
def test_reasons_are_those_of_the_unknown_parts(values: list[Truth]) -> None:
    found = every(values)
    assert set(found.reasons) <= {reason for part in values for reason in part.reasons}
    assert bool(found.reasons) is (found.value is None)


@given(parts)
def test_not_every_is_some_not(values: list[Truth]) -> None:
    assert negated(every(values)) == some(negated(part) for part in values)


@pytest.mark.parametrize(("first", "second"), [*product((YES, NO, unknown("a")), repeat=2)])
def test_two_readings_agree_or_are_unknown(first: Truth, second: Truth) -> None:
    found = agreed(first, second, "read in two ways")
    if first.value is not None and first.value is second.value:
        assert found == of(first.value)
    else:
        assert found.value is None
        assert "read in two ways" in found.reasons
