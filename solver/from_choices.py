"""Plans put together from choices that may not all fit: what fits is promised, and work that must have somebody has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.construct import completed, in_order, others_on_piece, relieve
from solver.ledger import Ledger
from solver.problem import ESCALATED, Assignment, Problem

Ints = NDArray[np.int64]


def promised(problem: Problem, task: Ints, person: Ints, window: Ints) -> Assignment:
    """Return a plan with what of these choices fits, in this order: in another window where one does not, escalated where none does.

    The master knows only where it matters most that a review follows its preparation and that they are two people's.
    """
    plan = Assignment(*(np.full(problem.task_count, ESCALATED, dtype=np.int32) for _ in range(2)))
    ledger = Ledger(problem.board.open_min)
    for t, p, first in zip(task.tolist(), person.tolist(), window.tolist(), strict=True):
        if plan.who[t] != ESCALATED or p in others_on_piece(problem, plan, t):
            continue
        for w in [first, *problem.windows_of(t)]:
            release, due, work = int(problem.release[w]), int(problem.due[w]), int(problem.work_min[t, p])
            if in_order(problem, plan, t, w) and ledger.rooms_min(release, due)[p] >= work:
                plan.who[t], plan.window[t] = p, w - problem.first_window[t]
                ledger.promise(p, release, due, work)
                break
    return plan


def everybody_held(problem: Problem, plan: Assignment) -> Assignment:
    """Return a plan in which work that must have somebody has, as far as that takes away nothing but work that may be left."""
    for t in np.flatnonzero((plan.who == ESCALATED) & ~problem.may_escalate).tolist():
        tried = (
            _in_place(problem, plan, t, p, w)
            for w in problem.windows_of(t)
            for p in np.flatnonzero(problem.allowed[t]).tolist()
            if p not in others_on_piece(problem, plan, t) and in_order(problem, plan, t, w)
        )
        plan = min([plan, *(one for one in tried if one is not None)], key=lambda one: _missing(problem, one))
    return completed(problem, plan)


def _missing(problem: Problem, plan: Assignment) -> tuple[int, int]:
    """Return how much work that must have somebody has nobody, and what the plan costs."""
    return int(((plan.who == ESCALATED) & ~problem.may_escalate).sum()), problem.objective_min(plan)


def _in_place(problem: Problem, plan: Assignment, t: int, p: int, w: int) -> Assignment | None:
    """Return the plan with a task in a person's window, and what of theirs is cheapest to leave left for it, if that is enough."""
    plan = plan.copy()
    plan.who[t], plan.window[t] = p, w - problem.first_window[t]
    return plan if relieve(problem, plan, p) else None
