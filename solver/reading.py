"""From a plan people read back to the arrays it came from: the inverse of `solver.writing`."""

from __future__ import annotations

import numpy as np

from solver.construct import in_order
from solver.plan import Plan, PlannedTask
from solver.problem import ESCALATED, Assignment, Problem
from solver.refusal import Refusal, Refused


def read_back(problem: Problem, plan: Plan) -> Assignment:
    """Return the assignment a plan stands for.

    Raises
    ------
    Refused
        The plan was made for another firm or moment: a task is missing or has no such window.
    """
    board = problem.board
    found = Assignment(
        np.full(problem.task_count, ESCALATED, dtype=np.int32), np.full(problem.task_count, -1, dtype=np.int32)
    )
    rows: list[tuple[int, PlannedTask]] = []
    for item in plan.tasks:
        t = board.task_index.get(item.task)
        if t is None or item.person not in board.staff.row:
            raise _other_firm(item.task)
        found.who[t] = board.staff.row[item.person]
        rows.append((t, item))
    named = {item.task for item in plan.tasks} | {lost.task for lost in plan.escalations}
    missing = next((task.id for task in board.tasks if task.id not in named), None)
    if missing is not None:
        raise _other_firm(missing)
    for t, item in rows:
        found.window[t] = _window(problem, t, item)
    if not all(_ordered(problem, found, t) for t in np.flatnonzero(found.who >= 0).tolist()):
        raise _other_firm(plan.tasks[0].task)
    return found


def _window(problem: Problem, t: int, item: PlannedTask) -> int:
    board = problem.board
    for place, w in enumerate(problem.windows_of(t)):
        release, due = int(problem.release[w]), int(problem.due[w])
        first = (board.axis.day_of(release) or board.axis.last_day, board.axis.start_time(release))
        last = (board.axis.day_of(due), board.axis.end_time(due))
        same_span = first == (item.earliest_day, item.earliest_time) and last == (item.promised_day, item.promised_time)
        if same_span and (problem.late_min[w] > 0) == item.late:
            return place
    raise _other_firm(item.task)


def _ordered(problem: Problem, plan: Assignment, t: int) -> bool:
    return in_order(problem, plan, t, int(problem.first_window[t] + plan.window[t]))


def _other_firm(task: str) -> Refused:
    return Refused(
        Refusal(
            code="other_firm",
            field="plan",
            value=task,
            message="is not planned as this firm and moment allow",
            hint="Maybe the plan was made for another firm or an earlier moment: solve again.",
        )
    )
