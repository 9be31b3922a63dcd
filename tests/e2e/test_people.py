"""`up` with NAME and ADDRESS in the system file: what the model, the client and the record see (DAT-03, DAT-06)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from running_system import MODEL, Running, start, system_file

SCRIPT = """
caisson_script: 1
rules:
  - when: {contains: "who wrote"}
    answer: {text: "My name is Anna Schmidt, I live at 12 Main Street, Springfield.", cut: {every: 3}}
default:
  answer: {text: "You said: {{last_user}}", cut: {every: 5}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("people")
    (folder / "script.yaml").write_text(SCRIPT)
    main = {"prompt_attack": "medium", "pii": {"NAME": "pseudonymise", "ADDRESS": "pseudonymise", "AGE": "flag"}}
    started = start(
        folder, "--upstream", f"script={folder / 'script.yaml'}", system=system_file(folder, guardrails={"main": main})
    )
    yield started
    started.stop()


def asked(text: str) -> dict[str, Any]:
    return {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": text}]}]}


def whole(running: Running, text: str) -> str:
    answer = running.client().converse(**asked(text))
    return str(answer["output"]["message"]["content"][0]["text"])


def streamed(running: Running, text: str) -> str:
    events = running.client().converse_stream(**asked(text))["stream"]
    return "".join(event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event)


@pytest.mark.parametrize("way", [whole, streamed])
def test_a_model_s_names_are_replaced(running: Running, way: Any) -> None:
    said = way(running, "Please say who wrote the letter.")
    assert "Anna" not in said and "Main" not in said
    assert said.startswith("My name is [NAME_") and ", I live at [ADDRESS_" in said


@pytest.mark.parametrize("way", [whole, streamed])
def test_a_user_s_own_name_comes_back(running: Running, way: Any) -> None:
    text = "My name is Peter Miller, of 7 High Street, Springfield."
    assert way(running, text) == f"You said: {text}"


def test_the_record_says_what_was_replaced(running: Running) -> None:
    whole(running, "My name is Peter Miller.")

    def rules(events: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
        return {
            (action["stage"], action["rule"], action["decision"])
            for event in events
            for action in event.get("guardrail_actions", ())
        }

    wanted = ("input", "people.NAME", "masked")
    assert wanted in rules(running.events(until=lambda events: wanted in rules(events)))
