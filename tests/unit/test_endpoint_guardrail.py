"""What a guardrail of the endpoint decides, and what a prompt cache did, on the request path (LOG-02, SESS-01)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import ParamValidator
from msgspec.structs import replace

from bedrock_model import SERVICE
from caisson.channels.messages import GuardrailAction, ResponseEvent
from caisson.policy.prices import Prices, Tokens
from caisson.ports.model import ModelAnswer, ModelRequest, PinnedGuardrail, Usage
from caisson.system.loader import parse_system
from caisson.system.schema import System
from caisson.zones.z2_runtime import pipeline
from caisson.zones.z2_runtime.dialects.assessment import assessment
from caisson.zones.z2_runtime.operations import Operation
from request_path import MODEL, FakeModel, made_exchange, made_runtime
from system_files import minimal, text_of

BLOCK = GuardrailAction(
    guardrail_id="gr1", guardrail_version="3", stage="output", decision="blocked", rule="topics.legal"
)
USAGE = Usage(input_tokens=105, output_tokens=3, cached_input_tokens=100)


class GuardedModel(FakeModel):
    """Its endpoint has a guardrail and a prompt cache."""

    async def converse(self, request: ModelRequest) -> ModelAnswer:
        self.requests.append(request)
        return ModelAnswer(
            content=({"text": "Sorry."},),
            stop_reason="guardrail_intervened",
            usage=USAGE,
            latency_ms=1,
            guardrail_actions=(BLOCK,),
        )

    async def converse_stream(self, request: ModelRequest) -> AsyncGenerator[dict[str, Any], None]:
        self.requests.append(request)
        usage = {"inputTokens": 105, "outputTokens": 3, "totalTokens": 108, "cachedInputTokens": 100}
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Sorry."}}}
        yield {"contentBlockStop": {"contentBlockIndex": 0}}
        yield {"messageStop": {"stopReason": "guardrail_intervened"}}
        yield {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}, "guardrailActions": (BLOCK,)}}


@pytest.fixture
def system() -> System:
    changes = {
        "models": {"assistant": {"id": MODEL}},
        "guardrails__main__aws": {"id": "gr1", "version": 3},
    }
    document = minimal(**changes)
    (agent,) = document["agents"].values()
    document["agents"] = {"claims": {**agent, "model": "assistant", "tasks": {"answer": {}}}}
    return parse_system(text_of(document).encode(), name="f").require()


@pytest.mark.parametrize("streams", [False, True])
async def test_a_block_of_the_endpoints_guardrail_is_the_records_block(
    tmp_path: Path, system: System, streams: bool
) -> None:
    model = GuardedModel()
    runtime = await made_runtime(tmp_path, system, model)
    operation = Operation.CONVERSE_STREAM if streams else Operation.CONVERSE
    exchange = made_exchange(runtime, operation=operation)
    assert await pipeline.admit(exchange) is None
    if streams:
        left = [event async for event in pipeline.stream(exchange)]
        # The client reads what it always reads.
        assert set(left[-1]["metadata"]) == {"usage", "metrics"}
        assert set(left[-1]["metadata"]["usage"]) == {"inputTokens", "outputTokens", "totalTokens"}
    else:
        assert await pipeline.answer(exchange) is None
    assert model.requests[0].guardrail == PinnedGuardrail(identifier="gr1", version="3")
    response = runtime.events.messages[-1]  # type: ignore[attr-defined]
    assert isinstance(response, ResponseEvent)
    assert (response.outcome, response.rule, response.input_tokens) == ("blocked", "topics.legal", 105)
    assert BLOCK in response.guardrail_actions
    assert response.cost_usd is None  # a cache has prices that the table does not know
    balance = await runtime.ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert balance.tokens_used == 108


def test_a_client_that_asks_for_the_trace_reads_them_in_bedrocks_shape() -> None:
    rows = [replace(BLOCK, rule=rule) for rule in ("topics.legal", "content.HATE", "injection.aws", "pii.NAME")]
    shown = assessment(rows, guarded=1, total=1)
    assert [found["name"] for found in shown["topicPolicy"]["topics"]] == ["legal"]
    assert [found["type"] for found in shown["contentPolicy"]["filters"]] == ["HATE", "PROMPT_ATTACK"]
    shape = SERVICE.shape_for("GuardrailAssessment")
    shown["sensitiveInformationPolicy"].setdefault("regexes", [])
    report = ParamValidator().validate(shown, shape)
    assert not report.has_errors(), report.generate_report()


def test_cached_tokens_have_no_price_here() -> None:
    known = Prices.load("eu-west-1").cost_micro_usd
    assert known(MODEL, Tokens(input_tokens=10, output_tokens=1)) is not None
    assert known(MODEL, Tokens(input_tokens=10, output_tokens=1, cached_input_tokens=1)) is None


async def test_whether_a_model_follows_is_told_to_the_guardrail(tmp_path: Path, system: System) -> None:
    runtime = await made_runtime(tmp_path, system, GuardedModel())
    for operation, follows in ((Operation.CONVERSE, True), (Operation.COUNT_TOKENS, False)):
        exchange = made_exchange(runtime, operation=operation, request_id=operation.value)
        assert await pipeline.admit(exchange) is None
        assert exchange.context is not None
        assert exchange.context.model_follows is follows


@pytest.mark.parametrize(
    ("aws", "where"),
    [
        ({"id": "gr1", "version": 0}, "version"),
        ({"id": "gr1", "version": "DRAFT"}, "version"),
        ({"id": "GR 1", "version": 1}, "id"),
        ({"id": "arn:aws:bedrock:eu-west-1:1:guardrail/gr1", "version": 1}, "id"),
        ({"id": "gr1"}, "version"),
    ],
)
def test_a_guardrail_that_is_not_pinned_is_refused(aws: dict[str, Any], where: str) -> None:
    found = parse_system(text_of(minimal(guardrails__main__aws=aws)).encode(), name="f")
    assert found.system is None
    assert any(where in problem.message for problem in found.problems)


def test_a_guardrail_that_only_detects_has_none_on_aws_that_acts() -> None:
    trial = {"mode": "detect", "because": "a trial", "until": "2999-01-01", "aws": {"id": "gr1", "version": 1}}
    changes = {f"guardrails__main__{key}": value for key, value in trial.items()}
    found = parse_system(text_of(minimal(**changes)).encode(), name="f")
    assert any("expected no guardrail of AWS beside mode: detect" in problem.message for problem in found.problems)
    del changes["guardrails__main__aws"]
    assert parse_system(text_of(minimal(**changes)).encode(), name="f").system is not None
