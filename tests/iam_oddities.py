"""Single statements with odd values, patterns and principals: what a tidy generator never makes.

Many are undetermined. What is decided must agree with the simulator, or an exception must explain it
(`iam_differences`).
"""

from __future__ import annotations

import random
from typing import Any

from caisson.assurance.iam.operators import NAMES
from iam_vocabulary import BYTES, HOME, OTHER

Json = dict[str, Any]
KEYS = (
    "aws:SourceVpc", "aws:PrincipalTag/team", "aws:MultiFactorAuthAge", "aws:CurrentTime", "aws:EpochTime",
    "aws:SecureTransport", "aws:SourceIp", "aws:SourceArn", "aws:PrincipalArn", "aws:TagKeys", "aws:CalledVia",
    "aws:userid", "aws:RequestTag/a b", "aws:UserAgent",
)  # fmt: skip
VALUES = (
    "", "a", "A", "a*", "?", "*", "${aws:userid}", "${aws:none}", "${aws:none, 'a'}", "${aws:none,'a'}", "${", "5",
    "05", "5.0", "-5", "+5", "1e3", "2026-01-01", "2026-01-01T00:00Z", "2026-01-01T00:00:00+02:00",
    "2026-01-01T00:00:00.500Z", "1767225600", "1767225600000", "2026", "true", "TRUE", "false", "yes", "10.0.0.1",
    "10.0.0.0/8", "10.0.0.1/33", "::1", "::1/128", "::ffff:10.0.0.1", "arn:aws:s3:::b", "arn:aws:s3:::B",
    "arn:aws:s3:::*", "arn:aws:s3:*:*:b", "arn:aws:s3", "arn:*", *BYTES, "Straße", "STRASSE", "é", "a b", "a/b:c",
    "a:b:c:d:e:f:g",
)  # fmt: skip
"""Without `${*}`, which the simulator knows in patterns only."""
RESOURCES = {
    "s3:GetObject": ("arn:aws:s3:::b/k", "arn:aws:s3:::b/a/k:v"),
    "lambda:InvokeFunction": (
        f"arn:aws:lambda:eu-west-1:{HOME}:function:f", f"arn:aws:lambda:eu-west-1:{HOME}:function:f:7",
    ),
    "logs:GetLogEvents": (f"arn:aws:logs:eu-west-1:{HOME}:log-group:/aws/x:log-stream:y",),
    "sns:Publish": (f"arn:aws:sns:eu-west-1:{HOME}:t",),
    "secretsmanager:GetSecretValue": (f"arn:aws:secretsmanager:eu-west-1:{HOME}:secret:a/b-XXXXXX",),
}  # fmt: skip
SHORT = (
    "*", "arn:*", "arn:aws:*", "arn:aws:s3:::*", "arn:aws:*:*:*:*", f"arn:aws:*:*:{HOME}:*", "arn:aws:lambda:*",
    "arn:aws:lambda:*:f", "arn:*:*:*:*:*",
)  # fmt: skip
PRINCIPALS = (
    f"arn:aws:iam::{HOME}:user/ana", f"arn:aws:iam::{HOME}:user/x/ana", f"arn:aws:sts::{HOME}:assumed-role/app/s1",
    f"arn:aws:sts::{HOME}:assumed-role/app/s2", f"arn:aws:iam::{HOME}:role/app", f"arn:aws:iam::{OTHER}:user/ana",
    f"arn:aws:sts::{OTHER}:assumed-role/app/s1",
)  # fmt: skip
NAMED = (
    *({"AWS": one} for one in PRINCIPALS), {"AWS": HOME}, {"AWS": OTHER}, {"AWS": f"arn:aws:iam::{HOME}:root"}, "*",
    {"AWS": "*"}, {"AWS": f"arn:aws:iam::{HOME}:role/x/app"}, {"AWS": f"arn:aws:iam::{HOME}:role/App"},
    {"Service": "lambda.amazonaws.com"}, {"Federated": "accounts.google.com"},
    {"Service": ["lambda.amazonaws.com"], "AWS": HOME},
)  # fmt: skip


def odd_condition(seed: int) -> Json:
    """An identity policy with one condition, on a key and values of any type."""
    pick = random.Random(seed)
    operator, key = pick.choice(NAMES), pick.choice(KEYS)
    if operator != "Null":
        operator = pick.choice(("", "", "ForAllValues:", "ForAnyValue:")) + operator + pick.choice(("", "", "IfExists"))
    context = {}
    for name in sorted({key if pick.random() < 0.8 else pick.choice(KEYS), "aws:userid"}):
        if pick.random() < 0.85:
            several = pick.random() < 0.25
            context[name] = pick.sample(VALUES, pick.randint(1, 3)) if several else pick.choice(VALUES)
    values = pick.choice(VALUES) if pick.random() < 0.6 else pick.sample(VALUES, pick.randint(1, 3))
    effect = pick.choice(("Allow", "Deny"))
    statements: list[Json] = [
        {"Effect": effect, "Action": "*", "Resource": "*", "Condition": {operator: {key: values}}},
        *([{"Effect": "Allow", "Action": "*", "Resource": "*"}] if effect == "Deny" else []),
    ]
    return _case(f"c{seed}", PRINCIPALS[0], "s3:GetObject", "arn:aws:s3:::b/k", context, statements)


def odd_elements(seed: int) -> Json:
    """Policies of both sides with damaged resources, actions in any case, and principals of any kind."""
    pick = random.Random(seed)
    action = pick.choice(tuple(RESOURCES))
    resource = pick.choice(RESOURCES[action])
    principal = pick.choice((*PRINCIPALS, "lambda.amazonaws.com", "anonymous"))
    service = action.partition(":")[0]
    actions = (action, f"{service}:*", f"{action[:-3]}*", f"{action[:-3]}???", f"{service}:Zzz*", "*",
               f"{service}:{action.partition(':')[2].upper()}")  # fmt: skip

    def statement(*, named: bool) -> Json:
        made: Json = {"Effect": pick.choice(("Allow", "Allow", "Deny"))}
        if named:
            excepted = made["Effect"] == "Deny" and pick.random() < 0.15
            made["NotPrincipal" if excepted else "Principal"] = pick.choice(NAMED)
        made[pick.choice(("Action", "Action", "Action", "NotAction"))] = pick.choice(actions)
        entries = [_damaged(pick, resource) for _ in range(pick.choice((1, 1, 2)))]
        made[pick.choice(("Resource", "Resource", "Resource", "NotResource"))] = entries
        return made

    own = [statement(named=False) for _ in range(pick.randint(1, 2))] if principal.startswith("arn:") else None
    one = _case(f"e{seed}", principal, action, resource, {}, own)
    if pick.random() < 0.6:
        statements = [statement(named=True) for _ in range(pick.randint(1, 2))]
        one["resource_policy"] = {"Version": "2012-10-17", "Statement": statements}
    return one


def _damaged(pick: random.Random, resource: str) -> str:
    """The resource with wildcards in place of some of it."""
    if pick.random() < 0.1:
        return pick.choice(SHORT)
    text = resource
    for _ in range(pick.randint(0, 3)):
        start = pick.randrange(len(text))
        text = text[:start] + pick.choice("**?") + text[start + pick.randint(0, 6) :]
    return text if text.startswith("arn:") else "*"


def _case(name: str, principal: str, action: str, resource: str, context: Json, statements: list[Json] | None) -> Json:
    request = {"principal": principal, "action": action, "resource": resource, "resource_account": HOME,
               "context": context}  # fmt: skip
    one: Json = {"id": name, "request": request}
    if statements is not None:
        one["identity_policies"] = [{"Version": "2012-10-17", "Statement": statements}]
    return one
