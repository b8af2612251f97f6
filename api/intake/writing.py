"""A firm to files that read back as the same firm: a folder of CSV files, a workbook, or JSON."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path

from api.escaping import escaped
from api.intake.rejects import IntakeError
from api.intake.schema import SHEETS, WEEKDAYS
from api.intake.settings import setting_paths
from solver.firm import Firm, Overtime, Person, Task, TaskType

Written = str | int | None
Row = dict[str, Written]


def write_firm(firm: Firm, path: Path) -> None:
    """Write a firm; the form follows the name: ``.json``, ``.xlsx``, else a folder of CSV files.

    Raises
    ------
    IntakeError
        When a name holds a semicolon, which separates the names of a list. JSON takes every name.
    """
    ending = path.suffix.casefold()
    path.parent.mkdir(parents=True, exist_ok=True)
    if ending == ".json":
        path.write_text(firm.model_dump_json(indent=1) + "\n", encoding="utf-8")
    elif ending == ".xlsx":
        _write_workbook(firm, path)
    else:
        path.mkdir(exist_ok=True)
        for name, table in tables(firm).items():
            with (path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(table)


def tables(firm: Firm) -> dict[str, list[list[Written]]]:
    """Return every sheet with its header; columns and sheets that nobody fills are left out, except those always asked for."""
    rows = _rows(firm)
    found: dict[str, list[list[Written]]] = {}
    for sheet in SHEETS:
        if not rows.get(sheet.name):
            continue
        filled = [
            column.name
            for column in sheet.columns
            if column.required or any(row.get(column.name) not in (None, "") for row in rows[sheet.name])
        ]
        body = [[_cell(row.get(name)) for name in filled] for row in rows[sheet.name]]
        found[sheet.name] = [list(filled), *body]
    return found


def _cell(value: Written) -> Written:
    return escaped(value) if isinstance(value, str) else value


def _rows(firm: Firm) -> dict[str, list[Row]]:
    return {
        "settings": [{"key": path, "value": _setting(value)} for path, value in setting_paths(firm).items()],
        "levels": [{"name": one.name, "target_utilisation_pct": one.target_utilisation_pct} for one in firm.levels],
        "people": [_person(person) for person in firm.people],
        "skills": [
            {
                "person": person.id,
                "skill": cell.skill,
                "efficiency_pct": cell.efficiency_pct,
                "mismatch_min": cell.mismatch_min or None,
            }
            for person in firm.people
            for cell in person.skills
        ],
        "clients": [
            {
                "id": client.id,
                "name": client.name,
                "tier": client.tier.value,
                "usual_person": client.usual_person,
                "barred": _list(client.barred),
            }
            for client in firm.clients
        ],
        "task_types": [_task_type(kind) for kind in firm.task_types],
        "tasks": [_task(task) for task in firm.tasks],
        "time_off": [
            {**_days(one.first_day, one.last_day), "person": one.person, "minutes_per_day": one.minutes_per_day}
            for one in firm.time_off
        ],
        "bookings": [
            {
                **_days(one.first_day, one.last_day),
                "person": one.person,
                "minutes_per_day": one.minutes_per_day,
                "label": one.label,
            }
            for one in firm.bookings
        ],
        "overtime": [_overtime(period) for period in firm.overtime],
    }


def _person(person: Person) -> Row:
    return {
        "id": person.id,
        "name": person.name,
        "level": person.level,
        "team": person.team,
        **_week(person.weekly_min),
        "start_date": _day(person.start_date),
        "leave_date": _day(person.leave_date),
        "target_utilisation_pct": person.target_utilisation_pct,
    }


def _task_type(kind: TaskType) -> Row:
    return {
        "id": kind.id,
        "name": kind.name,
        "skill": kind.skill,
        "default_estimate_min": kind.default_estimate_min,
        "min_level": kind.min_level,
        "complexity": kind.complexity,
        "needs_review": "yes" if kind.review else "no",
        "review_min_level": kind.review.min_level if kind.review else None,
        "review_share_pct": kind.review.share_pct if kind.review else None,
        "procedure_steps": "\n".join(kind.procedure.steps),
        "procedure_link": kind.procedure.link,
    }


def _task(task: Task) -> Row:
    return {
        "id": task.id,
        "type": task.type,
        "client": task.client,
        "deadline": _day(task.deadline),
        "deadline_time": task.deadline_time.isoformat() if task.deadline_time else None,
        "estimate_min": task.estimate_min,
        "logged_min": task.logged_min,
        "release": _day(task.release),
        "priority": task.priority.value,
        "status": task.status.value,
        "assignee": task.assignee,
        "pinned": "yes" if task.pinned else None,
        "requested_person": task.requested_person,
        "reviews": task.reviews,
        "completed_on": _day(task.completed_on),
    }


def _overtime(period: Overtime) -> Row:
    return {
        **_days(period.first_day, period.last_day),
        **_week(period.extra_min),
        "people": _list(period.people),
        "levels": _list(period.levels),
    }


def _week(minutes: Sequence[int]) -> Row:
    return {f"{day}_min": count for day, count in zip(WEEKDAYS, minutes, strict=True)}


def _days(first: date, last: date) -> Row:
    return {"first_day": first.isoformat(), "last_day": last.isoformat()}


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None


def _list(names: Sequence[str]) -> str:
    split = next((name for name in names if ";" in name), None)
    if split is not None:
        raise IntakeError(
            f'"{split}" holds a semicolon, which separates the names of a list. Maybe write JSON instead.'
        )
    return "; ".join(names)


def _setting(value: object) -> Written:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return "; ".join(str(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _write_workbook(firm: Firm, path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    for name, table in tables(firm).items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for row in table:
            sheet.append(row)
    book.save(path)
