"""Which few people to free next: where the money is.

A neighbourhood is a handful of people with everything they hold, and the escalated tasks they could take. Kinds take turns:
an escalated or late task with people who could do it, the most unbalanced person with people who share their skills, a
task that moved with the person it came from, and people at random. Sizes follow what the exact solver closes in its budget.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.model import Scope
from solver.problem import ESCALATED, Assignment, Problem

FEWEST_PEOPLE = 2
PATIENCE = 400
"""Neighbourhoods without a gain, after which only chance would find another; each kind has then been tried a hundred times."""


class Neighbourhoods:
    """Draws scopes and adapts their size; the same seed draws the same ones."""

    def __init__(self, problem: Problem, seed: int) -> None:
        """Prepare to draw for one problem."""
        self.problem = problem
        self.random = np.random.default_rng(seed)
        self.size = 4.0
        self.turn = 0
        self.idle = 0
        self.shared = problem.allowed.T.astype(np.float32) @ problem.allowed.astype(np.float32)
        np.fill_diagonal(self.shared, 0)

    def next(self, plan: Assignment) -> Scope | None:
        """Return the next scope to solve, ``None`` when there is nothing to decide or patience has ended."""
        people = self.problem.person_count
        if people == 0 or self.problem.task_count == 0 or self.idle >= PATIENCE:
            return None
        kinds = (self._costly_task, self._unbalanced, self._moved, self._anybody)
        seeds = kinds[self.turn % len(kinds)](plan)
        self.turn += 1
        return self.around(plan, seeds, min(int(self.size), people))

    def around(self, plan: Assignment, seeds: list[int], size: int) -> Scope:
        """Return the scope of these people and those who share much work with them, up to ``size`` people."""
        chosen = self._grow(seeds, size)
        return Scope(plan, self._tasks(plan, chosen), tuple(sorted(chosen)))

    def learn(self, proven: bool, *, improved: bool) -> None:
        """Grow the size while solves close, shrink it when they do not."""
        self.idle = 0 if improved else self.idle + 1
        factor = 1.03 if proven else 0.9
        self.size = float(np.clip(self.size * factor, FEWEST_PEOPLE, max(self.problem.person_count, FEWEST_PEOPLE)))

    def everything(self, scope: Scope) -> bool:
        """Whether a scope is the whole problem."""
        return len(scope.people) == self.problem.person_count and len(scope.tasks) == self.problem.task_count

    def _costly_task(self, plan: Assignment) -> list[int]:
        """An escalated or late task, and people who may do it."""
        problem = self.problem
        placed = plan.who >= 0
        price = problem.escalation_min.copy()
        price[placed] = problem.late_min[problem.chosen(plan, np.flatnonzero(placed))]
        price[~problem.allowed.any(axis=1)] = 0
        costly = np.flatnonzero(price)
        if len(costly) == 0:
            return self._unbalanced(plan)
        may = np.flatnonzero(problem.allowed[self.random.choice(costly)])
        return [int(p) for p in self.random.permutation(may)[:3]]

    def _unbalanced(self, plan: Assignment) -> list[int]:
        """A person far from the fair share; drawn by how much that costs."""
        cost = self.problem.balance.cost_min(self.problem.loads_min(plan)).astype(np.float64) + 1.0
        return [int(self.random.choice(len(cost), p=cost / cost.sum()))]

    def _moved(self, plan: Assignment) -> list[int]:
        """A task away from where it costs least, with its person and the cheapest one."""
        problem = self.problem
        placed = np.flatnonzero(plan.who >= 0)
        price = np.where(problem.allowed, problem.comfort_min, np.iinfo(np.int32).max)[placed]
        if len(placed) == 0:
            return self._anybody(plan)
        away = placed[problem.comfort_min[placed, plan.who[placed]] > price.min(axis=1)]
        if len(away) == 0:
            return self._anybody(plan)
        t = int(self.random.choice(away))
        home = int(np.where(problem.allowed[t], problem.comfort_min[t], np.iinfo(np.int32).max).argmin())
        return [int(plan.who[t]), home]

    def _anybody(self, plan: Assignment) -> list[int]:
        return [int(self.random.integers(self.problem.person_count))]

    def _grow(self, seeds: list[int], size: int) -> list[int]:
        """Add people who share much work with those chosen, with chance, up to ``size``."""
        chosen = list(dict.fromkeys(seeds))
        while len(chosen) < size:
            weight = self.shared[chosen].sum(axis=0).astype(np.float64) + 1e-3
            weight[chosen] = 0.0
            if not weight.any():
                break
            chosen.append(int(self.random.choice(len(weight), p=weight / weight.sum())))
        return chosen

    def _tasks(self, plan: Assignment, people: list[int]) -> tuple[int, ...]:
        """Return what the people hold and the escalated tasks they may take."""
        mine = np.isin(plan.who, people)
        lost: NDArray[np.bool_] = (plan.who == ESCALATED) & self.problem.allowed[:, people].any(axis=1)
        return tuple(np.flatnonzero(mine | lost).tolist())
