"""A first plan by overbooking: people may be promised too much for a while, and what is lacking finds the cheapest place to lack.

Escalations are lumps of hundreds of thousands of minutes, and no small step that keeps the rules leads from three of them to two: room
must be gathered from several people first, and none of these moves saves anything. With overbooking priced, each saves a little. Only
tasks that are escalated or late, and what is in their way, are moved, at temperatures that count in lacking minutes. What that
gave is in docs/decisions/0013-overbooking.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solver import anneal, flattened
from solver.construct import completed, relieve
from solver.crew import GoOn
from solver.narrowing import narrowed
from solver.problem import Assignment, Problem

HOT_MIN, COLD_MIN = 20_000.0, 20.0
CHEAP, DEAR = (200.0, 100.0), 1_000.0
"""Price in minutes of one minute that is lacking, first (by seed, for other plans) and last: about what the dearest work costs to
escalate by the minute. The temperature falls from a hundred such minutes to less than one: tasks are packed, and what they cost else
comes after."""
MOVES_PER_TASK, MOST_MOVES = 8_000, 12_000_000
CLOSING_COLD_MIN, CLOSING_DEAR, CLOSING_MOVES_PER_TASK = 5.0, 30_000.0, 1_000
"""What lacks then is made too dear for anything to stay that way."""
AFTER_HOT_MIN, AFTER_COLD_MIN = 30.0, 1.5
AFTER_BASE_CALLS, TASKS_PER_AFTER_CALL = 2, 600
"""Annealing by the rules that follows: it puts right what else the packing cost."""
OVERBOOKED_PER_UNIT = 1_500_000
WORTH_SHARE = 1e-3
"""A task is worth packing for from this share of the objective on."""


@dataclass(frozen=True)
class Found:
    """The plan found, which breaks no rule, and the deterministic work it took."""

    plan: Assignment
    work_units: float


@dataclass(frozen=True)
class Overbook:
    """Overbook from a plan that breaks no rule, and come back to one; differs by ``seed``."""

    plan: Assignment
    seed: int

    def __call__(self, problem: Problem, go_on: GoOn) -> Found:
        """Search; told to stop, give up what does not fit by then. Where no task is worth it the work is zero."""
        tasks = contested(problem, self.plan)
        if len(tasks) == 0:
            return Found(self.plan, 0.0)
        flat, state = flattened.facts(problem), flattened.start_state(problem, self.plan, self.seed)
        few, moved, kept = narrowed(flat, state, flattened.overbooked(problem, self.plan), tasks)
        done = 0
        for hot, cold, cheap, dear, needed in _stretches(len(tasks), CHEAP[self.seed % len(CHEAP)]):
            if not needed and not kept.over.any():
                break
            anneal.overbook(few, moved, kept, tasks, anneal.OVERBOOKED_PER_CALL, hot, cold, cheap, dear)
            done += 1
            if not go_on():
                break
        plan = completed(problem, fitted(problem, flattened.result(moved)))
        state, after = flattened.start_state(problem, plan, self.seed), 0
        calls = 1 + AFTER_BASE_CALLS + problem.task_count // TASKS_PER_AFTER_CALL
        heats = np.geomspace(AFTER_HOT_MIN, AFTER_COLD_MIN, calls).tolist()
        for hot, cold in pairwise(heats):
            if not go_on():
                break
            anneal.anneal(flat, state, anneal.MOVES_PER_CALL, hot, cold)
            after += 1
        overbooked = done * anneal.OVERBOOKED_PER_CALL / OVERBOOKED_PER_UNIT
        return Found(flattened.result(state), overbooked + after * anneal.MOVES_PER_CALL / anneal.MOVES_PER_UNIT)


def _stretches(tasks: int, cheap: float) -> Iterator[tuple[float, float, float, float, bool]]:
    """Return temperatures and prices of each compiled call, first and last, and whether it is made even if nothing lacks."""
    legs = (
        (min(MOVES_PER_TASK * tasks, MOST_MOVES), HOT_MIN, COLD_MIN, cheap, DEAR, True),
        (CLOSING_MOVES_PER_TASK * tasks, COLD_MIN, CLOSING_COLD_MIN, DEAR, CLOSING_DEAR, False),
    )
    for moves, hot, cold, first, last, needed in legs:
        calls = -(-moves // anneal.OVERBOOKED_PER_CALL)
        heats, prices = np.geomspace(hot, cold, calls + 1).tolist(), np.geomspace(first, last, calls + 1).tolist()
        for (before, after), (low, high) in zip(pairwise(heats), pairwise(prices), strict=True):
            yield before, after, low, high, needed


def contested(problem: Problem, plan: Assignment) -> NDArray[np.int64]:
    """Return the tasks that cost much more than they must, and those that are in their way.

    In the way of a task is what is promised no later than it is due, by people who may do it.
    """
    placed = plan.who >= 0
    window = problem.first_window[:-1] + np.maximum(plan.window, 0)
    cost = np.where(placed, problem.late_min[window], problem.escalation_min)
    worth = WORTH_SHARE * (problem.objective_min(plan) - problem.unavoidable_min())
    hard = np.flatnonzero(cost - problem.least_price_min > max(worth, 1.0))
    column = problem.due_column[window]
    among = np.zeros(problem.task_count, dtype=np.bool_)
    among[hard] = True
    for t in hard.tolist():
        among |= placed & problem.allowed[t, plan.who] & (column <= column[t])
    return np.flatnonzero(among)


def fitted(problem: Problem, plan: Assignment) -> Assignment:
    """Return a plan without overbooking: of whom too much is asked, tasks are escalated, cheapest per minute that they free first.

    Raises `ValueError` where what may not be escalated does not fit by itself.
    """
    plan = plan.copy()
    for p in np.flatnonzero((problem.slack_min(plan) < 0).any(axis=(1, 2))).tolist():
        if not relieve(problem, plan, p):
            raise ValueError(f"person {p} holds more work that must have somebody than fits")
    return plan
