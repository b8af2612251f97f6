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
                problem, plan, ledger, t, w, _ranks(problem, ledger)
            ):
                break
    return plan


def completed(problem: Problem, plan: Assignment) -> Assignment:
    """Return ``plan`` with each escalated task that may be late given to whoever costs least, least late first."""
    full, ledger = plan.copy(), ledger_of(problem, plan)
    for t in np.flatnonzero(full.who == ESCALATED).tolist():
        cheap = -problem.comfort_min[t].astype(np.int64)
        for w in problem.windows_of(t):
            if _place_first(problem, full, ledger, t, w, cheap):
                break
    return full


def ledger_of(problem: Problem, plan: Assignment) -> Ledger:
    """Return the ledger of a plan, built from nothing."""
    ledger = Ledger(problem.board.open_min)
    placed = np.flatnonzero(plan.who >= 0)
    who, windows = plan.who[placed], problem.chosen(plan, placed)
    columns = (who, problem.release[windows], problem.due[windows], problem.work_min[placed, who])
    ledger.promise_all(zip(*(column.tolist() for column in columns), strict=True))
    return ledger


def relieve(problem: Problem, plan: Assignment, person: int) -> bool:
    """Escalate, in place, what a person was promised too much of, cheapest per minute that it frees first.

    Returns whether the rest fits: it may not where what is left must have somebody.
    """
    while True:
        slack = problem.slack_min(plan, np.array([person]))[0]
        a, b = np.unravel_index(int(slack.argmin()), slack.shape)
        lacking = -int(slack[a, b])
        if lacking <= 0:
            return True
        mine = np.flatnonzero((plan.who == person) & problem.may_escalate)
        window = problem.chosen(plan, mine)
        inside = mine[(problem.release_row[window] >= a) & (problem.due_column[window] <= b)]
        if len(inside) == 0:
            return False
        freed = np.minimum(problem.work_min[inside, person], lacking)
        left = int(inside[(problem.escalation_min[inside] / freed).argmin()])
        plan.who[left], plan.window[left] = ESCALATED, -1


def in_order(problem: Problem, plan: Assignment, t: int, w: int) -> bool:
    """Whether window ``w`` starts after the promised preparation of ``t`` and ends before its promised reviews."""
    beyond = problem.board.axis.count
    before = int(problem.preparation[t])
    if before >= 0 and plan.who[before] >= 0 and problem.release[w] < beyond:
        if problem.release[w] <= problem.due[problem.first_window[before] + plan.window[before]]:
            return False
    for review in problem.reviews.get(t, ()):
        if plan.who[review] >= 0:
            release = problem.release[problem.first_window[review] + plan.window[review]]
            if release < beyond and release <= problem.due[w]:
                return False
    return True


def others_on_piece(problem: Problem, plan: Assignment, t: int) -> NDArray[np.int32]:
    """Return the people who have the other tasks of the same piece of work."""
    who = plan.who[problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]]]
    return who[who >= 0]


def _ranks(problem: Problem, ledger: Ledger) -> NDArray[np.int64]:
    """Return per person a number that is higher the earlier the rule asks: remaining minutes this week, ties by id."""
    axis, order = problem.board.axis, problem.board.staff.id_order
    remaining = ledger.rooms_min(0, axis.week_end_slots()[0] if axis.count else -1)
    ranks: NDArray[np.int64] = remaining.astype(np.int64) * len(order) - order
    return ranks


def _place_first(problem: Problem, plan: Assignment, ledger: Ledger, t: int, w: int, ranks: NDArray[np.int64]) -> bool:
    """Give ``t`` to whoever ranks highest among those who may do it and have room in window ``w``, the first of equals."""
    if not in_order(problem, plan, t, w):
        return False
    release, due = int(problem.release[w]), int(problem.due[w])
    may = problem.allowed[t] & (ledger.rooms_min(release, due) >= problem.work_min[t])
    may[others_on_piece(problem, plan, t)] = False
    passing = np.flatnonzero(may)
    if len(passing) == 0:
        return False
    p = int(passing[ranks[passing].argmax()])
    plan.who[t], plan.window[t] = p, w - int(problem.first_window[t])
    ledger.promise(p, release, due, int(problem.work_min[t, p]))
    return True
