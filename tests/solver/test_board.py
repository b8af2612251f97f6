from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.board import Board, compile_board
from solver.firm import Client, Firm, Person, Priority, Skill, Status, Task, TaskType
from solver.plan import Filter
from solver.policy import MissingEstimate, Policy
from solver.routing import place
from solver.task_row import is_held, remaining_min
from solver.windows import Window
from tests.board_state import state
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task


def compiled(people: Iterable[Person] = (), tasks: Iterable[Task] = (), **more: object) -> Board:
    return compile_board(firm(tuple(people), tuple(tasks), **more), now=NOW)


def promised_days(board: Board, task_id: str) -> tuple[object, object]:
    window = board.promises[task_id].window
    return board.axis.day_of(window.release), board.axis.day_of(window.due)


def slack_from_nothing(board: Board, person: int, first: int, last: int) -> int:
    """Return the minutes left from slot ``first`` to slot ``last``, added up one promise at a time."""
    left = sum(int(board.open_min[person, s]) for s in range(first, last + 1))
    return left - sum(
        promise.work_min
        for promise in board.promises.values()
        if promise.person == person and first <= promise.window.release and promise.window.due <= last
    )


def test_promise_takes_room_and_adds_load_of_one_person() -> None:
    board = compiled((person("ann"), person("bob")))
    board.promise(task("t"), 0, Window(0, 4, 0), 240)
    assert board.load_min.tolist() == [240, 0]
    assert board.ledger.room_min(0, 0, 4) == 5 * 480 - 240
    assert board.ledger.room_min(1, 0, 4) == 5 * 480
    assert board.promises["t"] == (0, Window(0, 4, 0), 240)


def test_promise_then_withdraw_restores_the_board_exactly() -> None:
    board = compiled((person("ann"), person("bob")), (task("a", assignee="ann"), task("b", due=1)))
    before = state(board)
    board.promise(board.known["b"], 1, Window(0, 1, 0), 240)
    assert state(board) != before
    assert board.withdraw("b") == (1, Window(0, 1, 0), 240)
    assert state(board) == before


def test_promise_then_withdraw_of_an_arrival_restores_the_board_exactly() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", assignee="ann"),))
    before = state(board)
    board.promise(task("r", reviews="p"), 1, Window(5, 5, 0), 240)
    board.withdraw("r")
    assert state(board) == before


def test_withdraw_then_promise_restores_the_board_exactly() -> None:
    work = (task("a", assignee="ann"), task("b", assignee="ann", due=1))
    board = compiled((person("ann"),), work)
    before = state(board)
    promise = board.withdraw("a")
    assert board.load_min.tolist() == [240]
    board.promise(work[0], *promise)
    assert state(board) == before


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_any_promises_withdrawn_in_any_order_restore_the_board_exactly(seed: int, draw: Any) -> None:
    board = compile_board(random_firm(seed), now=NOW)
    before = state(board)
    for one in [one for one in board.tasks if one.id not in board.promises][:5]:
        release = draw.randrange(board.axis.count)
        window = Window(release, draw.randrange(release, board.axis.count + 1), 0)
        board.promise(one, draw.randrange(board.staff.count), window, draw.randint(1, 5_000))
    added = [name for name in board.promises if name not in before["promises"]]
    draw.shuffle(added)
    for name in added:
        board.withdraw(name)
    assert state(board) == before


def test_promising_what_is_promised_is_an_error_and_changes_nothing() -> None:
    board = compiled((person("ann"),), (task("a", assignee="ann"),))
    before = state(board)
    with pytest.raises(ValueError, match='task "a" is promised already'):
        board.promise(board.known["a"], 0, Window(0, 4, 0), 240)
    assert state(board) == before


def test_withdrawing_what_nobody_holds_is_an_error_and_changes_nothing() -> None:
    board = compiled((person("ann"),), (task("a"),))
    before = state(board)
    with pytest.raises(KeyError):
        board.withdraw("a")
    assert state(board) == before


def test_promise_beyond_the_horizon_counts_as_load_and_takes_no_room() -> None:
    board = compiled((person("ann"),))
    room = board.ledger.room.tolist()
    board.promise(task("t"), 0, Window(board.axis.count, board.axis.count, 9), 240)
    assert board.load_min.tolist() == [240]
    assert board.ledger.room.tolist() == room
    board.withdraw("t")
    assert board.load_min.tolist() == [0]


def test_arrival_that_was_withdrawn_is_known_as_it_is_placed_again() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", assignee="ann", due=1),))
    place(board, task("r", reviews="p", due=4))
    board.withdraw("r")
    place(board, task("r", due=1, pinned=True))
    assert board.known["r"].pinned
    assert board.piece(board.known["p"]) == []


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.3, 1.6))
def test_loads_are_the_sums_of_promises_and_slack_is_what_they_leave(seed: int, load: float) -> None:
    board = compile_board(random_firm(seed, tasks=15, load=load), now=NOW)
    for p in range(board.staff.count):
        assert board.load_min[p] == sum(one.work_min for one in board.promises.values() if one.person == p)
    spots = [(a, b) for a in range(0, board.axis.count, 4) for b in range(a, board.axis.count, 5)]
    for p in range(board.staff.count):
        for a, b in spots:
            left = slack_from_nothing(board, p, a, b)
            assert board.ledger.slack[p, a, b] == left
            assert left >= 0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_each_open_task_with_a_person_is_promised_flagged_or_held(seed: int) -> None:
    one = random_firm(seed, load=1.5)
    board = compile_board(one, now=NOW)
    mine = {t.id for t in one.tasks if t.open and t.assignee is not None}
    waiting = {t.id for t in board.held}
    assert waiting == {t.id for t in one.tasks if t.open and t.estimate_min is None}
    assert set(board.promises) | set(board.flagged) == mine - waiting
    assert not set(board.promises) & set(board.flagged)
    for name, promise in board.promises.items():
        assert one.people[promise.person].id == board.known[name].assignee
        assert promise.work_min == board.rows[board.task_index[name]].work_min[promise.person]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_order_of_people_and_tasks_in_the_file_does_not_matter(seed: int) -> None:
    one = random_firm(seed, load=1.3)
    turned = one.model_copy(update={"people": one.people[::-1], "tasks": one.tasks[::-1]})
    boards = [compile_board(each, now=NOW) for each in (one, turned)]
    told = [
        {name: (b.firm.people[p.person].id, p.window, p.work_min) for name, p in b.promises.items()} for b in boards
    ]
    assert told[0] == told[1]
    assert boards[0].flagged == boards[1].flagged


@pytest.mark.parametrize(
    "first, second",
    [
        (task("z", hours=8, due=0, priority=Priority.HIGH), task("a", hours=8, due=0)),
        (task("z", hours=8, due=0, priority=Priority.NORMAL), task("a", hours=8, due=0, priority=Priority.LOW)),
        (task("z", hours=8, due=1, priority=Priority.CRITICAL), task("a", hours=16, due=1, priority=Priority.HIGH)),
        (task("z", hours=8, due=0), task("a", hours=16, due=1)),
        (task("a", hours=8, due=0), task("z", hours=8, due=0)),
    ],
)
def test_today_is_promised_by_priority_then_deadline_then_id(first: Task, second: Task) -> None:
    mine = [one.model_copy(update={"assignee": "ann"}) for one in (second, first)]
    board = compiled((person("ann"),), mine)
    assert board.promises[first.id].window.on_time
    assert not board.promises[second.id].window.on_time


def test_late_work_is_promised_on_the_first_day_that_has_room() -> None:
    work = [task(name, hours=8, due=0, assignee="ann") for name in ("a", "b", "c")]
    board = compiled((person("ann"),), work)
    assert [promised_days(board, name)[1] for name in ("a", "b", "c")] == [day(0), day(1), day(2)]


def test_work_overdue_today_is_promised_late_and_counts() -> None:
    board = compiled((person("ann"),), (task("old", hours=8, due=-5, assignee="ann"),))
    assert promised_days(board, "old") == (day(0), day(0))
    assert not board.promises["old"].window.on_time
    assert board.load_min.tolist() == [480]
    assert board.remaining_this_week().tolist() == [4 * 480]


def test_overloaded_person_keeps_everything_and_some_of_it_beyond_the_horizon() -> None:
    work = [task(f"t{i:02d}", hours=80, due=4, assignee="ann") for i in range(12)]
    board = compiled((person("ann"),), work)
    assert board.load_min.tolist() == [12 * 80 * 60]
    assert set(board.promises) == {one.id for one in work}
    beyond = [name for name in board.promises if promised_days(board, name)[1] is None]
    assert beyond
    assert all(not board.promises[name].window.on_time for name in beyond)


def test_person_without_any_capacity_keeps_assigned_work() -> None:
    idle = person("ann", weekly_min=(0,) * 7)
    board = compiled((idle, person("bob")), (task("t", assignee="ann"),))
    assert board.load_min.tolist() == [240, 0]
    assert promised_days(board, "t") == (None, None)


def test_firm_where_nobody_works_has_no_slots_and_keeps_assigned_work() -> None:
    board = compiled((person("ann", weekly_min=(0,) * 7),), (task("t", assignee="ann"),))
    assert board.axis.count == 0
    assert board.load_min.tolist() == [240]
    assert board.remaining_this_week().tolist() == [0]


def test_work_beyond_the_longest_horizon_is_promised_at_its_end() -> None:
    board = compiled((person("ann"),), (task("t", due=5_000, assignee="ann"),))
    window = board.promises["t"].window
    assert window.on_time
    assert window.due == board.axis.count - 1


@pytest.mark.parametrize("hours, flagged", [(24, {}), (25, {"t": Filter.EMPLOYMENT})])
def test_person_leaving_mid_task_keeps_it_only_if_it_can_be_finished(hours: float, flagged: dict[str, Filter]) -> None:
    leaver = person("ann", leave_date=day(2))
    mine = task("t", hours=hours + 1, logged_min=60, status=Status.IN_PROGRESS, due=10, assignee="ann")
    board = compiled((leaver, person("bob")), (mine,))
    assert board.flagged == flagged
    assert board.load_min.tolist() == [0 if flagged else round(60 * hours), 0]


def test_person_who_left_already_is_flagged_and_carries_no_load() -> None:
    board = compiled((person("ann", leave_date=day(-1)), person("bob")), (task("t", assignee="ann"),))
    assert board.flagged == {"t": Filter.EMPLOYMENT}
    assert board.promises == {}
    assert board.load_min.tolist() == [0, 0]


@pytest.mark.parametrize(
    "who, more, stop",
    [
        (person("ann", skills=("audit",)), {}, Filter.SKILL),
        (person("ann"), {"clients": (Client(id="acme", barred=("ann",)),)}, Filter.INDEPENDENCE),
        (
            person("ann"),
            {"task_types": (TaskType(id="return", skill="tax", min_level="senior"),)},
            Filter.GUARDRAIL,
        ),
    ],
)
def test_assigned_person_who_may_not_do_the_task_any_more_is_flagged(
    who: Person, more: dict[str, object], stop: Filter
) -> None:
    board = compiled((who,), (task("t", assignee="ann"),), **more)
    assert board.flagged == {"t": stop}
    assert board.promises == {}
    assert board.load_min.tolist() == [0]


def test_person_the_client_asked_for_is_not_flagged_for_the_level() -> None:
    board = compiled(
        (person("ann"),),
        (task("t", assignee="ann", requested_person="ann"),),
        task_types=(TaskType(id="return", skill="tax", min_level="senior"),),
    )
    assert board.flagged == {}
    assert set(board.promises) == {"t"}


def test_reviewer_who_also_prepares_is_flagged_for_the_review() -> None:
    work = (task("r", reviews="p", assignee="ann", priority=Priority.CRITICAL), task("p", assignee="ann"))
    board = compiled((person("ann"),), work)
    assert board.flagged == {"r": Filter.REVIEWER}
    assert set(board.promises) == {"p"}


def test_review_of_finished_work_is_flagged_for_its_preparer() -> None:
    work = (task("p", assignee="ann", status=Status.DONE), task("r", reviews="p", assignee="ann"))
    assert compiled((person("ann"),), work).flagged == {"r": Filter.REVIEWER}
    other = (work[0], work[1].model_copy(update={"assignee": "bob"}))
    assert compiled((person("ann"), person("bob")), other).flagged == {}


def test_review_is_promised_after_its_preparation_whatever_its_priority() -> None:
    work = (
        task("r", reviews="p", assignee="bob", due=9, priority=Priority.CRITICAL),
        task("p", assignee="ann", due=8, priority=Priority.LOW),
    )
    board = compiled((person("ann"), person("bob")), work)
    assert board.promises["r"].window.release > board.promises["p"].window.due
    assert board.promises["r"].window.on_time
    assert board.promises["p"].window.on_time


def test_review_of_work_beyond_the_horizon_is_beyond_the_horizon() -> None:
    work = (
        task("p", hours=2_000, assignee="ann"),
        task("r", reviews="p", assignee="bob", due=9),
    )
    board = compiled((person("ann"), person("bob")), work)
    assert promised_days(board, "p") == (None, None)
    assert promised_days(board, "r") == (None, None)


CHAIN = (
    task("a", assignee="ann", status=Status.DONE),
    task("b", reviews="a", assignee="bob"),
    task("c", reviews="b", due=9),
    task("d", reviews="b", due=9),
    task("other", assignee="eve"),
)


@pytest.mark.parametrize("name, piece", [("a", "bcd"), ("b", "acd"), ("c", "ab"), ("d", "ab"), ("other", "")])
def test_piece_is_the_chain_of_review_links_both_ways(name: str, piece: str) -> None:
    board = compiled((person("ann"), person("bob"), person("eve")), CHAIN)
    assert sorted(board.piece(board.known[name])) == list(piece)


def test_people_of_a_piece_are_those_who_finished_or_hold_its_tasks() -> None:
    board = compiled((person("ann"), person("bob"), person("eve")), CHAIN)
    assert sorted(board.worked_on_piece(board.known["c"])) == [0, 1]
    assert board.worked_on_piece(board.known["b"]) == [0]
    assert board.worked_on_piece(board.known["a"]) == [1]
    assert board.worked_on_piece(board.known["other"]) == []


def test_who_holds_a_preparation_without_estimate_worked_on_the_piece() -> None:
    board = compiled((person("ann"),), (task("p", hours=None, assignee="ann"), task("r", reviews="p")))
    assert board.worked_on_piece(board.known["r"]) == [0]


def test_preparation_finished_by_nobody_known_stops_nobody() -> None:
    board = compiled((person("ann"),), (task("p", status=Status.DONE), task("r", reviews="p")))
    assert board.worked_on_piece(board.known["r"]) == []


@pytest.mark.parametrize(
    "estimate, logged, default, minutes",
    [(240, 0, None, 240), (240, 100, None, 140), (240, 225, None, 15), (240, 226, None, 15), (240, 900, 60, 15)],
)
def test_remaining_is_estimate_less_logged_never_below_the_floor(
    estimate: int, logged: int, default: int | None, minutes: int
) -> None:
    kind = TaskType(id="return", skill="tax", default_estimate_min=default)
    assert remaining_min(firm(), task("t", hours=estimate / 60, logged_min=logged), kind) == minutes


def test_floor_is_the_policys() -> None:
    one = firm(policy=Policy(remaining_floor_min=40))
    assert remaining_min(one, task("t", hours=1, logged_min=30), one.task_types[0]) == 40


@pytest.mark.parametrize(
    "choice, default, hours, held",
    [
        (MissingEstimate.HOLD, None, None, True),
        (MissingEstimate.HOLD, 90, None, True),
        (MissingEstimate.TYPE_DEFAULT, None, None, True),
        (MissingEstimate.TYPE_DEFAULT, 90, None, False),
        (MissingEstimate.HOLD, None, 1, False),
        (MissingEstimate.TYPE_DEFAULT, 90, 1, False),
    ],
)
def test_task_is_held_without_estimate_unless_the_firm_chose_the_types_default(
    choice: MissingEstimate, default: int | None, hours: float | None, held: bool
) -> None:
    kind = TaskType(id="return", skill="tax", default_estimate_min=default)
    one = task("t", hours=hours, assignee="ann")
    board = compiled((person("ann"),), (one,), task_types=(kind,), policy=Policy(missing_estimate=choice))
    assert is_held(board.firm, one, kind) is held
    assert board.held == ((one,) if held else ())
    assert board.load_min.tolist() == [0 if held else (60 if hours else 90)]


def test_finished_and_cancelled_tasks_take_no_room() -> None:
    work = (task("d", assignee="ann", status=Status.DONE), task("c", assignee="ann", status=Status.CANCELLED))
    board = compiled((person("ann"),), work)
    assert (board.tasks, dict(board.promises), board.load_min.tolist()) == ((), {}, [0])


def test_capacity_between_slots_leaves_promises_aside() -> None:
    board = compiled((person("ann"), person("bob", weekly_min=(60,) * 5 + (0, 0))), (task("t", assignee="ann"),))
    assert board.capacity_min(0, 0, 4) == 5 * 480
    assert board.capacity_min(1, 2, 2) == 60
    assert board.capacity_min(0, 3, 2) == 0
    assert board.capacity_min(0, 0, board.axis.count) == board.capacity_min(0, 0, board.axis.count - 1)


@pytest.mark.parametrize(
    "work, minutes",
    [
        ((), 2_400),
        ((task("t", hours=4, due=0),), 2_160),
        ((task("t", hours=4, due=4),), 2_160),
        ((task("t", hours=40, due=11),), 2_400),
        ((task("t", hours=50, due=11),), 1_800),
        ((task("t", hours=40, due=11, release=day(7)),), 2_400),
        ((task("t", hours=100, due=4),), 240),
        ((task("t", hours=40, due=4),), 0),
    ],
)
def test_remaining_this_week_is_what_still_fits_without_breaking_a_promise(
    work: tuple[Task, ...], minutes: int
) -> None:
    board = compiled((person("ann"),), [one.model_copy(update={"assignee": "ann"}) for one in work])
    assert board.remaining_this_week().tolist() == [minutes]


@pytest.mark.parametrize(
    "now, minutes",
    [
        (datetime(2027, 3, 1, 8, 0), 2_400),
        (datetime(2027, 3, 1, 13, 0), 2_160),
        (datetime(2027, 3, 5, 16, 0), 60),
        (datetime(2027, 3, 5, 17, 0), 2_400),
        (datetime(2027, 3, 6, 12, 0), 2_400),
        (datetime(2027, 3, 1, 14, 0, tzinfo=UTC), 2_400),
        (datetime(2027, 3, 1, 18, 0, tzinfo=UTC), 2_160),
    ],
)
def test_this_week_is_the_calendar_week_of_the_first_working_time_left(now: datetime, minutes: int) -> None:
    board = compile_board(firm((person("ann"),)), now=now)
    assert board.remaining_this_week().tolist() == [minutes]


def test_span_of_an_arrival_is_from_its_release_to_its_deadline() -> None:
    board = compiled((person("ann"),))
    span = board.span_of(task("t", release=day(1), due=5))
    assert (span.release, span.due) == (1, 4)
    past = board.span_of(task("t", due=-1))
    assert past.due < past.release


def test_span_of_a_review_starts_after_its_preparation_is_promised() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", assignee="ann", due=2),))
    span = board.span_of(task("r", reviews="p", due=4))
    assert (span.release, span.due) == (3, 4)


def test_span_of_a_review_starts_at_its_own_release_when_that_is_later() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", assignee="ann", due=0),))
    assert board.span_of(task("r", reviews="p", due=4, release=day(3))).release == 3


def test_span_of_a_review_of_work_beyond_the_horizon_is_empty() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", hours=2_000, assignee="ann", due=2),))
    span = board.span_of(task("r", reviews="p", due=4))
    assert span.due < span.release == board.axis.count


def test_span_of_a_preparation_ends_before_its_review_is_promised() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", due=8), task("r", reviews="p", due=9, assignee="bob")))
    assert board.span_of(board.known["p"]).due == board.promises["r"].window.release - 1


@pytest.mark.parametrize(
    "window, fits",
    [((0, 1), False), ((2, 9), False), ((3, 9), True), ((4, 4), True), (None, True)],
)
def test_window_of_a_review_is_in_order_only_behind_its_preparation(window: tuple[int, int] | None, fits: bool) -> None:
    board = compiled((person("ann"),), (task("p", assignee="ann", due=2), task("r", reviews="p", due=9)))
    release, due = window or (board.axis.count,) * 2
    assert board.in_order(board.known["r"], Window(release, due, 0)) is fits


def test_window_of_a_preparation_is_in_order_only_before_its_reviews() -> None:
    board = compiled((person("bob"),), (task("p", due=8), task("r", reviews="p", due=9, assignee="bob")))
    begins = board.promises["r"].window.release
    assert board.in_order(board.known["p"], Window(0, begins - 1, 0))
    assert not board.in_order(board.known["p"], Window(0, begins, 0))
    board.withdraw("r")
    assert board.in_order(board.known["p"], Window(0, begins, 0))
    board.promise(board.known["r"], 0, Window(board.axis.count, board.axis.count, 1), 240)
    assert board.in_order(board.known["p"], Window(0, begins, 0))
    assert board.in_order(board.known["p"], Window(board.axis.count, board.axis.count, 1))


def test_timed_deadline_of_an_arrival_cuts_the_day_when_the_board_knows_it() -> None:
    noon = task("t", due=0, deadline_time=time(13, 0))
    board = compile_board(firm((person("ann"),)), now=NOW, also=(noon,))
    span = board.span_of(noon)
    assert board.capacity_min(0, span.release, span.due) == 240


def test_cutting_a_live_board_keeps_what_is_promised_and_lets_it_be_withdrawn() -> None:
    one = firm((person("ann"), person("bob")), (task("a", due=2, assignee="ann"), task("b", due=-1, assignee="bob")))
    noon = task("t", due=2, deadline_time=time(13, 0))
    live, fresh = compile_board(one, now=NOW), compile_board(one, now=NOW, also=(noon,))
    far = task("far", hours=2_000, due=2)
    live.promise(far, 0, Window(live.axis.count, live.axis.count, 9), 120_000)
    live.cut_for(noon)
    assert promised_days(live, "far") == (None, None)
    assert live.load_min.tolist() == [120_240, 240]
    live.withdraw("far")
    assert live.promises == fresh.promises
    assert live.ledger.slack.tolist() == fresh.ledger.slack.tolist()
    assert live.axis == fresh.axis


def test_cutting_for_a_deadline_the_axis_holds_changes_nothing() -> None:
    board = compiled((person("ann"),), (task("a", assignee="ann"),))
    before, axis = state(board), board.axis
    board.cut_for(task("t", due=2))
    assert board.axis is axis
    assert state(board) == before


def test_work_minutes_of_a_row_follow_each_persons_efficiency() -> None:
    people = (
        Person(id="fast", level="senior", skills=(Skill(skill="tax", efficiency_pct=75),)),
        Person(id="slow", level="senior", skills=(Skill(skill="tax", efficiency_pct=150),)),
        person("none", skills=()),
    )
    row = compiled(people).row_of(task("t", hours=1, logged_min=15))
    assert row.remaining_min == 45
    assert row.work_min.tolist() == [34, 68, 0]
    assert row.allowed.tolist() == [True, True, False]


def test_boards_of_one_firm_do_not_share_anything() -> None:
    one: Firm = firm((person("ann"),), (task("t"),))
    first, second = compile_board(one, now=NOW), compile_board(one, now=NOW)
    before = state(second)
    first.promise(one.tasks[0], 0, Window(0, 4, 0), 240)
    first.promise(task("new", reviews="t"), 0, Window(5, 5, 0), 240)
    assert state(second) == before
    assert np.array_equal(first.open_min, second.open_min)
