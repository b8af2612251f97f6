from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.board import Board, compile_board
from solver.firm import Firm, Overtime, Person, Status, Task, TaskType, TimeOff
from solver.plan import Decision, Filter, Outcome, RepairKind, WayOut
from solver.repairs import WAYS_PER_KIND, ways_out
from solver.routing import dry_run, place
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task
from tests.oracle import open_day_min

ADD, MOVE, RELEASE = RepairKind.ADD_HOURS, RepairKind.MOVE_DEADLINE, RepairKind.RELEASE_TASK


def decided(one: Firm, arrival: Task) -> Decision:
    return place(compile_board(one, now=NOW, also=(arrival,)), arrival)


def told(decision: Decision, kind: RepairKind) -> list[tuple[str, object]]:
    """Return person and price of each way of a kind, as offered."""
    return [
        (way.person, {ADD: way.minutes, MOVE: way.day, RELEASE: way.task}[kind])
        for way in decision.ways_out
        if way.kind is kind
    ]


def mine(id: str, who: str, hours: float, *, due: int = 4, **more: Any) -> Task:
    return task(id, hours=hours, due=due, assignee=who, **more)


def with_hours(one: Firm, who: str, when: date, minutes: int) -> Firm:
    """Add minutes to a person's day by hand."""
    more = Overtime(first_day=when, last_day=when, extra_min=(minutes,) * 7, people=(who,))
    return Firm.model_validate(one.model_dump() | {"overtime": (*one.overtime, more)})


def without(one: Firm, name: str) -> Firm:
    """Take a task from its person by hand."""
    tasks = tuple(t.model_copy(update={"assignee": None}) if t.id == name else t for t in one.tasks)
    return Firm.model_validate(one.model_dump() | {"tasks": tasks})


def moved(arrival: Task, when: date) -> Task:
    return Task.model_validate(arrival.model_dump() | {"deadline": when})


def fits(one: Firm, arrival: Task, who: str) -> bool:
    return {c.person: c.stopped_by for c in decided(one, arrival).candidates}[who] is None


# Add hours


@pytest.mark.parametrize("done, gap", [(36, 0), (37, 60), (40, 240), (39.75, 225)])
def test_hours_to_add_are_exactly_the_gap(done: float, gap: int) -> None:
    one = firm((person("ann"),), (mine("x", "ann", done),))
    assert told(decided(one, task("t", hours=4)), ADD) == ([("ann", gap)] if gap else [])


@pytest.mark.parametrize("when", [1, 2, 3, 4])
def test_added_hours_work_on_any_day_of_the_task_and_one_minute_less_does_not(when: int) -> None:
    one = firm((person("ann"),), (mine("x", "ann", 38),))
    arrival = task("t", hours=4, release=day(1))
    assert told(decided(one, arrival), ADD) == [("ann", 120)]
    assert fits(with_hours(one, "ann", day(when), 120), arrival, "ann")
    assert not fits(with_hours(one, "ann", day(when), 119), arrival, "ann")


def test_added_hours_make_up_for_what_later_work_needs() -> None:
    one = firm((person("ann"),), (mine("later", "ann", 36),))
    arrival = task("t", hours=5, due=1)
    assert told(decided(one, arrival), ADD) == [("ann", 60)]
    assert fits(with_hours(one, "ann", day(1), 60), arrival, "ann")
    assert not fits(with_hours(one, "ann", day(1), 59), arrival, "ann")


def test_hours_to_add_are_sorted_by_minutes_then_person_and_at_most_three() -> None:
    people = tuple(person(id) for id in ("eve", "dan", "cat", "bob", "ann"))
    hours = {"ann": 40, "bob": 37, "cat": 38, "dan": 37, "eve": 39}
    decision = decided(firm(people, tuple(mine(f"x{id}", id, h) for id, h in hours.items())), task("t"))
    assert told(decision, ADD) == [("bob", 60), ("dan", 60), ("cat", 120)]
    assert WAYS_PER_KIND == 3


def test_sentences_say_what_to_do_with_whom_and_until_when() -> None:
    one = firm((person("ann", name="Ann Lee"),), (mine("x", "ann", 39),))
    assert [way.sentence for way in decided(one, task("t", hours=2.5, due=6)).ways_out] == [
        "add 1 h 30 for Ann Lee by 2027-03-07",
        "move the deadline to 2027-03-08, when Ann Lee can have it done",
        "take x (39 h) from Ann Lee",
    ]


def test_hours_beyond_those_a_day_has_are_not_offered() -> None:
    assert told(decided(firm((person("ann"),)), task("t", hours=24, due=0)), ADD) == [("ann", 960)]
    assert told(decided(firm((person("ann"),)), task("t", hours=100, due=0)), ADD) == []


def test_hours_are_not_offered_of_a_person_who_does_not_work_here_by_then() -> None:
    one = firm((person("ann", skills=()), person("new", start_date=day(7))))
    assert told(decided(one, task("t")), ADD) == []


# Move the deadline


@pytest.mark.parametrize("hours, when", [(4, 0), (12, 1), (12.25, 7), (20.25, 8)])
def test_deadline_moves_to_the_first_day_by_which_the_task_fits(hours: float, when: int) -> None:
    one = firm((person("ann"),), (mine("x", "ann", 28),))
    arrival = task("t", hours=hours, due=-1)
    assert told(decided(one, arrival), MOVE) == [("ann", day(when))]
    assert fits(one, moved(arrival, day(when)), "ann")
    assert not fits(one, moved(arrival, day(when - 1)), "ann")


def test_deadline_moves_behind_what_is_promised_next_week_too() -> None:
    one = firm((person("ann"),), (mine("x", "ann", 40), mine("y", "ann", 38, due=11)))
    arrival = task("t", hours=4)
    assert told(decided(one, arrival), MOVE) == [("ann", day(14))]
    assert fits(one, moved(arrival, day(14)), "ann")
    assert not fits(one, moved(arrival, day(13)), "ann")


def test_deadline_moves_are_sorted_by_day_then_person_and_at_most_three() -> None:
    people = tuple(person(id) for id in ("eve", "dan", "cat", "bob", "ann"))
    hours = {"ann": 60, "bob": 44, "cat": 52, "dan": 44, "eve": 80}
    tasks = tuple(mine(f"x{id}", id, h, due=18) for id, h in hours.items())
    full = tuple(mine(f"y{id}", id, 40) for id in hours)
    decision = decided(firm(people, (*full, *tasks)), task("t", hours=16))
    assert told(decision, MOVE) == [("ann", day(8)), ("bob", day(8)), ("cat", day(8))]


def test_task_longer_than_the_horizon_has_no_day_to_move_to() -> None:
    assert told(decided(firm((person("ann"),)), task("t", hours=5_000)), MOVE) == []


def test_person_leaving_is_offered_no_day_after_leaving() -> None:
    one = firm((person("ann", leave_date=day(8)),), (mine("x", "ann", 36),))
    assert told(decided(one, task("t", hours=20)), MOVE) == [("ann", day(8))]
    assert told(decided(one, task("t", hours=20.25)), MOVE) == []


def test_task_due_before_today_can_only_be_moved() -> None:
    decision = decided(firm((person("ann"),), (mine("x", "ann", 4),)), task("t", due=-1))
    assert [way.kind for way in decision.ways_out] == [MOVE]
    assert told(decision, MOVE) == [("ann", day(0))]


def test_task_released_behind_all_days_of_the_plan_has_no_way_out() -> None:
    arrival = task("t", release=day(2_000), due=2_000)
    board = compile_board(firm((person("ann"),)), now=NOW)
    row, span = board.row_of(arrival), board.span_of(arrival)
    assert span.release == board.axis.count
    assert ways_out(board, row, span) == ()


def test_preparation_squeezed_before_its_promised_review_cannot_be_moved_behind_it() -> None:
    one = firm(
        (person("ann"), person("bob")),
        (
            task("p", hours=4, due=10),
            task("r", hours=1, due=11, reviews="p", assignee="bob"),
            mine("x", "ann", 64, due=9),
        ),
    )
    board = compile_board(one, now=NOW)
    decision = dry_run(board, one.tasks[0])
    assert decision.outcome is Outcome.ESCALATED
    for way in decision.ways_out:
        if way.kind is MOVE:
            assert way.day is not None
            assert dry_run(board, moved(one.tasks[0], way.day)).outcome is Outcome.PLACED


# Release a task


def test_task_to_release_is_the_smallest_that_makes_room() -> None:
    work = (mine("two", "ann", 2), mine("four", "ann", 4), mine("six", "ann", 6), mine("rest", "ann", 28))
    one = firm((person("ann"),), work)
    arrival = task("t", hours=3)
    assert told(decided(one, arrival), RELEASE) == [("ann", "four")]
    assert fits(without(one, "four"), arrival, "ann")
    assert not fits(without(one, "two"), arrival, "ann")


def test_task_of_exactly_the_gap_makes_room() -> None:
    one = firm((person("ann"),), (mine("a", "ann", 2), mine("rest", "ann", 36)))
    assert told(decided(one, task("t", hours=4)), RELEASE) == [("ann", "a")]


def test_small_task_elsewhere_in_time_makes_no_room() -> None:
    one = firm((person("ann"),), (mine("next week", "ann", 5, due=11, release=day(7)), mine("now", "ann", 38)))
    arrival = task("t", hours=4)
    assert told(decided(one, arrival), RELEASE) == [("ann", "now")]
    assert not fits(without(one, "next week"), arrival, "ann")


def test_equally_long_tasks_are_offered_by_name() -> None:
    one = firm((person("ann"),), (mine("b", "ann", 4), mine("a", "ann", 4), mine("c", "ann", 32)))
    assert told(decided(one, task("t", hours=4)), RELEASE) == [("ann", "a")]


@pytest.mark.parametrize(
    "fixed",
    [{"pinned": True}, {"status": Status.IN_PROGRESS}, {"requested_person": "ann"}],
)
def test_pinned_started_and_requested_work_is_never_offered(fixed: dict[str, Any]) -> None:
    one = firm((person("ann"),), (mine("small", "ann", 4, **fixed), mine("large", "ann", 36)))
    assert told(decided(one, task("t", hours=4)), RELEASE) == [("ann", "large")]


def test_started_work_by_the_hours_logged_is_never_offered() -> None:
    started = task("x", hours=41, logged_min=60, assignee="ann")
    assert told(decided(firm((person("ann"),), (started,)), task("t")), RELEASE) == []


def test_work_the_client_asked_a_person_for_only_when_its_estimate_came_is_never_offered() -> None:
    board = compile_board(firm((person("ann"),), (task("wanted", hours=None), mine("large", "ann", 36))), now=NOW)
    place(board, task("wanted", hours=4, requested_person="ann"))
    assert told(place(board, task("t", hours=4)), RELEASE) == [("ann", "large")]


def test_arrivals_placed_before_can_be_released() -> None:
    board = compile_board(firm((person("ann"),)), now=NOW)
    place(board, task("first", hours=10))
    place(board, task("second", hours=30))
    assert told(place(board, task("t", hours=4)), RELEASE) == [("ann", "first")]


def test_task_longer_than_everything_released_has_none_to_release() -> None:
    one = firm((person("ann"),), (mine("a", "ann", 20), mine("b", "ann", 20)))
    assert told(decided(one, task("t", hours=20.25)), RELEASE) == []
    assert told(decided(one, task("t", hours=20)), RELEASE) == [("ann", "a")]


def test_releases_are_sorted_by_minutes_then_person_one_each_and_at_most_three() -> None:
    people = tuple(person(id) for id in ("eve", "dan", "cat", "bob", "ann"))
    hours = {"ann": 9, "bob": 5, "cat": 7, "dan": 5, "eve": 8}
    tasks = tuple(mine(f"{id}{i}", id, h) for id, h in hours.items() for i in (1, 2))
    rest = tuple(mine(f"rest of {id}", id, 40 - 2 * h) for id, h in hours.items())
    decision = decided(firm(people, (*tasks, *rest)), task("t", hours=4))
    assert told(decision, RELEASE) == [("bob", "bob1"), ("dan", "dan1"), ("cat", "cat1")]
    assert [way.minutes for way in decision.ways_out if way.kind is RELEASE] == [300, 300, 420]


# Who is asked


def test_ways_come_by_kind_cheapest_first() -> None:
    one = firm((person("ann"), person("bob")), (mine("x", "ann", 39), mine("y", "bob", 38)))
    assert [(way.kind, way.person) for way in decided(one, task("t", hours=4)).ways_out] == [
        (ADD, "bob"),
        (ADD, "ann"),
        (MOVE, "ann"),
        (MOVE, "bob"),
        (RELEASE, "bob"),
        (RELEASE, "ann"),
    ]


def test_only_the_qualified_are_asked() -> None:
    one = firm(
        (person("ann"), person("bob", skills=()), person("sue", level="senior")),
        (),
        task_types=(TaskType(id="return", skill="tax", min_level="senior"),),
    )
    decision = decided(one, task("t", hours=41))
    assert {way.person for way in decision.ways_out} == {"sue"}


def test_ways_can_be_asked_of_some_people_only() -> None:
    one = firm((person("ann"), person("bob")), (mine("x", "ann", 39), mine("y", "bob", 38)))
    board, arrival = compile_board(one, now=NOW), task("t", hours=4)
    row, span = board.row_of(arrival), board.span_of(arrival)
    assert {way.person for way in ways_out(board, row, span)} == {"ann", "bob"}
    assert {way.person for way in ways_out(board, row, span, people=(0,))} == {"ann"}
    assert ways_out(board, row, span, people=()) == ()


def test_nobody_qualified_means_no_way_out() -> None:
    assert decided(firm((person("ann", skills=()),)), task("t")).ways_out == ()
    assert decided(firm(), task("t")).ways_out == ()


def test_looking_for_ways_out_leaves_the_board_as_it_was() -> None:
    board = compile_board(firm((person("ann"),), (mine("x", "ann", 30), mine("y", "ann", 10))), now=NOW)
    before = (board.ledger.slack.tolist(), board.ledger.room.tolist(), board.load_min.tolist(), dict(board.promises))
    arrival = task("t")
    assert len(ways_out(board, board.row_of(arrival), board.span_of(arrival))) == 3
    after = (board.ledger.slack.tolist(), board.ledger.room.tolist(), board.load_min.tolist(), dict(board.promises))
    assert after == before


def test_each_way_out_alone_lets_the_task_be_placed() -> None:
    off = TimeOff(person="bob", first_day=day(1), last_day=day(2))
    one = firm(
        (person("ann"), person("bob"), person("eve", weekly_min=(240,) * 5 + (0, 0))),
        (mine("a", "ann", 21), mine("b", "ann", 15), mine("c", "bob", 20), mine("d", "eve", 10), mine("e", "eve", 8)),
        time_off=(off,),
    )
    arrival = task("t", hours=6)
    decision = decided(one, arrival)
    assert decision.outcome is Outcome.ESCALATED
    assert len(decision.ways_out) == 9
    for way in decision.ways_out:
        changed, changed_arrival = applied(one, arrival, way)
        again = decided(changed, changed_arrival)
        assert again.outcome is Outcome.PLACED
        assert {c.person: c.stopped_by for c in again.candidates}[way.person] is None


def test_hours_added_for_a_person_with_late_work_let_the_task_be_placed() -> None:
    one = firm(
        (person("ann"),), (mine("a", "ann", 8, due=1, release=day(1)), mine("b", "ann", 4, due=1, release=day(1)))
    )
    arrival = task("t", hours=4, due=1, release=day(1))
    [(who, minutes)] = told(decided(one, arrival), ADD)
    assert isinstance(minutes, int)
    assert fits(with_hours(one, who, day(1), minutes), arrival, who)


def applied(one: Firm, arrival: Task, way: WayOut) -> tuple[Firm, Task]:
    """Apply a way out to the firm by hand."""
    if way.kind is ADD:
        return with_hours(one, way.person, arrival.deadline, way.minutes), arrival
    if way.kind is MOVE:
        assert way.day is not None
        return one, moved(arrival, way.day)
    return without(one, str(way.task)), arrival


# The same on random boards, with overloaded people and late work, by other code


Work = tuple[int, int, int]


def can_do(minutes: list[int], works: Iterable[Work]) -> bool:
    """Whether works ``(first day, last day, minutes)`` fit every stretch of days."""
    known = list(works)
    return all(
        sum(work for first, last, work in known if a <= first and last <= b) <= sum(minutes[a : b + 1])
        for a in {first for first, _, _ in known}
        for b in {last for _, last, _ in known}
        if a <= b
    )


def messy_board(seed: int) -> Board:
    """Return a random board without reviews, with far too much work for its people, each task at most half a day and night."""
    draw = random.Random(seed)
    one = random_firm(seed, people=draw.randint(1, 4), tasks=40, load=draw.choice((1.0, 1.6)))
    tasks = tuple(
        t.model_copy(update={"reviews": None, "estimate_min": t.estimate_min and min(t.estimate_min, 700)})
        for t in one.tasks
    )
    people = tuple(p.model_copy(update={"start_date": None}) for p in one.people)
    off = tuple(t.model_copy(update={"minutes_per_day": 120}) for t in one.time_off)
    changed = {"tasks": tasks, "people": people, "time_off": off}
    return compile_board(Firm.model_validate(one.model_dump() | changed), now=NOW)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1_000_000))
def test_ways_out_are_the_cheapest_of_all_that_work(seed: int) -> None:
    board = messy_board(seed)
    for arrival in [t for t in board.tasks if t.id not in board.promises]:
        decision = place(board, arrival)
        if decision.outcome is Outcome.ESCALATED:
            assert told(decision, ADD) == cheapest(board, arrival, decision, ADD)
            assert told(decision, MOVE) == cheapest(board, arrival, decision, MOVE)
            assert told(decision, RELEASE) == cheapest(board, arrival, decision, RELEASE)


def cheapest(board: Board, arrival: Task, decision: Decision, kind: RepairKind) -> list[tuple[str, object]]:
    """Try everything of a kind for everybody qualified and keep the three cheapest."""
    one, axis = board.firm, board.axis
    row = board.row_of(arrival)
    last_slot = axis.due_slot(arrival.deadline)
    first = max((arrival.release or day(0)), day(0))
    length = (axis.last_day - axis.first_day).days + 1
    begins, ends = (first - day(0)).days, (arrival.deadline - day(0)).days
    found: list[tuple[int, str, object]] = []
    short = {c.person: c.work_min for c in decision.candidates if c.stopped_by is Filter.DEADLINE}
    for p, who in enumerate(one.people):
        if who.id not in short or row.below[p]:
            continue
        if arrival.requested_person not in (None, who.id):
            continue
        minutes = [open_day_min(one, who.id, day(i), NOW) for i in range(length)]
        works = {
            name: ((axis.days[w.release] - day(0)).days, (axis.days[w.due] - day(0)).days, work)
            for name, (holder, w, work) in board.promises.items()
            if holder == p and w.due < axis.count
        }
        work = short[who.id]
        if kind is ADD and worked_between(board, begins, ends):
            late = sum(
                one_promise.work_min
                for one_promise in board.promises.values()
                if one_promise.person == p
                and not one_promise.window.on_time
                and one_promise.window.release <= last_slot
            )
            [(_, _, gap)] = least_hours(who, minutes, list(works.values()), (begins, ends, work))
            if gap + late <= most_hours(one, who, begins, ends):
                found.append((gap + late, who.id, gap + late))
        elif kind is MOVE:
            found += first_day(who, minutes, list(works.values()), (begins, ends, work))
        elif kind is RELEASE and worked_between(board, begins, ends):
            found += smallest_task(board, who, minutes, works, (begins, ends, work))
    return [(who_id, price) for _, who_id, price in sorted(found, key=lambda f: f[:2])[:3]]


def worked_between(board: Board, begins: int, ends: int) -> bool:
    return any(begins <= (when - day(0)).days <= ends for when in board.axis.days)


def most_hours(one: Firm, who: Person, begins: int, ends: int) -> int:
    """Return the minutes that a person's days still hold when they work around the clock."""
    days = [day(i) for i in range(max(begins, 0), ends + 1)]
    longest = one
    for when in days:
        longest = with_hours(longest, who.id, when, 1_440)
    return sum(open_day_min(longest, who.id, when, NOW) - open_day_min(one, who.id, when, NOW) for when in days)


def least_hours(who: Person, minutes: list[int], works: list[Work], new: Work) -> list[tuple[int, str, int]]:
    low, high = 1, new[2]
    while low < high:
        middle = (low + high) // 2
        more = [m + middle if i == new[1] else m for i, m in enumerate(minutes)]
        low, high = (low, middle) if can_do(more, [*works, new]) else (middle + 1, high)
    return [(low, who.id, low)]


def first_day(who: Person, minutes: list[int], works: list[Work], new: Work) -> list[tuple[int, str, date]]:
    for last in range(max(new[0], new[1] + 1, 0), len(minutes)):
        if can_do(minutes, [*works, (new[0], last, new[2])]):
            return [(last, who.id, day(last))]
    return []


def smallest_task(
    board: Board, who: Person, minutes: list[int], works: dict[str, Work], new: Work
) -> list[tuple[int, str, str]]:
    for name in sorted(works, key=lambda each: (works[each][2], each)):
        held = board.known[name]
        if held.pinned or held.started or held.requested_person is not None:
            continue
        if can_do(minutes, [*(w for each, w in works.items() if each != name), new]):
            return [(works[name][2], who.id, name)]
    return []


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1_000_000))
def test_ways_out_work_when_the_firm_is_changed_by_hand(seed: int) -> None:
    one = punctual_firm(seed)
    board = compile_board(one, now=NOW)
    for arrival in [t for t in board.tasks if t.id not in board.promises and t.deadline > day(0)]:
        decision = dry_run(board, arrival)
        for way in decision.ways_out:
            if way.kind is ADD and (way.minutes > 900 or away(one, way.person, arrival.deadline)):
                continue
            changed, changed_arrival = applied(one, arrival, way)
            assert fits(changed, changed_arrival, way.person)


def away(one: Firm, who: str, when: date) -> bool:
    return open_day_min(one, who, when, NOW) == 0


def punctual_firm(seed: int) -> Firm:
    """Return a random firm without reviews in which whoever has work can do all of it on time."""
    one = random_firm(seed, people=3, tasks=16, load=1.4)
    plain = tuple(t.model_copy(update={"reviews": None, "requested_person": None}) for t in one.tasks)
    board = compile_board(one.model_copy(update={"tasks": plain}), now=NOW)
    kept = {name for name, promise in board.promises.items() if promise.window.on_time}
    tasks = tuple(t if t.id in kept else t.model_copy(update={"assignee": None}) for t in plain)
    return Firm.model_validate(one.model_dump() | {"tasks": tasks})


def test_plain_stretches_of_days_are_added_up_as_expected() -> None:
    assert can_do([10, 10], [(0, 0, 10), (0, 1, 10)])
    assert not can_do([10, 10], [(0, 0, 10), (0, 1, 11)])
    assert not can_do([10, 10], [(1, 1, 11)])
    assert day(0) + timedelta(days=1) == day(1)
