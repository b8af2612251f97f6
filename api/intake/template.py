"""The empty, explained workbook: a guide, and one sheet per table with a note on every column."""

from __future__ import annotations

from pathlib import Path

from api.intake.schema import GUIDE, SHEETS, Sheet
from solver.firm import Priority, Status
from solver.policy import ValueTier

CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("tasks", "priority"): tuple(Priority),
    ("tasks", "status"): tuple(Status),
    ("tasks", "pinned"): ("yes", "no"),
    ("clients", "tier"): tuple(ValueTier),
    ("task_types", "needs_review"): ("yes", "no"),
    ("assignments", "pinned"): ("yes", "no"),
}
GUIDE_LINES = (
    "Fill the sheets from left to right; leave out what you do not have.",
    "Columns in blue must be filled. Every header carries a note with its meaning, unit and an example.",
    "Write days as year-month-day (2027-03-15), or as real dates of the spreadsheet.",
    "Columns that end in _min are minutes; rename one to end in _hours to write hours (1.5).",
    "Ids are short and never change; other sheets refer to them.",
    "Check it with: evenhand check THIS-FILE.xlsx    Plan it with: evenhand solve THIS-FILE.xlsx",
)


def write_template(path: Path) -> None:
    """Write the template as a workbook."""
    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    guide = book.active
    assert guide is not None
    guide.title = GUIDE
    guide.append(["Evenhand: what the engine needs to know of a firm"])
    guide["A1"].font = Font(bold=True, size=14)
    for line in GUIDE_LINES:
        guide.append([line])
    guide.append([])
    guide.append(["sheet", "column", "must be filled", "meaning", "example"])
    for cell in guide[guide.max_row]:
        cell.font = Font(bold=True)
    for sheet in SHEETS:
        guide.append([sheet.name, "", "", sheet.help])
        guide.cell(guide.max_row, 1).font = Font(bold=True)
        for column in sheet.columns:
            guide.append(["", column.name, "yes" if column.required else "", column.help, column.example])
    for letter, width in zip("ABCDE", (16, 26, 14, 84, 24), strict=True):
        guide.column_dimensions[letter].width = width
    for sheet in SHEETS:
        _sheet(book.create_sheet(sheet.name), sheet)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


def _sheet(page: object, sheet: Sheet) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.worksheet import Worksheet

    assert isinstance(page, Worksheet)
    page.freeze_panes = "A2"
    for place, column in enumerate(sheet.columns, start=1):
        cell = page.cell(1, place, column.name)
        cell.font = Font(bold=True, color="FFFFFF" if column.required else "000000")
        cell.fill = PatternFill("solid", fgColor="1F4E79" if column.required else "DDE6EE")
        example = f"\nExample: {column.example}" if column.example else ""
        cell.comment = Comment(f"{column.help}{example}", "Evenhand", height=90, width=260)
        letter = get_column_letter(place)
        page.column_dimensions[letter].width = max(14, len(column.name) + 4)
        choices = CHOICES.get((sheet.name, column.name))
        if choices:
            rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
            page.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}10000")
