"""A board kept up with the firm, one changed task at a time.

What is promised depends on the order in which work arrived, so a board is not only a firm and a moment: it is those, and
the changes since, followed in their order. Whoever follows the same changes from the same start has the same board.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from solver.board import Board
from solver.firm import Task
from solver.plan import Filter
from solver.task_row import TaskRow, is_held
from solver.windows import Window, graded_windows

MOMENT = timedelta(minutes=15)
"""How long a board's ``now`` stands: minutes of today pass four times an hour, as clocks of all time zones agree on quarters."""
CHANGES_PER_BASE = 4_000
"""Changes followed before the firm is compiled anew: a process that starts has no more than these to follow."""
LINKS = ("type", "client", "reviews")
"""Fields of a task whose change makes other work look different: the firm is compiled anew."""


def moment_of(now: datetime) -> datetime:
    """Return the moment that boards are compiled for at ``now``: the quarter of the hour, in UTC."""
    utc = now.astimezone(UTC)
    return utc - timedelta(minutes=utc.minute % 15, seconds=utc.second, microseconds=utc.microsecond)


def base_stands(base_at: datetime, changes: int, *, now: datetime) -> bool:
    """Whether a board compiled for ``base_at``, with so many changes followed since, is still good for deciding at ``now``.

    It is while its quarter of an hour lasts. A clock that is one quarter behind, as another machine's may be, leaves it as well: two
    processes would else take turns at compiling. Any other clock is believed.
    """
    moment = moment_of(now)
    return base_at in (moment, moment + MOMENT) and changes < CHANGES_PER_BASE


def needs_compiling(before: Task, after: Task) -> bool:
    """Whether a changed task makes other work look different, so that the firm is compiled anew."""
    return any(getattr(before, name) != getattr(after, name) for name in LINKS) or (after.open and not before.open)


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
