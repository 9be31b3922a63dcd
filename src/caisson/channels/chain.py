"""The hash chain over a writer's sealed records, as writers extend it and auditors check it (LOG-07).

- A chain begins at `GENESIS` with each incarnation and takes one step a record.
- A step binds the record's digest to everything before it: `SHA-256(previous chain value || digest)`, raw bytes.

>>> extend(GENESIS, bytes(32)).hex()[:16]
'f5a5fd42d16a2030'
"""

from __future__ import annotations

from hashlib import sha256

GENESIS = bytes(32)
"""Chain value before an incarnation's first record."""


def extend(chain: bytes, digest: bytes) -> bytes:
    """The chain value after a record with this SHA-256 digest."""
    return sha256(chain + digest).digest()
