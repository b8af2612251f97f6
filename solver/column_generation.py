"""The bound of whole plans per person: column generation over what each person could do in all, exactly (`solver.person_plans`).

The linear relaxation splits tasks; this one does not, so it sees that work is lumpy. At any task prices the sum of everybody's best plan
is a bound (Lagrange); prices come from a linear program over the person-plans met so far, kept near the best prices known by a box
that costs to leave (du Merle, Villeneuve, Desrosiers, Hansen 1999) and shrinks while it does not help. The bound holds at any stop.
Measured on 600 tasks: linear relaxation 535 thousand minutes, this one 827 thousand after a minute of a core, best plan 912 thousand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import linprog

from solver.bound import ITERATIONS_PER_UNIT, Relaxed
from solver.crew import GoOn
from solver.multipliers import TOLERANCE
from solver.person_plans import BEYOND_MIN, MOST_ITEMS, best_plans
from solver.problem import Assignment, Problem

MOST_COLUMNS, KEPT_COLUMNS = 1_500, 900
"""Person-plans in the linear program, and how many of them are kept, the cheapest at its prices, once there are more."""
FIRST_BOX, LEAST_BOX = 0.004, 0.0005
"""Half the width of the box around the best prices, as a share of each task's escalation price."""
WIDER, NARROWER = 1.3, 0.7
INSIDE = 0.3
"""Share of a task that may be traded at the edge of the box; beyond it ten times the width costs the whole."""
STATES_PER_UNIT = 1e9
"""States of the recursion in about a second."""
CALL_UNITS = 0.01
"""What any linear program costs to set up."""
MOST_ROUND_UNITS = 2.0
"""A round that takes longer would have to be repeated too often: on a firm of 30 people fifty are needed for most of the gain."""
SLOW_ROUNDS, SLOW_SHARE = 12, 0.001
"""Jobs without so much more of the bound, after which the core is of more use to the plan."""
FLAGS = 2
"""Tasks of a person of which no second window is taken; a third gained a hundredth of a percent for half as much time again."""


@dataclass(frozen=True)
class Columns:
    """Person-plans: who, at what cost, and their tasks one after another."""

    person: NDArray[np.int64]
    cost: NDArray[np.float64]
    size: NDArray[np.int64]
    task: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.person)

    def and_more(self, other: Columns) -> Columns:
        """Return these and those."""
        return Columns(
            np.concatenate([self.person, other.person]),
            np.concatenate([self.cost, other.cost]),
            np.concatenate([self.size, other.size]),
            np.concatenate([self.task, other.task]),
        )

    def only(self, keep: NDArray[np.bool_]) -> Columns:
        """Return those kept."""
        return Columns(self.person[keep], self.cost[keep], self.size[keep], self.task[np.repeat(keep, self.size)])

    def matrix(self, tasks: int, people: int) -> sp.csc_matrix:
        """Return ``(T + P, columns)``: the tasks of each plan, and whose it is."""
        place = np.arange(len(self))
        row = np.concatenate([self.task, tasks + self.person])
        column = np.concatenate([np.repeat(place, self.size), place])
        return sp.csc_matrix((np.ones(len(row)), (row, column)), shape=(tasks + people, len(self)))


@dataclass(frozen=True)
class State:
    """Where the bound stands: the best prices and bound (unavoidable part included), the person-plans, the width of the box."""

    price: NDArray[np.float64]
    bound: float
    columns: Columns
    box: float
    done: bool = False

    @property
    def minutes(self) -> int:
        """The bound in whole minutes, less what floating-point sums may be off."""
        return math.ceil(self.bound - TOLERANCE * (1.0 + abs(self.bound)))


def worth_it(relaxed: Relaxed) -> bool:
    """Whether a round is short enough for the bound to get anywhere."""
    return 2 * _pass_units(relaxed) <= MOST_ROUND_UNITS


def _pass_units(relaxed: Relaxed) -> float:
    return len(relaxed.items.task) * float(relaxed.items.room.max(initial=0)) / STATES_PER_UNIT


@dataclass(frozen=True)
class Tightened:
    """What a job of tightening came to."""

    state: State
    work_units: float


@dataclass(frozen=True)
class Tighten:
    """Tighten the bound for some work, with the person-plans of ``plan`` as further columns.

    Attributes
    ----------
    state
        Where an earlier job ended; none at first.
    """

    relaxed: Relaxed
    state: State | None
    plan: Assignment
    work_units: float

    def __call__(self, problem: Problem, go_on: GoOn) -> Tightened:
        """Tighten; told to stop, return after the round at hand."""
        work = _Work(problem, self.relaxed)
        state = self.state or work.first()
        state = replace(state, columns=state.columns.and_more(work.of_plan(self.plan)))
        while not state.done:
            state = work.round(state)
            if work.used >= self.work_units or not go_on():
                break
        return Tightened(state, work.used)


class _Work:
    """The rounds of one job, with the work they used."""

    def __init__(self, problem: Problem, relaxed: Relaxed) -> None:
        self.problem, self.relaxed, self.used = problem, relaxed, 0.0
        self.escalation = problem.escalation_min.astype(np.float64)

    def first(self) -> State:
        """Return the bound at the prices of the linear relaxation, and nobody doing anything as first columns."""
        shares, people = self.problem.balance, self.problem.person_count
        idle = Columns(
            np.arange(people),
            (
                shares.near_pct * shares.share_min[:, 0]
                + shares.far_pct * np.maximum(shares.share_min[:, 0] - shares.far_min, 0)
                + shares.week_pct * shares.share_min[:, 1:].sum(axis=1)
            )
            / 100.0,
            np.zeros(people, dtype=np.int64),
            np.zeros(0, dtype=np.int64),
        )
        bound, columns = self.bound_at(self.relaxed.task)
        return State(self.relaxed.task, bound, idle.and_more(columns), FIRST_BOX)

    def bound_at(self, price: NDArray[np.float64]) -> tuple[float, Columns]:
        """Return the bound at task prices, and everybody's best plan at them."""
        items = self.relaxed.items
        total, cost, item, start = best_plans(items, price, FLAGS, MOST_ITEMS, BEYOND_MIN)
        self.used += _pass_units(self.relaxed)
        found = Columns(np.arange(self.problem.person_count), cost, np.diff(start), items.task[item])
        return total + float(price.sum()) - self.relaxed.later_min, found

    def of_plan(self, plan: Assignment) -> Columns:
        """Return everybody's part of a plan."""
        problem = self.problem
        placed = np.flatnonzero(plan.who >= 0)
        placed = placed[np.argsort(plan.who[placed], kind="stable")]
        who = plan.who[placed].astype(np.int64)
        price = problem.late_min[problem.chosen(plan, placed)] + problem.comfort_min[placed, who]
        cost = problem.balance.cost_min(problem.loads_min(plan)).astype(np.float64)
        cost += np.bincount(who, weights=price, minlength=problem.person_count)
        size = np.bincount(who, minlength=problem.person_count)
        return Columns(np.arange(problem.person_count), cost, size, placed.astype(np.int64))

    def round(self, state: State) -> State:
        """Solve the linear program over the person-plans and try its prices, and prices nearer to the best."""
        price, columns, done = self._priced(state)
        best, bound, box, grew = state.price, state.bound, state.box, False
        for share in (1.0, 0.3):
            tried = share * price + (1.0 - share) * state.price
            value, found = self.bound_at(tried)
            columns = columns.and_more(found)
            if value > bound:
                best, bound, grew = tried, value, True
        box = max(box * (WIDER if grew else NARROWER), LEAST_BOX)
        return State(best, bound, columns, box, done)

    def _priced(self, state: State) -> tuple[NDArray[np.float64], Columns, bool]:
        """Return the prices of the linear program, the columns worth keeping, and whether prices cannot get better."""
        problem, tasks, people = self.problem, self.problem.task_count, self.problem.person_count
        columns, half = state.columns, state.box * self.escalation
        matrix = columns.matrix(tasks, people)
        one = sp.vstack([sp.identity(tasks), sp.csc_matrix((people, tasks))])
        edges = [state.price + half, half - state.price, state.price + 10 * half + 200, 10 * half + 200 - state.price]
        cost = np.concatenate([columns.cost, self.escalation, *edges])
        most = np.concatenate(
            [
                np.full(len(columns), np.inf),
                np.where(problem.may_escalate, np.inf, 0.0),
                np.full(2 * tasks, INSIDE),
                np.full(2 * tasks, np.inf),
            ]
        )
        found = linprog(
            cost,
            A_eq=sp.hstack([matrix, one, one, -one, one, -one]).tocsc(),
            b_eq=np.ones(tasks + people),
            bounds=np.column_stack([np.zeros(len(cost)), most]),
            method="highs",
        )
        self.used += CALL_UNITS + float(found.nit) / ITERATIONS_PER_UNIT
        if found.x is None:
            return state.price, columns, True
        duals = found.eqlin.marginals
        price = np.where(problem.may_escalate, np.minimum(duals[:tasks], self.escalation), duals[:tasks])
        closed = found.fun - self.relaxed.later_min <= state.bound + 0.5 and state.box <= LEAST_BOX
        if len(columns) > MOST_COLUMNS:
            reduced = columns.cost - matrix.T @ duals
            columns = columns.only(reduced <= np.partition(reduced, KEPT_COLUMNS)[KEPT_COLUMNS])
        return price, columns, bool(closed)
