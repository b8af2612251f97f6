"""Every open task against everybody, as arrays: minutes of work, personal prices, who may.

Tasks that ask the same skill and level are worked out together, some hundred at a time so that the numbers stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solver import prices
from solver.board import Board
from solver.eligibility import work_min
from solver.firm import Task
from solver.task_row import TaskRow

TOGETHER = 256
"""Tasks worked out at once."""


class Pairs(NamedTuple):
    """``(tasks, people)`` each: minutes of work, sum of the personal prices, who may do the task in a plan."""

    work_min: NDArray[np.int32]
    comfort_min: NDArray[np.int32]
    allowed: NDArray[np.bool_]


def pairs(board: Board) -> Pairs:
    """Return all pairs of a board, its open tasks in their order."""
    shape = len(board.tasks), board.staff.count
    found = Pairs(np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.bool_))
    for together in _alike(board):
        _fill(board, found, together)
    shared: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for t, row in enumerate(board.rows):
        key = (id(row.stopped), id(row.below))  # the rows live as long as the board, so an id stands for its array
        if key not in shared:
            shared[key] = row.allowed
        found.allowed[t] = shared[key]
        _restrict(board, row.task, found.allowed[t])
    return found


def own_prices(board: Board, row: TaskRow) -> dict[str, NDArray[np.int64]]:
    """Return per person the price of each personal term for one task; their sum is its row of ``comfort_min``."""
    staff, weights, task = board.staff, board.firm.policy.weights, row.task
    client = board.clients[task.client]
    usual = None if client.usual_person is None else staff.row[client.usual_person]
    return {
        "moves": prices.moves(weights, task, board.axis.first_day, holder(board, task), staff.count),
        "continuity": prices.continuity(weights, client, usual, staff.count),
        "level": prices.level(weights, staff.rank, row.needed_rank, row.work_min),
        "mismatch": staff.mismatch_min[staff.skill_row[board.types[task.type].skill]],
    }


def holder(board: Board, task: Task) -> int | None:
    """Return who holds the task today and may go on; ``None`` for new work and for flagged work, whose move is free."""
    promise = board.promises.get(task.id)
    return None if promise is None else promise.person


def _alike(board: Board) -> Iterator[list[int]]:
    """Yield tasks that need the same skill and level."""
    groups: dict[tuple[str, int], list[int]] = {}
    for t, row in enumerate(board.rows):
        groups.setdefault((board.types[row.task.type].skill, row.needed_rank), []).append(t)
    for group in groups.values():
        for start in range(0, len(group), TOGETHER):
            yield group[start : start + TOGETHER]


def _fill(board: Board, found: Pairs, together: list[int]) -> None:
    """Work out the minutes and the prices of some tasks of one skill and level; prices as in `own_prices`."""
    weights, staff = board.firm.policy.weights, board.staff
    first = board.rows[together[0]]
    remaining = np.array([board.rows[t].remaining_min for t in together], dtype=np.int64)
    work = work_min(first.efficiency_pct, remaining[:, None])
    mismatch = staff.mismatch_min[staff.skill_row[board.types[first.task.type].skill]]
    comfort = np.repeat(mismatch[None, :], len(together), axis=0)
    above = weights.level_above_pct * np.maximum(staff.rank - first.needed_rank - 1, 0)
    high = np.flatnonzero(above)
    comfort[:, high] += -(-above[high] * work[:, high] // 100)
    for i, t in enumerate(together):
        _add_own(board, board.tasks[t], comfort[i])
    found.work_min[together], found.comfort_min[together] = work, comfort


def _add_own(board: Board, task: Task, comfort: NDArray[np.int64]) -> None:
    """Add what is the task's own: taking it from its holder, and not being the client's usual person."""
    weights, here = board.firm.policy.weights, holder(board, task)
    usual = board.clients[task.client].usual_person
    soon = (task.deadline - board.axis.first_day).days <= weights.soon_days
    move = 0 if here is None else weights.move + (weights.move_soon if soon else 0)
    other = 0 if usual is None else weights.continuity
    comfort += move + other
    if here is not None:
        comfort[here] -= move
    if usual is not None:
        comfort[board.staff.row[usual]] -= other


def _restrict(board: Board, task: Task, allowed: NDArray[np.bool_]) -> None:
    """Keep pinned and started work with its person, and a client's request; nobody reviews what they finished."""
    only = holder(board, task) if task.pinned or task.started else None
    if only is None and task.requested_person is not None:
        only = board.staff.row[task.requested_person]
    for other in board.piece(task):
        if board.keeps(other):
            allowed[board.staff.row[str(board.known[other].assignee)]] = False
    if only is not None:
        may = bool(allowed[only])
        allowed[:] = False
        allowed[only] = may
