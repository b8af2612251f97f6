"""Files over a firm that is there: what a file leaves out stays, rows with a known id change what they say, others are new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.intake.building import Entry
from api.intake.settings import ROWS_OF_THEIR_OWN
from solver.firm import Firm

STORED = -1
"""Row of an entry that came from the firm, not from a file."""
WITH_IDS = ("people", "clients", "task_types", "tasks")
CALENDAR = ("time_off", "bookings", "overtime")


def kept_settings(base: Firm) -> dict[str, Any]:
    """Return the settings of a firm as a tree."""
    return base.model_dump(mode="json", exclude=set(ROWS_OF_THEIR_OWN))


def merged(base: Firm, given: Mapping[str, Sequence[Entry]]) -> dict[str, list[Entry]]:
    """Return the entries of the firm that the files lead to; those of the files keep their rows."""
    found = {name: list(entries) for name, entries in given.items()}
    rows = base.model_dump(mode="json", include=set(ROWS_OF_THEIR_OWN))
    if "levels" not in found:  # an order has no ids: it is given whole, or not at all
        found["levels"] = [_stored(row) for row in rows["levels"]]
    _leave_to_sheets(rows, given)
    for name in WITH_IDS:
        found[name] = _merged(rows[name], found.get(name, ()))
    for name in CALENDAR:
        found[name] = [*(_stored(row) for row in rows[name]), *found.get(name, ())]
    return found


def without_doubles(firm: Firm) -> Firm:
    """Return a firm that has each calendar entry once: files that were written from it say the same again."""
    return firm.model_copy(update={name: tuple(dict.fromkeys(getattr(firm, name))) for name in CALENDAR})


def _merged(stored: Sequence[dict[str, Any]], given: Sequence[Entry]) -> list[Entry]:
    known = {row["id"]: row for row in stored}
    names = [_id(entry) for entry in given]
    changed = [
        Entry(entry.row, {**known.get(name, {}), **entry.payload}, entry.raw)
        for name, entry in zip(names, given, strict=True)
    ]
    said = set(names)
    return [*(_stored(row) for row in stored if row["id"] not in said), *changed]


def _leave_to_sheets(rows: dict[str, Any], given: Mapping[str, Sequence[Entry]]) -> None:
    """Take out of stored rows what sheets of their own say: cells of the skill matrix, minutes of time sheets."""
    cells = {(str(one.payload.get("person")), one.payload.get("skill")) for one in given.get("skills", ())}
    for person in rows["people"]:
        labels = {person["id"], person["name"]}
        person["skills"] = [
            cell for cell in person["skills"] if not any((label, cell["skill"]) in cells for label in labels)
        ]
    timed = {one.payload.get("task") for one in given.get("time_entries", ())}
    for task in rows["tasks"]:
        if task["id"] in timed:
            del task["logged_min"]


def _stored(row: Mapping[str, Any]) -> Entry:
    return Entry(STORED, row)


def _id(entry: Entry) -> str:
    return str(entry.payload.get("id", "")).strip()
