"""The search: anneal for seconds on the exact ledger, then solve neighbourhoods of a few people exactly, where the money is.

No single method wins (docs/benchmarks.md): compiled annealing is unbeaten at thousands of tasks but stops short on small
firms with scarce people; exact neighbourhoods undo just that. The search is anytime: it holds a complete plan that breaks
no rule from the first moment, never returns a worse one than it was given, and looks at its stop rule several times a second.

Deterministic work is counted in units of about a second of one core: four million annealing moves, one unit of CP-SAT's
deterministic time, or building the exact model of ten thousand choices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from solver import anneal, integer_program, model
from solver.neighbourhoods import Neighbourhoods
from solver.plan import StopReason
from solver.problem import Assignment, Problem
from solver.stop import Progress, Stop

MOVES_PER_UNIT = 4_000_000
PICKS_PER_UNIT = 10_000
"""Building a model took 0.09 ms for each choice of person and window."""
ANNEAL_BASE_MOVES = 4_000_000
ANNEAL_MOVES_PER_TASK = 6_000
"""At 600 tasks two seconds of annealing, at 3,000 six; longer runs gained less than the neighbourhoods after them."""
HOT_MIN, COLD_MIN = 180.0, 1.5
"""Temperatures in minutes: two to three times the price of a move to start, well below any price to end."""
NEIGHBOURHOOD_UNITS = 0.6
"""Deterministic budget of an exact solve of the whole firm."""
NEIGHBOURHOOD_NODES = 200
"""Branch-and-bound nodes of one neighbourhood; those that need more rarely repay it."""

ProgressCallback = Callable[[Progress], None]


@dataclass
class Found:
    """What a search ended with."""

    plan: Assignment
    progress: Progress
    stop_reason: StopReason


@dataclass
class Search:
    """A running search: the best plan so far and the work spent.

    Attributes
    ----------
    base_min
        The unavoidable part, taken off every objective that is shown.
    """

    problem: Problem
    plan: Assignment
    progress: Progress
    stop: Stop
    on_progress: ProgressCallback
    base_min: int
    seed: int
    stop_reason: StopReason | None = None

    def report(self, plan: Assignment, work_units: float, phase: str) -> bool:
        """Take in a plan and work done, tell the listener, and return whether to go on."""
        objective = self.problem.objective_min(plan) - self.base_min
        if objective < self.progress.objective_min:
            self.plan = plan
        self.progress = replace(
            self.progress,
            work_units=self.progress.work_units + work_units,
            objective_min=min(objective, self.progress.objective_min),
            phase=phase,
        )
        return self._go_on()

    def bounded(self, bound_min: int, work_units: float) -> bool:
        """Take in a lower bound (less the unavoidable part) and the work it took; return whether to go on."""
        progress = self.progress
        self.progress = replace(
            progress,
            work_units=progress.work_units + work_units,
            bound_min=max(bound_min, progress.bound_min),
            phase="lower bound",
        )
        return self._go_on()

    def _go_on(self) -> bool:
        self.on_progress(self.progress)
        if self.stop_reason is None:
            self.stop_reason = self.stop(self.progress)
        if self.progress.objective_min <= self.progress.bound_min:
            self.stop_reason = StopReason.OPTIMAL
        return self.stop_reason is None


def anneal_from(search: Search) -> None:
    """Anneal from the search's plan, cooling once over a number of moves set by the size of the problem."""
    problem = search.problem
    if problem.task_count == 0 or not problem.allowed.any():
        return
    flat = anneal.facts(problem)
    state = anneal.start_state(problem, search.plan, search.seed)
    calls = -(-(ANNEAL_BASE_MOVES + ANNEAL_MOVES_PER_TASK * problem.task_count) // anneal.MOVES_PER_CALL)
    heats = np.geomspace(HOT_MIN, COLD_MIN, calls + 1).tolist()
    for hot, cold in pairwise(heats):
        anneal.anneal(flat, state, anneal.MOVES_PER_CALL, hot, cold)
        if not search.report(anneal.result(state), anneal.MOVES_PER_CALL / MOVES_PER_UNIT, "annealing"):
            return


def solve_neighbourhoods(search: Search) -> None:
    """Free a few people at a time and solve them exactly until the stop rule says so, or nothing is left to try."""
    places = Neighbourhoods(search.problem, search.seed)
    while search.stop_reason is None:
        scope = places.next(search.plan)
        if scope is None:
            search.stop_reason = StopReason.STALLED
            return
        before = search.progress.objective_min
        whole = places.everything(scope)
        plan, proven, units = _proven_solve(search, scope) if whole else _fast_solve(search, scope)
        phase = f"exact solve of {len(scope.people)} people, {len(scope.tasks)} tasks"
        search.report(plan if plan is not None else search.plan, units, phase)
        places.learn(proven, improved=search.progress.objective_min < before)
        if proven and whole:
            search.progress = replace(search.progress, bound_min=search.progress.objective_min)
            search.stop_reason = StopReason.OPTIMAL


def _proven_solve(search: Search, scope: model.Scope) -> tuple[Assignment | None, bool, float]:
    """Solve by the joint model, whose proof counts every rounding: for a scope that is the whole firm."""
    choice = model.build(search.problem, scope)
    plan, proven, units = model.solve(choice, work_units=NEIGHBOURHOOD_UNITS, seed=search.seed)
    return plan, proven, units + len(choice.picks) / PICKS_PER_UNIT


def _fast_solve(search: Search, scope: model.Scope) -> tuple[Assignment | None, bool, float]:
    """Solve by HiGHS, which does twice as many neighbourhoods in the same time."""
    return integer_program.solve(integer_program.build(search.problem, scope), nodes=NEIGHBOURHOOD_NODES)
