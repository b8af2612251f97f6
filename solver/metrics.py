"""The four metrics of a plan: utilisation, spread, on-time, escalations; for the firm, its teams, levels and people.

The period runs from now to the last deadline of the plan's tasks and covers the same days for everybody; minutes of today that have
passed do not count. An escalated task has no person, so it counts for the firm only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solver.axis import build_axis
from solver.calendar import local_now
from solver.firm import Firm, Person, Status, Task
from solver.plan import Metrics, MetricsReport, Plan, PlannedTask, WeekLoad


@dataclass(frozen=True)
class _Period:
    """Capacity per person and week, from which every figure is read."""

    row: dict[str, int]
    days: tuple[date, ...]
    open_min: NDArray[np.int64]
    last_day: date

    @cached_property
    def capacity_min(self) -> NDArray[np.int64]:
        inside = np.array([day <= self.last_day for day in self.days], dtype=np.bool_)
        total: NDArray[np.int64] = self.open_min[:, inside].sum(axis=1)
        return total


def measure(firm: Firm, plan: Plan, *, until: date | None = None) -> MetricsReport:
    """Return the four metrics of a plan of this firm, and the week by week series of its people.

    ``until`` is the last day of the period where the plan's own last deadline is not asked for, so that two plans can be compared.
    A person's load is all open work planned for them, their weeks are filled as the timetable says. Percentages are ``None`` where
    there is nothing to measure: no capacity, no finished task, no open task.
    """
    period, work = _period(firm, plan, until), _Work(firm, plan)

    def over(subject: str, holds: Callable[[Person], bool], *, whole: bool = False) -> Metrics:
        people = [person for person in firm.people if holds(person)]
        return _metrics(subject, people, period, work, whole=whole)

    teams = sorted({person.team for person in firm.people if person.team})
    return MetricsReport(
        firm=over("firm", lambda person: True, whole=True),
        teams=tuple(over(team, _in_team(team)) for team in teams),
        levels=tuple(over(level.name, _at_level(level.name)) for level in firm.levels),
        people=tuple(over(person.id, _is(person.id)) for person in firm.people),
        weeks=_weeks(firm, plan, period),
    )


def _in_team(team: str) -> Callable[[Person], bool]:
    return lambda person: person.team == team


def _at_level(level: str) -> Callable[[Person], bool]:
    return lambda person: person.level == level


def _is(name: str) -> Callable[[Person], bool]:
    return lambda person: person.id == name


def last_day_measured(firm: Firm, plan: Plan) -> date:
    """Return the last day of a plan's period: its last deadline, or the end of the horizon where that is today or earlier."""
    today = local_now(firm, plan.now).date()
    listed = {item.task for item in plan.tasks} | {lost.task for lost in plan.escalations}
    last = max((task.deadline for task in firm.tasks if task.id in listed), default=today)
    return last if last > today else today + timedelta(days=firm.policy.horizon_days)


def _period(firm: Firm, plan: Plan, until: date | None) -> _Period:
    last = until or last_day_measured(firm, plan)
    days = max((last - local_now(firm, plan.now).date()).days, firm.policy.horizon_days)
    farther = firm.policy.model_copy(update={"horizon_days": days})
    axis, open_min = build_axis(firm.model_copy(update={"policy": farther}), plan.now)
    row = {person.id: p for p, person in enumerate(firm.people)}
    return _Period(row, axis.days, open_min, last)


class _Work:
    """Planned and finished work by person, looked through once for all figures."""

    def __init__(self, firm: Firm, plan: Plan) -> None:
        self.escalations = len(plan.escalations)
        self.done = [task for task in firm.tasks if _finished(task)]
        self.planned_of: dict[str, list[PlannedTask]] = {}
        self.done_of: dict[str | None, list[Task]] = {}
        for item in plan.tasks:
            self.planned_of.setdefault(item.person, []).append(item)
        for task in self.done:
            self.done_of.setdefault(task.assignee, []).append(task)


def _metrics(subject: str, people: Sequence[Person], period: _Period, work: _Work, *, whole: bool) -> Metrics:
    planned = [work.planned_of.get(person.id, []) for person in people]
    mine = [item for items in planned for item in items]
    done = work.done if whole else [task for person in people for task in work.done_of.get(person.id, [])]
    escalated = work.escalations if whole else 0
    capacity = np.array([period.capacity_min[period.row[person.id]] for person in people], dtype=np.int64)
    load = np.array([sum(item.work_min for item in items) for items in planned], dtype=np.int64)
    able = capacity > 0
    shares = load[able] / capacity[able]
    many = len(shares) > 1
    return Metrics(
        subject=subject,
        capacity_min=int(capacity.sum()),
        load_min=int(load.sum()),
        utilisation_pct=_pct(int(load.sum()), int(capacity.sum())),
        spread_pct=round(100 * float(shares.max() - shares.min()), 2) if many else None,
        variance=round(float(shares.var()), 6) if many else None,
        on_time_done_pct=_pct(sum(_in_time(task) for task in done), len(done)),
        on_time_forecast_pct=_pct(sum(not item.late for item in mine), len(mine) + escalated),
        late_open=sum(item.late for item in mine),
        escalations=escalated,
    )


def _finished(task: Task) -> bool:
    return task.status is Status.DONE and task.completed_on is not None


def _in_time(task: Task) -> bool:
    return task.completed_on is not None and task.completed_on <= task.deadline


def _pct(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None


def _weeks(firm: Firm, plan: Plan, period: _Period) -> tuple[WeekLoad, ...]:
    """Return each person's weeks up to the last with work or the last deadline, whichever is later."""
    load: dict[tuple[str, date], int] = {}
    for cell in plan.timetable:
        key = (cell.person, _monday(cell.day))
        load[key] = load.get(key, 0) + cell.minutes
    end = max([period.last_day, *(cell.day for cell in plan.timetable)])
    mondays = sorted({_monday(day) for day in period.days if day <= end})
    capacity = dict.fromkeys(((person.id, monday) for person in firm.people for monday in mondays), 0)
    for slot, day in enumerate(period.days):
        if day <= end:
            for person in firm.people:
                capacity[person.id, _monday(day)] += int(period.open_min[period.row[person.id], slot])
    return tuple(
        WeekLoad(person=name, week_start=monday, load_min=load.get((name, monday), 0), capacity_min=minutes)
        for (name, monday), minutes in capacity.items()
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
