"""Cases for `caisson explain`, made from a seed: every kind of policy, principal, operator and account relation.

Conditions stay with keys that the simulator knows for the action, because it drops the others.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from iam_vocabulary import (
    ADDRESSES,
    ARN_PATTERNS,
    ARNS,
    BYTES,
    DATES,
    EPOCHS,
    HOME,
    NUMBERS,
    OTHER,
    RANGES,
    SERVICE_STRINGS,
    SET_PATTERNS,
    SETS,
    STRING_PATTERNS,
    STRING_VALUES,
    STRINGS,
    SWITCHES,
    TARGETS,
    THIRD,
    Target,
)

Json = dict[str, Any]
EVERYTHING: Json = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
COMPARISONS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")


def case(seed: int) -> Json:
    """One case."""
    pick = random.Random(seed)
    return _Case(pick, pick.choice(TARGETS), _principal(pick)).case(seed)


def _principal(pick: random.Random) -> str:
    account = pick.choice((HOME, HOME, HOME, OTHER))
    if pick.random() < 0.02:
        return f"arn:aws:iam::{account}:root"
    return pick.choice((
        f"arn:aws:iam::{account}:user/ana", f"arn:aws:iam::{account}:user/ana", f"arn:aws:iam::{account}:user/eng/bob",
        f"arn:aws:sts::{account}:assumed-role/app/session-1", f"arn:aws:sts::{account}:assumed-role/app/session-1",
        f"arn:aws:sts::{account}:assumed-role/app/session-2", f"arn:aws:iam::{account}:role/app",
        f"arn:aws:sts::{account}:federated-user/ana", "lambda.amazonaws.com", "anonymous",
    ))  # fmt: skip


class _Case:
    """One case being made."""

    def __init__(self, pick: random.Random, target: Target, principal: str) -> None:
        self.pick, self.target, self.principal = pick, target, principal
        self.service = target.action.partition(":")[0]
        self.account = principal.split(":")[4] if principal.startswith("arn:") else ""

    def chance(self, share: float) -> bool:
        return self.pick.random() < share

    def case(self, number: int) -> Json:
        pick, action = self.pick, self.target.action
        owner = pick.choice((HOME, HOME, HOME, OTHER))
        resource = self.target.resource.replace("OWNER", owner)
        one: Json = {
            "id": f"g{number}",
            "request": {"principal": self.principal, "action": action, "resource": resource, "resource_account": owner,
                        "context": self.context()},
        }  # fmt: skip
        limited = bool(self.account) and not self.principal.endswith(":root")
        if limited:
            one["identity_policies"] = [self.policy("identity") for _ in range(pick.choice((0, 1, 1, 2)))]
        if limited and self.chance(0.2):
            one["boundary"] = self.policy("identity", generous=True)
        if any(kind in self.principal for kind in ("assumed-role", "federated-user")) and self.chance(0.4):
            one["session_policy"] = self.policy("identity", generous=True)
        if self.chance(0.15) and self.principal != "anonymous":
            one["vpc_endpoint_policies"] = [self.policy("endpoint", generous=True)]
        insists = self.service in ("kms", "sts") or owner != self.account or not limited
        if resource != "*" and self.chance(0.9 if insists else 0.4):
            one["resource_policy"] = self.policy("trust" if self.service == "sts" else "resource")
        if self.account and self.chance(0.3):
            targets = ("r-root", "ou-ai", self.account)[: pick.randint(1, 3)]
            one["scps"] = [self.level(target, "scp") for target in targets]
        if self.service not in ("bedrock", "lambda") and self.chance(0.15):
            one["rcps"] = [self.level(target, "rcp") for target in ("r-root", owner)[: pick.randint(1, 2)]]
        return one

    def level(self, target: str, kind: str) -> Json:
        policies = [EVERYTHING] if kind == "scp" and self.chance(0.88) else []
        if kind == "rcp" or self.chance(0.5):
            policies.append(self.policy(kind))
        return {"target": target, "policies": policies}

    def policy(self, kind: str, *, generous: bool = False) -> Json:
        if generous and self.chance(0.4):
            named = {} if kind == "identity" else {"Principal": "*"}
            return {"Version": "2012-10-17", "Statement": [EVERYTHING["Statement"][0] | named]}
        old = kind not in ("scp", "rcp") and self.chance(0.06)
        statements = [self.statement(kind, index) for index in range(self.pick.choice((1, 1, 2, 3)))]
        bare = len(statements) == 1 and self.chance(0.2)
        return {"Version": "2008-10-17" if old else "2012-10-17", "Statement": statements[0] if bare else statements}

    def statement(self, kind: str, index: int) -> Json:
        deny = kind == "rcp" or self.chance(0.5 if kind == "scp" else 0.18)
        plain = kind == "rcp" or (kind == "scp" and not deny)
        made: Json = {"Sid": f"S{index}", "Effect": "Deny" if deny else "Allow"}
        if kind in ("rcp", "endpoint"):
            made["Principal"] = "*"
        elif kind == "resource" and deny and self.chance(0.2):
            made["NotPrincipal"] = self.excepted()
        elif kind in ("resource", "trust"):
            made["Principal"] = self.named()
        made |= self.trusted() if kind == "trust" else self.covered(plain=plain)
        if self.chance(0.5) and not (kind == "scp" and not deny):
            made["Condition"] = self.conditions()
        return made

    def trusted(self) -> Json:
        return {"Action": self.some(("sts:AssumeRole", "sts:AssumeRole", "sts:TagSession", "sts:Assume*"))}

    def covered(self, *, plain: bool) -> Json:
        """Action and resource; `plain`: without NotAction and NotResource."""
        made: Json = {}
        if not plain and self.chance(0.12):
            made["NotAction"] = self.some((*self.target.actions, "iam:*", "ec2:Describe*"))
        elif not plain and self.chance(0.1):
            made["Action"] = "*"
        else:
            made["Action"] = self.some(self.target.actions)
        if not plain and self.chance(0.1):
            made["NotResource"] = self.some([one for one in self.target.resources if one != "*"] or ["arn:aws:s3:::x"])
        else:
            made["Resource"] = "*" if self.chance(0.4) else self.some(self.target.resources)
        return made

    def named(self) -> Any:
        account = self.account or HOME
        roll = self.pick.random()
        if roll < 0.2:
            return self.pick.choice(("*", {"AWS": "*"}))
        if roll < 0.3:
            return {"Service": self.some(("lambda.amazonaws.com", "events.amazonaws.com"))}
        iam, sts = f"arn:aws:iam::{account}", f"arn:aws:sts::{account}"
        names = [
            account, f"{iam}:root", f"{iam}:user/ana", f"{iam}:user/eng/bob", f"{iam}:role/app",
            f"{iam}:role/service/app", f"{iam}:role/other", f"{sts}:assumed-role/app/session-1",
            f"{sts}:federated-user/ana", f"arn:aws:iam::{THIRD}:root", *([self.principal] * 3 if self.account else []),
        ]  # fmt: skip
        return {"AWS": self.some(names)}

    def excepted(self) -> Any:
        """All that must be listed for an exception to hold, or none of it."""
        if not self.account or self.chance(0.4):
            return {"AWS": [f"arn:aws:iam::{THIRD}:root", f"arn:aws:iam::{THIRD}:user/ana"]}
        names = [self.principal, f"arn:aws:iam::{self.account}:root"]
        if "assumed-role" in self.principal:
            names.append(f"arn:aws:iam::{self.account}:role/app")
        return {"AWS": list(dict.fromkeys(names))}

    def conditions(self) -> Json:
        made: Json = {}
        for _ in range(self.pick.choice((1, 1, 1, 2))):
            operator, key, values = self.condition()
            made.setdefault(operator, {})[self.cased(key)] = values
        return made

    def condition(self) -> tuple[str, str, Any]:
        pick = self.pick
        end, no = pick.choice(("", "", "", "", "IfExists")), pick.choice(("", "", "Not"))
        string = pick.choice((f"String{no}Equals", f"String{no}EqualsIgnoreCase"))
        match pick.randint(0, 11):
            case 0 | 1:
                return string + end, self.one(STRINGS), self.some(STRING_VALUES)
            case 2:
                return f"String{no}Like{end}", self.one(STRINGS), self.some(STRING_PATTERNS)
            case 3:
                return f"Numeric{pick.choice(COMPARISONS)}{end}", "aws:MultiFactorAuthAge", self.some(NUMBERS)
            case 4:
                key = pick.choice(("aws:CurrentTime", "aws:TokenIssueTime"))
                return f"Date{pick.choice(COMPARISONS)}{end}", key, self.some(DATES)
            case 5:
                return f"Date{pick.choice(COMPARISONS)}{end}", "aws:EpochTime", self.some(EPOCHS)
            case 6:
                return f"Bool{end}", pick.choice(SWITCHES), pick.choice(("true", "false", True, ["true", "false"]))
            case 7:
                return ("NotIpAddress" if no else "IpAddress") + end, "aws:SourceIp", self.some(RANGES)
            case 8:
                key = pick.choice(("aws:PrincipalArn", "aws:SourceArn"))
                return f"Arn{no}{pick.choice(('Equals', 'Like'))}{end}", key, self.some(ARN_PATTERNS)
            case 9:
                over = pick.choice(("ForAllValues", "ForAnyValue"))
                test = pick.choice((string, f"String{no}Like"))
                return f"{over}:{test}{end if over == 'ForAllValues' else ''}", self.one(SETS), self.some(SET_PATTERNS)
            case 10:
                if self.target.action in SERVICE_STRINGS:
                    key, _, values = SERVICE_STRINGS[self.target.action]
                    return pick.choice((f"String{no}Like", f"String{no}Equals")) + end, key, self.some(values)
                return f"BinaryEquals{end}", "aws:SourceIdentity", self.some(BYTES)
            case _:
                keys = (*STRINGS, "aws:SourceIp", "aws:TokenIssueTime")
                return "Null", pick.choice(keys), pick.choice(("true", "false", "true", ["true", "false"]))

    def context(self) -> Json:
        pick = self.pick
        pools: dict[str, Sequence[str]] = {
            **STRINGS, "aws:MultiFactorAuthAge": NUMBERS, "aws:CurrentTime": DATES[:4], "aws:TokenIssueTime": DATES[:4],
            "aws:EpochTime": EPOCHS, "aws:SourceIp": ADDRESSES, "aws:PrincipalArn": ARNS, "aws:SourceArn": ARNS,
            "aws:PrincipalTag/year": ("2026", "2025"), **dict.fromkeys(SWITCHES, ("true", "false")),
        }  # fmt: skip
        if self.target.action in SERVICE_STRINGS:
            key, values, _ = SERVICE_STRINGS[self.target.action]
            pools[key] = values
        made: Json = {self.cased(key): pick.choice(values) for key, values in pools.items() if self.chance(0.6)}
        for key, values in SETS.items():
            if self.chance(0.6):
                made[key] = pick.sample(values, pick.randint(0, len(values)))
        return made

    def one(self, keys: Sequence[str] | dict[str, Any]) -> str:
        return self.pick.choice(tuple(keys))

    def cased(self, key: str) -> str:
        return key if self.chance(0.9) else self.pick.choice((key.upper(), key.lower()))

    def some(self, values: Sequence[str]) -> Any:
        """One value, or a list of a few."""
        if self.chance(0.55):
            return self.pick.choice(values)
        return self.pick.sample(values, min(len(values), self.pick.randint(1, 3)))
