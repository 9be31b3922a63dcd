"""Which part of the deployment carries each row of the pattern, and which parts have templates.

Every row is in `rows.json`; a row without a resource has its reason in `rows.missing.json`.

>>> reasons(with_people=True)["S01"]
'part ingress has no templates in this version'
"""

from __future__ import annotations

ROWS = tuple(f"S{number:02d}" for number in range(1, 78))
"""Rows of the reference pattern."""
BUILT = ("logging", "guardrails", "control", "egress", "runtime", "evaluation", "organization", "people")
"""Parts with templates, in the order of deployment."""

_PARTS: dict[str, tuple[int, ...]] = {
    "organization": (8, 10, 13, 15, 41, 43, 44, 74, 76, 77),
    "people": (7, 14),
    "guardrails": (53, 54, 68),
    "ingress": (1,),
    "runtime": (2, 9, 11, *range(19, 31), 39, 40, 42, 52, 59, 62, 73, 75),
    "tools": (16, 17, 18),
    "egress": (48, 49, 50, 51),
    "control": (5, 12, 63, 64, 65, 67, 69, 70, 72),
    "logging": (6, *range(31, 38), 61, 66),
    "evaluation": (3, 45, 46, 47),
    "ingestion": (4, 38, 55, 56, 57, 58, 60, 71),
}
PART_OF: dict[str, str] = {f"S{row:02d}": part for part, rows in _PARTS.items() for row in rows}
"""The part that carries a row."""
PARTS = tuple(_PARTS)
_WHY = {
    "S02": "the runtime has network, roles and ledger, but no service: the gateway cannot read its configuration and "
    "write its channels on AWS in this version, so it cannot start there",
    "S42": "no account invokes with a single guardrail, and an account enforces one alone; the floor (S44) is enforced",
    "S12": "no template makes an account: the system file names one for each zone; below tier 3 zones may share one",
    "S35": "Security Lake is not set up in this version: a custom source has no type in CloudFormation",
    "S63": "credentials of tools are without effect in this version, so no secret is made for them",
    "S64": "nothing that is deployed in this version retrieves a credential",
    "S65": "no tool gateway is deployed in this version, so no credential is put into a call",
    "S67": "no scan of code is set up in this version; CodeGuru Security ended on 2025-11-20",
    "S72": "no pipeline is made in this version: `caisson deploy` changes stacks without a second person's approval",
}
"""Why a row would have no resource, where more can be said than that its part has none."""


def reasons(
    *, with_people: bool, with_hosts: bool = True, with_tools: bool = True, with_siem: bool = True
) -> dict[str, str]:
    """Why a row would have no resource, by row."""
    found = {}
    for row in ROWS:
        part = PART_OF[row]
        if row in _WHY:
            found[row] = _WHY[row]
        elif part not in BUILT:
            found[row] = f"part {part} has no templates in this version"
        elif part == "people" and not with_people:
            found[row] = "the system file names no aws.identity_center, so nobody gets a permission set"
        elif part == "egress" and not with_hosts:
            found[row] = "the system file names no tool and no issuer, so nothing has a way to the internet"
        elif row in ("S36", "S37") and not with_siem:
            found[row] = "the system file names no aws.siem, so the log is streamed nowhere"
        elif row == "S48" and not with_tools:
            found[row] = "the system file names no tool, so there is no network for tools"
        else:
            found[row] = f"part {part} has templates, but none for this row in this version"
    return found
