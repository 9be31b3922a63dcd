"""Compile the built-in rules once, at installation: `python -m caisson.cli.prepare`. Else the first start does."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.cli.init import FILE_NAME, init
from caisson.detect.built import BUILT
from caisson.detect.prefilter import keep_in
from caisson.detect.redaction import Redactor
from caisson.system.loader import load


def main() -> int:
    """Exit 0, or 1 where the installation cannot be written; it works all the same, only slower to start."""
    try:
        BUILT.clear()
        keep_in(BUILT)
        with tempfile.TemporaryDirectory() as folder:
            init(Path(folder), tier=2)
            system = load(Path(folder) / FILE_NAME, carrier="up")
        EmbeddedGuardrail(system, 1)
        Redactor()
    except OSError as error:
        print(f"Rules were not compiled in advance: {error.strerror}: {error.filename}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
