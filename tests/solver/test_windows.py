from __future__ import annotations

import random
from datetime import datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.axis import Axis, build_axis
from solver.firm import Firm, HolidayCalendar, Priority, Status, Task, TimeOff
from solver.policy import Policy, Weights
from solver.windows import (
    BEYOND_HORIZON_DAYS,
    Span,
    Window,
    days_late,
    graded_windows,
    late_price_min,
    plain_span,
)
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task

THREE_WEEKS = Policy(horizon_days=14, late_tail_days=7)
"""Slots 0 to 4, 5 to 9 and 10 to 14 are the working days of three weeks, 15 is the last Monday."""
PRICES = Weights(late_start=30, late_day=2)


def axis_of(*tasks: Task, now: datetime = NOW, **more: object) -> Axis:
    """Return the axis of a firm of one person over three weeks."""
    return build_axis(firm((person("ann"),), tasks, **({"policy": THREE_WEEKS} | more)), now)[0]


def windows_of(*tasks: Task, now: datetime = NOW, **more: object) -> list[tuple[Window, ...]]:
    """Return the windows of some tasks of an hour or as long as they say, over three weeks."""
    remaining = {one.id: one.estimate_min or 60 for one in tasks}
    return list(graded_windows(axis_of(*tasks, now=now, **more), tasks, remaining, PRICES))


def on_time(windows: tuple[Window, ...]) -> list[tuple[int, int]]:
    return [(window.release, window.due) for window in windows if window.on_time]


def late(windows: tuple[Window, ...]) -> list[tuple[int, int]]:
    """Return the late windows that end within the three weeks."""
    return [(window.release, window.due) for window in windows if not window.on_time and window.due < 16]


def per_minute(days: int) -> int:
    """Return the price of an hour of normal work that many days late."""
    return (30 + 2 * days) * 2 * 60


def test_work_without_release_may_be_done_from_now_to_its_deadline() -> None:
    assert on_time(windows_of(task("a", hours=1, due=4))[0]) == [(0, 4)]


def test_work_released_later_starts_there() -> None:
    assert on_time(windows_of(task("a", hours=1, due=4, release=day(2)))[0]) == [(2, 4)]


def test_late_windows_are_single_days_first_and_coarser_later() -> None:
    assert late(windows_of(task("a", hours=1, due=4))[0]) == [(0, 5), (0, 6), (0, 7), (0, 9), (0, 12)]


def test_each_late_window_costs_the_calendar_days_from_deadline_to_its_last_day() -> None:
    windows = windows_of(task("a", hours=1, due=4))[0]
    assert [window.price_min for window in windows] == [
        0,
        per_minute(3),
        per_minute(4),
        per_minute(5),
        per_minute(7),
        per_minute(12),
        per_minute(21 + BEYOND_HORIZON_DAYS - 4),
    ]


def test_there_is_always_a_last_window_not_within_the_horizon() -> None:
    for due in (-30, 0, 4, 14):
        assert windows_of(task("a", hours=1, due=due))[0][-1][:2] == (16, 16)


def test_a_deadline_that_has_passed_leaves_late_windows_only() -> None:
    windows = windows_of(task("a", hours=1, due=-3))[0]
    assert on_time(windows) == []
    assert late(windows) == [(0, 0), (0, 1), (0, 2), (0, 4), (0, 7), (0, 11)]
    assert [window.price_min for window in windows[:5]] == [per_minute(days) for days in (3, 4, 5, 7, 12)]


def test_work_due_today_is_on_time_today() -> None:
    windows = windows_of(task("a", hours=1, due=0))[0]
    assert windows[:2] == (Window(0, 0, 0), Window(0, 1, per_minute(1)))


def test_work_due_today_is_late_once_the_day_is_over() -> None:
    windows = windows_of(task("a", hours=1, due=0), now=datetime(2027, 3, 1, 17, 0))[0]
    assert windows[0] == Window(0, 0, per_minute(1))


def test_a_timed_deadline_is_on_time_up_to_its_hour() -> None:
    assert on_time(windows_of(task("a", hours=1, due=1, deadline_time=time(12, 0)))[0]) == [(0, 1)]


def test_the_afternoon_after_a_deadline_at_noon_is_late_by_no_day() -> None:
    windows = windows_of(task("a", hours=1, due=1, deadline_time=time(12, 0)))[0]
    assert windows[1:3] == (Window(0, 2, per_minute(0)), Window(0, 3, per_minute(1)))


def test_a_timed_deadline_of_this_morning_is_late_in_the_afternoon() -> None:
    windows = windows_of(task("a", hours=1, due=0, deadline_time=time(11, 0)), now=datetime(2027, 3, 1, 13, 0))[0]
    assert windows[0] == Window(0, 0, per_minute(0))


def test_a_deadline_on_a_holiday_falls_to_the_day_before() -> None:
    closed = HolidayCalendar(country=None, extra=(day(3),))
    windows = windows_of(task("a", hours=1, due=3), holiday_calendar=closed)[0]
    assert windows[:2] == (Window(0, 2, 0), Window(0, 3, per_minute(1)))


def test_a_deadline_on_a_saturday_is_missed_by_two_days_on_monday() -> None:
    windows = windows_of(task("a", hours=1, due=5))[0]
    assert windows[:2] == (Window(0, 4, 0), Window(0, 5, per_minute(2)))


def test_work_released_and_due_on_a_weekend_is_late_on_monday() -> None:
    windows = windows_of(task("a", hours=1, due=6, release=day(5)))[0]
    assert windows[0] == Window(5, 5, per_minute(1))
    assert on_time(windows) == []


def test_late_windows_of_work_released_later_start_at_the_release() -> None:
    assert late(windows_of(task("a", hours=1, due=8, release=day(8)))[0])[:2] == [(6, 7), (6, 8)]


def test_longer_and_more_important_work_costs_more_when_late() -> None:
    assert late_price_min(PRICES, task("a"), 100, 3) == 36 * 2 * 100
    prices = [late_price_min(PRICES, task("a", priority=one), 100, 3) for one in Priority]
    assert prices == [36 * factor * 100 for factor in (1, 2, 4, 8)]


def test_late_work_is_never_free() -> None:
    free = Weights(late_start=0, late_day=0)
    assert late_price_min(free, task("a"), 100, 3) == 1
    one = task("a", hours=1, due=-3)
    assert on_time(graded_windows(axis_of(one), (one,), {"a": 60}, free)[0]) == []


def test_days_late_are_calendar_days_and_never_negative() -> None:
    axis, one = axis_of(), task("a", due=4)
    assert [days_late(axis, one, slot) for slot in (0, 4, 5, 9, 10, 15)] == [0, 0, 3, 7, 10, 17]


def test_beyond_the_horizon_is_a_month_behind_its_end() -> None:
    assert days_late(axis_of(), task("a", due=4), 16) == 21 + 30 - 4


def test_the_plain_span_runs_from_release_to_deadline() -> None:
    axis = axis_of()
    assert plain_span(axis, task("a", due=8)) == Span(0, 6)
    assert plain_span(axis, task("a", due=8, release=day(3))) == Span(3, 6)
    assert plain_span(axis, task("a", due=-1)) == Span(0, -1)


def test_a_deadline_behind_the_horizon_is_on_time_beyond_it() -> None:
    far = task("a", hours=1, due=4_000)
    axis = axis_of(far)
    windows = graded_windows(axis, (far,), {"a": 60}, PRICES)[0]
    assert windows == (Window(0, axis.count - 1, 0), Window(axis.count, axis.count, 0))


def test_work_due_within_the_horizon_is_never_on_time_beyond_it() -> None:
    away = TimeOff(person="ann", first_day=day(5), last_day=day(500))
    one = task("a", hours=1, due=12, release=day(8))
    assert on_time(windows_of(one, time_off=(away,))[0]) == []


def test_without_a_day_of_work_everything_is_beyond_the_horizon_and_late() -> None:
    away = TimeOff(person="ann", first_day=day(0), last_day=day(500))
    windows = windows_of(task("a", hours=1, due=4), task("b", hours=1, due=-2), time_off=(away,))
    assert [[window[:2] for window in one] for one in windows] == [[(0, 0)], [(0, 0)]]
    assert [one[0].price_min for one in windows] == [per_minute(47), per_minute(53)]


def test_no_tasks_have_no_windows() -> None:
    assert windows_of() == []


def test_a_preparation_may_leave_its_review_half_the_time_or_one_day() -> None:
    preparation, review = windows_of(task("a", hours=2, due=8), task("b", hours=2, due=8, reviews="a"))
    assert on_time(preparation) == [(0, 3), (0, 5), (0, 6)]
    assert on_time(review) == [(4, 6), (6, 6)]


def test_the_time_is_split_in_proportion_to_the_work() -> None:
    preparation, _ = windows_of(task("a", hours=1, due=8), task("b", hours=5, due=8, reviews="a"))
    assert on_time(preparation) == [(0, 1), (0, 5), (0, 6)]


def test_a_preparation_due_well_before_its_review_keeps_its_deadline() -> None:
    preparation, review = windows_of(task("a", hours=1, due=2), task("b", hours=1, due=8, reviews="a"))
    assert on_time(preparation) == [(0, 2)]
    assert on_time(review) == [(3, 6), (4, 6), (5, 6), (6, 6)]


def test_a_review_is_released_after_its_preparation_and_after_its_own_release() -> None:
    _, review = windows_of(task("a", hours=1, due=1), task("b", hours=1, due=8, release=day(4), reviews="a"))
    assert on_time(review) == [(4, 6), (5, 6)]


def test_a_review_may_wait_for_a_late_preparation() -> None:
    preparation, review = windows_of(task("a", hours=1, due=-3), task("b", hours=1, due=4, reviews="a"))
    assert late(preparation) == [(0, 0), (0, 1), (0, 2), (0, 4), (0, 7), (0, 11)]
    assert on_time(review) == [(1, 4), (2, 4), (3, 4)]
    assert {release for release, _ in late(review)} == {1, 2, 3, 5, 8, 12}


def test_a_preparation_that_leaves_its_review_no_day_keeps_its_own_deadline_and_the_review_is_late() -> None:
    preparation, review = windows_of(task("a", hours=1, due=4, release=day(4)), task("b", hours=1, due=4, reviews="a"))
    assert on_time(preparation) == [(4, 4)]
    assert on_time(review) == []
    assert review[0] == Window(5, 5, per_minute(3))


def test_the_late_days_of_a_review_are_counted_from_the_day_it_can_start() -> None:
    _, review = windows_of(task("a", hours=1, due=8, release=day(8)), task("b", hours=1, due=4, reviews="a"))
    assert [due for release, due in late(review) if release == 7] == [7, 8, 9, 11, 14]


def test_a_chain_minds_the_deadline_of_a_preparation_that_leaves_its_review_no_day() -> None:
    first, _, _ = windows_of(
        task("a", hours=1, due=4),
        task("b", hours=3, due=4, release=day(4), reviews="a"),
        task("c", hours=1, due=4, reviews="b"),
    )
    assert on_time(first) == [(0, 1), (0, 3), (0, 4)]


def test_the_review_of_work_that_never_ends_never_starts() -> None:
    away = TimeOff(person="ann", first_day=day(5), last_day=day(500))
    tasks = (task("a", hours=1, due=12, release=day(8)), task("b", hours=1, due=12, reviews="a"))
    _, review = windows_of(*tasks, time_off=(away,))
    assert [window[:2] for window in review] == [(5, 5)]
    assert review[0].price_min == per_minute(21 + 30 - 12)


def test_a_chain_of_reviews_leaves_each_of_them_a_day() -> None:
    chain = (
        task("a", hours=1, due=4),
        task("b", hours=1, due=4, reviews="a"),
        task("c", hours=1, due=4, reviews="b"),
    )
    first, second, third = windows_of(*chain)
    assert max(on_time(first)[:-1]) == (0, 2)
    assert (3, 3) in on_time(second)
    assert (4, 4) in on_time(third)


def test_a_preparation_with_two_reviews_minds_the_earlier_one() -> None:
    preparation, early, _ = windows_of(
        task("a", hours=1, due=9),
        task("b", hours=1, due=2, reviews="a"),
        task("c", hours=1, due=9, reviews="a"),
    )
    assert (0, 1) in on_time(preparation)
    assert (2, 2) in on_time(early)


def test_a_review_of_work_that_is_not_planned_waits_for_nothing() -> None:
    review = task("b", hours=1, due=4, reviews="a")
    one = firm((person("ann"),), (task("a", status=Status.DONE), review), policy=THREE_WEEKS)
    windows = graded_windows(build_axis(one, NOW)[0], (review,), {"b": 60}, PRICES)[0]
    assert on_time(windows) == [(0, 4)]


BACKLOGS = st.builds(random_firm, st.integers(0, 100_000), tasks=st.integers(1, 25))
NOWS = st.sampled_from((NOW, datetime(2027, 3, 3, 14, 20), datetime(2027, 3, 6, 12, 0), datetime(2027, 3, 12, 17, 30)))


def planned(one: Firm, now: datetime) -> tuple[Axis, tuple[Task, ...], list[tuple[Window, ...]]]:
    """Return axis, tasks and windows of everything in a firm that has an estimate."""
    tasks = tuple(work for work in one.tasks if work.open and work.estimate_min is not None)
    axis = build_axis(one, now)[0]
    return axis, tasks, list(graded_windows(axis, tasks, remaining_of(tasks), PRICES))


def remaining_of(tasks: tuple[Task, ...]) -> dict[str, int]:
    return {work.id: max((work.estimate_min or 0) - work.logged_min, 15) for work in tasks}


@given(BACKLOGS, NOWS)
@settings(deadline=None, max_examples=120)
def test_windows_are_cheapest_first_and_end_beyond_the_horizon(one: Firm, now: datetime) -> None:
    axis, _, windows = planned(one, now)
    for mine in windows:
        assert [window.price_min for window in mine] == sorted(window.price_min for window in mine)
        assert [window.due for window in mine] == sorted(window.due for window in mine)
        assert len(set(mine)) == len(mine)
        assert [window for window in mine if window.due >= axis.count] == [mine[-1]]


@given(BACKLOGS, NOWS)
@settings(deadline=None, max_examples=120)
def test_a_window_is_free_exactly_when_its_last_day_keeps_the_deadline(one: Firm, now: datetime) -> None:
    axis, tasks, windows = planned(one, now)
    for work, mine in zip(tasks, windows, strict=True):
        for window in mine[:-1]:
            last = axis.days[window.due]
            per_min = 0 if last <= work.deadline else 30 + 2 * (last - work.deadline).days
            assert window.price_min == per_min * work.priority.factor * remaining_of(tasks)[work.id]


@given(BACKLOGS, NOWS)
@settings(deadline=None, max_examples=120)
def test_no_window_starts_before_the_release_or_ends_before_it_starts(one: Firm, now: datetime) -> None:
    axis, tasks, windows = planned(one, now)
    for work, mine in zip(tasks, windows, strict=True):
        for window in mine[:-1]:
            assert 0 <= window.release <= window.due < axis.count
            assert work.release is None or axis.days[window.release] >= work.release


@given(BACKLOGS, NOWS)
@settings(deadline=None, max_examples=120)
def test_every_window_of_a_review_starts_right_after_one_of_its_preparation_or_at_its_release(
    one: Firm, now: datetime
) -> None:
    axis, tasks, windows = planned(one, now)
    of = {work.id: mine for work, mine in zip(tasks, windows, strict=True)}
    for work in tasks:
        if work.reviews in of:
            ends = [window.due for window in of[work.reviews][:-1]]
            for window in of[work.id][:-1]:
                assert any(end < window.release for end in ends)
                assert window.release - 1 in ends or window.release == axis.release_slot(work.release)


@given(BACKLOGS, NOWS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=80)
def test_the_order_of_the_tasks_makes_no_difference(one: Firm, now: datetime, order: random.Random) -> None:
    axis, tasks, windows = planned(one, now)
    shuffled = list(tasks)
    order.shuffle(shuffled)
    again = graded_windows(axis, shuffled, remaining_of(tasks), PRICES)
    assert {work.id: mine for work, mine in zip(shuffled, again, strict=True)} == {
        work.id: mine for work, mine in zip(tasks, windows, strict=True)
    }


@pytest.mark.parametrize("steps", range(12))
def test_a_deadline_moved_by_a_day_never_makes_a_window_dearer(steps: int) -> None:
    axis = axis_of()
    early, later = (task("a", hours=1, due=steps - 2 + more) for more in (0, 1))
    for slot in range(axis.count + 1):
        assert days_late(axis, later, slot) <= days_late(axis, early, slot)


def test_windows_up_to_a_price_are_the_first_of_all() -> None:
    one = task("a", hours=1, due=4)
    windows = graded_windows(axis_of(one), (one,), {"a": 60}, PRICES)
    for window in windows[0]:
        assert windows.up_to(0, window.price_min) == tuple(w for w in windows[0] if w.price_min <= window.price_min)
    assert windows.up_to(0, 0) == windows[0][:1]
    assert windows[:1] == [windows[0]]
    assert len(windows) == 1
