"""The archive on one machine: encrypted files and a Merkle tree of plain hashes.

    archive/journal/<first>.journal                       recent entries, appended and synced, encrypted frame by frame
    archive/ext/caisson/region=…/accountId=…/eventDay=…/  older entries as encrypted Parquet, Security Lake's layout
    tree/leaves, tree/checkpoints                         32 bytes a leaf; signed checkpoints as text

Rules: no plaintext reaches a disk (DAT-05), DuckDB works in memory alone; an entry is synced before it is acknowledged;
what a kill left half-written was never acknowledged and is dropped when the archive opens; readers need no lock.
"""

from caisson.adapters.embedded.archive.reader import EmbeddedArchiveReader
from caisson.adapters.embedded.archive.writer import EmbeddedArchive

__all__ = ["EmbeddedArchive", "EmbeddedArchiveReader"]
