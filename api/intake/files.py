"""A folder of CSV files, a workbook, or a JSON file to a firm: good rows taken, bad rows explained, everything counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.intake.building import Building, Entry
from api.intake.mapping import Mapping
from api.intake.merging import STORED, kept_settings, merged, without_doubles
from api.intake.records import Records, read_records, shown
from api.intake.rejects import IntakeError, Reject, SheetCount
from api.intake.schema import GUIDE, SHEETS, Sheet, normalised
from api.intake.settings import ROWS_OF_THEIR_OWN, read_settings
from api.intake.shaping import shaped
from api.intake.tables import (
    CSV_ENDINGS,
    OTHER_SPREADSHEETS,
    WORKBOOK_ENDINGS,
    RawTable,
    read_csv,
    read_workbook,
)
from api.intake.values import DateOrder
from solver.firm import DEFAULT_LEVELS, Firm
from solver.observations import TimeEntry
from solver.refusal import nearest_name, refusals

BY_NAME = {name: sheet for sheet in SHEETS for name in (sheet.name, *sheet.aliases)}


@dataclass(frozen=True)
class Intake:
    """What reading gave.

    Attributes
    ----------
    firm
        Everything taken.
    rejects
        Why rows were not taken, in the order of the sheets.
    counts
        Rows read, taken and rejected per sheet that was there.
    notes
        What else a reader should know: columns not used, sheets missing, encodings guessed.
    times
        The time entries taken: who worked when, which the tasks of the firm have as a sum only.
    """

    firm: Firm
    rejects: tuple[Reject, ...]
    counts: tuple[SheetCount, ...]
    notes: tuple[str, ...]
    times: tuple[TimeEntry, ...] = ()


def read_firm(
    path: Path, *, date_order: DateOrder = DateOrder.ISO, mapping: Mapping | None = None, base: Firm | None = None
) -> Intake:
    """Read a firm.

    Parameters
    ----------
    path
        A folder of CSV files, one workbook (.xlsx), or one JSON file in the schema of `Firm`.
    date_order
        How dates such as 03/04/2027 are read; ISO refuses those that can be read in two ways.
    mapping
        Where sheets and columns have other names.
    base
        A firm that the files change (`api.intake.merging`); without one they are all there is.

    Raises
    ------
    IntakeError
        When the input as a whole cannot be read. A bad row never raises; it is among the rejects.
    """
    if not path.exists():
        raise IntakeError(f"{path} does not exist.{_sibling(path)}")
    if path.is_file() and path.suffix.casefold() == ".json":
        return _read_json(path, base)
    chosen = mapping or Mapping()
    order = chosen.date_order or date_order
    sheets: dict[str, Records] = {}
    notes: list[str] = []
    sources: dict[str, str] = {}
    for table, name in _tables(path):
        sheet = _sheet(name, chosen)
        if sheet is None:
            if normalised(name) != GUIDE:
                near = nearest_name(normalised(name), sorted({one.name for one in SHEETS}))
                notes.append(f"{table.source} was not read: no sheet has this name. Nearest: {near}")
            continue
        if sheet.name in sources:
            raise IntakeError(
                f"{sources[sheet.name]} and {table.source} both hold {sheet.name}. Maybe keep one of them."
            )
        sources[sheet.name] = table.source
        sheets[sheet.name] = read_records(table, sheet, chosen.of(sheet.name), order)
    if not sheets:
        names = ", ".join(sheet.name for sheet in SHEETS)
        raise IntakeError(f"{path} holds none of the sheets we know: {names}. Maybe `evenhand template` helps.")
    return _from_records(sheets, notes, order, base)


def _tables(path: Path) -> Iterator[tuple[RawTable, str]]:
    if path.is_dir():
        for file in sorted(path.iterdir()):
            if file.is_file() and file.suffix.casefold() in CSV_ENDINGS:
                yield read_csv(file), file.stem
            elif file.suffix.casefold() in (*WORKBOOK_ENDINGS, *OTHER_SPREADSHEETS) and not file.name.startswith("~$"):
                yield RawTable(file.name), f"workbook {file.name}"
        return
    ending = path.suffix.casefold()
    if ending in WORKBOOK_ENDINGS:
        for table in read_workbook(path):
            yield table, table.source
    elif ending in OTHER_SPREADSHEETS:
        raise IntakeError(f"{path.name} is a {ending} file. Maybe save it as .xlsx, or as CSV files in a folder.")
    elif ending in CSV_ENDINGS:
        raise IntakeError(f"{path.name} is one file of several. Maybe give its folder: {path.parent}")
    else:
        raise IntakeError(f"{path.name} is neither a folder, a workbook (.xlsx) nor a JSON file (.json).")


def _sheet(name: str, mapping: Mapping) -> Sheet | None:
    mapped = mapping.sheet_from(name)
    if mapped is not None:
        return BY_NAME[mapped]
    found = BY_NAME.get(normalised(name))
    return None if found is None or mapping.of(found.name).source else found


def _sibling(path: Path) -> str:
    folder = path.parent
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    near = nearest_name(path.name, names)
    return f' Nearest: "{folder / near}".' if near else ""


def _from_records(sheets: dict[str, Records], notes: list[str], order: DateOrder, base: Firm | None) -> Intake:
    levels = DEFAULT_LEVELS if base is None else base.levels
    if "levels" in sheets:
        levels = Building({"levels": _entries(sheets, "levels", Firm())}, {}).levels()
    start = {} if base is None else kept_settings(base)
    settings, refused = read_settings(sheets["settings"].records if "settings" in sheets else (), levels, order, start)
    clock = Firm.model_validate({**settings, "levels": levels})
    entries = {name: _entries(sheets, name, clock) for name in sheets if name != "settings"}
    for name in sheets:
        notes.extend(sheets[name].notes)
    if base is not None:
        entries = merged(base, entries)
    elif "clients" not in sheets and "tasks" in sheets:
        named = dict.fromkeys(str(entry.payload["client"]) for entry in entries["tasks"])
        entries["clients"] = [Entry(0, {"id": name}) for name in named]
        notes.append(f"there is no sheet of clients: {len(named)} were taken from the tasks")
    for name in ("people", "task_types", "tasks"):
        if name not in sheets and base is None:
            notes.append(f"there is no sheet of {name.replace('_', ' ')}")
    building = Building(entries, settings)
    firm = building.firm() if base is None else without_doubles(building.firm())
    early = [reject for records in sheets.values() for reject in records.rejects]
    rejects = _in_order([*early, *refused, *building.rejects])
    counts = tuple(_count(sheet.name, sheets[sheet.name].read, rejects) for sheet in SHEETS if sheet.name in sheets)
    return Intake(firm, rejects, counts, tuple(notes), tuple(building.times))


def _entries(sheets: dict[str, Records], name: str, clock: Firm) -> list[Entry]:
    return [Entry(one.row, shaped(name, one.fields, clock.zone), one.raw) for one in sheets[name].records]


def _in_order(rejects: list[Reject]) -> tuple[Reject, ...]:
    place = {sheet.name: i for i, sheet in enumerate(SHEETS)}
    return tuple(sorted(rejects, key=lambda one: (place[one.sheet], one.row)))


def _count(name: str, read: int, rejects: tuple[Reject, ...]) -> SheetCount:
    rejected = len({reject.row for reject in rejects if reject.sheet == name and reject.row != STORED})
    return SheetCount(name, read, read - rejected, rejected)


def _read_json(path: Path, base: Firm | None) -> Intake:
    document = _document(path)
    unknown = [key for key in document if key not in Firm.model_fields]
    if unknown:
        near = nearest_name(unknown[0], sorted(Firm.model_fields))
        raise IntakeError(f'{path.name}: "{shown(unknown[0])}" is no part of a firm. Nearest: "{near}".')
    entries: dict[str, list[Entry]] = {}
    rejects: list[Reject] = []
    for name in ROWS_OF_THEIR_OWN & document.keys():
        rows = document[name]
        if not isinstance(rows, list):
            raise IntakeError(f"{path.name}: {name} is not a list. Maybe compare with `evenhand schema firm`.")
        entries[name] = []
        for number, row in enumerate(rows, start=1):
            raw = shown(json.dumps(row, ensure_ascii=False))
            if isinstance(row, dict):
                entries[name].append(Entry(number, row, raw))
            else:
                rejects.append(Reject(name, number, "row", shown(row), "is not an object", None, "not_an_object", raw))
    settings = {key: value for key, value in document.items() if key not in ROWS_OF_THEIR_OWN}
    read = {name: len(document[name]) for name in entries}
    if base is not None:
        settings = {**kept_settings(base), **settings}
        entries = merged(base, entries)
    building = Building(entries, settings)
    try:
        Firm.model_validate({**settings, "levels": Building(entries, {}).levels()})
        firm = building.firm() if base is None else without_doubles(building.firm())
    except ValidationError as error:
        raise IntakeError(f"{path.name}: {refusals(error)[0].sentence()}") from error
    found = _in_order([*rejects, *building.rejects])
    counts = tuple(_count(sheet.name, read[sheet.name], found) for sheet in SHEETS if sheet.name in read)
    return Intake(firm, found, counts, ())


def _document(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    try:
        encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
        document = json.loads(content.decode(encoding), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise IntakeError(f"{path.name} is not JSON: {error}. Maybe compare with `evenhand schema firm`.") from error
    if not isinstance(document, dict):
        raise IntakeError(f"{path.name} holds no object at its top. Maybe compare with `evenhand schema firm`.")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'the name "{shown(twice)}" occurs twice in one object')
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
