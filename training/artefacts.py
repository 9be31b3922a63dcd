"""Writes a model into the package, and its digest into the code that checks it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from caisson.detect import models


def store(name: str, model: models.Model) -> None:
    """Write, then record the digest."""
    folder = Path(models.__file__).parent
    data = models.encode(model)
    (folder / name).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    code = folder / "__init__.py"
    code.write_text(re.sub(rf'("{re.escape(name)}": )"[0-9a-f]*"', rf'\1"{digest}"', code.read_text("utf-8")), "utf-8")
    print(f"{name}: {len(data):,} bytes, SHA-256 {digest}")
