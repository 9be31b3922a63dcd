"""What a system file must not say: references, contradictions, tiers. Every refusal has a neighbour that passes."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from caisson.errors import SystemFileError
from caisson.system.document import FILE_BYTES_MAX
from caisson.system.loader import PROBLEMS_SHOWN_MAX, load, parse_system, read
from caisson.system.schema import System
from system_files import minimal, reading

OPERATION: dict[str, Any] = {"class": "read_only"}
TOOLS = {"pay": {"kind": "http", "url": "https://pay.example.com", "operations": {"status": OPERATION}}}
ACCOUNTS = {
    zone: f"{number:012}"
    for number, zone in enumerate(("management", "control", "runtime", "evaluation", "ingestion", "logging", "network"))
}
AWS = {"region": "eu-west-1", "organization": "o-exampleorg", "accounts": ACCOUNTS}
CENTER = {"instance": "ssoins-1234567890abcdef"}
GROUP_ID = "90671234ab-12345678-1234-1234-1234-123456789012"
JUDGE = {"model": "assistant", "guardrail": "main", "criteria": ["safety"]}


def tool(**operation: Any) -> dict[str, Any]:
    return {"pay": {**TOOLS["pay"], "operations": {"status": {**OPERATION, **operation}}}}


def pattern(regex: str, name: str = "claim-id") -> list[dict[str, str]]:
    return [{"name": name, "regex": regex, "action": "flag"}]


ACCEPTED: list[dict[str, Any]] = [
    {},
    {"agents__helper__tasks__answer": {"tools": ["pay.status"]}, "tools": TOOLS},
    {
        "agents__helper__knowledge": ["policies"],
        "knowledge": {"policies": {"sources": [{"path": "x"}], "classification": "public"}},
    },
    {"judge": JUDGE},
    {"models": {"assistant": {"id": "amazon.nova-lite-v1:0"}, "other": {"id": "amazon.nova-pro-v1:0"}}},
    {"identity": {"issuer": {"url": "https://idp.example.com", "audience": "me"}}},
    {"identity": {"issuer": {"url": "http://127.0.0.1:9000", "audience": "me"}}},
    {"identity__local__users__me__uid": 0},
    {"guardrails__main": {"mode": "detect", "because": "on trial", "until": "2027-01-31"}},
    {"guardrails__main__patterns": pattern(r"CLM-\d{8}")},
    {"guardrails__main__patterns": pattern("[a-z]{1,512}")},
    {"guardrails__main__words": ["project falcon"]},
    {"tools": tool(**{"class": "irreversible_write", "approval": "required"}), "tier": 3},
    {"tools": tool(**{"class": "irreversible_write", "approval": "none"}), "tier": 2},
    {"tools": tool(parameters={"n": {"type": "number", "minimum": 1, "maximum": 1}})},
    {"aws": AWS, "tier": 3},
    {"aws": {**AWS, "units": {"runtime": "ou-exam-11111111", "control": "ou-exam-22222222"}}},
    {
        "aws": {**AWS, "identity_center": {**CENTER, "region": "eu-central-1", "groups": {"users": GROUP_ID}}},
        "identity__groups__users__may": ["approve"],
        "tier": 2,
    },
    {"aws": {**AWS, "accounts": dict.fromkeys(ACCOUNTS, "111111111111")}, "tier": 2},
    {"logging__forensic_custodians": ["one", "two"]},
    {"sessions__tokens": 5_000},
    {
        "guardrails__main__pii": {"EMAIL": "pseudonymise"},
        "agents__helper__client_tools": {"t": {"schema_sha256": "a" * 64, "restore": {"to": "EMAIL"}}},
    },
]

REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (
        {
            "guardrails__main__pii": {"EMAIL": "flag", "PHONE": "pseudonymise"},
            "agents__helper__client_tools": {"t": {"schema_sha256": "a" * 64, "restore": {"to": "EMAIL"}}},
        },
        "agents.helper.client_tools.t.restore.to",
        "expected a type that the agent's guardrail pseudonymises of this file (PHONE)",
    ),
    ({"agents__helper__model": "asistant"}, "agents.helper.model", "did you mean 'assistant'?"),
    ({"agents__helper__guardrail": "gone"}, "agents.helper.guardrail", "expected a guardrail of this file (main)"),
    ({"agents__helper__knowledge": ["gone"]}, "agents.helper.knowledge[0]", "expected a knowledge of this file (none)"),
    (
        {"agents__helper__tasks__answer": {"tools": ["pay.gone"]}, "tools": TOOLS},
        "agents.helper.tasks.answer.tools[0]",
        "pay.status",
    ),
    ({"agents__helper__tasks": {}}, "agents.helper.tasks", "at least 1 entries"),
    ({"agents__helper__kind": "classic"}, "agents.helper.kind", "Bedrock Agents Classic refuses new agents"),
    ({"agents__helper__kind": "other"}, "agents.helper.kind", "unknown key 'kind'"),
    ({"agents": {}}, "agents", "at least 1 entries"),
    ({"judge": {**JUDGE, "model": "gone"}}, "judge.model", "expected a model"),
    ({"judge": {**JUDGE, "guardrail": "gone"}}, "judge.guardrail", "expected a guardrail"),
    ({"identity__local__users__me__groups": ["usres"]}, "identity.local.users.me.groups[0]", "did you mean 'users'?"),
    ({"identity__local__users__me__groups": []}, "identity.local.users.me.groups", "at least 1 entries"),
    (
        {"identity__local__users__me__uid": -1},
        "identity.local.users.me.uid",
        "expected a user id from 0 to 4294967294, or owner",
    ),
    ({"identity__local__users__me__uid": True}, "identity.local.users.me.uid", "found true"),
    ({"identity": {}}, "identity", "nobody could sign in"),
    ({"identity": {"issuer": {"url": "http://idp.example.com", "audience": "me"}}}, "identity.issuer.url", "https://"),
    (
        {"identity": {"issuer": {"url": "http://127.0.0.1", "audience": "me"}}, "tier": 3},
        "identity.issuer.url",
        "from tier 3",
    ),
    ({"models__other": {"id": "amazon.nova-lite-v1:0"}}, "models.other.id", "it is model 'assistant'"),
    ({"sessions__tokens": 4_096}, "models.assistant.output_tokens_max", "no request could run"),
    ({"guardrails__main__mode": "detect"}, "guardrails.main.because", "expected because beside mode: detect"),
    ({"guardrails__main__mode": "detect"}, "guardrails.main.until", "expected until beside mode: detect"),
    ({"guardrails__main__because": "x"}, "guardrails.main.because", "only beside mode: detect"),
    ({"guardrails__main__until": "2027-02-30"}, "guardrails.main.until", "expected a day such as 2027-01-31"),
    (
        {"guardrails__main__patterns": pattern("a(")},
        "guardrails.main.patterns[0].regex",
        "RE2 expression that compiles",
    ),
    (
        {"guardrails__main__patterns": pattern(r"(a)\1")},
        "guardrails.main.patterns[0].regex",
        "RE2 expression that compiles",
    ),
    (
        {"guardrails__main__patterns": pattern("a(?=b)")},
        "guardrails.main.patterns[0].regex",
        "RE2 expression that compiles (invalid perl operator: (?=)",
    ),
    (
        {"guardrails__main__patterns": pattern("(" * 240 + ")" * 240)},
        "guardrails.main.patterns[0].regex",
        "expected an",
    ),
    (
        {"guardrails__main__patterns": pattern("(a{,1}){9}")},
        "guardrails.main.patterns[0].regex",
        "{0,5} instead of {,5}",
    ),
    ({"guardrails__main__patterns": pattern("[[:alpha:]]{0,3}")}, "guardrails.main.patterns[0].regex", "nested set"),
    ({"guardrails__main__patterns": pattern("CLM-[0-9]+")}, "guardrails.main.patterns[0].regex", "bounded width"),
    (
        {"guardrails__main__patterns": pattern("[a-z]{1,513}")},
        "guardrails.main.patterns[0].regex",
        "512 characters' width",
    ),
    ({"guardrails__main__patterns": pattern("a{0,3}")}, "guardrails.main.patterns[0].regex", "never matches nothing"),
    ({"guardrails__main__patterns": pattern("a", "email")}, "guardrails.main.patterns[0].name", "a type of ours"),
    ({"guardrails__main__patterns": pattern("a") + pattern("b")}, "guardrails.main.patterns[1].name", "each name once"),
    ({"guardrails__main__words": [""]}, "guardrails.main.words[0]", "at least 1 characters"),
    ({"guardrails__main__words": ["  "]}, "guardrails.main.words[0]", "without white space around it"),
    ({"guardrails__main__words": [" x"]}, "guardrails.main.words[0]", "without white space around it"),
    ({"guardrails__main__grounding": 1.5}, "guardrails.main.grounding", "at most 0.99"),
    ({"guardrails__main__pii": {"EMAIL": "mask"}}, "guardrails.main.pii.EMAIL", "block, pseudonymise, flag"),
    ({"guardrails__main__pii": {"SHOE_SIZE": "block"}}, "guardrails.main.pii.SHOE_SIZE", "expected one of ADDRESS"),
    (
        {"tools": tool(**{"class": "privileged", "approval": "none"}), "tier": 3},
        "tools.pay.operations.status.approval",
        "required",
    ),
    (
        {"tools": tool(parameters={"n": {"pattern": "a+"}})},
        "tools.pay.operations.status.parameters.n.pattern",
        "bounded width",
    ),
    (
        {"tools": tool(parameters={"n": {"type": "number", "pattern": "a"}})},
        "tools.pay.operations.status.parameters.n.pattern",
        "only for type string",
    ),
    (
        {"tools": tool(parameters={"n": {"maximum": 2}})},
        "tools.pay.operations.status.parameters.n.maximum",
        "only for numbers",
    ),
    (
        {"tools": tool(parameters={"n": {"type": "number", "minimum": 2, "maximum": 1}})},
        "tools.pay.operations.status.parameters.n.minimum",
        "at most the maximum",
    ),
    (
        {"agents__helper__client_tools": {"t": {"schema_sha256": "A" * 64}}},
        "agents.helper.client_tools.t.schema_sha256",
        "a SHA-256 hash",
    ),
    (
        {"agents__helper__client_tools": {"a tool": {"schema_sha256": "a" * 64}}},
        "agents.helper.client_tools.a tool",
        "the name of a tool",
    ),
    (
        {"agents__helper__client_tools": {"t": {"description": "x"}}},
        "agents.helper.client_tools.t.schema_sha256",
        "expected the key",
    ),
    ({"tools": {"pay": {**TOOLS["pay"], "url": "http://pay.example.com"}}}, "tools.pay.url", "an https:// address"),
    (
        {"aws": {**AWS, "accounts": {**ACCOUNTS, "logging": ACCOUNTS["runtime"]}}, "tier": 3},
        "aws.accounts.logging",
        "that of runtime",
    ),
    (
        {"aws": {**AWS, "accounts": {**ACCOUNTS, "logging": 111111111111}}},
        "aws.accounts.logging",
        "expected text, found 111111111111",
    ),
    (
        {"aws": {**AWS, "units": {"runtime": "ou-exam-11111111", "control": "ou-exam-11111111"}}},
        "aws.units.runtime",
        "a unit of its own, found that of control",
    ),
    (
        {
            "aws": {
                **AWS,
                "accounts": {**ACCOUNTS, "evaluation": ACCOUNTS["runtime"]},
                "units": {"runtime": "ou-exam-11111111", "evaluation": "ou-exam-22222222"},
            }
        },
        "aws.units.evaluation",
        "the unit of runtime, whose account it shares",
    ),
    (
        {
            "aws": {
                **AWS,
                "accounts": {**ACCOUNTS, "runtime": ACCOUNTS["management"]},
                "units": {"runtime": "ou-exam-11111111"},
            }
        },
        "aws.units.runtime",
        "no policy binds the management account",
    ),
    ({"aws": {**AWS, "units": {"runtime": "r-exam"}}}, "aws.units.runtime", "an organizational unit such as"),
    (
        {"aws": {**AWS, "identity_center": {**CENTER, "groups": {"user": GROUP_ID}}}},
        "aws.identity_center.groups.user",
        "did you mean 'users'?",
    ),
    (
        {"aws": {**AWS, "identity_center": {**CENTER, "groups": {"users": GROUP_ID}}}},
        "aws.identity_center.groups.users",
        "it would get no permission set",
    ),
    (
        {
            "aws": {**AWS, "identity_center": {**CENTER, "groups": {"users": GROUP_ID, "more": GROUP_ID}}},
            "identity__groups": {"users": {"may": ["approve"]}, "more": {"may": ["approve"]}},
        },
        "aws.identity_center.groups.more",
        "an id of its own, found that of 'users'",
    ),
    (
        {"aws": {**AWS, "identity_center": {**CENTER, "instance": "arn:aws:sso:::instance/ssoins-1"}}},
        "aws.identity_center.instance",
        "an instance of IAM Identity Center",
    ),
    (
        {"aws": {**AWS, "identity_center": {**CENTER, "groups": {"users": "approvers"}}}},
        "aws.identity_center.groups.users",
        "a group's id in the identity store",
    ),
    ({"logging__forensic_custodians": ["one"]}, "logging.forensic_custodians", "2 or more different people"),
    ({"logging__forensic_custodians": ["one", "one"]}, "logging.forensic_custodians", "2 or more different people"),
    ({"sessions__duration": 1800}, "sessions.duration", "expected a duration such as 90s, 30m, 1h or 7d, found 1800"),
    ({"sessions__duration": "5m"}, "sessions.duration", "from 15m to 1h"),
    ({"limits__requests_per_user": "60/week"}, "limits.requests_per_user", "expected a rate such as 60/minute"),
    ({"limits__body_bytes_max": 1.5}, "limits.body_bytes_max", "a whole number"),
    ({"limits__concurrency_max": True}, "limits.concurrency_max", "a whole number, found true"),
    ({"limits": None}, "limits", "expected a mapping, found nothing"),
    ({"caisson": 2}, "caisson", "expected 1, found 2"),
    ({"tier": 5}, "tier", "expected one of 1, 2, 3, 4, found 5"),
    ({"tier": True}, "tier", "found true"),
    ({"name": "Claims"}, "name", "a lower-case letter"),
    ({"loosened": []}, "loosened", "unknown key 'loosened'"),
    ({"gaurdrails": {}}, "gaurdrails", "did you mean 'guardrails'?"),
    ({"sessions__durations": "1h"}, "sessions.durations", "did you mean 'duration'?"),
    ({"sessions__duration_s": "1h"}, "sessions.duration_s", "did you mean 'duration'?"),
    ({"models__Bad Name": {"id": "amazon.nova-pro-v1:0"}}, "models.Bad Name", "expected a name"),
    ({"tools": {"pay": {**TOOLS["pay"], "credential": "AKIA SECRET"}}}, "tools.pay.credential", "found something else"),
]


@pytest.mark.parametrize("changes", ACCEPTED, ids=str)
def test_accepted(changes: dict[str, Any]) -> None:
    found = reading(minimal(**changes))
    assert [problem.message for problem in found.problems] == []
    assert found.system is not None


@pytest.mark.parametrize(("changes", "key", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_refused(changes: dict[str, Any], key: str, message: str) -> None:
    found = reading(minimal(**changes))
    assert found.system is None
    here = [problem for problem in found.problems if problem.message.endswith(f"({key})")]
    assert any(message in problem.message for problem in here), [problem.message for problem in found.problems]
    assert all(problem.message.startswith("expected ") for problem in found.problems)
    assert all(", found " in problem.message for problem in found.problems)


def test_a_pasted_secret_is_not_repeated() -> None:
    found = reading(minimal(tools={"pay": {**TOOLS["pay"], "credential": "AKIA SECRET"}}))
    assert "SECRET" not in "".join(problem.message for problem in found.problems)


def test_several_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    raw = (
        b"caisson: 1\nname: tiny\ntier: 3\nidentity: {local: {users: {}}}\n"
        b"models: {a: {id: 'a b'}}\nguardrails: {}\nagents: 7\nnmae: x\n"
    )
    lines = [problem.line_in("f") for problem in parse_system(raw, name="f").problems]
    assert [line.split(":")[1] for line in lines] == ["5", "6", "7", "8"]
    assert lines[0].startswith("f:5:18: expected a Bedrock model")


def test_a_long_report_is_cut() -> None:
    raw = b"\n".join(b"k%d: 1" % number for number in range(100))
    with pytest.raises(SystemFileError, match="and 87 more") as refused:
        parse_system(raw, name="f").require()
    assert len(str(refused.value).splitlines()) == PROBLEMS_SHOWN_MAX + 1


@pytest.mark.parametrize("raw", [b"", b"# only a comment\n", b"[]", b"text", b"~", b"{}"])
def test_no_mapping(raw: bytes) -> None:
    (problem,) = parse_system(raw, name="f").problems
    assert "expected a mapping that begins with `caisson: 1`" in problem.message


def test_a_lapsed_trial_is_a_warning() -> None:
    trial = {"mode": "detect", "because": "on trial", "until": "2026-11-23"}
    found = reading(minimal(guardrails__main=trial))
    assert found.system is not None
    (warning,) = found.warnings
    assert "expected a day to come, found 2026-11-23" in warning.message
    assert not reading(minimal(guardrails__main={**trial, "until": "2026-11-24"})).warnings


def test_approvers_who_cannot_approve_are_a_warning() -> None:
    found = reading(minimal(identity__groups__approvers={"may": ["approve"]}, tier=3))
    assert [warning.path for warning in found.warnings] == [("identity", "groups", "approvers", "may")]
    assert not reading(minimal(identity__groups__approvers={"may": ["approve"]}, tier=2)).warnings


@pytest.mark.parametrize("tier", [1, 2, 3, 4])
def test_who_configures_does_not_approve_where_two_sign(tier: int) -> None:
    groups = {"users": {"may": ["approve", "configure"]}, "approvers": {"may": ["approve"]}}
    issuer = {"url": "https://idp.example.com", "audience": "x"}
    found = reading(minimal(tier=tier, identity__groups=groups, identity__issuer=issuer))
    wanted = [] if tier < 3 else [("identity", "groups", "users", "may")]
    assert [problem.path for problem in found.problems] == wanted
    assert all("found both" in problem.message for problem in found.problems)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SystemFileError, match="found no file; `caisson init` writes one"):
        read(tmp_path / "none.yaml")
    with pytest.raises(SystemFileError, match="expected a system file, found something else"):
        read(tmp_path)
    with pytest.raises(SystemFileError, match="expected"):
        read(Path("a\0b"))
    with pytest.raises(SystemFileError, match="expected"):
        read(tmp_path / ("x" * 5000))


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "caisson.yaml"
    path.write_text("caisson: 1\n")
    with pytest.raises(SystemFileError) as refused:
        load(path)
    first = str(refused.value).splitlines()[0]
    assert first == f"{path}:1:1: expected the key 'name', found none (name)"


def test_a_bundle_of_another_shape_is_refused() -> None:
    for bundle in ({}, {"caisson": 2}, {"name": 7, "x": 1}):
        with pytest.raises(SystemFileError, match="publish the system file again"):
            System.from_bundle(bundle)


def test_a_huge_file_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "caisson.yaml"
    with path.open("wb") as file:
        file.truncate(64 * FILE_BYTES_MAX)
    tracemalloc.start()
    try:
        (problem,) = read(path).problems
        assert tracemalloc.get_traced_memory()[1] < 4 * FILE_BYTES_MAX
    finally:
        tracemalloc.stop()
    assert "at most 1,048,576 bytes" in problem.message
