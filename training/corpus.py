"""Rows of the development corpora, with the two ways of holding some of them out.

- `family`: where a row comes from. Translations, encodings and excerpts of a source belong to it, so that leaving a
  family out leaves nothing of it behind.
- `group`: rows that share a text, a payload, a template or most of their words. A group never stands on both sides.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path

FAMILIES = (
    ("hackaprompt", "hackaprompt"), ("PurpleLlama CyberSecEval prompt_inj", "purple"), ("mitre_frr", "mitre"),
    ("frr_multi", "mitre"), ("inthewild", "jailbreaks"), ("garak dan", "jailbreaks"), ("Giskard", "jailbreaks"),
    ("garak latent", "latent"), ("garak sysprompt", "sysprompt"), ("BIPIA", "bipia"), ("AgentDojo", "agentdojo"),
    ("agent-gov", "agt"), ("NotInject", "notinject"), ("XSTest", "xstest"), ("WildGuard", "wildguard"),
    ("awesome", "awesome"), ("arena", "arena"), ("deepset", "deepset"), ("banking", "banking"), ("CLINC", "clinc"),
    ("self-instruct", "selfinstruct"),
)  # fmt: skip
"""Part of `source`, name of the family."""
_PERMUTATIONS, _BAND, _ALIKE = 48, 3, 0.45
"""MinHash: signatures, rows of a band, least Jaccard similarity of word triples."""
_PRIME = (1 << 61) - 1


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a corpus."""

    text: str
    attack: bool
    kind: str
    family: str
    overt: bool
    """An attack that can be told by itself: neither `needs_context` nor of low confidence."""
    derived: bool
    """An encoding of another row."""
    ordinary: bool
    """From `benign_prompts`."""
    data: bool
    """A document or a tool's result."""
    same: Hashable
    """Rows with the same value belong together, whatever their words."""
    plain: str
    """The text without its encoding."""
    payload: str
    """The attack that was spliced into an innocent text; empty where unknown."""


def read(folder: Path) -> list[Row]:
    """All rows of injection.jsonl and benign_prompts.jsonl."""
    rows = []
    for name in ("injection.jsonl", "benign_prompts.jsonl"):
        for line in (folder / name).read_text("utf-8").rstrip("\n").split("\n"):
            rows.append(_row(json.loads(line), ordinary=name == "benign_prompts.jsonl"))
    return rows


def _row(raw: dict[str, object], *, ordinary: bool) -> Row:
    source, text = str(raw["source"]), str(raw["text"])
    attack = raw["label"] == "attack"
    derived = source.startswith("derived(")
    family = next(name for part, name in FAMILIES if part in source)
    plain = str(raw.get("plain") or text)
    same: Hashable = plain
    if family == "bipia" and attack:
        same = ("bipia", str(raw["variant"]).partition("/")[0])
    elif family == "agentdojo" and attack:
        same = ("agentdojo", raw["payload"])
    elif family == "agt":
        same = ("agt", raw["variant"])
    return Row(
        text=text, attack=attack, kind=str(raw["kind"]), family=family, derived=derived, ordinary=ordinary, plain=plain,
        overt=attack and raw.get("needs_context") is not True and raw.get("label_confidence") != "low",
        data=str(raw["kind"]) in ("indirect_injection", "benign_document", "benign_tool_output"), same=same,
        payload=str(raw.get("payload") or "") if attack else "",
    )  # fmt: skip


def groups(rows: list[Row]) -> list[int]:
    """For each row the number of its group."""
    parent = list(range(len(rows)))

    def find(at: int) -> int:
        while parent[at] != at:
            parent[at] = at = parent[parent[at]]
        return at

    seen: dict[Hashable, int] = {}
    shingles = [_shingles(row.plain) for row in rows]
    for at, row in enumerate(rows):
        parent[find(at)] = find(seen.setdefault(row.same, at))
    signatures = [_signature(each) for each in shingles]
    for first in range(0, _PERMUTATIONS, _BAND):
        buckets: dict[tuple[int, ...], int] = {}
        for at, signature in enumerate(signatures):
            other = buckets.setdefault(signature[first : first + _BAND], at)
            if other != at:
                a, b = shingles[at], shingles[other]
                if len(a & b) > _ALIKE * len(a | b):
                    parent[find(at)] = find(other)
    return [find(at) for at in range(len(rows))]


def _shingles(text: str) -> set[str]:
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[at : at + 3]) for at in range(len(words) - 2)} or {text.lower()[:200]}


_SEEDS = random.Random(0)
_COEFFICIENTS = [(_SEEDS.randrange(1, _PRIME), _SEEDS.randrange(_PRIME)) for _ in range(_PERMUTATIONS)]


def _signature(shingles: Iterable[str]) -> tuple[int, ...]:
    hashes = [zlib.crc32(each.encode()) for each in shingles]
    return tuple(min((a * h + b) % _PRIME for h in hashes) for a, b in _COEFFICIENTS)
