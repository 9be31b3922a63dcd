"""The channel table: the only ways across between zones (NET-01).

Each channel has one direction. The table is data: the embedded runtime, the AWS deployment, the proofs and the
documentation read it.

>>> CHANNELS["events"].reader
<Zone.LOGGING: 6>
>>> Zone.RUNTIME in CHANNELS["events"].writers
True
>>> CHANNELS["requests"].writer_labels
('runtime',)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Zone(IntEnum):
    """The six zones of the pattern."""

    INGRESS = 1
    RUNTIME = 2
    EVALUATION = 3
    INGESTION = 4
    CONTROL = 5
    LOGGING = 6

    @property
    def label(self) -> str:
        """Lower-case name as it stands in folders, users and events."""
        return self.name.lower()


ALL_ZONES = tuple(Zone)
SUPERVISOR = "supervisor"
"""Label of the process that starts and watches the zones of one machine; it is no zone and reads nothing."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One row of the table."""

    name: str
    writers: tuple[Zone, ...]
    """Zones that may write and cannot read back."""
    readers: tuple[Zone, ...]
    """Zones that may read; only they delete."""
    carries: str
    """What travels, in a few words."""
    embedded: str
    """What carries it on one machine."""
    aws: str
    """What carries it on AWS."""
    supervised: bool = False
    """Whether the supervisor writes here too: what it saw its zones do."""

    @property
    def reader(self) -> Zone:
        """The only reader of a sealed channel."""
        (only,) = self.readers
        return only

    @property
    def writer_labels(self) -> tuple[str, ...]:
        """Labels of all that may write."""
        return tuple(zone.label for zone in self.writers) + ((SUPERVISOR,) if self.supervised else ())


_ROWS = (
    Channel(
        name="events",
        writers=ALL_ZONES,
        readers=(Zone.LOGGING,),
        carries="every event",
        embedded="sealed segments",
        aws="SQS in the logging account",
        supervised=True,
    ),
    Channel(
        name="evaluations",
        writers=(Zone.RUNTIME,),
        readers=(Zone.EVALUATION,),
        carries="pseudonymised interactions",
        embedded="sealed segments",
        aws="SQS in the judge account",
    ),
    Channel(
        name="requests",
        writers=(Zone.RUNTIME,),
        readers=(Zone.CONTROL,),
        carries="approval requests",
        embedded="sealed segments",
        aws="SQS in the control account",
    ),
    Channel(
        name="findings",
        writers=(Zone.EVALUATION, Zone.LOGGING),
        readers=(Zone.CONTROL,),
        carries="judge escalations, drift, triggers, anchored checkpoints",
        embedded="sealed segments",
        aws="EventBridge",
    ),
    Channel(
        name="proposals",
        writers=(Zone.INGESTION,),
        readers=(Zone.CONTROL,),
        carries="hash of a new index version",
        embedded="sealed segments",
        aws="EventBridge",
    ),
    Channel(
        name="configuration",
        writers=(Zone.CONTROL,),
        readers=ALL_ZONES,
        carries="what the file and approvals decided",
        embedded="TUF repository",
        aws="TUF repository in S3",
    ),
    Channel(
        name="orders",
        writers=(Zone.CONTROL,),
        readers=ALL_ZONES,
        carries="revocations, containment, approval decisions",
        embedded="TUF role, short expiry",
        aws="TUF role, short expiry",
    ),
    Channel(
        name="secrets",
        writers=(Zone.CONTROL,),
        readers=(Zone.RUNTIME,),
        carries="vault values for one use",
        embedded="sealed, in memory",
        aws="Secrets Manager read by role",
    ),
    Channel(
        name="indexes",
        writers=(Zone.INGESTION,),
        readers=(Zone.RUNTIME,),
        carries="immutable index versions",
        embedded="read-only SQLite file, hash in configuration",
        aws="index alias, read role",
    ),
)

CHANNELS: dict[str, Channel] = {row.name: row for row in _ROWS}
