"""Work that waits: what of it has a place by now, in which order it is looked at, and what a plan of the whole backlog says of it."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from solver.board import Board
from solver.firm import Task
from solver.plan import Decision, Filter, Outcome, Plan, PlannedTask
from solver.routing import RULE, Policy, dry_run, look
from solver.task_row import is_held

TRIED_AT_ONCE = 200
"""Waiting tasks looked at whenever capacity appears: a few tenths of a second of the firm's turn at most."""


class NewWork(NamedTuple):
    """A task that nobody had when a plan was made; ``item``: who gets it by the plan, if anybody."""

    task: str
    item: PlannedTask | None


def urgency(task: Task, number: int) -> tuple[int, date, int]:
    """Return the order in which what waits is looked at: most urgent first, then what has waited longest."""
    return (-task.priority.factor, task.deadline, number)


def may_be_routed(board: Board, task: Task, *, held: bool) -> bool:
    """Whether routing a waiting task would change anything: a hold has its estimate, an escalation a person with room."""
    if is_held(board.firm, task, board.types[task.type]):
        return False
    if held:
        return True
    if not board.axis.holds(task):
        board = board.copy()  # looking at a task must not cut the axis of a board that others follow
        board.cut_for(task)
    if task.requested_person is not None:
        return dry_run(board, task).outcome is Outcome.PLACED
    return len(look(board, board.row_of(task), board.span_of(task)).passing()) > 0


def advice(board: Board, asked: Task, policy: Policy = RULE) -> Decision:
    """Return what the rule, or another policy, says of a task; its promise, if any, is taken back first."""
    if asked.id in board.promises:
        board.withdraw(asked.id)
    return dry_run(board, asked, policy=policy)


def new_work(plan: Plan) -> list[NewWork]:
    """Return the work that nobody had, urgent work first."""
    items = sorted((item for item in plan.tasks if item.new), key=lambda item: item.promised_day or date.max)
    new = [NewWork(item.task, item) for item in items]
    nobody = [one.task for one in plan.escalations] + [one.task for one in plan.holds if one.assignee is None]
    return new + [NewWork(task, None) for task in nobody]


def may_have(said: Decision, item: PlannedTask) -> bool:
    """Whether a plan's person may have a task now; work that the plan has late, but has a day for, may be late."""
    seen = next((one for one in said.candidates if one.person == item.person), None)
    if seen is None:
        return False
    may_be_late = item.late and item.promised_day is not None
    return seen.stopped_by is None or (seen.stopped_by is Filter.DEADLINE and may_be_late)
