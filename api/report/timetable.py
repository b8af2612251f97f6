"""The day-by-day timetable per person, one grid of tasks by days for each week with work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from api.report.heat import people_in_order
from api.report.labels import Names, PersonLabel, TaskLabel
from api.report.source import ReportData
from api.report.wording import count_text, day_short, week_text
from solver.calendar import capacity_min, day_list
from solver.plan import WorkDay
from solver.wording import hours_text


@dataclass(frozen=True)
class DayHead:
    """One column of a week, with planned hours of that day's hours."""

    title: str
    hours: str
    off: bool


@dataclass(frozen=True)
class TaskWeek:
    """One row of a week: a task with its hours on each day, empty where it rests."""

    task: TaskLabel
    hours: tuple[str, ...]
    total: str
    late: bool


@dataclass(frozen=True)
class PersonWeek:
    """One week of one person."""

    title: str
    total: str
    days: tuple[DayHead, ...]
    rows: tuple[TaskWeek, ...]


@dataclass(frozen=True)
class PersonTimetable:
    """Everything one person does."""

    person: PersonLabel
    summary: str
    weeks: tuple[PersonWeek, ...]


def timetables(report: ReportData, names: Names) -> tuple[PersonTimetable, ...]:
    """Return everybody's timetable, in the order of the heat map, also of those without work."""
    work: dict[str, list[WorkDay]] = defaultdict(list)
    for one in report.plan.timetable:
        work[one.person].append(one)
    days = [one.day for one in report.plan.timetable]
    open_min = hours_by_day(report, monday_of(min(days)), max(days) + timedelta(days=6)) if days else {}
    late = {task.task for task in report.plan.tasks if task.late}
    return tuple(
        person_timetable(person, work[person.id], open_min, names, late)
        for person in people_in_order(report.firm, names)
    )


def hours_by_day(report: ReportData, first: date, last: date) -> dict[tuple[str, date], int]:
    """Return everybody's whole-day minutes from ``first`` to ``last``."""
    days = day_list(first, last)
    grid = capacity_min(report.firm, days)
    return {
        (person.id, day): int(grid[p, d]) for p, person in enumerate(report.firm.people) for d, day in enumerate(days)
    }


def person_timetable(
    person: PersonLabel,
    work: Sequence[WorkDay],
    open_min: dict[tuple[str, date], int],
    names: Names,
    late: set[str],
) -> PersonTimetable:
    """Return one person's weeks with work."""
    by_week: dict[date, list[WorkDay]] = defaultdict(list)
    for one in work:
        by_week[monday_of(one.day)].append(one)
    tasks = len({one.task for one in work})
    total = hours_text(sum(one.minutes for one in work))
    summary = f"{count_text(tasks, 'task')}, {total}" if work else "no work planned"
    weeks = tuple(person_week(monday, person.id, by_week[monday], open_min, names, late) for monday in sorted(by_week))
    return PersonTimetable(person, summary, weeks)


def person_week(
    monday: date,
    person: str,
    work: Sequence[WorkDay],
    open_min: dict[tuple[str, date], int],
    names: Names,
    late: set[str],
) -> PersonWeek:
    """Return one week as a grid; the weekend shows only where somebody works on it."""
    minutes: dict[tuple[str, date], int] = defaultdict(int)
    for one in work:
        minutes[one.task, one.day] += one.minutes
    last = max(4, *(one.day.weekday() for one in work))
    days = [monday + timedelta(days=i) for i in range(last + 1)]
    first_day = {task: min(day for other, day in minutes if other == task) for task, _ in minutes}
    order = sorted(first_day, key=lambda task: (first_day[task], names.tasks[task].deadline, task))
    return PersonWeek(
        title=f"Week of {week_text(monday)} {monday.year}",
        total=hours_text(sum(minutes.values())),
        days=tuple(
            day_head(day, sum(one.minutes for one in work if one.day == day), open_min[person, day]) for day in days
        ),
        rows=tuple(
            TaskWeek(
                task=names.task(task),
                hours=tuple(hours_text(minutes[task, day]) if (task, day) in minutes else "" for day in days),
                total=hours_text(sum(minutes[task, day] for day in days if (task, day) in minutes)),
                late=task in late,
            )
            for task in order
        ),
    )


def day_head(day: date, planned_min: int, day_min: int) -> DayHead:
    """Return the head of a day's column."""
    if not day_min:
        return DayHead(day_short(day), f"{hours_text(planned_min)}, off" if planned_min else "off", off=True)
    free = f"{hours_text(day_min)} free"
    return DayHead(
        day_short(day), f"{hours_text(planned_min)} of {hours_text(day_min)}" if planned_min else free, off=False
    )


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())
