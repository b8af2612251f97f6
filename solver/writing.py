"""From arrays to the plan people read: who does what by when, what is late and why, what is escalated, and the timetable."""

from __future__ import annotations

import numpy as np

from solver.board import Board
from solver.eligibility import FILTERS
from solver.firm import Task
from solver.ledger import Ledger
from solver.plan import (
    Candidate,
    Certificate,
    EscalatedTask,
    Filter,
    Flag,
    Hold,
    Plan,
    PlannedTask,
    TradeOff,
    WorkDay,
)
from solver.price_list import PriceList
from solver.problem import Assignment, Problem
from solver.promises import Promise, Promises
from solver.repair_costs import Escalated
from solver.repairs import ways_out
from solver.routing import look, why_nobody
from solver.seen import Candidates, Seen
from solver.timetable import Cell, Job, timetable
from solver.windows import Window, days_late


def written(
    problem: Problem,
    plan: Assignment,
    certificate: Certificate,
    trade_off: tuple[TradeOff, ...] = (),
    prices: PriceList | None = None,
) -> Plan:
    """Return the plan for people, with every task of the problem in it once."""
    board = problem.board
    cells = _cells(problem, plan)
    finish = {cell.task: cell.slot for _, person_cells in cells for cell in person_cells}
    planned_board = board_of(problem, plan)
    return Plan(
        firm=board.firm.name,
        now=board.now,
        tasks=tuple(_planned(problem, plan, t, finish) for t in np.flatnonzero(plan.who >= 0).tolist()),
        escalations=tuple(_escalated(problem, plan, planned_board, t) for t in np.flatnonzero(plan.who < 0).tolist()),
        holds=tuple(
            Hold(task=task.id, assignee=task.assignee, reason="the estimate is missing") for task in board.held
        ),
        flags=tuple(_flag(board, name, stop) for name, stop in sorted(board.flagged.items())),
        timetable=_work_days(board, cells),
        certificate=certificate,
        trade_off=trade_off,
        prices=prices,
    )


def board_of(problem: Problem, plan: Assignment) -> Board:
    """Return a board on which the plan's promises stand in place of today's."""
    source = problem.board
    board = Board(**{**vars(source), "promises": Promises(), "flagged": dict(source.flagged), "learnt": {}})
    board.known = dict(source.known)
    board.reviewed_by = {name: list(found) for name, found in source.reviewed_by.items()}
    board.load_min, board.due_load_min = np.zeros_like(source.load_min), np.zeros_like(source.due_load_min)
    board.ledger = Ledger(source.open_min)
    for t in np.flatnonzero(plan.who >= 0).tolist():
        board.promise(source.tasks[t], *promise_of(problem, plan, t))
    return board


def promise_of(problem: Problem, plan: Assignment, t: int) -> Promise:
    """Return what a plan promises for a placed task."""
    w, p = int(problem.first_window[t] + plan.window[t]), int(plan.who[t])
    window = Window(int(problem.release[w]), int(problem.due[w]), int(problem.late_min[w]))
    return Promise(p, window, int(problem.work_min[t, p]))


def _cells(problem: Problem, plan: Assignment) -> list[tuple[int, list[Cell]]]:
    jobs: list[list[Job]] = [[] for _ in range(problem.person_count)]
    for t in np.flatnonzero(plan.who >= 0).tolist():
        person, window, work = promise_of(problem, plan, t)
        jobs[person].append(Job(problem.board.tasks[t].id, window.release, window.due, work))
    return [(p, timetable(problem.board.open_min[p], mine)) for p, mine in enumerate(jobs)]


def _work_days(board: Board, cells: list[tuple[int, list[Cell]]]) -> tuple[WorkDay, ...]:
    """Add the slots of one day up; rows by person, day, then order of work."""
    rows: list[WorkDay] = []
    for p, mine in cells:
        minutes: dict[tuple[int, str], int] = {}
        for cell in mine:
            key = (board.axis.days[cell.slot].toordinal(), cell.task)
            minutes[key] = minutes.get(key, 0) + cell.minutes
        person = board.firm.people[p].id
        rows.extend(
            WorkDay(day=board.axis.days[0].fromordinal(day), person=person, task=task, minutes=total)
            for (day, task), total in minutes.items()
        )
    return tuple(rows)


def _planned(problem: Problem, plan: Assignment, t: int, finish: dict[str, int]) -> PlannedTask:
    board, task = problem.board, problem.board.tasks[t]
    person, window, work = promise_of(problem, plan, t)
    late = 0 if window.on_time else days_late(board.axis, task, window.due)
    done = finish.get(task.id)
    name = board.firm.people[person].id
    return PlannedTask(
        task=task.id,
        person=name,
        work_min=work,
        earliest_day=board.axis.day_of(window.release) or board.axis.last_day,
        promised_day=board.axis.day_of(window.due),
        finish_day=None if done is None else board.axis.days[done],
        late=not window.on_time,
        days_late=late,
        cause=None if window.on_time else _cause(problem, plan, t, window),
        moved_from=task.assignee if task.assignee not in (None, name) else None,
        new=task.assignee is None,
        earliest_time=board.axis.start_time(window.release),
        promised_time=board.axis.end_time(window.due),
    )


def _cause(problem: Problem, plan: Assignment, t: int, window: Window) -> str:
    """Say why a task is late: the first of the possible causes that holds."""
    board, task = problem.board, problem.board.tasks[t]
    label = board.firm.people[int(plan.who[t])].label
    first = board.windows[t][0]
    if task.deadline < board.axis.first_day:
        cause = f"the deadline {task.deadline} has passed"
    elif not first.on_time and task.reviews is not None:
        cause = "the work it reviews cannot be done early enough"
    elif not first.on_time:
        cause = f"no working time is left before the deadline {task.deadline}"
    elif not _anybody_in_time(problem, t):
        cause = "nobody who may do it has enough open hours before the deadline, even with nothing else to do"
    elif task.requested_person is not None and not (task.pinned or task.started):
        cause = f"the client asked for {label}, whose hours before the deadline are taken by other promises"
    elif int(problem.allowed[t].sum()) == 1:
        cause = f"it stays with {label}, whose hours before the deadline are taken by other promises"
    else:
        cause = "everybody who may do it has promised the hours before the deadline to other work"
    if board.axis.day_of(window.due) is None:
        cause += "; it does not fit within the horizon"
    return cause


def _anybody_in_time(problem: Problem, t: int) -> bool:
    board, work = problem.board, problem.board.rows[t].work_min
    return any(
        board.capacity_min(int(p), window.release, window.due) >= work[p]
        for p in np.flatnonzero(problem.allowed[t])
        for window in board.windows[t]
        if window.on_time
    )


def _escalated(problem: Problem, plan: Assignment, board: Board, t: int) -> EscalatedTask:
    row, span = board.rows[t], board.span_of(board.tasks[t])
    seen = look(board, row, span)
    candidates = Candidates(seen)
    names = {board.firm.people[p].id for p in board.qualified(row)}
    qualified: tuple[Candidate, ...] = tuple(c for c in candidates if c.person in names)
    lost = Escalated(problem, plan, board, row, span)
    ways = lost.priced(ways_out(board, row, span))
    return EscalatedTask(
        task=row.task.id,
        reason=_requested_reason(board, row.task, seen) or why_nobody(board, row, seen.gap_min),
        qualified=qualified,
        ways_out=ways,
        unavoidable=problem.unavoidable(t),
        cheapest=lost.cheapest(ways),
    )


def _requested_reason(board: Board, task: Task, seen: Seen) -> str | None:
    if task.requested_person is None:
        return None
    p = board.staff.row[task.requested_person]
    if not seen.stops[p]:
        return None
    return f"the client asked for {board.firm.people[p].label}, who {FILTERS[seen.stops[p] - 1].meaning}"


def _flag(board: Board, name: str, stop: Filter) -> Flag:
    person = board.firm.people[board.staff.row[str(board.known[name].assignee)]]
    return Flag(task=name, person=person.id, stopped_by=stop, reason=f"{person.label} {stop.meaning}")
