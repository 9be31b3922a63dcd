"""Checkpoints as the control zone keeps them: JSON Lines of `{"size", "root", "signature", "timestamp"}` (LOG-07)."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

import msgspec

from caisson.errors import OperatorError
from caisson.zones.z6_logging.checkpoints import Checkpoint
from caisson.zones.z6_logging.verify import Anchor

LINE_BYTES_MAX = 4_096


class _Line(msgspec.Struct):
    size: int
    root: str
    signature: str
    timestamp: float


def read_anchors(path: Path, origin: str) -> list[Anchor]:
    """The anchors in the file, for the log named `origin`.

    Raises:
        OperatorError: a line is not an anchor.
        FileNotFoundError, PermissionError: as it says.
    """
    anchors: list[Anchor] = []
    with open(path, "rb") as file:
        while line := file.readline(LINE_BYTES_MAX):
            try:
                fields = msgspec.json.decode(line, type=_Line)
                point = Checkpoint(
                    origin=origin, size=fields.size, root=bytes.fromhex(fields.root), timestamp=fields.timestamp
                )
                anchors.append(Anchor(checkpoint=point, signature=base64.b64decode(fields.signature, validate=True)))
            except (msgspec.MsgspecError, binascii.Error, ValueError):
                number = len(anchors) + 1
                raise OperatorError(
                    f"{path} line {number}: expected an anchored checkpoint, found other text"
                ) from None
    return anchors
