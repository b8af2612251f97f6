"""From the multipliers of the relaxation to the prices people and the next day read: of a minute, a task, a skill."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import numpy as np

from solver.bound import Relaxed
from solver.price_list import PriceList
from solver.problem import Problem

DIGITS = 4
"""Digits kept behind the point of a price in minutes; more is noise of the linear solver."""


def price_list(problem: Problem, relaxed: Relaxed) -> PriceList:
    """Return the prices of a relaxation by people, days, tasks and skills.

    A day that is cut by timed deadlines has the price of its first slot, the highest. A skill's price is that of the tasks that ask
    for it, per minute of their work.
    """
    board = problem.board
    columns: dict[date, int] = {}
    for column, slot in enumerate(problem.dues.tolist()):
        columns.setdefault(board.axis.days[slot], column)
    return PriceList(
        people=board.staff.ids,
        days=tuple(columns),
        minute=np.round(relaxed.minute[:, list(columns.values())], DIGITS),
        task={task.id: round(float(relaxed.task[t]), DIGITS) for t, task in enumerate(board.tasks)},
        skill=_skills(problem, relaxed),
    )


def _skills(problem: Problem, relaxed: Relaxed) -> dict[str, float]:
    price: dict[str, float] = defaultdict(float)
    work: dict[str, float] = defaultdict(float)
    skills = {kind.id: kind.skill for kind in problem.board.firm.task_types}
    for t, task in enumerate(problem.board.tasks):
        skill = skills[task.type]
        price[skill] += float(relaxed.task[t])
        work[skill] += problem.board.rows[t].remaining_min
    return {skill: round(price[skill] / max(work[skill], 1.0), DIGITS) for skill in sorted(price)}
