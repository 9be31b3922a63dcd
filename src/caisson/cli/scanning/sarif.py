"""Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from caisson import __version__
from caisson.cli.scanning.findings import Located

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Sequence[Located]) -> dict[str, Any]:
    """A log with one run."""
    rules = sorted({one.rule for one in found})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "caisson scan",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [
                            {"id": rule, "shortDescription": {"text": f"A credential ({rule.partition('.')[2]})"}}
                            for rule in rules
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, rules.index(one.rule)) for one in found],
            }
        ],
    }


def _result(one: Located, number: int) -> dict[str, Any]:
    return {
        "ruleId": one.rule,
        "ruleIndex": number,
        "level": "error" if one.score >= 0.7 else "warning",
        "message": {"text": f"A credential: {one.shown}. Revoke it where it was issued, then take it out."},
        "partialFingerprints": {"caissonScan/v1": one.fingerprint},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(one.name)},
                    "region": {
                        "startLine": one.line,
                        "startColumn": one.column,
                        "endLine": one.end_line,
                        "endColumn": one.end_column,
                    },
                }
            }
        ],
        **({"properties": {"commit": one.commit}} if one.commit else {}),
    }  # fmt: skip
