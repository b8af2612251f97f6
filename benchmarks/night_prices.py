"""Prices of a night from a small linear program, for measuring the priced policy while plans bring none of their own.

Each open task goes once to somebody who may do it, or is escalated; by each due slot nobody does more than their open minutes.
Windows that start later, and balance, are left out: what is priced is scarcity by deadline.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import linprog

from solver.board import compile_board
from solver.firm import Firm
from solver.plan import Plan
from solver.price_list import PriceList
from solver.problem import Problem, compile_problem


def night_prices(firm: Firm, plan: Plan) -> PriceList:
    """Return what a minute of each person is worth by each day on which something is due."""
    problem = compile_problem(compile_board(firm, now=plan.now))
    due = problem.due[problem.first_window[:-1]]
    inside = np.flatnonzero((due < problem.board.axis.count) & problem.allowed.any(axis=1))
    ends, minute = np.unique(due[inside]), np.zeros((problem.person_count, 0))
    if len(inside):
        minute = _minute(problem, inside, np.searchsorted(ends, due[inside]), ends)
    days, place = np.unique([problem.board.axis.days[end].toordinal() for end in ends], return_index=True)
    return PriceList(
        people=problem.board.staff.ids,
        days=tuple(problem.board.axis.first_day.fromordinal(int(day)) for day in days),
        minute=minute[:, place.astype(np.int64)],
    )


def _minute(
    problem: Problem, tasks: NDArray[np.int64], column: NDArray[np.int64], ends: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return ``(people, ends)``: the multipliers of all rows from each end on, added up."""
    people, count = problem.person_count, len(ends)
    place, person = np.nonzero(problem.allowed[tasks])
    work = problem.work_min[tasks[place], person].astype(np.float64)
    price = np.concatenate([problem.comfort_min[tasks[place], person], problem.escalation_min[tasks]], dtype=np.float64)
    once = sp.csr_matrix((np.ones(len(price)), (np.concatenate([place, np.arange(len(tasks))]), np.arange(len(price)))))
    # Work due by an end counts in its row and in every later one.
    later = count - column[place]
    rows = np.repeat(person * count + column[place], later) + _steps(later)
    done = sp.csr_matrix(
        (np.repeat(work, later), (rows, np.repeat(np.arange(len(work)), later))), shape=(people * count, len(price))
    )
    room = problem.board.until_min[:, ends + 1].reshape(-1)
    found = linprog(price, A_ub=done, b_ub=room, A_eq=once, b_eq=np.ones(len(tasks)), bounds=(0, 1), method="highs")
    worth = np.maximum(-found.ineqlin.marginals, 0.0).reshape(people, count)
    minute: NDArray[np.float64] = np.round(np.cumsum(worth[:, ::-1], axis=1)[:, ::-1], 4)
    return minute


def _steps(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0, 1, 2 ... up to each count, one after another."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
