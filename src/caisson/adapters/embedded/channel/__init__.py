"""Channels on one machine: sealed segments in a folder that the reader owns (NET-01, LOG-07).

A writer creates files in the spool and never opens, lists or deletes one; a reader alone reads and deletes. What a
segment holds, and why, stands in `segment`; who remembers what across kills stands in `memory` and `track`.

    spool/events/runtime-0.0006500a1c2d3e4f.00000000.segment
                 └ writer  └ incarnation    └ number
"""

from caisson.adapters.embedded.channel.reader import SealedReader
from caisson.adapters.embedded.channel.refusals import RefusalAggregator
from caisson.adapters.embedded.channel.writer import SPOOL_BYTES_MAX, SealedWriter

__all__ = ["SPOOL_BYTES_MAX", "RefusalAggregator", "SealedReader", "SealedWriter"]
