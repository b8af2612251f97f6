"""The inbox: what was told to a person, or to the desk of those who decide, with the names of today."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from api.delivery.topics import DESK
from api.store.boards import labels_of
from api.store.draft import require_storable
from api.store.names import named
from api.store.refusals import not_found
from api.store.tables import ClientRecord, InboxRecord, PersonRecord, TaskRecord
from api.store.turn import Turn
from solver.firm import Task
from solver.wording import hours_text


class Item(NamedTuple):
    """One message.

    Attributes
    ----------
    text
        One sentence for people.
    read_by
        Id of the token that marked it read.
    """

    number: int
    topic: str
    at: datetime
    text: str
    about: dict[str, Any]
    read_at: datetime | None
    read_by: str | None


def items_before(session: Session, reader: str, *, unread: bool | None, before: int | None, limit: int) -> list[Item]:
    """Return up to ``limit`` messages for a person, or the desk, newest first, those before number ``before``."""
    require_reader(session, reader)
    asked = select(InboxRecord).where(InboxRecord.person == reader)
    if unread is not None:
        asked = asked.where(InboxRecord.read_at.is_(None) if unread else InboxRecord.read_at.is_not(None))
    if before is not None:
        asked = asked.where(InboxRecord.number < before)
    records = session.scalars(asked.order_by(InboxRecord.number.desc()).limit(limit)).all()
    abouts = [json.loads(record.document) for record in records]
    tasks, clients = _tasks(session, abouts)
    labels = labels_of(session)
    return [
        Item(
            record.number,
            record.topic,
            record.at,
            sentence(record.topic, about, reader, tasks.get(about.get("task", "")), clients, labels),
            about,
            record.read_at,
            record.read_by,
        )
        for record, about in zip(records, abouts, strict=True)
    ]


def unread_of(session: Session, reader: str) -> int:
    """Return how many messages a person, or the desk, has not read."""
    mine = InboxRecord.person == reader, InboxRecord.read_at.is_(None)
    return session.scalars(select(func.count()).select_from(InboxRecord).where(*mine)).one()


def mark_read(turn: Turn, reader: str, numbers: Sequence[int]) -> int:
    """Mark messages of a person, or the desk, as read; return how many were not yet."""
    turn.draft.write()
    require_reader(turn.session, reader)
    with turn.whole():
        mine = InboxRecord.firm_id == turn.firm, InboxRecord.person == reader
        unread = InboxRecord.number.in_(numbers), InboxRecord.read_at.is_(None)
        marked = update(InboxRecord).where(*mine, *unread).values(read_at=turn.draft.at, read_by=turn.draft.actor)
        done = turn.session.connection().execute(marked)
    return done.rowcount


def require_reader(session: Session, reader: str) -> None:
    """Refuse a person whom the firm does not have."""
    require_storable("inbox", {"person": reader})
    if reader == DESK:
        return
    people = session.scalars(select(PersonRecord.id)).all()
    if reader not in people:
        raise not_found("person", reader, people)


def sentence(
    topic: str,
    about: Mapping[str, Any],
    reader: str,
    task: Task | None,
    clients: Mapping[str, str],
    labels: Mapping[str, str],
) -> str:
    """Return a message as one sentence for its reader."""
    id, kind, _, what = about.get("task"), *topic.partition(".")
    if topic in ("task.placed", "task.assigned") and about.get("person") == reader:
        return f"{id} is yours{_described(task, clients)}"
    if topic == "task.assigned":
        return f"{id} goes to {labels.get(str(about['person'])) or about['person']} from now on"
    if topic == "task.unassigned":
        return f"{id} is not yours any more"
    if topic == "task.held":
        return f"{id} waits for its estimate{_described(task, clients)}"
    if topic == "task.escalated":
        return f"nobody can take {id}{_described(task, clients)}"
    if kind in ("hold", "escalation"):
        return f"the {kind} of {id} has ended: {about['how']}"
    if topic == "proposal.created":
        return f"proposal {about['proposal']} waits for a decision"
    if kind == "proposal":
        return (
            f"proposal {about['proposal']} was {what}" if what != "expired" else f"proposal {about['proposal']} expired"
        )
    if kind == "solve":
        return f"solve {about['solve']} has {what}"
    if topic == "self_check.differs":
        return named(f"a board was not what is stored, and was built anew: {'; '.join(about['differences'])}", labels)
    return named(f"webhook {about['webhook']} is disabled: {about['why']}", labels)


def _described(task: Task | None, clients: Mapping[str, str]) -> str:
    if task is None:
        return ""
    hours = "" if task.estimate_min is None else f", {hours_text(task.estimate_min)}"
    return f": {task.type} for {clients.get(task.client) or task.client}{hours}, due {task.deadline}"


def _tasks(session: Session, abouts: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Task], dict[str, str]]:
    """Return the tasks that messages are about, and the names of their clients."""
    ids = sorted({about["task"] for about in abouts if "task" in about})
    documents = session.scalars(select(TaskRecord.document).where(TaskRecord.id.in_(ids)))
    tasks = {task.id: task for task in map(Task.model_validate_json, documents)}
    there = ClientRecord.id.in_(sorted({task.client for task in tasks.values()}))
    clients = session.execute(select(ClientRecord.id, ClientRecord.name).where(there))
    return tasks, {client.id: client.name for client in clients}
