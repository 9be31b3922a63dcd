"""How `caisson prove --templates` grows with the number of principals: time and memory, each size in its own process.

    python -m bench.prove_growth            10, 100 and 1,000 roles
    python -m bench.prove_growth 300        another number

The roles are those of an application as templates write them: half invoke models with a pinned guardrail, one in ten
may be passed or assumed by others.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

SIZES = (10, 100, 1_000)
GUARDRAIL = "arn:aws:bedrock:eu-west-1:222222222222:guardrail/abc123:3"
MODEL = "arn:aws:bedrock:*::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0"
Json = dict[str, Any]


def role(number: int, count: int) -> Json:
    """One of many roles."""
    logs = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
    statements: list[Json] = [logs]
    if number % 2 == 0:
        condition = {"StringEquals": {"bedrock:GuardrailIdentifier": GUARDRAIL}}
        statements.append(
            {"Effect": "Allow", "Action": "bedrock:InvokeModel*", "Resource": MODEL, "Condition": condition}
        )
    if number % 10 == 3:
        other = {"Fn::GetAtt": [f"Role{(number + 1) % count}", "Arn"]}
        statements.append({"Effect": "Allow", "Action": ["iam:PassRole", "sts:AssumeRole"], "Resource": other})
    trusted: Json = {"Service": "lambda.amazonaws.com"}
    if number % 10 == 4:
        trusted["AWS"] = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}],
            },
            "Policies": [
                {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}},
            ],
        },
    }


def main() -> None:
    if "--one" in sys.argv:
        _one(int(sys.argv[-1]))
        return
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    print("| roles | claims | not held | s | peak MB |")
    print("|--:|--:|--:|--:|--:|")
    for size in sizes:
        done = subprocess.run(
            [sys.executable, "-m", "bench.prove_growth", "--one", str(size)], check=True, capture_output=True, text=True
        )
        print(done.stdout, end="", flush=True)


def _one(count: int) -> None:
    from caisson.assurance.identities.examination import Examination
    from caisson.assurance.templates import read

    with tempfile.TemporaryDirectory() as folder:
        made = {"Resources": {f"Role{number}": role(number, count) for number in range(count)}}
        (Path(folder) / "a.json").write_text(json.dumps(made))
        began = time.perf_counter()
        found = Counter(proof.verdict.value for proof in Examination(read(Path(folder))).proofs())
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    others = sum(number for verdict, number in found.items() if verdict != "holds")
    print(f"| {count:,} | {sum(found.values()):,} | {others:,} | {seconds:.1f} | {peak:.0f} |")


if __name__ == "__main__":
    main()
