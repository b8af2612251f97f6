"""What the time sheets of a stored firm say: its tasks with the minutes logged, by whom, over the estimates first given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

from sqlalchemy import Executable, func, select
from sqlalchemy.orm import Session

from api.store.loading import firm_at, load_firm
from api.store.parts import PartKind
from api.store.tables import ChangeRecord, TimeRecord
from solver.firm import Firm
from solver.learnt import Learned
from solver.observations import MOST_EFFECTS, Observation, TimeEntry, effect_count, observed


def time_entries(session: Session, version: int | None = None) -> tuple[TimeEntry, ...]:
    """Return what each person logged on each task of the session's firm, with the last day; in the order of who logged first.

    With a version only what was written by then counts.
    """
    whose = (TimeRecord.task, TimeRecord.person)
    asked = select(*whose, func.max(TimeRecord.day).label("day"), func.sum(TimeRecord.minutes).label("minutes"))
    if version is not None:
        asked = asked.where(TimeRecord.version <= version)
    rows = session.execute(asked.group_by(*whose).order_by(func.min(TimeRecord.version), *whose))
    return tuple(TimeEntry(task=row.task, person=row.person, day=row.day, minutes=int(row.minutes)) for row in rows)


def observations_of(session: Session, firm: Firm, *, version: int | None = None) -> tuple[Observation, ...]:
    """Return the finished and started tasks of a firm, which is the session's, as `solver.learning` takes them.

    Estimates are those first given, from the history: one corrected after learning would hide what was learnt.

    Parameters
    ----------
    version
        Only what was logged by then counts; none: all of it.
    """
    return observed(firm, time_entries(session, version), first_estimate_min=_first_estimates(session))


def learned_of(session: Session, *, as_of: date, version: int | None = None) -> Learned | None:
    """Return what the time sheets of the session's firm say until a day; with a version, the firm's and what was logged by then.

    ``None`` where the firm is too large to learn of at once.
    """
    from solver.learning import learn  # the libraries of the batch load for seconds, and placing needs none of them

    firm = load_firm(session) if version is None else firm_at(session, version)
    seen = observations_of(session, firm, version=version)
    return None if effect_count(seen) > MOST_EFFECTS else learn(firm, seen, as_of=as_of)


def _first_estimates(session: Session) -> dict[str, int]:
    """Return the first estimate of each task that was ever given one."""
    of_tasks = select(ChangeRecord.part, ChangeRecord.document).where(ChangeRecord.kind == PartKind.TASK.value)
    whose = (ChangeRecord.firm_id, ChangeRecord.part)
    first = select(*whose, func.min(ChangeRecord.version).label("version"))
    first_ones = first.where(ChangeRecord.kind == PartKind.TASK.value).group_by(*whose).subquery()
    same = (ChangeRecord.firm_id == first_ones.c.firm_id) & (ChangeRecord.version == first_ones.c.version)
    # Most tasks come with their estimate: of the others only, the whole history is read.
    found = dict(_estimates(session, of_tasks.join(first_ones, same)))
    later = [task for task, estimate_min in found.items() if estimate_min is None]
    for i in range(0, len(later), _AT_ONCE):
        asked = of_tasks.where(ChangeRecord.part.in_(later[i : i + _AT_ONCE])).order_by(ChangeRecord.version)
        for task, estimate_min in _estimates(session, asked):
            found[task] = found[task] or estimate_min
    return {task: estimate_min for task, estimate_min in found.items() if estimate_min is not None}


def _estimates(session: Session, asked: Executable) -> Iterator[tuple[str, int | None]]:
    for task, document in session.execute(asked):
        yield task, None if document is None else json.loads(document)["estimate_min"]


_AT_ONCE = 500
