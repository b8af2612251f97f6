"""A first plan by overbooking: people may be promised too much for a while, and what is lacking finds the cheapest place to lack.

Escalations are lumps of hundreds of thousands of minutes, and no small step that keeps the rules leads from three of them to two: room
must be gathered from several people first, and none of these moves saves anything. With overbooking priced, each saves a little. What
that gave is in docs/decisions/0013-overbooking.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solver import anneal
from solver.construct import completed
from solver.crew import GoOn
from solver.problem import ESCALATED, Assignment, Problem

HOT_MIN, COLD_MIN = 100.0, 1.5
CHEAP, DEAR = 10.0, 3_000.0
"""Price in minutes of one minute that is lacking, first and last: below that of most lateness, and above what the dearest work costs to
escalate by the minute."""
BASE_MOVES, MOVES_PER_TASK = 100_000, 2_000
AFTER_HOT_MIN = 30.0
AFTER_BASE_CALLS, TASKS_PER_AFTER_CALL = 2, 200
"""Annealing by the rules that follows: it puts right what the end of the overbooking broke."""
OVERBOOKED_PER_UNIT = 800_000


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
        """Search; told to stop, give up what does not fit by then."""
        flat, state = anneal.facts(problem), anneal.start_state(problem, self.plan, self.seed)
        kept = anneal.overbooked(problem, self.plan)
        moves = BASE_MOVES + MOVES_PER_TASK * problem.task_count
        calls = -(-moves // anneal.OVERBOOKED_PER_CALL)
        heats = np.geomspace(HOT_MIN, COLD_MIN, calls + 1).tolist()
        prices = np.geomspace(CHEAP, DEAR, calls + 1).tolist()
        done = 0
        for done in range(1, calls + 1):
            stretch = (heats[done - 1], heats[done], prices[done - 1], prices[done])
            anneal.overbook(flat, state, kept, anneal.OVERBOOKED_PER_CALL, *stretch)
            if not go_on():
                break
        plan = completed(problem, fitted(problem, anneal.result(state)))
        state, after = anneal.start_state(problem, plan, self.seed), 0
        heats = np.geomspace(AFTER_HOT_MIN, COLD_MIN, 1 + AFTER_BASE_CALLS + problem.task_count // TASKS_PER_AFTER_CALL)
        for hot, cold in zip(heats[:-1].tolist(), heats[1:].tolist(), strict=True):
            if not go_on():
                break
            anneal.anneal(flat, state, anneal.MOVES_PER_CALL, hot, cold)
            after += 1
        overbooked = done * anneal.OVERBOOKED_PER_CALL / OVERBOOKED_PER_UNIT
        return Found(anneal.result(state), overbooked + after * anneal.MOVES_PER_CALL / anneal.MOVES_PER_UNIT)


def fitted(problem: Problem, plan: Assignment) -> Assignment:
    """Return a plan without overbooking: of whom too much is asked, tasks are escalated, cheapest per minute that they free first.

    The tasks that may not be escalated must fit by themselves.
    """
    plan = plan.copy()
    people = np.flatnonzero((problem.slack_min(plan) < 0).any(axis=(1, 2)))
    for p in people.tolist():
        while True:
            slack = problem.slack_min(plan, np.array([p]))[0]
            a, b = np.unravel_index(int(slack.argmin()), slack.shape)
            lacking = -int(slack[a, b])
            if lacking <= 0:
                break
            mine = np.flatnonzero((plan.who == p) & problem.may_escalate)
            window = problem.chosen(plan, mine)
            inside = mine[(problem.release_row[window] >= a) & (problem.due_column[window] <= b)]
            freed = np.minimum(problem.work_min[inside, p], lacking)
            given_up = int(inside[(problem.escalation_min[inside] / freed).argmin()])
            plan.who[given_up], plan.window[given_up] = ESCALATED, -1
    return plan
