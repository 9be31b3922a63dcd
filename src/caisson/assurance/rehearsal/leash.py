"""Runs a command that ends when its parent does, however that ends.

    python -m caisson.assurance.rehearsal.leash PARENT_PID COMMAND ARGUMENT…

A rehearsal must not outlive the verification that started it. The kernel keeps the setting across exec (prctl(2)), and
a supervisor that is killed takes its zones with it.
"""

from __future__ import annotations

import os
import sys

from caisson.adapters.embedded.isolation import leave_with_parent


def main(arguments: list[str]) -> None:
    """Never returns."""
    leave_with_parent(int(arguments[0]))
    os.execv(arguments[1], arguments[1:])  # noqa: S606 - no shell on purpose


if __name__ == "__main__":
    main(sys.argv[1:])
