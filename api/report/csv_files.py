"""The report as CSV files, one per sheet of the workbook, readable by every spreadsheet (UTF-8 with a mark)."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from api.escaping import escaped
from api.report.sheets import sheets
from api.report.source import ReportData
from api.report.tables import Table, Value


def write_csvs(report: ReportData, folder: Path) -> tuple[Path, ...]:
    """Write one file per table into ``folder``, which is made when missing; return the files in sheet order."""
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(write_csv(table, folder) for table in sheets(report))


def write_csv(table: Table, folder: Path) -> Path:
    """Write one table; its name is the sheet's in lower case, with underscores."""
    path = folder / f"{table.title.lower().replace(' ', '_')}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.title for column in table.columns])
        writer.writerows([csv_text(cell) for cell in row] for row in table.rows)
    return path


def csv_text(cell: Value) -> str:
    """Return one cell: ISO days, plain numbers, and text behind an apostrophe where it would run as a formula."""
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    return escaped(cell) if isinstance(cell, str) else str(cell)
