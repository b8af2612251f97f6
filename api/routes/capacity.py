"""Minutes of people by day and week: what they have, what open work takes of them as planned today, what is free; and weeks gone by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.routes.firm_models import Capacity, FreeTime, PastWeek
from api.standing import Standing
from api.store.refusals import not_found
from api.store.tables import ExceptionRecord, TaskRecord, TimeRecord
from solver.calendar import capacity_min, day_list, elapsed_share, local_now
from solver.firm import Firm, Status, Task
from solver.refusal import Refusal, Refused

FARTHEST = timedelta(days=730)
WEEK = timedelta(days=7)


def free_time(standing: Standing, person: str, first_day: date | None, count: int) -> Capacity:
    """Return ``count`` days of one person, from today on at the earliest.

    Raises
    ------
    NotFound
        The firm has no such person.
    Refused
        The first day has passed, or is more than two years away.
    """
    firm, now = standing.firm, local_now(standing.firm, standing.at)
    rows = {one.id: p for p, one in enumerate(firm.people)}
    if person not in rows:
        raise not_found("person", person, list(rows))
    first = first_day or now.date()
    days = day_list(first, require_near(first, now.date()) + timedelta(days=count - 1))
    minutes = capacity_min(firm, days)[rows[person]].tolist()
    if first == now.date():
        passed, length = elapsed_share(firm, now.time())
        minutes[0] -= minutes[0] * passed // length
    planned: dict[date, int] = defaultdict(int)
    for cell in standing.plan.timetable:
        if cell.person == person:
            planned[cell.day] += cell.minutes
    found = [(day, had, planned[day]) for day, had in zip(days, minutes, strict=True)]
    weeks: dict[date, list[tuple[date, int, int]]] = defaultdict(list)
    for one in found:
        weeks[monday(one[0])].append(one)
    return Capacity(
        person=person,
        version=standing.version,
        days=tuple(_free(day, [(day, had, taken)]) for day, had, taken in found),
        weeks=tuple(_free(week, some) for week, some in weeks.items()),
    )


def require_near(first: date, today: date) -> date:
    """Return the day where it is neither past nor farther than boards reach."""
    if today <= first <= today + FARTHEST:
        return first
    near = str(min(max(first, today), today + FARTHEST))
    message = f"is not within two years from today, {today}"
    raise Refused(Refusal(code="day_out_of_range", field="first_day", value=str(first), message=message, nearest=near))


def past_weeks(session: Session, firm: Firm, now: datetime, count: int) -> tuple[PastWeek, ...]:
    """Return the last ``count`` weeks up to this one as they went: time logged, work finished, exceptions opened."""
    this = monday(local_now(firm, now).date())
    mondays = [this - WEEK * i for i in range(count - 1, -1, -1)]
    days = day_list(mondays[0], this + WEEK - timedelta(days=1))
    capacity = capacity_min(firm, days).reshape(len(firm.people), count, 7).sum(axis=2)
    logged = np.zeros_like(capacity)
    rows = {one.id: p for p, one in enumerate(firm.people)}
    by_day = select(TimeRecord.person, TimeRecord.day, func.sum(TimeRecord.minutes))
    within = by_day.where(TimeRecord.day >= days[0], TimeRecord.day <= days[-1])
    for person, day, minutes in session.execute(within.group_by(TimeRecord.person, TimeRecord.day)):
        logged[rows[person], (day - days[0]).days // 7] += int(minutes)
    done = select(TaskRecord.document).where(TaskRecord.status == Status.DONE.value)
    finished = _by_week(Task.model_validate_json(one) for one in session.scalars(done))
    opened = _opened(session, firm, mondays[0])
    return tuple(
        _past_week(week, capacity[:, w].tolist(), logged[:, w].tolist(), finished[week], opened[week])
        for w, week in enumerate(mondays)
    )


def monday(day: date) -> date:
    """Return the first day of a day's week."""
    return day - timedelta(days=min(day.weekday(), (day - date.min).days))


def _free(first_day: date, some: list[tuple[date, int, int]]) -> FreeTime:
    had, taken = sum(one[1] for one in some), sum(one[2] for one in some)
    return FreeTime(first_day=first_day, capacity_min=had, planned_min=taken, free_min=max(had - taken, 0))


def _by_week(tasks: Iterable[Task]) -> dict[date, list[Task]]:
    found: dict[date, list[Task]] = defaultdict(list)
    for task in tasks:
        if task.completed_on is not None:
            found[monday(task.completed_on)].append(task)
    return found


def _opened(session: Session, firm: Firm, since: date) -> dict[date, list[str]]:
    begun = datetime.combine(since, time(), firm.zone).astimezone(UTC)
    asked = select(ExceptionRecord.kind, ExceptionRecord.opened_at).where(ExceptionRecord.opened_at >= begun)
    found: dict[date, list[str]] = defaultdict(list)
    for kind, at in session.execute(asked):
        found[monday(local_now(firm, at).date())].append(kind)
    return found


def _past_week(week: date, capacity: list[int], logged: list[int], done: list[Task], opened: list[str]) -> PastWeek:
    shares = [100 * worked / had for had, worked in zip(capacity, logged, strict=True) if had]
    timely = sum(task.completed_on is not None and task.completed_on <= task.deadline for task in done)
    return PastWeek(
        week_start=week,
        capacity_min=sum(capacity),
        logged_min=sum(logged),
        utilisation_pct=round(100 * sum(logged) / sum(capacity), 2) if sum(capacity) else None,
        spread_pct=round(max(shares) - min(shares), 2) if len(shares) > 1 else None,
        completed=len(done),
        completed_on_time=timely,
        on_time_pct=round(100 * timely / len(done), 2) if done else None,
        escalations_opened=opened.count("escalation"),
        holds_opened=opened.count("hold"),
    )
