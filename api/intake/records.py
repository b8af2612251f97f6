"""Tables to records: headers matched to columns, cells to values. A record is what the file says of one row, in our names."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, field

from api.intake.mapping import SheetMapping
from api.intake.rejects import Reject
from api.intake.schema import Sheet, normalised
from api.intake.tables import RawRow, RawTable
from api.intake.values import BadValue, Broken, Cell, DateOrder, Parser, cleaned
from solver.refusal import nearest_name

SHOWN_CHARS = 120
RAW_CHARS = 2_000


@dataclass(frozen=True)
class Record:
    """One row in our names; blank cells are left out."""

    row: int
    fields: AnyMapping[str, object]
    raw: str


@dataclass
class Records:
    """The records of one sheet, what was refused on the way, and how many rows there were."""

    sheet: str
    read: int = 0
    records: list[Record] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Slot:
    """One column of the file: the place of its cells and how they are read."""

    place: int
    column: str
    header: str
    parse: Parser


def read_records(table: RawTable, sheet: Sheet, mapping: SheetMapping, order: DateOrder) -> Records:
    """Turn a table into records; each row is taken or has at least one reject."""
    found = Records(sheet.name, read=len(table.rows) + len(table.unreadable), notes=list(table.notes))
    for line in table.unreadable:
        field_name = "line" if line.number else "file"
        found.rejects.append(
            Reject(sheet.name, line.number, field_name, shown(line.text), line.reason, None, line.code, line.text)
        )
    if not table.header:
        found.notes.append(f"{table.source} is empty")
        return found
    slots, whole_sheet = _slots(table, sheet, mapping, found.notes)
    given = {slot.column for slot in slots} | set(mapping.defaults)
    for column in sheet.columns:
        if column.required and column.name not in given:
            near = nearest_name(column.name, [header for header in table.header if header])
            reason = f"is missing: the sheet has no column of that name. Columns: {', '.join(table.header)}"
            whole_sheet.append((column.name, "", reason, near, "missing_column"))
    for row in table.rows:
        problems = [Reject(sheet.name, row.number, *parts, raw_row(table.header, row.cells)) for parts in whole_sheet]
        fields = {} if problems else _fields(table, row, slots, sheet, mapping, order, problems)
        if problems:
            found.rejects.extend(problems)
        else:
            found.records.append(Record(row.number, fields, raw_row(table.header, row.cells)))
    if whole_sheet and not table.rows:
        found.notes.extend(f"{table.source}: column {name} {reason}" for name, _, reason, _, _ in whole_sheet)
    return found


def shown(value: object) -> str:
    """Return a value short enough for a message."""
    text = str(value)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"


def raw_row(header: Sequence[str], cells: Sequence[Cell]) -> str:
    """Return a row as ``column=value`` joined by " | ", without lost characters."""
    names = [*header, *(f"column {place + 1}" for place in range(len(header), len(cells)))]
    parts = (f"{name}={cell}" for name, cell in zip(names, cells, strict=False) if cell not in (None, ""))
    return " | ".join(parts)[:RAW_CHARS].encode("utf-8", errors="replace").decode("utf-8")


Problem = tuple[str, str, str, str | None, str]
"""Field, value, reason, nearest and code of a reject."""


def _slots(table: RawTable, sheet: Sheet, mapping: SheetMapping, notes: list[str]) -> tuple[list[Slot], list[Problem]]:
    known: dict[str, tuple[str, Parser]] = {}
    for column in sheet.columns:
        for header, parse in column.headers().items():
            known.setdefault(header, (column.name, parse))
    for name, header in mapping.columns.items():
        taken = known.get(normalised(header))
        same = taken is not None and taken[0] == name
        known[normalised(header)] = (name, taken[1] if taken and same else _unit(sheet, name, header))
    mapped = {normalised(header) for header in mapping.columns.values()}
    slots: list[Slot] = []
    problems: list[Problem] = []
    unused: list[str] = []
    for place, header in enumerate(table.header):
        key = normalised(header)
        if key not in known:
            unused.extend([header] if header.strip() else [])
            continue
        name, parse = known[key]
        if name in mapping.columns and key not in mapped:
            continue
        twin = next((slot for slot in slots if slot.column == name), None)
        if twin is not None:
            reason = f'comes from two columns, "{twin.header}" and "{header}". Maybe remove one'
            problems.append((name, header, reason, None, "column_twice"))
        slots.append(Slot(place, name, header, parse))
    if unused:
        names = ", ".join(f'"{shown(header)}"' for header in unused[:8]) + (" and more" if len(unused) > 8 else "")
        notes.append(f"{table.source}: columns not used: {names}")
    return slots, problems


def _unit(sheet: Sheet, name: str, header: str) -> Parser:
    """Return the parser of a mapped column; a header that speaks of hours is read in hours."""
    parsers = sheet.column(name).headers()
    words = normalised(header).split("_")
    in_hours = name.replace("minutes", "hours") if "minutes" in name else f"{name.removesuffix('_min')}_hours"
    if {"hours", "hrs", "h", "hour"} & set(words) and in_hours in parsers:
        return parsers[in_hours]
    return parsers[name]


def _fields(
    table: RawTable,
    row: RawRow,
    slots: Sequence[Slot],
    sheet: Sheet,
    mapping: SheetMapping,
    order: DateOrder,
    problems: list[Reject],
) -> dict[str, object]:
    raw = raw_row(table.header, row.cells)

    def refuse(name: str, cell: object, error: BadValue) -> None:
        value = shown(cell).encode("utf-8", errors="replace").decode("utf-8")
        problems.append(Reject(sheet.name, row.number, name, value, error.reason, error.nearest, error.code, raw))

    for cell in row.cells[len(table.header) :]:
        if cell is not None and str(cell).strip():
            error = BadValue(
                "too_many_cells", "stands beyond the last column. Maybe a separator inside a cell needs quotes"
            )
            refuse("row", cell, error)
            break
    fields: dict[str, object] = {}
    for slot in slots:
        cell = row.cells[slot.place] if slot.place < len(row.cells) else None
        try:
            fields |= _field(slot.column, slot.parse, cell, mapping, order)
        except BadValue as error:
            refuse(slot.column, cell, error)
    for name, value in mapping.defaults.items():
        if name not in fields and name not in {slot.column for slot in slots if _filled(row, slot)}:
            try:
                fields |= _field(name, sheet.column(name).parse, value, mapping, order)
            except BadValue as error:
                refuse(name, value, error)
    refused = {problem.field for problem in problems}
    for column in sheet.columns:
        if column.required and column.name not in fields and column.name not in refused:
            refuse(column.name, "", BadValue("missing_value", f"is missing: {column.help}"))
    return fields


def _filled(row: RawRow, slot: Slot) -> bool:
    cell = row.cells[slot.place] if slot.place < len(row.cells) else None
    return isinstance(cell, Broken) or (cell is not None and bool(str(cell).strip()))


def _field(name: str, parse: Parser, cell: Cell, mapping: SheetMapping, order: DateOrder) -> dict[str, object]:
    found = cleaned(cell)
    if isinstance(found, str):
        found = mapping.translated(name, found)
    if found is None or found == "":
        return {}
    return {name: parse(found, order)}
