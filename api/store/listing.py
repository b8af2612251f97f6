"""Lists for readers: tasks, decisions and the firm's figures, in pages that go on where the last one ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from api.store.draft import require_storable
from api.store.log import By, Entry, EntryKind, read
from api.store.refusals import not_found
from api.store.tables import (
    ClientRecord,
    DecisionRecord,
    ExceptionRecord,
    FirmRecord,
    PersonRecord,
    TaskRecord,
    TaskTypeRecord,
)
from solver.firm import Status, Task


class KeptTask(NamedTuple):
    """A task at its version; ``place`` orders tasks as they came."""

    task: Task
    version: int
    place: int


@dataclass(frozen=True)
class Wanted:
    """Which tasks are listed; what is ``None`` is not asked."""

    open: bool | None = None
    status: Status | None = None
    assignee: str | None = None
    client: str | None = None
    type: str | None = None
    due_from: date | None = None
    due_until: date | None = None
    unassigned: bool | None = None


@dataclass(frozen=True)
class LogWanted:
    """Which entries of the log are listed; what is ``None`` is not asked. ``since`` is the first moment, ``until`` the first after."""

    task: str | None = None
    person: str | None = None
    kind: EntryKind | None = None
    decided_by: By | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Figures(NamedTuple):
    """A firm in figures."""

    id: str
    name: str
    time_zone: str
    version: int
    people: int
    clients: int
    task_types: int
    tasks_open: int
    tasks_unassigned: int
    holds_open: int
    escalations_open: int
    decisions: int
    log_head: str


def one_task(session: Session, id: str) -> KeptTask:
    """Return one task of the session's firm."""
    require_storable("task", {"id": id})
    found = session.execute(_TASKS.where(TaskRecord.id == id)).one_or_none()
    if found is None:
        raise not_found("task", id)
    return _kept(found)


def tasks_after(session: Session, wanted: Wanted, after: tuple[int, str] | None, limit: int) -> list[KeptTask]:
    """Return up to ``limit`` tasks in the order they came, those behind ``after`` (place, id)."""
    asked: Select[*tuple[Any, ...]] = _TASKS
    for column, value in (
        (TaskRecord.open, wanted.open),
        (TaskRecord.status, wanted.status and wanted.status.value),
        (TaskRecord.assignee, wanted.assignee),
        (TaskRecord.client, wanted.client),
        (TaskRecord.type, wanted.type),
    ):
        if value is not None:
            require_storable("tasks", {column.key: value})
            asked = asked.where(column == value)
    if wanted.unassigned is not None:
        nobody = TaskRecord.assignee.is_(None)
        asked = asked.where(nobody if wanted.unassigned else ~nobody)
    if wanted.due_from is not None:
        asked = asked.where(TaskRecord.deadline >= wanted.due_from)
    if wanted.due_until is not None:
        asked = asked.where(TaskRecord.deadline <= wanted.due_until)
    if after is not None:
        asked = asked.where(tuple_(TaskRecord.place, TaskRecord.id) > after)
    return [_kept(row) for row in session.execute(asked.order_by(TaskRecord.place, TaskRecord.id).limit(limit))]


def decisions_before(session: Session, wanted: LogWanted, before: int | None, limit: int) -> list[Entry]:
    """Return up to ``limit`` entries of the log, newest first, those before number ``before``."""
    asked = select(DecisionRecord.number)
    for column, value in (
        (DecisionRecord.task, wanted.task),
        (DecisionRecord.person, wanted.person),
        (DecisionRecord.kind, wanted.kind and wanted.kind.value),
        (DecisionRecord.decided_by, wanted.decided_by and wanted.decided_by.value),
        (DecisionRecord.outcome, wanted.outcome),
    ):
        if value is not None:
            require_storable("decisions", {column.key: value})
            asked = asked.where(column == value)
    if wanted.since is not None:
        asked = asked.where(DecisionRecord.at >= wanted.since)
    if wanted.until is not None:
        asked = asked.where(DecisionRecord.at < wanted.until)
    if before is not None:
        asked = asked.where(DecisionRecord.number < before)
    numbers = session.scalars(asked.order_by(DecisionRecord.number.desc()).limit(limit)).all()
    return [read(session, number) for number in numbers]


def figures(session: Session) -> Figures:
    """Return the session's firm in figures."""
    firm = session.scalars(select(FirmRecord)).one()
    settings = json.loads(firm.document)
    open_ones = select(func.count()).select_from(TaskRecord).where(TaskRecord.open)
    exceptions = select(ExceptionRecord.kind, func.count()).where(ExceptionRecord.closed_at.is_(None))
    waiting = {kind: int(count) for kind, count in session.execute(exceptions.group_by(ExceptionRecord.kind))}
    people, clients, types = (
        session.scalars(select(func.count()).select_from(record)).one()
        for record in (PersonRecord, ClientRecord, TaskTypeRecord)
    )
    return Figures(
        id=firm.id,
        name=settings["name"],
        time_zone=settings["time_zone"],
        version=firm.version,
        people=people,
        clients=clients,
        task_types=types,
        tasks_open=session.scalars(open_ones).one(),
        tasks_unassigned=session.scalars(open_ones.where(TaskRecord.assignee.is_(None))).one(),
        holds_open=waiting.get("hold", 0),
        escalations_open=waiting.get("escalation", 0),
        decisions=firm.log_number,
        log_head=firm.log_hash,
    )


_TASKS = select(TaskRecord.document, TaskRecord.version, TaskRecord.place)


def _kept(row: Any) -> KeptTask:
    return KeptTask(Task.model_validate_json(row.document), row.version, row.place)
