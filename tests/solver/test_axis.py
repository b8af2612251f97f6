from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.axis import LONGEST_HORIZON_DAYS, Axis, build_axis
from solver.firm import Firm, HolidayCalendar, Status, Task, TimeOff
from solver.policy import Policy
from tests.firms_for_tests import MONDAY, NOW, day, firm, person, task
from tests.oracle import due_minute, stretch_min, working_day_min, working_minute

SHORT = Policy(horizon_days=7, late_tail_days=1)
NOON = time(12, 0)


def axis_of(*tasks: Task, now: datetime = NOW, also: tuple[Task, ...] = (), **more: object) -> Axis:
    """Return the axis of a firm of one person with a short horizon."""
    return build_axis(firm((person("ann"),), tasks, **({"policy": SHORT} | more)), now, also)[0]


def minutes_of(*tasks: Task, now: datetime = NOW, **more: object) -> list[tuple[date, int]]:
    """Return the day and the minutes of each slot of a firm of one person with a short horizon."""
    axis, open_min = build_axis(firm((person("ann"),), tasks, **({"policy": SHORT} | more)), now)
    return [(when, int(value)) for when, value in zip(axis.days, open_min[0], strict=True)]


def test_each_working_day_is_one_slot() -> None:
    whole = [(day(i), 480) for i in (0, 1, 2, 3, 4, 7, 8)]
    assert minutes_of() == whole


def test_days_on_which_nobody_has_a_minute_are_left_out() -> None:
    off = TimeOff(person="ann", first_day=day(1), last_day=day(2))
    closed = HolidayCalendar(country=None, extra=(day(3),))
    assert [when for when, _ in minutes_of(time_off=(off,), holiday_calendar=closed)] == [
        day(0),
        day(4),
        day(7),
        day(8),
    ]


def test_a_day_is_kept_when_one_person_has_one_minute() -> None:
    one = firm((person("ann"), person("ben", weekly_min=(0, 0, 0, 0, 0, 1, 0))), policy=SHORT)
    axis, open_min = build_axis(one, NOW)
    assert day(5) in axis.days
    assert open_min[:, axis.days.index(day(5))].tolist() == [0, 1]


def test_the_axis_starts_today_and_ends_with_the_late_tail() -> None:
    axis = axis_of(policy=Policy(horizon_days=10, late_tail_days=5))
    assert (axis.first_day, axis.last_day) == (day(0), day(15))


def test_a_later_deadline_lengthens_the_axis() -> None:
    assert axis_of(task("a", due=30)).last_day == day(31)
    assert axis_of(also=(task("a", due=40),)).last_day == day(41)


def test_finished_work_does_not_lengthen_or_cut_the_axis() -> None:
    done = task("a", due=60, status=Status.DONE, deadline_time=NOON)
    cancelled = task("b", due=1, status=Status.CANCELLED, deadline_time=NOON)
    assert axis_of(done, cancelled, also=(done,)) == axis_of()


def test_no_deadline_makes_the_axis_longer_than_two_years_and_the_tail() -> None:
    axis = axis_of(task("a", due=4_000))
    assert axis.last_day == MONDAY + timedelta(days=LONGEST_HORIZON_DAYS + 1)
    assert axis.due_slot(day(4_000)) == axis.count - 1


def test_a_firm_without_people_has_no_slots() -> None:
    axis, open_min = build_axis(firm(policy=SHORT), NOW)
    assert axis.count == 0
    assert open_min.shape == (0, 0)
    assert (axis.due_slot(day(3)), axis.release_slot(None), axis.release_slot(day(3))) == (-1, 0, 0)
    assert axis.week_end_slots() == ()
    assert axis.day_of(0) is None


def test_a_firm_in_which_nobody_works_has_no_slots() -> None:
    axis, open_min = build_axis(firm((person("ann", weekly_min=(0,) * 7),), policy=SHORT), NOW)
    assert axis.count == 0
    assert open_min.shape == (1, 0)


def test_today_is_cut_off_at_now() -> None:
    assert minutes_of(now=datetime(2027, 3, 1, 15, 30))[:2] == [(day(0), 90), (day(1), 480)]


def test_today_is_left_out_after_the_end_of_the_day() -> None:
    assert minutes_of(now=datetime(2027, 3, 1, 17, 0))[0] == (day(1), 480)


def test_a_timed_deadline_cuts_its_day_and_no_other() -> None:
    assert minutes_of(task("a", due=1, deadline_time=NOON))[:4] == [
        (day(0), 480),
        (day(1), 180),
        (day(1), 300),
        (day(2), 480),
    ]


def test_an_arrival_cuts_its_day_as_well() -> None:
    axis = axis_of(also=(task("a", due=1, deadline_time=NOON),))
    assert (axis.days[:4], axis.ends[:4]) == ((day(0), day(1), day(1), day(2)), (480, 180, 480, 480))


@pytest.mark.parametrize(("clock", "first_min"), [(time(12, 0), 180), (time(12, 59), 180), (time(10, 0), 60)])
def test_a_day_is_cut_at_the_full_hour_before_the_deadline(clock: time, first_min: int) -> None:
    assert minutes_of(task("a", due=1, deadline_time=clock))[1:3] == [(day(1), first_min), (day(1), 480 - first_min)]


@pytest.mark.parametrize("clock", [time(0, 0), time(9, 0), time(9, 59), time(17, 0), time(23, 59)])
def test_a_deadline_in_the_first_hour_or_outside_the_day_cuts_nothing(clock: time) -> None:
    assert minutes_of(task("a", due=1, deadline_time=clock)) == minutes_of()


@pytest.mark.parametrize(
    ("clock", "passed"), [(time(9, 29), 0), (time(10, 15), 60), (time(16, 44), 480), (time(16, 45), 0)]
)
def test_hours_are_counted_from_the_start_of_the_workday(clock: time, passed: int) -> None:
    axis = axis_of(task("a", due=1, deadline_time=clock), workday_start=time(8, 30), workday_end=time(16, 45))
    assert [axis.ends[s] for s in range(axis.count) if axis.days[s] == day(1)] == ([passed, 495] if passed else [495])


def test_two_deadlines_in_the_same_hour_are_one_cut() -> None:
    axis = axis_of(task("a", due=1, deadline_time=NOON), task("b", due=1, deadline_time=time(12, 30)))
    assert axis.days.count(day(1)) == 2


def test_two_deadlines_in_different_hours_are_two_cuts() -> None:
    tasks = (task("a", due=1, deadline_time=time(15, 0)), task("b", due=1, deadline_time=time(11, 0)))
    assert minutes_of(*tasks)[1:4] == [(day(1), 120), (day(1), 240), (day(1), 120)]


def test_the_parts_of_a_day_add_up_to_the_day_whatever_the_rounding() -> None:
    tasks = tuple(task(f"t{hour}", due=1, deadline_time=time(hour, 0)) for hour in range(10, 17))
    one = firm((person("ann", weekly_min=(101,) * 7), person("ben", weekly_min=(7,) * 7)), tasks, policy=SHORT)
    axis, open_min = build_axis(one, NOW)
    on_day = [s for s in range(axis.count) if axis.days[s] == day(1)]
    assert open_min[:, on_day].sum(axis=1).tolist() == [101, 7]
    assert open_min[:, on_day].tolist() == [[12, 13, 12, 13, 13, 12, 13, 13], [0, 1, 1, 1, 1, 1, 1, 1]]


def test_today_can_be_cut_after_now_but_not_before() -> None:
    morning, afternoon = task("a", due=0, deadline_time=time(11, 0)), task("b", due=0, deadline_time=time(15, 0))
    assert minutes_of(morning, afternoon, now=datetime(2027, 3, 1, 11, 30))[:3] == [
        (day(0), 210),
        (day(0), 120),
        (day(1), 480),
    ]


def test_a_deadline_that_is_now_leaves_no_slot() -> None:
    noon = task("a", due=0, deadline_time=NOON)
    axis = axis_of(noon, now=datetime(2027, 3, 1, 12, 0))
    assert axis.due_slot(noon.deadline, noon.deadline_time) == -1


def test_a_cut_day_is_shared_out_by_the_floor_rule() -> None:
    one = firm((person("ann"),), (task("a", due=1, deadline_time=time(10, 15)),), policy=SHORT)
    short = one.model_copy(update={"workday_start": time(8, 30), "workday_end": time(16, 45)})
    assert build_axis(short, NOW)[1][0, 1:3].tolist() == [480 * 60 // 495, 480 - 480 * 60 // 495]


def test_the_due_slot_is_the_last_slot_of_the_day() -> None:
    axis = axis_of(task("a", due=1, deadline_time=NOON))
    assert [axis.due_slot(day(i)) for i in range(5)] == [0, 2, 3, 4, 5]


def test_a_timed_deadline_is_due_at_its_cut() -> None:
    axis = axis_of(task("a", due=1, deadline_time=NOON))
    found = [axis.due_slot(day(1), clock) for clock in (time(8), time(11, 59), NOON, time(16, 59), time(17))]
    assert found == [0, 0, 1, 1, 2]


def test_a_timed_deadline_without_a_cut_is_rounded_down_and_never_up() -> None:
    assert axis_of().due_slot(day(1), NOON) == 0


def test_a_deadline_on_a_day_without_work_falls_to_the_last_slot_before() -> None:
    axis = axis_of(holiday_calendar=HolidayCalendar(country=None, extra=(day(3),)))
    assert axis.due_slot(day(3)) == axis.due_slot(day(2)) == 2
    assert axis.due_slot(day(6)) == axis.due_slot(day(4)) == 3
    assert axis.due_slot(day(3), NOON) == 2


def test_a_deadline_before_the_first_slot_has_no_due_slot() -> None:
    axis = axis_of(now=datetime(2027, 3, 6, 9, 0))
    assert axis.days[0] == day(7)
    assert [axis.due_slot(day(i)) for i in (-30, 4, 5, 6)] == [-1] * 4


def test_a_deadline_behind_the_axis_is_due_in_its_last_slot() -> None:
    axis = axis_of()
    assert axis.due_slot(day(500)) == axis.count - 1


def test_work_without_a_release_may_begin_at_once() -> None:
    axis = axis_of()
    assert (axis.release_slot(None), axis.release_slot(day(-20)), axis.release_slot(day(0))) == (0, 0, 0)


def test_a_release_falls_to_the_first_slot_of_its_day() -> None:
    axis = axis_of(task("a", due=1, deadline_time=NOON))
    assert [axis.release_slot(day(i)) for i in range(4)] == [0, 1, 3, 4]


def test_a_release_on_a_day_without_work_falls_to_the_first_slot_after() -> None:
    axis = axis_of(holiday_calendar=HolidayCalendar(country=None, extra=(day(3),)))
    assert axis.release_slot(day(3)) == axis.release_slot(day(4)) == 3
    assert axis.release_slot(day(5)) == axis.release_slot(day(7)) == 4


def test_a_release_behind_the_axis_has_the_slot_that_means_never() -> None:
    axis = axis_of()
    assert axis.release_slot(day(100)) == axis.count


def test_every_slot_has_its_day_and_there_is_none_beyond() -> None:
    axis = axis_of()
    assert [axis.day_of(s) for s in range(axis.count)] == list(axis.days)
    assert axis.day_of(axis.count) is None


def test_weeks_run_from_monday_to_sunday() -> None:
    one = firm((person("ann", weekly_min=(480,) * 7),), policy=SHORT)
    axis, _ = build_axis(one, datetime(2027, 3, 4, 9, 0))
    assert [axis.day_of(s) for s in axis.week_end_slots()] == [day(6), day(11)]


def test_a_week_ends_with_the_last_day_on_which_anybody_works() -> None:
    axis = axis_of()
    assert [axis.day_of(s) for s in axis.week_end_slots()] == [day(4), day(8)]


def test_the_week_end_is_the_last_part_of_a_day_that_is_cut() -> None:
    axis = axis_of(task("a", due=4, deadline_time=NOON))
    assert axis.week_end_slots() == (5, 7)


def test_the_turn_of_the_year_does_not_end_a_week() -> None:
    axis = axis_of(now=datetime(2026, 12, 28, 9, 0))
    assert [axis.day_of(s) for s in axis.week_end_slots()] == [date(2027, 1, 1), date(2027, 1, 5)]


def test_the_same_week_of_two_years_is_two_weeks() -> None:
    off = TimeOff(person="ann", first_day=day(1), last_day=day(363))
    axis = axis_of(task("a", due=364), time_off=(off,))
    assert [axis.day_of(s) for s in axis.week_end_slots()] == [day(0), day(365)]


@pytest.mark.parametrize("clock", [None, time(8, 0), time(9, 30), NOON, time(12, 30), time(17, 0), time(20, 0)])
def test_a_board_compiled_with_a_task_has_its_cut(clock: time | None) -> None:
    one = task("a", due=1, deadline_time=clock)
    assert axis_of(one).has_cut(one)


@pytest.mark.parametrize("due", [-1, 5])
def test_a_time_on_a_day_off_the_axis_loses_nothing(due: int) -> None:
    assert axis_of().has_cut(task("a", due=due, deadline_time=NOON))


def test_a_time_before_now_loses_nothing() -> None:
    assert axis_of(now=datetime(2027, 3, 1, 14, 0)).has_cut(task("a", due=0, deadline_time=NOON))


def test_a_board_with_a_later_cut_on_the_day_lacks_an_earlier_one() -> None:
    axis = axis_of(task("a", due=1, deadline_time=time(15, 0)))
    assert not axis.has_cut(task("b", due=1, deadline_time=NOON))


def test_a_board_with_an_earlier_cut_on_the_day_lacks_a_later_one() -> None:
    axis = axis_of(task("a", due=1, deadline_time=NOON))
    assert not axis.has_cut(task("b", due=1, deadline_time=time(15, 0)))


def test_a_board_without_any_cut_on_the_day_lacks_the_one_at_noon() -> None:
    axis = axis_of()
    noon = task("a", due=1, deadline_time=NOON)
    assert axis.due_slot(noon.deadline, noon.deadline_time) == 0
    assert not axis.has_cut(noon)


OFFSETS = st.integers(-2, 12)


@st.composite
def cut_firms(draw: st.DrawFn) -> Firm:
    """Draw two people and some work with timed deadlines and releases."""
    starts = st.sampled_from((time(8, 30), time(9, 0)))
    clocks = st.one_of(st.none(), st.times(), st.sampled_from((NOON, time(15, 0), time(17, 0))))
    tasks = []
    for i in range(draw(st.integers(0, 5))):
        release, due = sorted((draw(OFFSETS), draw(OFFSETS)))
        tasks.append(task(f"t{i}", due=due, release=day(release), deadline_time=draw(clocks)))
    closed = draw(st.lists(OFFSETS.map(day), max_size=3).map(tuple))
    one: Firm = firm(
        (person("ann"), person("ben", weekly_min=draw(st.sampled_from(((101, 7, 0, 480, 1, 0, 0), (0,) * 7))))),
        tuple(tasks),
        policy=SHORT,
        workday_start=draw(starts),
        workday_end=draw(st.sampled_from((time(16, 45), time(17, 0)))),
        holiday_calendar=HolidayCalendar(country=None, extra=closed),
    )
    return one


NOWS = st.builds(datetime.combine, st.integers(-1, 3).map(day), st.times())


@given(cut_firms(), NOWS)
@settings(deadline=None, max_examples=300)
def test_slots_up_to_a_deadline_hold_the_minutes_up_to_it(one: Firm, now: datetime) -> None:
    axis, open_min = build_axis(one, now)
    for work in one.tasks:
        due = axis.due_slot(work.deadline, work.deadline_time)
        for p, who in enumerate(one.people):
            expected = minutes_between(one, who.id, now.date(), work.deadline, work.deadline_time, now)
            assert int(open_min[p, : due + 1].sum()) == expected


@given(cut_firms(), NOWS)
@settings(deadline=None, max_examples=300)
def test_slots_from_release_to_deadline_hold_the_minutes_between(one: Firm, now: datetime) -> None:
    axis, open_min = build_axis(one, now)
    for work in one.tasks:
        assert work.release is not None
        first, due = axis.release_slot(work.release), axis.due_slot(work.deadline, work.deadline_time)
        start = max(work.release, now.date())
        for p, who in enumerate(one.people):
            expected = minutes_between(one, who.id, start, work.deadline, work.deadline_time, now)
            assert int(open_min[p, first : due + 1].sum()) == expected


@given(cut_firms(), NOWS)
@settings(deadline=None, max_examples=200)
def test_cuts_change_nothing_for_work_without_a_time(one: Firm, now: datetime) -> None:
    whole = one.model_copy(
        update={"tasks": tuple(work.model_copy(update={"deadline_time": None}) for work in one.tasks)}
    )
    (fine, fine_min), (coarse, coarse_min) = build_axis(one, now), build_axis(whole, now)
    for offset in range(-2, 13):
        before = [fine_min[:, : fine.due_slot(day(offset)) + 1], coarse_min[:, : coarse.due_slot(day(offset)) + 1]]
        assert before[0].sum(axis=1).tolist() == before[1].sum(axis=1).tolist()
        after = [fine_min[:, fine.release_slot(day(offset)) :], coarse_min[:, coarse.release_slot(day(offset)) :]]
        assert after[0].sum(axis=1).tolist() == after[1].sum(axis=1).tolist()


@given(cut_firms(), NOWS)
@settings(deadline=None, max_examples=100)
def test_slots_are_in_order_and_none_is_empty(one: Firm, now: datetime) -> None:
    axis, open_min = build_axis(one, now)
    assert list(axis.keys) == sorted(set(axis.keys)) == list(zip(axis.days, axis.ends, strict=True))
    assert open_min.shape == (2, axis.count)
    assert (open_min >= 0).all()
    assert open_min.any(axis=0).all()


@given(cut_firms(), NOWS, st.integers(-2, 9), st.times())
@settings(deadline=None, max_examples=200)
def test_an_axis_built_with_an_arrival_always_has_its_cut(one: Firm, now: datetime, due: int, clock: time) -> None:
    arrival = task("new", due=due, deadline_time=clock)
    assert build_axis(one, now, [arrival])[0].has_cut(arrival)


@given(cut_firms(), NOWS, st.integers(0, 7), st.times())
@settings(deadline=None, max_examples=300)
def test_a_board_on_which_an_arrival_loses_minutes_to_rounding_lacks_its_cut(
    one: Firm, now: datetime, due: int, clock: time
) -> None:
    axis, open_min = build_axis(one, now)
    arrival = task("new", due=due, deadline_time=clock)
    slot = axis.due_slot(arrival.deadline, arrival.deadline_time)
    lost = any(
        minutes_between(one, who.id, now.date(), arrival.deadline, clock, now) > int(open_min[p, : slot + 1].sum())
        for p, who in enumerate(one.people)
    )
    if lost:
        assert not axis.has_cut(arrival)


def minutes_between(one: Firm, who: str, first: date, last: date, last_time: time | None, now: datetime) -> int:
    """Return what the oracle counts from the start of ``first``, or from now, to a deadline."""
    total, length = 0, working_day_min(one)
    for i in range((last - first).days + 1):
        when = first + timedelta(days=i)
        start = working_minute(one, now.time()) if when == now.date() else 0
        end = due_minute(one, last_time) if when == last else length
        if when >= now.date() and end > start:
            total += stretch_min(one, who, when, start, end)
    return total
