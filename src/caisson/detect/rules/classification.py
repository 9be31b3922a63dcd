"""Markings that say how a text is classified: a labelled line, a banner, the Traffic Light Protocol (FIRST, TLP 2.0).

Words alone are none: "this is confidential" is speech, "Classification: confidential" is a marking.

>>> [rule.id for rule in MARKINGS]
['classification.internal', 'classification.confidential', 'classification.restricted']
"""

from __future__ import annotations

from caisson.detect.rule import Rule

TYPE = "CLASSIFICATION"
KIND = "classification."
"""How the rules' ids begin; the classification follows."""
_QUOTES = r"[\"'*_`]{0,3}"
_LABEL = rf"(?i:classification|sensitivity|security level|protection level){_QUOTES} ?[:=-] ?{_QUOTES} ?\[?"
_STATED = r"(?i:classified as) "
_WORDS = {
    "internal": ("(?:company |for )?internal(?: use)?(?: only)?", "INTERNAL(?: USE)?(?: ONLY)?", "GREEN"),
    "confidential": (
        "(?:company |business )?confidential",
        "(?:COMPANY |BUSINESS )?CONFIDENTIAL",
        r"AMBER(?:\+STRICT)?",
    ),
    "restricted": (
        "(?:(?:strictly|highly|most) (?:confidential|restricted)|restricted|(?:top )?secret)",
        "(?:(?:STRICTLY|HIGHLY|MOST) (?:CONFIDENTIAL|RESTRICTED)|RESTRICTED|(?:TOP )?SECRET)",
        "RED",
    ),
}
"""How each is written behind a label, in a banner, and as a light."""
_OPENER = r"(?i:classifi|sensitivity|security|protection)|TLP|\[|//|\*\*"


def _rule(classification: str) -> Rule:
    word, shouted, light = _WORDS[classification]
    labelled = rf"\b(?:{_LABEL}|{_STATED})(?i:{word})\b"
    banner = rf"(?:\[|//|\*{{2,3}}) ?{shouted} ?(?:\]|//|\*{{2,3}})"
    pattern = rf"(?:{labelled}|{banner}|\bTLP: ?{light}\b)"
    return Rule(id=f"{KIND}{classification}", type=TYPE, pattern=pattern, opener=_OPENER)


MARKINGS = tuple(map(_rule, _WORDS))
"""One rule for each classification above public."""
