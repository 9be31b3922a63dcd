"""What CloudWatch Logs masks behind the gateway's own redaction (LOG-09, row S25).

Masking happens at ingestion and holds for every way out, metric and subscription filters included; nobody may unmask
(policy `evidence`). Identifiers are AWS's (CloudWatch Logs user guide, CWL-managed-data-identifiers). Names and
addresses are left to the gateway, because AWS's guess at them would mask what operators need.
"""

from __future__ import annotations

from typing import Any

IDENTIFIERS = (
    "AwsSecretKey",
    "CreditCardNumber",
    "EmailAddress",
    "OpenSshPrivateKey",
    "PgpPrivateKey",
    "PkcsPrivateKey",
    "PuttyPrivateKey",
    "Ssn-US",
)


def data_protection(partition: str) -> dict[str, Any]:
    """The data-protection policy of a log group: what is found is counted (LogEventsWithFindings) and masked."""
    identifiers = [f"arn:{partition}:dataprotection::aws:data-identifier/{name}" for name in IDENTIFIERS]
    return {
        "Name": "caisson",
        "Description": "Masks what the gateway's redaction missed",
        "Version": "2021-06-01",
        "Statement": [
            {"Sid": "audit", "DataIdentifier": identifiers, "Operation": {"Audit": {"FindingsDestination": {}}}},
            {"Sid": "mask", "DataIdentifier": identifiers, "Operation": {"Deidentify": {"MaskConfig": {}}}},
        ],
    }
