"""A first plan by prices: each task with whom and when it costs least at the prices of minutes, as long as it fits.

The routing rule asks whoever has most time left, and what is scarce goes to whoever comes first; at prices that climbed to where they
bound every plan (`solver.ascent`) it goes where nothing else can. Of 300 people with 9,000 tasks this plan and annealing came to 9.3
million minutes in 45 seconds, from the rule's plan annealing came to 14.8 in two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.ascent import MinutePrices
from solver.bound import Bound, Relax, climbed, relaxable
from solver.construct import completed, in_order, ledger_of, others_on_piece
from solver.crew import Ticket
from solver.problem import ESCALATED, Assignment, Problem
from solver.running import Search
from solver.search import anneal_from

TASKS_PER_UNIT = 5_000
"""Placed in about a second."""


def start_by_prices(search: Search) -> tuple[Assignment, Ticket[Bound] | None]:
    """Return the plan by prices that climb, and the job that bounds the firm, if there is time for it.

    Where the relaxation is the bound, they climb here, for two seconds, beside it. Of larger firms a job lets them climb, then the next
    goes on from there; until the first ends, the plan at hand is annealed. It may cost less than the one by prices, and yet more once
    both are annealed.
    """
    problem, crew = search.problem, search.crew
    bounding, bound = crew.start(Relax()), None
    if relaxable(problem):
        bound = climbed(problem, None, search.go_on)
    else:
        if not crew.patient:
            anneal_from(search, search.plan, enough=lambda: crew.ready(bounding))
        bound = search.finish(bounding)
    if bound is None or bound.prices is None:
        return search.plan, None
    going_on = search.bounded(bound.minutes - search.base_min, bound.work_units)
    if not relaxable(problem):
        if not going_on:
            return search.plan, None
        bounding = crew.start(Relax(bound.prices))
    plan = priced_plan(problem, bound.prices)
    search.report(plan, problem.task_count / TASKS_PER_UNIT, "first plan by prices")
    return plan, bounding


def priced_plan(problem: Problem, prices: MinutePrices) -> Assignment:
    """Return a plan that breaks no rule: first work that must have somebody, which keeps who has it in doubt, then the dearest to leave.

    With the longest first, annealing from there came to 8.0 and 1.7 million minutes on two firms of 100 people; so, to 7.6 and 1.1.
    """
    plan = problem.today.copy()
    plan.who[problem.may_escalate], plan.window[problem.may_escalate] = ESCALATED, -1
    ledger = ledger_of(problem, plan)
    table, beyond = _totals(problem, prices)
    dearest = np.where(problem.may_escalate, problem.escalation_min, problem.escalation_min.sum() + 1)
    for t in np.argsort(-dearest, kind="stable").tolist():
        p, work = int(plan.who[t]), problem.work_min[t]
        if p >= 0:
            was = problem.first_window[t] + plan.window[t]
            ledger.withdraw(p, int(problem.release[was]), int(problem.due[was]), int(work[p]))
        least, best = float(problem.escalation_min[t]) if problem.may_escalate[t] else np.inf, None
        for w in problem.windows_of(t):
            if not in_order(problem, plan, t, w):
                continue
            release, due, row, column = (
                int(array[w]) for array in (problem.release, problem.due, problem.release_row, problem.due_column)
            )
            may = problem.allowed[t] & (ledger.rooms_min(release, due) >= work)
            may[others_on_piece(problem, plan, t)] = False
            minute = table[row, column] if column < len(problem.dues) else beyond
            cost = np.where(may, problem.late_min[w] + problem.comfort_min[t] + work * minute, np.inf)
            p = int(cost.argmin())
            if cost[p] < least:
                least, best = float(cost[p]), (p, w, release, due)
        if best is None:
            plan.who[t], plan.window[t] = ESCALATED, -1
            continue
        p, w, release, due = best
        plan.who[t], plan.window[t] = p, w - problem.first_window[t]
        ledger.promise(p, release, due, int(work[p]))
    return completed(problem, plan)


def _totals(problem: Problem, prices: MinutePrices) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return ``(releases, dues, P)`` what a minute in each window costs in all, and ``(P,)`` one beyond the horizon."""
    load = prices.load.astype(np.float32)
    around = np.cumsum(np.cumsum(prices.minute, axis=0)[:, ::-1], axis=1)[:, ::-1]
    by_due = (problem.dues[:, None] <= problem.balance.end_slots[None, :]).astype(np.float32) @ load[1:]
    return (around + by_due[None] + load[0]).astype(np.float32), load[0]
