"""The plan near another one: who has a task keeps it unless giving it to somebody else earns more than the disruption.

Two good plans of nearly the same firm may differ in hundreds of tasks by chance, as many plans cost about the same. Compared with
each other they would show chance and not what changed. So every task with another person than in the plan to stay near costs a
surcharge here, and the annealing starts from that plan, carried over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solver import anneal, flattened
from solver.plan import Plan
from solver.problem import Assignment, Problem

FIXED_MOVES, MOVES_PER_TASK = 200_000, 300
"""Annealing moves: about a second of one core at three thousand tasks."""
HOT_MIN, COLD_MIN, STEPS = 90.0, 2.0, 20
"""Temperatures in minutes: little more than a surcharge, as the plan is nearly right."""


def people_of(problem: Problem, plan: Plan) -> NDArray[np.int64]:
    """Return the row of the person who has each task in a plan, -1 for tasks and people that are not in both."""
    rows = np.full(problem.task_count, -1, dtype=np.int64)
    for item in plan.tasks:
        t = problem.board.task_index.get(item.task, -1)
        if t >= 0:
            rows[t] = problem.board.staff.row.get(item.person, -1)
    return rows


def nearest(
    problem: Problem, people: NDArray[np.int64], choices: Sequence[Assignment], surcharge_min: int
) -> Assignment:
    """Return the choice that costs least with the surcharge for each task not with its person; of equal ones the first."""
    priced = surcharged(problem, people, surcharge_min)
    return min(choices, key=priced.objective_min)


def nearby(
    problem: Problem, start: Assignment, people: NDArray[np.int64], surcharge_min: int, *, seed: int
) -> Assignment:
    """Return the plan that costs least with the surcharge of those met on the way from ``start``, which breaks no rule.

    Parameters
    ----------
    people
        Row of the person who should keep each task, -1 for nobody.
    """
    if not problem.task_count or not problem.person_count:
        return start
    priced = surcharged(problem, people, surcharge_min)
    flat, state = flattened.facts(priced), flattened.start_state(priced, start, seed)
    moves = (FIXED_MOVES + MOVES_PER_TASK * problem.task_count) // STEPS
    best, least = start, priced.objective_min(start)
    for heat in np.geomspace(HOT_MIN, COLD_MIN, STEPS).tolist():
        anneal.anneal(flat, state, moves, heat, 0.9 * heat)
        here = Assignment(state.who, state.window)
        cost = priced.objective_min(here)
        if cost < least:
            best, least = here.copy(), cost
    return best


def surcharged(problem: Problem, people: NDArray[np.int64], surcharge_min: int) -> Problem:
    """Return the problem in which a task costs more with anybody but its person."""
    extra = np.zeros_like(problem.comfort_min)
    kept = np.flatnonzero(people >= 0)
    extra[kept] = surcharge_min
    extra[kept, people[kept]] = 0
    return replace(problem, comfort_min=problem.comfort_min + extra)
