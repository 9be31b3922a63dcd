"""The stack of an account's settings agrees with its function, and what the log needs outlives it."""

from __future__ import annotations

from caisson.deploy.handlers import settings as handler
from caisson.deploy.handlers import source
from deployments import template


def test_the_stack_gives_the_function_what_it_takes() -> None:
    resources = template("example", "settings-runtime")["Resources"]
    assert resources["Settings"]["Properties"]["Code"]["ZipFile"] == source("settings")
    asked = resources["InvocationLog"]
    assert set(asked["Properties"]) == {"ServiceToken", "ServiceTimeout", *handler.NAMED}
    assert {resources[name]["Type"] for name in ("InvocationLog", "DataRetention")} == set(handler.SETTINGS)
    assert {"DeliveryPolicy", "InvocationsBucketPolicy", "ControlEndpoint", "AnswersEndpoint"} <= set(
        asked["DependsOn"]
    )
    waits = handler.TRIES * handler.WAIT_S + handler.MARGIN_S
    assert waits < resources["Settings"]["Properties"]["Timeout"] < int(asked["Properties"]["ServiceTimeout"])


def test_what_the_log_needs_outlives_the_stack() -> None:
    resources = template("example", "settings-runtime")["Resources"]
    for name in ("InvocationsLog", "InvocationsBucket", "InvocationsBucketPolicy", "DeliveryRole", "DeliveryPolicy",
                 "SettingsKey"):  # fmt: skip
        assert resources[name]["DeletionPolicy"] == "Retain", name
