from __future__ import annotations

import random
from datetime import datetime, time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from solver import ledger as module
from solver.axis import build_axis
from solver.firm import Booking, Firm, HolidayCalendar, Task, TimeOff
from solver.ledger import FREE, Ledger, Taken
from solver.policy import Policy
from tests.firms_for_tests import NOW, day, firm, person, task
from tests.oracle import Demand, Work, keeps_all, simulate

Row = tuple[int, ...]


def ledger_of(*rows: Row) -> Ledger:
    """Return an empty ledger with the open minutes of each person."""
    return Ledger(np.array(rows, dtype=np.int64).reshape(len(rows), -1))


def room_by_oracle(offers: Row, promised: list[Demand], release: int, due: int) -> int:
    """Return the longest further task that the simulation finishes in time together with everything promised."""
    longest = 0
    while keeps_all(offers, [*promised, Demand("new", release, due, longest + 1)]):
        longest += 1
    return longest


def arrays(ledger: Ledger) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    return ledger.slack.copy(), ledger.room.copy()


def same(ledger: Ledger, before: tuple[NDArray[np.int32], NDArray[np.int32]]) -> bool:
    return np.array_equal(ledger.slack, before[0]) and np.array_equal(ledger.room, before[1])


def test_with_nothing_promised_a_window_holds_its_open_minutes() -> None:
    ledger = ledger_of((10, 20, 30))
    assert [[ledger.room_min(0, a, b) for b in range(a, 3)] for a in range(3)] == [[10, 30, 60], [20, 50], [30]]


def test_work_fits_up_to_the_last_minute_and_no_further() -> None:
    ledger = ledger_of((10, 20, 30))
    assert ledger.fits(0, 0, 1, 30)
    assert not ledger.fits(0, 0, 1, 31)


def test_a_promise_takes_its_minutes_from_its_window() -> None:
    ledger = ledger_of((10, 20, 30))
    ledger.promise(0, 1, 1, 15)
    assert [ledger.room_min(0, a, b) for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))] == [
        10,
        5,
        30,
        15,
        35,
        45,
    ]


def test_a_promise_due_later_makes_way_for_earlier_work() -> None:
    ledger = ledger_of((10, 10))
    ledger.promise(0, 0, 1, 10)
    assert ledger.room_min(0, 0, 0) == 10


def test_work_that_makes_way_still_has_to_fit_behind() -> None:
    ledger = ledger_of((10, 10))
    ledger.promise(0, 0, 1, 15)
    assert ledger.room_min(0, 0, 0) == 5


def test_two_promises_bind_a_window_that_neither_of_them_fills() -> None:
    ledger = ledger_of((10, 10, 10, 10))
    ledger.promise(0, 0, 2, 15)
    ledger.promise(0, 1, 3, 20)
    assert [ledger.room_min(0, a, b) for a, b in ((0, 3), (1, 2), (0, 2), (3, 3), (0, 0))] == [5, 5, 5, 5, 5]


def test_work_on_the_same_day_before_the_release_is_of_no_use() -> None:
    ledger = ledger_of((100, 10))
    assert not ledger.fits(0, 1, 1, 11)


def test_minutes_behind_the_deadline_are_of_no_use() -> None:
    ledger = ledger_of((10, 100))
    assert not ledger.fits(0, 0, 0, 11)


def test_a_slot_without_minutes_holds_nothing() -> None:
    ledger = ledger_of((10, 0, 10))
    assert ledger.room_min(0, 1, 1) == 0
    assert ledger.room_min(0, 0, 1) == 10


def test_a_promise_touches_one_person() -> None:
    ledger = ledger_of((10, 20), (10, 20), (30, 40))
    before = arrays(ledger)
    ledger.promise(1, 0, 1, 7)
    for p in (0, 2):
        assert np.array_equal(ledger.slack[p], before[0][p])
        assert np.array_equal(ledger.room[p], before[1][p])
    assert ledger.rooms_min(0, 1).tolist() == [30, 23, 70]


def test_a_promise_that_does_not_fit_is_kept_and_leaves_no_room() -> None:
    ledger = ledger_of((10, 20, 30))
    ledger.promise(0, 0, 0, 25)
    assert ledger.room_min(0, 0, 0) == 0
    assert not ledger.fits(0, 0, 0, 1)
    assert int(ledger.slack[0, 0, 0]) == -15


def test_an_overfull_day_leaves_later_days_their_room() -> None:
    ledger = ledger_of((10, 20, 30))
    ledger.promise(0, 0, 0, 25)
    assert ledger.room_min(0, 2, 2) == 30


def test_making_room_again_counts_every_minute_promised_too_much() -> None:
    ledger = ledger_of((10, 20))
    ledger.promise(0, 0, 0, 25)
    ledger.promise(0, 0, 0, 5)
    ledger.withdraw(0, 0, 0, 25)
    assert ledger.room_min(0, 0, 0) == 5


def test_a_window_that_ends_before_it_starts_holds_nothing() -> None:
    ledger = ledger_of((10, 20, 30))
    assert ledger.room_min(0, 2, 1) == 0
    assert ledger.room_min(0, 0, -1) == 0
    assert not ledger.fits(0, 2, 1, 1)


def test_work_released_behind_the_last_slot_has_no_room_before_it() -> None:
    ledger = ledger_of((10, 20, 30), (1, 2, 3))
    assert ledger.rooms_min(3, 2).tolist() == [0, 0]
    assert [ledger.room_min(p, 3, 2) for p in (0, 1)] == [0, 0]


def test_a_promise_in_a_window_that_ends_before_it_starts_changes_nothing() -> None:
    ledger = ledger_of((10, 20, 30))
    before = arrays(ledger)
    ledger.promise(0, 2, 1, 15)
    ledger.promise(0, 0, -1, 15)
    assert same(ledger, before)


@pytest.mark.parametrize("release", [0, 2, 3])
def test_beyond_the_horizon_everything_fits(release: int) -> None:
    ledger = ledger_of((10, 20, 30))
    ledger.promise(0, 0, 2, 60)
    assert ledger.room_min(0, release, 3) == FREE
    assert ledger.fits(0, release, 3, 1_000_000)
    assert ledger.rooms_min(release, 3).tolist() == [FREE]


def test_a_promise_beyond_the_horizon_changes_nothing() -> None:
    ledger = ledger_of((10, 20, 30))
    before = arrays(ledger)
    ledger.promise(0, 0, 3, 1_000)
    ledger.withdraw(0, 3, 3, 1_000)
    assert same(ledger, before)


def test_a_board_without_slots_has_room_beyond_the_horizon_only() -> None:
    ledger = Ledger(np.zeros((2, 0), dtype=np.int64))
    assert ledger.rooms_min(0, -1).tolist() == [0, 0]
    assert ledger.rooms_min(0, 0).tolist() == [FREE, FREE]
    assert [ledger.room_min(1, 0, due) for due in (-1, 0)] == [0, FREE]
    ledger.promise(0, 0, 0, 5)
    ledger.promise(0, 0, -1, 5)


def test_a_board_without_people_has_no_rooms() -> None:
    ledger = Ledger(np.zeros((0, 3), dtype=np.int64))
    assert [ledger.rooms_min(0, due).tolist() for due in (-1, 1, 3)] == [[], [], []]


def test_a_copy_starts_with_the_same_promises_and_then_goes_its_own_way() -> None:
    ledger = ledger_of((10, 20, 30))
    ledger.promise(0, 0, 1, 12)
    before = arrays(ledger)
    twin = ledger.copy()
    assert same(twin, before)
    assert twin.slots == 3
    twin.promise(0, 1, 2, 9)
    assert same(ledger, before)
    ledger.withdraw(0, 0, 1, 12)
    assert twin.room_min(0, 1, 1) == 20 + 10 - 12
    assert twin.room_min(0, 0, 2) == 60 - 12 - 9


SLOTS = st.integers(1, 6)
SMALL_ROWS = SLOTS.flatmap(lambda slots: st.tuples(*[st.integers(0, 5)] * slots))
STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 99), st.integers(0, 99), st.integers(1, 9)), max_size=14)


@given(SMALL_ROWS, STEPS, st.integers(0, 5), st.integers(0, 5))
@settings(deadline=None, max_examples=4_000)
def test_fits_agrees_with_the_simulation_after_every_promise_and_withdrawal(
    offers: Row, steps: list[tuple[bool, int, int, int]], ask_release: int, ask_due: int
) -> None:
    ledger, promised, slots = ledger_of(offers), list[Demand](), len(offers)
    for number, (withdraws, first, second, work) in enumerate(steps):
        if withdraws and promised:
            gone = promised.pop(first % len(promised))
            ledger.withdraw(0, gone.release, gone.due, gone.minutes)
        else:
            release, due = sorted((first % slots, second % slots))
            new = Demand(f"t{number}", release, due, work)
            assert ledger.fits(0, release, due, work) == keeps_all(offers, [*promised, new])
            if ledger.fits(0, release, due, work):
                promised.append(new)
                ledger.promise(0, release, due, work)
    a, b = sorted((ask_release % slots, ask_due % slots))
    assert ledger.room_min(0, a, b) == room_by_oracle(offers, promised, a, b)


@given(SMALL_ROWS, STEPS)
@settings(deadline=None, max_examples=400)
def test_every_window_has_exactly_the_room_the_simulation_finds(
    offers: Row, steps: list[tuple[bool, int, int, int]]
) -> None:
    ledger, promised, slots = ledger_of(offers), list[Demand](), len(offers)
    for number, (_, first, second, work) in enumerate(steps):
        release, due = sorted((first % slots, second % slots))
        if ledger.fits(0, release, due, work):
            promised.append(Demand(f"t{number}", release, due, work))
            ledger.promise(0, release, due, work)
    for a in range(slots):
        for b in range(a, slots):
            assert ledger.room_min(0, a, b) == room_by_oracle(offers, promised, a, b)


@given(SMALL_ROWS, STEPS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=1_000)
def test_undoing_every_promise_in_any_order_restores_the_arrays_exactly(
    offers: Row, steps: list[tuple[bool, int, int, int]], order: random.Random
) -> None:
    ledger = ledger_of(offers, tuple(reversed(offers)))
    before, beyond = arrays(ledger), len(offers) + 1
    made = [(int(second), a % beyond, b % beyond, work * 100) for second, a, b, work in steps]
    for one in made:
        ledger.promise(*one)
    order.shuffle(made)
    for one in made:
        ledger.withdraw(*one)
    assert same(ledger, before)


@given(SMALL_ROWS, STEPS, st.integers(0, 99), st.integers(0, 99), st.integers(1, 900))
@settings(deadline=None, max_examples=400)
def test_undoing_the_last_promise_restores_the_arrays_exactly_whatever_was_promised_before(
    offers: Row, steps: list[tuple[bool, int, int, int]], first: int, second: int, work: int
) -> None:
    ledger, slots = ledger_of(offers), len(offers)
    for _, a, b, minutes in steps:
        ledger.promise(0, a % slots, b % slots, minutes)
    before = arrays(ledger)
    ledger.promise(0, first % slots, second % slots, work)
    ledger.withdraw(0, first % slots, second % slots, work)
    assert same(ledger, before)


@given(SMALL_ROWS, STEPS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=300)
def test_the_order_of_promises_makes_no_difference(
    offers: Row, steps: list[tuple[bool, int, int, int]], order: random.Random
) -> None:
    one, other, slots = ledger_of(offers), ledger_of(offers), len(offers)
    made = [(0, a % slots, b % slots, minutes) for _, a, b, minutes in steps]
    for promise in made:
        one.promise(*promise)
    order.shuffle(made)
    for promise in made:
        other.promise(*promise)
    assert same(one, arrays(other))


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 4), min_size=1, max_size=4), STEPS)
@settings(deadline=None, max_examples=400)
def test_the_rooms_of_everybody_are_the_rooms_of_each(rows: list[Row], steps: list[tuple[bool, int, int, int]]) -> None:
    ledger = ledger_of(*rows)
    for number, (_, a, b, minutes) in enumerate(steps):
        ledger.promise(number % len(rows), a % 4, b % 4, minutes)
    for a in range(5):
        for b in range(-1, 5):
            assert ledger.rooms_min(a, b).tolist() == [ledger.room_min(p, a, b) for p in range(len(rows))]


SHORT = Policy(horizon_days=8, late_tail_days=1)
CLOCKS = st.sampled_from((None, None, time(11, 30), time(12, 0), time(15, 59)))


@st.composite
def backlogs(draw: st.DrawFn) -> Firm:
    """Draw one person with an untidy fortnight and works that may be released later and due within a day."""
    tasks: list[Task] = []
    for i in range(draw(st.integers(1, 9))):
        release, due = sorted((draw(st.integers(-2, 8)), draw(st.integers(-2, 8))))
        minutes = draw(st.sampled_from((20, 60, 61, 180, 240, 480)))
        tasks.append(task(f"t{i}", hours=minutes / 60, due=due, release=day(release), deadline_time=draw(CLOCKS)))
    return firm(
        (person("ann", weekly_min=draw(st.sampled_from(((480,) * 5 + (0, 0), (101, 0, 480, 7, 240, 0, 60))))),),
        tuple(tasks),
        policy=SHORT,
        holiday_calendar=HolidayCalendar(
            country=None, extra=tuple(draw(st.sets(st.integers(0, 8).map(day), max_size=2)))
        ),
        time_off=(
            TimeOff(
                person="ann", first_day=day(2), last_day=day(2), minutes_per_day=draw(st.sampled_from((0, None, 100)))
            ),
        ),
        bookings=(
            Booking(person="ann", first_day=day(0), last_day=day(4), minutes_per_day=draw(st.sampled_from((0, 45)))),
        ),
    )


@given(backlogs(), st.sampled_from((NOW, datetime(2027, 3, 1, 13, 47), datetime(2027, 3, 2, 18, 0))))
@settings(deadline=None, max_examples=250)
def test_dates_and_times_fit_when_working_them_off_by_the_clock_keeps_them_all(one: Firm, now: datetime) -> None:
    axis, open_min = build_axis(one, now)
    ledger, promised = Ledger(open_min), list[Work]()
    for work in one.tasks:
        release, due = axis.release_slot(work.release), axis.due_slot(work.deadline, work.deadline_time)
        minutes = work.estimate_min or 0
        new = Work(work.id, work.deadline, minutes, work.release, work.deadline_time)
        fits = ledger.fits(0, release, due, minutes)
        assert fits == simulate(one, "ann", [*promised, new], now, axis.last_day).all_on_time
        if fits:
            promised.append(new)
            ledger.promise(0, release, due, minutes)


def test_many_promises_at_once_are_the_same_as_one_by_one() -> None:
    open_min = np.array([[60, 0, 120, 90], [30, 30, 30, 30]])
    works = [(0, 0, 2, 50), (0, 1, 3, 70), (1, 2, 2, 30), (1, 3, 1, 9), (0, 2, 4, 500), (1, 0, 3, 40)]
    one_by_one, at_once = Ledger(open_min), Ledger(open_min)
    for work in works:
        one_by_one.promise(*work)
    at_once.promise_all(works)
    assert np.array_equal(at_once.slack, one_by_one.slack)
    assert np.array_equal(at_once.room, one_by_one.room)


# Cutting a slot in two


def cut_row(row: Row, slot: int, before: int) -> Row:
    return (*row[:slot], before, row[slot] - before, *row[slot + 1 :])


@given(
    st.lists(st.tuples(*[st.integers(0, 6)] * 4), min_size=1, max_size=3),
    STEPS,
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 6)), min_size=1, max_size=12),
    STEPS,
)
@settings(deadline=None, max_examples=400)
def test_a_cut_ledger_is_the_one_that_was_always_cut(
    rows: list[Row],
    steps: list[tuple[bool, int, int, int]],
    cuts: list[tuple[int, int]],
    more: list[tuple[bool, int, int, int]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SPARE_SLOTS", 1)  # so that some cuts need new space
        ledger, offers = ledger_of(*rows), list(rows)
    made = [(n % len(rows), *sorted((a % 4, b % 4)), minutes) for n, (_, a, b, minutes) in enumerate(steps)]
    for one in made:
        ledger.promise(*one)
    for place, before in cuts:
        slot = place % len(offers[0])
        parts = [min(before, row[slot]) for row in offers]
        behind = [row[slot] - part for row, part in zip(offers, parts, strict=True)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "SPARE_SLOTS", 1)
            ledger.cut(slot, np.array(parts), np.array(behind))
        offers = [cut_row(row, slot, part) for row, part in zip(offers, parts, strict=True)]
        made = [(p, a + (a > slot), b + (b >= slot), minutes) for p, a, b, minutes in made]
    fresh, slots = ledger_of(*offers), len(offers[0])
    for one in made:
        fresh.promise(*one)
    assert np.array_equal(ledger.slack, fresh.slack)
    assert np.array_equal(ledger.room, fresh.room)
    for number, (withdraws, a, b, minutes) in enumerate(more):
        if withdraws and made:
            gone = made.pop(a % len(made))
            ledger.withdraw(*gone)
            fresh.withdraw(*gone)
        else:
            made.append((number % len(rows), *sorted((a % slots, b % slots)), minutes))
            ledger.promise(*made[-1])
            fresh.promise(*made[-1])
        assert np.array_equal(ledger.room, fresh.room)
    assert np.array_equal(ledger.slack, fresh.slack)
    assert np.array_equal(ledger.copy().room, fresh.room)


def test_the_copy_of_a_cut_ledger_goes_its_own_way() -> None:
    ledger = ledger_of((10, 20, 30))
    ledger.cut(1, np.array([5]), np.array([15]))
    twin = ledger.copy()
    twin.promise(0, 0, 3, 40)
    twin.cut(0, np.array([4]), np.array([6]))
    assert (ledger.slots, ledger.room_min(0, 0, 3), ledger.room_min(0, 1, 1)) == (4, 60, 5)
    assert (twin.slots, twin.room_min(0, 0, 4)) == (5, 20)


# Asking without changing


@given(SMALL_ROWS, STEPS, st.integers(0, 99), st.integers(0, 99), st.integers(1, 20), st.integers(0, 99))
@settings(deadline=None, max_examples=600)
def test_whether_a_task_fits_without_another_is_what_taking_it_back_shows(
    offers: Row, steps: list[tuple[bool, int, int, int]], first: int, second: int, work: int, cut: int
) -> None:
    ledger, slots = ledger_of(offers), len(offers)
    made = [(a % slots, b % (slots + 1), minutes) for _, a, b, minutes in steps if a % slots <= b % (slots + 1)]
    for release, due, minutes in made:
        ledger.promise(0, release, due, minutes)
    if cut % 2:
        slot = cut % slots
        ledger.cut(slot, np.array([offers[slot] // 2]), np.array([offers[slot] - offers[slot] // 2]))
        made = [(a + (a > slot), b + (b >= slot), minutes) for a, b, minutes in made]
    release, due = sorted((first % ledger.slots, second % ledger.slots))
    columns = (np.array(column, dtype=np.int64) for column in zip(*((0, *one) for one in made), strict=True))
    taken = Taken(*columns) if made else Taken(*(np.zeros(0, dtype=np.int64) for _ in range(4)))
    asked = ledger.fit_without(np.array([0]), np.array([work]), (release, due), taken).tolist()
    shown = []
    for a, b, minutes in made:
        ledger.withdraw(0, a, b, minutes)
        shown.append(ledger.fits(0, release, due, work))
        ledger.promise(0, a, b, minutes)
    assert asked == shown


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 4), min_size=1, max_size=4), STEPS)
@settings(deadline=None, max_examples=200)
def test_rooms_asked_together_are_the_rooms_asked_one_by_one(
    rows: list[Row], steps: list[tuple[bool, int, int, int]]
) -> None:
    ledger = ledger_of(*rows)
    for number, (_, a, b, minutes) in enumerate(steps):
        ledger.promise(number % len(rows), a % 4, b % 4, minutes)
    for a in range(4):
        by_due = ledger.rooms_by_due_min(np.arange(len(rows)), a)
        assert by_due.tolist() == [[ledger.room_min(p, a, b) for b in range(4)] for p in range(len(rows))]
