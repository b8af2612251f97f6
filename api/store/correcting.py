"""What people take back: time entries that were wrong, calendar entries that should not have been removed; and what refers to what.

The row of a time entry is the present; every correction is an entry of the decision log with what stood there before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, select, tuple_
from sqlalchemy.orm import Session

from api.store.draft import require_storable
from api.store.log import By, EntryKind
from api.store.part_listing import CALENDAR, removed_part
from api.store.parts import PartKind
from api.store.refusals import changed, not_found, referred_to, taken
from api.store.saving import put
from api.store.tables import TimeRecord
from api.store.turn import Turn
from solver.firm import Booking, Client, Firm, Overtime, Person, Task, TaskType, TimeOff
from solver.policy import Frozen, Policy
from solver.refusal import Refusal, Refused, nearest_name


class KeptTime(NamedTuple):
    """A time entry at its version."""

    id: str
    version: int
    task: str
    person: str
    day: date
    minutes: int
    at: datetime


def one_time(session: Session, id: str) -> KeptTime:
    """Return one time entry of the session's firm."""
    require_storable("time_entry", {"id": id})
    row = session.execute(_TIMES.where(TimeRecord.id == id)).one_or_none()
    if row is None:
        raise not_found("entry", id)
    return KeptTime(*row)


def times_after(
    session: Session,
    *,
    task: str | None,
    person: str | None,
    first_day: date | None,
    last_day: date | None,
    after: tuple[int, str] | None,
    limit: int,
) -> list[KeptTime]:
    """Return up to ``limit`` time entries in the order they were written last, those behind ``after`` (version, id)."""
    asked = _TIMES
    for column, value in ((TimeRecord.task, task), (TimeRecord.person, person)):
        if value is not None:
            require_storable("time_entries", {column.key: value})
            asked = asked.where(column == value)
    if first_day is not None:
        asked = asked.where(TimeRecord.day >= first_day)
    if last_day is not None:
        asked = asked.where(TimeRecord.day <= last_day)
    if after is not None:
        asked = asked.where(tuple_(TimeRecord.version, TimeRecord.id) > after)
    return [KeptTime(*row) for row in session.execute(asked.order_by(TimeRecord.version, TimeRecord.id).limit(limit))]


def correct_time(
    turn: Turn, id: str, *, day: date, minutes: int, reason: str, expected: int | None
) -> tuple[KeptTime, Task]:
    """Say again when and how long somebody worked; what remains of the task follows."""
    before = _entry(turn, id, expected)
    task, version = _logged(turn, before.task, minutes - before.minutes)
    after = before._replace(day=day, minutes=minutes, version=version, at=turn.draft.at)
    with turn.whole():
        turn.draft.update(TimeRecord, {"id": id}, day=day, minutes=minutes, version=version, at=turn.draft.at)
        _note(turn, "corrected", reason, before, after)
    return after, task


def remove_time(turn: Turn, id: str, *, reason: str, expected: int | None) -> Task:
    """Take a time entry back; what remains of the task grows by it."""
    before = _entry(turn, id, expected)
    task, _ = _logged(turn, before.task, -before.minutes)
    with turn.whole():
        turn.draft.write()
        there: Any = TimeRecord.__table__
        gone = delete(there).where(there.c.firm_id == turn.firm, there.c.id == id)
        turn.session.connection().execute(gone)
        _note(turn, "removed", reason, before, None)
    return task


def restore_entry(turn: Turn, id: str) -> None:
    """Put a calendar entry back that was removed, as it was, under its old id."""
    if turn.stored(CALENDAR[0], id) is not None:  # all kinds have one table
        raise taken("entry", id)
    found = removed_part(turn.session, CALENDAR, id)
    if found is None:
        raise not_found("entry", id)
    model, place = found
    require_references(turn.board.firm, model)
    with turn.whole():
        put(turn.draft, model, id=id, place=place, new=True)
        turn.recompile()
    turn.retry(f"calendar entry {id} was restored")


def require_references(firm: Firm, model: Frozen) -> None:
    """Refuse a part of the firm that names a person or a level that the firm does not have."""
    people, levels = {one.id for one in firm.people}, {one.name for one in firm.levels}
    for field, value in _people_of(model):
        _require("people", field, value, people)
    for field, value in _levels_of(model):
        _require("levels", field, value, levels)


def require_unused(turn: Turn, kind: PartKind, id: str) -> None:
    """Refuse to take out a person whom a client, or a period of overtime, names; tables that refer are asked by the turn itself."""
    firm = turn.board.firm
    if kind is not PartKind.PERSON or turn.stored(kind, id) is None:
        return
    for where, parts in (("clients", firm.clients), ("overtime", firm.overtime)):
        if any(value == id for part in parts for _, value in _people_of(part)):
            raise referred_to(kind.value, id, where)


def _people_of(model: Frozen) -> Iterator[tuple[str, str | None]]:
    if isinstance(model, Client):
        yield "usual_person", model.usual_person
        yield from (("barred", one) for one in model.barred)
    elif isinstance(model, TimeOff | Booking):
        yield "person", model.person
    elif isinstance(model, Overtime):
        yield from (("people", one) for one in model.people)


def _levels_of(model: Frozen) -> Iterator[tuple[str, str | None]]:
    if isinstance(model, Person):
        yield "level", model.level
    elif isinstance(model, TaskType):
        yield "min_level", model.min_level
        yield "review.min_level", model.review.min_level if model.review else None
    elif isinstance(model, Overtime):
        yield from (("levels", one) for one in model.levels)
    elif isinstance(model, Policy):
        yield "guardrail.complex_level", model.guardrail.complex_level
        yield "guardrail.high_value_level", model.guardrail.high_value_level


def _require(where: str, field: str, value: str | None, known: set[str]) -> None:
    if value is not None and value not in known:
        near, hint = nearest_name(value, known), f"Maybe add it under {where}."
        message = "is not known"
        raise Refused(
            Refusal(code="unknown_reference", field=field, value=value, message=message, nearest=near, hint=hint)
        )


def _entry(turn: Turn, id: str, expected: int | None) -> KeptTime:
    turn.draft.write()
    found = one_time(turn.session, id)
    if expected is not None and expected != found.version:
        raise changed("entry.version", expected, found.version)
    return found


def _logged(turn: Turn, task: str, more_min: int) -> tuple[Task, int]:
    stored = turn.stored(PartKind.TASK, task)
    assert stored is not None, "time entries keep their task"
    before = Task.model_validate_json(stored.document)
    return turn.change_task(task, logged_min=max(before.logged_min + more_min, 0))


def _note(turn: Turn, outcome: str, reason: str, before: KeptTime, after: KeptTime | None) -> None:
    def said(entry: KeptTime) -> dict[str, Any]:
        return {"day": entry.day.isoformat(), "minutes": entry.minutes}

    document: dict[str, Any] = {
        "time_entry": before.id,
        "task": before.task,
        "person": before.person,
        "before": said(before),
    }
    document["after"] = None if after is None else said(after)
    turn.note(EntryKind.TIME, by=By.MANAGER, outcome=outcome, reason=reason, document=document)


_TIMES: Select[*tuple[Any, ...]] = select(
    TimeRecord.id,
    TimeRecord.version,
    TimeRecord.task,
    TimeRecord.person,
    TimeRecord.day,
    TimeRecord.minutes,
    TimeRecord.at,
)
