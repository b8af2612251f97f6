"""Files to plain tables: CSV in any usual encoding and separator, and the sheets of a workbook. Every line comes out, read or refused."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from api.intake.rejects import IntakeError
from api.intake.values import Broken, Cell

SEPARATORS = (",", ";", "\t", "|")
CSV_ENDINGS = (".csv", ".tsv", ".txt")
WORKBOOK_ENDINGS = (".xlsx", ".xlsm")
OTHER_SPREADSHEETS = (".xls", ".ods", ".numbers", ".xlsb")
DAMAGE = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError, SyntaxError,
    NotImplementedError, RuntimeError, OSError,
)  # fmt: skip
"""What the workbook reader raises on damaged files (found by damaging some at random); ``RuntimeError`` is a password."""
BINARY_STARTS = (b"PK\x03\x04", b"\x89PNG", b"%PDF", b"\xd0\xcf\x11\xe0", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b")


@dataclass(frozen=True)
class RawRow:
    """One row as it came; ``number`` as a spreadsheet counts, 1 for the first line."""

    number: int
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Unreadable:
    """A line that is no row."""

    number: int
    text: str
    code: str
    reason: str


@dataclass
class RawTable:
    """The rows of one file or sheet, blank ones left out; the first row that is not blank is the header."""

    source: str
    header: tuple[str, ...] = ()
    rows: list[RawRow] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_csv(path: Path) -> RawTable:
    """Read one CSV file. What is no text at all is one `Unreadable` with number 0."""
    table = RawTable(path.name)
    content = path.read_bytes()
    if content.startswith(BINARY_STARTS):
        reason = "is not a text file. Maybe save it as CSV, or give the workbook itself"
        table.unreadable.append(Unreadable(0, path.name, "not_text", reason))
        return table
    text = _decoded(content, table)
    separator = _separator(text)
    try:
        _take(
            table, list(enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), start=1))
        )
    except csv.Error:
        _take(table, _line_by_line(text, separator, table))
    return table


def read_workbook(path: Path) -> Iterator[RawTable]:
    """Read every sheet of a workbook. A formula counts as the value it was last calculated to.

    Raises
    ------
    IntakeError
        When the file is no workbook, or is protected by a password.
    """
    plain = _loaded(path, calculated=False)
    calculated: Any = None
    try:
        for title in plain.sheetnames:
            sheet = plain[title]
            if not hasattr(sheet, "iter_rows"):  # a sheet that is only a chart
                continue
            table = RawTable(title)
            records = [(number, list(cells)) for number, cells in enumerate(_rows(sheet), start=1)]
            if any(isinstance(cell, Broken) and cell.code == "formula" for _, cells in records for cell in cells):
                calculated = calculated or _loaded(path, calculated=True)
                _put_results(records, [list(cells) for cells in _rows(calculated[title])])
            _take(table, records)
            yield table
    except DAMAGE as error:
        raise IntakeError(f"{path.name} is a damaged workbook: {error}. Maybe open and save it again.") from error
    finally:
        plain.close()
        if calculated is not None:
            calculated.close()


def _take(table: RawTable, records: Sequence[tuple[int, Sequence[Cell]]]) -> None:
    filled = [RawRow(number, cells) for number, cells in records if any(not _blank(cell) for cell in cells)]
    if filled:
        head = list(filled[0].cells)
        while head and _blank(head[-1]):
            head.pop()
        table.header = tuple("" if cell is None else str(cell) for cell in head)
        table.rows.extend(filled[1:])


def _blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip(" \t\r\n\ufeff\xa0"))


def _decoded(content: bytes, table: RawTable) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    if content[1:2] == b"\0" or content[:1] == b"\0":
        return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("utf-8", errors="surrogateescape")
    if any(ord(char) > 127 and not 0xDC80 <= ord(char) <= 0xDCFF for char in text):
        return text  # UTF-8 with a few damaged bytes: the cells that hold them are refused, the others are right
    table.notes.append(f"{table.source} is not UTF-8 and was read as Windows-1252")
    return content.decode("cp1252", errors="replace")


def _separator(text: str) -> str:
    head = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=lambda one: (head.count(one), -SEPARATORS.index(one)))


def _line_by_line(text: str, separator: str, table: RawTable) -> list[tuple[int, list[str]]]:
    """Read each line for itself, so that one open quotation mark costs its own line and no other."""
    records: list[tuple[int, list[str]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            found = list(csv.reader([line], delimiter=separator, strict=True))
            records.append((number, found[0] if found else []))
        except csv.Error:
            reason = "has a quotation mark that does not pair, or a cell too long"
            table.unreadable.append(Unreadable(number, line[:500], "broken_line", reason))
    return records


def _loaded(path: Path, *, calculated: bool) -> Any:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return openpyxl.load_workbook(path, read_only=True, data_only=calculated)
    except (InvalidFileException, *DAMAGE) as error:
        advice = "Maybe it is protected by a password, or is no .xlsx file; open it and save it as .xlsx."
        raise IntakeError(f"{path.name} does not open as a workbook. {advice}") from error


def _rows(sheet: Any) -> Iterator[list[Cell]]:
    if hasattr(sheet, "reset_dimensions"):
        sheet.reset_dimensions()  # some writers state a size that leaves rows out
    for row in sheet.iter_rows():
        yield [_cell(cell.value, cell.data_type) for cell in row]


def _cell(value: object, data_type: str) -> Cell:
    if data_type == "f":
        reason = "is a formula that was never calculated. Maybe open and save the workbook once"
        return Broken(str(value), "formula", reason)
    if data_type == "e":
        return Broken(str(value), "spreadsheet_error", "is an error of the spreadsheet. Maybe mend its formula")
    if value is None or isinstance(value, str | int | float | bool | date | datetime | time | timedelta):
        return value
    return str(value)


def _put_results(records: list[tuple[int, list[Cell]]], results: list[list[Cell]]) -> None:
    for (_, cells), found in zip(records, results, strict=False):
        for place, cell in enumerate(cells):
            if isinstance(cell, Broken) and cell.code == "formula" and place < len(found) and found[place] is not None:
                cells[place] = found[place]
