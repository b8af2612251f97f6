"""The report as one XLSX workbook: numbers are numbers, days are days, and no text can run as a formula."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.formatting.rule import ColorScale, FormatObject, Rule
from openpyxl.styles import Alignment, Color, Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from api.escaping import FORMULA_STARTS
from api.report.sheets import sheets
from api.report.source import ReportData
from api.report.tables import Column, Kind, Table, Value
from solver.calendar import local_now

FORMATS = {Kind.HOURS: "#,##0.00", Kind.PERCENT: "0.0", Kind.COUNT: "#,##0", Kind.DAY: "ddd d mmm yyyy"}
HEAD_FONT = Font(bold=True, color="FFFFFF")
HEAD_FILL = PatternFill("solid", fgColor="14508F")
OVER = DifferentialStyle(font=Font(bold=True, color="FFFFFF"), fill=PatternFill("solid", bgColor="B34700"))
AWAY = DifferentialStyle(fill=PatternFill("lightUp", fgColor="9AA7B3", bgColor="F4F6F8"))
BLUES = ColorScale(
    cfvo=[FormatObject(type="num", val=0), FormatObject(type="num", val=100)], color=[Color("F3F8FC"), Color("4F8FCB")]
)
WRAP_FROM = 40
"""Columns at least this wide (characters) hold sentences and wrap."""
HEAT_FIRST_WEEK = 6
"""The heat map's first week stands in this column; who it is comes before."""


def write_workbook(report: ReportData, path: Path) -> None:
    """Write the workbook to ``path``."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title = legal(f"Work plan, {report.firm.name}")
    book.properties.creator = "Evenhand"
    book.properties.created = local_now(report.firm, report.plan.now)
    for table in sheets(report):
        sheet = book.create_sheet(table.title)
        fill(sheet, table)
        if table.title == "Heat map":
            colour_heat(sheet, table)
    book.save(path)


def fill(sheet: Worksheet, table: Table) -> None:
    """Write a table: frozen head, filter, widths, formats."""
    for c, column in enumerate(table.columns, start=1):
        sheet.column_dimensions[get_column_letter(c)].width = max(column.width, 8)
    sheet.append([head_cell(sheet, column) for column in table.columns])
    for row in table.rows:
        sheet.append([body_cell(sheet, *pair) for pair in zip(table.columns, row, strict=True)])
    sheet.freeze_panes = "F2" if table.title == "Heat map" else "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{len(table.rows) + 1}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def head_cell(sheet: Worksheet, column: Column) -> Cell:
    """Return the head of a column."""
    cell = plain_cell(sheet, column.title)
    cell.font, cell.fill = HEAD_FONT, HEAD_FILL
    cell.alignment = Alignment(vertical="center", wrap_text=True)
    return cell


def body_cell(sheet: Worksheet, column: Column, cell_value: Value) -> Cell:
    """Return one value with its column's look."""
    cell = plain_cell(sheet, cell_value)
    if column.kind in FORMATS and not isinstance(cell_value, str):
        cell.number_format = FORMATS[column.kind]
    elif isinstance(cell_value, float):
        cell.number_format = "#,##0.00"
    wraps = column.width >= WRAP_FROM
    cell.alignment = Alignment(
        vertical="top", wrap_text=wraps, horizontal="left" if wraps or column.kind is Kind.DAY else None
    )
    return cell


def plain_cell(sheet: Worksheet, cell_value: Value) -> Cell:
    """Return a value; text stays text even where it looks like a formula or an error, also after somebody edits it."""
    if not isinstance(cell_value, str):
        cell = WriteOnlyCell(sheet)
        cell.value = cell_value
        return cell
    cell = WriteOnlyCell(sheet, legal(cell_value))
    cell.data_type = "s"
    cell.quotePrefix = cell_value.startswith(FORMULA_STARTS)
    return cell


def legal(words: str) -> str:
    """Replace the control characters that make a workbook unreadable."""
    return ILLEGAL_CHARACTERS_RE.sub("\ufffd", words)


def colour_heat(sheet: Worksheet, table: Table) -> None:
    """Shade the weeks: blue up to full, orange above, hatched when away; readable without seeing red from green."""
    weeks = len(table.columns) - HEAT_FIRST_WEEK + 1
    if not weeks or not table.rows:
        return
    first = f"{get_column_letter(HEAT_FIRST_WEEK)}2"
    area = f"{first}:{get_column_letter(len(table.columns))}{len(table.rows) + 1}"
    blank = Rule(type="expression", formula=[f"ISBLANK({first})"], dxf=AWAY, stopIfTrue=True)
    homeless = Rule(type="expression", formula=[f'{first}="over"'], dxf=OVER, stopIfTrue=True)
    over = Rule(type="cellIs", operator="greaterThan", formula=["100"], dxf=OVER, stopIfTrue=True)
    for rule in (blank, homeless, over, Rule(type="colorScale", colorScale=BLUES)):
        sheet.conditional_formatting.add(area, rule)
