"""What the time sheets of a stored firm say: its tasks with the minutes logged, by whom, over the estimates first given."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.loading import firm_at, load_firm
from api.store.parts import PartKind
from api.store.tables import ChangeRecord, TimeRecord
from solver.firm import Firm
from solver.learnt import Learned
from solver.observations import MOST_EFFECTS, Observation, TimeEntry, effect_count, observed


def time_entries(session: Session, version: int | None = None) -> tuple[TimeEntry, ...]:
    """Return the time entries of the session's firm, in the order they were written last; with a version, those written by then."""
    asked = select(TimeRecord.task, TimeRecord.person, TimeRecord.day, TimeRecord.minutes)
    if version is not None:
        asked = asked.where(TimeRecord.version <= version)
    rows = session.execute(asked.order_by(TimeRecord.version, TimeRecord.id))
    return tuple(TimeEntry(task=row.task, person=row.person, day=row.day, minutes=row.minutes) for row in rows)


def observations_of(session: Session) -> tuple[Observation, ...]:
    """Return the finished and started tasks of the session's firm, as `solver.learning` takes them.

    Estimates are those first given, from the history: one corrected after learning would hide what was learnt.
    """
    return _observed(session, load_firm(session))


def learned_of(session: Session, *, as_of: date, version: int | None = None) -> Learned | None:
    """Return what the time sheets of the session's firm say until a day; with a version, the firm's and what was logged by then.

    ``None`` where the firm is too large to learn of at once.
    """
    from solver.learning import learn  # the libraries of the batch load for seconds, and placing needs none of them

    firm = load_firm(session) if version is None else firm_at(session, version)
    seen = _observed(session, firm, version)
    return None if effect_count(seen) > MOST_EFFECTS else learn(firm, seen, as_of=as_of)


def _observed(session: Session, firm: Firm, version: int | None = None) -> tuple[Observation, ...]:
    return observed(firm, time_entries(session, version), first_estimate_min=_first_estimates(session))


def _first_estimates(session: Session) -> dict[str, int]:
    asked = select(ChangeRecord.part, ChangeRecord.document).where(ChangeRecord.kind == PartKind.TASK.value)
    found: dict[str, int] = {}
    for task, document in session.execute(asked.order_by(ChangeRecord.version)):
        if task not in found and document is not None:
            estimate_min = json.loads(document)["estimate_min"]
            if estimate_min is not None:
                found[task] = int(estimate_min)
    return found
