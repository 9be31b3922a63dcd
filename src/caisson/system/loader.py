"""Reads a system file: text → data with positions → tier defaults → schema → checks. All problems at once.

- Whatever is wrong inside the file is a `Problem` with a position in it, never another exception.
- `load` gives a whole system or raises.

>>> load(Path("examples/claims/caisson.yaml"), carrier="up").name
'claims-assistant'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from caisson.errors import SystemFileError
from caisson.system import checks
from caisson.system.carriers import Carrier, unbuilt
from caisson.system.document import FILE_BYTES_MAX, Document, Problem, decode, parse, shown
from caisson.system.problems import from_schema
from caisson.system.resolve import settle
from caisson.system.schema import File, System

PROBLEMS_SHOWN_MAX = 20
"""Problems that one error repeats."""
LOOSEST_TIER = 1
"""Stands in for a tier that is missing or wrong, so that only the tier is reported."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read from a file."""

    name: str
    """The file as it was named."""
    document: Document
    system: System | None
    """The resolved system; None when there are problems."""
    problems: tuple[Problem, ...]
    """What is wrong, in the order of the file."""
    warnings: tuple[Problem, ...]
    """What is worth a look."""

    def require(self) -> System:
        """The system.

        Raises:
            SystemFileError: with every problem.
        """
        if self.system is None:
            raise SystemFileError(_report(self.name, self.problems))
        return self.system

    def unbuilt(self, carrier: Carrier) -> tuple[Problem, ...]:
        """The keys for which `carrier` refuses the file, where they stand."""
        return self._unbuilt(carrier, waits=False)

    def waiting(self, carrier: Carrier) -> tuple[Problem, ...]:
        """The keys that the file states and `carrier` takes although they have no effect yet."""
        return tuple(found for found in self._unbuilt(carrier, waits=True) if found.path in self.document.keys)

    def _unbuilt(self, carrier: Carrier, *, waits: bool) -> tuple[Problem, ...]:
        return tuple(
            Problem(position=self.document.key_at(key.path), path=key.path, message=key.message)
            for key in (unbuilt(self.system, carrier) if self.system else ())
            if key.waits == waits
        )

    def refuse_unbuilt(self, carrier: Carrier) -> None:
        """Nothing, when `carrier` can take the file.

        Raises:
            SystemFileError: with every key that it does not run yet.
        """
        refused = self.unbuilt(carrier)
        if refused:
            raise SystemFileError(_report(self.name, refused))


def load(path: Path, *, carrier: Carrier | None = None) -> System:
    """The system in a file; with `carrier`, only if that command runs every key in it.

    Raises:
        SystemFileError: one line a problem, `file:line:column: expected …, found …`.
    """
    reading = read(path)
    system = reading.require()
    if carrier:
        reading.refuse_unbuilt(carrier)
    return system


def read(path: Path, *, today: date | None = None) -> Reading:
    """Read a file, whatever is in it.

    Raises:
        SystemFileError: there is no such file, or it cannot be opened.
    """
    try:
        if not path.is_file():
            found = "no file" if not path.exists() else "something else"
            raise SystemFileError(f"{path}: expected a system file, found {found}; `caisson init` writes one")
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a name that no file can have"
        raise SystemFileError(f"{path}: expected a readable system file, found: {reason}") from error
    return parse_system(raw, name=str(path), today=today)


def parse_system(raw: bytes, *, name: str, today: date | None = None) -> Reading:
    """Read the bytes of a system file. `today` (UTC) decides what has lapsed."""
    text = decode(raw)
    if isinstance(text, Problem):
        return _unusable(name, Document(data=None), [text])
    document = parse(text)
    if not isinstance(document.data, dict) or not document.data:
        wrong = Problem(
            position=document.value_at(()),
            path=(),
            message=f"expected a mapping that begins with `caisson: 1`, found {shown(document.data)}",
        )
        return _unusable(name, document, [*document.problems] or [wrong])
    return _resolve(name, document, document.data, today or datetime.now(UTC).date())


def _resolve(name: str, document: Document, data: dict[str, Any], today: date) -> Reading:
    tier = data.get("tier")
    settled = settle(data, tier if type(tier) is int and 1 <= tier <= 4 else LOOSEST_TIER)
    problems = list(document.problems)
    problems += [
        Problem(position=document.value_at(path), path=path, message=message) for path, message in settled.problems
    ]
    try:
        file = File.model_validate(settled.data)
    except ValidationError as error:
        return _unusable(name, document, problems + from_schema(error, document, settled.data))
    warnings: list[Problem] = []
    for found in checks.run(file, today):
        problem = Problem(position=document.value_at(found.path), path=found.path, message=checks.located(found))
        (warnings if found.warning else problems).append(problem)
    if problems:
        return _unusable(name, document, problems, warnings)
    system = System.model_construct(**dict(file), loosened=(*settled.loosened, *checks.detecting(file)))
    return Reading(name=name, document=document, system=system, problems=(), warnings=_sorted(warnings))


def _unusable(name: str, document: Document, problems: list[Problem], warnings: Sequence[Problem] = ()) -> Reading:
    return Reading(name=name, document=document, system=None, problems=_sorted(problems), warnings=_sorted(warnings))


def _sorted(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.position))


def _report(name: str, problems: Sequence[Problem]) -> str:
    lines = [problem.line_in(name) for problem in problems[:PROBLEMS_SHOWN_MAX]]
    if len(problems) > PROBLEMS_SHOWN_MAX:
        lines.append(f"{name}: and {len(problems) - PROBLEMS_SHOWN_MAX} more")
    return "\n".join(lines)
