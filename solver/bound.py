"""Lower bounds: what no plan can beat, computed by other code than the search.

The linear relaxation over all windows, with cumulative loads as variables so that a window costs one number and not one per
task, and with the windows that start later added only where they are violated. Whatever the LP solver returns, the bound is
computed from its duals by weak duality here, so it holds at any stop and for any tolerance of the solver; one part in a
million is taken off for floating-point sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.crew import GoOn
from solver.multipliers import TOLERANCE, Multipliers
from solver.neighbourhoods import Leaning
from solver.person_plans import Items, items
from solver.problem import Problem
from solver.relaxation import Relaxation, Solved

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
    chains
        Persons and release rows whose windows, of those that start later, it needed, in the order they were added.
    duals
        Multipliers of its rows, the equal ones first, in the order of `solver.relaxation.Relaxation` with these chains.
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
    chains: tuple[tuple[int, int], ...]
    duals: NDArray[np.float64]
    marked: Marked
    multipliers: Multipliers

    @property
    def rows(self) -> frozenset[tuple[int, int]]:
        """Persons and release rows of the windows it needed."""
        return frozenset(self.chains)


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
    relaxation = Relaxation(problem)
    best, iterations, relaxed = float(alone), 0, None
    for _ in range(ROUNDS):
        solved = relaxation.solve()
        iterations += solved.iterations
        if solved.bound > -math.inf:
            relaxed = _read(relaxation, solved)
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


def _by_window(duals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return from the multipliers of a chain's rows those of its windows: the worth of a minute more in each."""
    worth: NDArray[np.float64] = np.maximum(np.append(duals, 0.0)[1:] - duals, 0.0)
    return worth


def _read(relaxation: Relaxation, solved: Solved) -> Relaxed:
    """Return what a solve says beside its bound."""
    problem, share = relaxation.problem, solved.values[relaxation.x]
    kept = np.flatnonzero(share > WEIGHTLESS)
    minute, later_min = np.zeros((problem.person_count, len(problem.dues))), 0.0
    price = relaxation.price.copy()
    for (p, a), rows in relaxation.chained.items():
        if a > 0:
            later = _by_window(solved.duals[rows])
            mine, room = relaxation.released(p, a), np.maximum(problem.room_min[p, a], 0)
            until = np.cumsum(later[::-1])[::-1]
            price[mine] += relaxation.work[mine] * until[problem.due_column[relaxation.window[mine]]]
            later_min += float(later @ room)
        else:
            # The multiplier of a column's row is the worth of a minute that counts there and in every later column.
            worth = np.maximum(-solved.duals[rows], 0.0)
            minute[p] = np.maximum.accumulate(worth[::-1])[::-1]
    task = np.maximum(solved.duals[: problem.task_count], 0.0)
    task = np.where(problem.may_escalate, np.minimum(task, problem.escalation_min), task)
    leaning = Leaning(relaxation.task[kept], relaxation.person[kept], relaxation.window[kept], share[kept])
    chains = tuple((p, a) for p, a in relaxation.chained if a > 0)
    parts = items(problem, relaxation.task, relaxation.person, relaxation.window, price)
    marked, multipliers = _marked(relaxation, solved), _multipliers(relaxation, solved)
    duals = np.concatenate([solved.duals, solved.shared_duals])
    return Relaxed(leaning, minute, task, parts, later_min, chains, duals, marked, multipliers)


def _marked(relaxation: Relaxation, solved: Solved) -> Marked:
    """Return every choice at the prices of minutes that a solve ended with."""
    problem = relaxation.problem
    own = problem.late_min[relaxation.window] + problem.comfort_min[relaxation.task, relaxation.person]
    price = solved.reduced[relaxation.x] + solved.duals[: problem.task_count][relaxation.task]
    return Marked(relaxation.task, relaxation.person, relaxation.window, price, price - own, solved.unused)


def _multipliers(relaxation: Relaxation, solved: Solved) -> Multipliers:
    """Return the multipliers of windows and shares."""
    problem, chains = relaxation.problem, list(relaxation.chained)
    minute = [_by_window(solved.duals[relaxation.chained[chain]]) for chain in chains]
    above, below = (np.array([solved.shared_duals[rows] for rows in relaxation.shared[i::2]]) for i in (0, 1))
    return Multipliers(
        person=np.array([p for p, _ in chains], dtype=np.int64),
        release=np.array([problem.releases[a] for _, a in chains], dtype=np.int64),
        dues=problem.dues.astype(np.int64),
        minute=np.array(minute).reshape(len(chains), len(problem.dues)),
        end_slots=problem.balance.end_slots,
        load=(below - above).reshape(-1, problem.person_count).T,
    )
