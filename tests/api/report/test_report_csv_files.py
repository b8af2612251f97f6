"""The CSV files read back: one per sheet, the same rows, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from api.report import ReportData, write_csvs
from api.report.csv_files import csv_text
from api.report.sheets import sheets


def read(path: Path) -> list[list[str]]:
    """Read one file as a spreadsheet would."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_there_is_one_file_per_sheet_with_the_same_rows(report: ReportData, tmp_path: Path) -> None:
    paths = write_csvs(report, tmp_path / "new" / "folder")
    tables = sheets(report)
    assert [path.stem for path in paths] == [table.title.lower().replace(" ", "_") for table in tables]
    for path, table in zip(paths, tables, strict=True):
        head, *rows = read(path)
        assert head == [column.title for column in table.columns]
        assert len(rows) == len(table.rows)
        for line, row in zip(rows, table.rows, strict=True):
            for text, cell in zip(line, row, strict=True):
                if isinstance(cell, int | float):
                    assert float(text) == cell
                elif isinstance(cell, date):
                    assert date.fromisoformat(text) == cell
                else:
                    assert text == (cell or "")


def test_spreadsheets_are_told_the_encoding(report: ReportData, tmp_path: Path) -> None:
    for path in write_csvs(report, tmp_path):
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_never_becomes_a_formula(report: ReportData, tmp_path: Path, start: str) -> None:
    clients = tuple(one.model_copy(update={"name": f"{start}1+1"}) for one in report.firm.clients)
    paths = write_csvs(replace(report, firm=report.firm.model_copy(update={"clients": clients})), tmp_path)
    cells = [cell for path in paths for row in read(path) for cell in row]
    assert f"'{start}1+1" in cells
    assert not [cell for cell in cells if cell.startswith(start)]


def test_a_negative_number_stays_a_number() -> None:
    assert csv_text(-1.5) == "-1.5"
    assert csv_text(None) == ""


def test_an_empty_firm_gets_every_file_with_its_head(empty_report: ReportData, tmp_path: Path) -> None:
    paths = write_csvs(empty_report, tmp_path)
    assert len(paths) == 11
    assert all(read(path)[0] for path in paths)
