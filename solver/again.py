"""Starting again from the last plan: what of it still holds today, after people fell ill and work came in.

A night's plan is nearly right the next morning. Carried over it is where the search starts, so that the work goes into what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import NamedTuple

import numpy as np

from solver.construct import completed, in_order, ledger_of, others_on_piece
from solver.ledger import Ledger
from solver.plan import Plan, PlannedTask
from solver.problem import ESCALATED, Assignment, Problem


class Kept(NamedTuple):
    """A task of a plan that is not written down."""

    task: str
    person: str
    earliest_day: date
    promised_day: date | None
    promised_time: time | None


Promised = PlannedTask | Kept
"""What is carried over of a task."""


def kept(problem: Problem, plan: Assignment) -> tuple[Kept, ...]:
    """Return what another problem can carry over of a plan."""
    board, axis, placed = problem.board, problem.board.axis, np.flatnonzero(plan.who >= 0)
    windows, people = problem.chosen(plan, placed), board.staff.ids
    columns = (placed, plan.who[placed], problem.release[windows], problem.due[windows])
    return tuple(
        Kept(
            board.tasks[t].id,
            people[p],
            axis.day_of(release) or axis.last_day,
            axis.day_of(due),
            axis.end_time(due),
        )
        for t, p, release, due in zip(*(column.tolist() for column in columns), strict=True)
    )


def carried_over(problem: Problem, last: Plan) -> Assignment:
    """Return the cheapest plan that follows the last one as far as today's rules and hours allow; it breaks no rule.

    Tasks and people that the last plan does not know, and promises it can no longer keep, are placed as if they were new.
    """
    return carried(problem, last.tasks)


def carried(problem: Problem, last: Iterable[Promised]) -> Assignment:
    """Return what `carried_over` does, from the last plan's tasks."""
    wishes = _wishes(problem, last)
    empty = problem.today.copy()
    empty.who[:], empty.window[:] = ESCALATED, -1
    starts = [_followed(problem, start, wishes) for start in (empty, problem.today)]
    # Work that somebody holds is never escalated, so a start that lost some of it is none.
    whole = [plan for plan in starts if not (~problem.may_escalate & (plan.who == ESCALATED)).any()]
    return min((completed(problem, plan) for plan in whole or [problem.today]), key=problem.objective_min)


class _Wish(NamedTuple):
    """Who had a task in the last plan, and the first of its flat windows by which it was promised."""

    person: int
    window: int


def _wishes(problem: Problem, last: Iterable[Promised]) -> dict[int, _Wish]:
    board, found = problem.board, {}
    for item in last:
        t, p = board.task_index.get(item.task, -1), board.staff.row.get(item.person, -1)
        if t >= 0 and p >= 0 and problem.allowed[t, p]:
            found[t] = _Wish(p, _window(problem, t, item))
    return found


def _window(problem: Problem, t: int, item: Promised) -> int:
    """Return the window of a task that starts and ends as promised; the last that ends in time where none does, else the first."""
    axis, windows = problem.board.axis, problem.windows_of(t)
    promised = (item.promised_day or date.max, item.promised_time or time.max)
    in_time = windows[0]
    for w in windows:
        day, end = axis.day_of(int(problem.due[w])), axis.end_time(int(problem.due[w]))
        ends = (day or date.max, end or time.max)
        start = axis.day_of(int(problem.release[w])) or axis.last_day
        if ends == promised and start == item.earliest_day:
            return w
        if ends <= promised:
            in_time = w
    return in_time


def _followed(problem: Problem, start: Assignment, wishes: Mapping[int, _Wish]) -> Assignment:
    """Return ``start`` with each task where the last plan had it, else with the same person later, where that fits.

    Held and urgent work comes first.
    """
    plan, ledger = start.copy(), ledger_of(problem, start)
    order = np.lexsort((problem.due[problem.first_window[:-1]], problem.may_escalate)).tolist()
    left = [
        t for t in order if t in wishes and not _moved(problem, plan, ledger, t, wishes[t].person, [wishes[t].window])
    ]
    for t in left:
        _moved(problem, plan, ledger, t, wishes[t].person, problem.windows_of(t))
    for t in order:
        if plan.who[t] == ESCALATED and problem.today.who[t] >= 0:
            _moved(problem, plan, ledger, t, int(problem.today.who[t]), problem.windows_of(t))
    return plan


def _moved(problem: Problem, plan: Assignment, ledger: Ledger, t: int, p: int, windows: Iterable[int]) -> bool:
    """Give ``t`` to ``p`` in the first of the windows with room; leave it where it is when there is none."""
    if p in others_on_piece(problem, plan, t):
        return False
    work, here = int(problem.work_min[t, p]), int(plan.who[t])
    was = int(problem.first_window[t] + plan.window[t])
    if here >= 0:
        ledger.withdraw(here, int(problem.release[was]), int(problem.due[was]), int(problem.work_min[t, here]))
    for w in windows:
        release, due = int(problem.release[w]), int(problem.due[w])
        if in_order(problem, plan, t, w) and ledger.room_min(p, release, due) >= work:
            ledger.promise(p, release, due, work)
            plan.who[t], plan.window[t] = p, w - int(problem.first_window[t])
            return True
    if here >= 0:
        ledger.promise(here, int(problem.release[was]), int(problem.due[was]), int(problem.work_min[t, here]))
    return False
