"""Lower bounds: what no plan can beat, computed by other code than the search.

The linear relaxation over all windows, with cumulative loads as variables so that a window costs one number and not one per
task, and with the windows that start later added only where they are violated. Whatever the LP solver returns, the bound is
computed from its duals by weak duality here, so it holds at any stop and for any tolerance of the solver; one part in a
million is taken off for floating-point sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import linprog

from solver.crew import GoOn
from solver.multipliers import TOLERANCE, Multipliers, picks
from solver.neighbourhoods import Leaning
from solver.person_plans import Items, items
from solver.problem import Problem

MOST_PICKS = 200_000
"""Beyond this many (task, person, window) the relaxation is not built, for a round of it cannot be interrupted (100 people, 3,000
tasks: 122,542 of them, 3.4 s a round); the bound is then what each task costs alone."""
ROUNDS = 6
ITERATIONS_PER_UNIT = 20_000
"""Simplex iterations of a firm of 30 by 600 in about a second."""


WEIGHTLESS = 0.02
"""Shares of a task below this are noise of the linear solver, or too little to follow."""


@dataclass(frozen=True)
class Marked:
    """Every choice of task, person and window with what it costs at the relaxation's prices of people's minutes.

    Attributes
    ----------
    price_min
        What the choice costs with its minutes.
    minutes_min
        What its minutes alone cost.
    unused_min
        ``(P,)`` what all of a person's minutes would save, were none used and no fair share missed: the cost of a person's work less
        ``minutes_min`` of it is never below minus this.
    """

    task: NDArray[np.int64]
    person: NDArray[np.int64]
    window: NDArray[np.int64]
    price_min: NDArray[np.float64]
    minutes_min: NDArray[np.float64]
    unused_min: NDArray[np.float64]


@dataclass(frozen=True)
class Relaxed:
    """What the relaxation says beside its bound.

    Attributes
    ----------
    leaning
        Where it puts tasks.
    minute
        ``(P, dues)`` what one more open minute of a person up to each due column would save; never more for a later one.
    task
        ``(T,)`` what doing each task costs.
    rows
        Persons and release rows whose windows, of those that start later, it needed.
    multipliers
        Of windows and fair shares, for variants of the firm (`solver.multipliers`).
    items, later_min
        What each person may do at what price, that of windows that start later included, and what those windows come to at their
        multipliers: for the bound of `solver.column_generation`.
    marked
        Every choice at the relaxation's prices, for `solver.settling`.
    """

    leaning: Leaning
    minute: NDArray[np.float64]
    task: NDArray[np.float64]
    items: Items
    later_min: float
    rows: frozenset[tuple[int, int]]
    marked: Marked
    multipliers: Multipliers


@dataclass(frozen=True)
class Bound:
    """A proven lower bound on the objective, unavoidable part included, and what it took.

    ``relaxed`` is missing where no relaxation was solved.
    """

    minutes: int
    work_units: float
    relaxed: Relaxed | None = None


@dataclass(frozen=True)
class Relax:
    """The job of computing the bound, for a crew."""

    def __call__(self, problem: Problem, go_on: GoOn) -> Bound:
        """Bound the problem; told to stop, return after the round at hand."""
        return lower_bound(problem, go_on)


def lower_bound(problem: Problem, go_on: Callable[[], bool] = lambda: True) -> Bound:
    """Return the bound of the linear relaxation, or the sum of each task's least price where that would be too large.

    ``go_on`` is asked between rounds of row generation; the bound of the rounds done holds.
    """
    alone = _alone(problem)
    if problem.task_count == 0 or problem.person_count == 0 or problem.choice_count > MOST_PICKS:
        return Bound(alone, 0.0)
    relaxation = _Relaxation(problem)
    best, iterations, relaxed = float(alone), 0, None
    for _ in range(ROUNDS):
        solved = relaxation.solve()
        iterations += solved.iterations
        if solved.bound > -math.inf:
            relaxed = relaxation.read(solved)
        best = max(best, solved.bound)
        if not go_on() or not relaxation.add_violated(solved.values):
            break
    return Bound(math.ceil(best - TOLERANCE * (1.0 + abs(best))), iterations / ITERATIONS_PER_UNIT, relaxed)


def _alone(problem: Problem) -> int:
    """Return the sum over tasks of the cheapest thing that can happen to each, balance aside."""
    cheapest = problem.escalation_min.copy()
    some = problem.allowed.any(axis=1)
    comfort = np.where(problem.allowed, problem.comfort_min, np.iinfo(np.int32).max)
    late = problem.late_min[problem.first_window[:-1]] if problem.task_count else cheapest
    if some.any():
        cheapest[some] = np.minimum(cheapest[some], comfort[some].min(axis=1) + late[some])
    return int(cheapest.sum())


@dataclass(frozen=True)
class _Solved:
    values: NDArray[np.float64]
    duals: NDArray[np.float64]
    reduced: NDArray[np.float64]
    unused: NDArray[np.float64]
    shared_duals: NDArray[np.float64]
    bound: float
    iterations: int


@dataclass
class _Columns:
    """Variables as they are added: price and upper bound each; lower bounds are zero."""

    price: list[NDArray[np.float64]] = field(default_factory=list)
    upper: list[NDArray[np.float64]] = field(default_factory=list)
    count: int = 0

    def add(self, price: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.int64]:
        self.price.append(price)
        self.upper.append(upper)
        self.count += len(price)
        return np.arange(self.count - len(price), self.count)


@dataclass
class _Rows:
    """Sparse constraint rows as they are added."""

    row: list[NDArray[np.int64]] = field(default_factory=list)
    column: list[NDArray[np.int64]] = field(default_factory=list)
    value: list[NDArray[np.float64]] = field(default_factory=list)
    right: list[NDArray[np.float64]] = field(default_factory=list)
    count: int = 0

    def new(self, right: NDArray[np.float64]) -> NDArray[np.int64]:
        self.right.append(right)
        self.count += len(right)
        return np.arange(self.count - len(right), self.count)

    def put(self, row: NDArray[np.int64], column: NDArray[np.int64], value: NDArray[np.float64] | float) -> None:
        self.row.append(row)
        self.column.append(column)
        self.value.append(np.broadcast_to(np.asarray(value, dtype=np.float64), row.shape))

    def matrix(self, columns: int) -> sp.csr_matrix:
        parts = (np.concatenate(self.value), (np.concatenate(self.row), np.concatenate(self.column)))
        return sp.csr_matrix(parts, shape=(self.count, columns))


def _by_window(duals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return from the multipliers of a chain's rows those of its windows: the worth of a minute more in each."""
    worth: NDArray[np.float64] = np.maximum(np.append(duals, 0.0)[1:] - duals, 0.0)
    return worth


class _Relaxation:
    """The linear program: who may do what in which window, escalations, cumulative loads, and distances to fair shares."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.columns, self.equal, self.most = _Columns(), _Rows(), _Rows()
        found = picks(problem)
        self.task, self.person, self.window = found.task, found.person, found.window
        self.work = problem.work_min[self.task, self.person].astype(np.float64)
        self.price = found.price_min(problem)
        self.x = self.columns.add(self.price, np.ones(len(self.price)))
        self.u = self.columns.add(problem.escalation_min.astype(np.float64), problem.may_escalate.astype(np.float64))
        once = self.equal.new(np.ones(problem.task_count))
        self.equal.put(once[self.task], self.x, 1.0)
        self.equal.put(once, self.u, 1.0)
        self.chained: dict[tuple[int, int], NDArray[np.int64]] = {}
        self.owned = [np.full(len(self.x) + len(self.u), -1)]
        self.share_owner = [np.zeros(0, dtype=np.int64)]
        self.shared: list[NDArray[np.int64]] = []
        self._imbalance()
        if len(problem.dues):
            for p in range(problem.person_count):
                self._chain(p, 0)

    def _chain(self, p: int, a: int) -> None:
        """Cumulative work of ``p`` released at row ``a`` or later: at most the room at each due column."""
        problem = self.problem
        room = problem.room_min[p, a].astype(np.float64)
        room = np.minimum(room, self.work[self.person == p].sum())
        y = self.columns.add(np.zeros(len(room)), np.maximum(room, 0.0))
        self.owned.append(np.full(len(y), p))
        rows = self.chained[p, a] = self.equal.new(np.zeros(len(room)))
        self.equal.put(rows, y, -1.0)
        self.equal.put(rows[1:], y[:-1], 1.0)
        mine = self._released(p, a)
        self.equal.put(rows[problem.due_column[self.window[mine]]], self.x[mine], self.work[mine])

    def _released(self, p: int, a: int) -> NDArray[np.int64]:
        """Return picks of ``p`` within the horizon that are released at row ``a`` or later."""
        problem = self.problem
        within = problem.due_column[self.window] < len(problem.dues)
        return np.flatnonzero((self.person == p) & within & (problem.release_row[self.window] >= a))

    def _imbalance(self) -> None:
        """Distances of each load to its fair share, near and far, and at the week ends."""
        problem, shares = self.problem, self.problem.balance
        people, ones = np.arange(problem.person_count), np.ones(problem.person_count)
        most = np.bincount(self.person, weights=self.work, minlength=problem.person_count) + shares.share_min.max(
            axis=1, initial=0
        )
        far = self.columns.add(ones * shares.far_pct / 100.0, most)
        self.owned.append(people)
        for column in range(shares.share_min.shape[1]):
            weight = shares.near_pct if column == 0 else shares.week_pct
            away = self.columns.add(ones * weight / 100.0, most)
            self.owned.append(people)
            counted = np.flatnonzero(
                (problem.due[self.window] <= shares.end_slots[column - 1])
                if column
                else np.ones_like(self.x, dtype=bool)
            )
            share = shares.share_min[:, column].astype(np.float64)
            for sign in (1.0, -1.0):
                rows = self.most.new(sign * share)
                self.share_owner.append(people)
                self.shared.append(rows)
                self.most.put(rows[self.person[counted]], self.x[counted], sign * self.work[counted])
                self.most.put(rows, away, -1.0)
            if column == 0:
                rows = self.most.new(shares.far_min.astype(np.float64))
                self.share_owner.append(people)
                self.most.put(rows, away, 1.0)
                self.most.put(rows[people], far, -1.0)

    def solve(self) -> _Solved:
        price = np.concatenate(self.columns.price)
        upper = np.concatenate(self.columns.upper)
        equal, most = self.equal.matrix(self.columns.count), self.most.matrix(self.columns.count)
        equal_right, most_right = np.concatenate(self.equal.right), np.concatenate(self.most.right)
        found = linprog(
            price,
            A_ub=most,
            b_ub=most_right,
            A_eq=equal,
            b_eq=equal_right,
            bounds=np.column_stack([np.zeros(len(upper)), upper]),
            method="highs",
        )
        if found.x is None:
            nothing = np.zeros(len(price))
            none = np.zeros(len(most_right))
            return _Solved(nothing, np.zeros(len(equal_right)), nothing, nothing, none, -math.inf, int(found.nit))
        y_equal, y_most = found.eqlin.marginals, np.minimum(found.ineqlin.marginals, 0.0)
        reduced = price - equal.T @ y_equal - most.T @ y_most
        bound = float(equal_right @ y_equal + most_right @ y_most + np.minimum(reduced, 0.0) @ upper)
        # Rows of tasks and chains are the equal ones; what chains come to is in the upper bounds of their loads alone.
        saved = np.minimum(reduced, 0.0) * upper
        owner, share_owner = np.concatenate(self.owned), np.concatenate(self.share_owner)
        theirs = np.zeros(self.problem.person_count)
        np.add.at(theirs, owner[owner >= 0], saved[owner >= 0])
        np.add.at(theirs, share_owner, most_right * y_most)
        return _Solved(found.x, y_equal, reduced, -theirs, y_most, bound, int(found.nit))

    def read(self, solved: _Solved) -> Relaxed:
        """Return what a solve says beside its bound."""
        problem, share = self.problem, solved.values[self.x]
        kept = np.flatnonzero(share > WEIGHTLESS)
        minute, later_min = np.zeros((problem.person_count, len(problem.dues))), 0.0
        price = self.price.copy()
        for (p, a), rows in self.chained.items():
            if a > 0:
                later = _by_window(solved.duals[rows])
                mine, room = self._released(p, a), np.maximum(problem.room_min[p, a], 0)
                until = np.cumsum(later[::-1])[::-1]
                price[mine] += self.work[mine] * until[problem.due_column[self.window[mine]]]
                later_min += float(later @ room)
            else:
                # The multiplier of a column's row is the worth of a minute that counts there and in every later column.
                worth = np.maximum(-solved.duals[rows], 0.0)
                minute[p] = np.maximum.accumulate(worth[::-1])[::-1]
        task = np.maximum(solved.duals[: problem.task_count], 0.0)
        task = np.where(problem.may_escalate, np.minimum(task, problem.escalation_min), task)
        leaning = Leaning(self.task[kept], self.person[kept], self.window[kept], share[kept])
        later_rows = frozenset((p, a) for p, a in self.chained if a > 0)
        parts = items(problem, self.task, self.person, self.window, price)
        marked, multipliers = self._marked(solved), self._multipliers(solved)
        return Relaxed(leaning, minute, task, parts, later_min, later_rows, marked, multipliers)

    def _marked(self, solved: _Solved) -> Marked:
        """Return every choice at the prices of minutes that a solve ended with."""
        problem = self.problem
        own = problem.late_min[self.window] + problem.comfort_min[self.task, self.person]
        price = solved.reduced[self.x] + solved.duals[: problem.task_count][self.task]
        return Marked(self.task, self.person, self.window, price, price - own, solved.unused)

    def _multipliers(self, solved: _Solved) -> Multipliers:
        """Return the multipliers of windows and shares."""
        problem, chains = self.problem, list(self.chained)
        minute = [_by_window(solved.duals[self.chained[chain]]) for chain in chains]
        above, below = (np.array([solved.shared_duals[rows] for rows in self.shared[i::2]]) for i in (0, 1))
        return Multipliers(
            person=np.array([p for p, _ in chains], dtype=np.int64),
            release=np.array([problem.releases[a] for _, a in chains], dtype=np.int64),
            dues=problem.dues.astype(np.int64),
            minute=np.array(minute).reshape(len(chains), len(problem.dues)),
            end_slots=problem.balance.end_slots,
            load=(below - above).reshape(-1, problem.person_count).T,
        )

    def add_violated(self, values: NDArray[np.float64]) -> bool:
        """Add the chains of later starts that ``values`` violates; return whether there were any."""
        problem = self.problem
        used = np.zeros((problem.person_count, *problem.room_min.shape[1:]))
        within = np.flatnonzero(problem.due_column[self.window] < len(problem.dues))
        minutes = self.work[within] * values[self.x[within]]
        place = (self.person[within], problem.release_row[self.window[within]], problem.due_column[self.window[within]])
        np.add.at(used, place, minutes)
        inside = np.cumsum(np.cumsum(used[:, ::-1, :], axis=1)[:, ::-1, :], axis=2)
        broken = (inside > problem.room_min + 0.5).any(axis=2)
        fresh = [(int(p), int(a)) for p, a in np.argwhere(broken) if (int(p), int(a)) not in self.chained]
        for p, a in fresh:
            self._chain(p, a)
        return bool(fresh)
