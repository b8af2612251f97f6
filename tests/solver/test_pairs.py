from __future__ import annotations

import numpy as np
import pytest

from solver import pairs as module
from solver.board import compile_board
from solver.pairs import own_prices, pairs
from tests.firms_for_tests import NOW, random_firm


@pytest.mark.parametrize("together", [1, 3, 256])
@pytest.mark.parametrize("seed", range(12))
def test_pairs_worked_out_together_are_those_of_each_task(
    seed: int, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOGETHER", together)
    one = random_firm(seed, people=7, tasks=40)
    people = tuple(
        who.model_copy(
            update={
                "skills": tuple(
                    cell.model_copy(update={"mismatch_min": 10 * p + k}) for k, cell in enumerate(who.skills)
                )
            }
        )
        for p, who in enumerate(one.people)
    )
    board = compile_board(one.model_copy(update={"people": people}), now=NOW)
    found = pairs(board)
    for t, row in enumerate(board.rows):
        assert found.work_min[t].tolist() == row.work_min.tolist()
        assert found.comfort_min[t].tolist() == sum(own_prices(board, row).values()).tolist()  # type: ignore[union-attr]
        assert not (found.allowed[t] & ~row.allowed).any()
    assert any(np.unique(found.comfort_min[t]).size > 2 for t in range(len(board.tasks)))


def test_rows_that_ask_the_same_share_what_they_hold_and_cannot_be_written() -> None:
    board = compile_board(random_firm(3), now=NOW)
    before = [row.allowed.tolist() for row in board.rows]
    for row in board.rows:
        board.qualified(row)
        with pytest.raises(ValueError, match="read-only"):
            board.staff.stopped_for_good(board.types[row.task.type].skill, board.clients[row.task.client].barred)[0] = 1
    assert [row.allowed.tolist() for row in board.rows] == before
