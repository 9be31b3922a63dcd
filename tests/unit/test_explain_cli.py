"""`caisson explain`: what it prints, and what it refuses with file, line and pointer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from caisson.assurance.iam import cases as reading
from caisson.cli.explain import explain as command
from iam_documentation import ALLOW_ALL, NOTHING, case, granting, policy, statement, when

app = typer.Typer()
app.command()(command)

ROOT = Path(__file__).parents[2]
ALLOWED = {"id": "allowed", **case(identity_policies=[policy(statement(Sid="Read"))])}
DENIED = {"id": "denied", **case(identity_policies=[ALLOW_ALL, policy(statement("Deny", Sid="Never"))])}
REFUSED = {"id": "refused", **case(identity_policies=[NOTHING])}
DOUBTED = {"id": "doubted", **when({"StringAlmostEquals": {"a": "b"}})}


def explain(folder: Path, *lines: Any, json_: bool = True) -> Result:
    """Write a file of cases and run the command on it. Text and bytes are lines as they are."""
    file = folder / "cases.jsonl"
    raw = [line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
           for line in lines]  # fmt: skip
    file.write_bytes(b"\n".join(raw) + b"\n")
    return CliRunner().invoke(app, [str(file), *(["--json"] if json_ else [])])


def answers(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_answer_a_case_in_order(tmp_path: Path) -> None:
    result = explain(tmp_path, ALLOWED, "", DENIED, REFUSED)
    assert (result.exit_code, result.stderr) == (0, "")
    assert answers(result) == [
        {
            "id": "allowed", "decision": "allow", "reason": "allowed by identity_policies; nothing denies it",
            "statements": [{"at": "/identity_policies/0/Statement/0", "sid": "Read", "effect": "Allow"}],
        },
        {
            "id": "denied", "decision": "deny_explicit", "reason": "denied by identity_policies",
            "statements": [{"at": "/identity_policies/1/Statement/0", "sid": "Never", "effect": "Deny"}],
        },
        {
            "id": "refused", "decision": "deny_implicit", "statements": [],
            "reason": "there is no resource_policy; no statement of identity_policies allows it",
        },
    ]  # fmt: skip


def test_an_undetermined_case_exits_3(tmp_path: Path) -> None:
    result = explain(tmp_path, ALLOWED, DOUBTED)
    assert result.exit_code == 3
    assert answers(result)[1]["decision"] == "undetermined"
    assert "StringAlmostEquals" in answers(result)[1]["reason"]


def test_for_people(tmp_path: Path) -> None:
    result = explain(tmp_path, DENIED, {**ALLOWED, "id": "\x1b[31mred"}, json_=False)
    assert result.exit_code == 0
    assert "denied  deny_explicit" in result.stdout
    assert "Deny /identity_policies/1/Statement/0 (Never)" in result.stdout
    assert "\x1b" not in result.stdout


def without(key: str) -> dict[str, Any]:
    return {**ALLOWED, "request": {name: found for name, found in ALLOWED["request"].items() if name != key}}


def asking(**changes: Any) -> dict[str, Any]:
    return {**ALLOWED, "request": ALLOWED["request"] | changes}


TWICE = json.dumps(ALLOWED)[:-1] + ', "id": "again"}'
DEEP_TWICE = json.dumps(ALLOWED).replace('"Sid": "Read"', '"Sid": "Read", "Sid": "Read"')
WRONG = [
    ("not json", "/: expected JSON"),
    ("[1]", "/: expected an object, found a list"),
    ("NaN", "/: expected JSON, found NaN"),
    ("[" * 100_000, "/: expected JSON of sensible depth"),
    (b'{"id": "\xff"}', "/: expected UTF-8, found byte 0xff at byte 8"),
    (TWICE, "/id: expected each key once"),
    (DEEP_TWICE, "/identity_policies/0/Statement/0/Sid: expected each key once"),
    ({**ALLOWED, "identity_policy": None}, "/identity_policy: expected one of id, request"),
    ({key: found for key, found in ALLOWED.items() if key != "id"}, "/id: expected text or an integer, found none"),
    ({**ALLOWED, "id": 1.5}, "/id: expected text or an integer, found the number 1.5"),
    ({"id": "x"}, "/request: expected an object, found null"),
    (without("principal"), "/request/principal: expected text, found none"),
    (without("action"), "/request/action: expected text, found none"),
    (without("resource"), "/request/resource: expected text, found none"),
    (without("resource_account"), "/request/resource_account: expected text, found none"),
    (asking(account="1"), "/request/account: expected one of principal"),
    (asking(principal="ana"), "/request/principal: expected the ARN of a user"),
    (asking(principal="arn:aws:iam::111122223333:group/all"), "/request/principal: expected the ARN of a user"),
    (asking(principal="arn:aws:iam::111122223333:user/*"), "/request/principal: expected the ARN of a user"),
    (asking(principal=111122223333), "/request/principal: expected text, found the number"),
    (asking(action="s3:Get*"), "/request/action: expected one action"),
    (asking(action="GetObject"), "/request/action: expected one action"),
    (asking(resource="arn:aws:s3:::records/*"), "/request/resource: expected one ARN, without wildcards"),
    (asking(resource="records"), "/request/resource: expected one ARN"),
    (asking(resource_account="1111"), "/request/resource_account: expected twelve digits"),
    (asking(context=[]), "/request/context: expected an object of condition keys"),
    (asking(context={"a": ["x"] * 1_001}), "/request/context/a: expected at most 1,000 values, found 1,001"),
    (asking(context={"a/b": None}), "/request/context/a~1b: expected text, a number"),
    (asking(context={"a": ["x", {}]}), "/request/context/a/1: expected text, a number"),
    (asking(context={"aws:SourceIp": "::1", "AWS:sourceip": "::2"}), "/request/context/AWS:sourceip: expected"),
    ({**ALLOWED, "identity_policies": "all"}, "/identity_policies: expected a policy document, found 'all'"),
    ({**ALLOWED, "boundary": [NOTHING, {"Statment": []}]}, "/boundary/1/Statment: expected an element of a policy"),
    ({**ALLOWED, "resource_policy": NOTHING}, "/resource_policy/Statement/0: expected Principal or NotPrincipal"),
    ({**ALLOWED, "session_policy": granting("*")}, "/session_policy/Statement/0/Principal: expected no principal"),
    ({**ALLOWED, "scps": {"target": "r"}}, "/scps: expected a list from root to account"),
    ({**ALLOWED, "scps": [NOTHING]}, "/scps/0/Version: expected one of target, policies"),
    ({**ALLOWED, "scps": ["r"]}, "/scps/0: expected an object with target and policies"),
    ({**ALLOWED, "scps": [{"target": "r"}]}, "/scps/0: expected policies, found none"),
    ({**ALLOWED, "scps": [{"target": 7, "policies": []}]}, "/scps/0/target: expected text, found the number 7"),
    ({**ALLOWED, "rcps": [{"target": "r", "policies": [NOTHING]}]}, "/rcps/0/policies/0/Statement/0: expected"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_line_that_is_no_case_is_named_and_the_others_answered(tmp_path: Path, line: Any, message: str) -> None:
    result = explain(tmp_path, ALLOWED, line, DENIED)
    assert result.exit_code == 2
    assert f"{tmp_path / 'cases.jsonl'}:2: {message}" in result.stderr
    assert not re.search(r"Traceback|jsonl:[13]:", result.stderr)
    assert [found["id"] for found in answers(result)] == ["allowed", "denied"]


def test_every_problem_of_a_line_is_told(tmp_path: Path) -> None:
    result = explain(tmp_path, {**asking(action="x", principal="y"), "colour": "red"})
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 3


def test_a_line_that_is_too_long_is_refused_and_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LINE_BYTES_MAX", 10_000)
    result = explain(tmp_path, ALLOWED, " " * 25_000 + "{}", DENIED)
    assert result.exit_code == 2
    assert "expected at most 10,000 bytes a line" in result.stderr
    assert [found["id"] for found in answers(result)] == ["allowed", "denied"]


def test_a_file_without_cases_is_a_wrong_call(tmp_path: Path) -> None:
    result = explain(tmp_path, "", " ")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "expected at least one case" in result.stderr


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_a_wrong_call(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / name), "--json"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "expected a file that can be read" in result.stderr


def test_null_and_absent_mean_the_same(tmp_path: Path) -> None:
    kinds = ("boundary", "session_policy", "vpc_endpoint_policies", "resource_policy", "scps", "rcps")
    nulls = {**ALLOWED, **dict.fromkeys(kinds)}
    empty = {**ALLOWED, **{kind: [] for kind in kinds}}
    bare = {**ALLOWED, "identity_policies": ALLOWED["identity_policies"][0]}
    found = answers(explain(tmp_path, ALLOWED, nulls, empty, bare))
    assert [one["decision"] for one in found] == ["allow"] * 4
    assert found[3]["statements"][0]["at"] == "/identity_policies/Statement/0"


def test_the_page_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/explain.md: the cases that it shows, and the answers below them."""
    page = (ROOT / "docs/explain.md").read_text()
    shown = dict(re.findall(r"<!-- ([\w.]+) -->\n```\w*\n(.*?)```", page, re.DOTALL))
    monkeypatch.chdir(tmp_path)
    Path("cases.jsonl").write_text(shown["cases.jsonl"])
    result = CliRunner().invoke(app, ["cases.jsonl", "--json"])
    assert result.stdout == shown["answers"]
    assert result.exit_code == 3
