"""How much overtime a plan's promises need, beside what the firm offers.

The timetable works as early as it can, so it fills overtime that a later regular hour would do as well. Needed is what the promises
ask for beyond regular hours, however the days are filled.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from solver.axis import build_axis
from solver.firm import Firm
from solver.plan import Plan, PlannedTask

DayMinutes = Mapping[date, int]


def offered_min(firm: Firm, plan: Plan, until: date) -> int:
    """Return the minutes that overtime adds to the firm's days from now until a day."""
    whole, regular = minutes_by_day(firm, plan), minutes_by_day(without_overtime(firm), plan)
    return sum(
        minutes - regular[person].get(day, 0)
        for person, days in whole.items()
        for day, minutes in days.items()
        if day <= until
    )


def needed_min(firm: Firm, plan: Plan) -> int:
    """Return the least minutes of overtime with which every promise of the plan within the horizon is kept.

    Per person, earliest promise first on regular hours: this order finishes the most minutes in time, and what it leaves undone is
    overtime. Days count whole, times of day within them are not looked at.
    """
    if not firm.overtime:
        return 0
    regular = minutes_by_day(without_overtime(firm), plan)
    tasks: dict[str, list[PlannedTask]] = defaultdict(list)
    for item in plan.tasks:
        if item.promised_day is not None:
            tasks[item.person].append(item)
    return sum(_undone_min(regular[person], own) for person, own in tasks.items())


def _undone_min(days: DayMinutes, tasks: Sequence[PlannedTask]) -> int:
    waiting = sorted(tasks, key=lambda item: (item.earliest_day, item.task))
    ready: list[tuple[date, str, int]] = []
    undone, place = 0, 0
    last = max(item.promised_day or date.min for item in tasks)
    for day in sorted(day for day in days if day <= last):
        while place < len(waiting) and waiting[place].earliest_day <= day:
            item = waiting[place]
            heapq.heappush(ready, (item.promised_day or date.max, item.task, item.work_min))
            place += 1
        left = days[day]
        while ready:
            promised, name, minutes = heapq.heappop(ready)
            if promised < day:
                undone += minutes
                continue
            done = min(minutes, left)
            left -= done
            if done < minutes:
                heapq.heappush(ready, (promised, name, minutes - done))
                break
    return undone + sum(minutes for _, _, minutes in ready) + sum(item.work_min for item in waiting[place:])


def minutes_by_day(firm: Firm, plan: Plan) -> dict[str, dict[date, int]]:
    """Return everybody's open minutes on each day from the plan's moment on."""
    axis, open_min = build_axis(firm, plan.now)
    found: dict[str, dict[date, int]] = {}
    for row, person in enumerate(firm.people):
        days: dict[date, int] = defaultdict(int)
        for slot, minutes in enumerate(open_min[row].tolist()):
            days[axis.days[slot]] += minutes
        found[person.id] = days
    return found


def without_overtime(firm: Firm) -> Firm:
    """Return the firm with its regular hours only."""
    return firm.model_copy(update={"overtime": ()})
