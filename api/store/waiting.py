"""Holds and escalations: which are open, what of them has a place by now, and how they end."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from api.store.draft import Draft, require_storable
from api.store.log import canonical
from api.store.refusals import ended, not_found
from api.store.tables import ExceptionRecord, TaskRecord
from solver.firm import Task
from solver.plan import Outcome
from solver.waiting import TRIED_AT_ONCE, urgency

KINDS = {Outcome.HELD: "hold", Outcome.ESCALATED: "escalation"}


class Waits(NamedTuple):
    """An open hold or escalation: its number and kind."""

    number: int
    kind: str

    @property
    def held(self) -> bool:
        """Whether it is a hold."""
        return self.kind == KINDS[Outcome.HELD]


class KeptException(NamedTuple):
    """A hold or an escalation as it is kept; it outlives its task.

    Attributes
    ----------
    number
        Of the decision that opened it.
    """

    number: int
    kind: str
    task: str
    opened_at: datetime
    closed_at: datetime | None
    closed_how: str | None


def one_exception(session: Session, kind: str, number: int) -> KeptException:
    """Return one hold or escalation of the session's firm."""
    found = session.execute(_KEPT.where(ExceptionRecord.kind == kind, ExceptionRecord.number == number)).one_or_none()
    if found is None:
        raise not_found(kind, str(number))
    return KeptException(*found)


def require_open(session: Session, kind: str, number: int) -> KeptException:
    """Return an open hold or escalation; say how one that is closed was ended, and when."""
    kept = one_exception(session, kind, number)
    if kept.closed_at is not None:
        raise ended(kind, str(number), f"ended ({kept.closed_how})", at=kept.closed_at)
    return kept


def exceptions_after(
    session: Session, kind: str, *, open: bool | None, task: str | None, after: int | None, limit: int
) -> list[KeptException]:
    """Return up to ``limit`` holds or escalations, oldest first, those behind number ``after``."""
    asked = _KEPT.where(ExceptionRecord.kind == kind)
    if open is not None:
        closed = ExceptionRecord.closed_at
        asked = asked.where(closed.is_(None) if open else closed.is_not(None))
    if task is not None:
        require_storable("exceptions", {"task": task})
        asked = asked.where(ExceptionRecord.task == task)
    if after is not None:
        asked = asked.where(ExceptionRecord.number > after)
    return [KeptException(*row) for row in session.execute(asked.order_by(ExceptionRecord.number).limit(limit))]


_KEPT = select(
    ExceptionRecord.number,
    ExceptionRecord.kind,
    ExceptionRecord.task,
    ExceptionRecord.opened_at,
    ExceptionRecord.closed_at,
    ExceptionRecord.closed_how,
)


def waits(session: Session, task: str) -> Waits | None:
    """Return the open hold or escalation of a task, if it has one."""
    asked = select(ExceptionRecord.number, ExceptionRecord.kind).where(ExceptionRecord.task == task)
    row = session.execute(asked.where(ExceptionRecord.closed_at.is_(None))).first()
    return None if row is None else Waits(*row)


def waiting_tasks(session: Session) -> list[tuple[Task, Waits]]:
    """Return the tasks of open holds and escalations that nobody has, most urgent first, `TRIED_AT_ONCE` at most."""
    same = and_(TaskRecord.firm_id == ExceptionRecord.firm_id, TaskRecord.id == ExceptionRecord.task)
    asked = select(TaskRecord.document, ExceptionRecord.number, ExceptionRecord.kind).join(ExceptionRecord, same)
    asked = asked.where(ExceptionRecord.closed_at.is_(None), TaskRecord.open, TaskRecord.assignee.is_(None))
    found = [(Task.model_validate_json(row.document), Waits(row.number, row.kind)) for row in session.execute(asked)]
    found.sort(key=lambda one: urgency(one[0], one[1].number))
    return found[:TRIED_AT_ONCE]


def close(draft: Draft, task: str, how: str) -> None:
    """End the open holds and escalations of a task, and tell the world."""
    draft.write()
    asked = select(ExceptionRecord.number, ExceptionRecord.kind).where(ExceptionRecord.task == task)
    for number, kind in draft.session.execute(asked.where(ExceptionRecord.closed_at.is_(None))).all():
        close_one(draft, Waits(number, kind), task, how)


def close_one(draft: Draft, one: Waits, task: str, how: str) -> None:
    """End one open hold or escalation, and tell the world."""
    draft.update(ExceptionRecord, {"number": one.number}, closed_at=draft.at, closed_how=how)
    draft.tell(f"{one.kind}.ended", canonical({one.kind: one.number, "task": task, "how": how}))
