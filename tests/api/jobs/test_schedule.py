from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from api.jobs.schedule import LATE, Schedule, due_day, moment_of

NEW_YORK = ZoneInfo("America/New_York")
SINCE = datetime(2000, 1, 1, tzinfo=UTC)
SKIPPED, DOUBLED = date(2027, 3, 14), date(2027, 11, 7)
"""Days on which clocks in New York go from 02:00 to 03:00, and from 02:00 back to 01:00."""


def runs(
    schedule: Schedule, zone: ZoneInfo, first: date, days: int, every: timedelta = timedelta(minutes=10)
) -> list[tuple[date, datetime]]:
    """Return for which days, and when, something runs that is looked at every ten minutes."""
    now = datetime.combine(first, time(0), tzinfo=zone).astimezone(UTC)
    until, last, found = now + timedelta(days=days), first - timedelta(days=1), []
    while now < until:
        day = due_day(schedule, zone, now=now, last=last, since=SINCE)
        if day is not None:
            last = day
            found.append((day, now))
        now += every
    return found


def test_a_skipped_hour_is_run_once_when_it_would_have_been() -> None:
    found = dict(runs(Schedule(at=time(2, 30)), NEW_YORK, SKIPPED - timedelta(days=1), 3))
    assert found[SKIPPED] == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    assert found[SKIPPED].astimezone(NEW_YORK).time() == time(3, 30)
    assert [found[day].astimezone(NEW_YORK).time() for day in sorted(found) if day != SKIPPED] == [time(2, 30)] * 2
    assert len(found) == 3


def test_a_doubled_hour_is_run_the_first_time_only() -> None:
    found = runs(Schedule(at=time(1, 30)), NEW_YORK, DOUBLED - timedelta(days=1), 3)
    assert Counter(day for day, _ in found) == {DOUBLED + timedelta(days=by): 1 for by in (-1, 0, 1)}
    assert dict(found)[DOUBLED] == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
    assert dict(found)[DOUBLED + timedelta(days=1)] == datetime(2027, 11, 8, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize("at", [time(0), time(1, 30), time(2), time(2, 30), time(23, 59)])
def test_every_local_day_of_a_year_is_run_once_and_not_before_its_time(zone: str, at: time) -> None:
    where, first = ZoneInfo(zone), date(2027, 1, 1)
    found = runs(Schedule(at=at), where, first, 365, timedelta(hours=1))
    assert [day for day, _ in found] == [first + timedelta(days=i) for i in range(len(found))]
    assert len(found) >= 364
    for day, moment in found:
        assert moment_of(day, at, where) <= moment < moment_of(day, at, where) + timedelta(hours=1)


def test_a_day_that_a_zone_left_out_is_not_made_up_for() -> None:
    apia = ZoneInfo("Pacific/Apia")  # which had no 30 December 2011
    found = [day for day, _ in runs(Schedule(at=time(2)), apia, date(2011, 12, 28), 4)]
    assert found == [date(2011, 12, 28), date(2011, 12, 29), date(2011, 12, 31), date(2012, 1, 1)]


def test_what_was_missed_is_made_up_for_within_half_a_day() -> None:
    schedule, day = Schedule(at=time(2)), date(2027, 3, 2)
    moment = moment_of(day, schedule.at, NEW_YORK)
    for late, expected in (
        (timedelta(0), day),
        (LATE - timedelta(seconds=1), day),
        (LATE, None),
        (-timedelta(seconds=1), None),
    ):
        assert due_day(schedule, NEW_YORK, now=moment + late, last=None, since=SINCE) == expected
    assert due_day(schedule, NEW_YORK, now=moment, last=day, since=SINCE) is None
    assert due_day(schedule, NEW_YORK, now=moment, last=None, since=moment + timedelta(seconds=1)) is None


def test_late_in_the_evening_is_made_up_for_on_the_next_day() -> None:
    schedule, friday = Schedule(at=time(23), weekdays=(4,)), date(2027, 3, 5)
    saturday = datetime(2027, 3, 6, 3, tzinfo=NEW_YORK)
    assert due_day(schedule, NEW_YORK, now=saturday, last=None, since=SINCE) == friday
    assert due_day(schedule, NEW_YORK, now=saturday + timedelta(days=1), last=None, since=SINCE) is None
    off = schedule.model_copy(update={"enabled": False})
    assert due_day(off, NEW_YORK, now=saturday, last=None, since=SINCE) is None


def test_days_that_are_none_are_refused() -> None:
    assert Schedule(at=time(2), weekdays=(6, 0, 0)).weekdays == (0, 6)
    with pytest.raises(ValidationError, match="7 is no day of the week"):
        Schedule(at=time(2), weekdays=(7,))
