"""One zone process: `python -m caisson.wiring gateway|control|logging|lending SETTINGS_FILE`."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path

from caisson.errors import CaissonError, DeveloperError
from caisson.supervision.readiness import announce_failure, wait_for_turn

MODULES = {
    "gateway": "caisson.wiring.gateway",
    "control": "caisson.wiring.control",
    "logging": "caisson.wiring.logs",
    "lending": "caisson.wiring.lending",
}


def main(arguments: list[str]) -> int:
    """Run a process until it is told to stop; its exit status."""
    process, settings = arguments
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("_granian").setLevel(logging.ERROR)
    try:
        module = importlib.import_module(MODULES[process])
        wait_for_turn()
        return int(module.run(Path(settings)))
    except CaissonError as error:
        announce_failure(str(error))
        logging.getLogger("caisson").error("%s", error)
        if isinstance(error, DeveloperError):
            raise
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
