"""Tier defaults: stated when the file is silent, and never loosened without a reason."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from caisson.system.resolve import settle
from caisson.system.schema import Rate, System
from caisson.system.tiers import DEFAULTS, FACTS, Default, faster
from system_files import minimal, reading

JUDGE = {"model": "assistant", "guardrail": "main", "criteria": ["safety"]}
PLACES = {
    "models.*.output_tokens_max": "models__assistant__output_tokens_max",
    "guardrails.*.prompt_attack": "guardrails__main__prompt_attack",
    "guardrails.*.credentials": "guardrails__main__credentials",
    "guardrails.*.prompt_leak": "guardrails__main__prompt_leak",
    "guardrails.*.images": "guardrails__main__images",
    "guardrails.*.video": "guardrails__main__video",
    "guardrails.*.audio": "guardrails__main__audio",
}
LOOSER: dict[str, Any] = {
    "models.*.output_tokens_max": 5_000,
    "guardrails.*.prompt_attack": "none",
    "guardrails.*.images": "allow",
    "guardrails.*.video": "allow",
    "guardrails.*.audio": "allow",
    "sessions.tokens": 2_000_000,
    "sessions.actions": 501,
    "limits.body_bytes_max": 10_485_761,
    "limits.requests_per_user": "121/minute",
    "limits.requests_total": "1201/minute",
    "limits.concurrency_max": 257,
    "limits.request_timeout": "6m",
    "judge.sample": 0.05,
}
"""Looser than every tier; what has no such value is looser only from some tier on."""
LOOSER_FROM: dict[str, tuple[int, Any]] = {
    "guardrails.*.credentials": (3, "redact"),
    "guardrails.*.prompt_leak": (2, "flag"),
    "sessions.duration": (3, "1h"),
}


def place(row: Default) -> str:
    return PLACES.get(row.key, row.key.replace(".", "__"))


def system_with(row: Default, tier: int, value: Any) -> Any:
    judge = {} if row.key != "judge.sample" else {"judge": JUDGE}
    return reading(minimal(tier=tier, **judge, **({} if value is None else {place(row): value})))


def looser_than(row: Default, tier: int) -> Any:
    since, value = LOOSER_FROM.get(row.key, (1, LOOSER.get(row.key)))
    return value if tier >= since else None


def said(system: System, row: Default) -> Any:
    value: Any = system.to_bundle()
    for part in place(row).split("__"):
        value = value[part]
    return value


@pytest.mark.parametrize("tier", [1, 2, 3, 4])
@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.key)
class TestEveryDefault:
    def test_silence_gives_the_default(self, row: Default, tier: int) -> None:
        found = system_with(row, tier, None)
        assert said(found.require(), row) == row.at(tier)
        assert found.system.loosened == ()

    def test_stating_the_default_loosens_nothing(self, row: Default, tier: int) -> None:
        found = system_with(row, tier, row.at(tier))
        assert found.require().loosened == ()

    def test_looser_needs_a_reason_and_is_listed(self, row: Default, tier: int) -> None:
        value = looser_than(row, tier)
        if value is None:
            assert tier < LOOSER_FROM[row.key][0]
            return
        refused = system_with(row, tier, value)
        assert refused.system is None
        assert any(f"expected at tier {tier} nothing looser than {row.at(tier)}" in p.message for p in refused.problems)
        (loosening,) = system_with(row, tier, {"value": value, "because": "a reason"}).require().loosened
        assert loosening.key == place(row).replace("__", ".")
        assert (loosening.default, loosening.value, loosening.because) == (str(row.at(tier)), str(value), "a reason")

    def test_a_reason_that_loosens_nothing_is_refused(self, row: Default, tier: int) -> None:
        refused = system_with(row, tier, {"value": row.at(tier), "because": "a reason"})
        assert refused.system is None
        assert "expected the value alone" in refused.problems[0].message


@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.key)
def test_defaults_never_get_looser_with_the_tier(row: Default) -> None:
    for tier in (1, 2, 3):
        assert not row.looser(row.at(tier + 1), row.at(tier))
    assert not row.looser(row.at(1), row.at(1))


@pytest.mark.parametrize(
    "form",
    [
        {"value": "1h"},
        {"because": "x"},
        {"value": "1h", "because": ""},
        {"value": "1h", "because": "  "},
        {"value": "1h", "because": 7},
        {"value": "1h", "because": "x" * 501},
        {"value": "1h", "because": "x", "until": "never"},
        {},
    ],
    ids=str,
)
def test_reasons_have_one_form(form: dict[str, Any]) -> None:
    found = reading(minimal(tier=3, sessions__duration=form))
    assert found.system is None
    assert all(problem.path == ("sessions", "duration") for problem in found.problems)


def test_a_reason_stands_only_where_the_tier_has_a_default() -> None:
    found = reading(minimal(name={"value": "x", "because": "y"}))
    assert [problem.message for problem in found.problems] == ["expected text, found a mapping (name)"]


def test_detecting_is_loosened() -> None:
    trial = {"mode": "detect", "because": "on trial", "until": "2027-01-31"}
    (loosening,) = reading(minimal(guardrails__main=trial)).require().loosened
    assert loosening.key == "guardrails.main.mode"
    assert loosening.because == "on trial (until 2027-01-31)"


@pytest.mark.parametrize(
    ("value", "default", "looser"),
    [
        ("60/minute", "60/minute", False),
        ("61/minute", "60/minute", True),
        ("1/second", "60/minute", False),
        ("2/second", "60/minute", True),
        ("60/hour", "60/minute", False),
        ("3600/hour", "60/minute", True),  # an hour's worth may come in one minute
    ],
)
def test_a_rate_is_looser_when_some_window_holds_more(value: str, default: str, looser: bool) -> None:
    assert faster(value, default) is looser


def test_facts_follow_the_tier_alone() -> None:
    by_tier = [reading(minimal(tier=tier)).require() for tier in (1, 2, 3, 4)]
    assert [system.fsync for system in by_tier] == [False, False, True, True]
    assert [system.orders_expiry_s for system in by_tier] == [300, 300, 60, 60]
    assert [system.configuration_signatures for system in by_tier] == [1, 1, 2, 2]
    assert all(fact.meaning and fact.control for fact in FACTS)


def test_resolved_values_are_typed() -> None:
    system = reading(minimal(tier=3)).require()
    assert system.sessions.duration_s == 1_800
    assert system.limits.request_timeout_s == 120
    assert system.limits.requests_per_user == Rate(count=60, window_s=60)
    assert system.guardrails["main"].credentials == "block"


def test_settling_leaves_what_was_said_alone() -> None:
    said = minimal(tier=3, sessions__duration={"value": "1h", "because": "x"})
    before = copy.deepcopy(said)
    settle(said, 3)
    assert said == before
