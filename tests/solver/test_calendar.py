from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.axis import build_axis
from solver.calendar import capacity_min, closed_days, day_list, elapsed_share, local_now
from solver.firm import Booking, DayRange, Firm, HolidayCalendar, Overtime, Person, TimeOff
from tests.firms_for_tests import MONDAY, NOW, day, firm, person
from tests.oracle import open_day_min, whole_day_min, working_day_min, working_minute

US = HolidayCalendar(country="US")
EVERY_DAY = (480,) * 7
MORE = (60,) * 7


def minutes(one: Firm, *days: date) -> list[int]:
    """Return the minutes of the firm's first person on each of ``days``."""
    return [int(capacity_min(one, [when])[0, 0]) for when in days]


def week(one: Firm, start: date = MONDAY) -> list[int]:
    """Return the minutes of the firm's first person in the week from ``start``, asked for at once."""
    return [int(value) for value in capacity_min(one, day_list(start, start + timedelta(days=6)))[0]]


def left_of(one: Firm, now: datetime) -> int:
    """Return the minutes of the firm's first person that today still holds."""
    axis, open_min = build_axis(one, now)
    return sum(int(open_min[0, s]) for s in range(axis.count) if axis.days[s] == axis.first_day)


def test_a_day_list_has_both_ends() -> None:
    assert day_list(date(2028, 2, 28), date(2028, 3, 1)) == [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
    assert day_list(MONDAY, MONDAY) == [MONDAY]


def test_a_day_list_is_empty_when_the_last_day_comes_first() -> None:
    assert day_list(MONDAY, MONDAY - timedelta(days=1)) == []


def test_each_weekday_has_its_own_minutes() -> None:
    assert week(firm((person("ann", weekly_min=(1, 2, 3, 4, 5, 6, 7)),))) == [1, 2, 3, 4, 5, 6, 7]


def test_weekdays_are_right_when_the_days_start_within_a_week() -> None:
    one = firm((person("ann", weekly_min=(1, 2, 3, 4, 5, 6, 7)),))
    assert week(one, date(2027, 3, 4)) == [4, 5, 6, 7, 1, 2, 3]


def test_part_timers_have_nothing_on_their_days_off() -> None:
    assert week(firm((person("ann", weekly_min=(480, 0, 240, 0, 0, 0, 0)),))) == [480, 0, 240, 0, 0, 0, 0]


def test_each_person_has_their_own_row() -> None:
    one = firm((person("ann"), person("ben", weekly_min=(300,) * 7)))
    assert capacity_min(one, [MONDAY, day(5)]).tolist() == [[480, 0], [300, 300]]


def test_a_firm_without_people_has_no_rows() -> None:
    assert capacity_min(firm(), [MONDAY]).shape == (0, 1)


def test_no_days_are_no_minutes() -> None:
    assert capacity_min(firm((person("ann"),)), []).shape == (1, 0)


@pytest.mark.parametrize(
    "holiday",
    [
        date(2027, 1, 1),
        date(2027, 1, 18),
        date(2027, 2, 15),
        date(2027, 5, 31),
        date(2027, 6, 18),
        date(2027, 7, 5),
        date(2027, 9, 6),
        date(2027, 11, 25),
        date(2027, 12, 24),
        date(2027, 12, 31),
    ],
)
def test_nobody_works_on_a_public_holiday_or_the_day_it_is_observed(holiday: date) -> None:
    one = firm((person("ann", weekly_min=EVERY_DAY), person("ben")), holiday_calendar=US)
    assert capacity_min(one, [holiday]).tolist() == [[0], [0]]


def test_the_days_beside_a_holiday_are_worked() -> None:
    one = firm((person("ann"),), holiday_calendar=US)
    assert minutes(one, date(2027, 5, 28), date(2027, 6, 1)) == [480, 480]


def test_holidays_are_found_in_every_year_asked_for() -> None:
    days = day_list(date(2027, 12, 1), date(2029, 1, 2))
    found = closed_days(US, days)
    assert {date(2027, 12, 24), date(2027, 12, 31), date(2028, 7, 4), date(2029, 1, 1)} <= found


def test_without_a_country_no_public_holiday_closes_the_firm() -> None:
    assert minutes(firm((person("ann"),)), date(2027, 5, 31)) == [480]


def test_an_extra_day_closes_the_firm() -> None:
    one = firm((person("ann"),), holiday_calendar=HolidayCalendar(country="US", extra=(day(2),)))
    assert week(one) == [480, 480, 0, 480, 480, 0, 0]


def test_an_extra_day_closes_a_firm_without_public_holidays() -> None:
    one = firm((person("ann"),), holiday_calendar=HolidayCalendar(country=None, extra=(day(2),)))
    assert week(one) == [480, 480, 0, 480, 480, 0, 0]


def test_a_worked_holiday_is_a_day_like_any_other() -> None:
    one = firm((person("ann"),), holiday_calendar=HolidayCalendar(country="US", worked=(date(2027, 5, 31),)))
    assert minutes(one, date(2027, 5, 31), date(2027, 7, 5)) == [480, 0]


def test_worked_outdoes_extra() -> None:
    calendar = HolidayCalendar(country=None, extra=(day(1), day(2)), worked=(day(1),))
    assert week(firm((person("ann"),), holiday_calendar=calendar)) == [480, 480, 0, 480, 480, 0, 0]


def test_a_worked_day_adds_nothing_to_a_weekend() -> None:
    one = firm((person("ann"),), holiday_calendar=HolidayCalendar(country="US", worked=(day(5),)))
    assert minutes(one, day(5)) == [0]


def test_the_subdivision_decides_on_regional_holidays() -> None:
    corpus_christi = date(2027, 5, 27)
    bavaria, berlin = (HolidayCalendar(country="DE", subdivision=land) for land in ("BY", "BE"))
    assert closed_days(bavaria, [corpus_christi]) == {corpus_christi}
    assert closed_days(berlin, [corpus_christi]) == frozenset()


def test_closed_days_are_some_of_the_days_asked_for() -> None:
    calendar = HolidayCalendar(country="US", extra=(day(2), day(30)))
    assert closed_days(calendar, day_list(day(0), day(6))) == {day(2)}


def test_no_days_are_never_closed() -> None:
    assert closed_days(US, []) == frozenset()


def test_a_leap_day_is_worked() -> None:
    one = firm((person("ann", weekly_min=(1, 2, 3, 4, 5, 6, 7)),))
    assert minutes(one, date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)) == [1, 2, 3]
    assert week(one, date(2028, 2, 28)) == [1, 2, 3, 4, 5, 6, 7]


def test_the_twenty_ninth_of_february_2027_does_not_exist_on_the_calendar() -> None:
    assert [when.day for when in day_list(date(2027, 2, 27), date(2027, 3, 2))] == [27, 28, 1, 2]


CLOCK_CHANGES = [
    ("America/New_York", date(2027, 3, 14), datetime(2027, 3, 14, 17, 0, tzinfo=UTC)),
    ("America/New_York", date(2027, 11, 7), datetime(2027, 11, 7, 18, 0, tzinfo=UTC)),
    ("Europe/Berlin", date(2027, 3, 28), datetime(2027, 3, 28, 11, 0, tzinfo=UTC)),
    ("Europe/Berlin", date(2027, 10, 31), datetime(2027, 10, 31, 12, 0, tzinfo=UTC)),
]


@pytest.mark.parametrize(("zone", "when", "one_o_clock"), CLOCK_CHANGES)
def test_a_clock_change_adds_and_takes_no_minute(zone: str, when: date, one_o_clock: datetime) -> None:
    one = firm((person("ann", weekly_min=EVERY_DAY),), time_zone=zone)
    start = when - timedelta(days=3)
    assert week(one, start) == [480] * 7
    axis, open_min = build_axis(one, datetime.combine(start, time(0)))
    assert [int(value) for value in open_min[0, :7]] == [480] * 7
    assert list(axis.days[:7]) == day_list(start, start + timedelta(days=6))


@pytest.mark.parametrize(("zone", "when", "one_o_clock"), CLOCK_CHANGES)
def test_on_the_day_of_a_clock_change_the_local_clock_says_what_is_left(
    zone: str, when: date, one_o_clock: datetime
) -> None:
    one = firm((person("ann", weekly_min=EVERY_DAY),), time_zone=zone)
    assert local_now(one, one_o_clock) == datetime.combine(when, time(13))
    assert left_of(one, one_o_clock) == 240
    assert left_of(one, one_o_clock - timedelta(hours=1)) == 300


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin"])
@pytest.mark.parametrize("fold", [0, 1])
def test_the_hour_that_happens_twice_is_one_working_hour(zone: str, fold: int) -> None:
    night = firm((person("ann", weekly_min=EVERY_DAY),), time_zone=zone, workday_start=time(0), workday_end=time(8))
    change = date(2027, 11, 7) if zone == "America/New_York" else date(2027, 10, 31)
    twice = 1 if zone == "America/New_York" else 2
    assert (
        left_of(night, datetime.combine(change, time(twice, 30, fold=fold), tzinfo=night.zone)) == 480 - 60 * twice - 30
    )


def test_a_naive_now_is_local_already() -> None:
    assert local_now(firm(time_zone="Asia/Tokyo"), NOW) == NOW


def test_an_aware_now_is_put_on_the_clock_of_the_firm() -> None:
    late_evening = datetime(2027, 3, 1, 23, 0, tzinfo=UTC)
    assert local_now(firm(time_zone="Asia/Tokyo"), late_evening) == datetime(2027, 3, 2, 8, 0)
    assert local_now(firm(time_zone="America/New_York"), late_evening) == datetime(2027, 3, 1, 18, 0)


def test_today_is_the_day_of_the_firm_and_not_of_the_caller() -> None:
    one = firm((person("ann"),), time_zone="Asia/Tokyo")
    assert build_axis(one, datetime(2027, 3, 1, 23, 0, tzinfo=UTC))[0].first_day == date(2027, 3, 2)


def test_a_whole_day_off_leaves_nothing() -> None:
    off = TimeOff(person="ann", first_day=day(1), last_day=day(2))
    assert week(firm((person("ann"),), time_off=(off,))) == [480, 0, 0, 480, 480, 0, 0]


def test_part_of_a_day_off_leaves_the_rest() -> None:
    off = TimeOff(person="ann", first_day=day(1), last_day=day(1), minutes_per_day=120)
    assert week(firm((person("ann"),), time_off=(off,))) == [480, 360, 480, 480, 480, 0, 0]


def test_no_minutes_off_are_not_a_day_off() -> None:
    off = TimeOff(person="ann", first_day=day(1), last_day=day(1), minutes_per_day=0)
    assert minutes(firm((person("ann"),), time_off=(off,)), day(1)) == [480]


def test_time_off_is_only_for_the_person_named() -> None:
    off = TimeOff(person="ben", first_day=day(0), last_day=day(6))
    one = firm((person("ann"), person("ben")), time_off=(off,))
    assert capacity_min(one, [MONDAY]).tolist() == [[480], [0]]


def test_times_off_on_the_same_day_add_up() -> None:
    off = TimeOff(person="ann", first_day=day(1), last_day=day(1), minutes_per_day=100)
    assert minutes(firm((person("ann"),), time_off=(off, off)), day(1)) == [280]


def test_bookings_take_their_minutes_of_each_day() -> None:
    booking = Booking(person="ann", first_day=day(-10), last_day=day(2), minutes_per_day=90)
    assert week(firm((person("ann"),), bookings=(booking,))) == [390, 390, 390, 480, 480, 0, 0]


def test_bookings_and_time_off_on_the_same_day_add_up() -> None:
    booking = Booking(person="ann", first_day=day(1), last_day=day(1), minutes_per_day=90)
    off = TimeOff(person="ann", first_day=day(1), last_day=day(1), minutes_per_day=120)
    assert minutes(firm((person("ann"),), bookings=(booking,), time_off=(off,)), day(1)) == [270]


def test_a_booking_longer_than_the_day_leaves_nothing_and_takes_nothing_from_the_next() -> None:
    booking = Booking(person="ann", first_day=day(1), last_day=day(1), minutes_per_day=600)
    assert week(firm((person("ann"),), bookings=(booking,))) == [480, 0, 480, 480, 480, 0, 0]


def test_ranges_outside_the_days_asked_for_change_nothing() -> None:
    spans = [{"first_day": day(-9), "last_day": day(-1)}, {"first_day": day(7), "last_day": day(9)}]
    one = firm(
        (person("ann"),),
        time_off=tuple(TimeOff.model_validate({"person": "ann", **span}) for span in spans),
        bookings=tuple(Booking.model_validate({"person": "ann", "minutes_per_day": 60, **span}) for span in spans),
        overtime=tuple(Overtime.model_validate({"extra_min": MORE, **span}) for span in spans),
    )
    assert week(one) == [480, 480, 480, 480, 480, 0, 0]


def test_ranges_that_reach_over_both_ends_cover_every_day_asked_for() -> None:
    off = TimeOff(person="ann", first_day=day(-90), last_day=day(90), minutes_per_day=80)
    assert week(firm((person("ann"),), time_off=(off,))) == [400, 400, 400, 400, 400, 0, 0]


def test_overtime_adds_the_minutes_of_each_weekday_to_everybody() -> None:
    period = Overtime(first_day=day(1), last_day=day(5), extra_min=(10, 20, 30, 40, 50, 60, 70))
    one = firm((person("ann"), person("ben", level="manager")), overtime=(period,))
    assert week(one) == [480, 500, 510, 520, 530, 60, 0]
    assert capacity_min(one, [day(1)]).tolist() == [[500], [500]]


def test_overtime_may_name_people() -> None:
    period = Overtime(first_day=day(0), last_day=day(6), extra_min=MORE, people=("ben",))
    one = firm((person("ann"), person("ben")), overtime=(period,))
    assert capacity_min(one, [MONDAY]).tolist() == [[480], [540]]


def test_overtime_may_name_levels() -> None:
    period = Overtime(first_day=day(0), last_day=day(6), extra_min=MORE, levels=("senior", "manager"))
    one = firm((person("ann"), person("ben", level="senior"), person("cat", level="manager")), overtime=(period,))
    assert capacity_min(one, [MONDAY]).tolist() == [[480], [540], [540]]


def test_overtime_that_names_people_and_levels_asks_for_both() -> None:
    period = Overtime(first_day=day(0), last_day=day(6), extra_min=MORE, people=("ann", "ben"), levels=("senior",))
    one = firm((person("ann"), person("ben", level="senior"), person("cat", level="senior")), overtime=(period,))
    assert capacity_min(one, [MONDAY]).tolist() == [[480], [540], [480]]


def test_periods_of_overtime_add_up() -> None:
    period = Overtime(first_day=day(0), last_day=day(0), extra_min=MORE)
    assert minutes(firm((person("ann"),), overtime=(period, period)), MONDAY) == [600]


def test_no_overtime_makes_a_day_longer_than_a_day() -> None:
    period = Overtime(first_day=day(0), last_day=day(0), extra_min=(1_440,) * 7)
    booking = Booking(person="ann", first_day=day(0), last_day=day(0), minutes_per_day=40)
    assert minutes(firm((person("ann"),), overtime=(period, period)), MONDAY) == [1_440]
    assert minutes(firm((person("ann"),), overtime=(period,), bookings=(booking,)), MONDAY) == [1_400]


def test_there_is_no_overtime_on_holidays() -> None:
    period = Overtime(first_day=date(2027, 5, 1), last_day=date(2027, 6, 30), extra_min=MORE)
    one = firm((person("ann"),), holiday_calendar=US, overtime=(period,))
    assert minutes(one, date(2027, 5, 31), date(2027, 6, 1)) == [0, 540]


def test_there_is_no_overtime_on_whole_days_off() -> None:
    period = Overtime(first_day=day(0), last_day=day(6), extra_min=(1_440,) * 7)
    off = TimeOff(person="ann", first_day=day(1), last_day=day(1))
    assert minutes(firm((person("ann"),), overtime=(period,), time_off=(off,)), day(0), day(1)) == [1_440, 0]


def test_part_of_a_day_off_leaves_the_overtime_of_that_day() -> None:
    period = Overtime(first_day=day(0), last_day=day(6), extra_min=MORE)
    off = TimeOff(person="ann", first_day=day(1), last_day=day(1), minutes_per_day=500)
    assert minutes(firm((person("ann"),), overtime=(period,), time_off=(off,)), day(1)) == [40]


def test_there_is_no_overtime_outside_employment() -> None:
    period = Overtime(first_day=day(0), last_day=day(6), extra_min=MORE)
    one = firm((person("ann", start_date=day(1), leave_date=day(3)),), overtime=(period,))
    assert week(one) == [0, 540, 540, 540, 0, 0, 0]


def test_work_starts_on_the_start_date_and_ends_after_the_leave_date() -> None:
    assert week(firm((person("ann", start_date=day(2), leave_date=day(3)),))) == [0, 0, 480, 480, 0, 0, 0]
    assert week(firm((person("ann", start_date=day(2)),))) == [0, 0, 480, 480, 480, 0, 0]
    assert week(firm((person("ann", leave_date=day(2)),))) == [480, 480, 480, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("clock", "passed"),
    [
        (time(0, 0), 0),
        (time(8, 59), 0),
        (time(9, 0), 0),
        (time(9, 1), 1),
        (time(13, 0), 240),
        (time(16, 59, 59), 479),
        (time(17, 0), 480),
        (time(23, 59), 480),
    ],
)
def test_the_share_of_the_day_that_has_passed_runs_from_workday_start_to_end(clock: time, passed: int) -> None:
    assert elapsed_share(firm(), clock) == (passed, 480)


def test_the_workday_is_as_long_as_the_firm_says() -> None:
    one = firm(workday_start=time(8, 30), workday_end=time(16, 45))
    assert elapsed_share(one, time(9, 0)) == (30, 495)


@pytest.mark.parametrize(
    ("clock", "left"), [(time(0), 480), (time(9), 480), (time(10, 30), 390), (time(16, 59), 1), (time(17), 0)]
)
def test_of_today_only_the_part_after_now_counts(clock: time, left: int) -> None:
    assert left_of(firm((person("ann"),)), datetime.combine(MONDAY, clock)) == left


@pytest.mark.parametrize(("clock", "left"), [(time(9), 100), (time(9, 4), 100), (time(9, 5), 99), (time(13), 50)])
def test_what_has_passed_of_today_is_rounded_down(clock: time, left: int) -> None:
    assert left_of(firm((person("ann", weekly_min=(100,) * 7),)), datetime.combine(MONDAY, clock)) == left


def test_a_part_timer_works_evenly_between_workday_start_and_end() -> None:
    assert left_of(firm((person("ann", weekly_min=(240,) * 7),)), datetime(2027, 3, 1, 15, 0)) == 60


def test_time_off_today_is_spread_evenly_too() -> None:
    off = TimeOff(person="ann", first_day=day(0), last_day=day(0), minutes_per_day=240)
    assert left_of(firm((person("ann"),), time_off=(off,)), datetime(2027, 3, 1, 13, 0)) == 120


def test_overtime_today_is_spread_evenly_too() -> None:
    period = Overtime(first_day=day(0), last_day=day(0), extra_min=(120,) * 7)
    assert left_of(firm((person("ann"),), overtime=(period,)), datetime(2027, 3, 1, 13, 0)) == 300


def test_the_next_day_is_whole_whatever_the_time_is_now() -> None:
    _, open_min = build_axis(firm((person("ann"),)), datetime(2027, 3, 1, 16, 0))
    assert open_min[0, :2].tolist() == [60, 480]


FIRST = date(2027, 12, 20)
DAYS = 16
OFFSETS = st.integers(-4, DAYS + 3)
WEEKS = st.tuples(*[st.sampled_from((0, 1, 60, 100, 240, 480, 1_440))] * 7)


def dates(offset: int) -> date:
    return FIRST + timedelta(days=offset)


@st.composite
def spans(draw: st.DrawFn) -> dict[str, object]:
    first, last = sorted((draw(OFFSETS), draw(OFFSETS)))
    return {"first_day": dates(first), "last_day": dates(last)}


@st.composite
def people(draw: st.DrawFn, id: str) -> Person:
    start, leave = sorted((draw(OFFSETS), draw(OFFSETS)))
    return person(
        id,
        level=draw(st.sampled_from(("associate", "senior"))),
        weekly_min=draw(WEEKS),
        start_date=draw(st.sampled_from((None, dates(start)))),
        leave_date=draw(st.sampled_from((None, dates(leave)))),
    )


def ranges(kind: type[DayRange], **fields: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    one = st.builds(lambda span, more: kind.model_validate(span | more), spans(), st.fixed_dictionaries(fields))
    return st.lists(one, max_size=3).map(tuple)


@st.composite
def firms(draw: st.DrawFn) -> Firm:
    staff = [draw(people(id)) for id in ("ann", "ben")]
    who = st.sampled_from(("ann", "ben"))
    some_days = st.lists(OFFSETS.map(dates), max_size=3).map(tuple)
    start = draw(st.sampled_from((time(0), time(8, 30), time(9))))
    return firm(
        tuple(staff),
        holiday_calendar=HolidayCalendar(
            country=draw(st.sampled_from((None, "US", "DE"))), extra=draw(some_days), worked=draw(some_days)
        ),
        workday_start=start,
        workday_end=draw(st.sampled_from((time(16, 45), time(17), time(23, 59)))),
        time_off=draw(ranges(TimeOff, person=who, minutes_per_day=st.sampled_from((None, 0, 61, 240, 1_440)))),
        bookings=draw(ranges(Booking, person=who, minutes_per_day=st.sampled_from((0, 45, 480, 1_440)))),
        overtime=draw(
            ranges(
                Overtime,
                extra_min=WEEKS,
                people=st.sampled_from(((), ("ann",), ("ann", "ben"))),
                levels=st.sampled_from(((), ("senior",), ("manager", "associate"))),
            )
        ),
    )


@given(firms(), st.integers(0, DAYS), st.integers(0, DAYS))
@settings(deadline=None, max_examples=250)
def test_whole_days_agree_with_the_oracle(one: Firm, first: int, last: int) -> None:
    days = day_list(dates(min(first, last)), dates(max(first, last)))
    expected = [[whole_day_min(one, who.id, when) for when in days] for who in one.people]
    assert capacity_min(one, days).tolist() == expected


@given(firms(), st.integers(0, DAYS), st.times())
@settings(deadline=None, max_examples=150)
def test_every_day_seen_from_now_agrees_with_the_oracle(one: Firm, today: int, clock: time) -> None:
    now = datetime.combine(dates(today), clock)
    axis, open_min = build_axis(one, now)
    for p, who in enumerate(one.people):
        found = dict.fromkeys(day_list(axis.first_day, axis.last_day), 0)
        for s, when in enumerate(axis.days):
            found[when] += int(open_min[p, s])
        assert found == {when: open_day_min(one, who.id, when, now) for when in found}


@given(firms(), st.times())
@settings(deadline=None, max_examples=100)
def test_the_share_that_has_passed_agrees_with_the_oracle(one: Firm, clock: time) -> None:
    assert elapsed_share(one, clock) == (working_minute(one, clock), working_day_min(one))
