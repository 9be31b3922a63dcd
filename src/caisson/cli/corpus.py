"""Labelled rows for `caisson bench detect`: JSON Lines, plain or compressed with gzip.

A row is bounded, and so is what a small compressed file may unpack to.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from caisson.errors import OperatorError

ROW_BYTES_MAX = 4 << 20
"""Longest row."""
ROWS_MAX = 1_000_000


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers and rows.

    Raises:
        OperatorError: the file cannot be read, or a line is no object with a text.
    """
    import orjson

    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            number = 0
            while line := lines.readline(ROW_BYTES_MAX + 1):
                number += 1
                if len(line) > ROW_BYTES_MAX or number > ROWS_MAX:
                    raise OperatorError(f"{path}:{number}: expected at most {ROW_BYTES_MAX:,} bytes a row and "
                                        f"{ROWS_MAX:,} rows; split the file")  # fmt: skip
                if not line.strip():
                    continue
                try:
                    row = orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise OperatorError(f"{path}:{number}: expected a JSON object, found no JSON: {error}") from None
                if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                    raise OperatorError(f"{path}:{number}: expected an object with a 'text' that is a string")
                yield number, row
    except (OSError, EOFError) as error:
        raise OperatorError(f"{path}: expected a readable .jsonl or .jsonl.gz file: {error}") from error
