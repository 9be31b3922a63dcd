"""Signed checkpoints of the log's tree, in the text form of C2SP tlog-checkpoint over signed-note (LOG-07).

    caisson/claims-assistant                      origin
    42                                            leaves
    3nNwPYF…=                                     root, base64
    timestamp 1764000000.125                      extension line: Unix time, milliseconds

    — caisson/claims-assistant Gx3aB…=            key hash and Ed25519 signature, base64

>>> Checkpoint(origin="caisson/x", size=0, root=bytes(32), timestamp=1.0).text.splitlines()[1]
'0'
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from caisson.policy.merkle import HASH_BYTES
from caisson.ports.keys import SigningKey

SIGNATURE_BYTES = 64
_ED25519 = b"\x01"
"""Signature type of signed-note."""
_NOTE = re.compile(
    r"(?P<origin>[^\s+]{1,200})\n(?P<size>0|[1-9][0-9]{0,15})\n(?P<root>[A-Za-z0-9+/=]{44})\n"
    r"timestamp (?P<timestamp>[0-9]{1,12}\.[0-9]{3})\n\n"
    "\u2014 (?P<name>[^\\s+]{1,200}) (?P<signature>[A-Za-z0-9+/=]{1,200})\n"
)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The tree at one moment."""

    origin: str
    """Which log: `caisson/<system>`."""
    size: int
    root: bytes
    timestamp: float
    """Unix time in seconds; milliseconds count."""

    @property
    def text(self) -> str:
        """The exact text under the signature."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\ntimestamp {self.timestamp:.3f}\n"


def to_note(checkpoint: Checkpoint, signature: bytes, public_bytes: bytes) -> str:
    """The checkpoint with its signature line."""
    name = checkpoint.origin
    blob = base64.b64encode(_key_hash(name, public_bytes) + signature).decode()
    return f"{checkpoint.text}\n\u2014 {name} {blob}\n"


def sign(checkpoint: Checkpoint, key: SigningKey) -> tuple[str, bytes]:
    """The signed note and the bare signature."""
    signature = key.sign(checkpoint.text.encode())
    return to_note(checkpoint, signature, key.public_bytes), signature


def parse_note(note: str) -> tuple[Checkpoint, bytes]:
    """The checkpoint and signature in a note; whether they belong together is for `is_signed` to say.

    Raises:
        ValueError: not a checkpoint of this form.
    """
    match = _NOTE.fullmatch(note)
    if match is None:
        raise ValueError("expected a signed checkpoint, found other text")
    try:
        root = base64.b64decode(match["root"], validate=True)
        blob = base64.b64decode(match["signature"], validate=True)
    except binascii.Error:
        raise ValueError("expected base64 in a signed checkpoint, found other text") from None
    if len(root) != HASH_BYTES or len(blob) != 4 + SIGNATURE_BYTES:
        raise ValueError("expected a root of 32 bytes and an Ed25519 signature")
    checkpoint = Checkpoint(
        origin=match["origin"], size=int(match["size"]), root=root, timestamp=float(match["timestamp"])
    )
    return checkpoint, blob[4:]


def is_signed(data: bytes, signature: bytes, public_bytes: bytes) -> bool:
    """Whether the Ed25519 signature over `data` is the key's. Malformed keys and signatures verify nothing."""
    try:
        Ed25519PublicKey.from_public_bytes(public_bytes).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _key_hash(name: str, public_bytes: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public_bytes).digest()[:4]
