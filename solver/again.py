"""Starting again from the last plan: what of it still holds today, after people fell ill and work came in.

A night's plan is nearly right the next morning. Carried over it is where the search starts, so that the work goes into what changed.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from solver.construct import completed, in_order, ledger_of, others_on_piece
from solver.ledger import Ledger
from solver.plan import Plan
from solver.problem import ESCALATED, Assignment, Problem


def carried_over(problem: Problem, last: Plan) -> Assignment:
    """Return the cheapest plan that follows the last one as far as today's rules and hours allow; it breaks no rule.

    Tasks and people that the last plan does not know, and promises it can no longer keep, are placed as if they were new.
    """
    board = problem.board
    wish = np.full(problem.task_count, ESCALATED, dtype=np.int64)
    for item in last.tasks:
        t = board.task_index.get(item.task, -1)
        if t >= 0 and item.person in board.staff.row:
            wish[t] = board.staff.row[item.person]
    wish[(wish >= 0) & ~problem.allowed[np.arange(problem.task_count), wish]] = ESCALATED
    empty = problem.today.copy()
    empty.who[:], empty.window[:] = ESCALATED, -1
    starts = [_followed(problem, start, wish) for start in (empty, problem.today)]
    # Work that somebody holds is never escalated, so a start that lost some of it is none.
    kept = [plan for plan in starts if not (~problem.may_escalate & (plan.who == ESCALATED)).any()]
    return min((completed(problem, plan) for plan in kept or [problem.today]), key=problem.objective_min)


def _followed(problem: Problem, start: Assignment, wish: NDArray[np.int64]) -> Assignment:
    """Return ``start`` with each task given to whom the last plan gave it, where that fits; held and urgent work first."""
    plan, ledger = start.copy(), ledger_of(problem, start)
    due = problem.due[problem.first_window[:-1]]
    for t in np.lexsort((due, problem.may_escalate)).tolist():
        here = int(plan.who[t])
        for p in _asked(int(wish[t]), int(problem.today.who[t]), here):
            if p == here or _moved(problem, plan, ledger, t, p):
                break
    return plan


def _asked(wished: int, holder: int, here: int) -> Iterable[int]:
    """Return whom to ask in turn: who has it in the last plan, who holds it today."""
    return dict.fromkeys(p for p in (wished, holder if here == ESCALATED else here) if p != ESCALATED)


def _moved(problem: Problem, plan: Assignment, ledger: Ledger, t: int, p: int) -> bool:
    """Give ``t`` to ``p`` in the cheapest window with room; leave it where it is when there is none."""
    if p in others_on_piece(problem, plan, t):
        return False
    work = int(problem.work_min[t, p])
    for w in problem.windows_of(t):
        release, due = int(problem.release[w]), int(problem.due[w])
        if in_order(problem, plan, t, w) and ledger.room_min(p, release, due) >= work:
            _take_back(problem, plan, ledger, t)
            ledger.promise(p, release, due, work)
            plan.who[t], plan.window[t] = p, w - int(problem.first_window[t])
            return True
    return False


def _take_back(problem: Problem, plan: Assignment, ledger: Ledger, t: int) -> None:
    if (p := int(plan.who[t])) >= 0:
        w = int(problem.first_window[t] + plan.window[t])
        ledger.withdraw(p, int(problem.release[w]), int(problem.due[w]), int(problem.work_min[t, p]))
