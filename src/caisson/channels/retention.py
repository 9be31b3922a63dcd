"""How long each class of data is kept (LOG-08): the class that every message declares, and its days.

>>> class_of("model.request.v1"), DAYS["text"]
('text', 90)
>>> class_of("of.another.version.v9")
'access'
"""

from __future__ import annotations

from typing import get_args

from caisson.channels.messages import AnyMessage, HeadEvent, KeyEvent

DAYS: dict[str, int] = {
    "text": 90,
    "metadata": 365,
    "guardrail": 365,
    "judge": 365,
    "chain": 365,
    "injection": 731,
    "access": 1_096,
    "aggregate": 1_096,
}
"""Days by class: 90, and one, two and three years in the steps that CloudWatch Logs takes (PutRetentionPolicy)."""

_CLASSES = {
    str(message.__struct_config__.tag): str(message.retention)
    for message in (*get_args(AnyMessage), HeadEvent, KeyEvent)
}
LONGEST: str = max(_CLASSES.values(), key=DAYS.__getitem__)
"""Of the classes that some message belongs to."""


def classes() -> tuple[str, ...]:
    """The classes of the messages that exist, in alphabetical order."""
    return tuple(sorted(set(_CLASSES.values())))


def class_of(kind: str) -> str:
    """The class of a kind of event; of one that this version does not know, the one that is kept longest."""
    return _CLASSES.get(kind, LONGEST)
