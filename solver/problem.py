"""The batch problem: every open task against everybody, as arrays. Search, model and bound all read this and nothing else.

A task is placed as (person, window) or escalated. Which windows a task has decides how late it may be:

* a new task that somebody could do on time has on-time windows only: in time, or escalated;
* a task promised today keeps a promise at least as good, so no plan breaks a promise that holds;
* a new task that nobody could finish in time, and work whose person may not do it any more, may be late at a price;
* what a variant of the firm may have late, this one may have late (`leeway_days`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solver import prices
from solver.board import Board
from solver.pairs import Pairs, own_prices, pairs
from solver.windows import Window, days_late

ESCALATED = -1


@dataclass
class Assignment:
    """Who does what, when: the person and the window (by place in the task's list) of each task, -1 for escalated."""

    who: NDArray[np.int32]
    window: NDArray[np.int32]

    def copy(self) -> Assignment:
        """Return an independent copy."""
        return Assignment(self.who.copy(), self.window.copy())


@dataclass(frozen=True)
class Problem:
    """One batch problem with ``T`` tasks, ``P`` people and ``W`` windows in all.

    Attributes
    ----------
    work_min, comfort_min
        ``(T, P)`` minutes of work, and the price of moving, continuity and level; meaningless where not ``allowed``.
    first_window
        ``(T + 1,)`` where each task's windows start in the arrays below, cheapest first.
    release, due, late_min
        ``(W,)`` window bounds as slots and the price of lateness.
    release_row, due_column
        ``(W,)`` the same bounds as places in ``releases`` and ``dues``, the slots that occur at all; equal to their length beyond
        the horizon. Windows between other slots cannot bind.
    room_min
        ``(P, releases, dues)`` open minutes of each window that can bind.
    escalation_min
        ``(T,)`` price of leaving the task to a partner; dearer than any lateness it may have.
    piece, piece_start
        Other tasks whose person must differ, as one flat array and its ``(T + 1,)`` starts.
    preparation
        ``(T,)`` the task that must be promised before this one is released, -1 for none.
    today
        Today's assignment; tasks nobody holds, or whose person may not do them, are escalated in it.
    """

    board: Board
    work_min: NDArray[np.int32]
    comfort_min: NDArray[np.int32]
    allowed: NDArray[np.bool_]
    first_window: NDArray[np.int32]
    release: NDArray[np.int32]
    due: NDArray[np.int32]
    late_min: NDArray[np.int64]
    release_row: NDArray[np.int32]
    due_column: NDArray[np.int32]
    releases: NDArray[np.int32]
    dues: NDArray[np.int32]
    room_min: NDArray[np.int32]
    escalation_min: NDArray[np.int64]
    may_escalate: NDArray[np.bool_]
    piece: NDArray[np.int32]
    piece_start: NDArray[np.int32]
    preparation: NDArray[np.int32]
    balance: prices.Balance
    today: Assignment

    @property
    def task_count(self) -> int:
        """Number of tasks."""
        return len(self.escalation_min)

    @property
    def person_count(self) -> int:
        """Number of people."""
        return int(self.room_min.shape[0])

    @property
    def choice_count(self) -> int:
        """Number of choices of task, person and window: the size of what is to be decided."""
        return int((self.allowed.sum(axis=1) * np.diff(self.first_window)).sum())

    @cached_property
    def reviews(self) -> Mapping[int, list[int]]:
        """The tasks that each preparation must be promised before."""
        found: dict[int, list[int]] = {}
        for review in np.flatnonzero(self.preparation >= 0).tolist():
            found.setdefault(int(self.preparation[review]), []).append(review)
        return found

    @cached_property
    def least_comfort_min(self) -> NDArray[np.int32]:
        """``(T,)`` comfort price of each task with the person it belongs with; the largest number where nobody may do it."""
        price = np.where(self.allowed, self.comfort_min, np.iinfo(np.int32).max)
        least: NDArray[np.int32] = price.min(axis=1, initial=np.iinfo(np.int32).max)
        return least

    @cached_property
    def shared_tasks(self) -> NDArray[np.float32]:
        """``(P, P)`` how many tasks each two people may both do; nobody shares with themselves."""
        may = self.allowed.astype(np.float32)
        shared: NDArray[np.float32] = may.T @ may
        np.fill_diagonal(shared, 0)
        return shared

    def windows_of(self, t: int) -> range:
        """Return the places of a task's windows in the flat arrays."""
        return range(int(self.first_window[t]), int(self.first_window[t + 1]))

    def chosen(self, plan: Assignment, tasks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the flat window place of placed ``tasks``."""
        return self.first_window[tasks].astype(np.int64) + plan.window[tasks]

    def loads_min(self, plan: Assignment) -> NDArray[np.int64]:
        """Return ``(P, 1 + weeks)`` loads: of all work, and of the work promised by each levelled week end."""
        loads = np.zeros(self.balance.share_min.shape, dtype=np.int64)
        placed = np.flatnonzero(plan.who >= 0)
        who = plan.who[placed]
        work = self.work_min[placed, who].astype(np.int64)
        due = self.due[self.chosen(plan, placed)]
        np.add.at(loads[:, 0], who, work)
        for j, end in enumerate(self.balance.end_slots):
            counts = due <= end
            np.add.at(loads[:, j + 1], who[counts], work[counts])
        return loads

    def terms_min(self, plan: Assignment) -> dict[str, int]:
        """Return each term of the objective for a plan, unavoidable part included."""
        placed = np.flatnonzero(plan.who >= 0)
        found = dict.fromkeys(prices.TERMS, 0)
        found["escalation"] = int(self.escalation_min[plan.who < 0].sum())
        found["late"] = int(self.late_min[self.chosen(plan, placed)].sum())
        found["balance"] = int(self.balance.cost_min(self.loads_min(plan)).sum())
        for t in placed.tolist():
            if self.comfort_min[t, plan.who[t]]:
                for name, price in personal_prices(self.board, t).items():
                    found[name] += int(price[plan.who[t]])
        return found

    def objective_min(self, plan: Assignment) -> int:
        """Return the sum of the terms, unavoidable part included."""
        placed = np.flatnonzero(plan.who >= 0)
        return int(
            self.escalation_min[plan.who < 0].sum()
            + self.late_min[self.chosen(plan, placed)].sum()
            + self.comfort_min[placed, plan.who[placed]].sum(dtype=np.int64)
            + self.balance.cost_min(self.loads_min(plan)).sum()
        )

    def slack_min(self, plan: Assignment, people: NDArray[np.int64] | None = None) -> NDArray[np.int32]:
        """Return what is left of each window that can bind; a negative entry is a broken promise.

        ``(people, releases, dues)``, for everybody or in the order of ``people``.
        """
        who = np.arange(self.person_count) if people is None else people
        rows, columns = len(self.releases), len(self.dues)
        place = np.full(self.person_count, -1, dtype=np.int64)
        place[who] = np.arange(len(who))
        placed = np.flatnonzero(plan.who >= 0)
        placed = placed[place[plan.who[placed]] >= 0]
        windows = self.chosen(plan, placed)
        used = np.zeros((len(who), rows + 1, columns + 1), dtype=np.int32)
        where = (place[plan.who[placed]], self.release_row[windows], self.due_column[windows])
        np.add.at(used, where, self.work_min[placed, plan.who[placed]])
        # A window binds everything promised inside it: released at its start or later, due by its end.
        inside = np.cumsum(used[:, :rows, :columns][:, ::-1], axis=1, dtype=np.int32)[:, ::-1]
        slack: NDArray[np.int32] = self.room_min[who] - np.cumsum(inside, axis=2, dtype=np.int32)
        return slack

    @cached_property
    def least_price_min(self) -> NDArray[np.int64]:
        """``(T,)`` late or escalation price of each task if it were alone."""
        return np.array([self._least_price(t) for t in range(self.task_count)], dtype=np.int64)

    def unavoidable_min(self) -> int:
        """Return the price no plan escapes: for each task, its least late or escalation price if it were alone."""
        return int(self.least_price_min.sum())

    def unavoidable(self, t: int) -> bool:
        """Whether nobody may do the task, whatever the plan."""
        return not bool(self.allowed[t].any())

    def _least_price(self, t: int) -> int:
        who = np.flatnonzero(self.allowed[t])
        for w in self.windows_of(t):
            if (solo_room_min(self, w)[who] >= self.work_min[t, who]).any():
                return int(self.late_min[w])
        return int(self.escalation_min[t])


def solo_room_min(problem: Problem, window: int) -> NDArray[np.int32]:
    """Return per person the open minutes of a window with nothing else promised."""
    row, column = problem.release_row[window], problem.due_column[window]
    if column == len(problem.dues):
        return np.full(problem.person_count, np.iinfo(np.int32).max, dtype=np.int32)
    room: NDArray[np.int32] = problem.room_min[:, row, column]
    return room


def personal_prices(board: Board, t: int) -> dict[str, NDArray[np.int64]]:
    """Return per person the price of each personal term for one task; their sum is its row of ``comfort_min``."""
    return own_prices(board, board.rows[t])


def compile_problem(board: Board) -> Problem:
    """Compile the batch problem of a board; the board stays as it is."""
    found, capacity = pairs(board), Capacity(board)
    windows = [offered(board, t, capacity, found.work_min[t], found.allowed[t]) for t in range(len(board.tasks))]
    usual = np.einsum("tp,tp->t", found.work_min, found.allowed, dtype=np.int64)
    return assembled(board, found, windows, usual // np.maximum(found.allowed.sum(axis=1), 1))


def assembled(
    board: Board, found: Pairs, windows: Sequence[tuple[Window, ...]], usual_min: NDArray[np.int64]
) -> Problem:
    """Return the problem of a board from its pairs, the windows offered for each task, and its mean minutes ``(T,)``."""
    flat = [window for offers in windows for window in offers]
    beyond = board.axis.count
    releases = np.array(sorted({w.release for w in flat if w.release < beyond and w.due < beyond}), dtype=np.int32)
    dues = np.array(sorted({w.due for w in flat if w.due < beyond}), dtype=np.int32)
    release = np.array([w.release for w in flat], dtype=np.int32)
    due = np.array([w.due for w in flat], dtype=np.int32)
    first = np.zeros(len(windows) + 1, dtype=np.int32)
    first[1:] = np.cumsum([len(offers) for offers in windows])
    late = np.array([w.price_min for w in flat], dtype=np.int64)
    piece, piece_start = _pieces(board)
    return Problem(
        board=board,
        work_min=found.work_min,
        comfort_min=found.comfort_min,
        allowed=found.allowed,
        first_window=first,
        release=release,
        due=due,
        late_min=late,
        release_row=np.where(due < beyond, np.searchsorted(releases, release), len(releases)).astype(np.int32),
        due_column=np.searchsorted(dues, due).astype(np.int32),
        releases=releases,
        dues=dues,
        room_min=_room(board, releases, dues),
        escalation_min=np.array([_escalation(board, t, windows[t]) for t in range(len(windows))], dtype=np.int64),
        may_escalate=np.array([task.id not in board.promises for task in board.tasks], dtype=np.bool_),
        piece=piece,
        piece_start=piece_start,
        preparation=np.array([board.task_index.get(task.reviews or "", -1) for task in board.tasks], dtype=np.int32),
        balance=_balance(board, usual_min),
        today=_today(board, windows),
    )


class Capacity:
    """Everybody's open minutes of a window, slot by slot in a row."""

    def __init__(self, board: Board) -> None:
        """Sum up the open minutes of a board."""
        self.slots = board.axis.count
        self.until_min = np.ascontiguousarray(board.until_min.T, dtype=np.int32)

    def holds(self, windows: Sequence[Window], work: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return who could do the work in one of the windows with nothing else to do."""
        can = np.zeros(len(work), dtype=np.bool_)
        for window in windows:
            if window.due >= self.slots:
                return np.ones(len(work), dtype=np.bool_)
            can |= self.until_min[window.due + 1] - self.until_min[window.release] >= work
        return can


def offered(
    board: Board, t: int, capacity: Capacity, work: NDArray[np.int32], allowed: NDArray[np.bool_]
) -> tuple[Window, ...]:
    """Return the windows a plan may use for a task (see the module's first page); who is too late for them is not allowed."""
    task = board.tasks[t]
    leeway = board.leeway_days.get(task.id)
    if task.id in board.promises:
        windows = board.windows.up_to(t, board.promises[task.id].window.price_min)
        if leeway is not None:
            windows = max(windows, board.windows.at_most_late(t, leeway), key=len)
        if windows[-1].on_time:
            allowed &= capacity.holds(windows, work)
        return windows
    on_time = board.windows.up_to(t, 0)
    may = allowed & capacity.holds(on_time, work)
    strict = leeway is None and task.assignee is None and task.requested_person is None and bool(may.any())
    windows = on_time if strict else board.windows[t]
    if windows[-1].on_time:
        allowed[:] = may
    return windows


def leeway_days(problem: Problem) -> dict[str, int]:
    """Return the calendar days that each task may be late at most, of those that may be late at all.

    A variant of the firm compiled with them (`solver.board.compile_board`) takes no permission away: what is allowed here is allowed
    there as far as the hours go. Without, more hours may forbid a plan: work nobody could do in time may be late, until somebody could.
    """
    last, tasks = problem.first_window[1:] - 1, problem.board.tasks
    axis = problem.board.axis
    return {
        tasks[t].id: days_late(axis, tasks[t], int(problem.due[last[t]]))
        for t in np.flatnonzero(problem.late_min[last] > 0).tolist()
    }


def _escalation(board: Board, t: int, windows: Sequence[Window]) -> int:
    base = prices.escalation_price_min(board.firm.policy.weights, board.tasks[t], board.rows[t].remaining_min)
    return base + max((window.price_min for window in windows), default=0)


def _room(board: Board, releases: NDArray[np.int32], dues: NDArray[np.int32]) -> NDArray[np.int32]:
    until = board.until_min.astype(np.int32)
    room: NDArray[np.int32] = until[:, None, dues + 1] - until[:, releases, None]
    # A window that ends before it starts holds no task and binds nothing.
    np.copyto(room, np.iinfo(np.int32).max // 2, where=releases[:, None] > dues[None, :])
    return room


def _pieces(board: Board) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    others = [[board.task_index[o] for o in board.piece(task) if o in board.task_index] for task in board.tasks]
    start = np.zeros(len(others) + 1, dtype=np.int32)
    start[1:] = np.cumsum([len(found) for found in others])
    return np.array([o for found in others for o in found], dtype=np.int32), start


def _balance(board: Board, usual: NDArray[np.int64]) -> prices.Balance:
    due = np.array([board.axis.due_slot(task.deadline, task.deadline_time) for task in board.tasks], dtype=np.int64)
    return prices.balance(board.firm, board.axis, board.open_min, usual, due)


def _today(board: Board, windows: Sequence[Sequence[Window]]) -> Assignment:
    who = np.full(len(windows), ESCALATED, dtype=np.int32)
    chosen = np.full(len(windows), -1, dtype=np.int32)
    for t, task in enumerate(board.tasks):
        promise = board.promises.get(task.id)
        if promise is not None:
            who[t], chosen[t] = promise.person, windows[t].index(promise.window)
    return Assignment(who, chosen)
