"""Findings that are known and why they may stay: a JSON file that people edit and review.

{"version": 1, "known": [{"fingerprint": "…", "file": "…", "rule": "…", "because": "an example in the docs"}]}
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from caisson.cli.scanning.findings import Located
from caisson.errors import OperatorError

VERSION = 1
UNEXPLAINED = "TO BE EXPLAINED"
"""What a new entry says until somebody gives a reason."""
BYTES_MAX = 16 << 20
_KEYS = ("fingerprint", "file", "rule", "because")


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Reasons by fingerprint."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    _known: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """The file's entries; none where there is no file yet.

        Raises:
            OperatorError: the file is none of ours.
        """
        if not path.exists():
            return cls()
        try:
            if path.stat().st_size > BYTES_MAX:
                raise ValueError(f"more than {BYTES_MAX:,} bytes")
            document = json.loads(path.read_text())
            if document["version"] != VERSION:
                raise ValueError(f"version {document['version']!r}")
            known = [{key: str(entry[key]) for key in _KEYS} for entry in document["known"]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise OperatorError(f"{path}: expected a baseline of version {VERSION}, found {error}") from None
        return cls(reasons={entry["fingerprint"]: entry["because"] for entry in known}, _known=tuple(known))

    def updated(self, found: Sequence[Located], examined: Collection[str]) -> Baseline:
        """The baseline of what is found now.

        Reasons are kept; what is gone from an examined file is dropped, and what is known of others stays.
        """
        entries: dict[str, Mapping[str, str]] = {
            entry["fingerprint"]: entry for entry in self._known if entry["file"] not in examined
        } | {
            one.fingerprint: {
                "fingerprint": one.fingerprint,
                "file": one.name,
                "rule": one.rule,
                "because": self.reasons.get(one.fingerprint, UNEXPLAINED),
            }
            for one in found
        }
        known = sorted(entries.values(), key=lambda entry: (entry["file"], entry["rule"], entry["fingerprint"]))
        return Baseline(reasons={entry["fingerprint"]: entry["because"] for entry in known}, _known=tuple(known))

    def write(self, path: Path) -> None:
        """Write the file, a line an entry, so that changes are easy to review; whole, or it stays as it was.

        Raises:
            OperatorError: it cannot be written.
        """
        lines = ",\n".join("  " + json.dumps(entry, ensure_ascii=False) for entry in self._known)
        unfinished = path.with_name(f".{path.name}.new")
        try:
            unfinished.write_text(f'{{"version": {VERSION}, "known": [\n{lines}\n]}}\n')
            unfinished.replace(path)
        except OSError as error:
            raise OperatorError(f"{path}: expected to write the baseline, found {error.strerror}") from None
