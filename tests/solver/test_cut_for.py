from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from solver.board import Board, compile_board
from solver.firm import Task
from solver.plan import Outcome
from solver.routing import dry_run, place
from solver.windows import Window
from tests.firms_for_tests import NOW, firm, person, random_firm, task

NOON = time(13, 0)
"""Half of a working day from nine to five."""


def test_an_arrival_due_at_a_time_gets_the_hours_until_then() -> None:
    board = compile_board(firm((person("ann"),)), now=NOW)
    assert place(board, task("a", hours=12, due=1, deadline_time=NOON)).outcome is Outcome.PLACED
    assert place(board, task("b", hours=0.25, due=1, deadline_time=NOON)).outcome is Outcome.ESCALATED
    assert place(board, task("c", hours=4, due=1)).outcome is Outcome.PLACED


def test_an_arrival_due_beyond_the_board_uses_the_days_until_its_deadline() -> None:
    board = compile_board(firm((person("ann"),), policy={"horizon_days": 7, "late_tail_days": 7}), now=NOW)
    assert place(board, task("a", hours=8 * 15, due=20)).outcome is Outcome.PLACED
    assert place(board, task("b", hours=8, due=20)).outcome is Outcome.ESCALATED


@pytest.mark.parametrize("seed", range(25))
def test_cutting_a_live_board_is_the_same_as_compiling_it_cut(seed: int) -> None:
    one = random_firm(seed).model_copy(update={"tasks": ()})  # nothing late: grades of lateness depend on the slots
    arrivals = [
        task(
            f"new{i}",
            hours=1 + 2 * (i % 11),
            due=(3 * i) % 25 + 60 * (i % 7 == 6),
            deadline_time=time(9 + i % 9, 0) if i % 2 else None,
            type=one.task_types[i % 6].id,
            client=one.clients[i % 2].id,
        )
        for i in range(40)
    ]
    live = compile_board(one, now=NOW)
    ready = compile_board(one, now=NOW, also=arrivals)
    for arrival in arrivals:
        asked = dry_run(live, arrival)
        answered = place(live, arrival)
        assert asked == answered
        assert answered == place(ready, arrival)
    assert {id: promise.person for id, promise in live.promises.items()} == {
        id: promise.person for id, promise in ready.promises.items()
    }


@pytest.mark.parametrize("seed", range(20))
def test_cuts_one_after_another_leave_the_board_as_if_it_had_been_compiled_with_them(seed: int) -> None:
    one = random_firm(seed).model_copy(update={"tasks": ()})
    clocks = [(due, time(9 + (5 * due + seed) % 8, 30)) for due in (3, 0, 9, 3, 14, 1, 3, 18, 2, 8, 4, 3)]
    like: dict[str, Any] = {"type": one.task_types[0].id, "client": one.clients[0].id}
    timed = [task(f"c{i}", due=due, deadline_time=clock, **like) for i, (due, clock) in enumerate(clocks)]
    far = task("far", due=30, **like)
    live, fresh = compile_board(one, now=NOW, also=(far,)), compile_board(one, now=NOW, also=(far, *timed))
    for p in range(len(one.people)):
        work = task(f"w{p}", hours=3, due=9, release=None, **like)
        live.promise(work, p, live_window(live, work), 180)
        fresh.promise(work, p, live_window(fresh, work), 180)
    for arrival in timed:
        live.cut_for(arrival)
    assert live.axis == fresh.axis
    assert live.open_min.tolist() == fresh.open_min.tolist()
    assert live.until_min.tolist() == fresh.until_min.tolist()
    assert live.ledger.slack.tolist() == fresh.ledger.slack.tolist()
    assert live.ledger.room.tolist() == fresh.ledger.room.tolist()
    assert live.promises == fresh.promises
    assert live.due_load_min.tolist() == fresh.due_load_min.tolist()


def live_window(board: Board, work: Task) -> Window:
    span = board.span_of(work)
    return Window(span.release, span.due, 0)


def test_a_cut_that_leaves_a_part_without_minutes_is_the_same_as_compiling_it_cut() -> None:
    short = firm((person("ann", weekly_min=(3,) * 7),))  # three minutes a day: the first hour has none of them
    arrival = task("t", hours=0.25, due=6, deadline_time=time(10, 0))
    live, fresh = compile_board(short, now=NOW), compile_board(short, now=NOW, also=(arrival,))
    assert place(live, arrival) == place(fresh, arrival)
    assert live.axis == fresh.axis
    assert live.open_min.tolist() == fresh.open_min.tolist()


def test_loads_by_week_end_follow_promises_and_cuts() -> None:
    board = compile_board(firm((person("ann"), person("bob"))), now=NOW)
    place(board, task("a", hours=4, due=4))
    place(board, task("b", hours=6, due=9))
    place(board, task("c", hours=5, due=9, deadline_time=NOON))
    assert board.due_load_min.sum(axis=0).tolist() == [240, 900, 900, 900]
    board.promise(task("far"), 0, Window(board.axis.count, board.axis.count, 9), 240)
    board.withdraw("b")
    assert board.due_load_min.sum(axis=0).tolist() == [240, 540, 540, 540]
