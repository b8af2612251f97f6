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

from solver import anneal, flattened
from solver.construct import completed, relieve
from solver.contention import contested, dear_minute
from solver.crew import GoOn
from solver.narrowing import narrowed
from solver.problem import Assignment, Problem

CHEAP, DEAR = 2.0, (4.0, 6.0)
"""Price of a minute that is lacking, first and last (by seed, for other plans), times what a minute of the work that costs more than it
must costs beyond that: at the price itself too much is promised to the end, at ten times it nothing but what fits anyway. In
minutes, 200 to 1,000 was right for firms where such a minute is 100, and ended a half above these where it is 45 (decision 37)."""
HOT_TIMES, COLD_MIN = 100.0, 20.0
"""The temperature falls from so many times the first price to less than a minute's: tasks are packed, and what they cost else comes
after."""
MOVES_PER_TASK, MOST_MOVES = 8_000, 12_000_000
CLOSING_COLD_MIN, CLOSING_DEAR, CLOSING_MOVES_PER_TASK = 5.0, 30_000.0, 3_000
"""What lacks then is made too dear for anything to stay that way."""
AFTER_HOT_MIN, AFTER_COLD_MIN = 30.0, 1.5
AFTER_BASE_CALLS, TASKS_PER_AFTER_CALL = 2, 600
"""Annealing by the rules that follows: it puts right what else the packing cost."""
OVERBOOKED_PER_UNIT = 1_500_000


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
        price = dear_minute(problem, self.plan)
        last = DEAR[self.seed % len(DEAR)]
        for hot, cold, cheap, dear, needed in _stretches(len(tasks), CHEAP * price, last * price):
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


def _stretches(tasks: int, cheap: float, dear: float) -> Iterator[tuple[float, float, float, float, bool]]:
    """Return temperatures and prices of each compiled call, first and last, and whether it is made even if nothing lacks."""
    legs = (
        (min(MOVES_PER_TASK * tasks, MOST_MOVES), max(HOT_TIMES * cheap, COLD_MIN), COLD_MIN, cheap, dear, True),
        (CLOSING_MOVES_PER_TASK * tasks, COLD_MIN, CLOSING_COLD_MIN, dear, max(CLOSING_DEAR, dear), False),
    )
    for moves, hot, cold, first, last, needed in legs:
        calls = -(-moves // anneal.OVERBOOKED_PER_CALL)
        heats, prices = np.geomspace(hot, cold, calls + 1).tolist(), np.geomspace(first, last, calls + 1).tolist()
        for (before, after), (low, high) in zip(pairwise(heats), pairwise(prices), strict=True):
            yield before, after, low, high, needed


def fitted(problem: Problem, plan: Assignment) -> Assignment:
    """Return a plan without overbooking: of whom too much is asked, tasks are escalated, cheapest per minute that they free first.

    Raises `ValueError` where what may not be escalated does not fit by itself.
    """
    plan = plan.copy()
    for p in np.flatnonzero((problem.slack_min(plan) < 0).any(axis=(1, 2))).tolist():
        if not relieve(problem, plan, p):
            raise ValueError(f"person {p} holds more work that must have somebody than fits")
    return plan
