"""When something is due for a firm: at a local time of its own, once per local day, whatever its clocks do.

What counts is the day. In the night in which clocks skip the hour, work runs when that hour would have been; in the night in which
they repeat it, the first time only.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from solver.firm import LocalTime
from solver.policy import Frozen

LATE = timedelta(hours=12)
"""After which what was missed, because nothing ran, is not made up for any more."""
ONE_DAY = timedelta(days=1)


class Due(StrEnum):
    """What is done for a firm by itself."""

    NIGHT = "night"
    MIDWEEK = "midweek"


class Schedule(Frozen):
    """When it is done."""

    at: LocalTime = Field(description="local to the firm")
    weekdays: Annotated[tuple[int, ...], Field(max_length=7)] = Field(
        default=(0, 1, 2, 3, 4, 5, 6), description="0 is Monday"
    )
    enabled: bool = True

    @field_validator("weekdays")
    @classmethod
    def _days(cls, given: tuple[int, ...]) -> tuple[int, ...]:
        wrong = next((day for day in given if not 0 <= day <= 6), None)
        if wrong is not None:
            raise ValueError(f"{wrong} is no day of the week. Maybe use 0 (Monday) to 6 (Sunday).")
        return tuple(sorted(set(given)))


DEFAULTS: dict[Due, Schedule] = {
    Due.NIGHT: Schedule(at=time(2, 0)),
    Due.MIDWEEK: Schedule(at=time(12, 0), weekdays=(2,)),
}


def schedule_of(due: Due, document: str | None) -> Schedule:
    """Return the schedule that a firm keeps, or what is usual where it keeps none."""
    return DEFAULTS[due] if document is None else Schedule.model_validate_json(document)


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the instant of a local time, in UTC: the first of two; of none, as long after the last day's as ever."""
    return datetime.combine(day, at, tzinfo=zone).replace(fold=0).astimezone(UTC)


RETENTION = Schedule(at=time(3, 0))
"""When what was kept for long enough goes."""


def next_moment(schedule: Schedule, zone: ZoneInfo, *, now: datetime) -> datetime | None:
    """Return when something is done next, in UTC; ``None`` where it never is."""
    today = now.astimezone(zone).date()
    moments = (
        moment_of(day, schedule.at, zone)
        for day in (today + i * ONE_DAY for i in range(9))
        if schedule.enabled and day.weekday() in schedule.weekdays
    )
    return next((moment for moment in moments if moment > now), None)


def due_day(schedule: Schedule, zone: ZoneInfo, *, now: datetime, last: date | None, since: datetime) -> date | None:
    """Return the local day for which something is to be done now, ``None`` when nothing is.

    Parameters
    ----------
    last
        The last local day for which it was done. One that is further ahead than tomorrow was written by a clock that was wrong,
        and counts for nothing: else a firm would have no nights until that day.
    since
        When the firm began: nothing was missed before.
    """
    if not schedule.enabled:
        return None
    today = now.astimezone(zone).date()
    for day in (today, today - ONE_DAY):
        moment = moment_of(day, schedule.at, zone)
        if day.weekday() in schedule.weekdays and since <= moment <= now < moment + LATE:
            return day if last is None or day > last or last > today + ONE_DAY else None
    return None
