"""The architecture picture: made of the templates, whole, readable, and the one in the documentation."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from caisson.deploy.picture import architecture
from caisson.deploy.picture.drawing import BOX, MARGIN, PAD, TOP, WIDTH
from caisson.deploy.picture.relations import Relation, relations
from caisson.deploy.synthesis import PICTURE
from deployments import deployed

SVG = "{http://www.w3.org/2000/svg}"
SYSTEMS = ("one-account", "three-accounts", "example", "every-key")
RUNTIME, CONTROL, LOGGING, NETWORK = "222222222222", "111111111111", "555555555555", "666666666666"
CHARACTER_PX = 7.2
"""Width of a character at 13 px, in any of the fonts, on average over a line, on the large side."""


def texts(picture: str) -> list[str]:
    return [found.text or "" for found in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def templates() -> dict[str, Any]:
    made = deployed("example")
    return {stack["name"]: json.loads(made.files[stack["template"]]) for stack in made.manifest["stacks"]}


def told(changed: dict[str, Any]) -> set[Relation]:
    return set(relations(changed, deployed("example").manifest))


def test_the_picture_of_the_documentation_is_that_of_the_example() -> None:
    page = Path(__file__).parents[2] / "docs/architecture.svg"
    assert page.read_text(encoding="utf-8") == deployed("example").files[PICTURE], "stale: run `make picture`"


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_account_and_stack_is_in_it(name: str) -> None:
    made = deployed(name)
    said = texts(made.files[PICTURE])
    for stack in made.manifest["stacks"]:
        assert f"account {stack['account']}" in said
        assert stack["part"] in said or stack["part"].partition("-")[0] in said
    assert said.count("GuardDuty") == len({stack["account"] for stack in made.manifest["stacks"]}) - 1


@pytest.mark.parametrize("name", SYSTEMS)
def test_nothing_overlaps(name: str) -> None:
    """Boxes stand apart, lines inside of them, numbers apart from each other."""
    root = ElementTree.fromstring(deployed(name).files[PICTURE])
    boxes = [
        (float(one.attrib["x"]), float(one.attrib["y"]), float(one.attrib["height"]))
        for one in root.iter(f"{SVG}rect")
        if one.get("class") == "box"
    ]
    for x, y, height in boxes:
        assert x in (MARGIN, WIDTH - MARGIN - BOX) and y >= TOP
        assert all(ox != x or oy >= y + height or oy + oh <= y for ox, oy, oh in boxes if (ox, oy) != (x, y))
    for line in root.iter(f"{SVG}text"):
        if line.get("class") in ("dim", "part"):
            assert PAD + len(line.text or "") * CHARACTER_PX < BOX - PAD / 2
        if line.get("class") != "number":
            assert float(line.attrib["x"]) + len(line.text or "") * CHARACTER_PX < WIDTH
    dots = [(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in root.iter(f"{SVG}circle")]
    assert len(set(dots)) == len(dots)
    assert all(x != ox or abs(y - oy) >= 20 for x, y in dots for ox, oy in dots if (x, y) != (ox, oy))
    places = [(x, y, y + height) for x, y, height in boxes]
    assert all(any(x in (bx, bx + BOX) and top < y < end for bx, top, end in places) for x, y in dots)


def test_what_the_example_connects() -> None:
    found = told(templates())
    assert {
        Relation(RUNTIME, LOGGING, "the role gateway sends events to its queue"),
        Relation("333333333333", LOGGING, "the role judge sends events to its queue"),
        Relation(RUNTIME, "333333333333", "the role gateway sends what is to be evaluated to its queue"),
        Relation(RUNTIME, CONTROL, "the role gateway invokes models with its guardrails, in a pinned version"),
        Relation(RUNTIME, NETWORK, "what it sends outside passes its firewall"),
        Relation("000000000000", LOGGING, "the organization's trail goes to its bucket"),
        Relation("000000000000", CONTROL, "people enter as approver"),
        Relation(RUNTIME, LOGGING, "recordings go to its bucket"),
    } <= found
    numbers = [int(text) for text in texts(deployed("example").files[PICTURE]) if text.isdecimal()]
    assert numbers == list(range(1, len(found) + 1))


def without(made: dict[str, Any], stack: str, id_: str) -> dict[str, Any]:
    changed = copy.deepcopy(made)
    del changed[stack]["Resources"][id_]
    return changed


@pytest.mark.parametrize(
    ("stack", "id_", "lost"),
    [
        (
            "caisson-claims-eu-runtime",
            "GatewayPolicy",
            {"sends events", "sends what is to be evaluated", "invokes models", "reads configuration"},
        ),
        ("caisson-claims-eu-runtime", "Attachment", {"passes its firewall"}),
        ("caisson-claims-eu-organization", "Trail", {"trail"}),
        ("caisson-claims-eu-people", "ApproverOfApprovers", {"approver"}),
    ],
)
def test_what_is_taken_away_is_not_drawn(stack: str, id_: str, lost: set[str]) -> None:
    gone = told(templates()) - told(without(templates(), stack, id_))
    assert len(gone) == len(lost)
    assert all(any(word in one.says for one in gone) for word in lost)


def test_what_is_added_is_drawn() -> None:
    changed = templates()
    policy = changed["caisson-claims-eu-evaluation"]["Resources"]["JudgePolicy"]["Properties"]["PolicyDocument"]
    policy["Statement"].append(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{LOGGING}:role/x"}
    )
    policy["Statement"].append(
        {"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": f"arn:aws:sqs:eu-west-1:{LOGGING}:q"}
    )
    assert told(changed) - told(templates()) == {
        Relation("333333333333", LOGGING, "the role judge becomes a role of it")
    }


def test_queues_are_told_apart_where_names_are_shortened() -> None:
    said = texts(deployed("every-key").files[PICTURE])
    assert sum("sends what is to be evaluated to its queue" in line for line in said) == 1
    assert sum("gateway sends events to its queue" in line for line in said) == 1


def test_words_of_the_file_are_text() -> None:
    made = deployed("example")
    picture = architecture(made.files, {**made.manifest, "system": '<script>"&'})
    assert "<script>" not in picture
    assert texts(picture)[0] == 'Caisson system <script>"&, tier 3'
    assert ElementTree.fromstring(picture).attrib["aria-label"] == 'Caisson system <script>"&, tier 3'


def test_it_loads_nothing() -> None:
    picture = deployed("example").files[PICTURE]
    assert re.findall(r"https?://[^\"]+", picture) == ["http://www.w3.org/2000/svg"]
