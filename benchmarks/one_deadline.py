"""A table of minutes per task and person as a firm with one common deadline: the shape that most published families share.

Task = task with a skill of its own, person = person who has the skills of the tasks they may do, minutes = efficiency of a small
estimate, price = mismatch of that cell of the skill matrix, room = open minutes before the deadline. All other weights are zero, so
the objective is the prices of the plan, plus what escalation and, where asked for, overload cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from solver import Client, Firm, Person, Plan, Policy, Skill, Task, TaskType, Weights
from solver.firm import Booking, HolidayCalendar, Priority, TimeOff

NOW = datetime(2027, 3, 1)
DAY_MIN = 1_440
ALL_DAY = (DAY_MIN,) * 7
LEAST_PCT, MOST_PCT = 10, 1_000
"""Range of a person's efficiency (`solver.firm.Skill`)."""
FINEST_MIN = 100
"""With estimates up to this many minutes one percent of efficiency is at most a minute, so every whole minute can be said."""


@dataclass(frozen=True)
class OneDeadline:
    """Who may do what, how long it takes, what it costs, and how much time everybody has.

    Attributes
    ----------
    work_min, price_min
        ``(tasks, people)``; 0 minutes where the person may not do the task.
    room_min
        ``(people,)`` open minutes before the common deadline.
    target_pct
        ``(people,)`` target utilisation; fair shares are in proportion to it times the room. 0 where shares cost nothing.
    balance_pct
        Price of a minute of load away from the fair share.
    overload_pct, overload_from_pct
        Price of a minute of load beyond the fair share and this part of it on top.
    """

    name: str
    work_min: NDArray[np.int64]
    price_min: NDArray[np.int64]
    room_min: NDArray[np.int64]
    target_pct: NDArray[np.int64] | None = None
    balance_pct: int = 0
    overload_pct: int = 0
    overload_from_pct: int = 0


def firm_of(asked: OneDeadline, *, escalation_min: int) -> Firm:
    """Return the firm; leaving a task undone costs at least ``escalation_min``.

    Where one task takes somebody more than a hundred times what it takes another, the quick person's minutes are rounded up
    (`estimates_min`): a plan of the firm holds, yet a better one may not be seen.
    """
    tasks, people = (range(count) for count in asked.work_min.shape)
    days = -(-int(asked.room_min.max()) // DAY_MIN)
    last = NOW.date() + timedelta(days=days - 1)
    estimates = estimates_min(asked.work_min).tolist()
    time_off, bookings = _hours(asked.room_min, last)
    return Firm(
        name=asked.name,
        holiday_calendar=HolidayCalendar(country=None),
        people=tuple(_person(asked, i, estimates) for i in people),
        clients=(Client(id="client"),),
        task_types=tuple(TaskType(id=f"t{j}", skill=f"t{j}") for j in tasks),
        tasks=tuple(
            Task(
                id=f"t{j}",
                type=f"t{j}",
                client="client",
                deadline=last,
                estimate_min=estimates[j],
                priority=Priority.LOW,
            )
            for j in tasks
        ),
        time_off=time_off,
        bookings=bookings,
        policy=Policy(
            weights=Weights(
                escalation=-(-escalation_min // min(estimates, default=1)),
                balance_pct=asked.balance_pct,
                balance_far_pct=asked.overload_pct,
                far_from_share_pct=asked.overload_from_pct,
                week_balance_pct=0,
                continuity=0,
                level_above_pct=0,
            ),
            horizon_days=days,
            late_tail_days=1,
            remaining_floor_min=1,
        ),
    )


def require_somebody(work_min: NDArray[np.int64]) -> None:
    """Raise ``ValueError`` when there is a task that nobody may do."""
    lost = np.flatnonzero(work_min.max(axis=1, initial=0) == 0).tolist()
    if lost:
        raise ValueError(f"nobody may do tasks {lost}. Maybe a skill was read wrong.")


def assignees(plan: Plan, tasks: int) -> NDArray[np.int64]:
    """Return the person of each task as the plan has it, -1 for those it leaves undone."""
    who = np.full(tasks, -1, dtype=np.int64)
    for planned in plan.tasks:
        who[int(planned.task[1:])] = int(planned.person[1:])
    return who


def estimates_min(work_min: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an estimate per task, so that a whole percentage of it says each person's minutes.

    One estimate for all where the spread of all minutes allows it, so that leaving any task undone costs the same.
    """
    shortest = np.where(work_min > 0, work_min, np.iinfo(np.int64).max).min(axis=1, initial=np.iinfo(np.int64).max)
    longest = work_min.max(axis=1, initial=1)
    common = _estimate_min(shortest.min(keepdims=True), longest.max(keepdims=True))
    return np.broadcast_to(common, shortest.shape) if _said(common, shortest) else _estimate_min(shortest, longest)


def exact(work_min: NDArray[np.int64]) -> bool:
    """Whether the firm takes exactly the minutes asked, nowhere rounded up."""
    estimates = estimates_min(work_min)[:, None]
    percent = np.maximum(100 * (work_min - 1) // estimates + 1, LEAST_PCT)
    return bool((-(-percent * estimates // 100) == work_min)[work_min > 0].all())


def _estimate_min(shortest: NDArray[np.int64], longest: NDArray[np.int64]) -> NDArray[np.int64]:
    finest = np.minimum(shortest, FINEST_MIN * LEAST_PCT // 100) * 100 // LEAST_PCT
    enough = -(-longest * 100 // MOST_PCT)
    estimate: NDArray[np.int64] = np.maximum(finest, enough)
    return estimate


def _said(estimate: NDArray[np.int64], shortest: NDArray[np.int64]) -> bool:
    return bool((estimate * LEAST_PCT <= 100 * shortest).all())


def _person(asked: OneDeadline, i: int, estimates: list[int]) -> Person:
    cells = zip(asked.work_min[:, i].tolist(), asked.price_min[:, i].tolist(), estimates, strict=True)
    skills = tuple(
        Skill(skill=f"t{j}", efficiency_pct=_efficiency_pct(minutes, estimate), mismatch_min=price)
        for j, (minutes, price, estimate) in enumerate(cells)
        if minutes
    )
    target = None if asked.target_pct is None else int(asked.target_pct[i])
    return Person(id=f"p{i}", level="associate", weekly_min=ALL_DAY, skills=skills, target_utilisation_pct=target)


def _efficiency_pct(minutes: int, estimate: int) -> int:
    """Return the least percentage with which the estimate takes at least ``minutes``, in the engine's rounding up."""
    enough = 100 * (minutes - 1) // estimate + 1
    return max(enough, LEAST_PCT)


def _hours(room_min: NDArray[np.int64], last: date) -> tuple[tuple[TimeOff, ...], tuple[Booking, ...]]:
    """Return what takes everybody's hours from midnight to midnight down to their room: a part of one day, and the days after."""
    time_off, bookings = [], []
    for i, room in enumerate(room_min.tolist()):
        day = NOW.date() + timedelta(days=room // DAY_MIN)
        if day <= last:
            minutes = DAY_MIN - room % DAY_MIN
            bookings.append(Booking(person=f"p{i}", first_day=day, last_day=day, minutes_per_day=minutes))
        if day < last:
            time_off.append(TimeOff(person=f"p{i}", first_day=day + timedelta(days=1), last_day=last))
    return tuple(time_off), tuple(bookings)
