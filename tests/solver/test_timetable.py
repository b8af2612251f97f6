from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, datetime, time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from solver.axis import Axis, build_axis
from solver.firm import Booking, Firm, HolidayCalendar, Task
from solver.ledger import Ledger
from solver.policy import Policy
from solver.timetable import BrokenPromiseError, Cell, Job, timetable
from tests.firms_for_tests import MONDAY, NOW, day, firm, person, task
from tests.oracle import Demand, Work, earliest_deadline_first, keeps_all, open_day_min, simulate

Row = tuple[int, ...]


def worked(open_min: Row, *jobs: Job) -> list[tuple[int, str, int]]:
    """Return slot, task and minutes of each cell of one person's timetable."""
    return [(cell.slot, cell.task, cell.minutes) for cell in timetable(np.array(open_min, dtype=np.int64), jobs)]


def minutes_by(cells: list[Cell]) -> tuple[dict[str, int], dict[int, int]]:
    """Return the minutes of each task and of each slot."""
    by_task, by_slot = defaultdict[str, int](int), defaultdict[int, int](int)
    for cell in cells:
        by_task[cell.task] += cell.minutes
        by_slot[cell.slot] += cell.minutes
    return dict(by_task), dict(by_slot)


def test_no_jobs_have_no_cells() -> None:
    assert worked((10, 10)) == []
    assert worked(()) == []


def test_work_is_done_as_soon_as_it_may() -> None:
    assert worked((10, 10, 10), Job("a", 1, 2, 15)) == [(1, "a", 10), (2, "a", 5)]


def test_the_earliest_promise_goes_first() -> None:
    cells = worked((10, 10), Job("a", 0, 1, 8), Job("b", 0, 0, 6))
    assert cells == [(0, "b", 6), (0, "a", 4), (1, "a", 4)]


def test_work_released_later_and_promised_sooner_interrupts() -> None:
    cells = worked((10, 10, 10), Job("long", 0, 2, 20), Job("short", 1, 1, 4))
    assert cells == [(0, "long", 10), (1, "short", 4), (1, "long", 6), (2, "long", 4)]


def test_equal_promises_go_by_name() -> None:
    assert worked((10,), Job("b", 0, 0, 3), Job("a", 0, 0, 7)) == [(0, "a", 7), (0, "b", 3)]


def test_slots_without_minutes_are_passed_over() -> None:
    assert worked((0, 5, 0, 5), Job("a", 0, 3, 10)) == [(1, "a", 5), (3, "a", 5)]


def test_time_before_a_release_stays_free() -> None:
    assert worked((10, 10), Job("a", 1, 1, 10)) == [(1, "a", 10)]


def test_work_outside_the_horizon_gets_no_cell_though_time_is_left() -> None:
    cells = worked((10, 10), Job("never", 2, 2, 500), Job("a", 0, 1, 12), Job("later", 0, 2, 30))
    assert cells == [(0, "a", 10), (1, "a", 2)]


def test_the_order_of_the_jobs_makes_no_difference() -> None:
    jobs = [Job("a", 0, 2, 8), Job("b", 0, 0, 6), Job("c", 1, 1, 5), Job("d", 1, 2, 3)]
    assert worked((10, 10, 10), *jobs) == worked((10, 10, 10), *reversed(jobs))


def test_a_promise_that_is_a_minute_too_long_is_refused() -> None:
    assert worked((10, 10), Job("a", 0, 1, 20))
    with pytest.raises(BrokenPromiseError, match='task "a" is promised by slot 1'):
        worked((10, 10), Job("a", 0, 1, 21))


def test_two_promises_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(BrokenPromiseError, match='task "b" is promised by slot 0'):
        worked((10, 10), Job("a", 0, 0, 6), Job("b", 0, 0, 5))


def test_a_promise_broken_in_the_middle_is_refused_though_time_is_left_at_the_end() -> None:
    with pytest.raises(BrokenPromiseError):
        worked((10, 10, 100), Job("a", 1, 1, 11))


def test_a_promise_for_a_slot_without_minutes_is_refused() -> None:
    with pytest.raises(BrokenPromiseError):
        worked((10, 0, 10), Job("a", 1, 1, 1))


def test_a_promise_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(BrokenPromiseError):
        worked((10, 10, 10), Job("a", 2, 1, 5))


def test_a_promise_that_starts_behind_the_last_slot_and_ends_before_it_is_refused() -> None:
    with pytest.raises(BrokenPromiseError):
        worked((10, 10), Job("a", 2, 1, 5))


def test_a_broken_promise_is_a_defect_and_not_an_input_error() -> None:
    assert issubclass(BrokenPromiseError, AssertionError)


ROWS = st.integers(1, 7).flatmap(lambda slots: st.tuples(*[st.integers(0, 6)] * slots))
WISHES = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(1, 9)), max_size=9)


def jobs_of(wishes: list[tuple[int, int, int]], slots: int) -> list[Job]:
    """Return one job per wish, each within the slots."""
    jobs: list[Job] = []
    for i, (first, second, work) in enumerate(wishes):
        release, due = sorted((first % slots, second % slots))
        jobs.append(Job(f"t{i}", release, due, work))
    return jobs


def fitting(open_min: Row, wishes: list[tuple[int, int, int]]) -> list[Job]:
    """Return the jobs that fit, first come first served."""
    ledger, kept = Ledger(np.array([open_min], dtype=np.int64)), list[Job]()
    for job in jobs_of(wishes, len(open_min)):
        if ledger.fits(0, job.release, job.due, job.work_min):
            ledger.promise(0, job.release, job.due, job.work_min)
            kept.append(job)
    return kept


@given(ROWS, WISHES)
@settings(deadline=None, max_examples=1_500)
def test_a_timetable_exists_exactly_when_the_simulation_keeps_every_promise(
    open_min: Row, wishes: list[tuple[int, int, int]]
) -> None:
    jobs = jobs_of(wishes, len(open_min))
    if keeps_all(open_min, [Demand(*job) for job in jobs]):
        worked(open_min, *jobs)
    else:
        with pytest.raises(BrokenPromiseError):
            worked(open_min, *jobs)


@given(ROWS, WISHES)
@settings(deadline=None, max_examples=1_000)
def test_what_the_ledger_admits_has_a_timetable_that_keeps_every_rule(
    open_min: Row, wishes: list[tuple[int, int, int]]
) -> None:
    jobs = {job.task: job for job in fitting(open_min, wishes)}
    cells = timetable(np.array(open_min, dtype=np.int64), list(jobs.values()))
    by_task, by_slot = minutes_by(cells)
    assert by_task == {name: job.work_min for name, job in jobs.items()}
    assert all(minutes <= open_min[slot] for slot, minutes in by_slot.items())
    assert all(jobs[cell.task].release <= cell.slot <= jobs[cell.task].due for cell in cells)
    assert all(cell.minutes > 0 for cell in cells)
    assert len({(cell.slot, cell.task) for cell in cells}) == len(cells)
    assert [cell.slot for cell in cells] == sorted(cell.slot for cell in cells)


@given(ROWS, WISHES)
@settings(deadline=None, max_examples=1_000)
def test_every_task_ends_in_the_slot_in_which_the_simulation_ends_it(
    open_min: Row, wishes: list[tuple[int, int, int]]
) -> None:
    jobs = fitting(open_min, wishes)
    cells = timetable(np.array(open_min, dtype=np.int64), jobs)
    last = {cell.task: cell.slot for cell in cells}
    assert last == earliest_deadline_first(open_min, [Demand(*job) for job in jobs])


@given(ROWS, WISHES)
@settings(deadline=None, max_examples=500)
def test_nobody_rests_while_released_work_waits(open_min: Row, wishes: list[tuple[int, int, int]]) -> None:
    jobs = fitting(open_min, wishes)
    cells = timetable(np.array(open_min, dtype=np.int64), jobs)
    _, by_slot = minutes_by(cells)
    for job in jobs:
        last = max(cell.slot for cell in cells if cell.task == job.task)
        assert all(by_slot.get(slot, 0) == open_min[slot] for slot in range(job.release, last))


@given(ROWS, WISHES, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=300)
def test_a_timetable_depends_on_the_promises_and_not_on_their_order(
    open_min: Row, wishes: list[tuple[int, int, int]], order: random.Random
) -> None:
    jobs = fitting(open_min, wishes)
    shuffled = list(jobs)
    order.shuffle(shuffled)
    assert worked(open_min, *shuffled) == worked(open_min, *jobs)


FORTNIGHT = Policy(horizon_days=9, late_tail_days=1)


@st.composite
def backlogs(draw: st.DrawFn) -> Firm:
    """Draw one person and works with releases, dates and times, more than fit."""
    tasks: list[Task] = []
    for i in range(draw(st.integers(1, 10))):
        release, due = sorted((draw(st.integers(-2, 9)), draw(st.integers(-2, 9))))
        clock = draw(st.sampled_from((None, None, time(11, 0), time(14, 30), time(16, 59))))
        hours = draw(st.sampled_from((0.5, 1, 2.75, 4, 8)))
        tasks.append(task(f"t{i}", hours=hours, due=due, release=day(release), deadline_time=clock))
    return firm(
        (person("ann", weekly_min=draw(st.sampled_from(((480,) * 5 + (0, 0), (333, 0, 480, 7, 240, 0, 60))))),),
        tuple(tasks),
        policy=FORTNIGHT,
        holiday_calendar=HolidayCalendar(country=None, extra=(day(draw(st.integers(0, 4))),)),
        bookings=(Booking(person="ann", first_day=MONDAY, last_day=day(3), minutes_per_day=45),),
    )


def promised(one: Firm, axis: Axis, open_min: NDArray[np.int64]) -> tuple[list[Job], list[Work]]:
    """Return the works of a firm of one person that fit, first come first served, as slots and as dates."""
    ledger, jobs, works = Ledger(open_min), list[Job](), list[Work]()
    for wish in one.tasks:
        minutes = wish.estimate_min or 0
        job = Job(wish.id, axis.release_slot(wish.release), axis.due_slot(wish.deadline, wish.deadline_time), minutes)
        if ledger.fits(0, job.release, job.due, minutes):
            ledger.promise(0, job.release, job.due, minutes)
            jobs.append(job)
            works.append(Work(wish.id, wish.deadline, minutes, wish.release, wish.deadline_time))
    return jobs, works


NOWS = st.sampled_from((NOW, datetime(2027, 3, 1, 13, 47), datetime(2027, 3, 6, 10, 0)))


@given(backlogs(), NOWS)
@settings(deadline=None, max_examples=200)
def test_on_a_calendar_no_day_is_exceeded_and_every_work_gets_its_minutes_between_release_and_deadline(
    one: Firm, now: datetime
) -> None:
    axis, open_min = build_axis(one, now)
    jobs, works = promised(one, axis, open_min)
    cells = timetable(open_min[0], jobs)
    by_task, _ = minutes_by(cells)
    assert by_task == {work.name: work.minutes for work in works}
    by_day, wanted = defaultdict[date, int](int), {work.name: work for work in works}
    for cell in cells:
        when = axis.days[cell.slot]
        by_day[when] += cell.minutes
        assert (wanted[cell.task].release or when) <= when <= wanted[cell.task].due
    assert all(minutes <= open_day_min(one, "ann", when, now) for when, minutes in by_day.items())


@given(backlogs(), NOWS)
@settings(deadline=None, max_examples=100)
def test_on_a_calendar_all_is_done_on_the_day_on_which_the_simulation_is_done(one: Firm, now: datetime) -> None:
    axis, open_min = build_axis(one, now)
    jobs, works = promised(one, axis, open_min)
    cells = timetable(open_min[0], jobs)
    outcome = simulate(one, "ann", works, now, axis.last_day)
    assert outcome.all_on_time
    ends = [moment.day for moment in outcome.finished.values() if moment is not None]
    assert [axis.days[cell.slot] for cell in cells[-1:]] == sorted(ends)[-1:]
