"""Text of Excel workbooks, sheet by sheet as comma-separated values (RFC 4180), read by calamine (Rust)."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from caisson.adapters.embedded.extractor import package
from caisson.adapters.embedded.extractor.text import Text, UnreadableError
from caisson.ports.extractor import Unreadable

CELLS_MAX = 1_000_000
"""Cells of a workbook, empty ones between others too."""


def text(data: bytes) -> str:
    """The workbook's text.

    Raises:
        UnreadableError: it has none here.
    """
    with package.opened(data) as opened:
        if "xl/workbook.xml" not in opened.namelist():
            raise UnreadableError(Unreadable.WRONG_FORMAT)
    found, cells = Text(), 0
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            cells += sheet.total_height * sheet.total_width
            if cells > CELLS_MAX:
                raise UnreadableError(Unreadable.TOO_MANY)
            found.line()
            found.add(f"{name}\n")
            for row in sheet.iter_rows():
                found.add(_line([_written(cell) for cell in row]))
    except PasswordError as error:
        raise UnreadableError(Unreadable.ENCRYPTED) from error
    except CalamineError as error:
        raise UnreadableError(Unreadable.DAMAGED) from error
    return str(found)


def _written(cell: object) -> str:
    """A cell as one reads it."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime | date | time):
        return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
    return str(cell)


def _line(cells: list[str]) -> str:
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        return ""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
