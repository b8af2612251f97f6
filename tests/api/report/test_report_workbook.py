"""The workbook read back: the same rows as the data, with numbers as numbers, days as days and text as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter

from api.report import ReportData, write_workbook
from api.report.sheets import sheets

SHEETS = [
    "Summary",
    "Metrics",
    "Heat map",
    "Proposals",
    "Escalations",
    "Late",
    "Holds",
    "Flags",
    "Timetable",
    "Tasks",
    "Certificate",
]


def written(report: ReportData, folder: Path) -> Workbook:
    """Write a workbook and read it back."""
    path = folder / "report.xlsx"
    write_workbook(report, path)
    return load_workbook(path)


@pytest.fixture(scope="module")
def book(report: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    """The workbook of the full report."""
    return written(report, tmp_path_factory.mktemp("book"))


def test_the_sheets_hold_the_tables(book: Workbook, report: ReportData) -> None:
    assert book.sheetnames == SHEETS
    for table in sheets(report):
        rows = list(book[table.title].iter_rows(values_only=True))
        assert rows[0] == tuple(column.title for column in table.columns)
        read = [tuple(one.date() if isinstance(one, datetime) else one for one in row) for row in rows[1:]]
        assert read == [tuple(one if one != "" else None for one in row) for row in table.rows]


def test_hours_add_up_to_the_plan(book: Workbook, report: ReportData) -> None:
    head, *rows = book["Timetable"].iter_rows(values_only=True)
    hours = sum(float(str(row[head.index("Hours")])) for row in rows)
    assert hours == pytest.approx(sum(one.minutes for one in report.plan.timetable) / 60, abs=0.1)


def test_deadlines_are_days(book: Workbook, report: ReportData) -> None:
    deadline = {one.id: one.deadline for one in report.firm.tasks}
    head, *rows = book["Tasks"].iter_rows()
    place = [cell.value for cell in head].index("Deadline")
    assert len(rows) == len(deadline)
    for row in rows:
        cell = row[place]
        assert isinstance(cell, Cell)
        assert cell.is_date
        assert isinstance(cell.value, datetime)
        assert cell.value.date() == deadline[str(row[0].value)]


def test_each_task_has_one_outcome(book: Workbook, report: ReportData) -> None:
    head, *rows = book["Tasks"].iter_rows(values_only=True)
    outcome = {str(row[0]): row[head.index("Outcome")] for row in rows}
    plan = report.plan
    assert {task for task, what in outcome.items() if what == "escalated"} == {one.task for one in plan.escalations}
    assert {task for task, what in outcome.items() if what == "on hold"} == {one.task for one in plan.holds}
    assert {task for task, what in outcome.items() if what == "new"} == {one.task for one in plan.tasks if one.new}
    assert {task for task, what in outcome.items() if what == "move"} == {
        one.task for one in plan.tasks if one.moved_from
    }


def test_heads_stay_in_view_and_filter(book: Workbook) -> None:
    for sheet in book.worksheets:
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref is not None
        assert all(sheet.column_dimensions[get_column_letter(c + 1)].width >= 8 for c in range(sheet.max_column))


def test_the_heat_map_is_coloured_by_rule(book: Workbook) -> None:
    kinds = {rule.type for area in book["Heat map"].conditional_formatting for rule in area.rules}
    assert kinds == {"expression", "cellIs", "colorScale"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_text_never_becomes_a_formula(report: ReportData, tmp_path: Path, start: str) -> None:
    name = f'{start}HYPERLINK("http://evil.example")'
    people = tuple(one.model_copy(update={"name": name}) for one in report.firm.people)
    book = written(replace(report, firm=report.firm.model_copy(update={"people": people})), tmp_path)
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    named = [cell for cell in cells if cell.value == name]
    assert len(named) > 100
    assert all(cell.quotePrefix for cell in named)


def test_characters_that_no_workbook_may_hold_are_replaced(report: ReportData, tmp_path: Path) -> None:
    book = written(replace(report, firm=report.firm.model_copy(update={"name": "A\x00\x0bB #N/A"})), tmp_path)
    assert book["Summary"]["C2"].value == "A\ufffd\ufffdB #N/A"


def test_an_empty_firm_gets_every_sheet(empty_report: ReportData, tmp_path: Path) -> None:
    book = written(empty_report, tmp_path)
    assert book.sheetnames == SHEETS
    assert book["Tasks"].max_row == 1


def test_a_promise_without_a_day_is_blank_not_a_lie(report: ReportData, tmp_path: Path) -> None:
    task = report.plan.tasks[0].model_copy(update={"late": True, "days_late": 30, "promised_day": None})
    book = written(replace(report, plan=report.plan.model_copy(update={"tasks": (task,)})), tmp_path)
    head, row = book["Late"].iter_rows(values_only=True)
    assert row[head.index("Promised")] is None
    assert row[head.index("Late")] == "no end in sight"
    assert row[head.index("Deadline")] == datetime.combine(
        next(one.deadline for one in report.firm.tasks if one.id == task.task), datetime.min.time()
    )
