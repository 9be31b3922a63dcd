"""The function that AWS Config asks whether the account's settings are those deployed (LOG-01, NET-02, row S05).

No managed rule looks at them. It stands in the network of the function that sets them, and can change none.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_lambda as lambda_

from caisson.deploy.account_settings.network import Ground
from caisson.deploy.account_settings.own_function import Duty, name_of, own_function
from caisson.deploy.alarms import Metric, above
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import checks as policies
from caisson.deploy.policies.evidence import CHECKS_FAILED
from caisson.deploy.policies.management import CHECKS
from caisson.deploy.policies.recordings import CONFIG
from caisson.deploy.stacks import Built

ROWS = ("S05",)
TIMEOUT_S = 120
"""For its tries: three of Bedrock and three of AWS Config, each of fifteen seconds at most."""
ACCOUNT_WIDE = (
    "Settings and evaluations are the account's: their operations take no resource (service authorization reference)"
)


def checks(built: Built, land: Landscape, key: Any, ground: Ground) -> None:
    """Role, function, who calls it, and the alarm that says when it cannot look."""
    duty = Duty(
        name=CHECKS,
        description="Looks whether the account's settings are those deployed",
        role="Looks at the settings of the account",
        timeout_s=TIMEOUT_S,
        doing=lambda group, own: policies.checks_doing(log_group=group, function=own),
        account_wide=ACCOUNT_WIDE,
        redrive="A failure raises the alarm over the function's errors, and AWS Config asks again; "
        "nothing is left to redrive",
        called="AWS Config alone calls it, a few times an hour",
    )
    function = own_function(built, land, key, ground, duty)
    for before in ground.ways:
        function.add_resource_dependency(before)
    lambda_.CfnPermission(
        built.stack, "ChecksAsked", function_name=function.attr_arn, action="lambda:InvokeFunction", principal=CONFIG,
        source_account=built.account,
    )  # fmt: skip
    for resource in (function, _alarm(built, land, name_of(land, CHECKS))):
        built.carries(resource, ROWS)


def _alarm(built: Built, land: Landscape, function: str) -> Any:
    errors = Metric(namespace="AWS/Lambda", name="Errors", dimensions={"FunctionName": function})
    meaning = "The settings of an account could not be looked at: read the log of its function checks"
    return above(built, land, CHECKS_FAILED, errors, meaning)
