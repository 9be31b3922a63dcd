"""The system files that are measured: examples/claims with every detector that goes by form, and limits that the load
cannot reach. What names and addresses cost is in docs/detection-people.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from caisson.system.entities import DETECTABLE, STATISTICAL
from caisson.system.guardrails import PATTERNS_MAX

ROOT = Path(__file__).parents[1]
CLAIMS = ROOT / "examples/claims/caisson.yaml"
WORDS = 100
"""With the patterns and the entities below, far over the 120 rules that a sketch of the hot path was measured with."""
BECAUSE = "a benchmark must not measure its own limits"


def write(path: Path, tier: int, statistics: bool = True) -> int:
    """Write the system file of a tier; returns how many rules of the user's own it states.

    Without `statistics`, inspection is by rules alone: no text is judged as an attack on the model.
    """
    yaml = YAML()
    document = yaml.load(CLAIMS.read_text())
    document["tier"] = tier
    guardrail = document["guardrails"]["main"]
    own = [
        {"name": f"ticket-{number}", "regex": rf"TK{number:02d}-[A-F0-9]{{8}}", "action": "pseudonymise"}
        for number in range(PATTERNS_MAX - len(guardrail["patterns"]))
    ]
    guardrail["patterns"].extend(own)
    if not statistics:
        guardrail["prompt_attack"] = _loose("none")
    guardrail["words"].extend(f"secret-project-{number:03d}" for number in range(WORDS))
    stated = guardrail["pii"]
    stated.update(
        dict.fromkeys(
            sorted(DETECTABLE - STATISTICAL - {"AWS_ACCESS_KEY", "AWS_SECRET_KEY"} - set(stated)), "pseudonymise"
        )
    )
    document["sessions"] = {"tokens": _loose(1_000_000_000), "actions": _loose(1_000_000_000)}
    document["limits"] = {
        "requests_per_user": _loose("20000/second"),
        "requests_total": _loose("20000/second"),
        "concurrency_max": _loose(1_024),
    }
    with path.open("w") as out:
        yaml.dump(document, out)
    return len(guardrail["patterns"]) + len(guardrail["words"]) + len(stated)


def _loose(value: int | str) -> dict[str, Any]:
    return {"value": value, "because": BECAUSE}
