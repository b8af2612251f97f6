"""What the time sheets of a stored firm say: its tasks with the minutes logged, by whom, over the estimates first given."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.loading import load_firm
from api.store.parts import PartKind
from api.store.tables import ChangeRecord, TimeRecord
from solver.learning import learn
from solver.learnt import Learned
from solver.observations import Observation, TimeEntry, observed


def time_entries(session: Session) -> tuple[TimeEntry, ...]:
    """Return the time entries of the session's firm, in the order they were written last."""
    asked = select(TimeRecord.task, TimeRecord.person, TimeRecord.day, TimeRecord.minutes)
    rows = session.execute(asked.order_by(TimeRecord.version, TimeRecord.id))
    return tuple(TimeEntry(task=row.task, person=row.person, day=row.day, minutes=row.minutes) for row in rows)


def observations_of(session: Session) -> tuple[Observation, ...]:
    """Return the finished and started tasks of the session's firm, as `solver.learning` takes them.

    Estimates are those first given, from the history: one corrected after learning would hide what was learnt.
    """
    return observed(load_firm(session), time_entries(session), first_estimate_min=_first_estimates(session))


def learned_of(session: Session, *, as_of: date) -> Learned:
    """Return what the time sheets of the session's firm say until a day."""
    return learn(load_firm(session), observations_of(session), as_of=as_of)


def _first_estimates(session: Session) -> dict[str, int]:
    asked = select(ChangeRecord.part, ChangeRecord.document).where(ChangeRecord.kind == PartKind.TASK.value)
    found: dict[str, int] = {}
    for task, document in session.execute(asked.order_by(ChangeRecord.version)):
        if task not in found and document is not None:
            estimate_min = json.loads(document)["estimate_min"]
            if estimate_min is not None:
                found[task] = int(estimate_min)
    return found
