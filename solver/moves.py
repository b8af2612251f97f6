"""Moves applied to a plan where every rule holds: where each fits, or what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solver.construct import in_order, others_on_piece
from solver.problem import ESCALATED, Assignment, Problem


@dataclass(frozen=True)
class Target:
    """What is wanted of one task: the person."""

    task: int
    person: int


@dataclass(frozen=True)
class Lack:
    """Why moves cannot be applied: the first that finds no place, and the minutes its person lacks in the widest window.

    ``gap_min`` is ``None`` when no minutes help: the person works on the same piece, or may not do the task.
    """

    target: Target
    gap_min: int | None


@dataclass
class Start:
    """A plan to which moves are applied, with the slack of each person kept at hand.

    Attributes
    ----------
    slack_min
        Person to ``(releases, dues)`` minutes left of each window that can bind, filled on demand.
    """

    problem: Problem
    plan: Assignment
    slack_min: dict[int, NDArray[np.int32]] = field(default_factory=dict)

    def tried(self, targets: Sequence[Target]) -> Assignment | Lack:
        """Return the plan with all ``targets`` moved, each in its cheapest window that fits; this plan stays as it is."""
        problem, trial = self.problem, self.plan.copy()
        slack = {person: self._slack(person).copy() for person in {target.person for target in targets}}
        for target in targets:
            before = int(trial.who[target.task])
            if before in slack:
                _use(problem, slack[before], trial, target.task, -1)
            trial.who[target.task], trial.window[target.task] = ESCALATED, -1
        for target in _preparations_first(problem, targets):
            window = _window(problem, trial, slack[target.person], target)
            if isinstance(window, Lack):
                return window
            trial.who[target.task] = target.person
            trial.window[target.task] = window - int(problem.first_window[target.task])
            _use(problem, slack[target.person], trial, target.task, 1)
        return trial

    def take(self, plan: Assignment) -> None:
        """Go on from a plan that `tried` returned."""
        changed = np.flatnonzero((plan.who != self.plan.who) | (plan.window != self.plan.window))
        for person in {*self.plan.who[changed].tolist(), *plan.who[changed].tolist()}:
            self.slack_min.pop(person, None)
        self.plan = plan

    def _slack(self, person: int) -> NDArray[np.int32]:
        if person not in self.slack_min:
            slack = self.problem.room_min[person].copy()
            for t in np.flatnonzero(self.plan.who == person).tolist():
                _use(self.problem, slack, self.plan, t, 1)
            self.slack_min[person] = slack
        return self.slack_min[person]


def _use(problem: Problem, slack: NDArray[np.int32], plan: Assignment, t: int, times: int) -> None:
    """Take the minutes of task ``t`` as it stands in ``plan`` from its person's slack ``times`` times; -1 gives them back."""
    w = int(problem.first_window[t] + plan.window[t])
    slack[: problem.release_row[w] + 1, problem.due_column[w] :] -= times * problem.work_min[t, plan.who[t]]


def _preparations_first(problem: Problem, targets: Sequence[Target]) -> list[Target]:
    moving = {target.task for target in targets}

    def depth(t: int) -> int:
        before = int(problem.preparation[t])
        return 1 + depth(before) if before in moving else 0

    return sorted(targets, key=lambda target: (depth(target.task), target.task))


def _window(problem: Problem, plan: Assignment, slack: NDArray[np.int32], target: Target) -> int | Lack:
    t, p = target.task, target.person
    if not problem.allowed[t, p] or p in others_on_piece(problem, plan, t):
        return Lack(target, None)
    work, gap_min = int(problem.work_min[t, p]), None
    for w in problem.windows_of(t):
        if in_order(problem, plan, t, w):
            around = slack[: problem.release_row[w] + 1, problem.due_column[w] :]
            missing = work - int(around.min()) if around.size else 0
            if missing <= 0:
                return w
            gap_min = missing if gap_min is None else min(gap_min, missing)
    return Lack(target, gap_min)
