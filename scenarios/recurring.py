"""The year ahead: what a firm does again, told from what it did and has to do, as tasks with due dates.

A client's tasks of one type are one piece of recurring work. Its rhythm is the usual distance of their deadlines; a task that came once
comes again in a year. What is open now is in the year as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median

from scenarios import figures
from solver.calendar import closed_days, day_list, local_now
from solver.firm import Firm, Status, Task

YEAR_DAYS = 365


class Rhythm(StrEnum):
    """How often work comes again."""

    WEEK = "week"
    TWO_WEEKS = "two weeks"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half year"
    YEAR = "year"

    @property
    def days(self) -> int:
        """Days of one turn, about."""
        return {"week": 7, "two weeks": 14, "month": 30, "quarter": 91, "half year": 182, "year": YEAR_DAYS}[self.value]

    def after(self, day: date, times: int) -> date:
        """Return the day so many turns later; the 31st of a month falls to the last day of shorter ones."""
        if self in (Rhythm.WEEK, Rhythm.TWO_WEEKS):
            return day + timedelta(days=self.days * times)
        months = {"month": 1, "quarter": 3, "half year": 6, "year": 12}[self.value] * times + day.month - 1
        year, month = day.year + months // 12, months % 12 + 1
        return date(year, month, min(day.day, monthrange(year, month)[1]))


@dataclass(frozen=True)
class Recurring:
    """One piece of recurring work.

    Attributes
    ----------
    last
        Its latest task: client, type, estimate, priority and deadline are those of the next ones.
    lead_days
        Days from release to deadline; ``None``: as long before as documents usually come.
    """

    last: Task
    rhythm: Rhythm
    lead_days: int | None


def recurring_work(firm: Firm) -> tuple[Recurring, ...]:
    """Return what a firm does again, by client and type, from its finished and open tasks."""
    groups: dict[tuple[str, str], list[Task]] = {}
    for task in firm.tasks:
        if task.status is not Status.CANCELLED:
            groups.setdefault((task.client, task.type), []).append(task)
    found = []
    for _, tasks in sorted(groups.items()):
        tasks.sort(key=lambda task: (task.deadline, task.id))
        leads = [(task.deadline - task.release).days for task in tasks if task.release is not None]
        found += [Recurring(last, rhythm, int(median(leads)) if leads else None) for last, rhythm in _turns(tasks)]
    return tuple(found)


def _turns(tasks: Sequence[Task]) -> Iterable[tuple[Task, Rhythm]]:
    """Return the latest tasks that come again, each with its rhythm; several due together come again together."""
    days = sorted({task.deadline for task in tasks})
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    usual = median(gaps) if gaps else YEAR_DAYS
    rhythm = min(Rhythm, key=lambda one: (abs(one.days - usual) / one.days, one.days))
    # Deadlines that lie apart as no rhythm does are separate yearly pieces.
    by_chance = len(days) == 2 and rhythm.days < Rhythm.MONTH.days
    if gaps and (by_chance or abs(rhythm.days - usual) > 0.25 * rhythm.days):
        return [(task, Rhythm.YEAR) for task in tasks if task.deadline > days[-1] - timedelta(days=YEAR_DAYS - 15)]
    return [(task, rhythm) for task in tasks if task.deadline == days[-1]]


def year_ahead(firm: Firm, *, now: datetime, work: Sequence[Recurring] | None = None, days: int = YEAR_DAYS) -> Firm:
    """Return the firm with its open tasks and every turn of its recurring work due within ``days``.

    Due dates on days when the firm is closed or nobody works move to the next business day. Reviews that recur with their
    preparation review its turns.
    """
    today = local_now(firm, now).date()
    end = today + timedelta(days=days)
    pieces = recurring_work(firm) if work is None else work
    rhythm = {piece.last.id: piece.rhythm for piece in pieces}
    open_days = _business_days(firm, today, end + timedelta(days=14))
    coming: list[Task] = []
    names = {task.id for task in firm.tasks}
    for piece in pieces:
        for turn in range(1, YEAR_DAYS * 2 // piece.rhythm.days + 2):
            due = piece.rhythm.after(piece.last.deadline, turn)
            if today <= due <= end:
                coming.append(_turn(piece, turn, open_days, rhythm, due))
    ids = {task.id for task in coming} | names
    linked = [task if task.reviews in ids else task.model_copy(update={"reviews": None}) for task in coming]
    return Firm.model_validate({**dict(firm), "tasks": (*firm.tasks, *linked)})


def _turn(piece: Recurring, turn: int, open_days: Sequence[date], rhythm: dict[str, Rhythm], due: date) -> Task:
    last = piece.last
    deadline = open_days[min(bisect_left(open_days, due), len(open_days) - 1)]
    lead = piece.lead_days if piece.lead_days is not None else int(figures.DOCUMENT_LAG_MEDIAN_DAYS)
    prepared = last.reviews if rhythm.get(last.reviews or "") is piece.rhythm else None
    return Task(
        id=f"{last.id} +{turn}",
        type=last.type,
        client=last.client,
        deadline=max(deadline, due),
        estimate_min=last.estimate_min,
        release=max(deadline, due) - timedelta(days=lead),
        priority=last.priority,
        requested_person=last.requested_person,
        reviews=f"{prepared} +{turn}" if prepared else None,
    )


def _business_days(firm: Firm, first: date, last: date) -> list[date]:
    """Return the days on which the firm is open and somebody usually works."""
    days = day_list(first, last)
    closed = closed_days(firm.holiday_calendar, days)
    worked = {weekday for person in firm.people for weekday in range(7) if person.weekly_min[weekday]} or set(range(5))
    return [day for day in days if day not in closed and day.weekday() in worked]


def extended_deadline(task: Task, open_days: Sequence[date]) -> date | None:
    """Return the due date of a federal return once its extension is filed, ``None`` where there is none.

    The type's name says which return it is; its deadline must be the first due date of it, or the business day after.
    """
    dates = next((work.due for work in figures.WORK if work.name == task.type and len(work.due) == 2), None)
    if dates is None:
        return None
    first, second = (date(task.deadline.year, month, day) for month, day in dates)
    if not 0 <= (task.deadline - first).days <= 4:
        return None
    place = bisect_left(open_days, second)
    return open_days[place] if place < len(open_days) else None
