"""src/caisson/assurance/proofs/actions.json: the actions that IAM knows, of the services that claims are about.

From the service authorization reference as the installed cfn-lint carries it; how a name is written from botocore.

Run: python -m bench.service_actions
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from botocore.session import get_session

TABLE = Path(__file__).parents[1] / "src/caisson/assurance/proofs/actions.json"
SERVICES = (
    "access-analyzer", "account", "aoss", "aws-marketplace", "bedrock", "bedrock-agentcore", "bedrock-mantle",
    "cloudtrail", "cloudwatch", "codecommit", "codepipeline", "config", "dynamodb", "ec2", "ecr", "ecs", "events",
    "guardduty", "iam", "kms", "lambda", "logs", "macie2", "organizations", "s3", "secretsmanager",
    "securityhub", "securitylake", "sns", "sqs", "sts",
)  # fmt: skip
SPELLED_BY = (
    "accessanalyzer", "account", "bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime",
    "bedrock-agentcore", "bedrock-agentcore-control", "bedrock-data-automation",
    "bedrock-data-automation-runtime", "cloudtrail", "cloudwatch", "codecommit", "codepipeline", "config", "dynamodb",
    "ec2", "ecr", "ecs", "events", "guardduty", "iam", "kms", "lambda", "logs", "macie2", "organizations", "s3",
    "s3control", "secretsmanager", "securityhub", "securitylake", "sns", "sqs", "sts",
)  # fmt: skip


def main() -> None:
    text = (files("cfnlint") / "data/AdditionalSpecs/Policies.json").read_text(encoding="utf-8")
    reference = {service: found["Actions"] for service, found in json.loads(text).items()}
    session = get_session()
    available = session.get_available_services()
    written = {
        name.lower(): name
        for service in SPELLED_BY
        if service in available
        for name in session.get_service_model(service).operation_names
    }
    table = {
        "source": f"service authorization reference, as cfn-lint {version('cfn-lint')} carries it",
        "date": datetime.now(UTC).date().isoformat(),
        "actions": {
            service: sorted(written.get(name, name) for name in reference[service])
            for service in SERVICES
            if service in reference
        },
    }
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
