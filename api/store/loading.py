"""Rows in, a `Firm` out: as it is now, as it was at any version, or only what a board needs.

For boards the names of people are marks (`api.store.names`), so that nothing computed from a board holds a name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from api.store.names import mark
from api.store.parts import PARTS, Part, PartKind, assembled, with_name
from api.store.refusals import Unreadable
from api.store.tables import CalendarRecord, ChangeRecord, FirmRecord, TaskRecord
from solver.firm import Firm, Task
from solver.refusal import Refusal

AT_ONCE = 500
"""Ids asked for in one statement; both databases take more."""


class Kept(NamedTuple):
    """One part as it is kept."""

    id: str
    place: int
    document: str


Named = Callable[[Part, str, str], str]
"""Gives a document its name: part, id, and the name that its row has."""


def load_firm(session: Session) -> Firm:
    """Return the session's firm as it is now, finished tasks included."""
    return _assembled(session, {part.kind: _now(session, part, _real_name) for part in PARTS.values()})


def firm_at(session: Session, version: int, *, marked: bool = False) -> Firm:
    """Return the session's firm as it was at a version, with the names of today, or marks.

    Raises
    ------
    Unreadable
        The history does not reach back so far, or forward.
    """
    head = session.scalars(select(func.max(ChangeRecord.version))).one()
    if head is None or not 0 < version <= head:
        raise Unreadable(
            Refusal(
                code="unknown_version",
                field="version",
                value=str(version),
                message=f"is not between 1 and {head or 0}",
                nearest=str(min(max(version, 1), head or 1)),
            )
        )
    names = {} if marked else _names(session)
    documents: dict[PartKind, list[Kept]] = {kind: [] for kind in PartKind}
    for kind, id, place, document in session.execute(_last_changes(version).order_by(ChangeRecord.place)):
        if document is None:
            continue
        part = PARTS.get(PartKind(kind))
        if part is not None and part.named:
            document = with_name(document, _marked(part, id, "") if marked else names.get((part.kind, id), ""))
        documents[PartKind(kind)].append(Kept(id, place, document))
    (settings,) = documents.pop(PartKind.SETTINGS)
    return assembled(settings.document, {kind: [one.document for one in some] for kind, some in documents.items()})


def working_firm(session: Session, version: int, current: int) -> Firm:
    """Return what a board of the firm at ``version`` needs: open tasks and what their reviews link them to; names are marks.

    Parameters
    ----------
    version
        Not before the last change of anything but tasks.
    current
        The version the tables are at.
    """
    documents: dict[PartKind, list[Kept]] = {}
    documents |= {part.kind: _now(session, part, _marked) for part in PARTS.values() if part.kind is not PartKind.TASK}
    tasks = {row.id: row for row in _tasks(session, TaskRecord.open)}
    later: Sequence[str] = ()
    if version < current:
        is_task = ChangeRecord.kind == PartKind.TASK.value
        later = session.scalars(
            select(ChangeRecord.part).where(ChangeRecord.version > version, is_task).distinct()
        ).all()
        for id in later:
            tasks.pop(id, None)
        before = (
            row
            for some in _batches(later)
            for row in session.execute(_last_changes(version).where(is_task, ChangeRecord.part.in_(some)))
        )
        for _, id, place, document in before:
            if document is not None:
                tasks[id] = Kept(id, place, document)
    _add_linked(session, tasks, frozenset(later))
    documents[PartKind.TASK] = sorted(tasks.values(), key=lambda row: row.place)
    return _assembled(session, documents)


def task_at(session: Session, id: str, version: int) -> Task | None:
    """Return a task as it was at a version, ``None`` where it was not there."""
    asked = (
        select(ChangeRecord.document)
        .where(ChangeRecord.kind == PartKind.TASK.value, ChangeRecord.part == id, ChangeRecord.version <= version)
        .order_by(ChangeRecord.version.desc())
        .limit(1)
    )
    document = session.scalars(asked).one_or_none()
    return None if document is None else Task.model_validate_json(document)


def task_changes(session: Session, after: int, until: int) -> list[tuple[int, str, Task | None]]:
    """Return ``(version, id, task)`` for the changes after one version until another, in their order.

    Raises
    ------
    Unreadable
        Something but a task changed between, which no board can follow.
    """
    columns = (ChangeRecord.version, ChangeRecord.kind, ChangeRecord.part, ChangeRecord.document)
    between = select(*columns).where(ChangeRecord.version > after, ChangeRecord.version <= until)
    found: list[tuple[int, str, Task | None]] = []
    for version, kind, id, document in session.execute(between.order_by(ChangeRecord.version)):
        if kind != PartKind.TASK.value:
            message = f"changed {kind}, while the board was said to begin at {after}"
            raise Unreadable(Refusal(code="board_base", field="version", value=str(version), message=message))
        found.append((version, id, None if document is None else Task.model_validate_json(document)))
    return found


def _assembled(session: Session, documents: dict[PartKind, list[Kept]]) -> Firm:
    settings = session.scalars(select(FirmRecord.document)).one()
    return assembled(settings, {kind: [one.document for one in some] for kind, some in documents.items()})


def _now(session: Session, part: Part, name: Named) -> list[Kept]:
    record: Any = part.record
    asked: Select[*tuple[Any, ...]] = select(record.id, record.place, record.document).order_by(record.place)
    if record is CalendarRecord:
        asked = asked.where(CalendarRecord.kind == part.kind.value)
    if not part.named:
        return [Kept(*row) for row in session.execute(asked)]
    rows = session.execute(asked.add_columns(record.name))
    return [Kept(id, place, with_name(document, name(part, id, own))) for id, place, document, own in rows]


def _real_name(part: Part, id: str, name: str) -> str:
    return name


def _marked(part: Part, id: str, name: str) -> str:
    return mark(id) if part.kind is PartKind.PERSON else ""


def _names(session: Session) -> dict[tuple[PartKind, str], str]:
    found: dict[tuple[PartKind, str], str] = {}
    for part in PARTS.values():
        record: Any = part.record
        if part.named:
            found |= {(part.kind, id): name for id, name in session.execute(select(record.id, record.name))}
    return found


def _last_changes(version: int) -> Select[*tuple[Any, ...]]:
    """Select ``kind, part, place, document`` of the last change of each part up to a version."""
    older = aliased(ChangeRecord)
    last = (
        select(func.max(older.version))
        .where(older.firm_id == ChangeRecord.firm_id, older.kind == ChangeRecord.kind, older.part == ChangeRecord.part)
        .where(older.version <= version)
        .scalar_subquery()
    )
    columns = (ChangeRecord.kind, ChangeRecord.part, ChangeRecord.place, ChangeRecord.document)
    return select(*columns).where(ChangeRecord.version == last)


def _tasks(session: Session, *conditions: Any) -> list[Kept]:
    asked = select(TaskRecord.id, TaskRecord.place, TaskRecord.document).where(*conditions)
    return [Kept(*row) for row in session.execute(asked)]


def _add_linked(session: Session, tasks: dict[str, Kept], later: frozenset[str]) -> None:
    """Add the finished tasks that reviews link to these, in both directions, however far.

    Those that changed ``later`` are among ``tasks`` as they were, or were not there yet.
    """
    newest = list(tasks.values())
    while newest:
        prepared = sorted(
            {reviews for row in newest if (reviews := _reviews(row)) is not None and reviews not in tasks}
        )
        found = [row for some in _batches(prepared) for row in _tasks(session, TaskRecord.id.in_(some))]
        for some in _batches([row.id for row in newest]):
            found += _tasks(session, TaskRecord.reviews.in_(some))
        newest = [row for row in found if row.id not in tasks and row.id not in later]
        tasks |= {row.id: row for row in newest}


def _reviews(row: Kept) -> str | None:
    reviews: str | None = json.loads(row.document)["reviews"] if '"reviews":null' not in row.document else None
    return reviews


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[i : i + AT_ONCE] for i in range(0, len(ids), AT_ONCE))
