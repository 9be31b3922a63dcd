"""A pseudonym in tool arguments becomes the user's own value only where the system file declares its type (DAT-03)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.policy.client_tools import schema_sha256
from caisson.zones.z2_runtime import pipeline
from caisson.zones.z2_runtime.exchange import Exchange
from request_path import FakeModel, made_exchange, made_runtime, made_system

SCHEMA = {"type": "object", "properties": {"to": {"type": "string", "pattern": "@"}}}
MAIL = "alice@example.com"
USER = f"Write to {MAIL}, my claim is CLM-12345678, my key AKIAIOSFODNN7EXAMPLE"
KEYS: dict[str, Any] = {
    "pii": {"EMAIL": "pseudonymise", "PHONE": "pseudonymise"},
    "patterns": [{"name": "claim-id", "regex": r"CLM-\d{8}", "action": "pseudonymise"}],
}


async def asked(
    folder: Path, restore: dict[str, str], arguments: Any, *, document: bool = False
) -> tuple[Any, Exchange]:
    """What leaves of arguments in which `EMAIL`, `CLAIM` and `KEY` stand for what the model saw instead."""
    tools = {"send": {"schema_sha256": schema_sha256(SCHEMA), "restore": restore}}
    system = made_system(2, client_tools=tools, **KEYS)
    model = FakeModel()
    runtime = await made_runtime(folder, system, model)
    runtime.snapshot = type(runtime.snapshot).of(version=1, system=system, guardrail=EmbeddedGuardrail(system, 1))
    content: list[Any] = [{"text": USER}]
    if document:
        content = [{"text": "Write."}, {"document": {"name": "d", "format": "txt", "source": {"text": USER}}}]
    spec = {"toolSpec": {"name": "send", "inputSchema": {"json": SCHEMA}}}
    body = {"messages": [{"role": "user", "content": content}], "toolConfig": {"tools": [spec]}}
    exchange = made_exchange(runtime, orjson.dumps(body))
    assert await pipeline.admit(exchange) is None
    seen = exchange.known()[0].parts()[2 if document else 0].text.split()
    stand_ins = {"EMAIL": seen[2].strip(","), "CLAIM": seen[6].strip(","), "KEY": seen[-1]}
    assert all(text.startswith("[") for text in stand_ins.values()), seen
    text = orjson.dumps(arguments).decode()
    for name, pseudonym in stand_ins.items():
        text = text.replace(f"<{name}>", pseudonym)
    model.content = ({"toolUse": {"toolUseId": "u", "name": "send", "input": orjson.loads(text)}},)
    assert await pipeline.answer(exchange) is None
    assert exchange.answer is not None
    used = [block["toolUse"]["input"] for block in exchange.answer.content if "toolUse" in block]
    return (used[0] if used else None), exchange


async def test_a_declared_argument_gets_the_users_value_and_then_fits_its_schema(tmp_path: Path) -> None:
    left, _ = await asked(tmp_path, {"to": "EMAIL", "claim": "claim-id"}, {"to": "<EMAIL>", "claim": "<CLAIM>"})
    assert left == {"to": MAIL, "claim": "CLM-12345678"}


async def test_undeclared_it_stays_and_the_schema_stops_the_call(tmp_path: Path) -> None:
    left, exchange = await asked(tmp_path, {}, {"to": "<EMAIL>"})
    assert left is None
    assert exchange.blocked is not None
    assert exchange.blocked.rule == "tools.arguments"


@pytest.mark.parametrize(
    "arguments",
    [
        {"body": "<EMAIL>"},
        {"claim": "to <CLAIM>"},
        {"claim": "https://x.example/<CLAIM>"},
        {"claim": ["<CLAIM>"]},
        {"claim": {"claim": "<CLAIM>"}},
        {"claim": "<EMAIL>"},
        {"claim": "<KEY>"},
        {"<CLAIM>": "claim"},
    ],
)
async def test_nowhere_else(tmp_path: Path, arguments: Any) -> None:
    left, _ = await asked(tmp_path, {"to": "EMAIL", "claim": "claim-id", "key": "PHONE"}, arguments)
    shown = orjson.dumps(left).decode()
    assert left is not None
    assert MAIL not in shown
    assert "12345678" not in shown
    assert "AKIA" not in shown


async def test_a_documents_value_is_nobodys_own(tmp_path: Path) -> None:
    left, _ = await asked(tmp_path, {"claim": "claim-id"}, {"claim": "<CLAIM>"}, document=True)
    assert left["claim"].startswith("[CLAIM_ID_")
