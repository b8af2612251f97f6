"""A neighbourhood as a mixed-integer program in arrays, for HiGHS: the rules and terms of `solver.model`, built a hundred times faster.

The joint model stays the written statement of the problem, and a test holds this one against it. One liberty is taken: the balance
of a person is not rounded up to whole minutes, so an answer counts only once its true objective is known to be lower.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from solver.construct import in_order, others_on_piece
from solver.model import Scope
from solver.problem import ESCALATED, Assignment, Problem

CALL_UNITS, ENTRY_UNITS, NODE_UNITS = 0.03, 1e-5, 1.2e-5
"""Deterministic work of a solve: of any, per entry of its matrix, per column and node. Fitted to the seconds of 263 neighbourhoods of
firms of 8 to 60 people (correlation 0.8)."""
SAFETY_S = 10.0
"""Seconds after which a solve ends whatever its nodes. Neighbourhoods take a tenth of that; only a hung machine gets here, and its
plan may then differ from another run's."""

Places = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass
class Program:
    """Rows as they are added; variables are the picks, then one escalation per free task, then distances to fair shares.

    Attributes
    ----------
    task, person
        ``(picks,)`` places in the scope's tasks and people.
    window, work
        ``(picks,)`` flat window and minutes.
    """

    problem: Problem
    scope: Scope
    task: Places
    person: Places
    window: Places
    work: Places
    price: list[Numbers] = field(default_factory=list)
    upper: list[Numbers] = field(default_factory=list)
    row: list[Places] = field(default_factory=list)
    column: list[Places] = field(default_factory=list)
    value: list[Numbers] = field(default_factory=list)
    low: list[Numbers] = field(default_factory=list)
    high: list[Numbers] = field(default_factory=list)
    rows: int = 0
    columns: int = 0

    @property
    def whole(self) -> int:
        """How many variables, the first ones, are whole numbers."""
        return len(self.task) + len(self.scope.tasks)

    def variables(self, price: Numbers, upper: Numbers) -> Places:
        """Add variables from zero to ``upper``; return their places."""
        self.price.append(price)
        self.upper.append(upper)
        self.columns += len(price)
        return np.arange(self.columns - len(price), self.columns)

    def constraints(self, low: Numbers, high: Numbers) -> Places:
        """Add rows without entries; return their places."""
        self.low.append(low)
        self.high.append(high)
        self.rows += len(low)
        return np.arange(self.rows - len(low), self.rows)

    def put(self, row: Places, column: Places, value: Numbers | Places | float) -> None:
        """Add entries; entries of one place add up."""
        self.row.append(row)
        self.column.append(column)
        self.value.append(np.broadcast_to(np.asarray(value, dtype=np.float64), row.shape))

    def at_most_one(self, columns: Places) -> None:
        """At most one of these variables is true."""
        one = self.constraints(np.array([-np.inf]), np.ones(1))
        self.put(np.repeat(one, len(columns)), columns, 1.0)

    def matrix(self) -> sp.csr_matrix:
        """Return all rows."""
        entries = (np.concatenate(self.value), (np.concatenate(self.row), np.concatenate(self.column)))
        return sp.csr_matrix(entries, shape=(self.rows, self.columns))


def build(problem: Problem, scope: Scope, rows: Container[tuple[int, int]] | None = None) -> Program:
    """Return the program of a scope with every rule and every term.

    With ``rows``, pairs of person and release row, windows that start later than at the first one are left out unless they are among
    them; an answer may then give a person too much in some of these. What is left is written with cumulative loads, a quarter of the
    entries.
    """
    fixed = scope.plan.copy()
    fixed.who[list(scope.tasks)] = ESCALATED
    people = np.array(scope.people, dtype=np.int64)
    slack = problem.slack_min(fixed, people).astype(np.int64)
    program = Program(problem, scope, *picks(problem, scope, fixed, slack))
    _once(program)
    for q in range(len(people)):
        if rows is None:
            _capacity(program, q, slack[q])
        else:
            _cumulative(program, q, slack[q], rows)
    _linked(program)
    _balance(program, problem.loads_min(fixed)[people])
    return program


def solve(program: Program, *, nodes: int) -> tuple[Assignment | None, bool, float]:
    """Solve within a number of branch-and-bound nodes; return the plan found, whether it is proven best, and the work used."""
    matrix = program.matrix()
    upper = np.concatenate(program.upper)
    whole = np.zeros(program.columns)
    whole[: program.whole] = 1
    found = milp(
        np.concatenate(program.price),
        integrality=whole,
        bounds=Bounds(np.zeros(program.columns), upper),
        constraints=LinearConstraint(matrix, np.concatenate(program.low), np.concatenate(program.high)),
        options={"node_limit": nodes, "time_limit": SAFETY_S, "mip_rel_gap": 1e-7},
    )
    visited = int(found.mip_node_count or 0)
    used = CALL_UNITS + ENTRY_UNITS * matrix.nnz + NODE_UNITS * visited * program.columns
    if found.x is None:
        return None, False, used
    return plan_of(program, found.x), found.status == 0, used


def plan_of(program: Program, values: Numbers) -> Assignment:
    """Return the plan that the values of a program's variables stand for."""
    plan, tasks = program.scope.plan.copy(), np.array(program.scope.tasks, dtype=np.int64)
    plan.who[tasks], plan.window[tasks] = ESCALATED, -1
    taken = np.flatnonzero(values[: len(program.task)] > 0.5)
    chosen = tasks[program.task[taken]]
    plan.who[chosen] = np.array(program.scope.people)[program.person[taken]]
    plan.window[chosen] = program.window[taken] - program.problem.first_window[chosen]
    return plan


def picks(
    problem: Problem, scope: Scope, fixed: Assignment, slack: NDArray[np.int64]
) -> tuple[Places, Places, Places, Places]:
    """Return task, person, window and minutes of everything that may happen, one entry each."""
    tasks, people = np.array(scope.tasks, dtype=np.int64), np.array(scope.people, dtype=np.int64)
    may = problem.allowed[np.ix_(tasks, people)].copy()
    out_of_order = np.zeros(len(problem.release), dtype=np.bool_)
    for i in _with_links(problem, tasks):
        may[i, np.isin(people, others_on_piece(problem, fixed, int(tasks[i])))] = False
        for w in problem.windows_of(int(tasks[i])):
            out_of_order[w] = not in_order(problem, fixed, int(tasks[i]), w)
    task, person = np.nonzero(may)
    count = np.diff(problem.first_window)[tasks[task]].astype(np.int64)
    start = np.repeat(np.cumsum(count) - count, count)
    window = np.repeat(problem.first_window[tasks[task]].astype(np.int64), count) + np.arange(count.sum()) - start
    task, person = np.repeat(task, count), np.repeat(person, count)
    work = problem.work_min[tasks[task], people[person]].astype(np.int64)
    within = problem.due_column[window] < len(problem.dues)
    room = np.full(len(window), np.iinfo(np.int64).max)
    if within.any():
        least = np.minimum.accumulate(np.minimum.accumulate(slack, axis=1)[:, :, ::-1], axis=2)[:, :, ::-1]
        inside = window[within]
        room[within] = least[person[within], problem.release_row[inside], problem.due_column[inside]]
    keep = (room >= work) & ~out_of_order[window]
    return task[keep], person[keep], window[keep], work[keep]


def _with_links(problem: Problem, tasks: Places) -> list[int]:
    """Return the places of tasks that belong to a piece of work with others."""
    return np.flatnonzero(problem.piece_start[tasks] < problem.piece_start[tasks + 1]).tolist()


def _once(program: Program) -> None:
    """Every task has one person and one window, or is escalated; work that has a person is not escalated."""
    problem, tasks = program.problem, np.array(program.scope.tasks, dtype=np.int64)
    people = np.array(program.scope.people, dtype=np.int64)
    comfort = problem.comfort_min[tasks[program.task], people[program.person]]
    picks = program.variables(
        (problem.late_min[program.window] + comfort).astype(np.float64), np.ones(len(program.task))
    )
    left = program.variables(
        problem.escalation_min[tasks].astype(np.float64), problem.may_escalate[tasks].astype(np.float64)
    )
    rows = program.constraints(np.ones(len(tasks)), np.ones(len(tasks)))
    program.put(rows[program.task], picks, 1.0)
    program.put(rows, left, 1.0)


class _Spans(NamedTuple):
    """The picks of one person within the horizon, and the least slack of windows between the rows and columns that occur among them."""

    picks: Places
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    room: Numbers


def _spans(program: Program, q: int, slack: NDArray[np.int64]) -> _Spans:
    problem = program.problem
    mine = np.flatnonzero((program.person == q) & (problem.due_column[program.window] < len(problem.dues)))
    row, column = problem.release_row[program.window[mine]], problem.due_column[program.window[mine]]
    rows, columns = np.unique(row), np.unique(column)
    return _Spans(mine, row, column, rows, columns, _least(slack, rows, columns) if len(mine) else np.zeros((0, 0)))


def _capacity(program: Program, q: int, slack: NDArray[np.int64]) -> None:
    """No person is given more work in a window than the open minutes in it; windows that a wider one implies are left out."""
    spans = _spans(program, q, slack)
    if len(spans.picks) == 0:
        return
    work = program.work[spans.picks]
    inside = (spans.row >= spans.rows[:, None, None]) & (spans.column <= spans.columns[None, :, None])
    a, b = np.nonzero((inside @ work > spans.room) & (spans.room < _wider(spans.room)))
    added = program.constraints(np.full(len(a), -np.inf), np.maximum(spans.room[a, b], 0.0))
    which, entry = np.nonzero(inside[a, b])
    program.put(added[which], spans.picks[entry], work[entry])


def _cumulative(program: Program, q: int, slack: NDArray[np.int64], among: Container[tuple[int, int]]) -> None:
    """The same of the first row and those ``among`` others: per row, the load by each column that can bind is a variable."""
    spans, p = _spans(program, q, slack), program.scope.people[q]
    if len(spans.picks) == 0:
        return
    first = [0, *(spans.rows[:-1] + 1).tolist()]
    for k, (begin, a) in enumerate(zip(first, spans.rows.tolist(), strict=True)):
        if k and not any((p, b) in among for b in range(begin, a + 1)):
            continue
        inside = np.flatnonzero(spans.row >= a)
        work = program.work[spans.picks[inside]]
        load = np.bincount(np.searchsorted(spans.columns, spans.column[inside]), work, len(spans.columns))
        binds = np.flatnonzero(np.cumsum(load) > spans.room[k])
        if len(binds) == 0:
            continue
        by = program.variables(np.zeros(len(binds)), np.maximum(spans.room[k, binds], 0.0))
        rows = program.constraints(np.zeros(len(binds)), np.zeros(len(binds)))
        program.put(rows, by, -1.0)
        program.put(rows[1:], by[:-1], 1.0)
        counted = np.searchsorted(spans.columns[binds], spans.column[inside])
        within = counted < len(binds)
        program.put(rows[counted[within]], spans.picks[inside[within]], work[within])


def _least(slack: NDArray[np.int64], rows: NDArray[np.int32], columns: NDArray[np.int32]) -> Numbers:
    """Return the least slack of the windows that hold the same picks as each one between ``rows`` and ``columns``."""
    ends = [*columns[1:].tolist(), slack.shape[1]]
    by_column = np.stack([slack[:, b:end].min(axis=1) for b, end in zip(columns.tolist(), ends, strict=True)], axis=1)
    starts = [-1, *rows[:-1].tolist()]
    parts = [by_column[start + 1 : a + 1].min(axis=0) for start, a in zip(starts, rows.tolist(), strict=True)]
    return np.stack(parts).astype(np.float64)


def _wider(room: Numbers) -> Numbers:
    """Return for each window the least room of those that contain it and more."""
    least = np.minimum.accumulate(np.minimum.accumulate(room, axis=0)[:, ::-1], axis=1)[:, ::-1]
    wider = np.full_like(room, np.inf)
    wider[1:] = least[:-1]
    wider[:, :-1] = np.minimum(wider[:, :-1], least[:, 1:])
    return wider


def _linked(program: Program) -> None:
    """The people of one piece of work differ, and a review is released after its preparation is promised."""
    problem, tasks = program.problem, np.array(program.scope.tasks, dtype=np.int64)
    place = {int(t): i for i, t in enumerate(tasks)}
    for i in _with_links(problem, tasks):
        t = int(tasks[i])
        mine = np.flatnonzero(program.task == i)
        for other in problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]].tolist():
            if other in place and t < other:
                theirs = np.flatnonzero(program.task == place[other])
                for q in np.intersect1d(program.person[mine], program.person[theirs]):
                    both = np.concatenate([mine[program.person[mine] == q], theirs[program.person[theirs] == q]])
                    program.at_most_one(both)
        if int(problem.preparation[t]) in place:
            _in_order(program, np.flatnonzero(program.task == place[int(problem.preparation[t])]), mine)


def _in_order(program: Program, preparation: Places, review: Places) -> None:
    problem, beyond = program.problem, program.problem.board.axis.count
    released = problem.release[program.window[review]]
    for end in np.unique(problem.due[program.window[preparation]]):
        early = review[(released <= end) & (released < beyond)]
        if len(early):
            late = preparation[problem.due[program.window[preparation]] >= end]
            program.at_most_one(np.concatenate([late, early]))


def _balance(program: Program, fixed_min: NDArray[np.int64]) -> None:
    """Price of loads away from the fair shares, convex per person."""
    shares, people = program.problem.balance, np.array(program.scope.people, dtype=np.int64)
    count = len(people)
    for column in range(shares.share_min.shape[1]):
        weight = (shares.near_pct if column == 0 else shares.week_pct) / 100
        due = program.problem.due[program.window]
        counted = np.flatnonzero(due <= shares.end_slots[column - 1]) if column else np.arange(len(due))
        share = (shares.share_min[people, column] - fixed_min[:, column]).astype(np.float64)
        over, under = (program.variables(np.full(count, weight), np.full(count, np.inf)) for _ in range(2))
        rows = program.constraints(share, share)
        program.put(rows[program.person[counted]], counted, program.work[counted])
        program.put(rows, over, -1.0)
        program.put(rows, under, 1.0)
        if column == 0:
            far = program.variables(np.full(count, shares.far_pct / 100), np.full(count, np.inf))
            rows = program.constraints(-shares.far_min[people].astype(np.float64), np.full(count, np.inf))
            program.put(rows, far, 1.0)
            program.put(rows, over, -1.0)
            program.put(rows, under, -1.0)
