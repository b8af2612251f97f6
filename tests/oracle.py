"""A slow second opinion on minutes and on "fits", written from docs/data.md alone.

Minutes are added up one person and one day at a time, and promises are kept or broken by walking through time one working
minute after the other. Nothing here knows slots, arrays or windows; only the models of `solver.firm` are read.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import holidays

from solver.firm import Firm, Person


class Demand(NamedTuple):
    """Minutes to be worked at instants from ``release`` to ``due``, both included."""

    name: str
    release: int
    due: int
    minutes: int


class Work(NamedTuple):
    """One promised work: nothing before the ``release`` day, done by the ``due`` day, or by ``due_time`` on it."""

    name: str
    due: date
    minutes: int
    release: date | None = None
    due_time: time | None = None


class Moment(NamedTuple):
    """A working minute of a day: 0 is the first minute after the workday starts."""

    day: date
    working_minute: int


@dataclass(frozen=True)
class Outcome:
    """What became of a set of works.

    Attributes
    ----------
    finished
        The working minute in which each work was finished, ``None`` where time ran out first.
    late
        Names of the works that were not finished when due.
    """

    finished: Mapping[str, Moment | None]
    late: frozenset[str]

    @property
    def all_on_time(self) -> bool:
        """Whether every work was finished when due."""
        return not self.late


def working_day_min(firm: Firm) -> int:
    """Return the length of the firm's working day in clock minutes."""
    return _clock_minute(firm.workday_end) - _clock_minute(firm.workday_start)


def working_minute(firm: Firm, clock: time) -> int:
    """Return how many minutes of the working day have passed at ``clock``."""
    passed = _clock_minute(clock) - _clock_minute(firm.workday_start)
    if passed < 0:
        return 0
    return min(passed, working_day_min(firm))


def due_minute(firm: Firm, due_time: time | None) -> int:
    """Return the working minute before which work due at ``due_time`` must end: a full working hour, or the whole day."""
    length = working_day_min(firm)
    if due_time is None or _clock_minute(due_time) >= _clock_minute(firm.workday_end):
        return length
    return working_minute(firm, due_time) // 60 * 60


def closed(firm: Firm, day: date) -> bool:
    """Whether the firm is closed on a day by the public calendar and its own exceptions."""
    calendar = firm.holiday_calendar
    if day in calendar.worked:
        return False
    if day in calendar.extra:
        return True
    if calendar.country is None:
        return False
    return day in holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=day.year)


def whole_day_min(firm: Firm, person: str, day: date) -> int:
    """Return the minutes a person can work on tasks on a whole day."""
    who = _person(firm, person)
    if who.start_date is not None and day < who.start_date:
        return 0
    if who.leave_date is not None and day > who.leave_date:
        return 0
    if closed(firm, day):
        return 0
    minutes = who.weekly_min[day.weekday()]
    for period in firm.overtime:
        named = not period.people or who.id in period.people
        ranked = not period.levels or who.level in period.levels
        if named and ranked and period.first_day <= day <= period.last_day:
            minutes += period.extra_min[day.weekday()]
    minutes = min(minutes, 1_440)
    for absence in firm.time_off:
        if absence.person == person and absence.first_day <= day <= absence.last_day:
            if absence.minutes_per_day is None:
                return 0
            minutes -= absence.minutes_per_day
    for booking in firm.bookings:
        if booking.person == person and booking.first_day <= day <= booking.last_day:
            minutes -= booking.minutes_per_day
    return max(minutes, 0)


def stretch_min(firm: Firm, person: str, day: date, start: int, end: int) -> int:
    """Return the minutes of a day that lie between two working minutes."""
    minutes, length = whole_day_min(firm, person, day), working_day_min(firm)
    return minutes * end // length - minutes * start // length


def open_day_min(firm: Firm, person: str, day: date, now: datetime) -> int:
    """Return the minutes a person can still work on a day, seen from ``now``: none before today, of today only the rest."""
    today, passed = _today(firm, now)
    if day < today:
        return 0
    return stretch_min(firm, person, day, passed if day == today else 0, working_day_min(firm))


def open_min(firm: Firm, person: str, first: date, last: date, now: datetime) -> int:
    """Return the minutes a person can still work from ``first`` to ``last``, both included."""
    return sum(open_day_min(firm, person, day, now) for day in _days(first, last))


def earliest_deadline_first(offers: Sequence[int], demands: Iterable[Demand]) -> dict[str, int | None]:
    """Work through time minute by minute, always on the released demand due first; say at which instant each one ends.

    Parameters
    ----------
    offers
        Minutes of work that each instant holds.
    demands
        With different names and at least one minute each. None of them is given up when late.
    """
    waiting = sorted(demands, key=lambda demand: -demand.release)
    finished: dict[str, int | None] = {demand.name: None for demand in waiting}
    left = {demand.name: demand.minutes for demand in waiting}
    ready: list[tuple[int, str]] = []
    for instant, offer in enumerate(offers):
        while waiting and waiting[-1].release <= instant:
            arrived = waiting.pop()
            heapq.heappush(ready, (arrived.due, arrived.name))
        for _ in range(offer):
            if not ready:
                break
            name = ready[0][1]
            left[name] -= 1
            if left[name] == 0:
                finished[name] = instant
                heapq.heappop(ready)
        if not ready and not waiting:
            break
    return finished


def keeps_all(offers: Sequence[int], demands: Sequence[Demand]) -> bool:
    """Whether earliest deadline first finishes every demand when due."""
    finished = earliest_deadline_first(offers, demands)
    return all((end := finished[demand.name]) is not None and end <= demand.due for demand in demands)


def simulate(firm: Firm, person: str, works: Sequence[Work], now: datetime, last_day: date) -> Outcome:
    """Let one person work through ``works`` from ``now`` to the end of ``last_day``, one working minute after the other."""
    today, passed = _today(firm, now)
    length = working_day_min(firm)
    days = _days(today, last_day)
    offers: list[int] = []
    for day in days:
        minutes = whole_day_min(firm, person, day)
        first = passed if day == today else 0
        offers += [0 if k < first else minutes * (k + 1) // length - minutes * k // length for k in range(length)]
    demands = [
        Demand(
            name=work.name,
            release=0 if work.release is None else max((work.release - today).days, 0) * length,
            due=(work.due - today).days * length + due_minute(firm, work.due_time) - 1,
            minutes=work.minutes,
        )
        for work in works
    ]
    ends = earliest_deadline_first(offers, demands)
    return Outcome(
        finished={
            name: None if end is None else Moment(days[end // length], end % length) for name, end in ends.items()
        },
        late=frozenset(one.name for one in demands if (end := ends[one.name]) is None or end > one.due),
    )


def _today(firm: Firm, now: datetime) -> tuple[date, int]:
    local = now if now.tzinfo is None else now.astimezone(firm.zone)
    return local.date(), working_minute(firm, local.time())


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def _clock_minute(clock: time) -> int:
    return 60 * clock.hour + clock.minute


def _person(firm: Firm, person: str) -> Person:
    return next(one for one in firm.people if one.id == person)
