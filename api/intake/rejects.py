"""What did not become part of the firm: every refused row with its place and reason, and the counts that prove nothing was lost."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.escaping import escaped

COLUMNS = ("sheet", "row", "field", "value", "reason", "nearest", "code", "whole_row")


class IntakeError(Exception):
    """The input as a whole cannot be read: no such path, no known sheet, no JSON, a workbook that does not open."""


@dataclass(frozen=True)
class Reject:
    """One reason why a row was not taken; a row may have several.

    Attributes
    ----------
    row
        As a spreadsheet counts: 1 is the header. For JSON, the place in its list, from 1. 0 stands for the sheet as a whole.
    raw
        The row as it came, ``column=value`` joined by " | ", so that it can be mended and sent again.
    """

    sheet: str
    row: int
    field: str
    value: str
    reason: str
    nearest: str | None
    code: str
    raw: str = ""


@dataclass(frozen=True)
class SheetCount:
    """Rows of one sheet: ``read == taken + rejected``."""

    sheet: str
    read: int
    taken: int
    rejected: int


def write_rejects(rejects: Sequence[Reject], path: Path) -> None:
    """Write the rejects as CSV (UTF-8 with a mark), one line per reason; cells that would run as formulas are escaped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in rejects:
            cells = (one.sheet, one.row, one.field, one.value, one.reason, one.nearest or "", one.code, one.raw)
            writer.writerow([escaped(cell) if isinstance(cell, str) else cell for cell in cells])
