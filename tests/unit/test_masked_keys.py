"""Keys that masking makes the same stay apart, in time that grows with their number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from caisson.zones.z2_runtime.masked_keys import MaskedKeys


@given(st.lists(st.sampled_from(["a", "a_", "a_2", "a_3", "b"])))
def test_every_key_is_its_own_and_the_first_is_unchanged(keys: list[str]) -> None:
    made = MaskedKeys()
    own = [made.of(key) for key in keys]
    assert len(set(own)) == len(keys)
    assert all(new.startswith(key) for new, key in zip(own, keys, strict=True))
    assert own[:1] == keys[:1]


def test_many_that_become_the_same_take_linear_work() -> None:
    class Counting(set[str]):
        asked = 0

        def __contains__(self, item: object) -> bool:
            self.asked += 1
            return super().__contains__(item)

    made = MaskedKeys()
    taken = made._taken = Counting()
    for _ in range(5_000):
        made.of("[EMAIL_7f3a9c]")
    assert taken.asked <= 4 * 5_000
