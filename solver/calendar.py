"""Working patterns, holidays, time off, overtime and bookings, as minutes per person and local day.

Minutes are counted per local working day, never derived from instants, so a clock change neither adds nor loses work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

import holidays as public_holidays
import numpy as np
from numpy.typing import NDArray

from solver.firm import DayRange, Firm, HolidayCalendar, Overtime, Person


def local_now(firm: Firm, now: datetime) -> datetime:
    """Return ``now`` on the firm's clock; a naive ``now`` is taken as already local."""
    return now if now.tzinfo is None else now.astimezone(firm.zone).replace(tzinfo=None)


def day_list(first: date, last: date) -> list[date]:
    """Return every day from ``first`` to ``last``, both included; empty when ``last`` is earlier."""
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def closed_days(calendar: HolidayCalendar, days: Sequence[date]) -> frozenset[date]:
    """Return which of ``days`` are holidays for this firm."""
    years = sorted({day.year for day in days})
    public: Mapping[date, str] = {}
    if calendar.country is not None and years:
        public = public_holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=years)
    closed = {day for day in days if day in public or day in calendar.extra}
    return frozenset(closed - set(calendar.worked))


def capacity_min(firm: Firm, days: Sequence[date]) -> NDArray[np.int64]:
    """Return the minutes each person can work on tasks on each whole day, shape ``(people, days)``.

    ``days`` must be consecutive. A day is: weekly pattern, plus overtime, less part-day time off and bookings, never below
    zero; nothing on holidays, whole days off and outside employment.
    """
    minutes = np.zeros((len(firm.people), len(days)), dtype=np.int64)
    if not days or not firm.people:
        return minutes
    row = {person.id: p for p, person in enumerate(firm.people)}
    weekday = np.array([day.weekday() for day in days])
    minutes += np.array([person.weekly_min for person in firm.people])[:, weekday]
    for period in firm.overtime:
        span = _span(period, days)
        extra = np.array(period.extra_min)[weekday[span]]
        covered = np.array([_covered(period, person) for person in firm.people], dtype=np.bool_)
        minutes[covered, span] += extra
    minutes = np.minimum(minutes, 1_440)
    for absence in firm.time_off:
        minutes[row[absence.person], _span(absence, days)] -= (
            absence.minutes_per_day if absence.minutes_per_day is not None else 1_440
        )
    for booking in firm.bookings:
        minutes[row[booking.person], _span(booking, days)] -= booking.minutes_per_day
    closed = closed_days(firm.holiday_calendar, days)
    minutes[:, np.array([day in closed for day in days])] = 0
    minutes[~_employed(firm.people, days)] = 0
    return np.maximum(minutes, 0)


def elapsed_share(firm: Firm, clock: time) -> tuple[int, int]:
    """Return the used-up share of a working day at ``clock`` as a fraction ``(minutes passed, minutes in the day)``.

    A day's minutes are used evenly between the firm's workday start and end.
    """
    start, end = _minute(firm.workday_start), _minute(firm.workday_end)
    return min(max(_minute(clock) - start, 0), end - start), end - start


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _span(days_range: DayRange, days: Sequence[date]) -> slice:
    first = (days_range.first_day - days[0]).days
    last = (days_range.last_day - days[0]).days
    return slice(min(max(first, 0), len(days)), min(max(last + 1, 0), len(days)))


def _covered(period: Overtime, person: Person) -> bool:
    return (not period.people or person.id in period.people) and (not period.levels or person.level in period.levels)


def _employed(people: Sequence[Person], days: Sequence[date]) -> NDArray[np.bool_]:
    first = np.array([(person.start_date or date.min).toordinal() for person in people])
    last = np.array([(person.leave_date or date.max).toordinal() for person in people])
    when = np.array([day.toordinal() for day in days])
    employed: NDArray[np.bool_] = (first[:, None] <= when) & (when <= last[:, None])
    return employed
