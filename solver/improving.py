"""Jobs of the search that improve a plan: annealing, and exact solves of neighbourhoods one after another.

Each job is told everything it depends on, so it comes to the same wherever it is done. Deterministic work is counted in units of about a
second of one core: four million annealing moves, one unit of CP-SAT's deterministic time, or what `solver.integer_program` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solver import anneal, flattened, integer_program, model
from solver.crew import GoOn
from solver.neighbourhoods import Leaning, Neighbourhoods, Taste
from solver.problem import Assignment, Problem

PICKS_PER_UNIT = 10_000
"""Building a joint model took 0.09 ms for each choice of person and window."""
PROOF_UNITS = 0.6
"""Deterministic budget of one exact solve of the whole firm by the joint model."""
NEIGHBOURHOOD_NODES = 100
"""Branch-and-bound nodes of one neighbourhood; those that need more rarely repay it."""

LONG_UNITS = 0.5
"""Work of one neighbourhood beyond which its kind gets smaller ones: many small ones gained more than few large ones."""


@dataclass(frozen=True)
class Annealed:
    """What a stretch of annealing ended with: the plan it stood at, the generator to go on with, the calls made."""

    plan: Assignment
    random: int
    calls: int


@dataclass(frozen=True)
class Anneal:
    """Anneal from a plan through ``heats`` (minutes), one call of the compiled loop between each two.

    Attributes
    ----------
    random
        State of the generator to begin with.
    """

    plan: Assignment
    random: int
    heats: tuple[float, ...]

    def __call__(self, problem: Problem, go_on: GoOn) -> Annealed:
        """Anneal; told to stop, return after the call at hand."""
        flat = flattened.facts(problem)
        state = flattened.start_state(problem, self.plan, 0)
        state.random[0] = self.random
        calls = 0
        for hot, cold in pairwise(self.heats):
            anneal.anneal(flat, state, anneal.MOVES_PER_CALL, hot, cold)
            calls += 1
            if not go_on():
                break
        return Annealed(flattened.result(state), int(state.random[0]), calls)


@dataclass(frozen=True)
class Improved:
    """What a chain of neighbourhoods ended with.

    Attributes
    ----------
    tried, since_gain
        Neighbourhoods solved, and how many of them after the last that gained anything.
    proven
        A solve of the whole firm proved its plan to be the best.
    people, free_tasks
        Size of the last neighbourhood.
    """

    plan: Assignment
    work_units: float
    tried: int
    since_gain: int
    taste: Taste
    proven: bool
    people: int
    free_tasks: int


@dataclass(frozen=True)
class Improve:
    """Solve neighbourhoods within one side of the firm until ``work_units`` are used.

    Attributes
    ----------
    people
        Who may be freed. Everything outside stays as it is in ``plan``.
    tasks
        ``(T,)`` which tasks may change; the two sides of a round share none, and none that is linked to the other's.
    taste
        Sizes and kinds of neighbourhood as learnt so far.
    seed
        Differs from round to round and side to side.
    leaning
        Where a relaxation puts tasks, if one was solved.
    """

    plan: Assignment
    people: NDArray[np.int64]
    tasks: NDArray[np.bool_]
    taste: Taste
    seed: tuple[int, ...]
    work_units: float
    most_tries: int
    leaning: Leaning | None = None

    def __call__(self, problem: Problem, go_on: GoOn) -> Improved:
        """Improve the plan; told to stop, return after the neighbourhood at hand."""
        places = Neighbourhoods(problem, self.seed, self.people, self.tasks, self.taste, self.leaning)
        plan, objective = self.plan, problem.objective_min(self.plan)
        used, tried, since_gain, proven, size = 0.0, 0, 0, False, (0, 0)
        while used < self.work_units and tried < self.most_tries and not proven:
            scope = places.next(plan)
            if scope is None:
                break
            size = (len(scope.people), len(scope.tasks))
            found, closed, units = self._solved(problem, scope, whole=places.everything(scope))
            value = problem.objective_min(found) if found is not None else objective
            places.learn(closed and units <= LONG_UNITS, gain_min=objective - value, work_units=units)
            used, tried, since_gain = used + units, tried + 1, since_gain + 1
            proven = closed and places.everything(scope) and value <= objective
            if found is not None and value < objective:
                plan, objective, since_gain = found, value, 0
            if not go_on():
                break
        return Improved(plan, used, tried, since_gain, places.taste, proven, *size)

    def _solved(self, problem: Problem, scope: model.Scope, *, whole: bool) -> tuple[Assignment | None, bool, float]:
        if whole:
            return proven_solve(problem, scope, seed=self.seed[0])
        return fast_solve(problem, scope)


def proven_solve(problem: Problem, scope: model.Scope, *, seed: int) -> tuple[Assignment | None, bool, float]:
    """Solve by the joint model, whose proof counts every rounding: for a scope that is the whole firm."""
    choice = model.build(problem, scope)
    plan, proven, units = model.solve(choice, work_units=PROOF_UNITS, seed=seed)
    return plan, proven, units + len(choice.picks) / PICKS_PER_UNIT


def fast_solve(problem: Problem, scope: model.Scope) -> tuple[Assignment | None, bool, float]:
    """Solve by HiGHS, which does twice as many neighbourhoods in the same time."""
    return integer_program.solve(integer_program.build(problem, scope), nodes=NEIGHBOURHOOD_NODES)
