"""The joint CP-SAT model, the one written statement of the problem: one small function per rule and per objective term.

It is built for any set of free tasks and people; everything else stays as it is in the given plan. Free everything and it
is the whole problem; free a few people and it is a neighbourhood. Rules may be built in any order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from solver.construct import in_order as fits_order
from solver.construct import others_on_piece
from solver.problem import ESCALATED, Assignment, Problem

DUAL_EFFORT = 1
"""Linearization level of CP-SAT; 2 was no better on neighbourhoods of 4 to 10 people."""


@dataclass(frozen=True)
class Scope:
    """What a model decides: free tasks and the people they may go to; the plan says where everything else is."""

    plan: Assignment
    tasks: tuple[int, ...]
    people: tuple[int, ...]


@dataclass(frozen=True)
class Term:
    """One part of the objective."""

    name: str
    expr: cp_model.LinearExprT


@dataclass
class Choice:
    """The decision variables, read through sentences.

    Attributes
    ----------
    picks
        ``(task, person, flat window)`` to the variable that says so; pairs and windows that cannot be are not there.
    left
        Task to the variable that says it is escalated.
    """

    problem: Problem
    scope: Scope
    model: cp_model.CpModel
    slack_min: NDArray[np.int32]
    fixed_loads_min: NDArray[np.int64]
    picks: dict[tuple[int, int, int], cp_model.IntVar] = field(default_factory=dict)
    left: dict[int, cp_model.IntVar] = field(default_factory=dict)
    helpers: list[tuple[cp_model.IntVar, int]] = field(default_factory=list)
    by_task: dict[int, list[tuple[int, int, cp_model.IntVar]]] = field(default_factory=lambda: defaultdict(list))
    by_person: dict[int, list[tuple[int, int, cp_model.IntVar]]] = field(default_factory=lambda: defaultdict(list))

    def pick(self, t: int, p: int, w: int) -> None:
        """Create the variable that is true when ``p`` does ``t`` in window ``w``."""
        x = self.model.new_bool_var("")
        self.picks[t, p, w] = x
        self.by_task[t].append((p, w, x))
        self.by_person[p].append((w, int(self.problem.work_min[t, p]), x))

    def does(self, t: int, p: int) -> list[cp_model.IntVar]:
        """Return the variables of which one is true when ``p`` does ``t``."""
        return [x for person, _, x in self.by_task[t] if person == p]

    def of_task(self, t: int) -> list[tuple[int, int, cp_model.IntVar]]:
        """Return ``(person, window, variable)`` of everything that may happen to ``t``."""
        return self.by_task[t]

    def work(self, p: int) -> list[tuple[int, int, cp_model.IntVar]]:
        """Return ``(window, minutes, variable)`` of everything ``p`` may do."""
        return self.by_person[p]

    def hint(self) -> None:
        """Give CP-SAT the plan as a complete hint, helper variables included: an incomplete one is of no use to it."""
        plan, problem = self.scope.plan, self.problem
        for (t, p, w), x in self.picks.items():
            here = plan.who[t] == p and problem.first_window[t] + plan.window[t] == w
            self.model.add_hint(x, bool(here))
        for t, u in self.left.items():
            self.model.add_hint(u, bool(plan.who[t] == ESCALATED))
        for var, value in self.helpers:
            self.model.add_hint(var, value)

    def extract(self, solver: cp_model.CpSolver) -> Assignment:
        """Return the plan with the free tasks as the solver placed them."""
        plan = self.scope.plan.copy()
        for t in self.left:
            plan.who[t], plan.window[t] = ESCALATED, -1
        for (t, p, w), x in self.picks.items():
            if solver.boolean_value(x):
                plan.who[t], plan.window[t] = p, w - int(self.problem.first_window[t])
        return plan


def build(problem: Problem, scope: Scope) -> Choice:
    """Return the model of a scope with every rule, every term, and the plan as its hint."""
    choice = _variables(problem, scope)
    for rule in RULES:
        rule(choice)
    terms = [term(choice) for term in TERMS]
    choice.model.minimize(sum(term.expr for term in terms))
    choice.hint()
    return choice


def solve(choice: Choice, *, work_units: float, seed: int) -> tuple[Assignment | None, bool, float]:
    """Solve within a deterministic budget; return the plan found, whether it is proven best, and the work used."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False  # it would leave the process without its own handler
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = work_units
    solver.parameters.linearization_level = DUAL_EFFORT
    status = solver.solve(choice.model)
    used = float(solver.response_proto.deterministic_time)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, False, used
    return choice.extract(solver), status == cp_model.OPTIMAL, used


def _variables(problem: Problem, scope: Scope) -> Choice:
    fixed = scope.plan.copy()
    fixed.who[list(scope.tasks)] = ESCALATED
    choice = Choice(problem, scope, cp_model.CpModel(), problem.slack_min(fixed), problem.loads_min(fixed))
    for t in scope.tasks:
        choice.left[t] = choice.model.new_bool_var("")
        barred = set(others_on_piece(problem, fixed, t).tolist())
        windows = [w for w in problem.windows_of(t) if fits_order(problem, fixed, t, w)]
        for p in scope.people:
            if problem.allowed[t, p] and p not in barred:
                for w in windows:
                    if _room(choice, p, w) >= problem.work_min[t, p]:
                        choice.pick(t, p, w)
    return choice


def _room(choice: Choice, p: int, w: int) -> int:
    problem = choice.problem
    row, column = int(problem.release_row[w]), int(problem.due_column[w])
    around = choice.slack_min[p, : row + 1, column:]
    return int(around.min()) if around.size else int(np.iinfo(np.int32).max)


def once(choice: Choice) -> None:
    """Every task has one person and one window, or is escalated; work that has a person is not escalated."""
    for t in choice.scope.tasks:
        choice.model.add_exactly_one([*(x for _, _, x in choice.of_task(t)), choice.left[t]])
        if not choice.problem.may_escalate[t]:
            choice.model.add(choice.left[t] == 0)


def capacity(choice: Choice) -> None:
    """No person is given more work in a window than the open minutes in it."""
    problem, beyond = choice.problem, len(choice.problem.dues)
    for p in choice.scope.people:
        work = sorted(
            (int(problem.due_column[w]), int(problem.release_row[w]), minutes, i, x)
            for i, (w, minutes, x) in enumerate(choice.work(p))
            if problem.due_column[w] < beyond
        )
        rows, columns = sorted({item[1] for item in work}), sorted({item[0] for item in work})
        for a in rows:
            since = [(column, minutes, x) for column, row, minutes, _, x in work if row >= a]
            for b in columns:
                inside = [(minutes, x) for column, minutes, x in since if column <= b]
                room = _least(choice, p, a, b, rows, columns)
                if sum(minutes for minutes, _ in inside) > room:
                    minutes, variables = zip(*inside, strict=True)
                    choice.model.add(cp_model.LinearExpr.weighted_sum(variables, minutes) <= room)


def _least(choice: Choice, p: int, a: int, b: int, rows: list[int], columns: list[int]) -> int:
    """Return the least slack of the windows that hold the same free tasks as the one from row ``a`` to column ``b``."""
    before = max((row for row in rows if row < a), default=-1)
    after = min((column for column in columns if column > b), default=choice.slack_min.shape[2])
    return int(choice.slack_min[p, before + 1 : a + 1, b:after].min())


def separate(choice: Choice) -> None:
    """The people of one piece of work differ: a reviewer is not the preparer."""
    problem, free = choice.problem, set(choice.scope.tasks)
    for t in choice.scope.tasks:
        for other in problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]].tolist():
            if other in free and t < other:
                for p in choice.scope.people:
                    both = [*choice.does(t, p), *choice.does(other, p)]
                    if both:
                        choice.model.add_at_most_one(both)


def in_order(choice: Choice) -> None:
    """A review is released after the slot by which its preparation is promised."""
    problem, free, beyond = choice.problem, set(choice.scope.tasks), choice.problem.board.axis.count
    for review in choice.scope.tasks:
        preparation = int(problem.preparation[review])
        if preparation not in free:
            continue
        for end in sorted({int(problem.due[w]) for _, w, _ in choice.of_task(preparation)}):
            late = [x for _, w, x in choice.of_task(preparation) if problem.due[w] >= end]
            early = [
                x for _, w, x in choice.of_task(review) if problem.release[w] <= end and problem.release[w] < beyond
            ]
            if early:
                # Windows of one task exclude each other already, so one row per end says it for every pair.
                choice.model.add_at_most_one([*late, *early])


def escalation(choice: Choice) -> Term:
    """Price of each task left to a partner."""
    prices = choice.problem.escalation_min
    return Term("escalation", sum(int(prices[t]) * u for t, u in choice.left.items()))


def placement(choice: Choice) -> Term:
    """Price of who and when: lateness, moves, continuity, level far above need."""
    problem = choice.problem
    cost = {key: int(problem.late_min[key[2]]) + int(problem.comfort_min[key[0], key[1]]) for key in choice.picks}
    return Term("placement", sum(cost[key] * x for key, x in choice.picks.items() if cost[key]))


def balance(choice: Choice) -> Term:
    """Price of loads away from the fair shares, convex per person, in whole minutes rounded up."""
    return Term("balance", sum(_imbalance(choice, p) for p in choice.scope.people))


def _imbalance(choice: Choice, p: int) -> cp_model.IntVar:
    shares, model, work = choice.problem.balance, choice.model, choice.work(p)
    now_min = choice.fixed_loads_min[p] + _hinted(choice, p)
    parts: list[tuple[int, cp_model.IntVar]] = []
    for column in range(shares.share_min.shape[1]):
        counted = [
            (minutes, x)
            for w, minutes, x in work
            if column == 0 or choice.problem.due[w] <= shares.end_slots[column - 1]
        ]
        fixed, share = int(choice.fixed_loads_min[p, column]), int(shares.share_min[p, column])
        most = max(fixed + sum(minutes for minutes, _ in counted), share)
        load = cp_model.LinearExpr.weighted_sum([x for _, x in counted], [m for m, _ in counted]) + fixed
        away = model.new_int_var(0, most, "")
        model.add(away >= load - share)
        model.add(away >= share - load)
        distance = abs(int(now_min[column]) - share)
        choice.helpers.append((away, distance))
        parts.append((shares.near_pct if column == 0 else shares.week_pct, away))
        if column == 0:
            limit = int(shares.far_min[p])
            far = model.new_int_var(0, most, "")
            model.add(far >= away - limit)
            choice.helpers.append((far, max(distance - limit, 0)))
            parts.append((shares.far_pct, far))
    values = dict(zip((id(var) for var, _ in choice.helpers), (value for _, value in choice.helpers), strict=True))
    cost = model.new_int_var(0, 10**9, "")
    model.add(100 * cost >= sum(weight * var for weight, var in parts))
    choice.helpers.append((cost, -(-sum(weight * values[id(var)] for weight, var in parts) // 100)))
    return cost


def _hinted(choice: Choice, p: int) -> NDArray[np.int64]:
    """Return what the plan gives ``p`` of the free tasks, in each load of the balance."""
    plan, problem = choice.scope.plan, choice.problem
    given = np.zeros(choice.fixed_loads_min.shape[1], dtype=np.int64)
    for t in choice.scope.tasks:
        if plan.who[t] == p:
            due = int(problem.due[problem.first_window[t] + plan.window[t]])
            given += np.where(problem.balance.columns(due), int(problem.work_min[t, p]), 0)
    return given


RULES: tuple[Callable[[Choice], None], ...] = (once, capacity, separate, in_order)
TERMS: tuple[Callable[[Choice], Term], ...] = (escalation, placement, balance)
