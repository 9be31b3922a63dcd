"""The upper bound is one, the estimate is below it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from caisson.policy.tokens import (
    MEDIA_TOKENS_MAX,
    TOOLS_OVERHEAD_TOKENS,
    estimate_tokens,
    media_tokens,
    worst_case_input_tokens,
)
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


def test_media_cost_what_they_may_and_not_their_bytes() -> None:
    image = {"image": {"format": "png", "source": {"bytes": "A" * 4_000_000}}}
    film = {"video": {"format": "mp4", "source": {"bytes": "A"}}}
    given = prompt("s", "hi")
    plain = worst_case_input_tokens(given)
    given.messages[0]["content"].append(image)
    one = worst_case_input_tokens(given)
    assert plain + MEDIA_TOKENS_MAX["image"] <= one < plain + MEDIA_TOKENS_MAX["image"] + 100
    given.messages[0]["content"].append(
        {"toolResult": {"toolUseId": "a", "content": [image, film, {"text": "t" * 500}]}}
    )
    two = worst_case_input_tokens(given)
    assert two >= one + MEDIA_TOKENS_MAX["image"] + MEDIA_TOKENS_MAX["video"] + 500
    assert media_tokens(given.messages) == 2 * MEDIA_TOKENS_MAX["image"] + MEDIA_TOKENS_MAX["video"]
    assert given.messages[0]["content"][1] is image
