"""The conformance matrix: in every cell the wire and the record say the same, and what the rule promises.

`docs/conformance.md` is this matrix as it was found; `CAISSON_WRITE=1 pytest tests/e2e/test_conformance.py` writes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import COUNT_TOKENS, INPUTS, OUTPUTS, ROUTES, RULES, Cell, Upstream, cells, in_the_record, on_the_wire
from running_system import ENOUGH, ROOT, Running, start, system_file
from wire import Connection, plain, signed

PAGE = ROOT / "docs/conformance.md"
HEAD = """# Conformance matrix

Every route, mode, place and kind of rule, found by `tests/e2e/test_conformance.py` on a running system. In each cell
the wire (what reached the model, what reached the client) and the record (`caisson logs query`) said the same; a cell
in which they differ, or a rule did not do what it promises, fails the test. Streams were cut after every third
character.

- **blocked**: the model was not asked, or the answer ended before the value; the client got the guardrail's message.
- **masked**: the value was replaced before it left. **removed**: the reasoning block that held it was taken out.
- **passed**: inspected, nothing to find, unchanged. **counted**: inspected; nothing but a number leaves.
- –: the dialect has no such place.

"""
Found = dict[tuple[str, str, str, str], str]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as made:
        yield made


@pytest.fixture(scope="module")
def running(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("conformance")
    agents = {"small": {"model": "small", "guardrail": "main", "tasks": {"answer": {}}}}
    system = system_file(folder, tier=1, agents=agents, **ENOUGH)  # tier 1: clients may bring tools
    made = start(folder, "--upstream", f"openai={upstream.url}", system=system)
    yield made
    assert made.stop() == 0


def asked(running: Running, token: str, cell: Cell) -> bytes:
    route = cell.route
    body = json.dumps(route.body({cell.place: cell.text} if cell.direction == "input" else {})).encode()
    if not route.bearer:
        credentials = running.session("claims" if route.model != "amazon.nova-lite-v1:0" else "small")
        return signed(credentials, "POST", route.target, body)
    lines = {
        "host": f"localhost:{running.port}", "authorization": f"Bearer {token}", "content-type": "application/json",
        "content-length": str(len(body)),
    }  # fmt: skip
    return plain("POST", route.target, body, lines)


@pytest.fixture(scope="module")
def found(running: Running, upstream: Upstream) -> tuple[list[Cell], list[str], list[str]]:
    """Cells, what the wire showed, and what the record says."""
    token = running.cli(
        "session", "new", "--user", "alice", "--agent", "claims", "--task", "answer", "--format", "bearer"
    ).stdout.strip()
    every, wires, ids = list(cells()), [], []
    connection = Connection.to(running)
    for cell in every:
        upstream.place, upstream.text = (cell.place, cell.text) if cell.direction == "output" else ("text", "Good day.")
        upstream.received.clear()
        answer = connection.ask(asked(running, token, cell))
        if answer.closed:
            connection = Connection.to(running)
        wires.append(on_the_wire(cell, answer, upstream.received))
        ids.append(answer.headers["x-caisson-request-id"])
    wanted = set(ids)
    events = running.events(
        "--limit", str(4 * len(every)), seconds=60,
        until=lambda events: sum(event.get("request_id") in wanted for event in events) == 2 * len(wanted),
    )  # fmt: skip
    by_request: dict[str, list[dict[str, object]]] = {}
    for event in events:
        by_request.setdefault(str(event.get("request_id")), []).append(event)
    records = [
        in_the_record(cell, sorted(by_request.get(request_id, []), key=lambda event: str(event["kind"])))
        for cell, request_id in zip(every, ids, strict=True)
    ]
    return every, wires, records


def shown(cell: Cell, wire: str, record: str) -> str:
    rule = f"{cell.route.name}, {cell.direction} {cell.place}, {cell.rule.name}"
    return f"{rule}: expected {cell.expected}, wire: {wire}, record: {record}"


def test_wire_and_record_say_the_same_and_what_the_rule_promises(
    found: tuple[list[Cell], list[str], list[str]],
) -> None:
    wrong = [
        shown(cell, wire, record)
        for cell, wire, record in zip(*found, strict=True)
        if not wire == record == cell.expected
        and not (cell.route is COUNT_TOKENS and wire == "counted" and record in ("counted", "passed"))
    ]
    assert wrong == []


def test_no_cell_is_missing(found: tuple[list[Cell], list[str], list[str]]) -> None:
    every = {(cell.route.name, cell.direction, cell.place, cell.rule.name) for cell in found[0]}
    without = {(route.name, place) for route in ROUTES for place in INPUTS if route.body({place: ""}) is None}
    assert without == {("chat completions", "document"), ("chat completions, streamed", "document")}
    expected = len(ROUTES) * len(RULES) * (len(INPUTS) + len(OUTPUTS)) - len(without) * len(RULES) + len(RULES)
    assert len(every) == len(found[0]) == expected


def page(found: tuple[list[Cell], list[str], list[str]]) -> str:
    results: Found = {
        (cell.route.name, cell.direction, cell.place, cell.rule.name): wire
        for cell, wire in zip(found[0], found[1], strict=True)
    }
    lines = [HEAD]
    for route in (*ROUTES, COUNT_TOKENS):
        lines += [f"## {route.name}\n", "| Place | " + " | ".join(rule.name for rule in RULES) + " |"]
        lines.append("|---" * (len(RULES) + 1) + "|")
        for direction, places in (("input", INPUTS), ("output", OUTPUTS)):
            for place in places:
                row = [results.get((route.name, direction, place, rule.name), "–") for rule in RULES]
                if set(row) != {"–"} or route is not COUNT_TOKENS:
                    lines.append(f"| {direction}: {place} | " + " | ".join(row) + " |")
        lines.append("")
    return "\n".join(lines)


def test_the_page_says_what_was_found(found: tuple[list[Cell], list[str], list[str]]) -> None:
    if os.environ.get("CAISSON_WRITE"):
        Path(PAGE).write_text(page(found))
    assert PAGE.read_text() == page(found)
