"""How long each class of data is kept on AWS (LOG-08): the same classes that every message of the channels declares.

>>> stores()
{'trail': 1096, 'archive-access': 1096, 'archive-metadata': 365, 'archive-text': 90}
"""

from __future__ import annotations

from dataclasses import dataclass

from caisson.channels.retention import DAYS, classes


@dataclass(frozen=True, kw_only=True)
class Class:
    """A class that some message belongs to."""

    name: str
    days: int


def kept() -> tuple[Class, ...]:
    """The classes of the messages that exist; a class without messages has no store."""
    return tuple(Class(name=name, days=DAYS[name]) for name in classes())


TRAIL = "trail"
"""What the bucket of the organization's trail is called before the rule of names."""
RECORDINGS = "recordings"
"""What stack, key and bucket of AWS Config's recordings are called before the rule of names."""


def archive(class_: Class) -> str:
    """What the archive's bucket of a class is called before the rule of names."""
    return f"archive-{class_.name}"


def stores() -> dict[str, int]:
    """Buckets of evidence, and the days for which each locks its objects."""
    return {TRAIL: DAYS["access"], **{archive(class_): class_.days for class_ in kept()}}


def buckets() -> tuple[str, ...]:
    """Every bucket of evidence of the logging account: those that lock, and that of the recordings, which cannot."""
    return (*stores(), RECORDINGS)
