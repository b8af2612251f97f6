"""A board kept up with the firm, one changed task at a time.

What is promised depends on the order in which work arrived, so a board is not only a firm and a moment: it is those, and
the changes since, followed in their order. Whoever follows the same changes from the same start has the same board.
"""

from __future__ import annotations

from collections.abc import Iterator

from solver.board import Board
from solver.firm import Task
from solver.plan import Filter
from solver.task_row import TaskRow, is_held
from solver.windows import Window, graded_windows


def follow(board: Board, id: str, task: Task | None) -> bool:
    """Bring a board up to one task as it is from now on, ``None`` when it is gone; what others have promised stays.

    The task is promised anew: within its own span where that fits, else as little late as possible. An arrival that the routing
    rule has just placed gets the very promise that `solver.routing.place` would have made.

    Returns
    -------
    bool
        Whether the board can go on. It cannot where the axis had to be lengthened, where no window leaves a review behind its
        preparation, and where somebody prepares and reviews the same work, or does so no more: which of the two tasks
        is flagged is said of all together. Compile the firm again.
    """
    ledger, conflict = board.ledger, _conflict(board, id)
    if id in board.promises:
        board.withdraw(id)
    board.learnt.pop(id, None)
    board.flagged.pop(id, None)
    if task is not None or id in board.known:
        board.know(id, task)
    going_on = task is None or _enter(board, task)
    return going_on and not conflict and not _conflict(board, id) and board.ledger is ledger


def _enter(board: Board, task: Task) -> bool:
    """Promise a task that the board knows already, where anybody has it."""
    if not task.open or is_held(board.firm, task, board.types[task.type]):
        return True
    board.cut_for(task)
    return task.assignee is None or _promise(board, task)


def _conflict(board: Board, id: str) -> bool:
    """Whether somebody of the task's piece of work both prepares and reviews."""
    others = board.piece(board.known[id]) if id in board.known else []
    return bool(others) and any(
        board.flagged.get(one) is Filter.REVIEWER
        or (one in board.promises and board.promises[one].person in board.worked_on_piece(board.known[one]))
        for one in (id, *others)
    )


def _promise(board: Board, task: Task) -> bool:
    row, person = board.row_of(task), board.staff.row[str(task.assignee)]
    stop = board.stop_of_holder(row)
    if stop is not None:
        board.flagged[task.id] = stop
        return True
    work_min = row.takes_min(person)
    for window in _windows(board, row):
        if board.in_order(task, window) and board.ledger.fits(person, window.release, window.due, work_min):
            board.promise(task, person, window, work_min)
            return True
    return False


def _windows(board: Board, row: TaskRow) -> Iterator[Window]:
    """Yield the task's own span, then its windows, cheapest first."""
    span = board.span_of(row.task)
    if span.release <= span.due:
        yield Window(span.release, span.due, 0)
    yield from graded_windows(board.axis, (row.task,), {row.task.id: row.remaining_min}, board.firm.policy.weights)[0]
