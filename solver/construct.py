"""First plans: the routing rule over the whole backlog, and the completion that gives late work its person.

The rule's plan is the baseline that every certificate quotes; the completed one is where the search starts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.ledger import Ledger
from solver.problem import ESCALATED, Assignment, Problem


def rule_plan(problem: Problem) -> Assignment:
    """Return today's plan with each further task placed by the routing rule, in the order of the firm's task list."""
    plan = problem.today.copy()
    ledger = problem.board.ledger.copy()
    for t in np.flatnonzero(plan.who == ESCALATED).tolist():
        for w in problem.windows_of(t):
            may_be_late = problem.board.tasks[t].requested_person is not None  # a client's request sets the hours aside
            if (may_be_late or problem.late_min[w] == 0) and _place_first(
                problem, plan, ledger, t, w, _ranked(problem, ledger)
            ):
                break
    return plan


def completed(problem: Problem, plan: Assignment) -> Assignment:
    """Return ``plan`` with each escalated task that may be late given to whoever costs least, least late first."""
    full, ledger = plan.copy(), ledger_of(problem, plan)
    for t in np.flatnonzero(full.who == ESCALATED).tolist():
        by_price = np.argsort(problem.comfort_min[t], kind="stable").astype(np.int64)
        for w in problem.windows_of(t):
            if _place_first(problem, full, ledger, t, w, by_price):
                break
    return full


def ledger_of(problem: Problem, plan: Assignment) -> Ledger:
    """Return the ledger of a plan, built from nothing."""
    ledger = Ledger(problem.board.open_min)
    for t in np.flatnonzero(plan.who >= 0).tolist():
        w, p = int(problem.first_window[t] + plan.window[t]), int(plan.who[t])
        ledger.promise(p, int(problem.release[w]), int(problem.due[w]), int(problem.work_min[t, p]))
    return ledger


def in_order(problem: Problem, plan: Assignment, t: int, w: int) -> bool:
    """Whether window ``w`` starts after the promised preparation of ``t`` and ends before its promised reviews."""
    beyond = problem.board.axis.count
    before = int(problem.preparation[t])
    if before >= 0 and plan.who[before] >= 0 and problem.release[w] < beyond:
        if problem.release[w] <= problem.due[problem.first_window[before] + plan.window[before]]:
            return False
    for review in np.flatnonzero(problem.preparation == t).tolist():
        if plan.who[review] >= 0:
            release = problem.release[problem.first_window[review] + plan.window[review]]
            if release < beyond and release <= problem.due[w]:
                return False
    return True


def others_on_piece(problem: Problem, plan: Assignment, t: int) -> NDArray[np.int32]:
    """Return the people who have the other tasks of the same piece of work."""
    who = plan.who[problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]]]
    return who[who >= 0]


def _ranked(problem: Problem, ledger: Ledger) -> NDArray[np.int64]:
    axis = problem.board.axis
    remaining = ledger.rooms_min(0, axis.week_end_slots()[0] if axis.count else -1)
    return np.lexsort((problem.board.staff.id_order, -remaining)).astype(np.int64)


def _place_first(problem: Problem, plan: Assignment, ledger: Ledger, t: int, w: int, ranked: NDArray[np.int64]) -> bool:
    """Give ``t`` to the first ranked person who may do it and has room in window ``w``."""
    if not in_order(problem, plan, t, w):
        return False
    release, due = int(problem.release[w]), int(problem.due[w])
    may = problem.allowed[t] & (ledger.rooms_min(release, due) >= problem.work_min[t])
    may[others_on_piece(problem, plan, t)] = False
    passing = ranked[may[ranked]]
    if len(passing) == 0:
        return False
    p = int(passing[0])
    plan.who[t], plan.window[t] = p, w - int(problem.first_window[t])
    ledger.promise(p, release, due, int(problem.work_min[t, p]))
    return True
