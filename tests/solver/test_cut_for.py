from __future__ import annotations

from datetime import time

import pytest

from solver.board import compile_board
from solver.plan import Outcome
from solver.routing import dry_run, place
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
