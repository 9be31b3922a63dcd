"""The upper bound is one, the estimate is below it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from caisson.policy.tokens import TOOLS_OVERHEAD_TOKENS, estimate_tokens, worst_case_input_tokens
from caisson.ports.model import ModelRequest


def prompt(*texts: str, tools: bool = False) -> ModelRequest:
    return ModelRequest(
        request_id="r",
        model_id="m",
        system=({"text": texts[0]},),
        messages=tuple({"role": "user", "content": [{"text": text}]} for text in texts[1:]),
        output_tokens_max=1,
        tools={"tools": []} if tools else None,
    )


@given(st.lists(st.text(), min_size=1))
def test_the_bound_is_at_least_one_token_a_byte(texts: list[str]) -> None:
    bound = worst_case_input_tokens(prompt(*texts))
    assert bound >= sum(len(text.encode()) for text in texts)
    assert bound >= sum(map(estimate_tokens, texts))
    assert worst_case_input_tokens(prompt(*texts, tools=True)) >= bound + TOOLS_OVERHEAD_TOKENS


@given(st.text(), st.text())
def test_the_estimate_grows_with_the_text(one: str, other: str) -> None:
    assert max(estimate_tokens(one), estimate_tokens(other)) <= estimate_tokens(one + other)
    assert estimate_tokens(one + other) <= estimate_tokens(one) + estimate_tokens(other)
    assert (estimate_tokens(one) == 0) == (one == "")
