"""A copy of the archive in S3, where nobody changes it before its time, and its reading end (decision 24).

The archive in the logging zone's folder stays what is written and queried; what it has signed is copied, part by part,
and can be verified from the buckets alone.

    layout.py     what a part is called and holds; pure
    copy.py       from the archive into the buckets
    reader.py     the reading end over the buckets
"""

from caisson.adapters.aws.archive.copy import ArchiveCopy
from caisson.adapters.aws.archive.reader import CopiedArchiveReader

__all__ = ["ArchiveCopy", "CopiedArchiveReader"]
