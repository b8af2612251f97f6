"""Lower bounds: what no plan can beat, computed by other code than the search.

From the linear relaxation (`solver.relaxation`), to which rows are added where they are violated. Whatever the LP solver returns, the
bound is computed from its duals by weak duality, so it holds at any stop and for any tolerance of the solver; one part in a million is
taken off for floating-point sums. Firms too large for it have prices of minutes climb instead (`solver.ascent`), which bound by the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solver.ascent import FIRST_LEG, SECOND_LEG, Ascent, MinutePrices
from solver.crew import GoOn
from solver.multipliers import TOLERANCE, Multipliers
from solver.neighbourhoods import Leaning
from solver.problem import Problem
from solver.relaxation import Link, Relaxation, Solved

MOST_PICKS = 200_000
"""Beyond this many (task, person, window) the relaxation is not built, for a round of it cannot be interrupted (100 people, 3,000
tasks: 122,542 of them, 4 to 6 s for the first round)."""
PRICED_PICKS = 50_000
"""Beyond this many a plan begins at prices that climb: of two firms of 100 people, annealing from there came to 7.6 and 1.0 million
minutes within ten seconds, from the rule's plan to 7.9 and 3.0."""
MOST_ENTRIES = 200_000_000
"""Windows times people beyond which prices do not climb either, in memory of four bytes each; the bound is then what each task costs
alone."""
ROUNDS, LINK_ROUNDS = 6, 6
"""Of row generation: of windows, and then of what two tasks of one piece exclude as well. The latter raised the bound of one of five
firms of 600 tasks from 52 to 132 thousand minutes, and of another from 2.94 to 2.98 million."""
SLOW_SHARE = 1e-3
"""What a round of the latter must add to the bound for there to be another: at 3,000 tasks one takes half a second."""
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
    links
        Pairs of tasks that its last rows are about. Of all fields only ``leaning`` and ``duals`` know of them.
    duals
        Multipliers of its rows, the equal ones first, in the order of `solver.relaxation.Relaxation` with these chains and links.
    multipliers
        Of windows and fair shares, for variants of the firm (`solver.multipliers`).
    marked
        Every choice at the relaxation's prices, for `solver.settling`.
    plain
        Its bound without the rows of ``links``: what ``marked`` and ``multipliers`` add up to.
    """

    leaning: Leaning
    minute: NDArray[np.float64]
    task: NDArray[np.float64]
    chains: tuple[tuple[int, int], ...]
    links: tuple[Link, ...]
    duals: NDArray[np.float64]
    marked: Marked
    multipliers: Multipliers
    plain: float

    @property
    def rows(self) -> frozenset[tuple[int, int]]:
        """Persons and release rows of the windows it needed."""
        return frozenset(self.chains)


@dataclass(frozen=True)
class Bound:
    """A proven lower bound on the objective, unavoidable part included, and what it took.

    ``relaxed`` is missing where no relaxation was solved, ``prices`` where none climbed.
    """

    minutes: int
    work_units: float
    relaxed: Relaxed | None = None
    prices: MinutePrices | None = None


@dataclass(frozen=True)
class Relax:
    """The job of computing the bound, for a crew: by the relaxation, or by prices that climb, from ``start`` if there are some."""

    start: MinutePrices | None = None

    def __call__(self, problem: Problem, go_on: GoOn) -> Bound:
        """Bound the problem; told to stop, return after the round or the step at hand."""
        by_prices = not relaxable(problem) and _may_climb(problem)
        return climbed(problem, self.start, go_on) if by_prices else lower_bound(problem, go_on)


def relaxable(problem: Problem) -> bool:
    """Whether a firm is small enough for the relaxation."""
    return problem.choice_count <= MOST_PICKS


def starts_by_prices(problem: Problem) -> bool:
    """Whether a firm is so large that its plan begins at prices that climb."""
    return problem.choice_count > PRICED_PICKS and _may_climb(problem)


def _may_climb(problem: Problem) -> bool:
    return len(problem.release) * problem.person_count <= MOST_ENTRIES


def climbed(problem: Problem, start: MinutePrices | None = None, go_on: GoOn = lambda: True) -> Bound:
    """Return the bound of prices that climb for one leg, the first or, from some prices, the second; it ends early once told to stop."""
    ascent = Ascent(problem, start)
    ascent.climb(FIRST_LEG if start is None else SECOND_LEG, go_on)
    return Bound(max(_safe(ascent.bound()), _alone(problem)), ascent.used_units, prices=ascent.prices)


def _safe(bound: float) -> int:
    """Return whole minutes that a bound proves, less what floating-point sums may be off by."""
    return math.ceil(bound - TOLERANCE * (1.0 + abs(bound))) if bound > -math.inf else 0


def lower_bound(problem: Problem, go_on: Callable[[], bool] = lambda: True) -> Bound:
    """Return the bound of the linear relaxation, or the sum of each task's least price where that would be too large (see `Relax`).

    ``go_on`` is asked between rounds of row generation; the bound of the rounds done holds.
    """
    alone = _alone(problem)
    if problem.task_count == 0 or problem.person_count == 0 or not relaxable(problem):
        return Bound(alone, 0.0)
    relaxation = Relaxation(problem)
    best, iterations, relaxed, stopped = float(alone), 0, None, False
    for _ in range(ROUNDS):
        solved = relaxation.solve()
        iterations += solved.iterations
        if solved.bound > -math.inf:
            relaxed = _read(relaxation, solved)
        best = max(best, solved.bound)
        stopped = not go_on()
        if stopped or not relaxation.add_violated(solved.values):
            break
    if relaxed is not None and not stopped:
        for _ in range(LINK_ROUNDS):
            # What minutes are worth is read without these rows: it is asked of firms whose plans know them as well.
            if not relaxation.add_violated_links(solved.values) | relaxation.add_violated(solved.values):
                break
            solved, before = relaxation.solve(), best
            iterations += solved.iterations
            if solved.bound > best:
                best, relaxed = solved.bound, _with_links(relaxed, relaxation, solved)
            if best - before < SLOW_SHARE * (best - problem.unavoidable_min()) or not go_on():
                break
    return Bound(_safe(best), iterations / ITERATIONS_PER_UNIT, relaxed)


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


def _with_links(plain: Relaxed, relaxation: Relaxation, solved: Solved) -> Relaxed:
    """Return what a relaxation without the rows about two tasks said, with the bound's own part of one with them."""
    chains = tuple((p, a) for p, a in relaxation.chained if a > 0)
    return replace(
        plain,
        leaning=_leaning(relaxation, solved),
        chains=chains,
        links=tuple(relaxation.links),
        duals=np.concatenate([solved.duals, solved.shared_duals]),
    )


def _leaning(relaxation: Relaxation, solved: Solved) -> Leaning:
    """Return where a solve puts tasks."""
    share = solved.values[relaxation.x]
    kept = np.flatnonzero(share > WEIGHTLESS)
    return Leaning(relaxation.task[kept], relaxation.person[kept], relaxation.window[kept], share[kept])


def _read(relaxation: Relaxation, solved: Solved) -> Relaxed:
    """Return what a solve says beside its bound."""
    problem = relaxation.problem
    minute = np.zeros((problem.person_count, len(problem.dues)))
    for p in range(problem.person_count if len(problem.dues) else 0):
        # The multiplier of a column's row is the worth of a minute that counts there and in every later column.
        worth = np.maximum(-solved.duals[relaxation.chained[p, 0]], 0.0)
        minute[p] = np.maximum.accumulate(worth[::-1])[::-1]
    task = np.maximum(solved.duals[: problem.task_count], 0.0)
    task = np.where(problem.may_escalate, np.minimum(task, problem.escalation_min), task)
    chains = tuple((p, a) for p, a in relaxation.chained if a > 0)
    marked, multipliers = _marked(relaxation, solved), _multipliers(relaxation, solved)
    duals = np.concatenate([solved.duals, solved.shared_duals])
    return Relaxed(_leaning(relaxation, solved), minute, task, chains, (), duals, marked, multipliers, solved.bound)


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
