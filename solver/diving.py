"""Who of a few people takes which of the work due first: whole person-plans by column generation, fixed one person after another.

What decides the objective of a busy firm is a handful of lumps: some forty tasks of hundreds of minutes each, due on one day, for nine
people whose time that day does not hold them all. That is a generalised assignment problem. Its linear relaxation is weak, but the one
over whole plans per person is nearly exact (Savelsbergh 1997): its solution, with one person's plan fixed and the others' generated
anew until all are fixed (a pure dive: Sadykov, Vanderbeck, Pessoa, Tahiri, Uchoa 2019), is often within a per cent of the best. All other
work stays where it is; `solver.neighbourhoods` is for that. What it gave is in docs/decisions/0031-dives.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from solver import integer_program
from solver.construct import completed
from solver.contention import contended
from solver.crew import GoOn
from solver.model import Scope
from solver.overbooking import Found
from solver.person_plans import BEYOND_MIN, MOST_ITEMS, Items, best_plans, fitting
from solver.problem import ESCALATED, Assignment, Problem
from solver.quiet import PRIMAL, Quiet

FIRST_SIZE, GROWTH, MOST_TASKS = 120, 1.4, 240
"""Tasks in the first dives, how many more where the last one gained nothing, and at most: what it takes grows with the square."""
MOST_WINDOWS = 5
"""Windows of a task that are offered to it: the cheapest, the present one and some between; each is an item of the recursion."""
FLAGS = 2
"""Tasks of a person of which no second window is taken: with one, dives end at 1.06 to 1.14 million, with two at 0.97 (decision 31)."""
DEARER = 10.0
"""Times the price of missing work in a dive: at the first price dives ended with work that somebody must take and nobody did."""
COARSE_MIN, DIVE_MIN = 16, 8
"""Steps of minutes in the first rounds, which only have to come near the prices, and in the dive. Rounded up, seventeen tasks of a person
waste an hour of eight-minute steps: a rough dive ends within two per cent of a fine one, whose work is rounded to the nearest step and
whose plans are then made to fit, in half the time."""
MOST_ROUNDS, DIVE_ROUNDS = 200, 100
"""Rounds of column generation before the dive, and after each person is fixed: with thirty the linear program is far from its prices
by then, and dives of 170 tasks ended with work that somebody must take and nobody did."""
CLOSE = 2e-3
"""Share of the objective within which bound and linear program are taken to agree."""
SMOOTH = 0.8
"""Share of the best prices so far in the prices that are tried (Wentges 1997): fewer rounds than at the linear program's own."""
DIVES = 2
"""Dives from one root; the first takes the largest shares, the other draws a little."""
TRIES, JUMP = 4, 5.0
"""Plans tried at one depth of a dive until one costs no more than so many times `CLOSE`; else the best of them: the first one alone was
often a per cent or two of the objective, and near the end all of what was gained before."""
PATIENCE = 20
"""Rounds near the prices after which a value that hardly falls is as good as the last."""
TOLERANCE = 1e-6
MISSING = 2.0
"""Price of work that somebody must take and nobody does, times its escalation price: dear, yet not so dear that prices run wild."""
STATES_PER_UNIT = 5e9
"""States of the recursion in about a second, without those of flags and those that no work leads to: measured with 90 tasks, 9 people."""
ROUND_UNITS = 0.003
"""What a linear program of some dozen tasks and people takes."""


@dataclass(frozen=True)
class Dive:
    """Dive from a plan that breaks no rule, around a task that costs more than it must; differs by ``seed``.

    Attributes
    ----------
    size
        Tasks at most.
    fine
        Whether work is measured to the nearest step, not rounded up: it takes twice as long.
    most_units
        Work after which it ends with what it has.
    """

    plan: Assignment
    seed: int
    size: int = FIRST_SIZE
    fine: bool = False
    most_units: float = math.inf

    def __call__(self, problem: Problem, go_on: GoOn) -> Found:
        """Search; told to stop, return the best plan so far. Where no task costs more than it must the work is zero."""
        tasks, people = contended(problem, self.plan, self.seed, self.size)
        if len(tasks) < 2:
            return Found(self.plan, 0.0)
        dives = _Dives(problem, self.plan, tasks, people, self.fine, self.most_units, go_on)
        return dives.run(np.random.default_rng(self.seed))


@dataclass(frozen=True)
class _Node:
    """Where a dive stands.

    Attributes
    ----------
    out, needed
        ``(items,)`` what is not to be had any more; ``(tasks,)`` what is in a plan that is fixed.
    """

    out: NDArray[np.bool_]
    needed: NDArray[np.bool_]
    value: float
    price: NDArray[np.float64]
    plans: list[tuple[float, int, NDArray[np.int64]]]

    @property
    def whole(self) -> bool:
        """Whether nobody's plan is a mixture."""
        return all(share > 1.0 - TOLERANCE for share, _, _ in self.plans)


class _Dives:
    """The linear program over person-plans met so far, and what is fixed in it."""

    def __init__(
        self,
        problem: Problem,
        plan: Assignment,
        tasks: NDArray[np.int64],
        people: NDArray[np.int64],
        fine: bool,
        most_units: float,
        go_on: GoOn,
    ) -> None:
        self.problem, self.plan, self.tasks, self.people = problem, plan, tasks, people
        self.fine, self.most_units, self.told = fine, most_units, go_on
        self.items, self.window = _items(problem, plan, tasks, people)
        self.may = problem.may_escalate[tasks]
        escalation = problem.escalation_min[tasks].astype(np.float64)
        self.missing = MISSING * escalation
        self.escalation = np.where(self.may, escalation, self.missing)
        self.close = CLOSE * (problem.objective_min(plan) - problem.unavoidable_min())
        self.used = 0.0
        self.best, self.objective = plan, problem.objective_min(plan)
        self.columns: list[tuple[int, NDArray[np.int64]]] = []
        self.met: set[tuple[int, bytes]] = set()
        self.solver: Any = Quiet()
        self.solver.setOptionValue("presolve", "off")
        self.solver.setOptionValue("simplex_strategy", PRIMAL)
        rows = len(tasks) + len(people)
        for _ in range(rows):
            self.solver.addRow(1.0, 1.0, 0, np.zeros(0, dtype=np.int32), np.zeros(0))
        for i, price in enumerate(self.escalation.tolist()):
            self.solver.addCol(price, 0.0, highspy.kHighsInf, 1, np.array([i], dtype=np.int32), np.ones(1))
        for q in range(len(people)):
            self._add(q, np.zeros(0, dtype=np.int64))
            self._add(q, self._held(q))

    def go_on(self) -> bool:
        """Whether nobody said to stop, and there is work left to do."""
        return self.told() and self.used < self.most_units

    def run(self, random: np.random.Generator) -> Found:
        """Generate columns, then dive a few times."""
        nothing = np.zeros(len(self.items.task), dtype=np.bool_)
        self.solver.run()
        self.least = float(self.solver.getInfo().objective_function_value) - 1.0
        none = np.zeros(len(self.tasks), dtype=np.bool_)
        root = self._generate(nothing, None, MOST_ROUNDS, none, step=COARSE_MIN)
        root = self._generate(nothing, root.price, MOST_ROUNDS, none, step=DIVE_MIN)
        known = list(self.columns)
        self.person = np.repeat(np.arange(len(self.people)), np.diff(self.items.start))
        for number in range(DIVES):
            if not self.go_on():
                break
            for q, item in known:
                self._add(q, item)
            self._dive(root, random if number else None)
        return Found(self.best, self.used)

    def _held(self, q: int) -> NDArray[np.int64]:
        """Return the items of what a person has in the plan."""
        mine = np.arange(self.items.start[q], self.items.start[q + 1])
        t = self.tasks[self.items.task[mine]]
        here = (self.plan.who[t] == self.people[q]) & (
            self.problem.first_window[t] + self.plan.window[t] == self.window[mine]
        )
        held: NDArray[np.int64] = mine[here]
        return held

    def _cost(self, q: int, item: NDArray[np.int64]) -> float:
        """Return what a person-plan costs."""
        i, work = self.items, self.items.work[item]
        cost = float(i.price[item].sum())
        for j, last in enumerate(i.week_column.tolist()):
            cost += float(i.weights[2] * abs(work[i.column[item] <= last].sum() - i.share[q, j + 1]))
        away = abs(float(work.sum() - i.share[q, 0]))
        return cost + float(i.weights[0] * away + i.weights[1] * max(away - i.far[q], 0.0))

    def _add(self, q: int, item: NDArray[np.int64]) -> bool:
        """Add a person-plan where it is new, and beside one that takes a task twice the same with its cheaper window alone.

        What is taken twice counts twice in its row: the linear program needs it on the way, a plan cannot hold it.
        """
        item = fitting(self.items, q, np.sort(item))
        key = (q, item.tobytes())
        if key in self.met:
            return False
        self.met.add(key)
        task, count = np.unique(self.items.task[item], return_counts=True)
        row, entry = np.append(task, len(self.tasks) + q).astype(np.int32), np.append(count, 1).astype(np.float64)
        self.solver.addCol(self._cost(q, item), 0.0, highspy.kHighsInf, len(row), row, entry)
        self.columns.append((q, item))
        if len(task) < len(item):
            self._add(q, self._once(item))
        return True

    def _once(self, item: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return of a person-plan the cheaper window alone of what it takes twice."""
        cheapest = item[np.argsort(self.items.price[item], kind="stable")]
        return cheapest[np.unique(self.items.task[cheapest], return_index=True)[1]]

    def _forget(self, out: NDArray[np.bool_]) -> None:
        """Delete the person-plans with an item that is ``out``: the linear program is the faster the fewer there are."""
        gone = np.array([bool(out[item].any()) for _, item in self.columns])
        place = (len(self.tasks) + np.flatnonzero(gone)).astype(np.int32)
        self.solver.deleteCols(len(place), place)
        self.columns = [column for column, no in zip(self.columns, gone.tolist(), strict=True) if not no]
        self.met = {(q, item.tobytes()) for q, item in self.columns}

    def _only(self, out: NDArray[np.bool_], missing: NDArray[np.float64]) -> None:
        """Leave out the columns with an item that is ``out``; ``missing`` is what each task costs that nobody takes."""
        most = np.full(len(self.columns), highspy.kHighsInf)
        for k, (_, item) in enumerate(self.columns):
            if out[item].any():
                most[k] = 0.0
        place = len(self.tasks) + np.arange(len(most), dtype=np.int32)
        self.solver.changeColsBounds(len(most), place, np.zeros(len(most)), most)
        self.solver.changeColsCost(len(missing), np.arange(len(missing), dtype=np.int32), missing)

    def _generate(
        self,
        out: NDArray[np.bool_],
        price: NDArray[np.float64] | None,
        rounds: int,
        needed: NDArray[np.bool_],
        *,
        step: int,
    ) -> _Node:
        """Generate columns without the items ``out``; return the best task prices and the share of each variable."""
        dear = DEARER if needed.any() else 1.0
        limit = np.where(needed, self.missing, self.escalation) * np.where(needed | ~self.may, dear, 1.0)
        self._only(out, limit)
        items = _in_steps(self.items, step, up=not self.fine or step == COARSE_MIN)._replace(
            price=np.where(out, 1e15, self.items.price)
        )
        states = float(len(out) - out.sum()) * float(items.room.max(initial=0))
        bound, smooth, best = -np.inf, 0.0 if price is None else SMOOTH, price
        values: list[float] = []
        for _ in range(rounds):
            self.solver.run()
            value = float(self.solver.getInfo().objective_function_value)
            values.append(value)
            if price is not None and len(values) > PATIENCE and values[-1 - PATIENCE] - value < self.close / 4:
                break
            pi = np.minimum(np.array(self.solver.getSolution().row_dual)[: len(self.tasks)], limit)
            fresh = False
            while True:
                tried = pi if best is None else smooth * best + (1.0 - smooth) * pi
                total, _, item, start = best_plans(items, tried, FLAGS, MOST_ITEMS, BEYOND_MIN // step)
                self.used += states / STATES_PER_UNIT + ROUND_UNITS
                for q in range(len(self.people)):
                    fresh |= self._add(q, item[start[q] : start[q + 1]])
                if total + tried.sum() > bound:
                    bound, best = total + float(tried.sum()), tried
                if fresh or smooth == 0.0:
                    break
                smooth = smooth / 2 if smooth > 0.3 else 0.0
            if not fresh or value - bound < self.close or not self.go_on():
                break
            smooth = min(SMOOTH, smooth + 0.1)
        self.solver.run()
        assert best is not None
        share = np.array(self.solver.getSolution().col_value)[len(self.tasks) :]
        value = float(self.solver.getInfo().objective_function_value)
        plans = [(float(share[k]), *self.columns[k]) for k in np.flatnonzero(share > TOLERANCE).tolist()]
        return _Node(out, needed, value, best, plans)

    def _dive(self, at: _Node, random: np.random.Generator | None) -> None:
        """Fix one person's plan after another, the one with the largest share, until all is whole."""
        while not at.whole:
            weight = np.array([share for share, _, _ in at.plans])
            weight[weight > 1.0 - TOLERANCE] = 0.0
            if random is not None:
                weight *= random.uniform(0.6, 1.0, len(weight))
            after = None
            for k in np.argsort(-weight, kind="stable")[:TRIES].tolist():
                if weight[k] == 0.0 or not self.go_on():
                    break
                tried = self._fixed(at, *at.plans[k][1:])
                # Each depth takes something away for good, or a dive would not end.
                if (tried.out == at.out).all():
                    continue
                if after is None or tried.value < after.value:
                    after = tried
                if after.value - at.value <= JUMP * self.close:
                    break
            if after is None or after.value >= self.least:
                return
            at = after
            self._forget(at.out)
        self._take(at)

    def _fixed(self, at: _Node, q: int, item: NDArray[np.int64]) -> _Node:
        """Fix a person-plan, less what it takes twice, and generate the others' anew."""
        item = self._once(item)
        mine = np.zeros(len(self.tasks), dtype=np.bool_)
        mine[self.items.task[item]] = True
        out = at.out | np.where(self.person == q, True, mine[self.items.task])
        out[item] = False
        needed = at.needed | mine
        return self._generate(out, at.price, DIVE_ROUNDS, needed, step=DIVE_MIN)

    def _take(self, at: _Node) -> None:
        """Keep the plan of a dive where it is the best so far."""
        plan = self.plan.copy()
        plan.who[self.tasks], plan.window[self.tasks] = ESCALATED, -1
        for share, q, item in at.plans:
            if share < 0.5:
                continue
            t = self.tasks[self.items.task[item]]
            plan.who[t], plan.window[t] = self.people[q], self.window[item] - self.problem.first_window[t]
        if (plan.who[self.tasks[~self.may]] < 0).any():
            return
        # The recursion knows of windows that start now alone.
        if (self.problem.slack_min(plan, self.people) < 0).any():
            return
        plan = completed(self.problem, plan)
        objective = self.problem.objective_min(plan)
        self.least = min(self.least, at.value - 1.0)
        if objective < self.objective:
            self.best, self.objective = plan, objective


def _in_steps(items: Items, step: int, *, up: bool) -> Items:
    """Return the items in steps of so many minutes: what fits fits where work is rounded ``up``, else mostly."""
    return items._replace(
        work=-(-items.work // step) if up else (items.work + step // 2) // step,
        room=items.room // step,
        share=items.share / step,
        far=items.far / step,
        weights=items.weights * step,
    )


def _items(
    problem: Problem, plan: Assignment, tasks: NDArray[np.int64], people: NDArray[np.int64]
) -> tuple[Items, NDArray[np.int64]]:
    """Return what each of the people may do of the tasks beside all other work, and the flat window of each item."""
    fixed = plan.copy()
    fixed.who[tasks], fixed.window[tasks] = ESCALATED, -1
    slack = problem.slack_min(fixed, people).astype(np.int64)
    task, person, window, work = integer_program.picks(
        problem, Scope(plan, tuple(tasks.tolist()), tuple(people.tolist())), fixed, slack
    )
    keep = _offered(problem, plan, tasks[task], window)
    task, person, window, work = task[keep], person[keep], window[keep], work[keep]
    column = problem.due_column[window].astype(np.int64)
    order = np.lexsort((column, person))
    shares, loads = problem.balance, problem.loads_min(fixed)[people]
    t, p = tasks[task], people[person]
    # What is promised before the first of these windows ends has its room in later ones too: the least of them counts.
    room = np.minimum.accumulate(slack[:, :1, ::-1].sum(axis=1), axis=1)[:, ::-1]
    return (
        Items(
            start=np.searchsorted(person[order], np.arange(len(people) + 1)).astype(np.int64),
            task=task[order].astype(np.int64),
            work=work[order].astype(np.int64),
            column=column[order],
            price=(problem.late_min[window] + problem.comfort_min[t, p])[order].astype(np.float64),
            room=np.ascontiguousarray(np.maximum(room, 0)),
            share=(shares.share_min[people] - loads).astype(np.float64),
            far=shares.far_min[people].astype(np.float64),
            week_column=(np.searchsorted(problem.dues, shares.end_slots, side="right") - 1).astype(np.int64),
            weights=np.array([shares.near_pct, shares.far_pct, shares.week_pct]) / 100.0,
        ),
        window[order],
    )


def _offered(
    problem: Problem, plan: Assignment, task: NDArray[np.int64], window: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which windows are offered: of many of one task the present one and some from the cheapest to the dearest."""
    place, count = window - problem.first_window[task], np.diff(problem.first_window)[task]
    step = np.maximum(-(-count // (MOST_WINDOWS - 1)), 1)
    offered: NDArray[np.bool_] = (place % step == 0) | (place == plan.window[task])
    return offered
