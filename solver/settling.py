"""Who of a few people does what of theirs, exactly and in milliseconds, where a linear relaxation leaves little to decide.

Where all work gets done and comfort decides, the relaxation gives nearly every task to one person, and its bound is within a per cent of
the best plan. Two things follow. The plan may start there: every task where most of it is, people promised too much for a while. And what
a plan costs beyond the bound is known person by person: the reduced costs of their tasks, and what their unused minutes are worth. A
better arrangement among a few of them costs less than theirs together, which rules most choices out (reduced-cost fixing, within a
neighbourhood), and what is left is enumerated in compiled code, dearest indecision first. What that gave is in
docs/decisions/0032-settling.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.bound import Relaxed
from solver.construct import completed
from solver.crew import GoOn
from solver.neighbourhoods import AGREED
from solver.overbooking import Found, fitted
from solver.problem import ESCALATED, Assignment, Problem
from solver.settled_groups import FIRST_SIZE, Choices, Shares, State, cool, settle

STEPS_PER_UNIT = 35_000_000
STEPS_PER_CALL = 1_000_000
"""Choices tried in about a second, and between two looks at the stop rule: some 30 ms."""
MOVES_PER_TASK, MOST_MOVES, MOVES_PER_UNIT = 20_000, 16_000_000, 3_500_000
"""Moves of the annealing of a plan that begins at the relaxation, and those in about a second."""
MOVES_PER_CALL = 500_000
HOT, COLD, LEAST_SCALE_MIN = 0.3, 0.05, 0.5
"""First and last temperature, times what the next best choices of a task cost beyond its best: of the usual task, and no less than
half a minute, as plans differ by whole ones."""
NEXT_BEST = 3
FIRST_LACKING, LAST_LACKING = 1.0, 3.0
"""Price of a lacking minute while it is annealed, times what a minute is worth: below its worth more than all is promised, and at ten
times it nothing moves any more."""
LACKING, DEARER = 3.0, 1.5
"""Price of a lacking minute, times what a minute is worth to the relaxation, at first, and how much more after each call that leaves some
lacking: at the worth itself it is left, at ten times it what is lacking is bought too dear (decision 32)."""
MOST_CELLS = 200_000
"""Windows of people beyond which moves are slow, as they no longer fit what a core keeps near: at 30 people and 600 tasks six million a
second, at 100 people and 3,000 tasks a third of one, and a settling took a minute for nothing."""
MOST_OPEN_SHARE = 0.5
"""Share of tasks that the relaxation splits up to which a plan may start from it."""


@dataclass(frozen=True)
class Settle:
    """Settle who of a few people does what, group after group, within one side of the firm.

    Attributes
    ----------
    people, tasks
        Who and what (``(T,)`` mask) may change.
    fresh
        Whether to begin where the relaxation has most of each task, annealed, instead of the plan.
    work_units
        Of the groups; annealing comes before. With what annealing left of as much, minutes lacked at the end, and what was given up
        for them cost more than all other work (d401600: 113 to 145 thousand instead of 97.4).
    """

    plan: Assignment
    relaxed: Relaxed
    people: NDArray[np.int64]
    tasks: NDArray[np.bool_]
    seed: int
    work_units: float
    fresh: bool = False

    def __call__(self, problem: Problem, go_on: GoOn) -> Found:
        """Search; told to stop, give up what does not fit by then. Never worse than the plan it was given."""
        choices, begun = choices_of(problem, self.relaxed), self.plan
        free = self.tasks & unlinked(problem)
        if self.fresh:
            # What may not be escalated stays: it must fit by itself when what lacks is given up at the end.
            free &= problem.may_escalate
            begun = rounded(problem, self.plan, self.relaxed, free)
        shares = _shares(problem, self.relaxed)
        state = start_state(problem, begun, choices, free & np.isin(begun.who, [*self.people.tolist(), ESCALATED]))
        order, calls, dear = _order(choices), 0, LACKING
        used = self._cooled(choices, shares, state, go_on) if self.fresh else 0.0
        until = used + self.work_units * STEPS_PER_UNIT
        while used < until:
            number = (self.seed * 1_000_003 + calls) % 2**31
            steps, lacking = settle(choices, shares, state, order, self.people, STEPS_PER_CALL, dear, number)
            used, calls = used + steps, calls + 1
            dear = dear * DEARER if lacking else LACKING
            if not go_on():
                break
        plan = _plan(problem, begun, choices, state)
        if (state.slack < 0).any():
            plan = completed(problem, fitted(problem, plan))
        better = problem.objective_min(plan) < problem.objective_min(self.plan)
        return Found(plan if better else self.plan, used / STEPS_PER_UNIT)

    def _cooled(self, choices: Choices, shares: Shares, state: State, go_on: GoOn) -> float:
        """Anneal a plan that promises too much; return the work in steps."""
        free = np.flatnonzero(state.place >= 0)
        calls = -(-min(MOVES_PER_TASK * len(free), MOST_MOVES) // MOVES_PER_CALL)
        scale, done = _scale(choices, free), 0
        heats = np.geomspace(HOT * scale, COLD * scale, calls + 1).tolist()
        prices = np.geomspace(FIRST_LACKING, LAST_LACKING, calls + 1).tolist()
        for heat, price in zip(heats[:calls], prices[:calls], strict=True):
            cool(choices, shares, state, free, MOVES_PER_CALL, heat, price, (self.seed * 1_000_003 + done) % 2**31)
            done += 1
            if not go_on():
                break
        return done * MOVES_PER_CALL / MOVES_PER_UNIT * STEPS_PER_UNIT


def _scale(choices: Choices, tasks: NDArray[np.int64]) -> float:
    """Return what the next best choices of the usual task cost beyond its best."""
    next_best = choices.start[tasks, None] + 1 + np.arange(NEXT_BEST)
    there = next_best < choices.start[tasks + 1, None]
    loss = np.where(there, choices.loss_min[np.where(there, next_best, 0)], 0.0).sum(axis=1)
    usual = loss[there.any(axis=1)] / np.maximum(there.sum(axis=1), 1)[there.any(axis=1)]
    return max(float(np.median(usual)) if len(usual) else 0.0, LEAST_SCALE_MIN)


def settles(problem: Problem, relaxed: Relaxed) -> bool:
    """Whether the relaxation gives most tasks to one person in one window, and moves are fast."""
    if problem.room_min.size > MOST_CELLS:
        return False
    whole = np.bincount(relaxed.leaning.task[relaxed.leaning.share > AGREED], minlength=problem.task_count)
    somebody = problem.allowed.any(axis=1)
    return bool((whole[somebody] == 0).sum() <= MOST_OPEN_SHARE * max(int(somebody.sum()), 1))


def unlinked(problem: Problem) -> NDArray[np.bool_]:
    """Return which tasks no rule links to another; `solver.neighbourhoods` is for the others."""
    free: NDArray[np.bool_] = (np.diff(problem.piece_start) == 0) & (problem.preparation < 0)
    free[problem.preparation[problem.preparation >= 0]] = False
    return free


def choices_of(problem: Problem, relaxed: Relaxed) -> Choices:
    """Return everything that may happen to each task."""
    marked, may = relaxed.marked, np.flatnonzero(problem.may_escalate)
    none = np.full(len(may), -1)
    task = np.concatenate([marked.task, may])
    person = np.concatenate([marked.person, none])
    window = np.concatenate([marked.window, none])
    price = np.concatenate([marked.price_min, problem.escalation_min[may].astype(np.float64)])
    least = np.full(problem.task_count, np.inf)
    np.minimum.at(least, task, price)
    loss = price - least[task]
    order = np.lexsort((loss, task))
    task, person, window = task[order], person[order], window[order]
    placed = person >= 0
    return Choices(
        start=np.searchsorted(task, np.arange(problem.task_count + 1)).astype(np.int64),
        person=person,
        window=window,
        work=np.where(placed, problem.work_min[task, person], 0).astype(np.int64),
        loss_min=loss[order],
        minutes_min=np.concatenate([marked.minutes_min, np.zeros(len(may))])[order],
        row=problem.release_row[window].astype(np.int64),
        column=problem.due_column[window].astype(np.int64),
        due=problem.due[window].astype(np.int64),
    )


def rounded(problem: Problem, plan: Assignment, relaxed: Relaxed, free: NDArray[np.bool_]) -> Assignment:
    """Return ``plan`` with each free task where the relaxation has most of it; people may be promised too much.

    Tasks that may not be escalated stay, so that by themselves they fit.
    """
    begun, lean = plan.copy(), relaxed.leaning
    order = np.lexsort((-lean.share, lean.task))
    task, first = np.unique(lean.task[order], return_index=True)
    most = order[first]
    moves = free[task] & problem.may_escalate[task]
    task, most = task[moves], most[moves]
    begun.who[task] = lean.person[most]
    begun.window[task] = lean.window[most] - problem.first_window[task]
    return begun


def start_state(problem: Problem, plan: Assignment, choices: Choices, free: NDArray[np.bool_]) -> State:
    """Return the state of a plan; what is not among the choices is not changed."""
    people, tasks = problem.person_count, problem.task_count
    owner = np.repeat(np.arange(tasks), np.diff(choices.start))
    window = np.where(plan.who >= 0, problem.first_window[:-1] + plan.window, -1)
    here = np.flatnonzero((choices.person == plan.who[owner]) & (choices.window == window[owner]))
    chosen = np.full(tasks, -1, dtype=np.int64)
    chosen[owner[here]] = here
    fixed = np.flatnonzero(~free & (chosen >= 0) & (plan.who >= 0))
    fixed_min = np.zeros(people)
    np.add.at(fixed_min, plan.who[fixed], choices.minutes_min[chosen[fixed]])
    held = np.full((people + 1, max(tasks, 1)), -1, dtype=np.int32)
    count, place = np.zeros(people + 1, dtype=np.int64), np.full(tasks, -1, dtype=np.int64)
    for t in np.flatnonzero(free & (chosen >= 0)).tolist():
        p = int(plan.who[t])
        held[p, count[p]], place[t] = t, count[p]
        count[p] += 1
    size = np.array([FIRST_SIZE])
    return State(chosen, problem.slack_min(plan), problem.loads_min(plan), held, count, place, fixed_min, size)


def _shares(problem: Problem, relaxed: Relaxed) -> Shares:
    balance = problem.balance
    return Shares(
        balance.share_min,
        balance.far_min,
        balance.end_slots,
        balance.near_pct,
        balance.far_pct,
        balance.week_pct,
        relaxed.marked.unused_min,
        # Where minutes are worth nothing to the relaxation, one that lacks still counts as one.
        np.maximum(relaxed.minute.max(axis=1, initial=0.0), 1.0),
    )


def _order(choices: Choices) -> NDArray[np.int64]:
    """Return ``(T,)`` the rank of each task: first those whose second choice costs most."""
    second = np.minimum(choices.start[:-1] + 1, choices.start[1:] - 1)
    regret = np.where(np.diff(choices.start) > 1, choices.loss_min[second], np.inf)
    rank = np.empty(len(regret), dtype=np.int64)
    rank[np.argsort(-regret, kind="stable")] = np.arange(len(regret))
    return rank


def _plan(problem: Problem, begun: Assignment, choices: Choices, state: State) -> Assignment:
    plan, known = begun.copy(), np.flatnonzero(state.chosen >= 0)
    plan.who[known] = choices.person[state.chosen[known]]
    window = choices.window[state.chosen[known]]
    plan.window[known] = np.where(window >= 0, window - problem.first_window[known], -1)
    return plan
